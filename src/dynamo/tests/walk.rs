//! A walk over everything that the tables allow: each release × engine × connector × network × router mode, with a
//! deployment, one worker of each role, and what comes of them. A new row is walked before anybody thinks of it.
//!
//! Test code only: what is decided is read over by the second reader at once, and whoever walks holds more against it.

use crate::dynamo::blueprint::{Blueprint, Planned};
use crate::dynamo::facts::connector::ConnectorFacts;
use crate::dynamo::facts::engine::EngineFacts;
use crate::dynamo::facts::release;
use crate::dynamo::facts::release::Release;
use crate::dynamo::facts::router::RouterMode;
use crate::dynamo::lint::set::{Room, lint_set};
use crate::dynamo::spec::draft::{
    CommonDraft, ConnectorDraft, DeploymentDraft, GpuDraft, RouterDraft, WorkerDraft,
};
use crate::dynamo::spec::{HostFacts, Owner};
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::words::{Connector, Mode, NetworkMode, Role};
use crate::dynamo::{check, decide, lint};
use std::collections::BTreeSet;

/// GPUs of each worker that has any.
pub(crate) const GPUS: usize = 2;
/// What the host has for caches.
pub(crate) const ROOM: Room = Room { memory: 400 << 30, disk: Some(1000 << 30) };

pub(crate) fn is<T: Into<String>>(text: T) -> Given<String> {
    Given::Is(text.into())
}

pub(crate) fn host() -> HostFacts {
    let advertise_address = Some("10.0.0.11".to_owned());
    HostFacts { cpus: 64, memory_bytes: 512 << 30, advertise_address, ..HostFacts::default() }
}

pub(crate) fn owner() -> Owner {
    Owner { run: "run-1".to_owned(), spec_json: "{…}".to_owned() }
}

/// One row of the tables with a network and a router mode.
pub(crate) struct Combination {
    pub release: &'static Release,
    pub engine: &'static EngineFacts,
    pub connector: &'static ConnectorFacts,
    pub network: NetworkMode,
    pub router: &'static RouterMode,
}

pub(crate) fn all() -> Vec<Combination> {
    let mut found = Vec::new();
    for release in release::ALL {
        for engine in release.engines {
            let networks = release.topologies.iter().map(|row| row.network);
            for network in networks.filter(|network| engine.networks.contains(network)) {
                for connector in engine.connectors {
                    for router in release.router_modes {
                        found.push(Combination { release, engine, connector, network, router });
                    }
                }
            }
        }
    }
    found
}

/// A deployment of which only what must be said is.
pub(crate) fn common(
    release: &Release,
    engine: &EngineFacts,
    mode: Mode,
    network: NetworkMode,
) -> CommonDraft {
    let services = [("etcd", "10.0.0.11:2379"), ("nats", "10.0.0.11:4222")];
    let services = services.map(|(name, seat)| (name.to_owned(), is(seat))).into();
    let (name, model) = (is("chat"), is(if engine.renames { "/data/qwen3" } else { "Qwen/Qwen3-8B" }));
    CommonDraft {
        name,
        model,
        services,
        dynamo_version: is(*release.versions.last().unwrap()),
        engine: is(engine.engine.word()),
        mode: is(mode.word()),
        network: is(network.word()),
        ..CommonDraft::default()
    }
}

/// What comes of a combination.
pub(crate) struct Decided {
    pub deployment: Blueprint,
    pub workers: Vec<(Role, Blueprint)>,
}

