//! Carrying out: images, networks, volumes and containers, in order, until they work or are gone again.
//!
//! The promise is: a call that fails leaves what was there before, or says exactly what it could not put back.
//! [`bring_up`] creates everything new, [`converge`] changes what differs, [`halt`] and [`take_down`] end it. Removals go
//! one by one: two containers that leave a network together can lock up an older Docker for good.

use std::collections::BTreeSet;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::assembly::{Assembly, Deadline, Part};
use super::diff::WantedContainer;
use super::effects::Effects;
use super::failure::{Failure, ReconcileError};
use super::ledger::{Ledger, run_of};
use super::order::{ContainerStep, steps};
use super::run::{Run, check_cancelled, fetch_images, name_is_free};
use super::wait::Clock;
use crate::container::names::starting;
use crate::container::{ObservedContainer, PullPolicy};
use crate::hosts::HostError;
use crate::inventory::ImageFacts;

/// The result of [`converge`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Converged {
    pub steps: Vec<ContainerStep>,
    /// The containers as they are now, in the order of the parts.
    pub containers: Vec<ObservedContainer>,
}

/// Creates an assembly that is not there yet. Gives back its containers, in the order of the parts.
///
/// # Guarantees
/// Parts start in their order, each once the one before is ready. A container has its own name only once it is ready.
///
/// # Assumptions
/// No other call works on containers of these names meanwhile.
///
/// # Caveats
/// Images are downloaded first, without a time limit while they move, and stay whatever comes after. What a run leaves
/// behind that was killed in the middle is removed by the next call for the same names.
///
/// # Errors
/// On failure everything that this call created is removed again; [`ReconcileError::left`] lists what would not go.
pub(crate) async fn bring_up(
    effects: &dyn Effects,
    assembly: &Assembly,
    deadline: &Deadline,
) -> Result<Vec<ObservedContainer>, ReconcileError> {
    // Before an hour of downloading, not after.
    for part in &assembly.parts {
        name_is_free(effects, &part.spec.name).await?;
    }
    let images = assembly.parts.iter().map(|part| part.spec.image.as_str()).collect();
    fetch_images(effects, &images, assembly.pull, &deadline.cancel).await?;
    let creations: Vec<ContainerStep> =
        assembly.parts.iter().map(|part| ContainerStep::Create { name: part.spec.name.clone() }).collect();
    carry_out(effects, assembly, &creations, deadline).await
}

/// Makes an assembly as wanted that may be there already. Containers of ours among `previous` (names that it had
/// before) that are not wanted any more are removed.
///
/// # Guarantees
/// A container that is as wanted is neither stopped nor replaced, and is waited for until it is ready. A container of
/// somebody else is never touched.
///
/// # Assumptions
/// With [`Rollout::StartFirst`](super::assembly::Rollout) the old container and the new one share no port and no GPU.
///
/// # Caveats
/// Removals come first and are not undone, nor are changes in place.
///
/// # Errors
/// Each replacement that fails is rolled back. Those that succeeded before it stay.
pub(crate) async fn converge(
    effects: &dyn Effects,
    assembly: &Assembly,
    previous: &[String],
    deadline: &Deadline,
) -> Result<Converged, ReconcileError> {
    // Only a policy that always pulls may do so before it is known what has to change.
    let all: BTreeSet<&str> = assembly.parts.iter().map(|part| part.spec.image.as_str()).collect();
    if assembly.pull == PullPolicy::Always {
        fetch_images(effects, &all, PullPolicy::Always, &deadline.cancel).await?;
    }
    let steps = plan(effects, assembly, previous).await?;
    let needed = assembly.parts.iter().filter(|part| steps.iter().any(|step| makes_new(step, part)));
    let needed: BTreeSet<&str> = needed.map(|part| part.spec.image.as_str()).collect();
    if assembly.pull != PullPolicy::Always {
        fetch_images(effects, &needed, assembly.pull, &deadline.cancel).await?;
    }
    for step in &steps {
        tracing::info!(host = effects.host(), "{step}");
    }
    let containers = carry_out(effects, assembly, &steps, deadline).await?;
    Ok(Converged { steps, containers })
}

/// Gets an image to the host as the policy says.
///
/// # Errors
/// It is not there and may not be downloaded, the download failed, or `cancel` ended it.
pub(crate) async fn fetch(
    effects: &dyn Effects,
    image: &str,
    policy: PullPolicy,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    fetch_images(effects, &BTreeSet::from([image]), policy, cancel).await
}

fn makes_new(step: &ContainerStep, part: &Part) -> bool {
    matches!(step, ContainerStep::Create { name } | ContainerStep::Replace { name, .. } if *name == part.spec.name)
}

