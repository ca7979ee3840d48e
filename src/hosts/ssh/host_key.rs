//! Whom we talk to: judges the server's key before anything is said, and gives failures of the protocol their meaning.

use std::time::{SystemTime, UNIX_EPOCH};

use russh::client::Handler;
use russh::keys::PublicKeyOrCertificate;

use super::known_hosts::{Shown, Trust, Verdict, fingerprint};
use super::settings::{HostKeys, Peer};
use crate::hosts::error::ssh::Trouble;

/// Our end of a connection, as the SSH library sees it.
pub(super) struct Guard {
    pub trust: Trust,
    pub peer: Peer,
}

/// Why a connection failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// We know, and said so.
    Understood(Trouble),
    Protocol(russh::Error),
}

impl From<russh::Error> for Failure {
    fn from(error: russh::Error) -> Self {
        Self::Protocol(error)
    }
}

impl Failure {
    pub(super) fn trouble(self, peer: &Peer) -> Trouble {
        let at = peer.to_string();
        match self {
            Self::Understood(trouble) => trouble,
            Self::Protocol(
                error @ (russh::Error::NoCommonAlgo { .. }
                | russh::Error::Kex
                | russh::Error::KexInit
                | russh::Error::Version
                | russh::Error::UnknownAlgo
                | russh::Error::WrongServerSig),
            ) => Trouble::Disagreement { at, text: error.to_string() },
            Self::Protocol(error) => Trouble::Cut { at, text: error.to_string() },
        }
    }
}

impl Guard {
    fn judge(&self, shown: Shown<'_>) -> Result<(), Trouble> {
        let at = self.peer.to_string();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let key = shown.key();
        let fingerprint = fingerprint(key);
        match self.trust.judge(&self.peer.address, self.peer.port, shown, now) {
            Verdict::Trusted => Ok(()),
            Verdict::Unknown => Err(Trouble::HostKeyUnknown {
                at,
                algorithm: key.algorithm().to_string(),
                fingerprint,
                looked: looked(&self.peer.host_keys),
            }),
            Verdict::Mismatch(expected) => {
                Err(Trouble::HostKeyMismatch { at, offered: fingerprint, expected })
            }
            Verdict::Revoked => Err(Trouble::HostKeyRevoked { at, fingerprint }),
            Verdict::BadCertificate(text) => Err(Trouble::HostCertificate { at, text }),
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
        HostKeys::UserFile | HostKeys::Anything => "known_hosts".to_owned(),
    }
}

impl Handler for Guard {
    type Error = Failure;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Failure> {
        let judged = match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => self.judge(Shown::Key(key.key_data())),
            PublicKeyOrCertificate::Certificate(certificate) => self.judge(Shown::Certificate(certificate)),
        };
        judged.map(|()| true).map_err(Failure::Understood)
    }
}
