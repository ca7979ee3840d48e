//! Reading a draft: every complaint that can be made without a host, and a spec once all is known.
//!
//! [`deployment`] and [`worker`] answer `validate` and the early part of a plan: they pass over what is unknown.
//! [`DeploymentDraft::complete`] and [`WorkerDraft::complete`] read the same way and then insist. There is one reader,
//! so the three moments cannot disagree.

pub(crate) mod cache_server;
pub(crate) mod common;
pub(crate) mod connector;
pub(crate) mod docker;
pub(crate) mod engine_args;
pub(crate) mod env;
pub(crate) mod gpus;
pub(crate) mod image_modules;
pub(crate) mod image_tag;
pub(crate) mod limits;
pub(crate) mod parallel;
pub(crate) mod router;
pub(crate) mod secret_env;
pub(crate) mod shared_args;

use crate::container::SecretEnv;
use crate::dynamo::facts::cache_server::CacheServer;
use crate::dynamo::facts::engine::EngineFacts;
use crate::dynamo::facts::release;
use crate::dynamo::facts::topology::WorkerPort;
use crate::dynamo::spec::cache_server::used as used_cache_server;
use crate::dynamo::spec::draft::{DeploymentDraft, WorkerDraft};
use crate::dynamo::spec::{Common, DeploymentSpec, WorkerSpec, arguments, worker_ports};
use crate::dynamo::terms::endpoint::Endpoint;
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::{Field, Objection, Refusal};
use crate::dynamo::terms::reader::{Reader, word};
use crate::dynamo::terms::words::{Mode, NetworkMode, Role};
use crate::dynamo::terms::{names, ports};
use common::{Releases, read_common, read_engine, read_mode, read_state, read_version};
use std::collections::BTreeMap;

/// Where a frontend listens when nothing is said: it has no login.
pub(crate) const DEFAULT_BIND_ADDRESS: &str = "127.0.0.1";

/// What is wrong with a deployment, as far as it is known.
pub(crate) fn deployment(draft: &DeploymentDraft) -> Vec<Objection> {
    let mut reader = Reader::default();
    read_deployment(&mut reader, draft, release::ALL);
    reader.objections
}

/// What is wrong with a worker, as far as it is known. Complaints about its deployment are the deployment's own.
pub(crate) fn worker(draft: &WorkerDraft) -> Vec<Objection> {
    let mut reader = Reader::default();
    read_worker(&mut reader, &mut Reader::default(), draft, release::ALL);
    reader.objections
}

impl DeploymentDraft {
    /// The spec; every field that has no default must be known.
    pub(crate) fn complete(&self) -> Result<DeploymentSpec, Vec<Objection>> {
        self.complete_from(release::ALL)
    }

    /// The spec of a draft of which all is known, read against these releases.
    pub(super) fn complete_from(&self, releases: Releases) -> Result<DeploymentSpec, Vec<Objection>> {
        let mut reader = Reader::default();
        let spec = read_deployment(&mut reader, self, releases);
        finish(spec, reader)
    }
}

impl WorkerDraft {
    /// The spec; every field that has no default must be known. What is wrong with the deployment is said of the
    /// `deployment` field.
    pub(crate) fn complete(&self) -> Result<WorkerSpec, Vec<Objection>> {
        self.complete_from(release::ALL)
    }

    /// The spec of a draft of which all is known, read against these releases.
    pub(super) fn complete_from(&self, releases: Releases) -> Result<WorkerSpec, Vec<Objection>> {
        let (mut reader, mut theirs) = (Reader::default(), Reader::default());
        let spec = read_worker(&mut reader, &mut theirs, self, releases);
        reader.objections.extend(theirs.objections.into_iter().map(Objection::of_the_deployment));
        reader.missing.extend(theirs.missing.into_iter().map(Objection::of_the_deployment));
        finish(spec, reader)
    }
}

/// The ports that are picked for a worker; none on a private network, where they are constants. `None` while what it
/// takes to tell is not known.
pub(crate) fn picked_ports(draft: &WorkerDraft) -> Option<Vec<&'static WorkerPort>> {
    let aside = &mut Reader::default();
    let deployment = read_common(aside, &draft.deployment, release::ALL)?;
    let role = aside.or(Field::Role, &draft.role, Role::Decode, word(Role::ALL, Role::word))?;
    let on_the_host = deployment.network == NetworkMode::Host;
    Some(if on_the_host { worker_ports::ports(&deployment, role) } else { Vec::new() })
}

