//! The `provider` block: its attributes, and what they mean to the parts that use them.
//!
//! * `schema.rs`: the attributes, with the checks of single values. Begin here.
//! * `ssh.rs`: from an entry of `hosts` to the settings of an SSH connection.
//! * `models.rs`: the map `models`, models of the user's own.

pub(crate) mod models;
pub(crate) mod schema;
pub(crate) mod ssh;

use crate::hosts::is_in_clear_text;
use crate::tf_provider::attr::{Attr, Nested, NestedMap};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::value::Path;
use schema::ProviderModel;

/// The name of the only host when `hosts` is left out.
pub(crate) const LOCAL: &str = "local";

/// Offline checks of the block. `docker_host` is the variable `DOCKER_HOST`, which is for this machine where nothing else
/// says where its Engine is.
pub(crate) fn validate(config: &ProviderModel, docker_host: Option<&str>) -> Diagnostics {
    let mut found = models::validate(&config.models);
    let Attr::Known(NestedMap(hosts)) = &config.hosts else {
        let of_this_machine = docker_host.filter(|_| config.hosts.is_null());
        found.extend(clear_text(of_this_machine, "DOCKER_HOST", Path::default()));
        return found;
    };
    let path = Path::of("hosts");
    if hosts.is_empty() {
        let detail = "The map is empty. Leave it out for this machine's Docker, or name at least one host.";
        found.push(Diagnostic::error("No host", detail).at(path.clone()));
    }
    for (name, host) in hosts {
        if host.is_null() {
            let detail = format!(
                "Host {name:?} is null. Write {{}} for this machine's Docker, or leave the entry out."
            );
            found.push(Diagnostic::error("No host", detail).at(path.key(name)));
        }
        if let Attr::Known(Nested(host)) = host {
            let at = path.key(name);
            found.extend(ssh::validate(host, &at));
            let variable = docker_host.filter(|_| host.address.is_null() && host.docker_host.is_null());
            found.extend(clear_text(variable, "DOCKER_HOST", at.clone()));
            let own = host.docker_host.known().map(String::as_str);
            found.extend(clear_text(own, "docker_host", at.attribute("docker_host")));
        }
    }
    found
}

/// A warning about an Engine to which everything is said in clear text.
fn clear_text(address: Option<&str>, what: &str, at: Path) -> Diagnostics {
    let warning = |address: &str| {
        let detail = format!(
            "{what} is {address}: what is said to that Engine, secret_env and tokens included, crosses the network in clear text, \
             and whoever reaches the port is root there. Reach the machine over SSH instead (address), or have the Engine listen \
             at 127.0.0.1 only."
        );
        let summary = format!("{what} is an Engine in clear text");
        Diagnostic::warning(summary, detail).at(at)
    };
    Diagnostics(address.filter(|it| is_in_clear_text(it)).map(warning).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::schema::HostModel;
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn engines_in_clear_text_are_warned_of() {
        let found = |hosts: &[(Option<&str>, Option<&str>)], variable: Option<&str>| -> Vec<String> {
            let hosts = hosts.iter().enumerate().map(|(index, (address, docker_host))| {
                let text = |it: &Option<&str>| Attr::from(it.map(str::to_owned));
                let host = HostModel {
                    address: text(address),
                    docker_host: text(docker_host),
                    ..HostModel::default()
                };
                (format!("h{index}"), Attr::Known(Nested(host)))
            });
            let hosts = NestedMap(hosts.collect::<BTreeMap<_, _>>());
            let hosts = if hosts.0.is_empty() { Attr::Null } else { Attr::Known(hosts) };
            let config = ProviderModel { hosts, ..ProviderModel::default() };
            let found = validate(&config, variable).0;
            found.iter().map(|it| it.path.as_ref().map(ToString::to_string).unwrap_or_default()).collect()
        };
        let far = Some("tcp://10.0.0.9:2375");
        let none: [&str; 0] = [];
        assert_eq!(found(&[], far), [""]);
        assert_eq!(found(&[], Some("tcp://127.0.0.1:2375")), none);
        assert_eq!(found(&[(None, None)], far), ["hosts[\"h0\"]"]);
        assert_eq!(found(&[(None, Some("unix:///run/d.sock")), (Some("gpu-a"), None)], far), none);
        assert_eq!(
            found(&[(None, far), (Some("gpu-a"), far)], None),
            ["hosts[\"h0\"].docker_host", "hosts[\"h1\"].docker_host"]
        );
    }
}
