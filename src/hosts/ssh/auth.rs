//! Logging in: once, with what is configured, in one order.
//!
//! The order is certificate, key, agent, password, keyboard-interactive (which asks for the password too): what is
//! strongest first. Each is offered at most once, and one that the server has said not to accept is not offered at all.
//! A refusal is final for the process. Servers count failures per address and lock out who keeps failing, and a wrong key
//! does not become right. A server that hangs up instead of answering has refused too. What is to be offered is made ready
//! before anybody is called: servers also count those who call and then say nothing.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode as _;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{Algorithm, Certificate, HashAlg, PrivateKey, PrivateKeyWithHashAlg, decode_secret_key};
use russh::{AgentAuthError, MethodKind, MethodSet};
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;
use zeroize::Zeroizing;

use super::host_key::{HandshakeError, HostKeyCheck};
use super::known_hosts::fingerprint;
use super::questions::{Question, password_question};
use super::settings::{KeySource, Login, Peer, ProcessEnvironment};
use crate::hosts::error::ssh::SshError;

/// A server gives up on who fails six times; an agent may hold more keys than that.
const MOST_AGENT_KEYS: usize = 5;
/// Rounds of questions that are answered; a server that asks for ever is not trusted to stop.
const MOST_QUESTIONS: usize = 4;
/// Characters of a question that an error shows.
const MOST_SHOWN: usize = 80;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offer {
    Certificate,
    Key,
    Agent,
    Password,
    Questions,
}

impl Offer {
    /// What the server calls it.
    fn method(self) -> MethodKind {
        match self {
            Self::Certificate | Self::Key | Self::Agent => MethodKind::PublicKey,
            Self::Password => MethodKind::Password,
            Self::Questions => MethodKind::KeyboardInteractive,
        }
    }
}

/// What is offered, in this order.
fn offers(login: &Login) -> Vec<Offer> {
    let has_key = login.key.is_some();
    [
        (Offer::Certificate, has_key && login.certificate.is_some()),
        (Offer::Key, has_key && login.certificate.is_none()),
        (Offer::Agent, login.agent),
        (Offer::Password, login.password.is_some()),
        (Offer::Questions, login.password.is_some()),
    ]
    .into_iter()
    .filter_map(|(offer, configured)| configured.then_some(offer))
    .collect()
}

/// A login that can be tried: keys and certificates are read and found usable.
pub(super) struct PreparedLogin {
    offers: Vec<Offer>,
    key: Option<Arc<PrivateKey>>,
    certificate: Option<Certificate>,
    agent: Option<PathBuf>,
}

/// Makes ready what will be offered. No server is needed to know that a key cannot be read.
pub(super) async fn prepare(
    peer: &Peer,
    environment: &ProcessEnvironment,
) -> Result<PreparedLogin, SshError> {
    let offers = offers(&peer.login);
    if offers.is_empty() {
        return Err(SshError::NothingToOffer { at: peer.to_string() });
    }
    let key = load_key(&peer.login).await?.map(Arc::new);
    let certificate = match (&key, &peer.login.certificate) {
        (Some(key), Some(text)) => Some(certificate_of(key, text, peer)?),
        _ => None,
    };
    let agent = environment.agent_socket.clone();
    if peer.login.agent && agent.is_none() {
        return Err(SshError::Agent { text: "SSH_AUTH_SOCK is not set".to_owned() });
    }
    Ok(PreparedLogin { offers, key, certificate, agent })
}

fn certificate_of(key: &PrivateKey, text: &str, peer: &Peer) -> Result<Certificate, SshError> {
    let unusable = |text: String| SshError::Key { what: format!("the certificate for {peer}"), text };
    let certificate = Certificate::from_openssh(text.trim()).map_err(|error| unusable(error.to_string()))?;
    if certificate.public_key() != key.public_key().key_data() {
        return Err(unusable("it belongs to another key".to_owned()));
    }
    Ok(certificate)
}