/// The server that a worker uses, with its container's name; `None` also while what it takes to tell is not known.
pub(crate) fn cache_server(draft: &WorkerDraft) -> Option<(&'static CacheServer, String)> {
    let aside = &mut Reader::default();
    let deployment = read_common(aside, &draft.deployment, release::ALL)?;
    let role = aside.or(Field::Role, &draft.role, Role::Decode, word(Role::ALL, Role::word))?;
    let server = used_cache_server(&deployment.connector, role)?;
    Some((server, server.container(&deployment)))
}

/// How many ranks of data parallelism a worker has; 1 while what it takes to tell is not known.
pub(crate) fn ranks(draft: &WorkerDraft) -> u16 {
    let aside = &mut Reader::default();
    let deployment = read_common(aside, &draft.deployment, release::ALL);
    let role = aside.or(Field::Role, &draft.role, Role::Decode, word(Role::ALL, Role::word));
    let Some((deployment, role)) = deployment.zip(role) else { return 1 };
    let own = engine_args::read(aside, &draft.engine_args, Some(deployment.engine), Field::EngineArg);
    arguments::ranks(&deployment, role, &own)
}

/// The spec, if the reader has no objections.
pub(super) fn finish<T>(spec: Option<T>, reader: Reader) -> Result<T, Vec<Objection>> {
    let Reader { mut objections, missing } = reader;
    objections.extend(missing);
    match spec {
        Some(spec) if objections.is_empty() => Ok(spec),
        _ => Err(objections),
    }
}

fn read_deployment(
    reader: &mut Reader,
    draft: &DeploymentDraft,
    releases: Releases,
) -> Option<DeploymentSpec> {
    let common = read_common(reader, &draft.common, releases);
    let port = reader.needed(Field::Port, &draft.port, |port| ports::check(*port));
    let default_address = DEFAULT_BIND_ADDRESS.to_owned();
    let bind_address = reader
        .or(Field::BindAddress, &draft.bind_address, default_address, |text| ports::check_address(text));
    let desired_state = read_state(reader, &draft.desired_state);
    if let (Some(common), Some(port), Some(address)) = (&common, port, &bind_address) {
        reader.keep(Field::Port, apart(common, port, address));
    }
    let secret_env = read_secrets(reader, draft, releases);
    if let (Some(common), Some(secrets)) = (&common, &secret_env) {
        env::fit(reader, &common.env, secrets, |_| true);
    }
    Some(DeploymentSpec {
        common: common?,
        secret_env: secret_env?,
        port: port?,
        bind_address: bind_address?,
        desired_state: desired_state?,
    })
}

/// Once more, with nobody listening, what it takes to tell which names are the provider's.
fn read_secrets(reader: &mut Reader, draft: &DeploymentDraft, releases: Releases) -> Option<SecretEnv> {
    let aside = &mut Reader::default();
    let release = read_version(aside, &draft.common, releases).map(|(release, _)| release);
    let engine = read_engine(aside, &draft.common, release);
    secret_env::read(reader, &draft.secret_env, &draft.common.env, &env::reserved(release, engine))
}

/// On the host's own network the frontend shares the ports with the services.
fn apart(common: &Common, port: u16, address: &str) -> Result<(), Refusal> {
    let shared = common.network == NetworkMode::Host;
    let same = |seat: &&Endpoint| seat.port == port && ports::overlap(&seat.address, address);
    match common.services.iter().find(|(_, seat)| shared && same(seat)) {
        None => Ok(()),
        Some((name, _)) => Err(Refusal::new(
            format!("port {port} is that of the deployment's {name}"),
            "choose another port",
        )),
    }
}

