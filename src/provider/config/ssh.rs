//! From an entry of `hosts` to the settings of an SSH connection, and what is wrong with it offline. Pure.

use super::schema::{BastionModel, HostModel};
use crate::container::Secret;
use crate::hosts::ssh::{HostKeys, KeySource, Login, Settings, SshServer};
use crate::tf_provider::attr::{Attr, Nested};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::value::Path;

/// The settings of the connection to a machine; `None` for this machine.
pub(crate) fn settings(host: &HostModel) -> Option<Settings> {
    let address = host.address.known()?;
    Some(Settings {
        target: endpoint(address, &Server::of(host)),
        bastion: host.bastion.known().map(|Nested(bastion)| {
            endpoint(bastion.address.known().map_or("", String::as_str), &Server::from(bastion))
        }),
        ssh_config: host.ssh_config.known() == Some(&true),
        docker_host: host.docker_host.known().cloned(),
        sudo_password: host.sudo_password.known().cloned(),
    })
}

/// What a machine and a bastion have in common.
struct Server<'a> {
    port: &'a Attr<i64>,
    user: &'a Attr<String>,
    private_key: &'a Attr<Secret>,
    private_key_path: &'a Attr<String>,
    private_key_passphrase: &'a Attr<Secret>,
    certificate: &'a Attr<String>,
    password: &'a Attr<Secret>,
    agent: &'a Attr<bool>,
    host_key: &'a Attr<String>,
    known_hosts_path: &'a Attr<String>,
    insecure_ignore_host_key: &'a Attr<bool>,
}

impl<'a> Server<'a> {
    fn of(host: &'a HostModel) -> Self {
        Self {
            port: &host.port,
            user: &host.user,
            private_key: &host.private_key,
            private_key_path: &host.private_key_path,
            private_key_passphrase: &host.private_key_passphrase,
            certificate: &host.certificate,
            password: &host.password,
            agent: &host.agent,
            host_key: &host.host_key,
            known_hosts_path: &host.known_hosts_path,
            insecure_ignore_host_key: &host.insecure_ignore_host_key,
        }
    }

    /// Attributes that are set, with their names. `false` sets nothing, and what is unknown may turn out to be null.
    fn given(&self) -> Vec<&'static str> {
        let on = |flag: &Attr<bool>| flag.known() == Some(&true);
        [
            ("port", self.port.known().is_some()),
            ("user", self.user.known().is_some()),
            ("private_key", self.private_key.known().is_some()),
            ("private_key_path", self.private_key_path.known().is_some()),
            ("private_key_passphrase", self.private_key_passphrase.known().is_some()),
            ("certificate", self.certificate.known().is_some()),
            ("password", self.password.known().is_some()),
            ("agent", on(self.agent)),
            ("host_key", self.host_key.known().is_some()),
            ("known_hosts_path", self.known_hosts_path.known().is_some()),
            ("insecure_ignore_host_key", on(self.insecure_ignore_host_key)),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
        .collect()
    }
}

impl<'a> From<&'a BastionModel> for Server<'a> {
    fn from(bastion: &'a BastionModel) -> Self {
        Self {
            port: &bastion.port,
            user: &bastion.user,
            private_key: &bastion.private_key,
            private_key_path: &bastion.private_key_path,
            private_key_passphrase: &bastion.private_key_passphrase,
            certificate: &bastion.certificate,
            password: &bastion.password,
            agent: &bastion.agent,
            host_key: &bastion.host_key,
            known_hosts_path: &bastion.known_hosts_path,
            insecure_ignore_host_key: &bastion.insecure_ignore_host_key,
        }
    }
}

