//! From what is wanted and what is seen to the steps in between, in the order in which they are taken.
//!
//! What must go goes first, last started first: it may hold a port or a GPU that something new is waiting for. Then what
//! is wanted, in the order in which it is wanted: services before those who need them.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::fmt;

use super::diff::{ChangeKind, ContainerDifference, WantedContainer, differences};
use crate::container::{ObservedContainer, RunState};

/// A step: what has to happen to one container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ContainerStep {
    /// It is not wanted any more.
    Remove { name: String },
    /// It runs as wanted.
    Keep { name: String },
    /// It is as wanted, but does not run.
    Start { name: String },
    /// It can be made as wanted while it runs.
    Update { name: String, reasons: Vec<ContainerDifference> },
    /// Only a new container will be as wanted.
    Replace { name: String, reasons: Vec<ContainerDifference> },
    /// There is none.
    Create { name: String },
}

impl ContainerStep {
    /// Name of the container.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Remove { name }
            | Self::Keep { name }
            | Self::Start { name }
            | Self::Update { name, .. }
            | Self::Replace { name, .. }
            | Self::Create { name } => name,
        }
    }
}

impl fmt::Display for ContainerStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, reasons): (&str, &[ContainerDifference]) = match self {
            Self::Remove { .. } => ("remove", &[]),
            Self::Keep { .. } => ("keep", &[]),
            Self::Start { .. } => ("start", &[]),
            Self::Create { .. } => ("create", &[]),
            Self::Update { reasons, .. } => ("update", reasons),
            Self::Replace { reasons, .. } => ("replace", reasons),
        };
        write!(f, "{verb} container {}", self.name())?;
        for (position, reason) in reasons.iter().enumerate() {
            write!(f, "{} {reason}", if position == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

/// The steps from `observed` (containers of ours, by their final names) to `wanted` (in the order of starting).
pub(crate) fn steps(wanted: &[WantedContainer<'_>], observed: &[ObservedContainer]) -> Vec<ContainerStep> {
    let mut unwanted: Vec<&ObservedContainer> = observed
        .iter()
        .filter(|seen| !wanted.iter().any(|wanted| wanted.spec.name == seen.spec.name))
        .collect();
    unwanted.sort_by(|a, b| b.started_at.cmp(&a.started_at));
    let removals = unwanted.into_iter().map(|seen| ContainerStep::Remove { name: seen.spec.name.clone() });
    let cures = wanted.iter().map(|wanted| {
        let seen = observed.iter().find(|seen| seen.spec.name == wanted.spec.name);
        seen.map_or_else(
            || ContainerStep::Create { name: wanted.spec.name.clone() },
            |seen| step(wanted, seen),
        )
    });
    removals.chain(cures).collect()
}

fn step(wanted: &WantedContainer<'_>, seen: &ObservedContainer) -> ContainerStep {
    let name = wanted.spec.name.clone();
    let reasons = differences(wanted, seen);
    let in_place = reasons.iter().all(|difference| difference.change == ChangeKind::Update);
    match seen.state {
        // A start does not bring these back.
        RunState::Dead | RunState::Removing | RunState::Paused => ContainerStep::Replace { name, reasons },
        _ if !in_place => ContainerStep::Replace { name, reasons },
        _ if !reasons.is_empty() => ContainerStep::Update { name, reasons },
        RunState::Running => ContainerStep::Keep { name },
        // As wanted, and dies again and again: a new one shows why.
        RunState::Restarting { .. } => ContainerStep::Replace { name, reasons },
        RunState::Created | RunState::Exited { .. } => ContainerStep::Start { name },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::{ContainerSpec, Limits};

    fn spec(name: &str) -> ContainerSpec {
        ContainerSpec { name: name.into(), image: "a:1".into(), ..Default::default() }
    }

    fn seen(spec: ContainerSpec, state: RunState, started_at: &str) -> ObservedContainer {
        ObservedContainer { started_at: started_at.into(), ..ObservedContainer::in_state(spec, state) }
    }

    fn said(wanted: &[ContainerSpec], observed: &[ObservedContainer]) -> Vec<String> {
        let wanted: Vec<WantedContainer<'_>> =
            wanted.iter().map(|spec| WantedContainer { spec, image: None, follow_image: false }).collect();
        steps(&wanted, observed).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn removals_come_first_and_latest_started_first() {
        let observed = [
            seen(spec("kept"), RunState::Running, "1"),
            seen(spec("old-service"), RunState::Running, "2"),
            seen(spec("old-user"), RunState::Running, "3"),
        ];
        assert_eq!(
            said(&[spec("new"), spec("kept")], &observed),
            [
                "remove container old-user",
                "remove container old-service",
                "create container new",
                "keep container kept"
            ]
        );
    }

    #[test]
    fn a_change_takes_the_gentlest_cure() {
        let limited = |bytes| ContainerSpec {
            limits: Limits { memory_bytes: Some(bytes), nano_cpus: None },
            ..spec("a")
        };
        let exited = RunState::Exited { exit_code: 0, oom_killed: false };
        let table = [
            (spec("a"), seen(spec("a"), RunState::Running, ""), "keep container a"),
            (spec("a"), seen(spec("a"), exited.clone(), ""), "start container a"),
            (spec("a"), seen(spec("a"), RunState::Dead, ""), "replace container a"),
            (
                limited(2 << 30),
                seen(limited(1 << 30), RunState::Running, ""),
                "update container a: the memory limit changes from 1 GiB to 2 GiB, which is done in place",
            ),
            (
                ContainerSpec { image: "a:2".into(), ..limited(2 << 30) },
                seen(limited(1 << 30), RunState::Running, ""),
                "replace container a: the image changes from a:1 to a:2, which takes a new container; the memory limit changes from 1 GiB to 2 GiB, which is done in place",
            ),
        ];
        for (wanted, observed, expected) in table {
            assert_eq!(said(&[wanted], &[observed]), [expected]);
        }
    }
}
