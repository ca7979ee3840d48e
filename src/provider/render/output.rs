//! Decided containers as JSON for people and programs, each field by name and nothing left out but notes to ourselves.

use crate::container::labels::without_ours;
use crate::container::{ContainerSpec, MountSource, Network};
use crate::dynamo::blueprint::{Blueprint, Planned, Readiness};
use serde::Serialize;
use std::collections::BTreeMap;

/// Everything that would be made, in the order in which it would be.
#[derive(Default, Serialize)]
pub(super) struct Output {
    networks: Vec<Made>,
    volumes: Vec<Made>,
    containers: Vec<Container>,
}

/// A network or volume.
#[derive(Serialize)]
struct Made {
    host: String,
    name: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    options: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Container {
    name: String,
    host: String,
    component: String,
    image: String,
    /// Empty = the image's own.
    entrypoint: Vec<String>,
    argv: Vec<String>,
    env: BTreeMap<String, String>,
    /// Names only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    secret_env: Vec<String>,
    user: Option<String>,
    labels: BTreeMap<String, String>,
    network: Net,
    networks: Vec<String>,
    ports: Vec<Port>,
    mounts: Vec<Volume>,
    gpus: Vec<String>,
    limits: Limits,
    shm_bytes: Option<u64>,
    ulimits: Vec<Limit>,
    extra_hosts: BTreeMap<String, String>,
    cap_add: Vec<String>,
    devices: Vec<String>,
    privileged: bool,
    ipc: &'static str,
    runtime: Option<String>,
    log: Option<Log>,
    restart: String,
    stop_grace_seconds: u32,
    ready_when: Ready,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Net {
    Host,
    Bridge { name: String, aliases: Vec<String> },
}

#[derive(Serialize)]
struct Port {
    address: String,
    host_port: u16,
    container_port: u16,
}

#[derive(Serialize)]
struct Volume {
    #[serde(skip_serializing_if = "Option::is_none")]
    host_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume: Option<String>,
    container_path: String,
    read_only: bool,
    /// Made where it is missing.
    create: bool,
}

#[derive(Serialize)]
struct Limits {
    nano_cpus: Option<u64>,
    memory_bytes: Option<u64>,
}

#[derive(Serialize)]
struct Limit {
    name: String,
    soft: i64,
    hard: i64,
}

#[derive(Serialize)]
struct Log {
    driver: Option<String>,
    options: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Ready {
    Answers { port: u16, path: String },
    Listed { frontend: String, model: String, namespace: String, component: String, endpoint: String },
}

impl Output {
    pub(super) fn add(&mut self, host: &str, blueprint: Blueprint) {
        let made = |name: &str, options: BTreeMap<String, String>| Made {
            host: host.to_owned(),
            name: name.to_owned(),
            options,
        };
        self.networks.extend(blueprint.network.map(|network| made(&network.name, BTreeMap::new())));
        self.volumes.extend(blueprint.volumes.into_iter().map(|volume| made(&volume.name, volume.options)));
        // What several share is made once.
        let there = |planned: &Planned| {
            self.containers.iter().any(|it| it.host == host && it.name == planned.spec.name)
        };
        let shared: Vec<Planned> = blueprint.shared.into_iter().filter(|it| !there(it)).collect();
        let all = shared.into_iter().chain(blueprint.containers);
        self.containers.extend(all.map(|planned| container(host, planned)));
    }
}

fn container(host: &str, planned: Planned) -> Container {
    let Planned { component, spec, ready } = planned;
    // Every field by name, so that a new one cannot be forgotten here.
    let ContainerSpec {
        name,
        image,
        entrypoint,
        command,
        env,
        secret_env,
        user,
        labels,
        mounts,
        ports,
        network,
        restart,
        limits,
        shm_bytes,
        ulimits,
        extra_hosts,
        cap_add,
        devices,
        gpus,
        ipc,
        privileged,
        runtime,
        log,
        networks,
        make_folders,
        stop_grace_seconds,
    } = spec;
    let volume = |mount: crate::container::Mount| {
        let (host_path, volume) = match mount.source {
            MountSource::HostPath(path) => (Some(path), None),
            MountSource::Volume(name) => (None, Some(name)),
        };
        let create = host_path.as_ref().is_some_and(|path| make_folders.contains(path));
        Volume { host_path, volume, container_path: mount.target, read_only: mount.read_only, create }
    };
    let port = |port: crate::container::PortBinding| Port {
        address: port.host_address,
        host_port: port.host_port,
        container_port: port.container_port,
    };
    Container {
        name,
        host: host.to_owned(),
        component,
        image,
        entrypoint,
        argv: command,
        env,
        secret_env: secret_env.values.into_keys().collect(),
        user,
        labels: without_ours(&labels),
        network: match network {
            Network::Host => Net::Host,
            Network::Bridge { name, aliases } => Net::Bridge { name, aliases },
        },
        networks,
        ports: ports.into_iter().map(port).collect(),
        mounts: mounts.into_iter().map(volume).collect(),
        gpus,
        limits: Limits { nano_cpus: limits.nano_cpus, memory_bytes: limits.memory_bytes },
        shm_bytes,
        ulimits: ulimits
            .into_iter()
            .map(|limit| Limit { name: limit.name, soft: limit.soft, hard: limit.hard })
            .collect(),
        extra_hosts,
        cap_add,
        devices,
        privileged,
        ipc: ipc.word(),
        runtime,
        log: log.map(|log| Log { driver: log.driver, options: log.options }),
        restart: restart.to_string(),
        stop_grace_seconds,
        ready_when: match ready {
            Readiness::Http { port, path } => Ready::Answers { port, path },
            Readiness::WorkerListed(listing) => Ready::Listed {
                frontend: listing.frontend,
                model: listing.served_model_name,
                namespace: listing.namespace,
                component: listing.component,
                endpoint: listing.endpoint,
            },
        },
    }
}
