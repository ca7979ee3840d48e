//! What is really there, written into the attributes that explain it. Pure.
//!
//! A difference that an attribute explains (a memory limit, an image, a port) is put there, so that the plan shows it where
//! the user would look. Every difference is also a sentence in `drift`, so that none goes unsaid.

use crate::container::{ContainerSpec, ObservedContainer, RunState};
use crate::dynamo::terms::amount::GIB;
use crate::dynamo::terms::words::DesiredState;
use crate::provider::attributes::blocks::{ResourcesModel, TextMap};
use crate::provider::attributes::convert::ratio;
use crate::reconcile::{ContainerDifference, ContainerField};
use crate::tf_provider::attr::{Attr, Block};

/// The attributes that deployment and worker have in common and that drift can show up in.
pub(crate) struct Explained<'a> {
    pub image: Option<&'a mut Attr<String>>,
    pub env: &'a mut Attr<TextMap>,
    pub resources: &'a mut Block<ResourcesModel>,
    pub port: Option<&'a mut Attr<i64>>,
    pub bind_address: Option<&'a mut Attr<String>>,
}

/// Containers that a killed run left, as sentences.
pub(crate) fn left(leftovers: &[String]) -> Vec<String> {
    let sentence = |name: &String| format!("container {name} was left by a run that did not finish");
    leftovers.iter().map(sentence).collect()
}

/// Writes `differences` of a container into `attributes`, and returns them as sentences.
pub(crate) fn explain(
    differences: &[ContainerDifference],
    observed: &ObservedContainer,
    attributes: Explained<'_>,
) -> Vec<String> {
    let Explained { image, env, resources, port, bind_address } = attributes;
    let differs = |field: &ContainerField| differences.iter().any(|difference| difference.field == *field);
    if let (true, Some(image)) = (differs(&ContainerField::Image), image) {
        *image = observed.spec.image.as_str().into();
    }
    for difference in differences {
        if let ContainerField::Env(key) = &difference.field {
            explain_env(key, &observed.spec, env);
        }
    }
    if differs(&ContainerField::Cpus) || differs(&ContainerField::Memory) {
        *resources = Block::Present(seen_resources(
            resources,
            &observed.spec,
            differs(&ContainerField::Cpus),
            differs(&ContainerField::Memory),
        ));
    }
    if let (true, [seen]) = (differs(&ContainerField::Ports), observed.spec.ports.as_slice()) {
        if let Some(port) = port {
            *port = Attr::Known(i64::from(seen.host_port));
        }
        if let Some(address) = bind_address {
            *address = seen.host_address.as_str().into();
        }
    }
    sentences(differences, observed).collect()
}

/// Every difference, in a sentence.
pub(crate) fn sentences<'a>(
    differences: &'a [ContainerDifference],
    observed: &'a ObservedContainer,
) -> impl Iterator<Item = String> + 'a {
    differences.iter().map(|difference| sentence(&observed.spec.name, difference))
}

fn sentence(container: &str, difference: &ContainerDifference) -> String {
    format!("container {container}: {} is {} instead of {}", difference.field, difference.old, difference.new)
}

/// Only variables that the user set are theirs to see; others are the provider's, and only a sentence.
fn explain_env(key: &str, seen: &ContainerSpec, env: &mut Attr<TextMap>) {
    let Attr::Known(env) = env else { return };
    if !env.contains_key(key) {
        return;
    }
    match seen.env.get(key) {
        Some(value) => env.insert(key.to_owned(), value.as_str().into()),
        None => env.remove(key),
    };
}

fn seen_resources(
    asked: &Block<ResourcesModel>,
    seen: &ContainerSpec,
    cpus: bool,
    memory: bool,
) -> ResourcesModel {
    let mut shown = asked.present().cloned().unwrap_or_default();
    if seen.limits.nano_cpus.is_none() && seen.limits.memory_bytes.is_none() {
        return ResourcesModel { no_limit: Attr::Known(true), ..ResourcesModel::default() };
    }
    shown.no_limit = Attr::Null;
    if cpus {
        shown.cpus = seen.limits.nano_cpus.and_then(|nano| ratio(nano, 1_000_000_000)).into();
    }
    if memory {
        shown.memory_gb = seen.limits.memory_bytes.and_then(|bytes| ratio(bytes, GIB)).into();
    }
    shown
}

