//! One question over HTTP or HTTPS, through the host's network.

use std::sync::{Arc, OnceLock};

use hyper::header::{ACCEPT, AUTHORIZATION, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Request, StatusCode, Uri};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::hosts::http::exchange;
use crate::hosts::transport::{Stream, Transport};

const AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

pub(super) struct HttpResponse {
    pub status: StatusCode,
    headers: HeaderMap,
    pub body: String,
}

impl HttpResponse {
    pub(super) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// As [`HttpResponse::header`], of a header that may be there several times.
    pub(super) fn headers(&self, name: HeaderName) -> impl Iterator<Item = &str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }
}

/// The error is a clause. Redirections are answers like others.
pub(super) async fn get(
    transport: &dyn Transport,
    url: &Uri,
    authorization: Option<&HeaderValue>,
) -> Result<HttpResponse, String> {
    let (Some(host), Some(authority)) = (url.host(), url.authority()) else {
        return Err(format!("{url} names no machine"));
    };
    let tls = url.scheme_str() == Some("https");
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let stream = transport.tcp(bare, port).await.map_err(|error| format!("{authority}: {error}"))?;
    let stream = if tls { encrypted(stream, bare).await? } else { stream };

    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path)
        .header(HOST, authority.as_str())
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "application/json");
    let request = match authorization {
        Some(value) => request.header(AUTHORIZATION, value),
        None => request,
    };
    let (parts, body) = exchange(stream, request).await.map_err(|text| format!("{authority}: {text}"))?;
    Ok(HttpResponse { status: parts.status, headers: parts.headers, body })
}

async fn encrypted(stream: Stream, host: &str) -> Result<Stream, String> {
    let name = ServerName::try_from(host.to_owned()).map_err(|error| format!("{host}: {error}"))?;
    let connector = TlsConnector::from(settings()?);
    let stream = connector.connect(name, stream).await.map_err(|error| format!("{host}: {error}"))?;
    Ok(Box::new(stream))
}

/// The system's authorities; Mozilla's where the system has none.
fn settings() -> Result<Arc<ClientConfig>, String> {
    static SETTINGS: OnceLock<Result<Arc<ClientConfig>, String>> = OnceLock::new();
    let make = || {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    };
    SETTINGS.get_or_init(make).clone()
}
