//! Asking a registry which tags a repository has (Docker Registry HTTP API v2).
//!
//! The question goes through the host's own network, as its pulls do: what matters is what the host can reach. TLS and
//! credentials stay on this side; the host forwards bytes. Credentials go to the registry they are meant for, and to
//! the token service that it names, over TLS; plain HTTP is for registries on the host's loopback address only. A registry
//! may send us on to another machine, which is told no credentials.
//!
//! `exchange` is one question over HTTP or HTTPS, `challenge` is the text of answers; [`TagQuery`] puts them together.

mod challenge;
mod exchange;

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::StatusCode;
use hyper::Uri;
use hyper::header::{HeaderValue, LINK, LOCATION, WWW_AUTHENTICATE};
use zeroize::Zeroizing;

use crate::hosts::error::{Cause, HostError};
use crate::hosts::host::Host;
use crate::hosts::registry_auth::{Credentials, DOCKER_HUB, registry_of};
use crate::hosts::transport::engine_address::is_loopback;
use challenge::Challenge;
use exchange::HttpResponse;

/// For one question, redirections to a token service included.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Pages of a thousand tags each.
const MOST_PAGES: usize = 50;
const MOST_REDIRECTIONS: usize = 5;

impl Host {
    /// The tags of a repository (`nvcr.io/nvidia/x`, without a tag), sorted.
    pub async fn registry_tags(&self, repository: &str) -> Result<Vec<String>, HostError> {
        let question = TagQuery::new(self, repository);
        question.tags().await.map_err(|cause| self.error(&format!("list the tags of {repository}"), cause))
    }
}

struct TagQuery<'a> {
    host: &'a Host,
    /// As the user writes it.
    repository: &'a str,
    /// `https://nvcr.io`
    origin: String,
    /// Below the registry.
    path: String,
    credentials: Option<&'a Credentials>,
}

/// What a machine is told in the header `Authorization`, and no other.
struct Authorization {
    origin: String,
    value: HeaderValue,
}

impl<'a> TagQuery<'a> {
    fn new(host: &'a Host, repository: &'a str) -> Self {
        let registry = registry_of(repository);
        let (origin, path) = place(&registry, repository);
        Self { host, repository, origin, path, credentials: host.0.registry_auth.credentials_of(&registry) }
    }

    async fn tags(&self) -> Result<Vec<String>, Cause> {
        let odd = |text: String| Cause::RegistryOdd { text };
        let mut login: Option<Authorization> = None;
        let mut tags = Vec::new();
        let mut next = Some(format!("{}/v2/{}/tags/list?n=1000", self.origin, self.path));
        for _ in 0..MOST_PAGES {
            let Some(url) = next else { break };
            let (mut url, mut answer) = self.follow(url, login.as_ref()).await?;
            if answer.status == StatusCode::UNAUTHORIZED && login.is_none() {
                let origin = challenge::origin(&url).to_owned();
                login = Some(Authorization { value: self.authorize(&answer, &origin).await?, origin });
                (url, answer) = self.follow(url, login.as_ref()).await?;
            }
            tags.extend(self.page(&answer)?);
            next = match answer.headers(LINK).find_map(challenge::next_page) {
                None => None,
                Some(target) => {
                    let page = challenge::joined(&url, target)
                        .filter(|page| challenge::origin(page) == challenge::origin(&url));
                    Some(page.ok_or_else(|| odd(format!("its list goes on at {target}")))?)
                }
            };
        }
        tags.sort_unstable();
        tags.dedup();
        Ok(tags)
    }

    /// Asks, and goes where it is sent. Gives where the answer is from.
    async fn follow(
        &self,
        url: String,
        login: Option<&Authorization>,
    ) -> Result<(String, HttpResponse), Cause> {
        let odd = |text: String| Cause::RegistryOdd { text };
        let mut url = url;
        for _ in 0..=MOST_REDIRECTIONS {
            let own = login.filter(|login| login.origin == challenge::origin(&url));
            let answer = self.get(&url, own.map(|login| &login.value)).await?;
            if !answer.status.is_redirection() {
                return Ok((url, answer));
            }
            let target = answer.header(LOCATION).unwrap_or_default();
            let to = challenge::joined(&url, target).filter(|to| self.may_be_told(to));
            let refused =
                || odd(format!("{} to {target:?}, which is not an address with TLS", answer.status));
            url = to.ok_or_else(refused)?;
        }
        Err(odd(format!("it sends us on again and again, at last to {}", challenge::origin(&url))))
    }