fn endpoint(address: &str, server: &Server<'_>) -> SshServer {
    let text = server.private_key.known().cloned().map(KeySource::Text);
    let file = server.private_key_path.known().map(|path| KeySource::File(path.into()));
    let host_keys = match (server.host_key.known(), server.known_hosts_path.known()) {
        (Some(keys), _) => HostKeys::Pinned(keys.clone()),
        (None, Some(path)) => HostKeys::Files(vec![path.into()]),
        (None, None) if server.insecure_ignore_host_key.known() == Some(&true) => HostKeys::AnyKey,
        (None, None) => HostKeys::UserFile,
    };
    SshServer {
        address: address.to_owned(),
        port: server.port.known().and_then(|port| u16::try_from(*port).ok()),
        user: server.user.known().cloned(),
        login: Login {
            key: text.or(file),
            passphrase: server.private_key_passphrase.known().cloned(),
            certificate: server.certificate.known().cloned(),
            password: server.password.known().cloned(),
            agent: server.agent.known() == Some(&true),
        },
        host_keys,
    }
}

/// At most one of each group may be given.
const EITHER: [(&str, &[&str]); 2] = [
    ("private key", &["private_key", "private_key_path", "agent"]),
    ("way to know the server", &["host_key", "known_hosts_path", "insecure_ignore_host_key"]),
];

/// Offline checks of an entry at `path`.
pub(crate) fn validate(host: &HostModel, path: &Path) -> Diagnostics {
    let mut found = Diagnostics::new();
    if host.address.is_null() {
        let elsewhere = [
            ("ssh_config", host.ssh_config.known() == Some(&true)),
            ("bastion", host.bastion.known().is_some()),
            ("sudo_password", host.sudo_password.known().is_some()),
        ];
        let elsewhere = elsewhere.into_iter().filter_map(|(name, given)| given.then_some(name));
        for name in Server::of(host).given().into_iter().chain(elsewhere) {
            let detail = format!(
                "{name} is for a machine that is reached over SSH, but this entry has no address and so means this machine. \
                 Set address (is it misspelt? Terraform does not say so here), or remove {name}."
            );
            found.push(Diagnostic::error("A host without an address", detail).at(path.attribute(name)));
        }
        return found;
    }
    server(&Server::of(host), path, &mut found);
    if let Attr::Known(Nested(bastion)) = &host.bastion {
        server(&Server::from(bastion), &path.attribute("bastion"), &mut found);
    }
    found
}

