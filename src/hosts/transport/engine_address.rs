//! Where a Docker Engine listens, and why it cannot be reached there.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::hosts::error::Cause;

/// The address at which an Engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::hosts) enum EngineAddress {
    Unix(PathBuf),
    Tcp { host: String, port: u16 },
}

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
/// The Engine's port for plain HTTP.
const DEFAULT_PORT: u16 = 2375;

impl EngineAddress {
    /// The configured address, else `DOCKER_HOST`, else the first socket that exists: the system's, the rootless one,
    /// Docker Desktop's. None exists: the system's, so that the error names it.
    pub(super) fn choose(
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

    /// The socket of a Docker that was installed as usual.
    pub(in crate::hosts) fn default_socket() -> Self {
        Self::Unix(PathBuf::from(DEFAULT_SOCKET))
    }

    /// An address such as `unix:///var/run/docker.sock` or `tcp://10.0.0.11:2375`. `tls`: TLS was asked for.
    pub(in crate::hosts) fn parse(text: &str, tls: bool) -> Result<Self, Cause> {
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
    pub(super) fn cause_of(&self, error: &io::Error) -> Cause {
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

/// Whether what is said to an Engine at that address crosses a network in clear text, secrets of containers included.
pub(crate) fn is_in_clear_text(address: &str) -> bool {
    matches!(EngineAddress::parse(address, false), Ok(EngineAddress::Tcp { host, .. }) if !is_loopback(&host))
}

/// Whether a host's name or address is that of the machine that asks.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
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
    fn only_what_crosses_a_network_is_in_clear_text() {
        let table = [
            ("tcp://10.0.0.1:2375", true),
            ("tcp://gpu-a", true),
            ("http://[fd00::1]:2375", true),
            ("tcp://127.0.0.1:2375", false),
            ("tcp://[::1]:2375", false),
            ("tcp://localhost:2375", false),
            ("unix:///var/run/docker.sock", false),
            ("https://10.0.0.1:2376", false),
            ("nonsense", false),
        ];
        for (address, expected) in table {
            assert_eq!(is_in_clear_text(address), expected, "{address}");
        }
    }

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
}
