//! From a spec and a host to a blueprint.
//!
//! Nothing is looked up by name here and nothing is chosen: the spec carries the rows of the tables, the host its
//! numbers, the owner its token. The same input gives the same blueprint, which is what lets a plan be compared with
//! an apply. What can still go wrong is what only the host decides: limits that do not fit, and options that would
//! cover a mount of the provider's.

pub(crate) mod cache_budget;
pub(crate) mod limits;
pub(crate) mod worker;

use std::collections::BTreeMap;

use crate::container::labels::Ownership;
use crate::container::{
    ContainerSpec, Ipc, Limits, Mount, MountSource, Network, NetworkSpec, PortBinding, Restart, Ulimit,
    VolumeSpec, labels,
};
use crate::dynamo::blueprint::{Blueprint, Listing, Planned, Readiness};
use crate::dynamo::check::{docker, env, parallel, secret_env};
use crate::dynamo::facts::cache_server::{ALL_GPUS, CacheServer};
use crate::dynamo::facts::engine::Serving;
use crate::dynamo::facts::topology::{SYSTEM, Seat, Service, ServiceImage, Told, Topology, WorkerPort};
use crate::dynamo::facts::{cache_server, router};
use crate::dynamo::gpus::NO_GPUS;
use crate::dynamo::spec::{
    Common, DeploymentSpec, DockerOptions, HostFacts, Mode, NetworkMode, Owner, Role, WorkerSpec,
};
use crate::dynamo::terms::amount::GIB;
use crate::dynamo::terms::objection::{ConnectorField, Field, Objection, Refusal};
use crate::dynamo::terms::{names, ports};
use worker::{Launch, Site};

/// Component of the frontend's container.
pub(crate) const FRONTEND: &str = "frontend";
/// Component of a worker's container.
pub(crate) const WORKER: &str = "worker";

/// The endpoint under which a worker takes requests.
const GENERATE: &str = "generate";

/// Network, volumes, services and frontend of a deployment.
pub(crate) fn deployment(
    spec: &DeploymentSpec,
    host: &HostFacts,
    owner: &Owner,
) -> Result<Blueprint, Vec<Objection>> {
    let common = &spec.common;
    let shared = Shared::new(common, host, owner)?;
    let limits = limits::decide(common.resources, host);
    let clashes = docker::clashes(&common.docker, &shared.mounts(), &shared.aliases(), shared.place());
    let limits = agreed(limits, clashes)?;
    let mut containers = shared.services();
    containers.push(frontend(spec, &shared, limits));
    Ok(Blueprint {
        network: (common.network == NetworkMode::Bridge).then(|| NetworkSpec {
            name: names::network(&common.name),
            labels: shared.labels("network", None, ""),
        }),
        volumes: shared.volumes(),
        containers,
        shared: Vec::new(),
    })
}

/// The container of a worker.
pub(crate) fn worker(
    spec: &WorkerSpec,
    host: &HostFacts,
    owner: &Owner,
) -> Result<Blueprint, Vec<Objection>> {
    let common = &spec.deployment;
    let shared = Shared::new(common, host, owner)?;
    let serving = serving(common, spec.role)?;
    let limits = match spec.resources {
        Some(own) => limits::decide(own, host),
        None => limits::decide(common.resources, host).map_err(theirs),
    };
    let mounts: Vec<Mount> = shared.mounts().into_iter().chain(worker::cache_folder(spec)).collect();
    let mut clashes = docker::clashes(&spec.docker, &mounts, &shared.aliases(), shared.place());
    clashes.extend(theirs(docker::clashes(&common.docker, &mounts, &shared.aliases(), shared.place())));
    let limits = agreed(limits, clashes)?;
    cache_fits(spec, limits, host).map_err(|refusal| {
        vec![refusal.at(Field::Connector(ConnectorField::CpuCacheGb)).of_the_deployment()]
    })?;
    let mut container = worker_container(spec, serving, &shared, limits);
    let server = cache_server::used(&common.connector, spec.role).map(|server| {
        let limits = limits::decide(common.resources, host).map_err(theirs)?;
        cache_server(server, &shared, limits, &spec.ports).map_err(theirs)
    });
    let server = server.transpose()?;
    container.spec.labels.extend(server.iter().flat_map(|server| cache_server_label(&server.spec.name)));
    Ok(Blueprint {
        containers: vec![container],
        shared: server.into_iter().collect(),
        ..Blueprint::default()
    })
}

