//! Every release × engine × mode × connector × router that the tables allow, each with the workers that come of it:
//! `combinations/<line>/<engine>-<mode>-<router>-<connector>.txt`; and each that they do not, with what is said of it.
//!
//! The cases are walked from the tables, so a new row has its files before anybody thinks of it:
//! `UPDATE_GOLDEN=1 cargo test --lib combinations` writes them, to be read before they are committed. What is the same for
//! all (labels) is left to [`super::golden`]. Workers of all router modes that do not look at caches are alike, so of those
//! there is one; how the frontend is told each of them is in `combinations/<line>/frontends.txt`.
#![allow(clippy::disallowed_methods)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::amount::Amount;
use super::blueprint::{Blueprint, Planned};
use super::connector::{Connector, ConnectorFacts};
use super::discovery::Topology;
use super::draft::{CommonDraft, ConnectorDraft, DeploymentDraft, Given, GpuDraft, RouterDraft, WorkerDraft};
use super::engine::EngineFacts;
use super::lint_set::{Room, lint_set};
use super::release::{self, Release};
use super::router::RouterOption;
use super::spec::{Engine, HostFacts, Mode, NetworkMode, Owner, Role};
use super::{check, decide, lint, render};

const ROUTERS: [&str; 2] = ["kv", "round-robin"];

fn is<T: Into<String>>(text: T) -> Given<String> {
    Given::Is(text.into())
}

fn host() -> HostFacts {
    let advertise_address = Some("10.0.0.11".to_owned());
    HostFacts { cpus: 64, memory_bytes: 512 << 30, advertise_address, ..HostFacts::default() }
}

fn owner() -> Owner {
    Owner { run: "run-1".to_owned(), spec_json: "{…}".to_owned() }
}

/// One row of the tables with a router.
struct Combination {
    release: &'static Release,
    engine: &'static EngineFacts,
    connector: &'static ConnectorFacts,
    router: &'static str,
}

fn all() -> Vec<Combination> {
    let mut found = Vec::new();
    for release in release::ALL {
        for engine in release.engines {
            for connector in engine.connectors {
                for router in ROUTERS {
                    found.push(Combination { release, engine, connector, router });
                }
            }
        }
    }
    found
}

