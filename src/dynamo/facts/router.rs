//! How the frontend picks a worker, and the options that go with it.
//!
//! A release lists its modes and the flag of every option. Dynamo accepts options that the chosen mode ignores, and
//! says nothing; a user who sets a temperature for a round-robin router expects something that will not happen, so
//! here that is an objection.

use crate::dynamo::terms::amount::Amount;
use crate::dynamo::terms::words::RouterOption;

/// A mode of a release's router.
#[derive(Debug, PartialEq)]
pub struct RouterMode {
    pub word: &'static str,
    /// Whether it looks at the workers' caches, and the options therefore mean something.
    pub kv: bool,
}

/// How a release is told an option.
#[derive(Debug, PartialEq)]
pub struct OptionFacts {
    pub option: RouterOption,
    pub flag: OptionFlag,
    /// The variable that would say the same; users may not set it beside the option.
    pub env: &'static str,
    /// Only used while the router guesses.
    pub only_without_events: bool,
    /// The largest number that the release takes.
    pub most: Option<Amount>,
}

/// The flag of a router option.
#[derive(Debug, PartialEq)]
pub enum OptionFlag {
    Value(&'static str),
    Switch { on: &'static str, off: &'static str },
}