impl Combination {
    /// In words, for who reads that it is wrong.
    pub(crate) fn words(&self) -> Vec<&'static str> {
        let connector = self.connector.connector.word();
        let mut words =
            vec![self.engine.engine.word(), self.connector.mode.word(), self.router.word, connector];
        words.extend(self.connector.server.iter().map(|_| "server"));
        words
    }

    fn connector(&self) -> ConnectorDraft {
        let cache = self.connector.cache();
        let disk = cache.and_then(|cache| cache.disk.as_ref());
        let given = |there: bool, gb| if there { Given::Is(gb) } else { Given::Absent };
        ConnectorDraft {
            kind: is(self.connector.connector.word()),
            cpu_cache_gb: given(cache.is_some(), 32),
            disk_cache_gb: given(disk.is_some(), 200),
            disk_cache_path: if disk.is_some() { is("/nvme/kv") } else { Given::Absent },
            server: match self.connector.connector {
                Connector::Lmcache => Given::Is(self.connector.server.is_some()),
                _ => Given::Absent,
            },
        }
    }

    pub(crate) fn deployment(&self) -> DeploymentDraft {
        let router = RouterDraft { mode: is(self.router.word), ..RouterDraft::default() };
        let common = common(self.release, self.engine, self.connector.mode, self.network);
        let common = CommonDraft { router, connector: self.connector(), ..common };
        DeploymentDraft { common, port: Given::Is(8000), ..DeploymentDraft::default() }
    }

    /// One of each role, on one host.
    fn workers(&self) -> Vec<WorkerDraft> {
        let mut taken = BTreeSet::new();
        let rows = self.engine.serving.iter().filter(|row| row.mode == self.connector.mode);
        let workers = rows.enumerate().map(|(at, row)| {
            let uuids = (0..GPUS).map(|gpu| format!("GPU-{at}000000{gpu}")).collect();
            let gpus =
                GpuDraft { gpu_count: Given::Is(2), assigned: Given::Is(uuids), ..GpuDraft::default() };
            let mut worker = WorkerDraft {
                deployment: self.deployment().common,
                role: is(row.role.word()),
                suffix: is(format!("abc23{}", at + 4)),
                gpus: if self.engine.needs_gpu() { gpus } else { GpuDraft::default() },
                ..WorkerDraft::default()
            };
            let of_the_server: Vec<&str> =
                self.connector.server.iter().flat_map(|server| server.ports).map(|row| row.name).collect();
            for port in check::picked_ports(&worker).unwrap() {
                let mut free = (port.from..).filter(|number| taken.insert(*number));
                let shared = of_the_server.contains(&port.name);
                let free = if shared { port.from } else { free.next().unwrap() };
                worker.ports.insert(port.name.to_owned(), Given::Is(i64::from(free)));
            }
            worker
        });
        workers.collect()
    }

    /// Everything that the second reader can say is held.
    pub(crate) fn decided(&self) -> Decided {
        let words = || format!("{} {} {:?}", self.release.line, self.network.word(), self.words());
        let spec = self.deployment().complete().unwrap_or_else(|wrong| panic!("{}: {wrong:?}", words()));
        let deployment = decide::deployment(&spec, &host(), &owner()).unwrap();
        let workers = self.workers().into_iter().map(|draft| {
            let spec = draft.complete().unwrap_or_else(|wrong| panic!("{}: {wrong:?}", words()));
            (spec.role, decide::worker(&spec, &host(), &owner()).unwrap())
        });
        let workers: Vec<(Role, Blueprint)> = workers.collect();
        assert_eq!(lint::lint(&deployment), [""; 0], "{}", words());
        for (_, worker) in &workers {
            assert_eq!(lint::lint(worker), [""; 0], "{}", words());
            assert_eq!(lint::lint_pair(&deployment, worker), [""; 0], "{}", words());
        }
        let decided = Decided { deployment, workers };
        let alone: Vec<Blueprint> = decided.workers.iter().map(|(_, worker)| worker.clone()).collect();
        assert_eq!(lint_set(&decided.deployment, &alone, ROOM), [""; 0], "{}", words());
        decided
    }
}

impl Decided {
    /// The containers of a component, among them those that workers share.
    pub(crate) fn of_component<'a>(&'a self, component: &'a str) -> impl Iterator<Item = &'a Planned> {
        let shared = self.workers.iter().flat_map(|(_, worker)| &worker.shared);
        self.deployment.containers.iter().chain(shared).filter(move |planned| planned.component == component)
    }
}
