//! What the plan finds out about Docker options: on the host, whether what they name is there; without it, what deserves
//! a warning.

use crate::dynamo::spec::docker::DockerOptions;
use crate::hosts::HostError;
use crate::provider::attributes::blocks::DockerModel;
use crate::provider::attributes::host_errors;
use crate::provider::machine::Machine;
use crate::tf_provider::attr::{Attr, Block};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::value::Path;

/// The warnings about options that undo what the provider promises.
pub(crate) fn warnings(docker: &Block<DockerModel>) -> Diagnostics {
    let privileged = docker.present().is_some_and(|block| block.privileged == Attr::Known(true));
    let detail = "A privileged container may do on its host whatever root may, and sees all of its GPUs, also those that were \
                  given to other workers. Most needs are met by cap_add, devices or ipc.";
    let warning = Diagnostic::warning("The container is privileged", detail);
    Diagnostics(privileged.then(|| warning.at(at("privileged"))).into_iter().collect())
}

/// The errors for networks, runtime and log driver that the host does not have. `own` are the options of the resource that
/// is planned.
pub(crate) async fn on_host(machine: &Machine, own: &DockerOptions) -> Diagnostics {
    let found = async {
        let mut found = Diagnostics::new();
        for (position, name) in own.networks.iter().enumerate() {
            let there = machine.host.network_named(name).await?;
            if there.as_ref() != Some(name) {
                found.push(no_network(machine, name, there).at(at("networks").index(position)));
            }
        }
        found.extend(offered(machine, own).await?);
        Ok::<_, HostError>(found)
    };
    found.await.unwrap_or_else(|error| {
        host_errors::diagnostic("Unable to check the Docker options", &error, None).into()
    })
}

async fn offered(machine: &Machine, own: &DockerOptions) -> Result<Diagnostics, HostError> {
    let driver = own.log.as_ref().and_then(|log| log.driver.as_ref());
    if own.runtime.is_none() && driver.is_none() {
        return Ok(Diagnostics::new());
    }
    let (runtimes, drivers) = machine.host.offers().await?;
    let driver = driver.filter(|name| !drivers.is_empty() && is_listed(name));
    let asked = [
        ("runtime", "runtime", own.runtime.as_ref(), runtimes),
        ("log_driver", "log driver", driver, drivers),
    ];
    let missing = asked.into_iter().filter_map(|(attribute, what, name, there)| {
        let name = name.filter(|name| !there.contains(name))?;
        let host = machine.host.name();
        let detail = format!("Docker on host {host:?} has no {what} {name:?}. It has {}.", listed(there));
        Some(Diagnostic::error(format!("The {what} is not there"), detail).at(at(attribute)))
    });
    Ok(Diagnostics(missing.collect()))
}

/// Whether Docker would list a log driver that it has. Plugins are not in its list by all of their names, and to keep no log
/// at all is no driver to it.
fn is_listed(driver: &str) -> bool {
    driver != "none" && !driver.contains(['/', ':'])
}

fn no_network(machine: &Machine, name: &str, there: Option<String>) -> Diagnostic {
    let host = machine.host.name();
    let detail = match there {
        Some(other) => format!("On host {host:?} {name:?} is the network {other:?}. Write that name."),
        None => format!(
            "There is no network {name:?} on host {host:?}. Create it (docker network create {name}), or leave it out."
        ),
    };
    Diagnostic::error("The network is not there", detail)
}

fn listed(mut names: Vec<String>) -> String {
    names.sort_unstable();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn at(attribute: &str) -> Path {
    Path::of("docker").attribute(attribute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_docker_never_lists_is_not_looked_for() {
        for (driver, listed) in [("json-file", true), ("none", false), ("grafana/loki:latest", false)] {
            assert_eq!(is_listed(driver), listed, "{driver}");
        }
    }

    #[test]
    fn only_what_is_privileged_is_warned_about() {
        let with = |privileged| Block::Present(DockerModel { privileged, ..DockerModel::default() });
        assert_eq!(warnings(&with(Attr::Known(true))).0.len(), 1);
        for quiet in
            [with(Attr::Known(false)), with(Attr::Null), with(Attr::Unknown), Block::Absent, Block::Unknown]
        {
            assert!(warnings(&quiet).0.is_empty(), "{quiet:?}");
        }
    }
}
