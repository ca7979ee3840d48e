//! Desired against actual: what differs ([`diff`]), in which order it is cured ([`order`]), and curing it ([`execute`]).
//!
//! The first two are pure. The third talks to a host through [`Effects`], the few verbs it needs, so that every way in
//! which bringing something up can go wrong is a test with a script and not a machine that has to misbehave on cue.

pub mod diff;
pub mod effects;
pub mod execute;
pub mod order;

pub use diff::{Cure, Difference, Field, Wanted, differences};
pub use effects::Effects;
pub use execute::{
    Assembly, Budget, Converged, Failed, Failure, Left, Object, Part, PreviousContainer, PrivateFile, Probe,
    PullPolicy, Readiness, Swap, bring_up, converge, fetch, halt, take_down,
};
pub use order::{Step, steps};
