//! What registries say, and what is said to their token services. Pure.

use serde::Deserialize;

/// Which login a registry wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    Basic,
    /// A token from `realm`.
    Bearer {
        realm: String,
        service: Option<String>,
        scope: Option<String>,
    },
}

/// The header `WWW-Authenticate`: `Bearer realm="https://…",service="…",scope="…"`.
pub fn parse(header: &str) -> Option<Challenge> {
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
pub fn token_url(realm: &str, service: Option<&str>, scope: &str) -> String {
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
pub fn token(body: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Tokens {
        token: Option<String>,
        access_token: Option<String>,
    }
    let Tokens { token, access_token } = serde_json::from_str(body).ok()?;
    token.or(access_token)
}

/// The tags of a page; a repository whose last tag was deleted says `null`.
pub fn tags(body: &str) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Page {
        tags: Option<Vec<String>>,
    }
    serde_json::from_str(body).ok().map(|Page { tags }| tags.unwrap_or_default())
}

/// The path in the header `Link: </v2/…>; rel="next"`. A link to another machine is not followed.
pub fn next_page(header: &str) -> Option<String> {
    let (target, relation) = header.trim().strip_prefix('<')?.split_once('>')?;
    let next = relation.contains("rel=\"next\"") || relation.contains("rel=next");
    (next && target.starts_with('/') && !target.starts_with("//")).then(|| target.to_owned())
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
    fn pages_follow_only_within_the_registry() {
        let table = [
            (r#"</v2/a/tags/list?n=2&last=b>; rel="next""#, Some("/v2/a/tags/list?n=2&last=b")),
            (r#"<https://evil.example/v2>; rel="next""#, None),
            (r#"<//evil.example/v2>; rel="next""#, None),
            (r#"</v2/a>; rel="prev""#, None),
            ("nonsense", None),
        ];
        for (header, expected) in table {
            assert_eq!(next_page(header).as_deref(), expected, "{header}");
        }
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
