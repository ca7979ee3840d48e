//! What a worker's process is told: arguments, variables, ports, put together from the rows of its release and engine.
//!
//! Everything that differs between engines, modes, connectors and routers is data; here is only the order in which it
//! is put together, and the layers of the engine's arguments, of which the nearest wins:
//!
//! 1. what the engine's record gives an argument that nobody sets, and, while no argument says how the model is spread
//!    over GPUs, the number of the worker's GPUs for the first of those that could;
//! 2. what the model comes with ([`crate::dynamo::models::catalog`]);
//! 3. the deployment's `engine_args`;
//! 4. the deployment's arguments for the role;
//! 5. the worker's own.

use std::collections::BTreeMap;

use crate::container::{Mount, MountSource};
use crate::dynamo::check::parallel;
use crate::dynamo::facts::cache_server;
use crate::dynamo::facts::connector::{CacheFacts, ConnectorFacts, RoleFacts};
use crate::dynamo::facts::engine::{DefaultArg, Events, Serving};
use crate::dynamo::facts::topology::{Told, Topology, WorkerPort};
use crate::dynamo::models::catalog::defaults::gives_way;
use crate::dynamo::spec::engine_args::{ArgValue, EngineArgs};
use crate::dynamo::spec::{Common, Mode, NetworkMode, Role, WorkerSpec, engine_args};
use crate::dynamo::terms::names;

/// Everywhere in a container.
const EVERYWHERE: &str = "0.0.0.0";

/// What differs between workers.
pub(in crate::dynamo) struct Launch {
    pub command: Vec<String>,
    /// What the provider decides.
    pub env: BTreeMap<String, String>,
    /// What users may change.
    pub env_defaults: BTreeMap<String, String>,
    pub mounts: Vec<Mount>,
    /// Dynamo's namespace.
    pub namespace: String,
}

/// What its host decides for a worker.
pub(in crate::dynamo) struct Site<'a> {
    pub topology: &'static Topology,
    /// By which others reach the host, on the hosts' own network.
    pub address: Option<&'a str>,
    /// What the engine is told to load there.
    pub model: &'a str,
}

/// The ports of which a worker is told: its own, and those of the server that keeps its cache.
pub(crate) fn ports(common: &Common, role: Role) -> Vec<&'static WorkerPort> {
    let server = cache_server::used(&common.connector, role).into_iter();
    own_ports(common, role).into_iter().chain(server.flat_map(|server| server.ports)).collect()
}

/// The ports at which a worker listens and of which it is told.
pub(crate) fn own_ports(common: &Common, role: Role) -> Vec<&'static WorkerPort> {
    let Some(topology) = common.release.topology(common.network) else { return Vec::new() };
    let parts = Parts::of(common, role, topology);
    let told = |row: &&WorkerPort| common.network == NetworkMode::Host || row.private.is_some();
    parts.ports().filter(told).collect()
}

/// The engine's arguments of a worker, without those that its mode, connector and router bring along.
pub(crate) fn arguments(spec: &WorkerSpec) -> EngineArgs {
    let mut arguments = layered(&spec.deployment, spec.role, Some(&spec.engine_args));
    parallel::spread(&mut arguments, spec.deployment.engine, parallel::gpus(spec));
    arguments
}

pub(in crate::dynamo) fn worker(spec: &WorkerSpec, serving: &Serving, site: &Site<'_>) -> Launch {
    let (common, engine) = (&spec.deployment, spec.deployment.engine);
    let Site { topology, address, model } = *site;
    let parts = Parts::of(common, spec.role, topology);
    let blanks = blanks(spec, address);
    let fill = |text: &&str| filled(text, &blanks);
    let arguments = arguments(spec);

    let model = [engine.model_flag, model, engine.served_name_flag, &common.served_model_name];
    let command = ["-m", engine.module].into_iter().chain(model).chain(serving.args.iter().copied());
    let mut command: Vec<String> = command.map(str::to_owned).collect();
    command.extend(parts.args().map(fill));
    command.extend(parts.flags(&spec.ports));
    command.extend(engine_args::render(&arguments, &engine.args));

    let mut env = pairs(engine.env, &blanks);
    env.extend(parts.connector.into_iter().flat_map(|role| pairs(role.env, &blanks)));
    env.extend(parts.addresses(address));
    env.extend(parts.variables(&spec.ports));
    let namespace = namespace(common, spec);
    env.insert(common.release.namespace_env.to_owned(), namespace.clone());
    env.extend(parts.disk(common, &blanks));
    let mounts = cache_folder(spec).into_iter().collect();
    Launch { command, env, env_defaults: env_defaults(common, engine.env_defaults), mounts, namespace }
}

