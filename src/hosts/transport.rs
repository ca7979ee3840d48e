//! How a host is reached: the one door through which everything else in `hosts` goes.
//!
//! A way to a host opens byte streams and looks at files; what travels in the streams (the Engine's HTTP, a readiness
//! probe's HTTP) is not its business. So the Docker client, the probes and the inventory are the same for the local
//! socket and for any other way that can open a stream.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::listening_sockets;
use super::listening_sockets::ListeningSocket;
use crate::hosts::error::Cause;

/// A two-way byte stream.
pub trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}
pub(crate) type Stream = Box<dyn Duplex>;

/// A way to one host. Making one connects to nothing; the first stream does.
#[async_trait]
pub trait Reach: Send + Sync + fmt::Debug {
    /// A new stream to the Docker Engine.
    async fn engine(&self) -> Result<Stream, Cause>;

    /// A new stream to a TCP port, as seen from the host.
    async fn tcp(&self, address: &str, port: u16) -> io::Result<Stream>;

    /// Whether a path exists on the host; `None` when that cannot be seen from here. `engine_name` is what the Engine
    /// calls its machine.
    async fn path_exists(&self, path: &Path, engine_name: &str) -> Option<bool>;

    /// TCP sockets that listen on the host; `None` when they cannot be seen from here.
    async fn listening(&self, engine_name: &str) -> Option<Vec<ListeningSocket>>;

    /// Runs a POSIX shell script on the host; `None` where no program is started, which is so on this machine.
    async fn shell(&self, _script: &str) -> Option<Result<ShellOutput, Cause>> {
        None
    }

    /// Starts a command for the shell of the user there; `None` where no program is started, which is so on this machine.
    async fn exec(&self, _command: &str) -> Option<Result<Running, Cause>> {
        None
    }

    /// Ends connections that are kept. What is asked later fails.
    async fn close(&self) {}

    /// Whether the Engine's machine is the one that this process runs on, so that its files and devices are ours to see.
    fn is_here(&self, _engine_name: &str) -> bool {
        false
    }
}

/// A command that runs on a host. Dropping the stream ends it.
pub struct Running {
    /// Its input and output. Shutting our side down is the end of its input.
    pub stream: Stream,
    /// How it ended; comes when it has.
    pub ended: BoxFuture<'static, Ended>,
}

/// How a command ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// `None`: killed, or the connection broke.
    pub status: Option<u32>,
    pub stderr: String,
}

/// What a script left behind. Bytes that are not UTF-8 are U+FFFD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellOutput {
    /// Exit status.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// This machine's Docker, or the one that `DOCKER_HOST` names.
#[derive(Clone, Debug, Default)]
pub(crate) struct LocalReach {
    /// From the provider's configuration; wins over the environment.
    pub docker_host: Option<String>,
}

impl LocalReach {
    fn address(&self) -> Result<EngineAddress, Cause> {
        let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        EngineAddress::choose(self.docker_host.as_deref(), environment, Path::exists)
    }

    /// Docker's socket may belong to another machine's Engine (a virtual machine, a container's host). Both have
    /// a name for themselves; where the names agree, what we see of this machine is what the Engine's machine has.
    fn is_this_machine(&self, engine_name: &str) -> bool {
        let ours = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        matches!(self.address(), Ok(EngineAddress::Unix(_))) && ours.trim() == engine_name
    }
}

#[async_trait]
impl Reach for LocalReach {
    async fn engine(&self) -> Result<Stream, Cause> {
        let address = self.address()?;
        let opened = match &address {
            EngineAddress::Unix(path) => {
                UnixStream::connect(path).await.map(|stream| Box::new(stream) as Stream)
            }
            EngineAddress::Tcp { host, port } => self.tcp(host, *port).await,
        };
        opened.map_err(|error| address.cause_of(&error))
    }

    async fn tcp(&self, address: &str, port: u16) -> io::Result<Stream> {
        let stream = TcpStream::connect((address, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }

    async fn path_exists(&self, path: &Path, engine_name: &str) -> Option<bool> {
        if !self.is_this_machine(engine_name) {
            return None;
        }
        tokio::fs::try_exists(path).await.ok()
    }

    async fn listening(&self, engine_name: &str) -> Option<Vec<ListeningSocket>> {
        if !self.is_this_machine(engine_name) {
            return None;
        }
        tokio::task::spawn_blocking(listening_sockets::of_this_machine).await.ok()
    }

    fn is_here(&self, engine_name: &str) -> bool {
        self.is_this_machine(engine_name)
    }
}

/// Where an Engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EngineAddress {
    Unix(PathBuf),
    Tcp { host: String, port: u16 },
}

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// The Engine's port for plain HTTP.
const DEFAULT_PORT: u16 = 2375;

impl EngineAddress {
    /// The configured address, else `DOCKER_HOST`, else the first socket that exists: the system's, the rootless one,
    /// Docker Desktop's. None exists: the system's, so that the error names it.
    fn choose(
        configured: Option<&str>,
        environment: impl Fn(&str) -> Option<String>,
        exists: impl Fn(&Path) -> bool,
    ) -> Result<Self, Cause> {
        if let Some(text) = configured.map(str::to_owned).or_else(|| environment("DOCKER_HOST")) {
            return Self::parse(&text, environment("DOCKER_TLS_VERIFY").is_some());
        }
        let in_folder =
            |variable: &str, rest: &str| environment(variable).map(|base| Path::new(&base).join(rest));
        let candidates = [
            Some(PathBuf::from(DEFAULT_SOCKET)),
            in_folder("XDG_RUNTIME_DIR", "docker.sock"),
            in_folder("HOME", ".docker/run/docker.sock"),
        ];
        let found = candidates.into_iter().flatten().find(|path| exists(path));
        Ok(found.map_or_else(Self::default_socket, Self::Unix))
    }

