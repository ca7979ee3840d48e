//! What a call has made so far, so that it can be unmade.
//!
//! A container's entry is written before the container is asked for: if the answer gets lost, it may exist all the same.
//! So undoing looks before it removes, and removes only what carries this run's token.

use super::effects::Effects;
use super::failure::{Leftover, Object};
use crate::container::labels;
use crate::container::labels::Ownership;
use crate::hosts::HostError;

/// The objects that a call has created, each with the token of its run, in the order of creation.
#[derive(Default)]
pub(super) struct Ledger {
    made: Vec<(Object, String)>,
}

impl Ledger {
    /// `run` is the token in the object's labels.
    pub(super) fn note(&mut self, object: Object, run: &str) {
        self.made.push((object, run.to_owned()));
    }

    /// It is here to stay: what comes later may fail without it being undone.
    pub(super) fn keep(&mut self, object: &Object) {
        self.made.retain(|(made, _)| made != object);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.made.is_empty()
    }

    /// Removes everything again, latest first, and says what would not go.
    pub(super) async fn undo(self, effects: &dyn Effects) -> Vec<Leftover> {
        let mut left = Vec::new();
        for (object, run) in self.made.into_iter().rev() {
            if let Err(error) = remove(effects, &object, &run).await {
                tracing::warn!(host = effects.host(), %object, %error, "could not be removed again");
                left.push(Leftover { object, why: Some(error) });
            }
        }
        left
    }
}

async fn remove(effects: &dyn Effects, object: &Object, run: &str) -> Result<(), HostError> {
    match object {
        Object::Network(name) => effects.remove_network(name).await,
        Object::Volume(name) => effects.remove_volume(name).await,
        Object::Container(name) => match effects.inspect(name).await? {
            Some(seen) if run_of(&seen.spec.labels).as_deref() == Some(run) => effects.remove(&seen.id).await,
            _ => Ok(()),
        },
    }
}

/// The run token in the labels of an object of ours; `None` when it is not ours.
pub(super) fn run_of(labels: &std::collections::BTreeMap<String, String>) -> Option<String> {
    Ownership::from_labels(labels).map(|ownership| ownership.run)
}

/// The run token that a spec will carry.
pub(super) fn token(labels: &std::collections::BTreeMap<String, String>) -> &str {
    labels.get(labels::RUN).map_or("", String::as_str)
}
