//! One connection per host and process.
//!
//! Whoever needs it first makes it, in a task of its own: those who come meanwhile wait for the same attempt, and one who
//! gives up waiting does not leave a half-made login behind. A connection that was cut is made again, with pauses; one
//! that was refused is not, and everyone hears of the refusal at once. That a host was not reached is heard by everyone who
//! asks in the next seconds.

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use russh::client::{Config, Handle};
use russh::keys::Algorithm;
use russh::{Disconnect, Preferred, cipher};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::auth::PreparedLogin;
use super::config_file::ConfigFile;
use super::host_key::{HandshakeError, HostKeyCheck, check_signature};
use super::known_hosts::{KnownHosts, RevokedKeys};
use super::session_channels::SessionChannels;
use super::settings::{HostKeys, Peer, ProcessEnvironment, Settings};
use super::{auth, settings};
use crate::hosts::error::ssh::SshError;
use crate::hosts::sync::locked::Locked;

/// For a TCP connection.
const DIAL: Duration = Duration::from_secs(8);
/// For agreeing on keys and logging in.
const ENTER: Duration = Duration::from_secs(9);
/// A dead connection is noticed after three of these.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const KEEP_ALIVES_MISSED: usize = 3;

/// Processors have instructions for AES: it is several times as fast as the others, which matters for models.
const CIPHERS: &[cipher::Name] = &[
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];

/// Pauses before trying again. At first only a connection that is dropped at once is tried again: a server with many
/// others at its door does that at random. After a cut the host may be restarting.
const PAUSES_AT_FIRST: &[Duration] = &[Duration::from_millis(400), Duration::from_millis(1200)];
const PAUSES_AFTER_A_CUT: &[Duration] =
    &[Duration::from_millis(200), Duration::from_millis(800), Duration::from_secs(2), Duration::from_secs(4)];
/// For how long everybody hears that a host was not reached: a plan of a hundred workers would wait a hundred times.
const UNREACHED: Duration = Duration::from_secs(10);
/// No new try after this long: a call to the host waits for twenty seconds and should hear the reason.
const RETRY_WINDOW: Duration = Duration::from_secs(9);

/// The connection to a host: there, to be made, or refused.
pub(super) struct Connection(Arc<Inner>);

struct Inner {
    settings: Settings,
    environment: ProcessEnvironment,
    slot: Locked<Slot>,
    /// When the last attempt to reach the host ended without.
    unreached: Locked<Option<Instant>>,
}

#[derive(Default)]
struct Slot {
    attempt: Option<Attempt>,
    closed: bool,
}

type Attempt = Shared<BoxFuture<'static, Result<Arc<Session>, SshError>>>;

/// A connection that is logged in.
pub(super) struct Session {
    /// The server, for errors.
    pub at: String,
    pub handle: Handle<HostKeyCheck>,
    pub channels: SessionChannels,
    /// The servers that were passed on the way, first to last.
    bastions: Vec<Handle<HostKeyCheck>>,
}

impl Connection {
    pub(super) fn new(settings: Settings, environment: ProcessEnvironment) -> Self {
        Self(Arc::new(Inner { settings, environment, slot: Locked::default(), unreached: Locked::default() }))
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The connection, made if there is none.
    pub(super) async fn session(&self) -> Result<Arc<Session>, SshError> {
        self.attempt()?.await
    }

    fn attempt(&self) -> Result<Attempt, SshError> {
        let mut slot = self.0.slot.lock();
        if slot.closed {
            return Err(SshError::Closed);
        }
        let last = slot.attempt.as_ref();
        let after_cut = match last.map(|attempt| (attempt, attempt.peek())) {
            None => false,
            Some((attempt, None)) => return Ok(attempt.clone()),
            Some((attempt, Some(Ok(session)))) if !session.handle.is_closed() => return Ok(attempt.clone()),
            Some((attempt, Some(Err(error)))) if error.is_final() || self.0.was_unreached_lately() => {
                return Ok(attempt.clone());
            }
            Some((_, Some(Ok(_)))) => true,
            Some((_, Some(Err(_)))) => false,
        };
        let inner = Arc::clone(&self.0);
        let made = tokio::spawn(async move {
            let made = inner.establish(after_cut).await;
            inner.note(after_cut, &made);
            made
        });
        let attempt = made.map(|joined| joined.unwrap_or(Err(SshError::Closed))).boxed().shared();
        slot.attempt = Some(attempt.clone());
        Ok(attempt)
    }

    /// Says good-bye. What comes later fails.
    pub(super) async fn close(&self) {
        let attempt = {
            let mut slot = self.0.slot.lock();
            slot.closed = true;
            slot.attempt.take()
        };
        let Some(Ok(session)) = attempt.and_then(Shared::now_or_never) else { return };
        for handle in [&session.handle].into_iter().chain(session.bastions.iter().rev()) {
            // An error says that it has ended already.
            if handle.disconnect(Disconnect::ByApplication, "done", "").await.is_ok() {
                while !handle.is_closed() {
                    sleep(Duration::from_millis(5)).await;
                }
            }
        }
    }
}

impl Inner {
    /// A connection that was cut is tried again by whoever used it, however often.
    fn note(&self, after_cut: bool, made: &Result<Arc<Session>, SshError>) {
        let passing = |error: &SshError| matches!(error, SshError::Cut { .. });
        let unreached = matches!(made, Err(error) if !after_cut && error.is_unreachable() && !passing(error));
        let mut last = self.unreached.lock();
        *last = unreached.then(Instant::now);
    }

