//! The Engine's words to ours.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerInspectResponse, ContainerState, ContainerStateStatusEnum, DeviceMapping, DeviceRequest,
    EndpointSettings, HealthStatusEnum, HostConfig, HostConfigLogConfig, ImageInspect, ImageSummary,
    MountType, RestartPolicy, RestartPolicyNameEnum,
};

use crate::container::spelling::{
    ALL_PERMISSIONS, DEFAULT_SHM_BYTES, canonical_capability, shortest_device, sorted,
};
use crate::container::{
    ContainerSpec, Ipc, Limits, Log, Mount, MountSource, Network, ObservedContainer, PortBinding, Restart,
    RunState, SecretEnv, Ulimit, image_defaults, labels,
};
use crate::inventory::{ImageFacts, LocalImage};

/// The Engine's own time between SIGTERM and SIGKILL.
const DEFAULT_GRACE_SECONDS: u32 = 10;

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

    // Named one by one: a new field of a container does not compile until it is read here.
    let mut spec = ContainerSpec {
        name: inspect.name.unwrap_or_default().trim_start_matches('/').to_owned(),
        image: config.image.unwrap_or_default(),
        entrypoint: config.entrypoint.unwrap_or_default(),
        command: config.cmd.unwrap_or_default(),
        env: config.env.unwrap_or_default().iter().filter_map(|entry| environment_entry(entry)).collect(),
        // Among the others until the labels are read.
        secret_env: SecretEnv::default(),
        user: config.user.filter(|user| !user.is_empty()),
        labels: config.labels.unwrap_or_default().into_iter().collect(),
        mounts: seen_mounts(&host),
        ports: seen_ports(&host),
        network,
        restart: seen_restart(host.restart_policy.as_ref()),
        limits: Limits { nano_cpus: positive(host.nano_cpus), memory_bytes: positive(host.memory) },
        shm_bytes: positive(host.shm_size).filter(|bytes| *bytes != DEFAULT_SHM_BYTES),
        ulimits: seen_ulimits(&host),
        extra_hosts: seen_extra_hosts(&host),
        cap_add: sorted(host.cap_add.iter().flatten().map(|capability| canonical_capability(capability))),
        devices: sorted(host.devices.iter().flatten().map(seen_device)),
        gpus: sorted(host.device_requests.iter().flatten().flat_map(seen_gpus)),
        ipc: seen_ipc(host.ipc_mode.as_deref().unwrap_or_default()),
        privileged: host.privileged.unwrap_or(false),
        runtime: host.runtime.clone().filter(|runtime| !runtime.is_empty()),
        log: host.log_config.as_ref().map(seen_log),
        networks: Vec::new(),
        make_folders: Vec::new(),
        stop_grace_seconds: config
            .stop_timeout
            .and_then(|seconds| u32::try_from(seconds).ok())
            .unwrap_or(DEFAULT_GRACE_SECONDS),
    };
    if let Some(image) = image {
        spec.labels = labels::without_inherited(std::mem::take(&mut spec.labels), &image.labels);
    }
    spec.labels.remove(labels::MADE);
    let listens = spec.labels.remove(labels::PORTS);
    if spec.network == Network::Host {
        spec.ports = sorted(listens.iter().flat_map(|text| labels::ports_of(text)));
    }
    if let Some(asked) = asked_of(&mut spec) {
        labels::only_asked(&mut spec, &asked);
    }
    if spec.gpus.is_empty() && uses_nvidia_runtime(&host) {
        // Before the image's defaults are taken out: the runtime does not ask whose variable it is.
        spec.gpus = visible_gpus(&spec.env);
    }
    let version = spec.labels.remove(labels::SECRET_ENV_VERSION);
    if let Some(names) = spec.labels.remove(labels::SECRET_ENV) {
        spec.secret_env = SecretEnv::taken(&names, version, &mut spec.env);
    }
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
    if let Network::Bridge { name, .. } = &spec.network {
        spec.networks = networks.iter().filter(|other| *other != name).cloned().collect();
    }
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

/// What was asked for of that which the Engine fills up; `None` for containers of others, of which nobody can tell.
fn asked_of(spec: &mut ContainerSpec) -> Option<String> {
    let asked = spec.labels.remove(labels::ASKED);
    labels::Ownership::from_labels(&spec.labels).map(|_| asked.unwrap_or_default())
}

