//! The options of `docker run` against what the provider decides: what of them would be in its way, and what an engine
//! needs where users say nothing. How options become a container is said in [`crate::dynamo::spec::docker`].

use crate::container::{Mount, Ulimit};
use crate::dynamo::check::docker::lists::at;
use crate::dynamo::spec::docker::DockerOptions;
use crate::dynamo::terms::objection::{DockerField, Objection, Refusal};
use crate::dynamo::terms::paths;
use crate::dynamo::terms::words::NetworkMode;

/// Options that would hide what the provider itself puts into a container: its mounts, the names under which its
/// containers find each other, and its network, by name.
pub(in crate::dynamo) fn clashes(
    options: &DockerOptions,
    mounts: &[Mount],
    aliases: &[String],
    (network, name): (NetworkMode, &str),
) -> Vec<Objection> {
    let volumes = options.volumes.iter().enumerate().filter_map(|(index, volume)| {
        let ours = mounts.iter().find(|ours| paths::within(&volume.target, &ours.target))?;
        let what =
            format!("{} is where the provider mounts something itself ({})", volume.target, ours.target);
        Some(Refusal::new(what, "use another path").at(at(DockerField::VolumeContainerPath(index))))
    });
    let hosts =
        options.extra_hosts.keys().filter(|name| aliases.contains(&name.to_ascii_lowercase())).map(|name| {
            let what = format!("{name:?} is a container of this deployment");
            Refusal::new(what, "use another name").at(at(DockerField::ExtraHost(name.clone())))
        });
    volumes.chain(hosts).chain(network_clashes(options, network, name)).collect()
}

/// The limits with those that the engine needs, except where users set them.
pub(crate) fn with_engine_ulimits(mut own: Vec<Ulimit>, engine: &[(&str, i64, i64)]) -> Vec<Ulimit> {
    for (name, soft, hard) in engine {
        if own.iter().all(|limit| limit.name != *name) {
            own.push(Ulimit { name: (*name).to_owned(), soft: *soft, hard: *hard });
        }
    }
    own
}

/// The capabilities with those that the engine needs, in whichever spelling users have them.
pub(crate) fn with_engine_capabilities(mut own: Vec<String>, engine: &[&str]) -> Vec<String> {
    for name in engine {
        if own.iter().all(|other| other.strip_prefix("CAP_").unwrap_or(other) != *name) {
            own.push((*name).to_owned());
        }
    }
    own
}

/// Networks that cannot be joined because of the one that the containers are in.
fn network_clashes(options: &DockerOptions, network: NetworkMode, own: &str) -> Vec<Objection> {
    let refused = options.networks.iter().enumerate().filter_map(|(position, name)| {
        let refusal = match network {
            NetworkMode::Host => Refusal::new(
                "a container on the host's own network cannot join another",
                "leave it out: on the host's network it reaches what the host reaches",
            ),
            NetworkMode::Bridge if name == own => {
                Refusal::new(format!("{name:?} is the deployment's own network"), "leave it out")
            }
            NetworkMode::Bridge => return None,
        };
        Some(refusal.at(at(DockerField::Network(position))))
    });
    refused.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::MountSource;

    fn volume(source: &str, target: &str) -> Mount {
        let source = MountSource::HostPath(source.to_owned());
        Mount { source, target: target.to_owned(), read_only: false }
    }

    #[test]
    fn our_mounts_cannot_be_covered() {
        let ours = [volume("/m", "/models/tiny")];
        let clashes = |options: &DockerOptions, mounts: &[Mount]| {
            super::clashes(options, mounts, &[], (NetworkMode::Bridge, "chat"))
        };
        let mine = |target| DockerOptions { volumes: vec![volume("/v", target)], ..DockerOptions::default() };
        assert_eq!(clashes(&mine("/models/tiny"), &ours).len(), 1);
        assert_eq!(clashes(&mine("/models/tiny/x"), &ours).len(), 1);
        assert_eq!(clashes(&mine("/models"), &ours).len(), 0);
        assert_eq!(clashes(&mine("/models/tiny2"), &ours).len(), 0);
    }

    #[test]
    fn on_the_hosts_network_there_is_no_other() {
        let options =
            DockerOptions { networks: vec!["chat".into(), "other".into()], ..DockerOptions::default() };
        assert_eq!(network_clashes(&options, NetworkMode::Host, "chat").len(), 2);
        assert_eq!(network_clashes(&options, NetworkMode::Bridge, "chat").len(), 1);
        assert_eq!(network_clashes(&options, NetworkMode::Bridge, "x").len(), 0);
    }
}
