//! Golden cases: `testdata/<case>.json` says what is wanted on which host, `testdata/<case>.txt` what comes of it.
//!
//! A new case is a new `.json`; `UPDATE_GOLDEN=1 cargo test --lib golden` writes its `.txt`, to be read before it is
//! committed. In the input `null` is a value that is not known yet; `"check": true` asks only for the complaints that
//! can be made at that point.
#![allow(clippy::disallowed_methods)]

use super::{render, test_release};
use crate::dynamo::blueprint::Blueprint;
use crate::dynamo::spec::draft::{CommonDraft, DeploymentDraft, WorkerDraft};
use crate::dynamo::spec::{HostFacts, Owner};
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::objection::Objection;
use crate::dynamo::{check, decide, lint};
use std::path::{Path, PathBuf};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What the case is about; printed on top of the result.
    about: String,
    #[serde(default)]
    check: bool,
    deployment: DeploymentDraft,
    #[serde(default)]
    workers: Vec<WorkerDraft>,
    #[serde(default = "a_machine")]
    host: HostFacts,
    /// Of each worker, where it is not the deployment's.
    #[serde(default)]
    worker_hosts: Vec<HostFacts>,
}

fn a_machine() -> HostFacts {
    HostFacts { cpus: 8, memory_bytes: 32 << 30, ..HostFacts::default() }
}

fn owner() -> Owner {
    Owner { run: "run-1".to_owned(), spec_json: "{…}".to_owned() }
}

impl Case {
    fn result(mut self) -> String {
        for worker in &mut self.workers {
            if worker.deployment == CommonDraft::default() {
                worker.deployment = self.deployment.common.clone();
            }
            if worker.suffix == Given::Absent {
                worker.suffix = Given::Is("abc234".to_owned());
            }
        }
        let parts = if self.check { self.complaints() } else { self.blueprints() };
        format!("# {}\n{}", self.about, parts.concat())
    }

    fn complaints(&self) -> Vec<String> {
        let workers = self.workers.iter().map(check::worker);
        [check::deployment(&self.deployment)].into_iter().chain(workers).map(refused).collect()
    }

    fn blueprints(&self) -> Vec<String> {
        let deployment = self
            .deployment
            .complete_from(test_release::ALL)
            .and_then(|spec| decide::deployment(&spec, &self.host, &owner()));
        let workers: Vec<_> = self
            .workers
            .iter()
            .enumerate()
            .map(|(at, draft)| {
                let spec = draft.complete_from(test_release::ALL)?;
                let host = self.worker_hosts.get(at).unwrap_or(&self.host);
                decide::worker(&spec, host, &owner())
            })
            .collect();
        if let Ok(deployment) = &deployment {
            for worker in workers.iter().flatten() {
                assert_eq!(lint::lint_pair(deployment, worker), [""; 0]);
            }
        }
        [deployment].into_iter().chain(workers).map(|result| result.map_or_else(refused, shown)).collect()
    }
}

fn refused(objections: Vec<Objection>) -> String {
    if objections.is_empty() {
        return "nothing to object\n".to_owned();
    }
    format!("refused\n{}", render::objections(&objections))
}

fn shown(blueprint: Blueprint) -> String {
    assert_eq!(lint::lint(&blueprint), [""; 0]);
    render::blueprint(&blueprint)
}

fn inputs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dynamo/tests/testdata");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    files
}

#[test]
fn golden() {
    let update = std::env::var("UPDATE_GOLDEN").is_ok();
    let mut wrong = Vec::new();
    let inputs = inputs();
    assert!(inputs.len() > 10);
    for input in inputs {
        let name = input.display().to_string();
        let text = std::fs::read_to_string(&input).unwrap();
        let case: Case = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let result = case.result();
        let expected = input.with_extension("txt");
        if update {
            std::fs::write(&expected, &result).unwrap();
        }
        if std::fs::read_to_string(&expected).unwrap_or_default() != result {
            wrong.push(format!("{name} gives\n{result}"));
        }
    }
    assert!(wrong.is_empty(), "UPDATE_GOLDEN=1 accepts these:\n{}", wrong.join("\n"));
}

/// A case that lost its input would never be looked at again.
#[test]
fn every_result_has_an_input() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dynamo/tests/testdata");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.with_extension("json").exists() && path.with_extension("txt").exists(), "{path:?}");
    }
}
