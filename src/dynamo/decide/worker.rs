//! What a worker's process is told: arguments, variables, ports, put together from the rows of its release and engine.
//!
//! Everything that differs between engines, modes, connectors and routers is data; here is only the order in which it
//! is put together. The layers of the engine's arguments are in [`crate::dynamo::spec::arguments`].

use super::docker::{with_engine_capabilities, with_engine_ulimits};
use super::secret_env;
use super::template::{Template, strings};
use crate::container::{ContainerSpec, Ipc, Limits, Mount, MountSource};
use crate::dynamo::blueprint::{Listing, Planned, Readiness};
use crate::dynamo::facts::cache::CacheFacts;
use crate::dynamo::facts::connector::ConnectorFacts;
use crate::dynamo::facts::engine::Serving;
use crate::dynamo::facts::topology::{SYSTEM, Topology};
use crate::dynamo::gpus::NO_GPUS;
use crate::dynamo::spec::arguments::layered;
use crate::dynamo::spec::worker_ports::{WorkerRows, filled, pairs};
use crate::dynamo::spec::{Common, WorkerSpec, arguments, engine_args};
use crate::dynamo::terms::endpoint::Endpoint;
use crate::dynamo::terms::names;
use crate::dynamo::terms::names::{FRONTEND, WORKER};
use crate::dynamo::terms::objection::{Field, Objection, Refusal};
use crate::dynamo::terms::words::{Mode, Role};
use std::collections::BTreeMap;

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

/// The host of a worker, as far as it decides about the worker.
pub(in crate::dynamo) struct WorkerHost<'a> {
    pub topology: &'static Topology,
    /// By which others reach the host, on the hosts' own network.
    pub address: Option<&'a str>,
    /// What the engine is told to load there.
    pub model: &'a str,
}

fn worker_host<'a>(shared: &'a Template<'_>) -> WorkerHost<'a> {
    WorkerHost {
        topology: shared.topology,
        address: shared.address.as_deref(),
        model: shared.common.model.argument_on(shared.host),
    }
}

/// What a worker's process is told on that host.
pub(in crate::dynamo) fn worker(spec: &WorkerSpec, serving: &Serving, host: &WorkerHost<'_>) -> Launch {
    let (common, engine) = (&spec.deployment, spec.deployment.engine);
    let WorkerHost { topology, address, model } = *host;
    let parts = WorkerRows::of(common, spec.role, topology);
    let blanks = blanks(spec, address);
    let fill = |text: &&str| filled(text, &blanks);
    let arguments = arguments::arguments(spec);

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
    let times = if cache.per_gpu { u64::from(arguments::gpus(spec)).max(1) } else { 1 };
    u64::from(gb).saturating_mul(crate::dynamo::terms::amount::GIB).saturating_mul(times)
}

/// What stands in braces, with what takes its place.
pub(crate) fn blanks(spec: &WorkerSpec, address: Option<&str>) -> Vec<(&'static str, String)> {
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

/// The endpoint under which a worker takes requests.
const GENERATE: &str = "generate";

/// [`crate::dynamo::check`] saw to it that there is one.
pub(crate) fn serving(common: &Common, role: Role) -> Result<&'static Serving, Vec<Objection>> {
    common.engine.serving(common.mode, role).ok_or_else(|| {
        let what = format!("the deployment has no {} workers", role.word());
        vec![Refusal::new(what, "choose another role").at(Field::Role)]
    })
}

/// The worker's container.
pub(crate) fn container(
    spec: &WorkerSpec,
    serving: &Serving,
    shared: &Template<'_>,
    limits: Limits,
) -> Planned {
    let (common, engine) = (shared.common, shared.common.engine);
    let Launch { command, env, env_defaults, mounts, namespace } =
        worker(spec, serving, &worker_host(shared));
    let mut decided_env = env;
    if spec.gpus.is_empty() {
        decided_env.extend(strings([&NO_GPUS]));
    }
    let mut docker = common.docker.under(&spec.docker);
    // The host's /dev/shm has no size of a container's.
    docker.ipc = docker.ipc.or((engine.ipc_host && docker.shm_bytes.is_none()).then_some(Ipc::Host));
    docker.shm_bytes = docker.shm_bytes.or(engine.shm_bytes.filter(|_| docker.ipc != Some(Ipc::Host)));
    docker.ulimits = with_engine_ulimits(docker.ulimits, engine.ulimits);
    docker.cap_add = with_engine_capabilities(docker.cap_add, engine.cap_add);
    let base = shared.dynamo_container(&docker, WORKER, Some(spec.role), limits);
    let mut planned = Planned {
        component: WORKER.to_owned(),
        spec: ContainerSpec {
            name: names::worker(&common.name, spec.role, &spec.suffix),
            command,
            env: shared.env(&env_defaults, &spec.env, decided_env),
            mounts: base.mounts.iter().cloned().chain(mounts).collect(),
            ports: shared.worker_ports(spec),
            network: shared.network(&[]),
            gpus: spec.gpus.clone(),
            stop_grace_seconds: docker.stop_grace_seconds.unwrap_or(common.release.grace.worker),
            ..base
        },
        ready: Readiness::WorkerListed(Listing {
            seat: seat(spec, shared),
            system_port: system_port(spec, shared),
            ..listing(common, serving, namespace)
        }),
    };
    secret_env::give(&mut planned.spec, &spec.secret_env);
    planned
}

/// Where the worker takes requests, if that is decided here.
pub(crate) fn seat(spec: &WorkerSpec, shared: &Template<'_>) -> Option<Endpoint> {
    let row = shared.topology.worker_ports.iter().find(|row| row.listed)?;
    Some(Endpoint { address: shared.address.clone()?, port: *spec.ports.get(row.name)? })
}

/// Where the worker's own pages are: on a private network the same for all, on the host's picked.
fn system_port(spec: &WorkerSpec, shared: &Template<'_>) -> Option<u16> {
    let row = shared.topology.worker_ports.iter().find(|row| row.name == SYSTEM)?;
    spec.ports.get(row.name).copied().or(row.private)
}

fn listing(common: &Common, serving: &Serving, namespace: String) -> Listing {
    let frontend = &common.release.frontend;
    Listing {
        frontend: names::container(&common.name, FRONTEND),
        frontend_port: frontend.port,
        instances_path: frontend.health_path.to_owned(),
        models_path: frontend.models_path.to_owned(),
        served_model_name: common.served_model_name.clone(),
        // Of a disaggregated deployment the model is listed once both roles are there, whoever comes first.
        model_listed: common.mode == Mode::Aggregated,
        namespace,
        component: serving.component.to_owned(),
        endpoint: GENERATE.to_owned(),
        seat: None,
        system_port: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::spec::draft::{CommonDraft, GpuDraft, RouterDraft, WorkerDraft};
    use crate::dynamo::spec::engine_args::ArgValue;
    use crate::dynamo::spec::{HostFacts, Owner};
    use crate::dynamo::terms::given::Given;
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
