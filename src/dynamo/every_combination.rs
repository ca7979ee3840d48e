//! Everything that the tables allow, in every line of releases: each release × engine × mode × router mode × connector ×
//! network is decided, and read over by [`super::lint`]. What comes of it is also what Dynamo's own parsers are asked
//! about: with `REFEREE_CASES` set to a file, the command lines go there, each with what was wanted
//! (`acceptance-tests/referee`).
#![allow(clippy::disallowed_methods)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::blueprint::{Blueprint, Planned};
use super::connector::{Connector, ConnectorFacts};
use super::discovery::Topology;
use super::draft::{CommonDraft, ConnectorDraft, DeploymentDraft, Given, GpuDraft, RouterDraft, WorkerDraft};
use super::engine::EngineFacts;
use super::objection::Objection;
use super::release::{self, Release};
use super::router::RouterMode;
use super::spec::{DeploymentSpec, HostFacts, NetworkMode, Owner, Role};
use super::{decide, launch, lint};

const GPUS: [&str; 2] = ["GPU-00000000", "GPU-11111111"];
const ADDRESS: &str = "10.0.0.11";

/// A way to run Dynamo.
struct Combination {
    release: &'static Release,
    engine: &'static EngineFacts,
    connector: &'static ConnectorFacts,
    router: &'static RouterMode,
    topology: &'static Topology,
}

fn all() -> impl Iterator<Item = Combination> {
    release::ALL.iter().flat_map(|release| {
        let engines = release
            .engines
            .iter()
            .flat_map(|engine| engine.connectors.iter().map(move |connector| (engine, connector)));
        engines.flat_map(move |(engine, connector)| {
            let places = release.topologies.iter().filter(|row| engine.networks.contains(&row.network));
            places.flat_map(move |topology| {
                release.router_modes.iter().map(move |router| Combination {
                    release,
                    engine,
                    connector,
                    router,
                    topology,
                })
            })
        })
    })
}

fn text(text: &str) -> Given<String> {
    Given::Is(text.to_owned())
}