/// Logs in, or says what was offered and what would have been accepted.
pub(super) async fn log_in(
    handle: &mut Handle<HostKeyCheck>,
    peer: &Peer,
    prepared: PreparedLogin,
) -> Result<(), SshError> {
    let PreparedLogin { offers, key, certificate, agent } = prepared;
    let mut attempt = Attempt { handle, peer, offered: Vec::new(), accepted: None };
    for offer in offers {
        if !attempt.accepts(offer.method()) {
            continue;
        }
        let entered = match (offer, &key, &certificate, &agent) {
            (Offer::Certificate, Some(key), Some(certificate), _) => {
                attempt.certificate(key, certificate.clone()).await?
            }
            (Offer::Key, Some(key), ..) => attempt.key(key).await?,
            (Offer::Agent, .., Some(socket)) => attempt.agent(socket).await?,
            (Offer::Password, ..) => attempt.password().await?,
            (Offer::Questions, ..) => attempt.questions().await?,
            (Offer::Certificate | Offer::Key | Offer::Agent, ..) => false,
        };
        if entered {
            return Ok(());
        }
    }
    Err(attempt.refused())
}

struct Attempt<'a> {
    handle: &'a mut Handle<HostKeyCheck>,
    peer: &'a Peer,
    /// In words, for the error.
    offered: Vec<String>,
    /// What the server still accepts; `None` before its first answer.
    accepted: Option<MethodSet>,
}