fn seen_extra_hosts(host: &HostConfig) -> BTreeMap<String, String> {
    let entries = host.extra_hosts.iter().flatten().filter_map(|entry| entry.split_once(':'));
    entries.map(|(name, address)| (name.to_owned(), address.to_owned())).collect()
}

fn seen_log(log: &HostConfigLogConfig) -> Log {
    Log {
        driver: log.typ.clone().filter(|driver| !driver.is_empty()),
        options: log.config.clone().unwrap_or_default().into_iter().collect(),
    }
}

/// 0 and -1 are the Engine's spellings of "no limit".
fn positive(value: Option<i64>) -> Option<u64> {
    value.and_then(|value| u64::try_from(value).ok()).filter(|value| *value > 0)
}

/// `KEY=value`. `KEY` alone asks the Engine to leave the variable out.
fn environment_entry(entry: &str) -> Option<(String, String)> {
    entry.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()))
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
        Some(RestartPolicyNameEnum::ON_FAILURE) => {
            let retries = policy.and_then(|policy| policy.maximum_retry_count);
            Restart::OnFailure(retries.and_then(|retries| u32::try_from(retries).ok()).unwrap_or_default())
        }
        Some(RestartPolicyNameEnum::NO | RestartPolicyNameEnum::EMPTY) | None => Restart::No,
    }
}

/// Joining another container's is not among what we ask for; to us it is shared with somebody.
fn seen_ipc(mode: &str) -> Ipc {
    match mode {
        "host" => Ipc::Host,
        "none" => Ipc::None,
        "" | "private" => Ipc::Private,
        _ => Ipc::Shareable,
    }
}

fn seen_ulimits(host: &HostConfig) -> Vec<Ulimit> {
    sorted(
        host.ulimits.iter().flatten().filter_map(|limit| {
            Some(Ulimit { name: limit.name.clone()?, soft: limit.soft?, hard: limit.hard? })
        }),
    )
}

fn seen_device(device: &DeviceMapping) -> String {
    let on_host = device.path_on_host.as_deref().unwrap_or_default();
    let in_container = device.path_in_container.as_deref().unwrap_or(on_host);
    shortest_device(on_host, in_container, device.cgroup_permissions.as_deref().unwrap_or(ALL_PERMISSIONS))
}

/// The runtime of NVIDIA's container toolkit, asked for or the host's default, hands out GPUs without a device request.
fn uses_nvidia_runtime(host: &HostConfig) -> bool {
    host.runtime.as_deref().is_some_and(|runtime| runtime.starts_with("nvidia"))
}

/// The GPUs that NVIDIA's runtime hands out for a container's environment.
fn visible_gpus(env: &BTreeMap<String, String>) -> Vec<String> {
    let visible = env.get("NVIDIA_VISIBLE_DEVICES").map(String::as_str).unwrap_or_default();
    let ids = visible.split(',').map(str::trim).filter(|id| !["", "void", "none"].contains(id));
    sorted(ids.map(|id| id.strip_prefix(CDI_GPU).unwrap_or(id).to_owned()))
}

/// What the name of an NVIDIA GPU as a CDI device begins with; index, UUID or `all` follow.
const CDI_GPU: &str = "nvidia.com/gpu=";

/// The GPUs of a device request: ids as they were written, `all`, or, for a count, the indexes 0 to count - 1, which
/// is how the NVIDIA runtime reads a count.
fn seen_gpus(request: &DeviceRequest) -> Vec<String> {
    if request.driver.as_deref() == Some("cdi") {
        let names = request.device_ids.iter().flatten();
        return names.filter_map(|name| name.strip_prefix(CDI_GPU)).map(str::to_owned).collect();
    }
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

/// An image in a list. The Engine writes `<none>` for a name that another image took.
pub(in crate::hosts) fn local_image(summary: ImageSummary) -> LocalImage {
    let named = |names: Vec<String>| sorted(names.into_iter().filter(|name| !name.contains("<none>")));
    LocalImage {
        id: summary.id,
        tags: named(summary.repo_tags),
        digests: named(summary.repo_digests),
        size_bytes: positive(Some(summary.size)).unwrap_or_default(),
    }
}
