//! Docker options of a container: a worker's over its deployment's, the engine's below both, and what clashes.

use crate::container::{Mount, Ulimit};
use crate::dynamo::check::docker::{at, privileges, upkeep};
use crate::dynamo::spec::DockerOptions;
use crate::dynamo::terms::objection::{DockerField, Objection, Refusal};
use crate::dynamo::terms::paths;
use crate::dynamo::terms::words::NetworkMode;

/// The deployment's options with a worker's over them.
pub(in crate::dynamo) fn merged(base: &DockerOptions, own: &DockerOptions) -> DockerOptions {
    let mut all = base.clone();
    all.volumes.retain(|volume| own.volumes.iter().all(|new| new.target != volume.target));
    all.volumes.extend(own.volumes.iter().cloned());
    all.ulimits.retain(|limit| own.ulimits.iter().all(|new| new.name != limit.name));
    all.ulimits.extend(own.ulimits.iter().cloned());
    all.extra_hosts.extend(own.extra_hosts.clone());
    all.labels.extend(own.labels.clone());
    all.shm_bytes = own.shm_bytes.or(base.shm_bytes);
    all.devices
        .retain(|device| own.devices.iter().all(|new| privileges::target(new) != privileges::target(device)));
    for (list, new) in [
        (&mut all.devices, &own.devices),
        (&mut all.cap_add, &own.cap_add),
        (&mut all.networks, &own.networks),
        (&mut all.make_folders, &own.make_folders),
    ] {
        let added: Vec<String> = new.iter().filter(|item| !list.contains(item)).cloned().collect();
        list.extend(added);
    }
    all.privileged = own.privileged.or(base.privileged);
    all.ipc = own.ipc.or(base.ipc);
    all.runtime = own.runtime.clone().or(base.runtime.clone());
    all.log = own.log.clone().or(base.log.clone());
    all.restart = own.restart.or(base.restart);
    all.stop_grace_seconds = own.stop_grace_seconds.or(base.stop_grace_seconds);
    all
}

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
    volumes.chain(hosts).chain(upkeep::network_clashes(options, network, name)).collect()
}

/// The engine's, except those that the user set.
pub(crate) fn with_engine_ulimits(mut own: Vec<Ulimit>, engine: &[(&str, i64, i64)]) -> Vec<Ulimit> {
    for (name, soft, hard) in engine {
        if own.iter().all(|limit| limit.name != *name) {
            own.push(Ulimit { name: (*name).to_owned(), soft: *soft, hard: *hard });
        }
    }
    own
}

pub(crate) fn with_engine_capabilities(mut own: Vec<String>, engine: &[&str]) -> Vec<String> {
    for name in engine {
        if own.iter().all(|other| other.strip_prefix("CAP_").unwrap_or(other) != *name) {
            own.push((*name).to_owned());
        }
    }
    own
}
