//! The Docker client over any stream.
//!
//! Every request gets a stream of its own: on a unix socket that costs nothing, and no idle connection can go stale
//! under us when the daemon restarts. The client library leaves two things to be put right on the way out: it sends
//! requests without an API version (so that an Engine newer than this program could answer in words we don't know),
//! and it spells registry credentials in the other base64 alphabet, which the Engine silently takes for "anonymous".

use std::io;
use std::sync::Arc;

use bollard::{BollardRequest, Docker};
use hyper::body::Incoming;
use hyper::header::{HOST, HeaderName, HeaderValue};
use hyper::{Response, Uri};
use hyper_util::rt::TokioIo;

use crate::hosts::error::Cause;
use crate::hosts::transport::Transport;

const REGISTRY_AUTH: HeaderName = HeaderName::from_static("x-registry-auth");

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
    if let Some(value) = request.headers().get(REGISTRY_AUTH).and_then(url_safe) {
        request.headers_mut().insert(REGISTRY_AUTH, value);
    }
    let stream = transport.engine().await.map_err(io::Error::other)?;
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

/// The Engine reads credentials in the alphabet with `-` and `_`.
fn url_safe(value: &HeaderValue) -> Option<HeaderValue> {
    let text = value.to_str().ok()?.replace('+', "-").replace('/', "_");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Why a call failed before the Engine said anything: the own cause of the transport where there is one.
pub(super) fn connection_cause(error: &bollard::errors::Error) -> Cause {
    if let bollard::errors::Error::IOError { err } = error
        && let Some(cause) = err.get_ref().and_then(|inner| inner.downcast_ref::<Cause>())
    {
        return cause.clone();
    }
    Cause::Connection { text: chain(error) }
}

/// An error and its sources in one line: the outermost text alone often says only "client error".
fn chain(error: &dyn std::error::Error) -> String {
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
    fn credentials_are_spelled_as_the_engine_reads_them() {
        let value = url_safe(&HeaderValue::from_static("ab+/c=")).unwrap();
        assert_eq!(value, "ab-_c=");
        assert!(value.is_sensitive());
    }

    #[test]
    fn the_cause_of_the_transport_survives_the_client() {
        let cause = Cause::SocketMissing { path: "/x".into() };
        let error = bollard::errors::Error::from(io::Error::other(cause.clone()));
        assert_eq!(connection_cause(&error), cause);
    }
}