fn common(release: &Release, engine: &EngineFacts, mode: Mode, network: NetworkMode) -> CommonDraft {
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

impl Combination {
    fn name(&self) -> String {
        let mut words = vec![
            self.engine.engine.word(),
            self.connector.mode.word(),
            self.router,
            self.connector.connector.word(),
        ];
        words.extend(self.connector.server.iter().map(|_| "server"));
        format!("{}/{}.txt", self.release.line, words.join("-"))
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

    fn deployment(&self, network: NetworkMode) -> DeploymentDraft {
        let router = RouterDraft { mode: is(self.router), ..RouterDraft::default() };
        let common = common(self.release, self.engine, self.connector.mode, network);
        let common = CommonDraft { router, connector: self.connector(), ..common };
        DeploymentDraft { common, port: Given::Is(8000), ..DeploymentDraft::default() }
    }

    /// One of each role, on one host.
    fn workers(&self, network: NetworkMode) -> Vec<WorkerDraft> {
        let mut taken = BTreeSet::new();
        let rows = self.engine.serving.iter().filter(|row| row.mode == self.connector.mode);
        let workers = rows.enumerate().map(|(at, row)| {
            let uuids = (0..2).map(|gpu| format!("GPU-{at}000000{gpu}")).collect();
            let gpus =
                GpuDraft { gpu_count: Given::Is(2), assigned: Given::Is(uuids), ..GpuDraft::default() };
            let mut worker = WorkerDraft {
                deployment: self.deployment(network).common,
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

    /// The workers on a network; everything that a second reader can say of them is held.
    fn on(&self, network: NetworkMode) -> String {
        let deployment = self.deployment(network).complete().unwrap_or_else(|wrong| panic!("{wrong:?}"));
        let deployment = decide::deployment(&deployment, &host(), &owner()).unwrap();
        let decided = |draft: &WorkerDraft| {
            let spec = draft.complete().unwrap_or_else(|wrong| panic!("{}: {wrong:?}", self.name()));
            decide::worker(&spec, &host(), &owner()).unwrap()
        };
        let workers: Vec<Blueprint> = self.workers(network).iter().map(decided).collect();
        for worker in &workers {
            assert_eq!(lint::lint(worker), [""; 0], "{}", self.name());
            assert_eq!(lint::lint_pair(&deployment, worker), [""; 0], "{}", self.name());
        }
        let room = Room { memory: 400 << 30, disk: Some(1000 << 30) };
        assert_eq!(lint_set(&deployment, &workers, room), [""; 0], "{}", self.name());
        let is_server =
            |it: &&Planned| self.connector.server.as_ref().is_some_and(|own| own.name == it.component);
        let beside = deployment.containers.iter().chain(workers.iter().flat_map(|worker| &worker.shared));
        let mut server: Vec<Planned> = beside.filter(is_server).cloned().collect();
        server.dedup();
        let server = Blueprint { containers: server, ..Blueprint::default() };
        let alone = |worker: Blueprint| Blueprint { shared: Vec::new(), ..worker };
        let all = [server].into_iter().chain(workers.into_iter().map(alone));
        let text: String = all.map(|it| render::blueprint(&it)).collect();
        format!("# network {:?}\n{}", network.word(), without_labels(&text))
    }

    fn text(&self) -> String {
        let fits = |row: &&Topology| self.engine.networks.contains(&row.network);
        let topologies = self.release.topologies.iter().filter(fits);
        let networks = topologies.map(|row| self.on(row.network));
        networks.collect()
    }
}

/// What has no row, with what users are told.
fn refused(release: &Release) -> String {
    let mut text = String::new();
    for engine in release.engines {
        for mode in Mode::ALL.iter().filter(|mode| engine.has_mode(**mode)) {
            let row = |word: &Connector| {
                engine.connectors.iter().any(|row| row.mode == *mode && row.connector == *word)
            };
            for connector in Connector::ALL.iter().filter(|word| !row(word)) {
                let common = common(release, engine, *mode, NetworkMode::Bridge);
                let kind = is(connector.word());
                let connector = ConnectorDraft { kind, ..ConnectorDraft::default() };
                let common = CommonDraft { connector, ..common };
                let draft = DeploymentDraft { common, port: Given::Is(8000), ..DeploymentDraft::default() };
                let objections = check::deployment(&draft);
                assert_eq!(objections.len(), 1, "{objections:?}");
                text += &render::objections(&objections);
            }
        }
    }
    text
}

/// What stands before the workers on each network, and how the frontend is told each router mode and each option.
fn frontends(release: &Release) -> String {
    let engine = release.engine(Engine::Vllm).unwrap();
    let decided = |network, router: RouterDraft| {
        let common = CommonDraft { router, ..common(release, engine, Mode::Aggregated, network) };
        let draft = DeploymentDraft { common, port: Given::Is(8000), ..DeploymentDraft::default() };
        let spec = draft.complete().unwrap_or_else(|wrong| panic!("{}: {wrong:?}", release.line));
        let blueprint = decide::deployment(&spec, &host(), &owner()).unwrap();
        assert_eq!(lint::lint(&blueprint), [""; 0], "{}", release.line);
        blueprint
    };
    let mut text = String::new();
    for row in release.topologies {
        text += &format!("# network {:?}\n", row.network.word());
        text += &without_labels(&render::blueprint(&decided(row.network, RouterDraft::default())));
    }
    let run = |router: RouterDraft| {
        let frontend = decided(NetworkMode::Bridge, router).containers.pop().unwrap();
        format!("{:?}\n", frontend.spec.command)
    };
    for mode in release.router_modes {
        text += &format!("# router.mode = {:?}\n", mode.word);
        text += &run(RouterDraft { mode: is(mode.word), ..RouterDraft::default() });
    }
    for option in release.router_options {
        let (said, router) = with_option(option.option);
        text += &format!("# router.mode = \"kv\", {said}\n{}", run(router));
    }
    text
}

/// A router that looks at caches, with one option and what that needs.
fn with_option(option: RouterOption) -> (&'static str, RouterDraft) {
    let kv = RouterDraft { mode: is("kv"), ..RouterDraft::default() };
    let half = Given::Is(Amount::from_milli(500));
    match option {
        RouterOption::OverlapScoreCredit => {
            ("overlap_score_credit = 0.5", RouterDraft { overlap_score_credit: half, ..kv })
        }
        RouterOption::Temperature => ("temperature = 0.5", RouterDraft { temperature: half, ..kv }),
        RouterOption::KvEvents => ("kv_events = false", RouterDraft { kv_events: Given::Is(false), ..kv }),
        RouterOption::TtlSeconds => (
            "kv_events = false, ttl_seconds = 60",
            RouterDraft { kv_events: Given::Is(false), ttl_seconds: Given::Is(Amount::from_int(60)), ..kv },
        ),
        RouterOption::ReplicaSync => {
            ("replica_sync = true", RouterDraft { replica_sync: Given::Is(true), ..kv })
        }
    }
}

fn without_labels(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("  label "));
    lines.map(|line| format!("{line}\n")).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dynamo/combinations")
}

#[test]
fn every_combination_is_as_it_was_read() {
    let update = std::env::var("UPDATE_GOLDEN").is_ok();
    let walked = all().into_iter().map(|combination| (combination.name(), combination.text()));
    let refused =
        release::ALL.iter().map(|release| (format!("{}/refused.txt", release.line), refused(release)));
    let frontends =
        release::ALL.iter().map(|release| (format!("{}/frontends.txt", release.line), frontends(release)));
    let expected: BTreeMap<String, String> = walked.chain(refused).chain(frontends).collect();
    if update {
        let _ = std::fs::remove_dir_all(folder());
        for (name, text) in &expected {
            let file = folder().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
    }
    let mut wrong = Vec::new();
    for (name, text) in &expected {
        if std::fs::read_to_string(folder().join(name)).unwrap_or_default() != *text {
            wrong.push(format!("{name} gives\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "UPDATE_GOLDEN=1 accepts these:\n{}", wrong.join("\n"));
    let lines = std::fs::read_dir(folder()).unwrap().map(|line| line.unwrap().path());
    let files: usize = lines.map(|line| std::fs::read_dir(line).unwrap().count()).sum();
    assert_eq!(files, expected.len(), "a file is there that no row stands for");
}

/// The second reader can tell each thing that it looks for.
#[test]
fn workers_that_do_not_go_together_are_told() {
    let found = all();
    let disaggregated = |connector| {
        let fits = |it: &&Combination| {
            it.engine.needs_gpu()
                && it.connector.mode == Mode::Disaggregated
                && it.connector.connector == connector
                && it.router == "kv"
        };
        found.iter().rev().find(fits).unwrap()
    };
    let kvbm = disaggregated(Connector::Kvbm);
    let make = |network| {
        let deployment = kvbm.deployment(network).complete().unwrap();
        let deployment = decide::deployment(&deployment, &host(), &owner()).unwrap();
        let workers = kvbm.workers(network).into_iter();
        let workers = workers.map(|it| decide::worker(&it.complete().unwrap(), &host(), &owner()).unwrap());
        (deployment, workers.collect::<Vec<Blueprint>>())
    };
    let (deployment, workers) = make(NetworkMode::Host);
    let prefill =
        kvbm.workers(NetworkMode::Host).iter().position(|it| it.role == is(Role::Prefill.word())).unwrap();
    let room = Room { memory: 400 << 30, disk: Some(1000 << 30) };
    assert_eq!(lint_set(&deployment, &workers, room), [""; 0]);
    type Break = fn(&mut crate::container::ContainerSpec);
    let breaks: [Break; 9] = [
        |spec| spec.gpus = vec!["GPU-00000000".to_owned(), "GPU-10000000".to_owned()],
        |spec| spec.ports.iter_mut().for_each(|port| port.host_port = 9090),
        |spec| spec.ports.retain(|port| port.host_port != 20080),
        |spec| drop(spec.env.insert("DYN_NAMESPACE".into(), "chat--0".into())),
        |spec| spec.command.retain(|word| word != "--disable-hybrid-kv-cache-manager"),
        |spec| spec.command.iter_mut().for_each(|word| *word = word.replace("Nixl", "Mooncake")),
        |spec| spec.command.iter_mut().for_each(|word| *word = word.replace("64", "16")),
        |spec| spec.limits.memory_bytes = Some(32 << 30),
        |spec| drop(spec.env.remove("DYN_KVBM_CPU_CACHE_GB")),
    ];
    for (number, damage) in breaks.iter().enumerate() {
        let mut broken = workers.clone();
        damage(&mut broken[prefill].containers[0].spec);
        assert!(!lint_set(&deployment, &broken, room).is_empty(), "{number}");
    }
    assert_eq!(lint_set(&deployment, &workers, Room { memory: 31 << 30, ..room }).len(), 1);
    assert_eq!(lint_set(&deployment, &workers, Room { disk: Some(199 << 30), ..room }).len(), 1);
}