    fn was_unreached_lately(&self) -> bool {
        let last = self.unreached.lock();
        last.is_some_and(|at| at.elapsed() < UNREACHED)
    }

    async fn establish(&self, after_cut: bool) -> Result<Arc<Session>, SshError> {
        let peers = self.peers().await?;
        let (begun, mut pauses) = (Instant::now(), pauses(after_cut).iter());
        loop {
            let error = match self.connect(&peers).await {
                Ok(session) => return Ok(Arc::new(session)),
                Err(error) => error,
            };
            match pauses.next().filter(|_| begun.elapsed() < RETRY_WINDOW && passes(&error, after_cut)) {
                Some(pause) => {
                    tracing::debug!(%error, "connecting again");
                    sleep(*pause).await;
                }
                None => return Err(error),
            }
        }
    }

    async fn peers(&self) -> Result<Vec<Peer>, SshError> {
        let file = match self.settings.ssh_config {
            true => config_file(self.environment.home.clone()).await?,
            false => ConfigFile::default(),
        };
        settings::resolve(&self.settings, &self.environment, &file)
    }

    async fn connect(&self, peers: &[Peer]) -> Result<Session, SshError> {
        let mut ready = Vec::new();
        for peer in peers {
            let prepared = auth::prepare(peer, &self.environment).await?;
            ready.push((peer, known_hosts(&peer.host_keys).await?, revoked_keys(peer).await?, prepared));
        }
        let mut passed: Vec<Handle<HostKeyCheck>> = Vec::new();
        for (peer, known_hosts, revoked, prepared) in ready {
            let check = HostKeyCheck { known_hosts, revoked, peer: peer.clone() };
            let handle = match passed.last() {
                None => enter(peer, dial(peer).await?, check, prepared).await?,
                Some(bastion) => enter(peer, through(bastion, peer).await?, check, prepared).await?,
            };
            passed.push(handle);
        }
        let handle = passed.pop().ok_or(SshError::Closed)?;
        let at = peers.last().map(Peer::to_string).unwrap_or_default();
        Ok(Session { at, handle, channels: SessionChannels::default(), bastions: passed })
    }
}

/// Agrees on keys, judges the server, logs in.
async fn enter<S>(
    peer: &Peer,
    stream: S,
    check: HostKeyCheck,
    prepared: PreparedLogin,
) -> Result<Handle<HostKeyCheck>, SshError>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let config = Arc::new(config(&check.known_hosts, peer));
    let entering = async {
        let connected = russh::client::connect_stream(config, stream, check).await;
        let mut handle = connected.map_err(|failure: HandshakeError| failure.into_ssh_error(peer))?;
        check_signature(handle.agent_session_binding().map(|binding| binding.signature()), peer)?;
        auth::log_in(&mut handle, peer, prepared).await?;
        Ok(handle)
    };
    timeout(ENTER, entering).await.unwrap_or_else(|_| Err(timed_out(peer, ENTER)))
}

async fn config_file(home: Option<PathBuf>) -> Result<ConfigFile, SshError> {
    let unread = |what: String| SshError::Configuration { text: format!("ssh_config is true, but {what}") };
    let home = home.ok_or_else(|| unread("HOME is not set, so there is no ~/.ssh/config".to_owned()))?;
    let path = home.join(".ssh/config");
    let shown = path.display().to_string();
    let read = tokio::task::spawn_blocking(move || ConfigFile::read(&path, &home)).await;
    let read = read.unwrap_or_else(|error| Err(io::Error::other(error)));
    read.map_err(|error| unread(format!("{shown} cannot be read ({error})")))
}

fn pauses(after_cut: bool) -> &'static [Duration] {
    if after_cut { PAUSES_AFTER_A_CUT } else { PAUSES_AT_FIRST }
}

/// Whether it may be otherwise in a moment.
fn passes(error: &SshError, after_cut: bool) -> bool {
    matches!(error, SshError::Cut { .. }) || (after_cut && error.is_unreachable())
}

fn timed_out(peer: &Peer, after: Duration) -> SshError {
    SshError::TimedOut { at: peer.to_string(), seconds: after.as_secs() }
}

