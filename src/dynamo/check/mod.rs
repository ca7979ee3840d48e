//! Reading a draft: every complaint that can be made without a host, and a spec once all is known.
//!
//! [`deployment`] and [`worker`] answer `validate` and the early part of a plan: they pass over what is unknown.
//! [`DeploymentDraft::complete`] and [`WorkerDraft::complete`] read the same way and then insist. There is one reader,
//! so the three moments cannot disagree.

pub(crate) mod cache_server;
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
use crate::dynamo::facts::release::Release;
use crate::dynamo::facts::topology::WorkerPort;
use crate::dynamo::spec::cache_server::used as used_cache_server;
use crate::dynamo::spec::draft::{CommonDraft, DeploymentDraft, WorkerDraft};
use crate::dynamo::spec::model::ModelRef;
use crate::dynamo::spec::{Common, DeploymentSpec, WorkerSpec, arguments, model, worker_ports};
use crate::dynamo::terms::endpoint::Endpoint;
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::{Field, Objection, Refusal};
use crate::dynamo::terms::reader::{Reader, word};
use crate::dynamo::terms::words::{DesiredState, Engine, Mode, NetworkMode, PullPolicy, Role};
use crate::dynamo::terms::{image, names, ports};
use std::collections::BTreeMap;

type Releases = &'static [&'static Release];

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

fn read_common(reader: &mut Reader, draft: &CommonDraft, releases: Releases) -> Option<Common> {
    let name = reader.needed(Field::Name, &draft.name, |name| names::deployment(name));
    let version = read_version(reader, draft, releases);
    let release = version.map(|(release, _)| release);
    let engine = read_engine(reader, draft, release);
    let mode = read_mode(reader, draft, engine);
    let image = read_image(reader, draft, version, engine);
    let pull = word(PullPolicy::ALL, PullPolicy::word);
    let pull_policy = reader.or(Field::ImagePullPolicy, &draft.image_pull_policy, PullPolicy::Missing, pull);
    let model = reader.needed(Field::Model, &draft.model, |text| ModelRef::parse(text));
    let served_model_name = read_served_name(reader, draft, model.as_ref(), engine);
    let network = read_network(reader, draft, release, engine);
    let services = read_services(reader, draft, release.zip(network));
    let router = router::read(reader, &draft.router, release);
    let env = env::read(reader, &draft.env, release, engine);
    let connector = connector::read(reader, &draft.connector, engine.zip(mode));
    let engine_args = engine_args::read(reader, &draft.engine_args, engine, Field::EngineArg);
    let model_args = engine_args::read(reader, &draft.model_args, engine, Field::ModelArg);
    shared_args::of_the_connector(reader, &draft.model_args, engine, connector.as_ref(), Field::ModelArg);
    let role_args = shared_args::of_roles(reader, draft, engine.zip(mode));
    let layers = shared_args::layers(draft);
    for (written, at, _) in layers {
        shared_args::of_the_connector(reader, written, engine, connector.as_ref(), at);
    }
    shared_args::must_be_cached(reader, &draft.router, engine.zip(mode), &layers);
    let resources = limits::read(reader, &draft.resources);
    let docker = docker::read(reader, &draft.docker);
    let server = connector.as_ref().and_then(|connector| connector.facts.server.as_ref());
    reader.objections.extend(cache_server::must_share(server, &docker));
    Some(Common {
        name: name?,
        release: release?,
        dynamo_version: version?.1.to_owned(),
        engine: engine?,
        image: image?,
        pull_policy: pull_policy?,
        model: model?,
        served_model_name: served_model_name?,
        mode: mode?,
        network: network?,
        services: services?,
        router: router?,
        env,
        connector: connector?,
        model_args,
        engine_args,
        role_args,
        resources: resources?,
        docker,
    })
}

fn read_version(
    reader: &mut Reader,
    draft: &CommonDraft,
    releases: Releases,
) -> Option<(&'static Release, &'static str)> {
    let newest = Given::Is(release::newest_of(releases).to_owned());
    let version = if draft.dynamo_version.is_absent() { &newest } else { &draft.dynamo_version };
    reader.needed(Field::DynamoVersion, version, |version| release::find(releases, version))
}

fn read_engine(
    reader: &mut Reader,
    draft: &CommonDraft,
    release: Option<&'static Release>,
) -> Option<&'static EngineFacts> {
    let engine = reader.needed(Field::Engine, &draft.engine, word(Engine::ALL, Engine::word))?;
    let release = release?;
    reader.keep(
        Field::Engine,
        release.engine(engine).ok_or_else(|| {
            let there: Vec<_> = release.engines.iter().map(|facts| facts.engine.word()).collect();
            not_yet(&format!("the engine {:?}", engine.word()), &there)
        }),
    )
}