fn cache_fits(spec: &WorkerSpec, limits: Limits, host: &HostFacts) -> Result<(), Refusal> {
    pinned_fits(worker::cache_bytes(spec), limits, host, "a worker")
}

/// A cache is pinned memory: the kernel ends who pins more than his limit, and swaps everything else out for one that pins
/// more than the machine can spare.
fn pinned_fits(wanted: u64, limits: Limits, host: &HostFacts, who: &str) -> Result<(), Refusal> {
    let there = match limits.memory_bytes {
        Some(limit) => limit,
        None => limits::available(host).map_or(0, |share| share.memory_bytes),
    };
    if wanted == 0 || wanted < there {
        return Ok(());
    }
    let what = format!(
        "{who} would pin {} for its cache, and may use {}",
        limits::gb_text(wanted),
        limits::gb_text(there)
    );
    Err(Refusal::new(what, "make the cache smaller, or raise its resources.memory_gb"))
}

fn theirs(objections: Vec<Objection>) -> Vec<Objection> {
    objections.into_iter().map(Objection::of_the_deployment).collect()
}

fn agreed(limits: Result<Limits, Vec<Objection>>, clashes: Vec<Objection>) -> Result<Limits, Vec<Objection>> {
    match limits {
        Ok(limits) if clashes.is_empty() => Ok(limits),
        other => Err(other.err().into_iter().flatten().chain(clashes).collect()),
    }
}

/// [`super::check`] saw to it that there is one.
fn topology(common: &Common) -> Result<&'static Topology, Vec<Objection>> {
    common.release.topology(common.network).ok_or_else(|| {
        let what = format!("Dynamo {} cannot be run on it", common.release.line);
        vec![Refusal::new(what, "choose another network").at(Field::Network)]
    })
}

/// [`super::check`] saw to it that there is one.
fn serving(common: &Common, role: Role) -> Result<&'static Serving, Vec<Objection>> {
    common.engine.serving(common.mode, role).ok_or_else(|| {
        let what = format!("the deployment has no {} workers", role.word());
        vec![Refusal::new(what, "choose another role").at(Field::Role)]
    })
}

/// Where nothing is configured, there is no other host to reach this one.
fn advertised(host: &HostFacts) -> Result<String, Objection> {
    let text = host.advertise_address.as_deref().unwrap_or(ports::THIS_MACHINE);
    ports::check_advertised(text).map_err(|refusal| refusal.at(Field::HostAdvertiseAddress))
}

/// What keeps the workers' cache for them. `picked` are its ports.
fn cache_server(
    server: &'static CacheServer,
    shared: &Shared<'_>,
    limits: Limits,
    picked: &BTreeMap<&'static str, u16>,
) -> Result<Planned, Vec<Objection>> {
    let common = shared.common;
    let gb = common.connector.cpu_cache_gb.unwrap_or_default();
    let fits = pinned_fits(u64::from(gb).saturating_mul(GIB), limits, shared.host, "the cache's server");
    fits.map_err(|refusal| vec![refusal.at(Field::Connector(ConnectorField::CpuCacheGb))])?;
    let (alias, listen) = (server.host_name(common), server.address(common).1);
    let port = |row: &WorkerPort| picked.get(row.name).copied().or(row.private).unwrap_or(row.from);
    let told = server.ports.iter().filter_map(|row| match row.told {
        Told::Flag(flag) => Some([flag.to_owned(), port(row).to_string()]),
        Told::Env(_) | Told::Inside => None,
    });
    let words = server.command.iter();
    let words = words.map(|word| word.replace("{cpu_cache_gb}", &gb.to_string()).replace("{listen}", listen));
    let container = server.container(common);
    let mut labels = shared.labels(server.name, None, "");
    labels.extend(cache_server_label(&container));
    let mut ports = Vec::new();
    if common.network == NetworkMode::Host {
        let address = |row: &WorkerPort| if row.any_address { "0.0.0.0" } else { listen };
        ports.extend(server.ports.iter().map(|row| PortBinding {
            container_port: port(row),
            host_address: address(row).to_owned(),
            host_port: port(row),
        }));
    }
    let health_port = server.ports.iter().find(|row| row.name == server.health_port).map_or(0, port);
    let spec = ContainerSpec {
        name: container,
        image: common.image.clone(),
        entrypoint: vec![server.program.to_owned()],
        command: words.chain(told.flatten()).collect(),
        labels,
        ports,
        network: shared.network(&[&alias]),
        restart: Restart::UnlessStopped,
        limits,
        ulimits: with_engine_ulimits(common.docker.ulimits.clone(), common.engine.ulimits),
        cap_add: with_engine_capabilities(common.docker.cap_add.clone(), common.engine.cap_add),
        gpus: vec![ALL_GPUS.to_owned()],
        ipc: Ipc::Host,
        runtime: common.docker.runtime.clone(),
        log: common.docker.log.clone(),
        stop_grace_seconds: common.release.grace.service,
        ..ContainerSpec::default()
    };
    let ready = Readiness::Http { port: health_port, path: server.health_path.to_owned() };
    Ok(Planned { component: server.name.to_owned(), spec, ready })
}