impl Attempt<'_> {
    fn accepts(&self, method: MethodKind) -> bool {
        self.accepted.as_ref().is_none_or(|methods| methods.contains(&method))
    }

    fn refused(self) -> SshError {
        let accepted = self.accepted.unwrap_or_else(MethodSet::empty);
        let accepted = accepted.iter().filter(|method| **method != MethodKind::None);
        SshError::LoginRefused {
            at: self.peer.to_string(),
            user: self.peer.user.clone(),
            offered: self.offered,
            accepted: accepted.map(|method| <&str>::from(method).to_owned()).collect(),
        }
    }

    fn heard(&mut self, answer: Result<AuthResult, russh::Error>) -> Result<bool, SshError> {
        match answer.map_err(|error| HandshakeError::from(error).into_ssh_error(self.peer))? {
            AuthResult::Success => Ok(true),
            AuthResult::Failure { remaining_methods, .. } => {
                self.accepted = Some(remaining_methods);
                Ok(false)
            }
        }
    }

    /// RSA keys sign with SHA-2, never with SHA-1; for others there is nothing to choose.
    async fn hash_for(&self, algorithm: &Algorithm) -> Option<HashAlg> {
        let Algorithm::Rsa { .. } = algorithm else { return None };
        let best = self.handle.best_supported_rsa_hash().await;
        Some(best.ok().flatten().flatten().unwrap_or(HashAlg::Sha512))
    }

    async fn key(&mut self, key: &Arc<PrivateKey>) -> Result<bool, SshError> {
        self.offered.push(described("key", key.public_key().key_data()));
        let hash = self.hash_for(&key.algorithm()).await;
        let key = PrivateKeyWithHashAlg::new(Arc::clone(key), hash);
        let answer = self.handle.authenticate_publickey(self.peer.user.as_str(), key).await;
        self.heard(answer)
    }

    async fn certificate(
        &mut self,
        key: &Arc<PrivateKey>,
        certificate: Certificate,
    ) -> Result<bool, SshError> {
        let unusable =
            |text: String| SshError::Key { what: format!("the certificate for {}", self.peer), text };
        self.offered.push(described("certificate of key", certificate.public_key()));
        let user = self.peer.user.as_str();
        let hash = self.hash_for(&key.algorithm()).await;
        let mut signer = KeySigner(Arc::clone(key));
        let answer = self.handle.authenticate_certificate_with(user, certificate, hash, &mut signer).await;
        self.heard(Ok(answer.map_err(|error| unusable(error.to_string()))?))
    }

    async fn agent(&mut self, socket: &Path) -> Result<bool, SshError> {
        let failed = |text: &dyn std::fmt::Display| SshError::Agent { text: text.to_string() };
        let mut agent: AgentClient<UnixStream> =
            AgentClient::connect_uds(socket).await.map_err(|error| failed(&error))?;
        // Older agents do not know what this is, and their keys have no use for it.
        if let Some(binding) = self.handle.agent_session_binding()
            && let Err(error) = agent.bind_session(binding, false).await
        {
            tracing::debug!(%error, "the SSH agent does not bind the session");
        }
        let identities = agent.request_identities().await.map_err(|error| failed(&error))?;
        if identities.is_empty() {
            return Err(failed(&"it holds no keys"));
        }
        for identity in identities.into_iter().take(MOST_AGENT_KEYS) {
            if !self.accepts(MethodKind::PublicKey) {
                break;
            }
            let public = identity.public_key().into_owned();
            self.offered.push(described("the agent's key", public.key_data()));
            let hash = self.hash_for(&public.algorithm()).await;
            let user = self.peer.user.as_str();
            let answer = match identity {
                AgentIdentity::PublicKey { key, .. } => {
                    self.handle.authenticate_publickey_with(user, key, hash, &mut agent).await
                }
                AgentIdentity::Certificate { certificate, .. } => {
                    self.handle.authenticate_certificate_with(user, certificate, hash, &mut agent).await
                }
            };
            if self.heard(Ok(answer.map_err(|error| failed(&error))?))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A copy that the SSH library takes over.
    fn secret(&self) -> String {
        self.peer.login.password.as_ref().map_or_else(String::new, |password| password.reveal().to_owned())
    }

    async fn password(&mut self) -> Result<bool, SshError> {
        self.offered.push("password".to_owned());
        let password = self.secret();
        let answer = self.handle.authenticate_password(self.peer.user.as_str(), password).await;
        self.heard(answer)
    }

    /// Answers the one question that is for the password, once.
    async fn questions(&mut self) -> Result<bool, SshError> {
        use KeyboardInteractiveAuthResponse as Response;
        self.offered.push("keyboard-interactive".to_owned());
        let failed = |error: russh::Error, peer: &Peer| HandshakeError::from(error).into_ssh_error(peer);
        let user = self.peer.user.as_str();
        let mut response = self
            .handle
            .authenticate_keyboard_interactive_start(user, None::<String>)
            .await
            .map_err(|error| failed(error, self.peer))?;
        let mut answered = false;
        for _ in 0..MOST_QUESTIONS {
            let prompts = match response {
                Response::Success => return Ok(true),
                Response::Failure { remaining_methods, .. } => {
                    self.accepted = Some(remaining_methods);
                    return Ok(false);
                }
                Response::InfoRequest { prompts, .. } => prompts,
            };
            let asked: Vec<Question<'_>> =
                prompts.iter().map(|it| Question { text: &it.prompt, echo: it.echo }).collect();
            let about = password_question(&asked, user, &self.peer.names).filter(|_| !answered);
            // Nothing else that is hidden can be answered: it is a code, or for somebody else.
            if let (None, Some(other)) = (about, asked.iter().find(|it| !it.echo)) {
                let shown: String = other.text.trim().chars().take(MOST_SHOWN).collect();
                self.offered.push(format!("no answer to {shown:?}"));
                return Ok(false);
            }
            answered |= about.is_some();
            let answers: Vec<String> = (0..asked.len())
                .map(|index| if about == Some(index) { self.secret() } else { String::new() })
                .collect();
            response = self
                .handle
                .authenticate_keyboard_interactive_respond(answers)
                .await
                .map_err(|error| failed(error, self.peer))?;
        }
        Ok(false)
    }
}

/// Signs for a certificate. (The library's own way would sign with SHA-1 for RSA.)
struct KeySigner(Arc<PrivateKey>);

impl russh::Signer for KeySigner {
    type Error = AgentAuthError;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        mut data: Vec<u8>,
    ) -> Result<Vec<u8>, AgentAuthError> {
        let failed = |error: russh::keys::ssh_encoding::Error| AgentAuthError::Key(error.into());
        let signature = match self.0.key_data() {
            KeypairData::Rsa(pair) => (pair, hash).try_sign(&data),
            other => other.try_sign(&data),
        };
        let signature = signature.map_err(|_| AgentAuthError::Key(russh::keys::Error::InvalidSignature))?;
        let mut blob = Vec::new();
        signature.encode(&mut blob).map_err(failed)?;
        blob.as_slice().encode(&mut data).map_err(failed)?;
        Ok(data)
    }
}

fn described(what: &str, key: &russh::keys::ssh_key::public::KeyData) -> String {
    format!("{what} {} {}", key.algorithm(), fingerprint(key))
}

async fn load_key(login: &Login) -> Result<Option<PrivateKey>, SshError> {
    let (what, text) = match &login.key {
        None => return Ok(None),
        Some(KeySource::Text(text)) => ("private_key".to_owned(), Zeroizing::new(text.reveal().to_owned())),
        Some(KeySource::File(path)) => (format!("the private key {}", path.display()), read_key(path).await?),
    };
    let passphrase = login.passphrase.as_ref().map(|it| it.reveal());
    decode_key(&text, passphrase).map(Some).map_err(|text| SshError::Key { what, text })
}

