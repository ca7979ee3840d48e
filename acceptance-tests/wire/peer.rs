//! What is at the other end of the provider's socket: Terraform, or somebody who should not be there.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::codegen::http::Uri;
use tonic::transport::{Channel, Endpoint};

/// A self-signed certificate such as Terraform makes for each start: P-521, its own authority.
#[derive(Clone)]
pub struct Identity {
    certificate: CertificateDer<'static>,
    pem: String,
    key: Vec<u8>,
}

impl Identity {
    pub fn new() -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
        let mut wanted = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        wanted.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        wanted.distinguished_name.push(rcgen::DnType::CommonName, "localhost");
        wanted.distinguished_name.push(rcgen::DnType::OrganizationName, "HashiCorp");
        wanted.extended_key_usages =
            vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth, rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = wanted.self_signed(&key).unwrap();
        Self { pem: certificate.pem(), certificate: certificate.into(), key: key.serialize_der() }
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The certificate of one with the key of another: what somebody has who read `PLUGIN_CLIENT_CERT`.
    pub fn with_key_of(&self, other: &Self) -> Self {
        Self { key: other.key.clone(), ..self.clone() }
    }
}

/// A way to connect.
#[derive(Clone)]
pub struct Peer {
    socket: PathBuf,
    tls: Option<Arc<ClientConfig>>,
}

impl Peer {
    pub fn plain(socket: &Path) -> Self {
        Self { socket: socket.to_owned(), tls: None }
    }

    /// Trusts only `server` (DER) under the name localhost, like Terraform, and presents `client`.
    pub fn encrypted(socket: &Path, server: Vec<u8>, client: Option<Identity>) -> Self {
        let mut trusted = RootCertStore::empty();
        trusted.add(server.into()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(trusted);
        let mut config = match client {
            None => builder.with_no_client_auth(),
            Some(client) => {
                // Built by hand, since rustls checks that key and certificate match and one test needs a mismatch.
                let key = PrivateKeyDer::try_from(client.key).unwrap();
                let key = provider.key_provider.load_private_key(key).unwrap();
                let certified = rustls::sign::CertifiedKey::new(vec![client.certificate], key);
                builder.with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)))
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Self { socket: socket.to_owned(), tls: Some(Arc::new(config)) }
    }

    /// A bare connection, for those who do not want to speak gRPC.
    pub async fn raw(&self) -> io::Result<UnixStream> {
        UnixStream::connect(&self.socket).await
    }

    /// A connection after the TLS handshake.
    pub async fn handshake(&self) -> io::Result<TlsStream<UnixStream>> {
        let tls = TlsConnector::from(self.tls.clone().expect("a plain peer"));
        tls.connect(ServerName::try_from("localhost").unwrap(), self.raw().await?).await
    }

    /// A gRPC connection. A server may refuse a certificate only after this has succeeded, at the first call.
    pub async fn channel(&self) -> Result<Channel, tonic::transport::Error> {
        let peer = self.clone();
        let endpoint = Endpoint::from_static("http://localhost");
        if self.tls.is_none() {
            let connect = move |_: Uri| {
                let peer = peer.clone();
                async move { peer.raw().await.map(TokioIo::new) }
            };
            return endpoint.connect_with_connector(tower::service_fn(connect)).await;
        }
        let connect = move |_: Uri| {
            let peer = peer.clone();
            async move { peer.handshake().await.map(TokioIo::new) }
        };
        endpoint.connect_with_connector(tower::service_fn(connect)).await
    }
}
