//! Asking a container or a service over HTTP whether it is ready, by whatever way the host is reached.

use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::HOST;
use hyper::http::request::Builder;
use hyper::http::response::Parts;
use hyper_util::rt::TokioIo;

use super::host::{Host, WALK};
use crate::hosts::error::{Cause, HostError};
use crate::hosts::transport::Stream;

/// Longest answer that is read, in bytes.
const MOST_BYTES: usize = 1 << 20;

impl Host {
    /// `GET http://address:port/path` as seen from the host: status and body, or why there was no answer within
    /// `deadline`.
    pub async fn http_get(
        &self,
        address: &str,
        port: u16,
        path: &str,
        deadline: Duration,
    ) -> Result<(u16, String), HostError> {
        let answer = tokio::time::timeout(deadline, self.get(address, port, path)).await;
        let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {} s", deadline.as_secs_f32())));
        answer.map_err(|text| {
            self.error(&format!("ask http://{}{path}", authority(address, port)), Cause::NoAnswer { text })
        })
    }

    /// As [`Host::http_get`], shared by a walk.
    pub async fn http_get_lately(
        &self,
        address: &str,
        port: u16,
        path: &str,
        deadline: Duration,
    ) -> Result<(u16, String), HostError> {
        let answer = self.0.http_answers.of(&format!("{}{path}", authority(address, port)));
        answer.share(WALK, self.generation(), || self.http_get(address, port, path, deadline)).await
    }

    async fn get(&self, address: &str, port: u16, path: &str) -> Result<(u16, String), String> {
        let stream = self.0.transport.tcp(address, port).await.map_err(text)?;
        let request = Request::get(path).header(HOST, authority(address, port));
        let (parts, body) = exchange(stream, request).await?;
        Ok((parts.status.as_u16(), body))
    }
}

/// Sends a question without a body over a stream of its own: the answer's head, and its body as text. The error is a
/// clause.
pub(super) async fn exchange(stream: Stream, question: Builder) -> Result<(Parts, String), String> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(text)?;
    let ask = async {
        let request = question.body(Empty::<Bytes>::new()).map_err(text)?;
        let (parts, body) = sender.send_request(request).await.map_err(text)?.into_parts();
        let body = Limited::new(body, MOST_BYTES).collect().await.map_err(text)?;
        Ok((parts, String::from_utf8_lossy(&body.to_bytes()).into_owned()))
    };
    // The connection is driven here and not in a task of its own: it ends with the question.
    tokio::pin!(ask);
    tokio::select! {
        answer = &mut ask => answer,
        _ = connection => ask.await,
    }
}

fn authority(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::transport::local::LocalTransport;
    use std::collections::BTreeMap;
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    fn host() -> Host {
        Host::new("local", Arc::new(LocalTransport::default()), BTreeMap::new())
    }

    /// A server that answers one request with `answer`; `None` = it never does.
    async fn server(answer: Option<&'static str>) -> (u16, tokio::task::JoinHandle<String>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            match answer {
                Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                None => std::future::pending().await,
            }
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (port, served)
    }

    #[tokio::test]
    async fn status_and_body_come_back() {
        let (port, served) = server(Some("HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nwait")).await;
        let answer = host().http_get("127.0.0.1", port, "/health?x=1", Duration::from_secs(30)).await;
        assert_eq!(answer.unwrap(), (503, "wait".to_owned()));
        let request = served.await.unwrap();
        assert!(request.starts_with("GET /health?x=1 HTTP/1.1\r\n"), "{request}");
        assert!(request.contains(&format!("host: 127.0.0.1:{port}")), "{request}");
    }

    #[tokio::test]
    async fn silence_is_an_error_with_the_address() {
        let (port, served) = server(None).await;
        let error = host().http_get("127.0.0.1", port, "/", Duration::from_millis(50)).await.unwrap_err();
        assert!(error.to_string().contains(&format!("http://127.0.0.1:{port}/")), "{error}");
        served.abort();
    }
}
