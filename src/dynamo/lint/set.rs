//! The second reader over all workers of a deployment: what one container cannot tell by itself.
//!
//! As [`crate::dynamo::lint`], it shares no code with the deciding one and looks at finished containers alone. The workers are
//! taken to be on one host, whose room is given.

use std::collections::{BTreeMap, BTreeSet};

use crate::container::labels::Ownership;
use crate::container::{ContainerSpec, Network};
use crate::dynamo::blueprint::{Blueprint, Planned};

const GIB: u64 = 1 << 30;

/// What the host has for containers, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub memory: u64,
    /// Of the disk with the caches; `None` = not known.
    pub disk: Option<u64>,
}

/// Everything that is wrong between the workers of a deployment; empty when nothing is.
pub(crate) fn lint_set(deployment: &Blueprint, workers: &[Blueprint], room: Room) -> Vec<String> {
    let mut shared: Vec<&Planned> = Vec::new();
    for planned in workers.iter().flat_map(|worker| &worker.shared) {
        // What several bring along is there once.
        if !shared.contains(&planned) {
            shared.push(planned);
        }
    }
    let workers: Vec<&Planned> = workers.iter().flat_map(|worker| &worker.containers).collect();
    let specs: Vec<&ContainerSpec> = workers.iter().map(|planned| &planned.spec).collect();
    let beside: Vec<&ContainerSpec> =
        deployment.containers.iter().chain(shared).map(|planned| &planned.spec).collect();
    let all: Vec<&ContainerSpec> = beside.iter().chain(&specs).copied().collect();
    let mut wrong = Vec::new();
    wrong.extend(specs.iter().filter_map(|spec| cache_server_is_missing(spec, &beside)));
    wrong.extend(twice(specs.iter().flat_map(|spec| &spec.gpus)).map(|gpu| format!("{gpu} is given twice")));
    wrong.extend(twice(all.iter().map(|spec| &spec.name)).map(|name| format!("two containers are {name}")));
    wrong.extend(ports_clash(&all));
    wrong.extend(events_clash(&specs));
    wrong.extend(roles_do_not_meet(&specs));
    wrong.extend(caches_do_not_fit(&specs, &beside, room));
    wrong
}

fn twice<T: Ord + Copy>(items: impl IntoIterator<Item = T>) -> Option<T> {
    let mut seen = BTreeSet::new();
    items.into_iter().find(|item| !seen.insert(*item))
}

fn ports_clash(all: &[&ContainerSpec]) -> Option<String> {
    let bindings: Vec<_> =
        all.iter().flat_map(|spec| spec.ports.iter().map(|port| (spec.name.as_str(), port))).collect();
    let overlap = |one: &str, other: &str| one == other || [one, other].contains(&"0.0.0.0");
    bindings.iter().enumerate().find_map(|(at, (name, port))| {
        let other = bindings.iter().take(at).find(|(_, other)| {
            other.host_port == port.host_port && overlap(&other.host_address, &port.host_address)
        });
        other.map(|(other, _)| format!("port {} is {other}'s and {name}'s", port.host_port))
    })
}

/// The port at which a worker reports what it caches.
fn events_port(spec: &ContainerSpec) -> Option<u16> {
    let text = spec.command.iter().find_map(|word| word.split_once("tcp://*:"))?.1;
    text.split('"').next()?.parse().ok()
}

fn events_clash(specs: &[&ContainerSpec]) -> Vec<String> {
    let mut seen = BTreeMap::new();
    let mut wrong = Vec::new();
    for spec in specs.iter().filter(|spec| spec.network == Network::Host) {
        let Some(port) = events_port(spec) else { continue };
        if !spec.ports.iter().any(|binding| binding.host_port == port) {
            wrong.push(format!("{} reports at {port}, which nobody knows to be taken", spec.name));
        }
        if let Some(other) = seen.insert(port, &spec.name) {
            wrong.push(format!("{other} and {} report at {port}", spec.name));
        }
    }
    wrong
}

/// The word after a flag.
fn after<'a>(spec: &'a ContainerSpec, flag: &str) -> Option<&'a str> {
    let at = spec.command.iter().position(|word| word == flag)?;
    spec.command.get(at + 1).map(String::as_str)
}

/// A worker that is told of a cache server must find it there, on one network and in one IPC namespace with it.
fn cache_server_is_missing(spec: &ContainerSpec, beside: &[&ContainerSpec]) -> Option<String> {
    let told: serde_json::Value = serde_json::from_str(after(spec, "--kv-transfer-config")?).ok()?;
    let told = told.pointer("/kv_connector_extra_config")?;
    let address = told.get("lmcache.mp.host")?.as_str()?.strip_prefix("tcp://")?.to_owned();
    let port = told.get("lmcache.mp.port")?.to_string();
    let server = beside.iter().find(|it| it.entrypoint == ["lmcache"] && after(it, "--port") == Some(&port));
    let found = server.is_some_and(|server| {
        let meets = match (&server.network, &spec.network) {
            (Network::Host, Network::Host) => {
                address == "127.0.0.1" && after(server, "--host") == Some(&address)
            }
            (Network::Bridge { name, aliases }, Network::Bridge { name: other, .. }) => {
                name == other && aliases.contains(&address) && after(server, "--host") == Some("0.0.0.0")
            }
            _ => false,
        };
        let labels = [&server.labels, &spec.labels];
        let [its, own] = labels.map(|labels| labels.get("io.dynamo-terraform.cache-server"));
        let known = its == Some(&server.name) && own == its;
        meets && known && server.ipc == spec.ipc && server.image == spec.image
    });
    (!found)
        .then(|| format!("{} is told of a cache server at {address}:{port}, and there is none", spec.name))
}

