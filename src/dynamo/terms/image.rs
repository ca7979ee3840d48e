//! Image references, as far as a wrong one can be told without a registry.
//!
//! Docker's own message for a capital letter in a repository is "invalid reference format", after everything else has
//! been set up. The grammar is small enough to check while planning.

use super::objection::Refusal;

/// A reference as `docker run` takes it: `[registry[:port]/]repository[:tag][@sha256:…]`.
pub(crate) fn reference(text: &str) -> Result<String, Refusal> {
    let (named, digest) = match text.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (text, None),
    };
    let (path, tag) = split_tag(named);
    if path.is_empty() || text.len() > 512 || !is_path(path) {
        return wrong(text, "is not the name of an image (repositories are lower-case)");
    }
    if tag.is_some_and(|tag| !is_tag(tag)) {
        return wrong(text, "has a tag that Docker refuses");
    }
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return wrong(text, "has a digest that is not sha256: and 64 hexadecimal digits");
    }
    Ok(text.to_owned())
}

fn wrong(text: &str, what: &str) -> Result<String, Refusal> {
    Err(Refusal::new(format!("{text:?} {what}"), "write it as docker run takes it, like repository/name:tag"))
}

/// A colon after the last slash starts the tag; one before it belongs to the registry's port.
fn split_tag(named: &str) -> (&str, Option<&str>) {
    match named.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (named, None),
    }
}

fn is_path(path: &str) -> bool {
    let mut parts = path.split('/').peekable();
    if let Some(first) = parts.peek().copied()
        && path.contains('/')
        && (first.contains(['.', ':']) || first == "localhost")
    {
        parts.next();
        if !is_registry(first) {
            return false;
        }
    }
    parts.all(is_component)
}

fn is_registry(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "443"));
    !host.is_empty()
        && host.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
        && port.parse::<u16>().is_ok()
}

fn is_component(text: &str) -> bool {
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    edge(text.bytes().next())
        && edge(text.bytes().last())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
        && !text.contains("..")
}

fn is_tag(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && !tag.starts_with(['.', '-'])
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn is_digest(digest: &str) -> bool {
    digest
        .strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        let digest = format!("nats@sha256:{}", "0".repeat(64));
        for good in [
            "busybox",
            "nats:2.11.4",
            "nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.6.1",
            "localhost:5000/a/b_c:X.Y-z",
            "Registry.example/a",
            digest.as_str(),
        ] {
            assert_eq!(reference(good), Ok(good.to_owned()));
        }
        for bad in [
            "",
            " ",
            "a b",
            "Busybox",
            "a/B",
            "a:",
            "a:b:c",
            "a@sha256:12",
            "/a",
            "a/",
            "a//b",
            "a:-x",
            "-a",
            "ex.io:99999/a",
            "a..b",
            "http://a/b",
        ] {
            assert!(reference(bad).is_err(), "{bad:?}");
        }
    }
}
