//! Whom we talk to: judges the server's key before anything is said, and gives failures of the protocol their meaning.

use std::time::{SystemTime, UNIX_EPOCH};

use russh::client::Handler;
use russh::keys::PublicKeyOrCertificate;

use super::known_hosts::{KnownHosts, OfferedKey, RevokedKeys, Verdict, fingerprint};
use super::settings::{HostKeys, Peer};
use crate::hosts::error::ssh::SshError;

/// The check of a server's host key: our end of a connection, as the SSH library sees it.
pub(super) struct HostKeyCheck {
    pub known_hosts: KnownHosts,
    pub revoked: RevokedKeys,
    pub peer: Peer,
}

/// The reason why a connection failed before it could be used.
#[derive(Debug)]
pub(super) enum HandshakeError {
    /// We know, and said so.
    Understood(SshError),
    Protocol(russh::Error),
}

impl From<russh::Error> for HandshakeError {
    fn from(error: russh::Error) -> Self {
        Self::Protocol(error)
    }
}

impl HandshakeError {
    pub(super) fn into_ssh_error(self, peer: &Peer) -> SshError {
        let at = peer.to_string();
        match self {
            Self::Understood(error) => error,
            Self::Protocol(
                error @ (russh::Error::NoCommonAlgo { .. }
                | russh::Error::Kex
                | russh::Error::KexInit
                | russh::Error::Version
                | russh::Error::UnknownAlgo
                | russh::Error::WrongServerSig),
            ) => SshError::Disagreement { at, text: error.to_string() },
            Self::Protocol(error) => SshError::Cut { at, text: error.to_string() },
        }
    }
}

impl HostKeyCheck {
    fn judge(&self, shown: OfferedKey<'_>) -> Result<(), SshError> {
        let at = self.peer.to_string();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let key = shown.key();
        let fingerprint = fingerprint(key);
        if self.revoked.include(shown) {
            return Err(SshError::HostKeyRevoked { at, fingerprint });
        }
        let (name, port) = self.peer.known_as();
        match self.known_hosts.judge(name, port, shown, now) {
            Verdict::Trusted => Ok(()),
            Verdict::Unknown => Err(SshError::HostKeyUnknown {
                at,
                algorithm: key.algorithm().to_string(),
                fingerprint,
                looked: looked(&self.peer.host_keys),
            }),
            Verdict::Mismatch(expected) => {
                Err(SshError::HostKeyMismatch { at, offered: fingerprint, expected })
            }
            Verdict::Revoked => Err(SshError::HostKeyRevoked { at, fingerprint }),
            Verdict::BadCertificate(text) => Err(SshError::HostCertificate { at, text }),
        }
    }
}

/// Where the key was looked for.
fn looked(host_keys: &HostKeys) -> String {
    match host_keys {
        HostKeys::Files(paths) => {
            paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
        }
        HostKeys::Pinned(_) => "host_key".to_owned(),
        HostKeys::UserFile | HostKeys::AnyKey => "known_hosts".to_owned(),
    }
}

/// Refuses a server that proved its RSA key by SHA-1. Nothing but SHA-2 is agreed on, yet the SSH library takes either.
pub(super) fn check_signature(signature: Option<&[u8]>, peer: &Peer) -> Result<(), SshError> {
    let text = match signature.map(algorithm_of) {
        Some(Some(b"ssh-rsa")) => "it signs with SHA-1, and SHA-2 was agreed on",
        Some(Some(_)) => return Ok(()),
        Some(None) | None => "it proved nothing by its host key",
    };
    Err(SshError::Disagreement { at: peer.to_string(), text: text.to_owned() })
}

/// The algorithm that a signature names first: four bytes of length, and a name.
fn algorithm_of(signature: &[u8]) -> Option<&[u8]> {
    let (length, rest) = signature.split_first_chunk::<4>()?;
    rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

impl Handler for HostKeyCheck {
    type Error = HandshakeError;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, HandshakeError> {
        let judged = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => self.judge(OfferedKey::Key(key.key_data())),
            PublicKeyOrCertificate::Certificate(certificate) => {
                self.judge(OfferedKey::Certificate(certificate))
            }
        };
        judged.map(|()| true).map_err(HandshakeError::Understood)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::ssh::settings::{Login, resolve};
    use crate::hosts::ssh::{ProcessEnvironment, Settings, SshServer, config_file::ConfigFile};

    #[test]
    fn a_host_key_proves_itself_by_sha_2() {
        let target = SshServer {
            address: "gpu-a".into(),
            user: Some("ops".into()),
            login: Login::default(),
            ..SshServer::default()
        };
        let settings = Settings { target, ..Settings::default() };
        let peers = resolve(&settings, &ProcessEnvironment::default(), &ConfigFile::default()).unwrap();
        let signature = |name: &[u8]| {
            let length = u32::try_from(name.len()).unwrap().to_be_bytes();
            [length.as_slice(), name, b"\0\0\0\x01s"].concat()
        };
        for name in ["rsa-sha2-256", "rsa-sha2-512", "ssh-ed25519", "ecdsa-sha2-nistp256"] {
            assert_eq!(check_signature(Some(&signature(name.as_bytes())), &peers[0]), Ok(()), "{name}");
        }
        for (signature, word) in [
            (Some(signature(b"ssh-rsa")), "SHA-1"),
            (Some(b"\0\0\0\x07ssh".to_vec()), "nothing"),
            (Some(Vec::new()), "nothing"),
            (None, "nothing"),
        ] {
            let error = check_signature(signature.as_deref(), &peers[0]).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains("gpu-a:22"), "{error}");
        }
    }
}
