//! Options of `docker run` that users set: a deployment's hold for all its containers, and a worker's go over them.
//!
//! Both ways out of [`DockerOptions`] name every field, so that an option cannot be forgotten between the block `docker`
//! and a container: [`DockerOptions::under`] puts a worker's over its deployment's, and [`ContainerSpec`] is made from them.

use crate::container::spelling::device_target;
use crate::container::{ContainerSpec, Ipc, Log, Mount, Restart, Ulimit};
use std::collections::BTreeMap;

/// The options of `docker run` that users set, by the block `docker`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DockerOptions {
    /// In the order written. Bind mounts only.
    pub volumes: Vec<Mount>,
    /// Host name → address or `host-gateway`.
    pub extra_hosts: BTreeMap<String, String>,
    pub shm_bytes: Option<u64>,
    /// In the order written; one per name.
    pub ulimits: Vec<Ulimit>,
    pub labels: BTreeMap<String, String>,
    /// Host folders among `volumes` that are made where they are missing, sorted.
    pub make_folders: Vec<String>,
    /// Networks to be in beside the deployment's.
    pub networks: Vec<String>,
    pub cap_add: Vec<String>,
    /// `host[:container[:permissions]]`, in the shortest spelling.
    pub devices: Vec<String>,
    pub privileged: Option<bool>,
    pub ipc: Option<Ipc>,
    pub runtime: Option<String>,
    pub log: Option<Log>,
    /// `None` = unless stopped.
    pub restart: Option<Restart>,
    /// `None` = what the release needs.
    pub stop_grace_seconds: Option<u32>,
}

impl DockerOptions {
    /// The options with a worker's over them: a volume or device with the same path in the container, a limit of the
    /// same name, a key of a map and the log as a whole are replaced, and the rest is added.
    pub(in crate::dynamo) fn under(&self, own: &Self) -> Self {
        let map = |base: &BTreeMap<String, String>, own: &BTreeMap<String, String>| {
            base.iter().chain(own).map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        // No `..`: an option that is forgotten here does not compile.
        Self {
            volumes: replaced(&self.volumes, &own.volumes, |volume| &volume.target),
            extra_hosts: map(&self.extra_hosts, &own.extra_hosts),
            shm_bytes: own.shm_bytes.or(self.shm_bytes),
            ulimits: replaced(&self.ulimits, &own.ulimits, |limit| &limit.name),
            labels: map(&self.labels, &own.labels),
            make_folders: together(&self.make_folders, &own.make_folders),
            networks: together(&self.networks, &own.networks),
            cap_add: together(&self.cap_add, &own.cap_add),
            devices: replaced(&self.devices, &own.devices, |device| device_target(device)),
            privileged: own.privileged.or(self.privileged),
            ipc: own.ipc.or(self.ipc),
            runtime: own.runtime.clone().or_else(|| self.runtime.clone()),
            log: own.log.clone().or_else(|| self.log.clone()),
            restart: own.restart.or(self.restart),
            stop_grace_seconds: own.stop_grace_seconds.or(self.stop_grace_seconds),
        }
    }
}

/// Those that no own one replaces, and then the own ones. Two of one `key` are the same thing.
fn replaced<T: Clone>(base: &[T], own: &[T], key: fn(&T) -> &str) -> Vec<T> {
    let kept = base.iter().filter(|item| own.iter().all(|new| key(new) != key(item)));
    kept.chain(own).cloned().collect()
}

/// Each once, in the order written.
fn together(base: &[String], own: &[String]) -> Vec<String> {
    base.iter().chain(own.iter().filter(|item| !base.contains(item))).cloned().collect()
}

/// A container with the options and nothing else. Labels, mounts and networks of the provider's own come on top, and the
/// grace is the release's where users set none.
impl From<&DockerOptions> for ContainerSpec {
    fn from(options: &DockerOptions) -> Self {
        let DockerOptions {
            volumes,
            extra_hosts,
            shm_bytes,
            ulimits,
            labels,
            make_folders,
            networks,
            cap_add,
            devices,
            privileged,
            ipc,
            runtime,
            log,
            restart,
            stop_grace_seconds,
        } = options.clone();
        Self {
            labels,
            mounts: volumes,
            restart: restart.unwrap_or(Restart::UnlessStopped),
            shm_bytes,
            ulimits,
            extra_hosts,
            cap_add,
            devices,
            ipc: ipc.unwrap_or_default(),
            privileged: privileged.unwrap_or(false),
            runtime,
            log,
            networks,
            make_folders,
            stop_grace_seconds: stop_grace_seconds.unwrap_or_default(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::MountSource;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn volume(source: &str, target: &str) -> Mount {
        let source = MountSource::HostPath(source.to_owned());
        Mount { source, target: target.to_owned(), read_only: false }
    }

    #[test]
    fn a_workers_options_replace_what_they_name_again() {
        let limit = |soft| Ulimit { name: "nofile".to_owned(), soft, hard: soft };
        let base = DockerOptions {
            volumes: vec![volume("/a", "/x"), volume("/b", "/y")],
            ulimits: vec![limit(1)],
            shm_bytes: Some(1),
            cap_add: words(&["IPC_LOCK"]),
            devices: words(&["/dev/a:/dev/x", "/dev/b"]),
            privileged: Some(true),
            log: Some(Log { driver: None, options: [("tag".to_owned(), "a".to_owned())].into() }),
            restart: Some(Restart::Always),
            stop_grace_seconds: Some(5),
            ..DockerOptions::default()
        };
        let own = DockerOptions {
            volumes: vec![volume("/c", "/x")],
            ulimits: vec![limit(2)],
            cap_add: words(&["IPC_LOCK", "SYS_NICE"]),
            devices: words(&["/dev/c:/dev/x:r"]),
            privileged: Some(false),
            log: Some(Log { driver: Some("local".to_owned()), options: BTreeMap::new() }),
            stop_grace_seconds: Some(9),
            ..DockerOptions::default()
        };
        let all = base.under(&own);
        assert_eq!(all.volumes, [volume("/b", "/y"), volume("/c", "/x")]);
        assert_eq!(all.ulimits, [limit(2)]);
        assert_eq!(all.shm_bytes, Some(1));
        assert_eq!(all.cap_add, words(&["IPC_LOCK", "SYS_NICE"]));
        assert_eq!(all.devices, words(&["/dev/b", "/dev/c:/dev/x:r"]));
        assert_eq!((all.privileged, &all.log), (Some(false), &own.log));
        assert_eq!((all.restart, all.stop_grace_seconds), (Some(Restart::Always), Some(9)));
    }
}
