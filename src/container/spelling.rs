//! The one spelling of a container's options.
//!
//! The Engine spells some of what it is given in another way, and lists have no order. So a spec is compared in its
//! canonical spelling, which is also the one in which `hosts` reports a container.

use super::spec::{ContainerSpec, Network};

/// What the Engine gives `/dev/shm` unless told: 64 MiB. Always sent, since a daemon may be configured otherwise.
pub const DEFAULT_SHM_BYTES: u64 = 64 << 20;

/// What a container may do with a device unless it is said: read, write, and make its file (`mknod`).
pub const ALL_PERMISSIONS: &str = "rwm";

/// A spec in its canonical spelling, so that two can be compared with `==`.
pub fn canonical(spec: &ContainerSpec) -> ContainerSpec {
    let mut spec = ContainerSpec {
        shm_bytes: spec.shm_bytes.filter(|bytes| *bytes != DEFAULT_SHM_BYTES),
        user: spec.user.clone().filter(|user| !user.is_empty()),
        cap_add: sorted(spec.cap_add.iter().map(|capability| canonical_capability(capability))),
        devices: sorted(spec.devices.iter().map(|device| {
            let (on_host, in_container, permissions) = device_parts(device);
            shortest_device(on_host, in_container, permissions)
        })),
        gpus: sorted(spec.gpus.iter().cloned()),
        mounts: sorted(spec.mounts.iter().cloned()),
        ports: sorted(spec.ports.iter().cloned()),
        ulimits: sorted(spec.ulimits.iter().cloned()),
        networks: sorted(spec.networks.iter().cloned()),
        make_folders: Vec::new(),
        log: spec.log.clone().filter(|log| log.driver.is_some() || !log.options.is_empty()),
        ..spec.clone()
    };
    if let Network::Bridge { aliases, .. } = &mut spec.network {
        aliases.sort_unstable();
        aliases.dedup();
    }
    spec
}

/// A list in which order and repetition say nothing.
pub fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items.dedup();
    items
}

/// A capability without `CAP_`: newer Engines write `CAP_IPC_LOCK` for `IPC_LOCK`.
pub fn canonical_capability(name: &str) -> String {
    let upper = name.to_ascii_uppercase();
    upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned()
}

/// The parts of `host[:container[:permissions]]`, as `docker run --device` takes it, with what is left out said.
pub fn device_parts(device: &str) -> (&str, &str, &str) {
    let mut parts = device.splitn(3, ':');
    let on_host = parts.next().unwrap_or_default();
    let in_container = parts.next().unwrap_or(on_host);
    (on_host, in_container, parts.next().unwrap_or(ALL_PERMISSIONS))
}

/// Where a device is in the container.
pub fn device_target(device: &str) -> &str {
    device.split(':').nth(1).unwrap_or(device)
}

/// The shortest spelling of a device: parts that say what is the default anyway are left out.
pub fn shortest_device(on_host: &str, in_container: &str, permissions: &str) -> String {
    match (in_container == on_host, permissions == ALL_PERMISSIONS) {
        (true, true) => on_host.to_owned(),
        (false, true) => format!("{on_host}:{in_container}"),
        (_, false) => format!("{on_host}:{in_container}:{permissions}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_one_spelling() {
        let table = [
            ("/dev/a", "/dev/a"),
            ("/dev/a:/dev/a", "/dev/a"),
            ("/dev/a:/dev/a:rwm", "/dev/a"),
            ("/dev/a:/dev/b", "/dev/a:/dev/b"),
            ("/dev/a:/dev/a:r", "/dev/a:/dev/a:r"),
        ];
        for (given, shortest) in table {
            let (on_host, in_container, permissions) = device_parts(given);
            assert_eq!(shortest_device(on_host, in_container, permissions), shortest);
        }
    }
}
