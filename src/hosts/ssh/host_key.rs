//! Whom we talk to: judges the server's key before anything is said, and gives failures of the protocol their meaning.

use std::time::{SystemTime, UNIX_EPOCH};

use russh::client::Handler;
use russh::keys::PublicKeyOrCertificate;

use super::known_hosts::{KnownHosts, OfferedKey, Verdict, fingerprint};
use super::settings::{HostKeys, Peer};
use crate::hosts::error::ssh::SshError;

/// The check of a server's host key: our end of a connection, as the SSH library sees it.
pub(super) struct HostKeyCheck {
    pub known_hosts: KnownHosts,
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
        match self.known_hosts.judge(&self.peer.address, self.peer.port, shown, now) {
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