async fn dial(peer: &Peer) -> Result<TcpStream, SshError> {
    let unresolved = |text: String| SshError::Unresolved { address: peer.address.clone(), text };
    let dialing = async {
        let found = tokio::net::lookup_host((peer.address.as_str(), peer.port)).await;
        let addresses: Vec<SocketAddr> = found.map_err(|error| unresolved(error.to_string()))?.collect();
        if addresses.is_empty() {
            return Err(unresolved("it has no address".to_owned()));
        }
        let connected = TcpStream::connect(addresses.as_slice()).await;
        let stream = connected.map_err(|error| not_dialled(peer, &error))?;
        stream.set_nodelay(true).map_err(|error| not_dialled(peer, &error))?;
        Ok(stream)
    };
    timeout(DIAL, dialing).await.unwrap_or_else(|_| Err(timed_out(peer, DIAL)))
}

fn not_dialled(peer: &Peer, error: &io::Error) -> SshError {
    let at = peer.to_string();
    match error.kind() {
        io::ErrorKind::ConnectionRefused => SshError::Refused { at },
        io::ErrorKind::TimedOut => timed_out(peer, DIAL),
        _ => SshError::Unreachable { at, text: error.to_string() },
    }
}

async fn through(
    bastion: &Handle<HostKeyCheck>,
    peer: &Peer,
) -> Result<russh::ChannelStream<russh::client::Msg>, SshError> {
    let opening = bastion.channel_open_direct_tcpip(peer.address.as_str(), peer.port.into(), "127.0.0.1", 0);
    let opened = timeout(DIAL, opening).await.map_err(|_| timed_out(peer, DIAL))?;
    let refused =
        |error: russh::Error| SshError::BastionRefuses { at: peer.to_string(), text: error.to_string() };
    opened.map(russh::Channel::into_stream).map_err(refused)
}

/// The server is asked for the kinds of keys that are known of it first; else one with several would show another one
/// than the known one, and look like an impostor.
fn config(known_hosts: &KnownHosts, peer: &Peer) -> Config {
    let (name, port) = peer.known_as();
    let known = known_hosts.algorithms(name, port);
    let is_known = |algorithm: &Algorithm| {
        let both_rsa =
            |it: &Algorithm| matches!((it, algorithm), (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }));
        known.iter().any(|it| it == algorithm || both_rsa(it))
    };
    let sha1 = |algorithm: &Algorithm| matches!(algorithm, Algorithm::Rsa { hash: None });
    let mut keys: Vec<Algorithm> = Preferred::DEFAULT.key.iter().filter(|it| !sha1(it)).cloned().collect();
    keys.sort_by_key(|algorithm| !is_known(algorithm));
    let certificates = if known_hosts.has_authority(name, port) { keys.clone() } else { Vec::new() };
    Config {
        preferred: Preferred {
            key: Cow::Owned(keys),
            cipher: Cow::Borrowed(CIPHERS),
            host_key_certificates: Cow::Owned(certificates),
            ..Preferred::DEFAULT
        },
        keepalive_interval: Some(KEEP_ALIVE),
        keepalive_max: KEEP_ALIVES_MISSED,
        nodelay: true,
        ..Config::default()
    }
}

async fn known_hosts(host_keys: &HostKeys) -> Result<KnownHosts, SshError> {
    match host_keys {
        HostKeys::AnyKey => Ok(KnownHosts::AnyKey),
        HostKeys::Pinned(text) => KnownHosts::pinned(text).map_err(|line| SshError::Configuration {
            text: format!("host_key must be lines such as \"ssh-ed25519 AAAA…\", got {line:?}"),
        }),
        HostKeys::UserFile => Ok(KnownHosts::parse("")),
        HostKeys::Files(paths) => read_known_hosts(paths).await,
    }
}

/// As ssh, refuses all servers where the list cannot be read: any key may be in it.
async fn revoked_keys(peer: &Peer) -> Result<RevokedKeys, SshError> {
    let Some(path) = &peer.revoked else { return Ok(RevokedKeys::default()) };
    let unread = |text: String| SshError::RevokedHostKeys { path: path.display().to_string(), text };
    let bytes = tokio::fs::read(path).await.map_err(|error| unread(error.to_string()))?;
    RevokedKeys::parse(&bytes).map_err(unread)
}

/// A file that is not there knows nobody.
async fn read_known_hosts(paths: &[PathBuf]) -> Result<KnownHosts, SshError> {
    let mut text = String::new();
    for path in paths {
        match tokio::fs::read(path).await {
            // What is not UTF-8 is in a comment.
            Ok(lines) => text = format!("{text}{}\n", String::from_utf8_lossy(&lines)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let path = path.display().to_string();
                return Err(SshError::KnownHosts { path, text: error.to_string() });
            }
        }
    }
    Ok(KnownHosts::parse(&text))
}
