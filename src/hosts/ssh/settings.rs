//! What the configuration says about reaching a host, and what becomes of it once defaults are filled in.
//!
//! Three sources speak: the provider's configuration, the environment and, when asked, `~/.ssh/config`. [`resolve`] lets
//! them speak in that order and is pure, so that its tests need neither a home folder nor variables. Files are named here
//! and read when the connection is made, by which time the machine that runs Terraform is the one that has them.

use std::fmt;
use std::path::{Path, PathBuf};

use super::config_file::{ConfigFile, expanded};
use crate::container::Secret;
use crate::hosts::error::ssh::SshError;

/// The settings of a host that is reached over SSH, as configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Its name in the provider's `hosts`.
    pub name: String,
    pub target: SshServer,
    pub bastion: Option<SshServer>,
    /// Whether `~/.ssh/config` is read.
    pub ssh_config: bool,
    /// Where Docker listens as seen on the host; `None` = where it usually does.
    pub docker_host: Option<String>,
    pub sudo_password: Option<Secret>,
}

/// An SSH server as configured, and how to log in there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SshServer {
    /// Name, IP address, or alias in `~/.ssh/config`.
    pub address: String,
    pub port: Option<u16>,
    pub user: Option<String>,
    pub login: Login,
    pub host_keys: HostKeys,
}

/// The means to log in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Login {
    pub key: Option<KeySource>,
    pub passphrase: Option<Secret>,
    /// OpenSSH certificate of the key, as text.
    pub certificate: Option<String>,
    pub password: Option<Secret>,
    /// Whether keys of the agent at `SSH_AUTH_SOCK` are offered.
    pub agent: bool,
}

impl Login {
    fn is_empty(&self) -> bool {
        self.key.is_none() && self.password.is_none() && !self.agent
    }
}

/// A private key, as text or as a file of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeySource {
    Text(Secret),
    File(PathBuf),
}

/// The host keys by which a server shows that it is the right one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum HostKeys {
    /// It is in `~/.ssh/known_hosts` or `/etc/ssh/ssh_known_hosts`, or in the files that `~/.ssh/config` names in their
    /// places.
    #[default]
    UserFile,
    /// Its key is one of these lines of `type base64`.
    Pinned(String),
    Files(Vec<PathBuf>),
    /// By nothing: any key is accepted.
    AnyKey,
}

/// The environment that this process was started with, as far as SSH asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProcessEnvironment {
    pub home: Option<PathBuf>,
    pub user: Option<String>,
    /// `DYNAMO_SSH_PRIVATE_KEY`.
    pub private_key: Option<Secret>,
    /// `SSH_AUTH_SOCK`.
    pub agent_socket: Option<PathBuf>,
}

impl ProcessEnvironment {
    /// The environment of this process. An empty variable counts as one that is not set.
    pub(crate) fn of_process() -> Self {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            home: variable("HOME").map(PathBuf::from),
            user: variable("USER").or_else(|| variable("LOGNAME")),
            private_key: variable("DYNAMO_SSH_PRIVATE_KEY").map(Secret::new),
            agent_socket: variable("SSH_AUTH_SOCK").map(PathBuf::from),
        }
    }

    /// `~/x` with the home folder in front.
    pub(crate) fn expand(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), &self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => path.to_owned(),
        }
    }
}

/// A server with everything decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    pub address: String,
    pub port: u16,
    pub user: String,
    pub login: Login,
    /// With `~` expanded.
    pub host_keys: HostKeys,
    /// Under which name its key is known, in place of its address.
    pub host_key_alias: Option<String>,
    /// File with keys that no server may have.
    pub revoked: Option<PathBuf>,
    /// All by which the configuration calls it.
    pub names: Vec<String>,
}