/// The text of a key's file. As ssh, this takes none that is the user's own and that others may read: it is no secret any
/// more. One of somebody else was put there by who is trusted to do so.
async fn read_key(path: &Path) -> Result<Zeroizing<String>, SshError> {
    let unread = |error: std::io::Error| SshError::Key {
        what: format!("the private key {}", path.display()),
        text: error.to_string(),
    };
    let mut file = tokio::fs::File::open(path).await.map_err(unread)?;
    let about = file.metadata().await.map_err(unread)?;
    let mode = about.mode() & 0o7777;
    if about.uid() == rustix::process::geteuid().as_raw() && mode & 0o077 != 0 {
        return Err(SshError::KeyIsOpen { path: path.display().to_string(), mode });
    }
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text).await.map_err(unread)?;
    Ok(text)
}

/// A variable that went through a form often has `\n` in two characters where lines should end.
fn decode_key(text: &str, passphrase: Option<&str>) -> Result<PrivateKey, String> {
    let text = Zeroizing::new(text.replace("\\n", "\n"));
    let encrypted = |key: &PrivateKey| key.is_encrypted();
    let in_a_device =
        |key: &PrivateKey| matches!(key.algorithm(), Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256);
    match (decode_secret_key(text.trim(), passphrase), passphrase) {
        (Ok(key), _) if in_a_device(&key) => Err(format!(
            "it is of type {}, whose secret never leaves its security key; have ssh-agent ask that (agent = true), or use \
             another key",
            key.algorithm()
        )),
        (Ok(key), None) if encrypted(&key) => {
            Err("it is encrypted, and there is no private_key_passphrase".to_owned())
        }
        (Ok(key), _) => Ok(key),
        (Err(russh::keys::Error::KeyIsEncrypted), None) => {
            Err("it is encrypted, and there is no private_key_passphrase".to_owned())
        }
        (Err(error), Some(_)) => Err(format!("{error}; is private_key_passphrase right?")),
        (Err(error), None) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::Secret;
    use russh::keys::ssh_key::LineEnding;

    #[test]
    fn the_strongest_is_offered_first_and_nothing_twice() {
        let key = || Some(KeySource::Text(Secret::new("k")));
        let password = || Some(Secret::new("p"));
        let table = [
            (Login::default(), vec![]),
            (Login { key: key(), ..Login::default() }, vec![Offer::Key]),
            (
                Login { key: key(), certificate: Some("c".into()), ..Login::default() },
                vec![Offer::Certificate],
            ),
            (
                Login { key: key(), password: password(), ..Login::default() },
                vec![Offer::Key, Offer::Password, Offer::Questions],
            ),
            (
                Login { agent: true, password: password(), ..Login::default() },
                vec![Offer::Agent, Offer::Password, Offer::Questions],
            ),
        ];
        for (login, expected) in table {
            assert_eq!(offers(&login), expected, "{login:?}");
        }
    }

    #[test]
    fn keys_are_read_with_and_without_passphrase() {
        let mut rng = russh::keys::ssh_key::rand_core::UnwrapErr(getrandom::SysRng);
        let key = PrivateKey::random(&mut rng, Algorithm::Ed25519).unwrap();
        let plain = key.to_openssh(LineEnding::LF).unwrap();
        assert!(decode_key(&plain, None).is_ok());
        assert!(decode_key(&plain.replace('\n', "\\n"), None).is_ok(), "out of a form");
        let locked = key.encrypt(&mut rng, "canary").unwrap().to_openssh(LineEnding::LF).unwrap();
        assert_eq!(decode_key(&locked, Some("canary")).unwrap().public_key(), key.public_key());
        assert!(decode_key(&locked, None).unwrap_err().contains("no private_key_passphrase"));
        let wrong = decode_key(&locked, Some("wrong")).unwrap_err();
        assert!(wrong.contains("passphrase right") && !wrong.contains("wrong"), "{wrong}");
        assert!(decode_key("nonsense", None).is_err());
        let crlf = plain.replace('\n', "\r\n");
        assert!(decode_key(&crlf, None).is_ok(), "out of an editor of Windows");
    }

    /// What is in the file cannot sign; the server would take the key, and the login would fail all the same.
    #[test]
    fn a_key_in_a_device_says_so() {
        let text = include_str!("tests/testdata/security-key");
        let why = decode_key(text, None).unwrap_err();
        assert!(why.contains("sk-ssh-ed25519") && why.contains("agent = true"), "{why}");
    }
}