fn read_mode(reader: &mut Reader, draft: &CommonDraft, engine: Option<&EngineFacts>) -> Option<Mode> {
    let mode = reader.or(Field::Mode, &draft.mode, Mode::Aggregated, word(Mode::ALL, Mode::word))?;
    let Some(engine) = engine else { return Some(mode) };
    let there = Mode::ALL.iter().filter(|mode| engine.has_mode(**mode)).map(|mode| mode.word());
    let supported = if engine.has_mode(mode) {
        Ok(mode)
    } else {
        let what = format!("the mode {:?} with the engine {:?}", mode.word(), engine.engine.word());
        Err(not_yet(&what, &there.collect::<Vec<_>>()))
    };
    reader.keep(Field::Mode, supported)
}

fn read_network(
    reader: &mut Reader,
    draft: &CommonDraft,
    release: Option<&Release>,
    engine: Option<&EngineFacts>,
) -> Option<NetworkMode> {
    let spelled = word(NetworkMode::ALL, NetworkMode::word);
    let network = reader.or(Field::Network, &draft.network, NetworkMode::Bridge, spelled)?;
    let release = release?;
    let runs = |network: &NetworkMode| engine.is_none_or(|engine| engine.networks.contains(network));
    let there = release.topologies.iter().map(|row| row.network).filter(|network| runs(network));
    let there: Vec<_> = there.map(NetworkMode::word).collect();
    let supported = release.topology(network).map(|_| network).filter(runs);
    let what = format!("the network {:?} with this engine in Dynamo {}", network.word(), release.line);
    reader.keep(Field::Network, supported.ok_or_else(|| not_yet(&what, &there)))
}

/// Services of a private network are found by their names.
fn read_services(
    reader: &mut Reader,
    draft: &CommonDraft,
    on: Option<(&Release, NetworkMode)>,
) -> Option<BTreeMap<&'static str, Endpoint>> {
    let (release, network) = on?;
    let services = release.topology(network)?.services.iter();
    let seats = services.map(|service| {
        let seat = match network {
            NetworkMode::Bridge => Some(Endpoint { address: service.name.to_owned(), port: service.port }),
            NetworkMode::Host => {
                let given = draft.services.get(service.name).unwrap_or(&Given::Absent);
                reader.needed(Field::Services, given, |text| seat(service.name, text))
            }
        };
        Some((service.name, seat?))
    });
    seats.collect::<Vec<_>>().into_iter().collect()
}

fn seat(service: &str, text: &str) -> Result<Endpoint, Refusal> {
    Endpoint::parse(text).ok_or_else(|| {
        let what = format!("{text:?} is not an address of {service}");
        Refusal::new(what, "an address has the form 10.0.0.11:2379")
    })
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

fn not_yet(what: &str, instead: &[&str]) -> Refusal {
    let what = format!("{what} is not supported yet by this version of the provider");
    Refusal::new(what, format!("use {}", instead.join(" or ")))
}

fn read_image(
    reader: &mut Reader,
    draft: &CommonDraft,
    version: Option<(&Release, &str)>,
    engine: Option<&EngineFacts>,
) -> Option<String> {
    if !draft.image.is_absent() {
        return reader.needed(Field::Image, &draft.image, |text| image::reference(text));
    }
    let (release, version) = version?;
    Some(release.image(engine?, version))
}

/// A folder's name need not be one that clients can use: then the user must choose one.
fn read_served_name(
    reader: &mut Reader,
    draft: &CommonDraft,
    model: Option<&ModelRef>,
    engine: Option<&EngineFacts>,
) -> Option<String> {
    let chosen = !draft.served_model_name.is_absent();
    let name = if chosen {
        reader.needed(Field::ServedModelName, &draft.served_model_name, |text| model::served_name(text))
    } else {
        reader.keep(Field::ServedModelName, model::served_name(model?.default_served_name()))
    }?;
    if engine.is_some_and(|engine| !engine.renames)
        && let Some(model) = model.filter(|model| model.argument() != name)
    {
        reader.object(if chosen { Field::ServedModelName } else { Field::Model }, cannot_rename(model));
    }
    Some(name)
}

fn cannot_rename(model: &ModelRef) -> Refusal {
    let what = "this engine can serve a model only under its own name on the hub in this release of Dynamo";
    match model {
        ModelRef::Path(_) => {
            Refusal::new(what, "name a model of the hub, or choose a dynamo_version from 1.2 on")
        }
        ModelRef::HuggingFace(_) => Refusal::new(what, "leave served_model_name out"),
    }
}

/// The desired state; running where users say nothing.
pub(super) fn read_state(reader: &mut Reader, given: &Given<String>) -> Option<DesiredState> {
    let spelled = word(DesiredState::ALL, DesiredState::word);
    reader.or(Field::DesiredState, given, DesiredState::Running, spelled)
}
