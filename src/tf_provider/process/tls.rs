//! Mutual TLS with certificates that live as long as the process.
//!
//! Terraform makes a certificate for each start of the provider, hands it over in `PLUGIN_CLIENT_CERT` and trusts only
//! the one that we answer in the handshake line. So there is no chain to verify and no authority to trust: the client is
//! who it says when it presents exactly that certificate and signs with its key. Path building would even be wrong here,
//! because Terraform's certificate is its own authority, which webpki refuses as an end entity.
//!
//! The client must present it. A server that lets clients in without one, as is common where the TLS library lacks P-521,
//! lets any process on the machine drive a provider that holds SSH keys. aws-lc-rs has P-521; ring does not.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use tokio_rustls::TlsAcceptor;

use super::error::StartError;

/// Our end of the encrypted connection.
pub(super) struct Identity {
    pub acceptor: TlsAcceptor,
    /// DER of our certificate, for the handshake line.
    pub certificate: Vec<u8>,
}

/// Makes a fresh key and certificate, and an acceptor that lets in only the holder of the certificate in `client_pem`.
pub(super) fn identity(client_pem: &str) -> Result<Identity, StartError> {
    let client = only_certificate(client_pem)?;
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let certificate = certificate(&key)?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|cause| StartError::Key { cause })?;

    let provider = Arc::new(aws_lc_rs::default_provider());
    let pinned = Arc::new(PinnedClient { certificate: client, provider: provider.clone() });
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(pinned)
        .with_single_cert(vec![certificate.clone()], key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Identity { acceptor: TlsAcceptor::from(Arc::new(config)), certificate: certificate.to_vec() })
}

fn certificate(key: &rcgen::KeyPair) -> Result<CertificateDer<'static>, rcgen::Error> {
    let mut wanted = rcgen::CertificateParams::new(["localhost".to_owned()])?;
    wanted.distinguished_name.push(rcgen::DnType::CommonName, "localhost");
    wanted.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    wanted.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    Ok(wanted.self_signed(key)?.into())
}

fn only_certificate(pem: &str) -> Result<CertificateDer<'static>, StartError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let malformed = |cause: String| StartError::ClientCertificate { cause };
    match found.map_err(|cause| malformed(cause.to_string()))?.as_slice() {
        [one] => Ok(one.clone()),
        several => Err(malformed(format!("found {} certificates instead of one", several.len()))),
    }
}

#[derive(Debug)]
struct PinnedClient {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for PinnedClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        presented: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if presented == &self.certificate {
            return Ok(ClientCertVerified::assertion());
        }
        Err(rustls::CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem() -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&key).unwrap().pem()
    }

    #[test]
    fn exactly_one_client_certificate() {
        let one = pem();
        let cut = one.replace("-----END", "");
        let cases = [(one.clone(), true), (format!("{one}{}", pem()), false), (cut, false)];
        for (text, fine) in cases.into_iter().chain([("nonsense".into(), false), (String::new(), false)]) {
            assert_eq!(identity(&text).is_ok(), fine, "{text}");
        }
    }

    #[test]
    fn p521_signatures_can_be_verified() {
        let verifier = PinnedClient {
            certificate: only_certificate(&pem()).unwrap(),
            provider: Arc::new(aws_lc_rs::default_provider()),
        };
        assert!(verifier.supported_verify_schemes().contains(&SignatureScheme::ECDSA_NISTP521_SHA512));
        assert!(verifier.client_auth_mandatory());
    }
}