/// Environment that goes with the router, which users may change, over `more`.
pub(in crate::dynamo) fn env_defaults(common: &Common, more: &[(&str, &str)]) -> BTreeMap<String, String> {
    let router = if common.looks_at_caches() { common.engine.kv_env_defaults } else { &[] };
    pairs(more, &[]).into_iter().chain(pairs(router, &[])).collect()
}

/// The rows that a worker is put together from.
struct Parts {
    topology: &'static Topology,
    connector: Option<&'static RoleFacts>,
    /// What it is told about reporting what it caches.
    events: Option<&'static Events>,
    reports: bool,
}

impl Parts {
    fn of(common: &Common, role: Role, topology: &'static Topology) -> Self {
        let engine = common.engine;
        let publishes = engine.serving(common.mode, role).is_some_and(|row| row.publishes);
        let reports = publishes && common.reports_caches();
        Self {
            topology,
            connector: common.connector.facts.role(role),
            events: engine.events.as_ref(),
            reports,
        }
    }

    fn ports(&self) -> impl Iterator<Item = &'static WorkerPort> {
        let connector = self.connector.into_iter().flat_map(|role| role.ports);
        let events = self.events.filter(|_| self.reports).into_iter().flat_map(|events| events.ports);
        self.topology.worker_ports.iter().chain(connector).chain(events)
    }

    fn args(&self) -> impl Iterator<Item = &'static &'static str> {
        let connector = self.connector.into_iter().flat_map(|role| role.args);
        let told = |events: &'static Events| if self.reports { events.args } else { events.silent_args };
        connector.chain(self.events.into_iter().flat_map(told))
    }

    fn flags(&self, ports: &BTreeMap<&'static str, u16>) -> Vec<String> {
        let told = self.ports().filter_map(|row| match row.told {
            Told::Flag(flag) => Some([flag.to_owned(), ports.get(row.name)?.to_string()]),
            Told::Env(_) | Told::Inside => None,
        });
        told.flatten().collect()
    }

    fn variables(&self, ports: &BTreeMap<&'static str, u16>) -> Vec<(String, String)> {
        let told = self.ports().filter_map(|row| match row.told {
            Told::Env(name) => Some((name.to_owned(), ports.get(row.name)?.to_string())),
            Told::Flag(_) | Told::Inside => None,
        });
        told.collect()
    }

    fn addresses(&self, address: Option<&str>) -> Vec<(String, String)> {
        let connector = self.connector.into_iter().flat_map(|role| role.address_env);
        let names = self.topology.worker_address_env.iter().chain(connector);
        names.filter_map(|name| Some(((*name).to_owned(), address?.to_owned()))).collect()
    }

    /// What is said of the tier on disk, if this role has one.
    fn disk(&self, common: &Common, blanks: &[(&str, String)]) -> BTreeMap<String, String> {
        let facts = self.connector.and_then(|role| role.cache.as_ref()?.disk.as_ref());
        let (Some(facts), Some(disk)) = (facts, &common.connector.disk) else { return BTreeMap::new() };
        let mut env = pairs(facts.env, blanks);
        match &disk.path {
            Some(_) => env.extend([(facts.folder_env.to_owned(), facts.folder.to_owned())]),
            None => env.extend(pairs(facts.unmounted_env, blanks)),
        }
        env
    }
}