impl Peer {
    /// Name and port by which its key is looked up. An alias has no port, as in ssh.
    pub(super) fn known_as(&self) -> (&str, u16) {
        match &self.host_key_alias {
            Some(alias) => (alias, DEFAULT_PORT),
            None => (&self.address, self.port),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address.contains(':') {
            true => write!(f, "[{}]:{}", self.address, self.port),
            false => write!(f, "{}:{}", self.address, self.port),
        }
    }
}

/// The servers on the way, in the order in which they are passed; the host itself is the last.
pub(super) fn resolve(
    settings: &Settings,
    environment: &ProcessEnvironment,
    file: &ConfigFile,
) -> Result<Vec<Peer>, SshError> {
    let target = peer(&settings.target, &settings.name, None, environment, file)?;
    let mut hops = match &settings.bastion {
        Some(bastion) => vec![bastion.clone()],
        None => jumps_to(&settings.target, file)?,
    };
    // The first of them may have a way of its own. What it leads through already is not gone through again: `Host *` with a
    // ProxyJump is for the bastion too.
    let mut seen = vec![settings.target.clone()];
    while let Some(first) = hops.first().filter(|first| !met(&seen, first)) {
        seen.push(first.clone());
        let before = jumps_to(first, file)?;
        let again = before.iter().any(|jump| met(&seen, jump));
        hops.splice(0..0, if again { Vec::new() } else { before });
    }
    let hops: Result<Vec<Peer>, SshError> =
        hops.iter().map(|bastion| peer(bastion, "", Some(&target), environment, file)).collect();
    Ok(hops?.into_iter().chain([target]).collect())
}

/// What the file's `ProxyJump` says of a server.
fn jumps_to(server: &SshServer, file: &ConfigFile) -> Result<Vec<SshServer>, SshError> {
    let found = file.lookup(&server.address);
    let jumps: Result<Vec<SshServer>, SshError> =
        found.proxy_jump.iter().map(|jump| jump_endpoint(jump)).collect();
    jumps.map(|jumps| if met(&jumps, server) { Vec::new() } else { jumps })
}

/// Whether a server is among those, as far as names tell: two ports of one address are two servers.
fn met(servers: &[SshServer], server: &SshServer) -> bool {
    servers.iter().any(|it| (&it.address, it.port) == (&server.address, server.port))
}

const DEFAULT_PORT: u16 = 22;
const USERS_KNOWN_HOSTS: &str = "~/.ssh/known_hosts";
const SYSTEMS_KNOWN_HOSTS: &str = "/etc/ssh/ssh_known_hosts";

/// `beyond` is the server behind a bastion. Its keys may pass the bastion too: to be shown one tells a server nothing. Its
/// password is for itself alone.
fn peer(
    endpoint: &SshServer,
    name: &str,
    beyond: Option<&Peer>,
    environment: &ProcessEnvironment,
    file: &ConfigFile,
) -> Result<Peer, SshError> {
    let found = file.lookup(&endpoint.address);
    let user = endpoint.user.clone().or(found.user).or_else(|| beyond.map(|it| it.user.clone()));
    let user = user.or_else(|| environment.user.clone()).ok_or_else(|| SshError::Configuration {
        text: format!("there is no user to log in with at {}", endpoint.address),
    })?;
    let address = found.host_name.unwrap_or_else(|| endpoint.address.clone());
    let port = endpoint.port.or(found.port).unwrap_or(DEFAULT_PORT);
    let home = environment.home.as_ref().map(|home| home.display().to_string()).unwrap_or_default();
    let port_text = port.to_string();
    let tokens = [
        ('d', home.as_str()),
        ('h', address.as_str()),
        ('n', endpoint.address.as_str()),
        ('p', port_text.as_str()),
        ('r', user.as_str()),
        ('u', environment.user.as_deref().unwrap_or_default()),
    ];
    let mut login = endpoint.login.clone();
    if login.is_empty() {
        let path = found.identity_file.map(|path| PathBuf::from(expanded(&path, &tokens)));
        login.key = path.map(KeySource::File);
    }
    if let (true, Some(beyond)) = (login.is_empty(), beyond) {
        login = Login { password: None, ..beyond.login.clone() };
    }
    if login.is_empty() {
        login.key = environment.private_key.clone().map(KeySource::Text);
    }
    if let Some(KeySource::File(path)) = &mut login.key {
        *path = environment.expand(path);
    }
    let paths = |given: &[String], usual: &str| -> Vec<PathBuf> {
        let given = given.iter().map(|path| PathBuf::from(expanded(path, &tokens)));
        if given.len() == 0 { vec![PathBuf::from(usual)] } else { given.collect() }
    };
    let host_keys = match &endpoint.host_keys {
        HostKeys::UserFile => {
            let users = paths(&found.known_hosts, USERS_KNOWN_HOSTS);
            let systems = paths(&found.system_known_hosts, SYSTEMS_KNOWN_HOSTS);
            HostKeys::Files(users.into_iter().chain(systems).collect())
        }
        given => given.clone(),
    };
    let revoked =
        found.revoked_host_keys.map(|path| environment.expand(Path::new(&expanded(&path, &tokens))));
    let host_keys = match host_keys {
        HostKeys::Files(paths) => {
            HostKeys::Files(paths.iter().map(|path| environment.expand(path)).collect())
        }
        other => other,
    };
    let names = [name, &endpoint.address, &address].map(str::to_owned).into();
    Ok(Peer { address, port, user, login, host_keys, host_key_alias: found.host_key_alias, revoked, names })
}

/// `user@host:port` of a `ProxyJump`.
fn jump_endpoint(text: &str) -> Result<SshServer, SshError> {
    let wrong = |text: String| SshError::Configuration { text };
    let text = text.strip_prefix("ssh://").unwrap_or(text);
    let (user, server) = match text.rsplit_once('@') {
        Some((user, server)) => (Some(user.to_owned()), server),
        None => (None, text),
    };
    let (address, port) = match server.rsplit_once(':') {
        Some((address, port)) if !address.contains(':') || address.ends_with(']') => (address, Some(port)),
        _ => (server, None),
    };
    let port = port.map(str::parse).transpose();
    let port = port.map_err(|_| wrong(format!("ProxyJump {text} has no valid port")))?;
    let address = address.trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok(SshServer { address, port, user, ..SshServer::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> ProcessEnvironment {
        ProcessEnvironment {
            home: Some("/home/a".into()),
            user: Some("a".into()),
            private_key: Some(Secret::new("from-environment")),
            agent_socket: None,
        }
    }

    fn settings(address: &str) -> Settings {
        Settings {
            target: SshServer { address: address.into(), ..SshServer::default() },
            ..Settings::default()
        }
    }

    fn parsed(text: &str) -> ConfigFile {
        ConfigFile::parse(text, &|_| Vec::new())
    }

    /// As ssh goes: the list from first to last, and before it the way to its first.
    #[test]
    fn several_bastions_are_passed_in_their_order() {
        let hops = |text: &str, bastion: Option<&str>| -> String {
            let mut settings = settings("gpu");
            settings.bastion = bastion.map(|it| SshServer { address: it.into(), ..SshServer::default() });
            let peers = resolve(&settings, &environment(), &parsed(text)).unwrap();
            peers.iter().map(|peer| peer.address.as_str()).collect::<Vec<_>>().join(" ")
        };
        let table = [
            ("Host gpu\n ProxyJump a,b\n", None, "a b gpu"),
            ("Host gpu\n ProxyJump a,b\nHost a\n ProxyJump c\nHost b\n ProxyJump d\n", None, "c a b gpu"),
            ("Host gpu\n ProxyJump a\nHost a\n ProxyJump b\nHost b\n ProxyJump c,d\n", None, "c d b a gpu"),
            ("Host *\n ProxyJump a\n", None, "a gpu"),
            ("Host *\n ProxyJump gpu\n", None, "gpu"),
            ("Host gpu\n ProxyJump a\nHost a\n ProxyJump gpu\n", None, "a gpu"),
            ("Host gpu\n ProxyJump a\nHost other\n ProxyJump b\n", Some("other"), "b other gpu"),
            ("Host gpu\n ProxyJump gpu:99\n", None, "gpu gpu"),
            ("Host gpu\n ProxyJump none\nHost *\n ProxyJump a\n", None, "gpu"),
        ];
        for (text, bastion, expected) in table {
            assert_eq!(hops(text, bastion), expected, "{text}");
        }
    }

    #[test]
    fn tokens_in_paths_are_replaced() {
        let file = parsed(
            "Host gpu\n HostName 10.0.0.9\n Port 2\n User me\n IdentityFile %d/%n-%h-%p-%r-%u\n UserKnownHostsFile \
             %d/known-%n ~/b\n",
        );
        let peers = resolve(&settings("gpu"), &environment(), &file).unwrap();
        assert_eq!(peers[0].login.key, Some(KeySource::File("/home/a/gpu-10.0.0.9-2-me-a".into())));
        let files = vec!["/home/a/known-gpu".into(), "/home/a/b".into(), SYSTEMS_KNOWN_HOSTS.into()];
        assert_eq!(peers[0].host_keys, HostKeys::Files(files));
    }

    #[test]
    fn left_out_means_what_is_usual() {
        let peers = resolve(&settings("10.0.0.1"), &environment(), &ConfigFile::default()).unwrap();
        let [peer] = peers.as_slice() else { panic!("{peers:?}") };
        assert_eq!((peer.to_string().as_str(), peer.user.as_str()), ("10.0.0.1:22", "a"));
        assert_eq!(peer.login.key, Some(KeySource::Text(Secret::new("from-environment"))));
        assert_eq!(peer.host_keys, HostKeys::Files(files(&["/home/a/.ssh/known_hosts"])));
        assert_eq!((peer.known_as(), &peer.revoked), (("10.0.0.1", 22), &None));
    }

    /// Those of the user, and the system's.
    fn files(users: &[&str]) -> Vec<PathBuf> {
        users.iter().chain([&SYSTEMS_KNOWN_HOSTS]).map(PathBuf::from).collect()
    }

    #[test]
    fn what_the_file_says_of_keys_counts() {
        let file = parsed(
            "Host gpu\n HostKeyAlias gpu-of-ours\n Port 2222\n RevokedHostKeys ~/.ssh/revoked-%p\n GlobalKnownHostsFile \
             /etc/a /etc/b\n",
        );
        let peers = resolve(&settings("gpu"), &environment(), &file).unwrap();
        assert_eq!(peers[0].known_as(), ("gpu-of-ours", 22));
        assert_eq!(peers[0].revoked, Some("/home/a/.ssh/revoked-2222".into()));
        let expected = ["/home/a/.ssh/known_hosts", "/etc/a", "/etc/b"].map(PathBuf::from);
        assert_eq!(peers[0].host_keys, HostKeys::Files(expected.into()));
        // What the configuration names is alone.
        let mut given = settings("gpu");
        given.target.host_keys = HostKeys::Files(vec!["~/k".into()]);
        let peers = resolve(&given, &environment(), &file).unwrap();
        assert_eq!(peers[0].host_keys, HostKeys::Files(vec!["/home/a/k".into()]));
    }

    #[test]
    fn the_environments_key_is_for_those_who_have_nothing_else() {
        let logins = [
            Login { key: Some(KeySource::File("~/k".into())), ..Login::default() },
            Login { password: Some(Secret::new("p")), ..Login::default() },
            Login { agent: true, ..Login::default() },
        ];
        for login in logins {
            let mut settings = settings("h");
            settings.target.login = login;
            let peers = resolve(&settings, &environment(), &ConfigFile::default()).unwrap();
            let key = peers[0].login.key.clone();
            assert!(matches!(&key, None | Some(KeySource::File(_))), "{key:?}");
            if let Some(KeySource::File(path)) = key {
                assert_eq!(path, Path::new("/home/a/k"));
            }
        }
    }

    #[test]
    fn the_configuration_wins_over_the_file() {
        let file = parsed(
            "Host gpu\n HostName 10.0.0.9\n User ubuntu\n Port 2222\n IdentityFile ~/.ssh/gpu\n \
             UserKnownHostsFile ~/.ssh/gpus\n ProxyJump jump@gate:99\nHost gate\n HostName 192.0.2.1\n",
        );
        let peers = resolve(&settings("gpu"), &environment(), &file).unwrap();
        let shown: Vec<String> = peers.iter().map(|it| format!("{}@{it}", it.user)).collect();
        assert_eq!(shown, ["jump@192.0.2.1:99", "ubuntu@10.0.0.9:2222"]);
        assert_eq!(peers[1].login.key, Some(KeySource::File("/home/a/.ssh/gpu".into())));
        assert_eq!(peers[0].login, peers[1].login, "the bastion takes what the host takes");
        assert_eq!(peers[1].host_keys, HostKeys::Files(files(&["/home/a/.ssh/gpus"])));

        let mut given = settings("gpu");
        given.target.port = Some(22);
        given.target.user = Some("root".into());
        given.target.host_keys = HostKeys::Pinned("ssh-ed25519 AAAA".into());
        given.bastion = Some(SshServer { address: "other".into(), ..SshServer::default() });
        let peers = resolve(&given, &environment(), &file).unwrap();
        let shown: Vec<String> = peers.iter().map(|it| format!("{}@{it}", it.user)).collect();
        assert_eq!(shown, ["root@other:22", "root@10.0.0.9:22"]);
        assert_eq!(peers[1].host_keys, given.target.host_keys);
    }

    #[test]
    fn jumps_are_read_as_ssh_writes_them() {
        let table = [
            ("gate", Some((None, "gate", None))),
            ("me@gate", Some((Some("me"), "gate", None))),
            ("ssh://me@gate:9", Some((Some("me"), "gate", Some(9)))),
            ("[2001:db8::1]:9", Some((None, "2001:db8::1", Some(9)))),
            ("2001:db8::1", Some((None, "2001:db8::1", None))),
            ("gate:x", None),
        ];
        for (text, expected) in table {
            let read = jump_endpoint(text).ok();
            let read = read.as_ref().map(|it| (it.user.as_deref(), it.address.as_str(), it.port));
            assert_eq!(read, expected, "{text}");
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let secret = || Some(Secret::new("canary"));
        let endpoint = SshServer {
            login: Login {
                key: Some(KeySource::Text(Secret::new("canary"))),
                passphrase: secret(),
                password: secret(),
                ..Login::default()
            },
            ..SshServer::default()
        };
        let settings = Settings {
            target: endpoint.clone(),
            bastion: Some(endpoint),
            sudo_password: secret(),
            ..Settings::default()
        };
        let environment = ProcessEnvironment {
            private_key: secret(),
            user: Some("a".into()),
            ..ProcessEnvironment::default()
        };
        let peers = resolve(&settings, &environment, &ConfigFile::default()).unwrap();
        for text in [format!("{settings:#?}"), format!("{environment:?}"), format!("{peers:?}")] {
            assert!(!text.contains("canary"), "{text}");
        }
    }
}
