//! One call of execution at work: launching, replacing, updating single containers.
//!
//! A container is born under a name that ends in [`names::STARTING`](crate::container::names::STARTING) and gets its own name when it works. So a name without
//! the suffix stands for something that worked, and after a kill in mid-start the next run can tell the leftover.

use std::collections::BTreeSet;

use super::assembly::{Part, Rollout};
use super::effects::Effects;
use super::failure::{Failure, Leftover, Object, PreviousContainer, ReconcileError};
use super::ledger::{Ledger, run_of, token};
use super::wait::{Clock, WaitTarget, wait_ready};
use crate::container::names::starting;
use crate::container::{
    ContainerSpec, Limits, NetworkSpec, ObservedContainer, PullPolicy, Restart, RunState, VolumeSpec,
};
use crate::hosts::{Cause, Ensured, HostError};

/// One call of execution: the host that it works on, its time, and what it has created so far.
pub(super) struct Run<'a> {
    pub effects: &'a dyn Effects,
    pub clock: Clock,
    pub ledger: Ledger,
}

impl Run<'_> {
    pub(super) async fn ensure_network(&mut self, spec: &NetworkSpec) -> Result<(), Failure> {
        self.check_cancelled(&format!("creating network {}", spec.name))?;
        if self.effects.ensure_network(spec).await? == Ensured::Created {
            self.ledger.note(Object::Network(spec.name.clone()), token(&spec.labels));
        }
        Ok(())
    }

    pub(super) async fn ensure_volume(&mut self, spec: &VolumeSpec) -> Result<(), Failure> {
        self.check_cancelled(&format!("creating volume {}", spec.name))?;
        if self.effects.ensure_volume(spec).await? == Ensured::Created {
            self.ledger.note(Object::Volume(spec.name.clone()), token(&spec.labels));
        }
        Ok(())
    }

    /// A container where there was none.
    pub(super) async fn create(&mut self, part: &Part) -> Result<(), Failure> {
        name_is_free(self.effects, &part.spec.name).await?;
        let id = self.launch(part).await?;
        self.ledger.note(Object::Container(part.spec.name.clone()), token(&part.spec.labels));
        Ok(self.effects.rename(&id, &part.spec.name).await?)
    }

    /// Starts a container that is as wanted, and waits for it.
    pub(super) async fn start(&self, part: &Part) -> Result<(), Failure> {
        self.check_cancelled(&format!("starting container {}", part.spec.name))?;
        self.effects.start(&part.spec.name).await?;
        self.wait(&part.spec.name, part).await
    }

    /// Nothing to do but to see that it works: what runs is not always what serves.
    pub(super) async fn keep(&self, part: &Part) -> Result<(), Failure> {
        let seen = self.effects.inspect(&part.spec.name).await?;
        self.wait_since(&part.spec.name, part, seen.map_or(0, |seen| seen.restart_count)).await
    }

    /// Changes what can be changed in place; starts the container if it does not run.
    pub(super) async fn update(&self, part: &Part) -> Result<(), Failure> {
        let name = &part.spec.name;
        self.check_cancelled(&format!("updating container {name}"))?;
        self.effects.update(name, &part.spec.limits, part.spec.restart).await?;
        match self.effects.inspect(name).await? {
            Some(seen) if seen.state == RunState::Running => self.keep(part).await,
            _ => self.start(part).await,
        }
    }

    /// A new container in the place of an old one, which comes back if the new one fails.
    pub(super) async fn replace(&mut self, part: &Part) -> Result<(), ReconcileError> {
        match part.rollout {
            Rollout::StartFirst => {
                let id = self.launch(part).await?;
                self.retire(part, &id, true).await
            }
            Rollout::StopFirst => {
                let name = &part.spec.name;
                self.check_cancelled(&format!("stopping container {name}"))?;
                let grace = self.grace(name).await?;
                if let Err(error) = self.effects.stop(name, grace).await {
                    // It may have been heard all the same.
                    return Err(self.roll_back(name, Ledger::default(), error.into()).await);
                }
                let before = std::mem::take(&mut self.ledger);
                let launched = self.launch(part).await;
                let new = std::mem::replace(&mut self.ledger, before);
                match launched {
                    Ok(id) => self.retire(part, &id, false).await,
                    Err(failure) => Err(self.roll_back(name, new, failure).await),
                }
            }
        }
    }

    /// The new container works: the old one goes (draining, if it still runs), and the new one takes its name. From
    /// here on the new one stays, whatever fails.
    async fn retire(&mut self, part: &Part, id: &str, drain: bool) -> Result<(), ReconcileError> {
        let name = &part.spec.name;
        let new = Object::Container(starting(name));
        self.ledger.keep(&new);
        let handed_over = async {
            if drain {
                self.effects.stop(name, self.grace(name).await?).await?;
            }
            self.effects.remove(name).await?;
            self.effects.rename(id, name).await
        };
        handed_over.await.map_err(|error| ReconcileError {
            left: vec![Leftover { object: new, why: None }],
            ..ReconcileError::from(error)
        })
    }

    /// Something failed after the old one was told to stop: the place is cleared and the old one started.
    async fn roll_back(&self, name: &str, new: Ledger, failure: Failure) -> ReconcileError {
        let had_made = !new.is_empty();
        let left = new.undo(self.effects).await;
        let name = name.to_owned();
        let previous = match self.effects.start(&name).await {
            Ok(()) => PreviousContainer::RunsAgain { name },
            Err(why) => PreviousContainer::StaysStopped { name, why: Box::new(why) },
        };
        ReconcileError { had_made, left, previous: Some(previous), ..failure.into() }
    }

    /// Creates and starts a container under its starting name, and waits until it is ready. Gives back its id.
    async fn launch(&mut self, part: &Part) -> Result<String, Failure> {
        let starting = starting(&part.spec.name);
        self.check_cancelled(&format!("creating container {}", part.spec.name))?;
        self.clear_leftover(&starting, token(&part.spec.labels)).await?;
        self.ledger.note(Object::Container(starting.clone()), token(&part.spec.labels));
        // Restarts would blur why it died: exit code and "out of memory" are those of the last death only.
        let spec = ContainerSpec { name: starting, restart: Restart::No, ..part.spec.clone() };
        let id = self.effects.create(&spec).await?;
        for file in &part.files {
            self.effects.put_file(&id, &file.path, file.content.reveal()).await?;
        }
        self.effects.start(&id).await?;
        self.wait(&id, part).await?;
        if part.spec.restart != Restart::No {
            let updated = self.effects.update(&id, &Limits::default(), part.spec.restart).await;
            if let Err(error) = updated {
                // If it has died meanwhile, that is the reason, and its last words say more.
                self.wait(&id, part).await?;
                return Err(error.into());
            }
        }
        Ok(id)
    }

    async fn wait(&self, container: &str, part: &Part) -> Result<(), Failure> {
        self.wait_since(container, part, 0).await
    }

    async fn wait_since(&self, container: &str, part: &Part, restarts: u32) -> Result<(), Failure> {
        let waited = WaitTarget { container, name: &part.spec.name, probe: part.probe.as_ref(), restarts };
        wait_ready(self.effects, &waited, &self.clock).await
    }

    /// What a killed run left half-started is removed; anything else under that name is in the way.
    async fn clear_leftover(&self, starting: &str, run: &str) -> Result<(), Failure> {
        let Some(seen) = self.effects.inspect(starting).await? else { return Ok(()) };
        let host = self.effects.host().to_owned();
        match run_of(&seen.spec.labels) {
            Some(other) if other != run => {
                tracing::info!(host, container = starting, "removing what an earlier run left half-started");
                Ok(self.effects.remove(&seen.id).await?)
            }
            Some(_) => Err(Failure::Busy { host, name: starting.to_owned() }),
            None => Err(name_taken(self.effects, starting, &seen)),
        }
    }

    /// The grace that a container was made with: a new spec may say otherwise, but the old process was promised this.
    async fn grace(&self, name: &str) -> Result<u32, HostError> {
        Ok(self.effects.inspect(name).await?.map_or(0, |seen| seen.spec.stop_grace_seconds))
    }

    /// Nothing new is begun once the run is cancelled.
    fn check_cancelled(&self, doing: &str) -> Result<(), Failure> {
        check_cancelled(self.effects, &self.clock.cancel, doing)
    }
}