    async fn get(&self, url: &str, authorization: Option<&HeaderValue>) -> Result<HttpResponse, Cause> {
        let unreachable = |text: String| Cause::RegistryUnreachable { text };
        let url: Uri = url.parse().map_err(|error| unreachable(format!("{url}: {error}")))?;
        let asked = exchange::get(self.host.0.transport.as_ref(), &url, authorization);
        let answer = tokio::time::timeout(TIMEOUT, asked).await;
        let silent = |_| unreachable(format!("no answer within {} s", TIMEOUT.as_secs()));
        answer.map_err(silent)?.map_err(unreachable)
    }

    /// What to say in the header `Authorization`, after a refusal that says what is wanted.
    async fn authorize(&self, refusal: &HttpResponse, origin: &str) -> Result<HeaderValue, Cause> {
        let denied =
            |text: &str| Cause::RegistryDenied { image: self.repository.to_owned(), text: text.to_owned() };
        let challenge = challenge::of_headers(refusal.headers(WWW_AUTHENTICATE));
        let basic = || self.basic().filter(|_| origin == self.origin);
        match challenge.ok_or_else(|| denied("it names no login that is known here"))? {
            Challenge::Basic if origin != self.origin => {
                Err(denied(&format!("it sends us on to {origin}, which wants a login of its own")))
            }
            Challenge::Basic => basic().ok_or_else(|| denied("it wants a login")),
            Challenge::Bearer { realm, service, scope } => {
                if !self.may_be_told(&realm) {
                    return Err(denied("its token service is not reached over TLS"));
                }
                let scope = scope.unwrap_or_else(|| format!("repository:{}:pull", self.path));
                let url = challenge::token_url(&realm, service.as_deref(), &scope);
                let answer = self.get(&url, basic().as_ref()).await?;
                self.refused(&answer)?;
                let token = challenge::token(&answer.body)
                    .ok_or_else(|| denied("its token service gave no token"))?;
                secret(&format!("Bearer {token}")).ok_or_else(|| denied("its token cannot be sent"))
            }
        }
    }

    /// A registry on the loopback address may have its token service there.
    fn may_be_told(&self, realm: &str) -> bool {
        let Ok(url) = realm.parse::<Uri>() else { return false };
        let both_local = self.origin.starts_with("http://") && url.host().is_some_and(is_loopback);
        url.scheme_str() == Some("https") || both_local
    }

    fn basic(&self) -> Option<HeaderValue> {
        let Credentials { username, password } = self.credentials?;
        let pair = Zeroizing::new(format!("{username}:{}", password.reveal()));
        secret(&Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes()))))
    }

    fn page(&self, answer: &HttpResponse) -> Result<Vec<String>, Cause> {
        self.refused(answer)?;
        let odd = || Cause::RegistryOdd { text: format!("{} without a list of tags", answer.status) };
        challenge::tags(&answer.body).ok_or_else(odd)
    }

    fn refused(&self, answer: &HttpResponse) -> Result<(), Cause> {
        let image = self.repository.to_owned();
        let text = answer.status.to_string();
        match answer.status {
            StatusCode::OK => Ok(()),
            StatusCode::NOT_FOUND => Err(Cause::RegistryNotFound { image }),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Cause::RegistryDenied { image, text }),
            StatusCode::TOO_MANY_REQUESTS => Err(Cause::RegistryRateLimit { text }),
            _ => Err(Cause::RegistryOdd { text }),
        }
    }
}