/// By which a server and those who use it are told together.
fn cache_server_label(container: &str) -> [(String, String); 1] {
    [(labels::CACHE_SERVER.to_owned(), container.to_owned())]
}

fn frontend(spec: &DeploymentSpec, shared: &Shared<'_>, limits: Limits) -> Planned {
    let common = shared.common;
    let facts = &common.release.frontend;
    // On a private network it listens at all addresses of its container, and Docker publishes the port.
    let (address, port) = match common.network {
        NetworkMode::Bridge => ("0.0.0.0", facts.port),
        NetworkMode::Host => (spec.bind_address.as_str(), spec.port),
    };
    let listen = [facts.address_flag, address, facts.port_flag, &port.to_string()].map(str::to_owned);
    let mut command = vec!["-m".to_owned(), facts.module.to_owned()];
    command.extend(listen);
    command.extend(router::arguments(&common.router, common.release));
    if let Some(flag) = common.release.namespace_prefix_flag {
        command.extend([flag.to_owned(), names::namespace_prefix(&common.name)]);
    }
    let mut decided_env = frontend_env(common);
    decided_env.extend(shared.address_env(shared.topology.frontend_address_env));
    let base = shared.dynamo_container(&common.docker, FRONTEND, None, limits);
    let mut planned = Planned {
        component: FRONTEND.to_owned(),
        spec: ContainerSpec {
            name: names::container(&common.name, FRONTEND),
            command,
            env: shared.env(&worker::env_defaults(common, facts.defaults), &BTreeMap::new(), decided_env),
            ports: vec![PortBinding {
                container_port: port,
                host_address: spec.bind_address.clone(),
                host_port: spec.port,
            }],
            network: shared.network(&[facts.alias]),
            stop_grace_seconds: common.docker.stop_grace_seconds.unwrap_or(common.release.grace.frontend),
            ..base
        },
        ready: Readiness::Http { port, path: facts.health_path.to_owned() },
    };
    secret_env::give(&mut planned.spec, &spec.secret_env);
    planned
}

