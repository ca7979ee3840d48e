//! Every release × engine × mode × connector × router that the tables allow, each with the workers that come of it:
//! `combinations/<line>/<engine>-<mode>-<router>-<connector>.txt`; and each that they do not, with what is said of it.
//!
//! The cases are walked from the tables, so a new row has its files before anybody thinks of it:
//! `UPDATE_GOLDEN=1 cargo test --lib combinations` writes them, to be read before they are committed. What is the same for
//! all (labels) is left to [`super::golden`]. Workers of all router modes that do not look at caches are alike, so of those
//! there is one; how the frontend is told each of them is in `combinations/<line>/frontends.txt`.
#![allow(clippy::disallowed_methods)]

use super::walk::{Combination, ROOM, common, host, is, owner};
use super::{render, walk};
use crate::dynamo::blueprint::{Blueprint, Planned};
use crate::dynamo::facts::release;
use crate::dynamo::facts::release::Release;
use crate::dynamo::lint::set::{Room, lint_set};
use crate::dynamo::spec::draft::{CommonDraft, ConnectorDraft, DeploymentDraft, RouterDraft};
use crate::dynamo::terms::amount::Amount;
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::words::{Connector, Engine, Mode, NetworkMode, Role, RouterOption};
use crate::dynamo::{check, decide, lint};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const ROUTERS: [&str; 2] = ["kv", "round-robin"];

fn name(of: &Combination) -> String {
    format!("{}/{}.txt", of.release.line, of.words().join("-"))
}

/// The workers on a network, after what keeps their cache.
fn text(of: &Combination) -> String {
    let decided = of.decided();
    let mut server: Vec<Planned> =
        of.connector.server.iter().flat_map(|own| decided.of_component(own.name)).cloned().collect();
    server.dedup();
    let server = Blueprint { containers: server, ..Blueprint::default() };
    let alone = |(_, worker): (Role, Blueprint)| Blueprint { shared: Vec::new(), ..worker };
    let all = [server].into_iter().chain(decided.workers.into_iter().map(alone));
    let text: String = all.map(|it| render::blueprint(&it)).collect();
    format!("# network {:?}\n{}", of.network.word(), without_labels(&text))
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
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dynamo/tests/combinations")
}

#[test]
fn every_combination_is_as_it_was_read() {
    let update = std::env::var("UPDATE_GOLDEN").is_ok();
    let mut expected: BTreeMap<String, String> = BTreeMap::new();
    for combination in walk::all().iter().filter(|it| ROUTERS.contains(&it.router.word)) {
        *expected.entry(name(combination)).or_default() += &text(combination);
    }
    let refused =
        release::ALL.iter().map(|release| (format!("{}/refused.txt", release.line), refused(release)));
    let frontends =
        release::ALL.iter().map(|release| (format!("{}/frontends.txt", release.line), frontends(release)));
    expected.extend(refused.chain(frontends));
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
    let found = walk::all();
    let disaggregated = |it: &&Combination| {
        it.connector.connector == Connector::Kvbm
            && it.connector.mode == Mode::Disaggregated
            && it.network == NetworkMode::Host
            && it.router.word == "kv"
    };
    let decided = found.iter().rev().find(disaggregated).unwrap().decided();
    let prefill = decided.workers.iter().position(|(role, _)| *role == Role::Prefill).unwrap();
    let (deployment, room) = (decided.deployment, ROOM);
    let workers: Vec<Blueprint> = decided.workers.into_iter().map(|(_, worker)| worker).collect();
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