/// A container of that name is in the way, whoever made it: one of ours is in some other state, or was lost from it.
pub(super) async fn name_is_free(effects: &dyn Effects, name: &str) -> Result<(), Failure> {
    match effects.inspect(name).await? {
        Some(seen) => Err(name_taken(effects, name, &seen)),
        None => Ok(()),
    }
}

fn name_taken(effects: &dyn Effects, name: &str, seen: &ObservedContainer) -> Failure {
    Failure::NameTaken {
        host: effects.host().to_owned(),
        name: name.to_owned(),
        id: seen.id.chars().take(12).collect(),
        state: seen.state.word(),
        ours: run_of(&seen.spec.labels).is_some(),
    }
}

/// An error once the call is cancelled. `doing` follows "while".
pub(super) fn check_cancelled(
    effects: &dyn Effects,
    cancel: &tokio_util::sync::CancellationToken,
    doing: &str,
) -> Result<(), Failure> {
    if cancel.is_cancelled() {
        return Err(Failure::Cancelled { host: effects.host().to_owned(), doing: doing.to_owned() });
    }
    Ok(())
}

/// Gets images to the host as the policy says, each once.
pub(super) async fn fetch_images(
    effects: &dyn Effects,
    images: &BTreeSet<&str>,
    policy: PullPolicy,
    cancel: &tokio_util::sync::CancellationToken,
) -> Result<(), Failure> {
    for image in images {
        let present = effects.image(image).await?.is_some();
        match (policy, present) {
            (PullPolicy::Missing | PullPolicy::Never, true) => {}
            (PullPolicy::Never, false) => {
                let cause = Cause::ImageMissing { image: (*image).to_owned() };
                let operation = format!("use image {image}");
                return Err(HostError { host: effects.host().to_owned(), operation, cause }.into());
            }
            (PullPolicy::Always, _) | (PullPolicy::Missing, false) => {
                let doing = format!("pulling image {image}");
                tokio::select! {
                    pulled = effects.pull(image) => pulled?,
                    () = cancel.cancelled() => check_cancelled(effects, cancel, &doing)?,
                }
            }
        }
    }
    Ok(())
}