/// Where a worker's cache on disk is mounted, if it is.
pub(in crate::dynamo) fn cache_folder(spec: &WorkerSpec) -> Option<Mount> {
    let cache = spec.deployment.connector.facts.role(spec.role)?.cache.as_ref()?;
    let (facts, disk) = (cache.disk.as_ref()?, spec.deployment.connector.disk.as_ref()?);
    let source = MountSource::HostPath(disk.path.clone()?);
    Some(Mount { source, target: facts.folder.to_owned(), read_only: false })
}

/// Memory in bytes that a worker keeps for its cache.
pub(in crate::dynamo) fn cache_bytes(spec: &WorkerSpec) -> u64 {
    let connector = &spec.deployment.connector;
    let cache: Option<&CacheFacts> = connector.facts.role(spec.role).and_then(|row| row.cache.as_ref());
    let (Some(cache), Some(gb)) = (cache, connector.cpu_cache_gb) else { return 0 };
    let times = if cache.per_gpu { u64::from(parallel::gpus(spec)).max(1) } else { 1 };
    u64::from(gb).saturating_mul(crate::dynamo::terms::amount::GIB).saturating_mul(times)
}

/// What stands in braces, with what takes its place.
fn blanks(spec: &WorkerSpec, address: Option<&str>) -> Vec<(&'static str, String)> {
    let connector = &spec.deployment.connector;
    let size = |gb: Option<u32>| gb.map(|gb| gb.to_string()).unwrap_or_default();
    let mut blanks: Vec<_> = spec.ports.iter().map(|(name, port)| (*name, port.to_string())).collect();
    blanks.push(("listen", address.unwrap_or(EVERYWHERE).to_owned()));
    if let Some(server) = &connector.facts.server {
        blanks.push(("server", server.address(&spec.deployment).0));
    }
    blanks.push(("cpu_cache_gb", size(connector.cpu_cache_gb)));
    blanks.push(("disk_cache_gb", size(connector.disk.as_ref().map(|disk| disk.gb))));
    blanks
}

