//! Our words to the Engine's JSON and back; nothing else in the program knows both.
//!
//! The Engine normalises what it is given: it adds an alias to every network, defaults to `/dev/shm`, a prefix to
//! capabilities. Read naively, that would show up as drift. So [`observed`] gives back exactly the [`ContainerSpec`]
//! that [`create_body`] was given, in a canonical spelling, and the tests hold that for recorded answers of real
//! Engines. Fields that a spec does not have (set by whoever made a container that is not ours) are dropped.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, ContainerState, ContainerStateStatusEnum,
    ContainerUpdateBody, DeviceMapping, DeviceRequest, EndpointSettings, HealthStatusEnum, HostConfig,
    ImageInspect, Mount as EngineMount, MountType, NetworkingConfig, PortBinding as EnginePort,
    ResourcesUlimits, RestartPolicy, RestartPolicyNameEnum,
};

use super::image_defaults;
use crate::container::{
    ContainerSpec, Limits, Mount, MountSource, Network, ObservedContainer, PortBinding, Restart, RunState,
    Ulimit,
};
use crate::inventory::ImageFacts;

/// What the Engine gives `/dev/shm` unless told: 64 MiB. Always sent, since a daemon may be configured otherwise.
const DEFAULT_SHM_BYTES: u64 = 64 << 20;
/// The Engine's own time between SIGTERM and SIGKILL.
const DEFAULT_GRACE_SECONDS: u32 = 10;

// ---- to the Engine ---------------------------------------------------------------------------------------------

/// The body of a create request. The name is not part of it: it travels in the URL.
pub(in crate::hosts) fn create_body(spec: &ContainerSpec) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        entrypoint: non_empty(&spec.entrypoint),
        cmd: non_empty(&spec.command),
        env: Some(spec.env.iter().map(|(key, value)| format!("{key}={value}")).collect()),
        user: spec.user.clone(),
        labels: Some(spec.labels.clone().into_iter().collect()),
        exposed_ports: Some(spec.ports.iter().map(|port| tcp(port.container_port)).collect()),
        stop_timeout: Some(i64::from(spec.stop_grace_seconds)),
        networking_config: networking(&spec.network),
        host_config: Some(host_config(spec)),
        ..Default::default()
    }
}

fn host_config(spec: &ContainerSpec) -> HostConfig {
    let Limits { nano_cpus, memory_bytes } = spec.limits;
    HostConfig {
        // A process that is PID 1 without an init ignores SIGTERM unless it handles it, and leaves zombies.
        init: Some(true),
        mounts: Some(spec.mounts.iter().map(engine_mount).collect()),
        port_bindings: Some(port_bindings(&spec.ports)),
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
        ipc_mode: spec.ipc_host.then(|| "host".to_owned()),
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
    let name = match restart {
        Restart::No => RestartPolicyNameEnum::NO,
        Restart::UnlessStopped => RestartPolicyNameEnum::UNLESS_STOPPED,
        Restart::Always => RestartPolicyNameEnum::ALWAYS,
        Restart::OnFailure => RestartPolicyNameEnum::ON_FAILURE,
    };
    RestartPolicy { name: Some(name), maximum_retry_count: None }
}

fn engine_ulimit(limit: &Ulimit) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(limit.name.clone()), soft: Some(limit.soft), hard: Some(limit.hard) }
}

