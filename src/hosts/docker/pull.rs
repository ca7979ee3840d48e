//! The news of a pull, read line by line.
//!
//! The client library looks for the end of a line again and again in all that has come, which takes minutes of a processor
//! where no end comes, and keeps all of it. So this one call is made here: what is a line, and how long one may be, is
//! decided before anything is understood.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bollard::models::CreateImageInfo;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::header::{HOST, HeaderValue};
use hyper_util::rt::TokioIo;
use tokio::task::JoinHandle;

use super::client::{REGISTRY_AUTH, chain};
use crate::hosts::error::{Cause, registry_cause};
use crate::hosts::transport::Transport;

/// Longest line, in bytes: one has a hundred or two.
const MOST_LINE: usize = 1 << 20;
/// All lines together, in bytes. An hour of them is some thirty million.
const MOST_NEWS: u64 = 256 << 20;
/// What is read of a refusal, in bytes.
const MOST_REFUSAL: usize = 1 << 20;

/// A user of a registry.
pub(in crate::hosts) struct RegistryLogin<'a> {
    pub registry: &'a str,
    pub username: &'a str,
    pub password: &'a str,
}

/// The news of a pull that is under way. Dropping them ends it; layers that are complete stay.
pub(in crate::hosts) struct PullNews {
    image: String,
    body: Incoming,
    lines: Lines,
    connection: JoinHandle<()>,
}

impl Drop for PullNews {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl PullNews {
    /// Asks the Engine to pull `image`, which names a tag or a digest.
    pub(super) async fn ask(
        transport: Arc<dyn Transport>,
        version: &str,
        image: &str,
        login: Option<RegistryLogin<'_>>,
    ) -> Result<Self, Cause> {
        let lost = |error: hyper::Error| Cause::Connection { text: chain(&error) };
        let stream = transport.engine().await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
        let connection = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the connection of a pull ended");
            }
        });
        let path = format!("/v{version}/images/create?fromImage={}", encoded(image));
        let mut request = Request::post(path).header(HOST, HeaderValue::from_static("docker"));
        if let Some(header) = login.as_ref().and_then(authorization) {
            request = request.header(REGISTRY_AUTH, header);
        }
        let request = request.body(Empty::<Bytes>::new());
        let request = request.map_err(|error| Cause::Connection { text: error.to_string() })?;
        let (head, body) = sender.send_request(request).await.map_err(lost)?.into_parts();
        if head.status.is_success() {
            let image = image.to_owned();
            return Ok(Self { image, body, lines: Lines::default(), connection });
        }
        let refusal = Limited::new(body, MOST_REFUSAL).collect().await;
        connection.abort();
        let refusal = refusal.map_err(|error| match error.is::<http_body_util::LengthLimitError>() {
            true => too_long(MOST_REFUSAL as u64),
            false => Cause::Connection { text: chain(error.as_ref()) },
        })?;
        Err(registry_cause(&message(&refusal.to_bytes()), image))
    }

    /// What is told next; `None` when the image is there.
    pub(in crate::hosts) async fn next(&mut self) -> Result<Option<CreateImageInfo>, Cause> {
        loop {
            if let Some(line) = self.lines.next()? {
                let news = serde_json::from_slice::<CreateImageInfo>(&line);
                let news = news
                    .map_err(|error| Cause::Connection { text: format!("an odd line of a pull: {error}") })?;
                let failed = news.error_detail.as_ref().and_then(|error| error.message.as_deref());
                return match failed {
                    Some(text) => Err(registry_cause(text, &self.image)),
                    None => Ok(Some(news)),
                };
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Some(bytes) = frame.data_ref() {
                        self.lines.add(bytes)?;
                    }
                }
                Some(Err(error)) => return Err(Cause::Connection { text: chain(&error) }),
                None if self.lines.finish() => {}
                None => return Ok(None),
            }
        }
    }
}

fn too_long(bytes: u64) -> Cause {
    Cause::AnswerTooLong { mebibytes: bytes >> 20 }
}

/// Takes bytes as they come, and gives lines.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
    /// Of `rest`, what has been looked through: no end of a line is there.
    seen: usize,
    total: u64,
}

impl Lines {
    fn add(&mut self, bytes: &[u8]) -> Result<(), Cause> {
        self.total += bytes.len() as u64;
        if self.total > MOST_NEWS {
            return Err(too_long(MOST_NEWS));
        }
        self.rest.extend_from_slice(bytes);
        Ok(())
    }

