//! Everything that the tables allow, in every line of releases, is decided, and read over by [`crate::dynamo::lint`]. What comes of it
//! is also what Dynamo's own parsers are asked about: with `REFEREE_CASES` set to a file, the command lines go there, each
//! with what was wanted (`acceptance-tests/referee`).
#![allow(clippy::disallowed_methods)]

use super::walk;
use super::walk::{Combination, Decided, GPUS};
use crate::dynamo::blueprint::{Blueprint, Planned};
use crate::dynamo::facts::release;
use crate::dynamo::terms::words::Role;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What was wanted, in the words of a configuration.
fn wish(of: &Combination, role: Option<Role>) -> Value {
    let spec = of.deployment().complete().unwrap().common;
    json!({
        "dynamo_version": spec.dynamo_version,
        "engine": of.engine.engine.word(),
        "name": spec.name,
        "model": spec.model.argument(),
        "served_model_name": spec.served_model_name,
        "mode": of.connector.mode.word(),
        "network": of.network.word(),
        "router": { "mode": of.router.word },
        "connector": of.connector.connector.word(),
        "server": of.connector.server.is_some(),
        "cpu_cache_gb": spec.connector.cpu_cache_gb,
        "role": role.map(Role::word),
        "gpus": if of.engine.needs_gpu() { GPUS } else { 1 },
    })
}

fn referee_case(of: &Combination, role: Option<Role>, planned: &Planned) -> Value {
    json!({
        "wish": wish(of, role),
        "component": planned.component,
        "argv": planned.spec.command,
        "env": planned.spec.env,
        "ports": planned.spec.ports.iter().map(|port| port.host_port).collect::<Vec<_>>(),
    })
}

#[test]
fn everything_that_the_tables_allow_is_decided() {
    let (mut cases, mut lines) = (Vec::new(), BTreeSet::new());
    for combination in walk::all() {
        lines.insert((combination.release.line, combination.engine.engine));
        let Decided { deployment, workers } = combination.decided();
        let workers = workers.into_iter().map(|(role, worker)| (Some(role), worker));
        let blueprints: Vec<(Option<Role>, Blueprint)> =
            [(None, deployment)].into_iter().chain(workers).collect();
        for (role, blueprint) in &blueprints {
            let parsed = |it: &&Planned| {
                it.spec.command.first().is_some_and(|word| ["-m", "server"].contains(&word.as_str()))
            };
            let all = blueprint.shared.iter().chain(&blueprint.containers).filter(parsed);
            cases.extend(all.map(|planned| referee_case(&combination, *role, planned)));
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