    pub(super) fn default_socket() -> Self {
        Self::Unix(PathBuf::from(DEFAULT_SOCKET))
    }

    pub(super) fn parse(text: &str, tls: bool) -> Result<Self, Cause> {
        let bad = || Cause::BadAddress { text: text.to_owned() };
        let (scheme, rest) = text.split_once("://").ok_or_else(bad)?;
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Unix(PathBuf::from(rest))),
            "tcp" | "http" if tls => Err(Cause::TlsUnsupported { address: text.to_owned() }),
            "https" => Err(Cause::TlsUnsupported { address: text.to_owned() }),
            "tcp" | "http" => {
                let authority: hyper::http::uri::Authority =
                    rest.trim_end_matches('/').parse().map_err(|_| bad())?;
                let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
                Ok(Self::Tcp { host, port: authority.port_u16().unwrap_or(DEFAULT_PORT) })
            }
            _ => Err(bad()),
        }
    }

    /// The three ways in which a local socket is shut need three different cures.
    fn cause_of(&self, error: &io::Error) -> Cause {
        let address = self.to_string();
        match (error.kind(), self) {
            (io::ErrorKind::NotFound, Self::Unix(path)) => {
                Cause::SocketMissing { path: path.display().to_string() }
            }
            (io::ErrorKind::ConnectionRefused, _) => Cause::NothingListening { address },
            (io::ErrorKind::PermissionDenied, _) => Cause::PermissionDenied { address },
            _ => Cause::Connection { text: format!("opening {address} failed: {error}") },
        }
    }
}

impl fmt::Display for EngineAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_comes_from_the_configuration_the_environment_or_what_exists() {
        let unix = |path: &str| EngineAddress::Unix(path.into());
        let tcp = |host: &str, port| EngineAddress::Tcp { host: host.into(), port };
        // configured, environment, sockets that exist, expected
        type Row = (
            Option<&'static str>,
            &'static [(&'static str, &'static str)],
            &'static [&'static str],
            EngineAddress,
        );
        let table: [Row; 8] = [
            (Some("unix:///a.sock"), &[("DOCKER_HOST", "tcp://h:1")], &[], unix("/a.sock")),
            (None, &[("DOCKER_HOST", "tcp://10.0.0.1:99")], &[DEFAULT_SOCKET], tcp("10.0.0.1", 99)),
            (None, &[("DOCKER_HOST", "http://h/")], &[], tcp("h", 2375)),
            (None, &[("DOCKER_HOST", "tcp://[::1]:5")], &[], tcp("::1", 5)),
            (None, &[], &[DEFAULT_SOCKET, "/run/user/1/docker.sock"], unix(DEFAULT_SOCKET)),
            (
                None,
                &[("XDG_RUNTIME_DIR", "/run/user/1")],
                &["/run/user/1/docker.sock"],
                unix("/run/user/1/docker.sock"),
            ),
            (
                None,
                &[("HOME", "/home/a")],
                &["/home/a/.docker/run/docker.sock"],
                unix("/home/a/.docker/run/docker.sock"),
            ),
            (None, &[("HOME", "/home/a")], &[], unix(DEFAULT_SOCKET)),
        ];
        for (configured, environment, existing, expected) in table {
            let variable = |name: &str| {
                environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            };
            let exists = |path: &Path| existing.iter().any(|known| Path::new(known) == path);
            assert_eq!(EngineAddress::choose(configured, variable, exists), Ok(expected));
        }
    }

    #[test]
    fn addresses_that_cannot_work_are_refused() {
        for text in ["docker.sock", "ssh://host", "unix://relative", "tcp://", "npipe:////./pipe/x"] {
            assert!(matches!(EngineAddress::parse(text, false), Err(Cause::BadAddress { .. })), "{text}");
        }
        for (text, tls) in [("tcp://h:2376", true), ("https://h:2376", false)] {
            assert!(matches!(EngineAddress::parse(text, tls), Err(Cause::TlsUnsupported { .. })), "{text}");
        }
    }

    #[tokio::test]
    async fn a_missing_socket_and_a_dead_one_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker.sock");
        let reach = LocalReach { docker_host: Some(format!("unix://{}", path.display())) };
        assert!(matches!(reach.engine().await, Err(Cause::SocketMissing { .. })));
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(matches!(reach.engine().await, Err(Cause::NothingListening { .. })));
    }
}