    /// The next line that is whole and has something in it.
    fn next(&mut self) -> Result<Option<Vec<u8>>, Cause> {
        loop {
            let unseen = self.rest.get(self.seen..).unwrap_or_default();
            let Some(end) = unseen.iter().position(|byte| *byte == b'\n') else {
                self.seen = self.rest.len();
                return if self.seen > MOST_LINE { Err(too_long(MOST_LINE as u64)) } else { Ok(None) };
            };
            let line: Vec<u8> = self.rest.drain(..=self.seen + end).collect();
            self.seen = 0;
            if line.len() > MOST_LINE {
                return Err(too_long(MOST_LINE as u64));
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    /// The last line may lack its end. `false` where nothing is left.
    fn finish(&mut self) -> bool {
        let left = !self.rest.is_empty();
        if left {
            self.rest.push(b'\n');
        }
        left
    }
}

/// A value in a query.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// The Engine reads credentials in the alphabet with `-` and `_`.
fn authorization(login: &RegistryLogin<'_>) -> Option<HeaderValue> {
    let login = serde_json::json!({
        "username": login.username,
        "password": login.password,
        "serveraddress": login.registry,
    });
    let mut header = HeaderValue::from_str(&URL_SAFE.encode(login.to_string())).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// What a refusal says.
fn message(body: &[u8]) -> String {
    let json = serde_json::from_slice::<serde_json::Value>(body).ok();
    let said = json.as_ref().and_then(|json| json.get("message")).and_then(serde_json::Value::as_str);
    said.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pieces: &[&[u8]]) -> Result<Vec<String>, Cause> {
        let (mut lines, mut found) = (Lines::default(), Vec::new());
        let mut take = |lines: &mut Lines| -> Result<(), Cause> {
            while let Some(line) = lines.next()? {
                found.push(String::from_utf8_lossy(&line).trim().to_owned());
            }
            Ok(())
        };
        for piece in pieces {
            lines.add(piece)?;
            take(&mut lines)?;
        }
        if lines.finish() {
            take(&mut lines)?;
        }
        Ok(found)
    }

    #[test]
    fn lines_come_however_they_are_cut() {
        let table: [(&[&[u8]], &[&str]); 5] = [
            (&[b"a\r\nb\r\n"], &["a", "b"]),
            (&[b"a", b"b", b"\nc", b"\n"], &["ab", "c"]),
            (&[b"a\n\n\r\n", b"", b"b"], &["a", "b"]),
            (&[b"", b"\n"], &[]),
            (&[], &[]),
        ];
        for (pieces, lines) in table {
            assert_eq!(all(pieces).unwrap(), lines, "{pieces:?}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_given_up() {
        let piece = vec![b'x'; 64 << 10];
        let error = all(&vec![piece.as_slice(); 17]).unwrap_err();
        assert_eq!(error, Cause::AnswerTooLong { mebibytes: 1 });
        let whole = [vec![b'x'; MOST_LINE], b"\n".to_vec()].concat();
        assert!(all(&[&whole]).is_err());
        let many = vec![b"a\n".as_slice(); 3];
        assert!(all(&many).is_ok());
        let mut lines = Lines { total: MOST_NEWS, ..Lines::default() };
        assert_eq!(lines.add(b"a"), Err(Cause::AnswerTooLong { mebibytes: 256 }));
    }

    #[test]
    fn an_image_and_a_login_are_spelt_as_the_engine_reads_them() {
        assert_eq!(
            encoded("host:5000/a-b_c.d@sha256:1&tag=x"),
            "host%3A5000%2Fa-b_c.d%40sha256%3A1%26tag%3Dx"
        );
        let login = RegistryLogin { registry: "nvcr.io", username: "u", password: "??>>~~" };
        let header = authorization(&login).unwrap();
        assert!(header.is_sensitive());
        let text = header.to_str().unwrap();
        assert!(!text.contains(['+', '/']), "{text}");
        let login: serde_json::Value = serde_json::from_slice(&URL_SAFE.decode(text).unwrap()).unwrap();
        assert_eq!(login["password"], "??>>~~");
        assert_eq!(login["serveraddress"], "nvcr.io");
    }

    #[test]
    fn a_refusal_says_why() {
        assert_eq!(message(br#"{"message":"no such thing"}"#), "no such thing");
        assert_eq!(message(b"plain words"), "plain words");
    }
}