/// `host[:container[:permissions]]`, as `docker run --device`.
fn engine_device(device: &str) -> DeviceMapping {
    let mut parts = device.splitn(3, ':');
    let on_host = parts.next().unwrap_or_default().to_owned();
    let in_container = parts.next().map_or_else(|| on_host.clone(), str::to_owned);
    DeviceMapping {
        path_on_host: Some(on_host),
        path_in_container: Some(in_container),
        cgroup_permissions: Some(parts.next().unwrap_or("rwm").to_owned()),
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

// ---- from the Engine -------------------------------------------------------------------------------------------

/// What the Engine says about a container, in our words. With `image` (the facts of the image that it runs), what
/// comes from the image and not from the container's own configuration is subtracted.
pub(in crate::hosts) fn observed(
    inspect: ContainerInspectResponse,
    image: Option<&ImageFacts>,
) -> ObservedContainer {
    let id = inspect.id.unwrap_or_default();
    let config = inspect.config.unwrap_or_default();
    let host = inspect.host_config.unwrap_or_default();
    let state = inspect.state.unwrap_or_default();
    let networks = inspect.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
    let network = seen_network(host.network_mode.as_deref().unwrap_or_default(), &networks, &id);

    let mut spec = ContainerSpec {
        name: inspect.name.unwrap_or_default().trim_start_matches('/').to_owned(),
        image: config.image.unwrap_or_default(),
        entrypoint: config.entrypoint.unwrap_or_default(),
        command: config.cmd.unwrap_or_default(),
        env: config.env.unwrap_or_default().iter().map(|entry| environment_entry(entry)).collect(),
        user: config.user.filter(|user| !user.is_empty()),
        labels: config.labels.unwrap_or_default().into_iter().collect(),
        stop_grace_seconds: config
            .stop_timeout
            .and_then(|seconds| u32::try_from(seconds).ok())
            .unwrap_or(DEFAULT_GRACE_SECONDS),
        network,
        ..seen_host_config(&host)
    };
    if let Some(image) = image {
        image_defaults::subtract(&mut spec, image);
    }
    let ip_address = match &spec.network {
        Network::Host => None,
        Network::Bridge { name, .. } => {
            networks.get(name).and_then(|end| end.ip_address.clone()).filter(|address| !address.is_empty())
        }
    };
    let mut networks: Vec<String> = networks.into_keys().collect();
    networks.sort_unstable();
    ObservedContainer {
        id,
        spec,
        image_id: inspect.image.unwrap_or_default(),
        health: state.health.as_ref().and_then(|health| seen_health(health.status)),
        started_at: started(&state),
        state: run_state(&state),
        restart_count: inspect.restart_count.and_then(|count| u32::try_from(count).ok()).unwrap_or_default(),
        ip_address,
        networks,
    }
}

/// The part of a spec that lives in the Engine's `HostConfig`.
fn seen_host_config(host: &HostConfig) -> ContainerSpec {
    let mut extra_hosts = BTreeMap::new();
    for entry in host.extra_hosts.iter().flatten() {
        if let Some((name, address)) = entry.split_once(':') {
            extra_hosts.insert(name.to_owned(), address.to_owned());
        }
    }
    ContainerSpec {
        mounts: seen_mounts(host),
        ports: seen_ports(host),
        restart: seen_restart(host.restart_policy.as_ref()),
        limits: Limits { nano_cpus: positive(host.nano_cpus), memory_bytes: positive(host.memory) },
        shm_bytes: positive(host.shm_size).filter(|bytes| *bytes != DEFAULT_SHM_BYTES),
        ulimits: seen_ulimits(host),
        extra_hosts,
        cap_add: sorted(host.cap_add.iter().flatten().map(|capability| canonical_capability(capability))),
        devices: sorted(host.devices.iter().flatten().map(seen_device)),
        gpus: sorted(host.device_requests.iter().flatten().flat_map(seen_gpus)),
        ipc_host: host.ipc_mode.as_deref() == Some("host"),
        ..Default::default()
    }
}

/// A spec in the spelling in which [`observed`] gives one back, so that the two can be compared with `==`.
pub fn canonical(spec: &ContainerSpec) -> ContainerSpec {
    let mut spec = ContainerSpec {
        shm_bytes: spec.shm_bytes.filter(|bytes| *bytes != DEFAULT_SHM_BYTES),
        user: spec.user.clone().filter(|user| !user.is_empty()),
        cap_add: sorted(spec.cap_add.iter().map(|capability| canonical_capability(capability))),
        devices: sorted(spec.devices.iter().map(|device| seen_device(&engine_device(device)))),
        gpus: sorted(spec.gpus.iter().cloned()),
        mounts: sorted(spec.mounts.iter().cloned()),
        ports: sorted(spec.ports.iter().cloned()),
        ulimits: sorted(spec.ulimits.iter().cloned()),
        ..spec.clone()
    };
    if let Network::Bridge { aliases, .. } = &mut spec.network {
        aliases.sort_unstable();
        aliases.dedup();
    }
    spec
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items.dedup();
    items
}

/// 0 and -1 are the Engine's spellings of "no limit".
fn positive(value: Option<i64>) -> Option<u64> {
    value.and_then(|value| u64::try_from(value).ok()).filter(|value| *value > 0)
}

/// `KEY=value`; `KEY` alone is a key without a value.
fn environment_entry(entry: &str) -> (String, String) {
    let (key, value) = entry.split_once('=').unwrap_or((entry, ""));
    (key.to_owned(), value.to_owned())
}

/// Mounts as we ask for them, and binds (`source:target[:options]`), as `docker run -v` does.
fn seen_mounts(host: &HostConfig) -> Vec<Mount> {
    let source = |text: &str| {
        if text.starts_with('/') {
            MountSource::HostPath(text.to_owned())
        } else {
            MountSource::Volume(text.to_owned())
        }
    };
    let mounts = host.mounts.iter().flatten().filter_map(|mount| {
        let named = mount.source.clone()?;
        let source = match mount.typ? {
            MountType::BIND => MountSource::HostPath(named),
            MountType::VOLUME => MountSource::Volume(named),
            _ => return None,
        };
        Some(Mount { source, target: mount.target.clone()?, read_only: mount.read_only.unwrap_or(false) })
    });
    let binds = host.binds.iter().flatten().filter_map(|bind| {
        let mut parts = bind.splitn(3, ':');
        let (from, target, options) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
        let read_only = options.split(',').any(|option| option == "ro");
        Some(Mount { source: source(from), target: target.to_owned(), read_only })
    });
    sorted(mounts.chain(binds))
}

fn seen_ports(host: &HostConfig) -> Vec<PortBinding> {
    let bindings = host.port_bindings.iter().flatten();
    sorted(bindings.flat_map(|(port, on_host)| {
        let container_port = port.strip_suffix("/tcp").and_then(|port| port.parse().ok());
        on_host.iter().flatten().filter_map(move |binding| {
            let address = binding.host_ip.clone().filter(|address| !address.is_empty());
            Some(PortBinding {
                container_port: container_port?,
                host_address: address.unwrap_or_else(|| "0.0.0.0".to_owned()),
                // Absent = the Engine picks one at each start.
                host_port: binding.host_port.as_deref()?.parse().ok()?,
            })
        })
    }))
}

/// The Engine adds the first 12 digits of the container's id to the aliases.
fn seen_network(mode: &str, networks: &HashMap<String, EndpointSettings>, id: &str) -> Network {
    if mode == "host" {
        return Network::Host;
    }
    let name = if mode == "default" { "bridge" } else { mode };
    let aliases = networks.get(name).and_then(|end| end.aliases.clone()).unwrap_or_default();
    let ours = aliases.into_iter().filter(|alias| alias.is_empty() || !id.starts_with(alias.as_str()));
    Network::Bridge { name: name.to_owned(), aliases: sorted(ours) }
}

fn seen_restart(policy: Option<&RestartPolicy>) -> Restart {
    match policy.and_then(|policy| policy.name) {
        Some(RestartPolicyNameEnum::UNLESS_STOPPED) => Restart::UnlessStopped,
        Some(RestartPolicyNameEnum::ALWAYS) => Restart::Always,
        Some(RestartPolicyNameEnum::ON_FAILURE) => Restart::OnFailure,
        Some(RestartPolicyNameEnum::NO | RestartPolicyNameEnum::EMPTY) | None => Restart::No,
    }
}

fn seen_ulimits(host: &HostConfig) -> Vec<Ulimit> {
    sorted(
        host.ulimits.iter().flatten().filter_map(|limit| {
            Some(Ulimit { name: limit.name.clone()?, soft: limit.soft?, hard: limit.hard? })
        }),
    )
}

/// Newer Engines write `CAP_IPC_LOCK` for `IPC_LOCK`.
fn canonical_capability(name: &str) -> String {
    let upper = name.to_ascii_uppercase();
    upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned()
}

/// The shortest spelling: parts that say what is the default anyway are left out.
fn seen_device(device: &DeviceMapping) -> String {
    let on_host = device.path_on_host.clone().unwrap_or_default();
    let in_container = device.path_in_container.clone().unwrap_or_else(|| on_host.clone());
    let permissions = device.cgroup_permissions.as_deref().unwrap_or("rwm");
    match (in_container == on_host, permissions == "rwm") {
        (true, true) => on_host,
        (false, true) => format!("{on_host}:{in_container}"),
        (_, false) => format!("{on_host}:{in_container}:{permissions}"),
    }
}

/// The GPUs of a device request: ids as they were written, `all`, or, for a count, the indexes 0 to count - 1, which
/// is how the NVIDIA runtime reads a count.
fn seen_gpus(request: &DeviceRequest) -> Vec<String> {
    let asks_for_gpus = request.capabilities.iter().flatten().flatten().any(|word| word == "gpu");
    let ids = request.device_ids.clone().unwrap_or_default();
    match (asks_for_gpus, ids.is_empty(), request.count.unwrap_or(0)) {
        (false, _, _) => Vec::new(),
        (true, false, _) => ids,
        (true, true, -1) => vec!["all".to_owned()],
        (true, true, count) => (0..count).map(|index| index.to_string()).collect(),
    }
}

fn run_state(state: &ContainerState) -> RunState {
    let exit_code = state.exit_code.unwrap_or_default();
    match state.status {
        Some(ContainerStateStatusEnum::RUNNING | ContainerStateStatusEnum::STOPPING) => RunState::Running,
        Some(ContainerStateStatusEnum::PAUSED) => RunState::Paused,
        Some(ContainerStateStatusEnum::RESTARTING) => RunState::Restarting { exit_code },
        Some(ContainerStateStatusEnum::EXITED) => {
            RunState::Exited { exit_code, oom_killed: state.oom_killed.unwrap_or(false) }
        }
        Some(ContainerStateStatusEnum::REMOVING) => RunState::Removing,
        Some(ContainerStateStatusEnum::DEAD) => RunState::Dead,
        // A start that was refused (port taken, no such program) leaves the container "created".
        Some(ContainerStateStatusEnum::CREATED | ContainerStateStatusEnum::EMPTY) | None => RunState::Created,
    }
}

fn seen_health(status: Option<HealthStatusEnum>) -> Option<String> {
    match status? {
        HealthStatusEnum::STARTING => Some("starting".to_owned()),
        HealthStatusEnum::HEALTHY => Some("healthy".to_owned()),
        HealthStatusEnum::UNHEALTHY => Some("unhealthy".to_owned()),
        HealthStatusEnum::NONE | HealthStatusEnum::EMPTY => None,
    }
}

/// The Engine writes year 1 for "never".
fn started(state: &ContainerState) -> String {
    state.started_at.clone().filter(|at| !at.starts_with("0001-")).unwrap_or_default()
}

/// Facts of an image.
pub(in crate::hosts) fn image_facts(inspect: ImageInspect) -> ImageFacts {
    let config = inspect.config.unwrap_or_default();
    ImageFacts {
        id: inspect.id.unwrap_or_default(),
        size_bytes: positive(inspect.size).unwrap_or_default(),
        env: config.env.unwrap_or_default(),
        user: config.user.unwrap_or_default(),
        labels: config.labels.unwrap_or_default().into_iter().collect(),
        entrypoint: config.entrypoint.unwrap_or_default(),
        command: config.cmd.unwrap_or_default(),
    }
}
