//! Our words to the Engine's.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, ContainerUpdateBody, DeviceMapping, DeviceRequest, EndpointSettings, HostConfig,
    HostConfigLogConfig, Mount as EngineMount, MountType, NetworkingConfig, PortBinding as EnginePort,
    ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};

use crate::container::spelling::{DEFAULT_SHM_BYTES, device_parts};
use crate::container::{
    ContainerSpec, Limits, Log, Mount, MountSource, Network, PortBinding, Restart, Ulimit, labels,
};
use crate::inventory::ImageFacts;

/// The body of a create request. The name is not part of it: it travels in the URL. `made` is the container's token, and
/// `image` is what is known of its image.
pub(in crate::hosts) fn create_body(
    spec: &ContainerSpec,
    made: &str,
    image: Option<&ImageFacts>,
) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        entrypoint: non_empty(&spec.entrypoint),
        cmd: non_empty(&spec.command),
        env: Some(environment(spec)),
        user: spec.user.clone(),
        labels: Some(all_labels(spec, made, image)),
        exposed_ports: Some(published(spec).iter().map(|port| tcp(port.container_port)).collect()),
        stop_timeout: Some(i64::from(spec.stop_grace_seconds)),
        networking_config: networking(&spec.network),
        host_config: Some(host_config(spec)),
        ..Default::default()
    }
}

/// The Engine publishes nothing on the host's own network, and newer ones complain if told to.
fn published(spec: &ContainerSpec) -> &[PortBinding] {
    if spec.network == Network::Host { &[] } else { &spec.ports }
}

/// What is listened at on the host's own network, and what the Engine mixes with its own defaults, is written where it can
/// be read again.
fn all_labels(spec: &ContainerSpec, made: &str, image: Option<&ImageFacts>) -> HashMap<String, String> {
    let mut all = spec.labels.clone();
    all.insert(labels::MADE.to_owned(), made.to_owned());
    if spec.network == Network::Host && !spec.ports.is_empty() {
        all.insert(labels::PORTS.to_owned(), labels::ports_text(&spec.ports));
    }
    let asked = labels::asked_text(spec);
    if !asked.is_empty() {
        all.insert(labels::ASKED.to_owned(), asked);
    }
    if !spec.secret_env.values.is_empty() {
        all.insert(labels::SECRET_ENV.to_owned(), spec.secret_env.names_text());
        let version = spec.secret_env.version.clone();
        all.extend(version.map(|version| (labels::SECRET_ENV_VERSION.to_owned(), version)));
    }
    let mut labels: HashMap<_, _> = all.clone().into_iter().collect();
    if let Some(image) = image {
        let foreign = labels::not_inherited(&all, &image.labels);
        labels.extend(foreign.map(|key| (key.to_owned(), String::new())));
    }
    labels
}

fn environment(spec: &ContainerSpec) -> Vec<String> {
    let secret = spec.secret_env.values.iter().map(|(key, value)| (key, value.reveal()));
    let all = spec.env.iter().map(|(key, value)| (key, value.as_str())).chain(secret);
    all.map(|(key, value)| format!("{key}={value}")).collect()
}

fn host_config(spec: &ContainerSpec) -> HostConfig {
    let Limits { nano_cpus, memory_bytes } = spec.limits;
    HostConfig {
        // A process that is PID 1 without an init ignores SIGTERM unless it handles it, and leaves zombies.
        init: Some(true),
        // A mount demands that its source is there; a bind makes a folder of it otherwise.
        mounts: Some(spec.mounts.iter().filter(|mount| !is_made(spec, mount)).map(engine_mount).collect()),
        binds: Some(
            spec.mounts.iter().filter(|mount| is_made(spec, mount)).filter_map(engine_bind).collect(),
        ),
        port_bindings: Some(port_bindings(published(spec))),
        network_mode: Some(network_mode(&spec.network)),
        restart_policy: Some(engine_restart(spec.restart)),
        nano_cpus: nano_cpus.map(signed),
        memory: memory_bytes.map(signed),
        // Equal to the memory limit = no swap on top.
        memory_swap: memory_bytes.map(signed),
        shm_size: Some(signed(spec.shm_bytes.unwrap_or(DEFAULT_SHM_BYTES))),
        ulimits: Some(spec.ulimits.iter().map(engine_ulimit).collect()),
        extra_hosts: Some(
            spec.extra_hosts.iter().map(|(name, address)| format!("{name}:{address}")).collect(),
        ),
        cap_add: Some(spec.cap_add.clone()),
        devices: Some(spec.devices.iter().map(|device| engine_device(device)).collect()),
        device_requests: Some(gpu_request(&spec.gpus).into_iter().collect()),
        ipc_mode: Some(spec.ipc.word().to_owned()),
        privileged: Some(spec.privileged),
        runtime: spec.runtime.clone(),
        log_config: spec.log.as_ref().map(engine_log),
        ..Default::default()
    }
}