/// A header that is not to be logged.
fn secret(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Where a registry answers, and the repository's path there. Docker Hub answers elsewhere than at its name, and keeps
/// images without an owner in `library`.
fn place(registry: &str, repository: &str) -> (String, String) {
    let path =
        repository.strip_prefix(registry).and_then(|rest| rest.strip_prefix('/')).unwrap_or(repository);
    if registry == DOCKER_HUB {
        let path = if path.contains('/') { path.to_owned() } else { format!("library/{path}") };
        return ("https://registry-1.docker.io".to_owned(), path);
    }
    let local = registry.parse::<hyper::http::uri::Authority>().is_ok_and(|it| is_loopback(it.host()));
    let scheme = if local { "http" } else { "https" };
    (format!("{scheme}://{registry}"), path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::Secret;
    use crate::hosts::transport::local::LocalTransport;
    use std::collections::BTreeMap;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::{Arc, Mutex};

    #[test]
    fn a_registry_is_asked_where_it_answers() {
        let table = [
            ("nvcr.io/nvidia/x", "https://nvcr.io", "nvidia/x"),
            ("busybox", "https://registry-1.docker.io", "library/busybox"),
            ("docker.io/org/x", "https://registry-1.docker.io", "org/x"),
            ("localhost:5000/a/b", "http://localhost:5000", "a/b"),
            ("127.0.0.1:5000/a", "http://127.0.0.1:5000", "a"),
            ("10.0.0.1:5000/a", "https://10.0.0.1:5000", "a"),
            ("localhost.evil.example/a", "https://localhost.evil.example", "a"),
        ];
        for (repository, origin, path) in table {
            let place = place(&registry_of(repository), repository);
            assert_eq!(place, (origin.to_owned(), path.to_owned()), "{repository}");
        }
    }

    /// A registry with a token service on one port: answers by path and `Authorization`, and writes down both.
    fn registry(answer: fn(&str, &str, u16) -> String) -> (u16, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream: TcpStream = stream.unwrap();
                let mut request = vec![0; 8192];
                let length = stream.read(&mut request).unwrap();
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                let login =
                    request.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or_default();
                log.lock().unwrap().push(format!("{path} {login}"));
                stream.write_all(answer(&path, login, port).as_bytes()).unwrap();
            }
        });
        (port, asked)
    }

    fn json(status: &str, headers: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
    }

    fn host(port: u16) -> Host {
        let credentials = Credentials { username: "u".into(), password: Secret::new("hunter2") };
        let auth = BTreeMap::from([(format!("127.0.0.1:{port}"), credentials)]);
        Host::new("gpu-a", Arc::new(LocalTransport::default()), auth)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_token_is_fetched_once_and_pages_are_joined() {
        let (port, asked) = registry(|path, login, port| match (path, login) {
            (path, "Basic dTpodW50ZXIy") if path.starts_with("/token?") => {
                json("200 OK", "", r#"{"token":"t0"}"#)
            }
            ("/v2/a/b/tags/list?n=1000", "Bearer t0") => json(
                "200 OK",
                "link: </v2/a/b/tags/list?n=1000&last=1.10>; rel=\"next\"\r\n",
                r#"{"name":"a/b","tags":["1.9","1.10"]}"#,
            ),
            ("/v2/a/b/tags/list?n=1000&last=1.10", "Bearer t0") => {
                json("200 OK", "", r#"{"tags":["latest","1.9"]}"#)
            }
            _ => {
                let wanted = format!(
                    "www-authenticate: Bearer realm=\"http://127.0.0.1:{port}/token\",service=\"a registry\",scope=\"repository:a/b:pull\"\r\n"
                );
                json("401 Unauthorized", &wanted, "{}")
            }
        });
        let tags = host(port).registry_tags(&format!("127.0.0.1:{port}/a/b")).await.unwrap();
        assert_eq!(tags, ["1.10", "1.9", "latest"]);
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), 4, "{asked:?}");
        assert_eq!(asked[0], "/v2/a/b/tags/list?n=1000 ", "nothing is told before it is asked for");
        assert_eq!(
            asked[1],
            "/token?service=a%20registry&scope=repository%3Aa%2Fb%3Apull Basic dTpodW50ZXIy"
        );
    }

    /// The other port is another machine: what it wants is not answered with the login of the first.
    #[tokio::test(flavor = "multi_thread")]
    async fn another_machine_that_answers_in_its_place_learns_no_login() {
        let (other, asked) = registry(|path, login, port| match (path, login) {
            ("/v2/a/tags/list?n=1000", "Bearer t1") => {
                let next = format!("link: <http://127.0.0.1:{port}/v2/a/more>; rel=\"next\"\r\n");
                json("200 OK", &next, r#"{"tags":["1"]}"#)
            }
            ("/v2/a/more", "Bearer t1") => json("200 OK", "", r#"{"tags":["2"]}"#),
            (path, _) if path.starts_with("/token?") => json("200 OK", "", r#"{"token":"t1"}"#),
            _ => {
                let wanted = format!(
                    "www-authenticate: Basic realm=\"x\"\r\nwww-authenticate: Bearer realm=\"http://127.0.0.1:{port}/token\"\r\n"
                );
                json("401 Unauthorized", &wanted, "{}")
            }
        });
        let (port, _) = registry(|path, _, _| {
            let to = OTHER.load(std::sync::atomic::Ordering::SeqCst);
            json("307 Temporary Redirect", &format!("location: http://127.0.0.1:{to}{path}\r\n"), "")
        });
        OTHER.store(other, std::sync::atomic::Ordering::SeqCst);
        let tags = host(port).registry_tags(&format!("127.0.0.1:{port}/a")).await.unwrap();
        assert_eq!(tags, ["1", "2"]);
        let asked = asked.lock().unwrap();
        assert!(!asked.iter().any(|line| line.contains("Basic")), "{asked:?}");
    }

    static OTHER: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(0);

    #[tokio::test(flavor = "multi_thread")]
    async fn refusals_are_told_apart_and_say_no_secret() {
        type Row = (fn(&str, &str, u16) -> String, fn(&Cause) -> bool);
        let table: [Row; 10] = [
            (
                |_, _, _| json("307 Temporary Redirect", "location: http://evil.example/\r\n", ""),
                |it| matches!(it, Cause::RegistryOdd { text } if text.contains("evil.example")),
            ),
            (
                |_, _, _| json("302 Found", "", ""),
                |it| matches!(it, Cause::RegistryOdd { text } if text.contains("302")),
            ),
            (
                |path, _, _| json("301 Moved Permanently", &format!("location: {path}\r\n"), ""),
                |it| matches!(it, Cause::RegistryOdd { text } if text.contains("again and again")),
            ),
            (
                |_, _, _| {
                    let link = "link: <https://elsewhere.example/v2>; rel=\"next\"\r\n";
                    json("200 OK", link, r#"{"tags":["1"]}"#)
                },
                |it| matches!(it, Cause::RegistryOdd { text } if text.contains("elsewhere.example")),
            ),
            (|_, _, _| json("404 Not Found", "", "{}"), |it| matches!(it, Cause::RegistryNotFound { .. })),
            (
                |_, _, _| json("429 Too Many Requests", "", ""),
                |it| matches!(it, Cause::RegistryRateLimit { .. }),
            ),
            (|_, _, _| json("200 OK", "", "<html>"), |it| matches!(it, Cause::RegistryOdd { .. })),
            (
                |_, _, _| json("401 Unauthorized", "www-authenticate: Basic realm=\"x\"\r\n", ""),
                |it| matches!(it, Cause::RegistryDenied { .. }),
            ),
            (
                |_, _, _| {
                    json(
                        "401 Unauthorized",
                        "www-authenticate: Bearer realm=\"http://evil.example/\"\r\n",
                        "",
                    )
                },
                |it| matches!(it, Cause::RegistryDenied { text, .. } if text.contains("TLS")),
            ),
            (|_, _, _| "what?".to_owned(), |it| matches!(it, Cause::RegistryUnreachable { .. })),
        ];
        for (answer, expected) in table {
            let (port, _) = registry(answer);
            let error = host(port).registry_tags(&format!("127.0.0.1:{port}/a")).await.unwrap_err();
            assert!(expected(&error.cause), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
    }
}