fn filled(text: &str, blanks: &[(&str, String)]) -> String {
    // Only a name that is known is a blank: the braces of JSON stay.
    blanks.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

fn pairs(rows: &[(&str, &str)], blanks: &[(&str, String)]) -> BTreeMap<String, String> {
    rows.iter().map(|(name, value)| ((*name).to_owned(), filled(value, blanks))).collect()
}

/// The layers of arguments for a role, without what follows from a worker's GPUs. `own` is the worker's.
pub(in crate::dynamo) fn layered(common: &Common, role: Role, own: Option<&EngineArgs>) -> EngineArgs {
    let layers = [Some(&common.engine_args), common.role_args.get(&role), own];
    let mut users: EngineArgs =
        layers.into_iter().flatten().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
    for (name, value) in &common.model_args {
        if !gives_way(name, &users) {
            users.insert(name.clone(), value.clone());
        }
    }
    let mut all = EngineArgs::new();
    for row in common.engine.default_args.iter().filter(|row| holds(row, common, role, &users)) {
        all.insert(row.name.to_owned(), default_value(row));
    }
    for (name, value) in users {
        let merged = match (all.get(&name), &value) {
            (Some(ArgValue::Json(below)), ArgValue::Json(above) | ArgValue::Text(above)) => {
                engine_args::over(above, below)
            }
            _ => value,
        };
        all.insert(name, merged);
    }
    engine_args::fold(&mut all, &common.engine.args);
    all
}

fn holds(row: &DefaultArg, common: &Common, role: Role, users: &EngineArgs) -> bool {
    row.mode.is_none_or(|mode| mode == common.mode)
        && row.role.is_none_or(|wanted| wanted == role)
        && row.kv.is_none_or(|kv| kv == common.looks_at_caches())
        && !row.unless.iter().any(|stop| users.contains_key(*stop))
}

fn default_value(row: &DefaultArg) -> ArgValue {
    let text = row.value.to_owned();
    if text.starts_with('{') { ArgValue::Json(text) } else { ArgValue::Text(text) }
}

/// Workers share a namespace as long as nothing differs that would make Dynamo refuse one beside the other: release, image,
/// engine, model, mode and the engine's arguments. (It refuses another model on the same endpoint, and a model card that
/// another block size or context length has changed; it lists such a worker all the same and sends it nothing.)
///
/// Prefill and decode workers meet only in one namespace, so that of a disaggregated deployment follows from what the
/// deployment says of both, and from nothing of a single worker's.
fn namespace(common: &Common, spec: &WorkerSpec) -> String {
    let fixed = [
        common.dynamo_version.as_str(),
        &common.image,
        common.engine.module,
        common.model.argument(),
        &common.served_model_name,
        common.mode.word(),
    ];
    let rendered = |role, own| engine_args::render(&layered(common, role, own), &common.engine.args);
    let arguments = match common.mode {
        Mode::Aggregated => rendered(spec.role, Some(&spec.engine_args)),
        Mode::Disaggregated => {
            let connector: &ConnectorFacts = common.connector.facts;
            let roles = Role::ALL.iter().flat_map(|role| rendered(*role, None));
            // What both sides are told of the connector must fit together.
            let told = connector.roles.iter().flat_map(|role| role.args).map(|word| (*word).to_owned());
            roles.chain(told).collect()
        }
    };
    let generation = names::generation(fixed.into_iter().chain(arguments.iter().map(String::as_str)));
    names::namespace(&common.name, common.release.namespace_prefix_flag.map(|_| generation.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::spec::draft::{CommonDraft, Given, GpuDraft, RouterDraft, WorkerDraft};
    use crate::dynamo::spec::{HostFacts, Owner};
    use crate::dynamo::{check, decide};

    /// vLLM's rank n reports at the n-th port from the one it is told.
    #[test]
    fn each_rank_has_ports_of_its_own() {
        let is = |text: &str| Given::Is(text.to_owned());
        let ranks = |own: &str, all: &str| {
            let argument = |number: &str| {
                [("data_parallel_size".to_owned(), Given::Is(ArgValue::Number(number.to_owned())))].into()
            };
            let mut draft = WorkerDraft {
                deployment: CommonDraft {
                    name: is("chat"),
                    engine: is("vllm"),
                    dynamo_version: is("1.6.1"),
                    model: is("acme/tiny"),
                    network: is("host"),
                    services: [("etcd".to_owned(), is("10.0.0.11:2379"))].into(),
                    router: RouterDraft { mode: is("kv"), ..RouterDraft::default() },
                    engine_args: if all.is_empty() { BTreeMap::new() } else { argument(all) },
                    ..CommonDraft::default()
                },
                suffix: is("abc234"),
                engine_args: if own.is_empty() { BTreeMap::new() } else { argument(own) },
                gpus: GpuDraft { gpu_count: Given::Is(4), ..GpuDraft::default() },
                ..WorkerDraft::default()
            };
            for row in check::picked_ports(&draft).unwrap() {
                draft.ports.insert(
                    row.name.to_owned(),
                    Given::Is(i64::from(row.from) + i64::from(row.name == "rpc")),
                );
            }
            let host = HostFacts { cpus: 8, memory_bytes: 64 << 30, ..HostFacts::default() };
            let owner = Owner { run: "run-1".to_owned(), spec_json: String::new() };
            let blueprint = decide::worker(&draft.complete().unwrap(), &host, &owner).unwrap();
            let ports = blueprint.containers[0].spec.ports.iter().map(|port| port.host_port);
            (check::ranks(&draft), ports.filter(|port| *port > 20_000).collect::<Vec<_>>())
        };
        assert_eq!(ranks("", ""), (1, vec![20080]));
        assert_eq!(ranks("", "2"), (2, vec![20080, 20081]));
        assert_eq!(ranks("3", "2"), (3, vec![20080, 20081, 20082]));
    }
}