/// The body of an update in place. The Engine takes an absent limit for "as it is": a limit cannot be lifted this way.
pub(in crate::hosts) fn update_body(limits: &Limits, restart: Restart) -> ContainerUpdateBody {
    ContainerUpdateBody {
        nano_cpus: limits.nano_cpus.map(signed),
        memory: limits.memory_bytes.map(signed),
        memory_swap: limits.memory_bytes.map(signed),
        restart_policy: Some(engine_restart(restart)),
        ..Default::default()
    }
}

fn non_empty(words: &[String]) -> Option<Vec<String>> {
    (!words.is_empty()).then(|| words.to_vec())
}

fn tcp(port: u16) -> String {
    format!("{port}/tcp")
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn engine_mount(mount: &Mount) -> EngineMount {
    let (typ, source) = match &mount.source {
        MountSource::HostPath(path) => (MountType::BIND, path),
        MountSource::Volume(name) => (MountType::VOLUME, name),
    };
    EngineMount {
        typ: Some(typ),
        source: Some(source.clone()),
        target: Some(mount.target.clone()),
        read_only: Some(mount.read_only),
        ..Default::default()
    }
}

/// Whether the source of a mount is to be made where it is missing.
fn is_made(spec: &ContainerSpec, mount: &Mount) -> bool {
    matches!(&mount.source, MountSource::HostPath(path) if spec.make_folders.contains(path))
}

/// `source:target[:ro]`. Neither path has a colon in it.
fn engine_bind(mount: &Mount) -> Option<String> {
    let MountSource::HostPath(path) = &mount.source else { return None };
    let mode = if mount.read_only { ":ro" } else { "" };
    Some(format!("{path}:{}{mode}", mount.target))
}

fn engine_log(log: &Log) -> HostConfigLogConfig {
    HostConfigLogConfig { typ: log.driver.clone(), config: Some(log.options.clone().into_iter().collect()) }
}

fn port_bindings(ports: &[PortBinding]) -> HashMap<String, Option<Vec<EnginePort>>> {
    let mut bindings: HashMap<String, Option<Vec<EnginePort>>> = HashMap::new();
    for port in ports {
        let binding = EnginePort {
            host_ip: Some(port.host_address.clone()),
            host_port: Some(port.host_port.to_string()),
        };
        bindings.entry(tcp(port.container_port)).or_default().get_or_insert_default().push(binding);
    }
    bindings
}

fn network_mode(network: &Network) -> String {
    match network {
        Network::Host => "host".to_owned(),
        Network::Bridge { name, .. } => name.clone(),
    }
}

fn networking(network: &Network) -> Option<NetworkingConfig> {
    let Network::Bridge { name, aliases } = network else { return None };
    let endpoint = EndpointSettings { aliases: Some(aliases.clone()), ..Default::default() };
    Some(NetworkingConfig { endpoints_config: Some(HashMap::from([(name.clone(), endpoint)])) })
}

fn engine_restart(restart: Restart) -> RestartPolicy {
    let (name, retries) = match restart {
        Restart::No => (RestartPolicyNameEnum::NO, None),
        Restart::UnlessStopped => (RestartPolicyNameEnum::UNLESS_STOPPED, None),
        Restart::Always => (RestartPolicyNameEnum::ALWAYS, None),
        Restart::OnFailure(retries) => (RestartPolicyNameEnum::ON_FAILURE, Some(i64::from(retries))),
    };
    RestartPolicy { name: Some(name), maximum_retry_count: retries }
}

fn engine_ulimit(limit: &Ulimit) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(limit.name.clone()), soft: Some(limit.soft), hard: Some(limit.hard) }
}

fn engine_device(device: &str) -> DeviceMapping {
    let (on_host, in_container, permissions) = device_parts(device);
    DeviceMapping {
        path_on_host: Some(on_host.to_owned()),
        path_in_container: Some(in_container.to_owned()),
        cgroup_permissions: Some(permissions.to_owned()),
    }
}

fn gpu_request(gpus: &[String]) -> Option<DeviceRequest> {
    let capabilities = Some(vec![vec!["gpu".to_owned()]]);
    (!gpus.is_empty()).then(|| DeviceRequest {
        device_ids: Some(gpus.to_vec()),
        capabilities,
        ..Default::default()
    })
}