/// One word for how things stand: `running` and `stopped` as wanted, else what is wrong first.
pub(crate) fn status(expected: DesiredState, containers: &[Option<&ObservedContainer>]) -> String {
    let state = |container: &Option<&ObservedContainer>| container.map(|seen| seen.state.clone());
    let states: Vec<Option<RunState>> = containers.iter().map(state).collect();
    if states.iter().any(Option::is_none) {
        return "missing".to_owned();
    }
    let mut states = states.into_iter().flatten();
    let wrong = match expected {
        DesiredState::Running => states.find(|state| *state != RunState::Running),
        DesiredState::Stopped => {
            states.find(|state| !matches!(state, RunState::Exited { .. } | RunState::Created))
        }
    };
    wrong.map_or_else(|| expected.word(), |state| state.word()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::Limits;
    use crate::reconcile::ChangeKind;
    use std::collections::BTreeMap;

    fn seen(state: RunState) -> ObservedContainer {
        let spec = ContainerSpec { name: "chat-frontend".into(), ..ContainerSpec::default() };
        ObservedContainer::in_state(spec, state)
    }

    fn difference(field: ContainerField) -> ContainerDifference {
        ContainerDifference { field, old: "old".into(), new: "new".into(), change: ChangeKind::Replace }
    }

    #[test]
    fn a_changed_limit_shows_up_in_resources_and_as_a_sentence() {
        let mut observed = seen(RunState::Running);
        observed.spec.limits = Limits { nano_cpus: None, memory_bytes: Some(GIB / 2) };
        let (mut env, mut resources) = (Attr::Null, Block::Absent);
        let attributes = Explained {
            image: None,
            env: &mut env,
            resources: &mut resources,
            port: None,
            bind_address: None,
        };
        let sentences = explain(&[difference(ContainerField::Memory)], &observed, attributes);
        assert_eq!(sentences, ["container chat-frontend: memory limit is old instead of new"]);
        let shown = resources.present().unwrap();
        assert_eq!(shown.memory_gb, Attr::Known("0.5".parse().unwrap()));
        assert!(shown.cpus.is_null());
    }

    #[test]
    fn limits_that_are_gone_are_shown_as_no_limit() {
        let (mut env, mut resources) = (Attr::Null, Block::Absent);
        let attributes = Explained {
            image: None,
            env: &mut env,
            resources: &mut resources,
            port: None,
            bind_address: None,
        };
        explain(&[difference(ContainerField::Memory)], &seen(RunState::Running), attributes);
        assert_eq!(resources.present().unwrap().no_limit, Attr::Known(true));
    }

    #[test]
    fn only_the_users_variables_are_shown() {
        let mut observed = seen(RunState::Running);
        observed.spec.env =
            BTreeMap::from([("MINE".into(), "changed".into()), ("DYN_X".into(), "secret".into())]);
        let mut env = Attr::Known(BTreeMap::from([("MINE".into(), "a".into()), ("GONE".into(), "b".into())]));
        let mut resources = Block::Absent;
        let attributes = Explained {
            image: None,
            env: &mut env,
            resources: &mut resources,
            port: None,
            bind_address: None,
        };
        let fields = ["MINE", "GONE", "DYN_X"].map(|key| difference(ContainerField::Env(key.into())));
        assert_eq!(explain(&fields, &observed, attributes).len(), 3);
        assert_eq!(env, Attr::Known(BTreeMap::from([("MINE".into(), "changed".into())])));
    }

    #[test]
    fn the_status_is_what_is_wrong_first() {
        let running = seen(RunState::Running);
        let exited = seen(RunState::Exited { exit_code: 1, oom_killed: false });
        let table: [(DesiredState, &[Option<&ObservedContainer>], &str); 6] = [
            (DesiredState::Running, &[Some(&running)], "running"),
            (DesiredState::Running, &[Some(&running), None], "missing"),
            (DesiredState::Running, &[Some(&running), Some(&exited)], "exited"),
            (DesiredState::Stopped, &[Some(&exited)], "stopped"),
            (DesiredState::Stopped, &[Some(&running)], "running"),
            (DesiredState::Stopped, &[None], "missing"),
        ];
        for (expected, containers, status) in table {
            assert_eq!(super::status(expected, containers), status);
        }
    }
}