impl Combination {
    fn version(&self) -> &'static str {
        self.release.versions.last().unwrap()
    }

    fn deployment(&self) -> DeploymentDraft {
        let caches = self.connector.cache().is_some();
        let (model, served_model_name) =
            if self.engine.renames { ("/data/tiny", text("small")) } else { ("acme/tiny", Given::Absent) };
        let services = self.topology.services.iter().enumerate();
        let seat = |port: usize| text(&format!("{ADDRESS}:{}", 2379 + port));
        let common = CommonDraft {
            name: text("chat"),
            engine: text(self.engine.engine.word()),
            dynamo_version: text(self.version()),
            model: text(model),
            served_model_name,
            mode: text(self.connector.mode.word()),
            network: text(self.topology.network.word()),
            services: services.map(|(at, service)| (service.name.to_owned(), seat(at))).collect(),
            router: RouterDraft { mode: text(self.router.word), ..RouterDraft::default() },
            connector: ConnectorDraft {
                kind: text(self.connector.connector.word()),
                cpu_cache_gb: if caches { Given::Is(4) } else { Given::Absent },
                server: match self.connector.connector {
                    Connector::Lmcache => Given::Is(self.connector.server.is_some()),
                    _ => Given::Absent,
                },
                ..ConnectorDraft::default()
            },
            ..CommonDraft::default()
        };
        DeploymentDraft { common, port: Given::Is(8000), ..DeploymentDraft::default() }
    }

    /// One of each role that the mode has.
    fn workers(&self, deployment: &DeploymentDraft, spec: &DeploymentSpec) -> Vec<WorkerDraft> {
        let roles = self.engine.serving.iter().filter(|row| row.mode == self.connector.mode);
        roles.map(|row| self.worker(deployment, spec, row.role)).collect()
    }

    fn worker(&self, deployment: &DeploymentDraft, spec: &DeploymentSpec, role: Role) -> WorkerDraft {
        let gpus: &[&str] = if self.engine.needs_gpu() { &GPUS } else { &[] };
        let first = if role == Role::Prefill { 21_000 } else { 22_000 };
        let picked = launch::ports(&spec.common, role).into_iter().zip(first..);
        let ports = match self.topology.network {
            NetworkMode::Bridge => BTreeMap::new(),
            NetworkMode::Host => picked.map(|(row, port)| (row.name.to_owned(), Given::Is(port))).collect(),
        };
        WorkerDraft {
            deployment: deployment.common.clone(),
            role: text(role.word()),
            suffix: text(if role == Role::Prefill { "abc234" } else { "def234" }),
            gpus: GpuDraft {
                gpu_count: if gpus.is_empty() { Given::Absent } else { Given::Is(2) },
                assigned: Given::Is(gpus.iter().map(|gpu| (*gpu).to_owned()).collect()),
                ..GpuDraft::default()
            },
            ports,
            ..WorkerDraft::default()
        }
    }

    /// What was wanted, in the words of a configuration.
    fn wish(&self, role: Option<Role>) -> Value {
        let draft = self.deployment().common;
        json!({
            "dynamo_version": self.version(),
            "engine": self.engine.engine.word(),
            "name": draft.name.known(),
            "model": draft.model.known(),
            "served_model_name": draft.served_model_name.known().or(draft.model.known()),
            "mode": self.connector.mode.word(),
            "network": self.topology.network.word(),
            "router": { "mode": self.router.word },
            "connector": self.connector.connector.word(),
            "server": self.connector.server.is_some(),
            "role": role.map(Role::word),
            "gpus": if self.engine.needs_gpu() { GPUS.len() } else { 1 },
        })
    }

    #[track_caller]
    fn agreed<T>(&self, result: Result<T, Vec<Objection>>) -> T {
        result.unwrap_or_else(|objections| panic!("{}: {objections:?}", self.wish(None)))
    }

    /// Decided, or a panic that says what it was.
    fn blueprints(&self) -> Vec<(Option<Role>, Blueprint)> {
        let host = HostFacts {
            cpus: 64,
            memory_bytes: 512 << 30,
            advertise_address: Some(ADDRESS.to_owned()),
            ..HostFacts::default()
        };
        let owner = Owner { run: "run-1".to_owned(), spec_json: String::new() };
        let draft = self.deployment();
        let spec = self.agreed(draft.complete());
        let deployment = self.agreed(decide::deployment(&spec, &host, &owner));
        let workers = self.workers(&draft, &spec).into_iter().map(|draft| {
            let spec = self.agreed(draft.complete());
            let worker = self.agreed(decide::worker(&spec, &host, &owner));
            assert_eq!(lint::lint_pair(&deployment, &worker), [""; 0], "{}", self.wish(Some(spec.role)));
            (Some(spec.role), worker)
        });
        let workers: Vec<_> = workers.collect();
        [(None, deployment)].into_iter().chain(workers).collect()
    }

    fn referee_case(&self, role: Option<Role>, planned: &Planned) -> Value {
        json!({
            "wish": self.wish(role),
            "component": planned.component,
            "argv": planned.spec.command,
            "ports": planned.spec.ports.iter().map(|port| port.host_port).collect::<Vec<_>>(),
            "env": planned.spec.env,
        })
    }
}

#[test]
fn everything_that_the_tables_allow_is_decided() {
    let (mut cases, mut lines) = (Vec::new(), BTreeSet::new());
    for combination in all() {
        lines.insert((combination.release.line, combination.engine.engine));
        for (role, blueprint) in combination.blueprints() {
            assert_eq!(lint::lint(&blueprint), [""; 0], "{}", combination.wish(role));
            let parsed = |it: &&Planned| {
                it.spec.command.first().is_some_and(|word| ["-m", "server"].contains(&word.as_str()))
            };
            let all = blueprint.shared.iter().chain(&blueprint.containers).filter(parsed);
            cases.extend(all.map(|planned| combination.referee_case(role, planned)));
        }
    }
    assert!(
        lines.len() > release::ALL.len() && cases.len() > 500,
        "{} lines, {} cases",
        lines.len(),
        cases.len()
    );
    if let Ok(file) = std::env::var("REFEREE_CASES") {
        std::fs::write(file, serde_json::to_string(&cases).unwrap()).unwrap();
    }
}
