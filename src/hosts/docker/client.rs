//! The Docker client over any stream.
//!
//! Every request gets a stream of its own: on a unix socket that costs nothing, and no idle connection can go stale
//! under us when the daemon restarts, and what one answer takes can be bounded: the client library reads whatever comes.
//! It also sends requests without an API version, so that an Engine newer than this program could answer in words we
//! don't know; that is put right on the way out.

use std::error::Error;
use std::io;
use std::sync::Arc;

use bollard::{BollardRequest, Docker};
use hyper::body::Incoming;
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::{Response, Uri};
use hyper_util::rt::TokioIo;

use super::bounded::Bounded;
use crate::hosts::error::Cause;
use crate::hosts::transport::Transport;

pub(super) const REGISTRY_AUTH: HeaderName = HeaderName::from_static("x-registry-auth");

/// Longest answer to a question or a change, in bytes: a list of thousands of containers has a few million.
const MOST_ANSWER: u64 = 32 << 20;

/// The client's own limit, in seconds, on the time until an answer begins. Every call has its own, shorter one.
const NO_LIMIT: u64 = 24 * 3600;

/// A client that speaks over streams of `transport`. `version` is the API version to speak, e.g. `1.41`; `None` = whatever
/// the Engine likes best, which is right for asking which versions it has.
pub(super) fn client(transport: Arc<dyn Transport>, version: Option<String>) -> Result<Docker, Cause> {
    let send = move |request: BollardRequest| {
        let (transport, version) = (Arc::clone(&transport), version.clone());
        async move { exchange(transport.as_ref(), version.as_deref(), request).await }
    };
    Docker::connect_with_custom_transport(send, Some("http://docker"), NO_LIMIT, bollard::API_DEFAULT_VERSION)
        .map_err(|error| Cause::Connection { text: error.to_string() })
}

async fn exchange(
    transport: &dyn Transport,
    version: Option<&str>,
    mut request: BollardRequest,
) -> Result<Response<Incoming>, bollard::errors::Error> {
    *request.uri_mut() = versioned(request.uri(), version)?;
    request.headers_mut().insert(HOST, HeaderValue::from_static("docker"));
    let stream = Bounded::new(transport.engine().await.map_err(io::Error::other)?, MOST_ANSWER);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to the Docker Engine ended");
        }
    });
    Ok(sender.send_request(request).await?)
}

/// `/containers/json?all=true` → `/v1.41/containers/json?all=true`.
fn versioned(uri: &Uri, version: Option<&str>) -> Result<Uri, hyper::http::uri::InvalidUri> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    match version {
        Some(version) => format!("/v{version}{path}").parse(),
        None => path.parse(),
    }
}

/// Why a call failed before the Engine said anything, or while it did: our own cause where there is one, however deep the
/// libraries have wrapped it.
pub(super) fn connection_cause(error: &(dyn Error + 'static)) -> Cause {
    own_cause(error).unwrap_or_else(|| Cause::Connection { text: chain(error) })
}

fn own_cause(error: &(dyn Error + 'static)) -> Option<Cause> {
    let mut next = Some(error);
    while let Some(error) = next {
        // The library's error stands for the I/O error that it has, and leaves it out of its sources.
        if let Some(bollard::errors::Error::IOError { err }) = error.downcast_ref() {
            return own_cause(err);
        }
        // What an I/O error carries is not its source, but its source's.
        let carried = error.downcast_ref::<io::Error>().and_then(|io| io.get_ref());
        if let Some(cause) = carried.and_then(|inner| inner.downcast_ref::<Cause>()) {
            return Some(cause.clone());
        }
        if let Some(found) = carried.and_then(|inner| own_cause(inner)) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// An error and its sources in one line: the outermost text alone often says only "client error".
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_carry_the_version_that_was_agreed() {
        let uri: Uri = "http://docker/containers/json?all=true".parse().unwrap();
        assert_eq!(versioned(&uri, Some("1.41")).unwrap(), "/v1.41/containers/json?all=true");
        assert_eq!(versioned(&uri, None).unwrap(), "/containers/json?all=true");
    }

    #[test]
    fn the_cause_of_the_transport_survives_the_client() {
        let cause = Cause::SocketMissing { path: "/x".into() };
        let error = bollard::errors::Error::from(io::Error::other(cause.clone()));
        assert_eq!(connection_cause(&error), cause);
        #[derive(Debug, thiserror::Error)]
        #[error("error reading a body from connection")]
        struct Outer(#[source] io::Error);
        let wrapped = io::Error::other(Outer(io::Error::other(cause.clone())));
        assert_eq!(connection_cause(&Outer(wrapped)), cause);
        let other = Outer(io::ErrorKind::BrokenPipe.into());
        assert!(
            matches!(connection_cause(&other), Cause::Connection { text } if text.contains("broken pipe"))
        );
    }
}
