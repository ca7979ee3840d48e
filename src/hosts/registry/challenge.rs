//! What registries say, and what is said to their token services. Pure.

use serde::Deserialize;

/// Which login a registry wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    /// A token from `realm`.
    Bearer {
        realm: String,
        service: Option<String>,
        scope: Option<String>,
    },
}

/// The header `WWW-Authenticate`: `Bearer realm="https://…",service="…",scope="…"`.
pub(super) fn parse(header: &str) -> Option<Challenge> {
    let (scheme, parameters) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (mut realm, mut service, mut scope) = (None, None, None);
    let mut rest = parameters.trim();
    while let Some((key, after)) = rest.split_once('=') {
        let (value, more) = match after.strip_prefix('"') {
            // A scope holds commas.
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        match key.trim().to_ascii_lowercase().as_str() {
            "realm" => realm = Some(value.to_owned()),
            "service" => service = Some(value.to_owned()),
            "scope" => scope = Some(value.to_owned()),
            _ => {}
        }
        rest = more.trim_start_matches([',', ' ']);
    }
    Some(Challenge::Bearer { realm: realm?, service, scope })
}

/// Where a token for `scope` is to be had.
pub(super) fn token_url(realm: &str, service: Option<&str>, scope: &str) -> String {
    let service = service.map(|service| format!("service={}&", encoded(service))).unwrap_or_default();
    let joint = if realm.contains('?') { '&' } else { '?' };
    format!("{realm}{joint}{service}scope={}", encoded(scope))
}

/// Text as it stands in a query.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The token in a token service's answer, which has one of two names.
pub(super) fn token(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Tokens {
        token: Option<String>,
        access_token: Option<String>,
    }
    let Tokens { token, access_token } = serde_json::from_str(body).ok()?;
    token.or(access_token)
}

/// The tags of a page; a repository whose last tag was deleted says `null`.
pub(super) fn tags(body: &str) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Page {
        tags: Option<Vec<String>>,
    }
    serde_json::from_str(body).ok().map(|Page { tags }| tags.unwrap_or_default())
}

/// The login that is wanted: of several that a registry takes, a token, since that may be had without an account.
pub(super) fn of_headers<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
    let known: Vec<Challenge> = headers.filter_map(parse).collect();
    known.iter().find(|it| **it != Challenge::Basic).or(known.first()).cloned()
}

/// The address of the next page in a header `Link: </v2/…>; rel="next"`, as it is written there.
pub(super) fn next_page(header: &str) -> Option<&str> {
    // One header may have several links.
    let links = header.split('<').skip(1).filter_map(|link| link.split_once('>'));
    let is_next = |relation: &str| relation.contains("rel=\"next\"") || relation.contains("rel=next");
    links.into_iter().find(|(_, relation)| is_next(relation)).map(|(target, _)| target)
}

/// `https://host:port` of an address.
pub(super) fn origin(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(after..).and_then(|rest| rest.find(['/', '?', '#'])).map_or(url.len(), |at| after + at);
    url.get(..end).unwrap_or(url)
}

/// What `target`, which the answer from `base` names, stands for: an address, or a path at the same machine. Other ways to
/// write it are not used by registries.
pub(super) fn joined(base: &str, target: &str) -> Option<String> {
    match target {
        path if path.starts_with('/') && !path.starts_with("//") => Some(format!("{}{path}", origin(base))),
        url if url.starts_with("https://") || url.starts_with("http://") => Some(url.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            Some(Challenge::Bearer { realm: realm.into(), service: owned(service), scope: owned(scope) })
        };
        let table = [
            ("Basic realm=\"x\"", Some(Challenge::Basic)),
            ("basic", Some(Challenge::Basic)),
            (
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#,
                bearer(
                    "https://auth.docker.io/token",
                    Some("registry.docker.io"),
                    Some("repository:a/b:pull,push"),
                ),
            ),
            ("bearer realm=https://x/t, Service=y", bearer("https://x/t", Some("y"), None)),
            (r#"Bearer service="y""#, None),
            (r#"Bearer realm="https://x"#, None),
            ("Negotiate", None),
            ("", None),
        ];
        for (header, expected) in table {
            assert_eq!(parse(header), expected, "{header}");
        }
    }

    #[test]
    fn of_several_logins_a_token_is_taken() {
        let bearer = r#"Bearer realm="https://x/t""#;
        let table: [(&[&str], Option<bool>); 5] = [
            (&["Negotiate", "Basic realm=\"x\""], Some(false)),
            (&["Basic realm=\"x\"", bearer], Some(true)),
            (&[bearer, "Basic"], Some(true)),
            (&["Negotiate", "Digest x"], None),
            (&[], None),
        ];
        for (headers, token) in table {
            let wanted = of_headers(headers.iter().copied());
            assert_eq!(wanted.map(|it| it != Challenge::Basic), token, "{headers:?}");
        }
    }

    #[test]
    fn the_next_page_is_found_among_links() {
        let table = [
            (r#"</v2/a/tags/list?n=2&last=b>; rel="next""#, Some("/v2/a/tags/list?n=2&last=b")),
            (r#"<https://r.example/v2>; rel=next"#, Some("https://r.example/v2")),
            (r#"</v2/a?x=1,2>; rel="prev", </v2/b>; rel="next""#, Some("/v2/b")),
            (r#"</v2/a>; rel="prev""#, None),
            ("nonsense", None),
            ("<", None),
        ];
        for (header, expected) in table {
            assert_eq!(next_page(header), expected, "{header}");
        }
    }

    #[test]
    fn addresses_are_joined() {
        let base = "https://r.example:5000/v2/a/tags/list?n=1";
        let table = [
            ("/v2/b?x", Some("https://r.example:5000/v2/b?x")),
            ("https://other.example/v2", Some("https://other.example/v2")),
            ("//other.example/v2", None),
            ("list?n=2", None),
            ("ftp://x/", None),
            ("", None),
        ];
        for (target, expected) in table {
            assert_eq!(joined(base, target).as_deref(), expected, "{target}");
        }
        assert_eq!((origin("http://x?y"), origin("http://x")), ("http://x", "http://x"));
    }

    #[test]
    fn answers_are_read() {
        assert_eq!(token(r#"{"access_token":"a"}"#).as_deref(), Some("a"));
        assert_eq!((token("{}"), token("x")), (None, None));
        assert_eq!(tags(r#"{"name":"x","tags":null}"#), Some(vec![]));
        assert_eq!(tags("x"), None);
        assert_eq!(token_url("https://x/t?a=b", None, "s"), "https://x/t?a=b&scope=s");
    }
}