/// What takes blocks from one worker to another: the same words on both sides.
fn transfer(spec: &ContainerSpec) -> Option<String> {
    if let Some(config) = after(spec, "--kv-transfer-config") {
        let config: serde_json::Value = serde_json::from_str(config).ok()?;
        let children = config.pointer("/kv_connector_extra_config/connectors").and_then(|it| it.as_array());
        let last = children.and_then(|children| children.last()).unwrap_or(&config);
        return last.get("kv_connector")?.as_str().map(str::to_owned);
    }
    if let Some(config) = after(spec, "--override-engine-args") {
        let config: serde_json::Value = serde_json::from_str(config).ok()?;
        return config.get("cache_transceiver_config").map(ToString::to_string);
    }
    after(spec, "--disaggregation-transfer-backend").map(str::to_owned)
}

/// What both roles must have alike.
fn agreed(spec: &ContainerSpec) -> BTreeMap<&'static str, Option<String>> {
    let value = |flag| after(spec, flag).map(str::to_owned);
    let has = |flag: &str| spec.command.iter().any(|word| word == flag).then(String::new);
    BTreeMap::from([
        ("namespace", spec.env.get("DYN_NAMESPACE").cloned()),
        ("transfer", transfer(spec)),
        ("block size", value("--block-size").or(value("--page-size")).or(value("--kv-block-size"))),
        ("layout of blocks", has("--disable-hybrid-kv-cache-manager")),
        ("model", value("--model").or(value("--model-path"))),
        ("image", Some(spec.image.clone())),
    ])
}

fn role(spec: &ContainerSpec) -> Option<String> {
    Ownership::from_labels(&spec.labels)?.role
}

/// Every prefill worker must be able to hand over to every decode worker.
fn roles_do_not_meet(specs: &[&ContainerSpec]) -> Vec<String> {
    let of = |word: &str| -> Vec<&ContainerSpec> {
        specs.iter().copied().filter(|spec| role(spec).as_deref() == Some(word)).collect()
    };
    let (prefill, decode) = (of("prefill"), of("decode"));
    let pairs = prefill.iter().flat_map(|one| decode.iter().map(move |other| (*one, *other)));
    let differing = pairs.flat_map(|(one, other)| {
        let (theirs, ours) = (agreed(one), agreed(other));
        let differ = theirs.into_iter().filter(move |(what, value)| ours.get(what) != Some(value));
        differ
            .map(|(what, _)| format!("{} and {} differ in their {what}", one.name, other.name))
            .collect::<Vec<_>>()
    });
    differing.collect()
}

/// Gigabytes of memory and of disk that a worker keeps for itself.
fn caches(spec: &ContainerSpec) -> (u64, u64) {
    let number = |name: &str| spec.env.get(name).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let gpus = u64::try_from(spec.gpus.len()).unwrap_or(1).max(1);
    let memory = number("DYN_KVBM_CPU_CACHE_GB") + number("LMCACHE_MAX_LOCAL_CPU_SIZE") * gpus;
    (memory, number("DYN_KVBM_DISK_CACHE_GB"))
}

fn caches_do_not_fit(specs: &[&ContainerSpec], beside: &[&ContainerSpec], room: Room) -> Vec<String> {
    let servers = beside.iter().filter_map(|spec| after(spec, "--l1-size-gb")?.parse::<u64>().ok());
    let (mut memory, mut disk) = (servers.sum::<u64>(), 0);
    let mut wrong = Vec::new();
    for spec in specs {
        let (own_memory, own_disk) = caches(spec);
        (memory, disk) = (memory + own_memory, disk + own_disk);
        if spec.limits.memory_bytes.is_some_and(|limit| own_memory > 0 && own_memory * GIB >= limit) {
            wrong.push(format!("{} would pin more than it may use", spec.name));
        }
        if own_disk > 0 && own_memory == 0 {
            wrong.push(format!("{} has a cache on disk that nothing fills", spec.name));
        }
    }
    if memory * GIB > room.memory {
        wrong.push(format!("caches of {memory} GB do not fit into the host's memory"));
    }
    if room.disk.is_some_and(|there| disk * GIB > there) {
        wrong.push(format!("caches of {disk} GB do not fit on the disk"));
    }
    wrong
}