fn worker_container(spec: &WorkerSpec, serving: &Serving, shared: &Shared<'_>, limits: Limits) -> Planned {
    let (common, engine) = (shared.common, shared.common.engine);
    let Launch { command, env, env_defaults, mounts, namespace } =
        worker::worker(spec, serving, &shared.site());
    let mut decided_env = env;
    if spec.gpus.is_empty() {
        decided_env.extend(strings([&NO_GPUS]));
    }
    let mut docker = docker::merged(&common.docker, &spec.docker);
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
fn seat(spec: &WorkerSpec, shared: &Shared<'_>) -> Option<Seat> {
    let row = shared.topology.worker_ports.iter().find(|row| row.listed)?;
    Some(Seat { address: shared.address.clone()?, port: *spec.ports.get(row.name)? })
}

/// Where the worker's own pages are: on a private network the same for all, on the host's picked.
fn system_port(spec: &WorkerSpec, shared: &Shared<'_>) -> Option<u16> {
    let row = shared.topology.worker_ports.iter().find(|row| row.name == SYSTEM)?;
    spec.ports.get(row.name).copied().or(row.private)
}

/// A frontend that serves a prefix has no namespace of its own.
fn frontend_env(common: &Common) -> BTreeMap<String, String> {
    let mut env = strings([&NO_GPUS]);
    if common.release.namespace_prefix_flag.is_none() {
        env.insert(common.release.namespace_env.to_owned(), names::namespace(&common.name, None));
    }
    env
}

/// The engine's, except those that the user set.
fn with_engine_ulimits(mut own: Vec<Ulimit>, engine: &[(&str, i64, i64)]) -> Vec<Ulimit> {
    for (name, soft, hard) in engine {
        if own.iter().all(|limit| limit.name != *name) {
            own.push(Ulimit { name: (*name).to_owned(), soft: *soft, hard: *hard });
        }
    }
    own
}

fn with_engine_capabilities(mut own: Vec<String>, engine: &[&str]) -> Vec<String> {
    for name in engine {
        if own.iter().all(|other| other.strip_prefix("CAP_").unwrap_or(other) != *name) {
            own.push((*name).to_owned());
        }
    }
    own
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

/// What all containers of a deployment are made from.
struct Shared<'a> {
    common: &'a Common,
    topology: &'static Topology,
    host: &'a HostFacts,
    owner: &'a Owner,
    /// By which other hosts reach this one; `None` on a private network, where nobody outside asks.
    address: Option<String>,
    network_name: String,
}

impl<'a> Shared<'a> {
    fn new(common: &'a Common, host: &'a HostFacts, owner: &'a Owner) -> Result<Self, Vec<Objection>> {
        let address = match common.network {
            NetworkMode::Bridge => None,
            NetworkMode::Host => Some(advertised(host).map_err(|objection| vec![objection])?),
        };
        let network_name = names::network(&common.name);
        Ok(Self { common, topology: topology(common)?, host, owner, address, network_name })
    }

    /// What the frontend and the workers have in common. Name, command, environment, network and grace are still open.
    fn dynamo_container(
        &self,
        docker: &DockerOptions,
        component: &str,
        role: Option<Role>,
        limits: Limits,
    ) -> ContainerSpec {
        let mut labels = docker.labels.clone();
        labels.extend(self.labels(component, role, &self.owner.spec_json));
        let mut mounts = self.mounts();
        mounts.extend(docker.volumes.iter().cloned());
        ContainerSpec {
            image: self.common.image.clone(),
            entrypoint: self.common.release.entrypoint.iter().map(|word| (*word).to_owned()).collect(),
            labels,
            mounts,
            restart: docker.restart.unwrap_or(Restart::UnlessStopped),
            limits,
            shm_bytes: docker.shm_bytes,
            ulimits: docker.ulimits.clone(),
            extra_hosts: docker.extra_hosts.clone(),
            cap_add: docker.cap_add.clone(),
            devices: docker.devices.clone(),
            ipc: docker.ipc.unwrap_or_default(),
            privileged: docker.privileged.unwrap_or(false),
            runtime: docker.runtime.clone(),
            log: docker.log.clone(),
            networks: docker.networks.clone(),
            make_folders: docker.make_folders.clone(),
            ..ContainerSpec::default()
        }
    }

    fn site(&self) -> Site<'_> {
        let (topology, address) = (self.topology, self.address.as_deref());
        Site { topology, address, model: self.common.model.argument_on(self.host) }
    }

    /// Services, each with its seat.
    fn seats(&self) -> impl Iterator<Item = (&'static Service, &Seat)> {
        let seats = &self.common.services;
        self.topology.services.iter().filter_map(|service| Some((service, seats.get(service.name)?)))
    }

    fn services(&self) -> Vec<Planned> {
        self.seats().map(|(service, seat)| self.service(service, seat)).collect()
    }

    fn service(&self, service: &Service, seat: &Seat) -> Planned {
        let (image, entrypoint) = match service.image {
            ServiceImage::Bundled { program } => (self.common.image.clone(), vec![program.to_owned()]),
            ServiceImage::Separate(image) => (image.to_owned(), Vec::new()),
        };
        // Never at more addresses than it has clients at: it asks nobody for a password.
        let listen = self.address.as_deref().unwrap_or("0.0.0.0");
        Planned {
            component: service.name.to_owned(),
            spec: ContainerSpec {
                name: names::container(&self.common.name, service.name),
                image,
                entrypoint,
                command: service.command.iter().map(|word| seat.fill(word, listen)).collect(),
                env: strings(service.env),
                labels: self.labels(service.name, None, ""),
                ports: self.on_the_host([seat.port]),
                network: self.network(&[service.name]),
                restart: Restart::UnlessStopped,
                stop_grace_seconds: self.common.release.grace.service,
                ..ContainerSpec::default()
            },
            ready: Readiness::Http {
                port: service.health_port.unwrap_or(seat.port),
                path: service.health_path.to_owned(),
            },
        }
    }

    /// Defaults, then what users set, then what the provider decides; users may set none of the last.
    fn env(
        &self,
        defaults: &BTreeMap<String, String>,
        nearest: &BTreeMap<String, String>,
        decided: BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let release = self.common.release;
        let mut shared = strings(release.env.iter().chain(self.topology.env));
        for (service, seat) in self.seats() {
            let clients = service.clients.iter();
            shared.extend(clients.map(|(name, value)| ((*name).to_owned(), seat.fill(value, ""))));
        }
        shared.extend(self.common.model.env(release));
        let mut below = defaults.clone();
        below.extend(strings(self.common.model.default_env(self.host)));
        env::layered([&below, &self.common.env, nearest, &shared, &decided])
    }

    /// What the provider mounts into the frontend and every worker.
    fn mounts(&self) -> Vec<Mount> {
        let store = self.topology.store.as_ref().map(|store| Mount {
            source: MountSource::Volume(names::discovery_volume(&self.common.name)),
            target: store.path.to_owned(),
            read_only: false,
        });
        store.into_iter().chain([self.common.model.mount(self.common.release, self.host)]).collect()
    }

    fn volumes(&self) -> Vec<VolumeSpec> {
        let store = self.topology.store.as_ref().map(|store| VolumeSpec {
            name: names::discovery_volume(&self.common.name),
            labels: self.labels("discovery", None, ""),
            options: strings(store.options),
        });
        store.into_iter().collect()
    }

    /// Host names that mean a container of this deployment.
    fn aliases(&self) -> Vec<String> {
        if self.common.network == NetworkMode::Host {
            return Vec::new();
        }
        let services = self.topology.services.iter().map(|service| service.name);
        let server = self.common.connector.facts.server.iter().map(|it| it.host_name(self.common));
        let named = services.chain([self.common.release.frontend.alias]).map(str::to_owned);
        named.chain(server).collect()
    }

    /// The kind of the deployment's network, and its name where it has one of its own.
    fn place(&self) -> (NetworkMode, &str) {
        (self.common.network, &self.network_name)
    }

    fn network(&self, aliases: &[&str]) -> Network {
        match self.common.network {
            NetworkMode::Host => Network::Host,
            NetworkMode::Bridge => Network::Bridge {
                name: self.network_name.clone(),
                aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            },
        }
    }

    /// Ports that are taken at the host's address by a container of its network; none on a private network.
    fn on_the_host(&self, ports: impl IntoIterator<Item = u16>) -> Vec<PortBinding> {
        let Some(address) = &self.address else { return Vec::new() };
        let binding =
            |port| PortBinding { container_port: port, host_address: address.clone(), host_port: port };
        ports.into_iter().map(binding).collect()
    }

    /// The ports of a worker on the host's network.
    fn worker_ports(&self, spec: &WorkerSpec) -> Vec<PortBinding> {
        let ranks = parallel::ranks(self.common, spec.role, &spec.engine_args);
        let rows = worker::own_ports(self.common, spec.role).into_iter();
        let bindings = rows.flat_map(|row| {
            let first = spec.ports.get(row.name).copied();
            let all = row.offsets(ranks).into_iter().filter_map(move |above| first?.checked_add(above));
            self.on_the_host(all).into_iter().map(|mut binding| {
                if row.any_address {
                    "0.0.0.0".clone_into(&mut binding.host_address);
                }
                binding
            })
        });
        bindings.collect()
    }

    fn address_env(&self, names: &[&str]) -> Vec<(String, String)> {
        let address = self.address.iter();
        address.flat_map(|address| names.iter().map(|name| ((*name).to_owned(), address.clone()))).collect()
    }

    fn labels(&self, component: &str, role: Option<Role>, spec: &str) -> BTreeMap<String, String> {
        let ownership = Ownership {
            deployment: self.common.name.clone(),
            component: component.to_owned(),
            role: role.map(|role| role.word().to_owned()),
            run: self.owner.run.clone(),
            spec: spec.to_owned(),
        };
        ownership.to_labels()
    }
}

fn strings<'a>(pairs: impl IntoIterator<Item = &'a (&'a str, &'a str)>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}
