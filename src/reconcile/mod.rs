//! Desired against actual: what differs, in which order it is changed, and changing it.
//!
//! | file | is |
//! | --- | --- |
//! | [`diff`] | what differs between a container wanted and a container seen; pure |
//! | `order` | the steps from one to the other, and their order; pure |
//! | `assembly` | what is to be carried out on a host |
//! | `execute` | carrying it out: begin reading here |
//! | `run`, `wait`, `ledger` | one call at work: its steps, its waits, and what it has created so far |
//! | `failure` | how it fails, and what is left then |
//! | `effects` | the few verbs that all this needs of a host |
//!
//! Everything but `diff` and `order` talks to a host through [`Effects`], so that every way in which bringing something up
//! can go wrong is a test with a scripted host and not a machine that has to misbehave on cue.

mod assembly;
pub(crate) mod diff;
mod effects;
mod execute;
mod failure;
mod ledger;
mod order;
mod run;
#[cfg(test)]
mod scripted_host;
#[cfg(test)]
mod tests;
mod wait;

pub(crate) use assembly::{Assembly, Deadline, Part, PrivateFile, Rollout};
pub(crate) use diff::{ChangeKind, ContainerDifference, ContainerField, WantedContainer, differences};
pub(crate) use effects::Effects;
pub(crate) use execute::{bring_up, converge, fetch, halt, take_down};
pub(crate) use failure::{Failure, ReconcileError};
pub(crate) use wait::{Probe, ProbeAnswer};
