//! The domain, pure: a specification, a release's facts and a machine's capacity go in; a [`blueprint::Blueprint`] or
//! the reasons why there is none come out.
//!
//! Dynamo's command line changes with every few releases, engines differ, and users learn of a mistake either while
//! planning or after a twenty minute image pull. So everything that can be decided without talking is decided here,
//! where a test needs no host: no clock, no environment, no disk, no randomness.
//!
//! The way through the module:
//!
//! 1. [`draft`]: what the user wrote, each field absent, unknown or known;
//! 2. [`check`]: a draft is read against the tables: objections at `validate`, a [`spec`] once all is known;
//! 3. [`decide`]: a spec on a host becomes a blueprint;
//! 4. [`lint`]: a second reader that knows none of the deciding code goes over the blueprint.
//!
//! What varies is data: a [`release::Release`] per line of releases, an [`engine::EngineFacts`] per engine in it, a
//! topology per kind of network. A new one is a new row, and the tests walk all rows.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub(crate) mod blueprint;
pub(crate) mod check;
pub(crate) mod decide;
pub(crate) mod facts;
pub(crate) mod gpus;
#[cfg(test)]
mod lint;
pub(crate) mod models;
pub(crate) mod openwebui;
pub(crate) mod readiness;
pub(crate) mod spec;
pub(crate) mod terms;
#[cfg(test)]
mod tests;