fn server(server: &Server<'_>, path: &Path, found: &mut Diagnostics) {
    let given = server.given();
    for (what, names) in EITHER {
        let mut both = names.iter().filter(|name| given.contains(name));
        if let (Some(first), Some(second)) = (both.next(), both.next()) {
            let detail =
                format!("{first} and {second} are both given, and only one can count. Remove one of them.");
            found.push(Diagnostic::error(format!("More than one {what}"), detail).at(path.attribute(second)));
        }
    }
    // Without any of them the environment's key is meant.
    let (key, other) = (["private_key", "private_key_path"], ["agent", "password"]);
    let has = |names: &[&str]| names.iter().any(|name| given.contains(name));
    let not_known = server.private_key.is_unknown() || server.private_key_path.is_unknown();
    if has(&["certificate"]) && has(&other) && !has(&key) && !not_known {
        let detail = "certificate goes with private_key or private_key_path, and neither is given. Give its key too; an agent has \
                      certificates of its own beside its keys.";
        found.push(
            Diagnostic::error("A certificate without its key", detail).at(path.attribute("certificate")),
        );
    }
    if server.insecure_ignore_host_key.known() == Some(&true) {
        let detail = "With insecure_ignore_host_key whoever answers at that address is logged in to, and whoever stands in \
                      between can read and change everything, passwords included. Give host_key instead: it is the content \
                      of /etc/ssh/ssh_host_ed25519_key.pub on the host.";
        let at = path.attribute("insecure_ignore_host_key");
        found.push(Diagnostic::warning("The host's identity is not checked", detail).at(at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tf_provider::diagnostics::Severity;

    fn found(host: &HostModel) -> Vec<(Severity, String)> {
        let at = |it: &Diagnostic| it.path.as_ref().map(ToString::to_string).unwrap_or_default();
        validate(host, &Path::of("hosts").key("a")).0.iter().map(|it| (it.severity, at(it))).collect()
    }

    #[test]
    fn what_contradicts_itself_is_refused_at_its_attribute() {
        let remote = || HostModel { address: "10.0.0.1".into(), ..HostModel::default() };
        let key = || Attr::Known(Secret::new("k"));
        let certified = || HostModel { certificate: "c".into(), ..remote() };
        let table: [(HostModel, &[&str]); 14] = [
            (certified(), &[]),
            (HostModel { private_key: key(), password: key(), ..certified() }, &[]),
            (HostModel { agent: Attr::Known(true), ..certified() }, &["certificate"]),
            (HostModel { password: key(), ..certified() }, &["certificate"]),
            (HostModel { password: key(), private_key: Attr::Unknown, ..certified() }, &[]),
            (HostModel::default(), &[]),
            (HostModel { user: "a".into(), agent: Attr::Known(false), ..HostModel::default() }, &["user"]),
            (
                HostModel { sudo_password: key(), port: Attr::Unknown, ..HostModel::default() },
                &["sudo_password"],
            ),
            (HostModel { address: Attr::Unknown, user: "a".into(), ..HostModel::default() }, &[]),
            (HostModel { private_key: key(), password: key(), ..remote() }, &[]),
            (
                HostModel { private_key: key(), private_key_path: "k".into(), ..remote() },
                &["private_key_path"],
            ),
            (HostModel { private_key: key(), agent: Attr::Known(true), ..remote() }, &["agent"]),
            (
                HostModel { host_key: "k".into(), known_hosts_path: "p".into(), ..remote() },
                &["known_hosts_path"],
            ),
            (
                HostModel {
                    bastion: Attr::Known(Nested(BastionModel {
                        private_key: key(),
                        agent: Attr::Known(true),
                        ..BastionModel::default()
                    })),
                    ..remote()
                },
                &["bastion.agent"],
            ),
        ];
        for (host, expected) in table {
            let expected: Vec<_> =
                expected.iter().map(|name| (Severity::Error, format!("hosts[\"a\"].{name}"))).collect();
            assert_eq!(found(&host), expected, "{host:?}");
        }
    }

    #[test]
    fn not_looking_is_warned_of() {
        let host = HostModel {
            address: "h".into(),
            insecure_ignore_host_key: Attr::Known(true),
            ..HostModel::default()
        };
        assert_eq!(found(&host), [(Severity::Warning, "hosts[\"a\"].insecure_ignore_host_key".to_owned())]);
        assert_eq!(settings(&host).unwrap().target.host_keys, HostKeys::AnyKey);
    }

    #[test]
    fn everything_that_is_given_arrives_and_nothing_secret_is_printed() {
        let secret = |text: &str| Attr::Known(Secret::new(format!("canary-{text}")));
        let host = HostModel {
            address: "10.0.0.1".into(),
            port: Attr::Known(2222),
            user: "ops".into(),
            private_key: secret("key"),
            private_key_passphrase: secret("passphrase"),
            password: secret("password"),
            sudo_password: secret("sudo"),
            host_key: "ssh-ed25519 AAAA".into(),
            docker_host: "unix:///run/d.sock".into(),
            ssh_config: Attr::Known(true),
            bastion: Attr::Known(Nested(BastionModel {
                address: "gate".into(),
                password: secret("gate"),
                ..BastionModel::default()
            })),
            ..HostModel::default()
        };
        let settings = settings(&host).unwrap();
        let bastion = settings.bastion.clone().unwrap();
        assert_eq!((settings.target.port, settings.target.user.as_deref()), (Some(2222), Some("ops")));
        assert_eq!(settings.target.login.key, Some(KeySource::Text(Secret::new("canary-key"))));
        assert_eq!(settings.target.host_keys, HostKeys::Pinned("ssh-ed25519 AAAA".into()));
        assert_eq!(bastion.login.password, Some(Secret::new("canary-gate")));
        assert!(settings.ssh_config && settings.docker_host.is_some() && settings.sudo_password.is_some());
        for text in [format!("{host:#?}"), format!("{settings:?}")] {
            assert!(!text.contains("canary"), "{text}");
        }
    }
}