async fn plan(
    effects: &dyn Effects,
    assembly: &Assembly,
    previous: &[String],
) -> Result<Vec<ContainerStep>, HostError> {
    let mut names: BTreeSet<&str> = assembly.parts.iter().map(|part| part.spec.name.as_str()).collect();
    names.extend(previous.iter().map(String::as_str));
    let mut observed = Vec::new();
    for name in names {
        observed.extend(effects.inspect(name).await?.filter(|seen| run_of(&seen.spec.labels).is_some()));
    }
    let mut images: Vec<Option<ImageFacts>> = Vec::new();
    for part in &assembly.parts {
        images.push(effects.image(&part.spec.image).await?);
    }
    let follow_image = assembly.pull == PullPolicy::Always;
    let wanted: Vec<WantedContainer<'_>> = assembly
        .parts
        .iter()
        .zip(&images)
        .map(|(part, image)| WantedContainer { spec: &part.spec, image: image.as_ref(), follow_image })
        .collect();
    Ok(steps(&wanted, &observed))
}

/// Takes the steps. Images are there already.
async fn carry_out(
    effects: &dyn Effects,
    assembly: &Assembly,
    steps: &[ContainerStep],
    deadline: &Deadline,
) -> Result<Vec<ObservedContainer>, ReconcileError> {
    let started = Instant::now();
    let clock = Clock { started, deadline: started + deadline.time, cancel: deadline.cancel.clone() };
    let mut run = Run { effects, clock, ledger: Ledger::default() };
    let outcome = take_steps(&mut run, assembly, steps).await;
    let Err(mut failed) = outcome else { return Ok(observe(effects, assembly).await?) };
    failed.had_made |= !run.ledger.is_empty();
    failed.left.extend(run.ledger.undo(effects).await);
    Err(failed)
}

async fn take_steps(
    run: &mut Run<'_>,
    assembly: &Assembly,
    steps: &[ContainerStep],
) -> Result<(), ReconcileError> {
    for step in steps {
        if let ContainerStep::Remove { name } = step {
            end(run.effects, name, true).await?;
        }
    }
    for network in &assembly.networks {
        run.ensure_network(network).await?;
    }
    for volume in &assembly.volumes {
        run.ensure_volume(volume).await?;
    }
    for part in &assembly.parts {
        let taken = match steps.iter().find(|step| step.name() == part.spec.name) {
            Some(ContainerStep::Create { .. }) => run.create(part).await.map_err(ReconcileError::from),
            Some(ContainerStep::Start { .. }) => run.start(part).await.map_err(ReconcileError::from),
            Some(ContainerStep::Update { .. }) => run.update(part).await.map_err(ReconcileError::from),
            Some(ContainerStep::Replace { .. }) => run.replace(part).await,
            Some(ContainerStep::Keep { .. }) => run.keep(part).await.map_err(ReconcileError::from),
            Some(ContainerStep::Remove { .. }) | None => Ok(()),
        };
        taken.map_err(|failed| failed.without(&part.redactions()))?;
    }
    Ok(())
}

async fn observe(effects: &dyn Effects, assembly: &Assembly) -> Result<Vec<ObservedContainer>, HostError> {
    let mut containers = Vec::new();
    for part in &assembly.parts {
        containers.extend(effects.inspect(&part.spec.name).await?);
    }
    Ok(containers)
}

/// Stops containers of ours, last first, each with the grace that it was made with, and leaves them there. Missing ones
/// are fine.
pub(crate) async fn halt(
    effects: &dyn Effects,
    containers: &[String],
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    for name in containers.iter().rev() {
        check_cancelled(effects, cancel, &format!("stopping container {name}"))?;
        end(effects, name, false).await?;
    }
    Ok(())
}

/// Removes containers (last first, drained, with what an unfinished start of theirs left), then networks, then volumes.
/// What is missing or not ours is fine and left alone.
///
/// # Guarantees
/// One object at a time; each container has the grace that it was created with.
///
/// # Assumptions
/// No other call brings these containers up meanwhile.
///
/// # Caveats
/// A volume goes with everything that is in it.
///
/// # Errors
/// Stops at the first object that will not go, for example a network that a container of somebody else is attached to.
/// A second call goes on where the first one stopped.
pub(crate) async fn take_down(
    effects: &dyn Effects,
    containers: &[String],
    networks: &[String],
    volumes: &[String],
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    for name in containers.iter().rev() {
        check_cancelled(effects, cancel, &format!("removing container {name}"))?;
        end(effects, &starting(name), true).await?;
        end(effects, name, true).await?;
    }
    for name in networks {
        check_cancelled(effects, cancel, &format!("removing network {name}"))?;
        effects.remove_network(name).await?;
    }
    for name in volumes {
        check_cancelled(effects, cancel, &format!("removing volume {name}"))?;
        effects.remove_volume(name).await?;
    }
    Ok(())
}

/// Stops a container of ours with its own grace, and removes it if asked to.
async fn end(effects: &dyn Effects, name: &str, remove: bool) -> Result<(), HostError> {
    let Some(seen) = effects.inspect(name).await? else { return Ok(()) };
    if run_of(&seen.spec.labels).is_none() {
        tracing::warn!(host = effects.host(), container = name, "is not ours and stays");
        return Ok(());
    }
    effects.stop(&seen.id, seen.spec.stop_grace_seconds).await?;
    if remove {
        effects.remove(&seen.id).await?;
    }
    Ok(())
}