fn read_worker(
    reader: &mut Reader,
    theirs: &mut Reader,
    draft: &WorkerDraft,
    releases: Releases,
) -> Option<WorkerSpec> {
    let deployment = read_common(theirs, &draft.deployment, releases);
    // Once more, with nobody listening: a deployment with a mistake elsewhere still says what its workers may be.
    let aside = &mut Reader::default();
    let release = read_version(aside, &draft.deployment, releases).map(|(release, _)| release);
    let engine = read_engine(aside, &draft.deployment, release);
    let mode = read_mode(aside, &draft.deployment, engine);
    let role = reader.or(Field::Role, &draft.role, Role::Decode, word(Role::ALL, Role::word));
    if let (Some(engine), Some(mode), Some(role)) = (engine, mode, role)
        && engine.serving(mode, role).is_none()
    {
        reader.object(Field::Role, wrong_role(engine, mode, role));
    }
    let suffix = reader.needed(Field::Suffix, &draft.suffix, |text| names::check_suffix(text));
    let env = env::read(reader, &draft.env, release, engine);
    let reserved = env::reserved(release, engine);
    let secret_env = secret_env::read(reader, &draft.secret_env, &draft.env, &reserved);
    if let (Some(deployment), Some(secrets)) = (&deployment, &secret_env) {
        let own = |name: &str| draft.env.contains_key(name) || draft.secret_env.values.contains_key(name);
        env::fit(reader, &env::layered([&deployment.env, &env]), secrets, own);
    }
    let engine_args = engine_args::read(reader, &draft.engine_args, engine, Field::EngineArg);
    shared_args::of_a_worker(reader, &draft.engine_args, engine.zip(mode));
    let connector = connector::read(aside, &draft.deployment.connector, engine.zip(mode));
    shared_args::of_the_connector(reader, &draft.engine_args, engine, connector.as_ref(), Field::EngineArg);
    let own: [shared_args::Layer<'_>; 1] = [(&draft.engine_args, Field::EngineArg, role.as_slice())];
    shared_args::must_be_cached(reader, &draft.deployment.router, engine.zip(mode), &own);
    let resources = match &draft.resources {
        Some(block) => limits::read(reader, block).map(Some),
        None => Some(None),
    };
    let docker = docker::read(reader, &draft.docker);
    let server = connector.as_ref().and_then(|connector| connector.facts.server.as_ref());
    reader.objections.extend(cache_server::must_share(server, &docker));
    let gpu_request = gpus::read(reader, &draft.gpus);
    if engine.is_some_and(EngineFacts::needs_gpu) {
        gpus::at_least_one(reader, &draft.gpus);
    }
    if let (Some(deployment), Some(role), Some(request)) = (&deployment, role, &gpu_request) {
        reader.objections.extend(parallel::too_many(deployment, role, &engine_args, request));
        reader.objections.extend(parallel::one_rank(deployment, role, &engine_args));
    }
    let assigned = reader.or(Field::Gpus, &draft.gpus.assigned, Vec::new(), |uuids| Ok(uuids.clone()));
    let desired_state = read_state(reader, &draft.desired_state);
    let ports = read_ports(reader, &draft.ports, deployment.as_ref().zip(role));
    Some(WorkerSpec {
        deployment: deployment?,
        role: role?,
        suffix: suffix?,
        env,
        secret_env: secret_env?,
        engine_args,
        resources: resources?,
        docker,
        gpu_request: gpu_request?,
        gpus: assigned?,
        desired_state: desired_state?,
        ports: ports?,
    })
}

fn wrong_role(engine: &EngineFacts, mode: Mode, role: Role) -> Refusal {
    let there: Vec<_> =
        engine.serving.iter().filter(|row| row.mode == mode).map(|row| row.role.word()).collect();
    Refusal::new(
        format!("a deployment whose mode is {:?} has no {} workers", mode.word(), role.word()),
        format!("set role to {}, or change the deployment's mode", there.join(" or ")),
    )
}

/// Containers of a private network have ports of their own, so that all may use the same.
fn read_ports(
    reader: &mut Reader,
    draft: &BTreeMap<String, Given<i64>>,
    of: Option<(&Common, Role)>,
) -> Option<BTreeMap<&'static str, u16>> {
    let (deployment, role) = of?;
    let rows = worker_ports::ports(deployment, role).into_iter();
    let ports = rows.map(|row| {
        let port = match deployment.network {
            NetworkMode::Bridge => row.private,
            NetworkMode::Host => {
                let given = draft.get(row.name).unwrap_or(&Given::Absent);
                reader.needed(Field::WorkerPort(row.name), given, |port| ports::check(*port))
            }
        };
        Some((row.name, port?))
    });
    ports.collect::<Vec<_>>().into_iter().collect()
}
