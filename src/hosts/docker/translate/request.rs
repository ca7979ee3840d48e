//! Our words to the Engine's.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerCreateBody, ContainerUpdateBody, DeviceMapping, DeviceRequest, EndpointSettings, HostConfig,
    HostConfigLogConfig, Mount as EngineMount, MountType, NetworkingConfig, PortBinding as EnginePort,
    ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};

use crate::container::spelling::{DEFAULT_SHM_BYTES, device_parts};
use crate::container::{
    ContainerSpec, Limits, Log, Mount, MountSource, Network, PortBinding, Restart, SecretEnv, Ulimit, labels,
};
use crate::inventory::ImageFacts;

/// The body of a create request. Nothing of a container is left for the Engine to choose. `made` is the container's token,
/// and `facts` is what is known of its image.
pub(in crate::hosts) fn create_body(
    spec: &ContainerSpec,
    made: &str,
    facts: Option<&ImageFacts>,
) -> ContainerCreateBody {
    // Named one by one: a new field of a container does not compile until it is asked for here.
    let ContainerSpec {
        name: _, // in the URL
        image,
        entrypoint,
        command,
        env,
        secret_env,
        user,
        labels: _, // with others, see `all_labels`
        mounts,
        ports: _, // as `published` says
        network,
        restart,
        limits: Limits { nano_cpus, memory_bytes },
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
        networks: _, // joined before the start
        make_folders,
        stop_grace_seconds,
    } = spec;
    let published = published(spec);
    let (bound, others): (Vec<&Mount>, Vec<&Mount>) =
        mounts.iter().partition(|mount| is_made(make_folders, mount));
    let host_config = HostConfig {
        // A process that is PID 1 without an init ignores SIGTERM unless it handles it, and leaves zombies.
        init: Some(true),
        // A mount demands that its source is there; a bind makes a folder of it otherwise.
        mounts: Some(others.into_iter().map(engine_mount).collect()),
        binds: Some(bound.into_iter().filter_map(engine_bind).collect()),
        port_bindings: Some(port_bindings(published)),
        network_mode: Some(network_mode(network)),
        restart_policy: Some(engine_restart(*restart)),
        nano_cpus: nano_cpus.map(signed),
        memory: memory_bytes.map(signed),
        // Equal to the memory limit = no swap on top.
        memory_swap: memory_bytes.map(signed),
        shm_size: Some(signed(shm_bytes.unwrap_or(DEFAULT_SHM_BYTES))),
        ulimits: Some(ulimits.iter().map(engine_ulimit).collect()),
        extra_hosts: Some(extra_hosts.iter().map(|(name, address)| format!("{name}:{address}")).collect()),
        cap_add: Some(cap_add.clone()),
        devices: Some(devices.iter().map(|device| engine_device(device)).collect()),
        device_requests: Some(gpu_request(gpus).into_iter().collect()),
        ipc_mode: Some(ipc.word().to_owned()),
        privileged: Some(*privileged),
        runtime: runtime.clone(),
        log_config: log.as_ref().map(engine_log),
        ..Default::default()
    };
    ContainerCreateBody {
        image: Some(image.clone()),
        entrypoint: non_empty(entrypoint),
        cmd: non_empty(command),
        env: Some(environment(env, secret_env)),
        user: user.clone(),
        labels: Some(all_labels(spec, made, facts)),
        exposed_ports: Some(published.iter().map(|port| tcp(port.container_port)).collect()),
        stop_timeout: Some(i64::from(*stop_grace_seconds)),
        networking_config: networking(network),
        host_config: Some(host_config),
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

fn environment(env: &BTreeMap<String, String>, secret_env: &SecretEnv) -> Vec<String> {
    let secret = secret_env.values.iter().map(|(key, value)| (key, value.reveal()));
    let all = env.iter().map(|(key, value)| (key, value.as_str())).chain(secret);
    all.map(|(key, value)| format!("{key}={value}")).collect()
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
fn is_made(make_folders: &[String], mount: &Mount) -> bool {
    matches!(&mount.source, MountSource::HostPath(path) if make_folders.contains(path))
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
