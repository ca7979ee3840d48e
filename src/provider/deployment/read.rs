//! What was seen of a deployment's containers, in its attributes.

use super::decide::wanted_state;
use super::schema::DeploymentModel;
use crate::container::ObservedContainer;
use crate::dynamo::terms::names::FRONTEND;
use crate::provider::allocation::cache_servers;
use crate::provider::attributes::containers;
use crate::provider::attributes::containers::ByComponent;
use crate::provider::lifecycle::comparison::Comparison;
use crate::provider::lifecycle::drift::Explained;
use crate::provider::lifecycle::{assembly, drift};
use crate::tf_provider::attr::{Attr, Block, NestedMap};

/// Writes what was seen into the attributes.
pub(super) fn show(state: &mut DeploymentModel, compared: &Comparison, leftovers: &[String]) {
    let mut sentences = drift::left(leftovers);
    for (differences, observed) in compared.differing() {
        // What the attributes say is the frontend's; of a service only the sentences speak.
        let (mut no_env, mut no_resources) = (Attr::Null, Block::Absent);
        let is_frontend = assembly::ownership(observed).is_some_and(|owner| owner.component == FRONTEND);
        let explained = if is_frontend {
            Explained {
                image: Some(&mut state.image),
                env: &mut state.env,
                resources: &mut state.resources,
                port: Some(&mut state.port),
                bind_address: Some(&mut state.bind_address),
            }
        } else {
            Explained {
                image: None,
                env: &mut no_env,
                resources: &mut no_resources,
                port: None,
                bind_address: None,
            }
        };
        sentences.extend(drift::explain(differences, observed, explained));
    }
    state.drift = Attr::Known(sentences.into_iter().map(Attr::Known).collect());
    state.status = drift::status(wanted_state(state), &compared.containers()).as_str().into();
    let seen: Vec<ObservedContainer> = compared.containers().into_iter().flatten().cloned().collect();
    show_containers(state, &seen);
}

pub(super) fn show_containers(state: &mut DeploymentModel, seen: &[ObservedContainer]) {
    let mut shown = ByComponent::new();
    for container in seen.iter().filter(|container| is_own(container)) {
        let Some(ownership) = assembly::ownership(container) else { continue };
        if ownership.component == FRONTEND {
            state.image_id = container.image_id.as_str().into();
        }
        shown.insert(ownership.component, containers::seen(container));
    }
    state.containers = Attr::Known(NestedMap(shown));
}

/// Names of the deployment's containers without its workers, with those that are still being brought up.
pub(super) fn own_containers(seen: &[ObservedContainer]) -> Vec<String> {
    let own = seen.iter().filter(|container| is_own(container));
    own.map(|container| container.spec.name.clone()).collect()
}

/// Neither a worker nor what workers brought along.
fn is_own(container: &ObservedContainer) -> bool {
    !assembly::is_worker(container) && !cache_servers::is_one(container)
}
