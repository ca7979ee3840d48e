//! Desired against actual: what differs ([`diff`]), in which order it is cured ([`order`]), and curing it ([`execute`]).
//!
//! The first two are pure. The third talks to a host through [`Effects`], the few verbs it needs, so that every way in
//! which bringing something up can go wrong is a test with a script and not a machine that has to misbehave on cue.

pub(crate) mod diff;
pub(crate) mod effects;
pub(crate) mod execute;
pub(crate) mod order;

pub(crate) use diff::{ChangeKind, ContainerDifference, ContainerField, WantedContainer, differences};
pub(crate) use effects::Effects;
pub(crate) use execute::{
    Assembly, Deadline, Failure, Part, PrivateFile, Probe, ProbeAnswer, ReconcileError, Rollout, bring_up,
    converge, fetch, halt, take_down,
};
