//! The domain, pure: a specification, a release's facts and a machine's capacity go in; a [`blueprint::Blueprint`] or
//! the reasons why there is none come out.
//!
//! Dynamo's command line changes with every few releases, engines differ, and users learn of a mistake either while
//! planning or after a twenty minute image pull. So everything that can be decided without talking is decided here,
//! where a test needs no host: no clock, no environment, no disk, no randomness.
//!
//! The floors, from the ground up; each imports only from those before it:
//!
//! 1. [`terms`]: the words of a configuration, and objections to them;
//! 2. [`facts`]: what is known of Dynamo's releases and engines. What varies is data: a
//!    [`Release`](facts::release::record::Release) per line of releases, an [`EngineFacts`](facts::engine::EngineFacts) per engine in it, a
//!    topology per kind of network. A new one is a new row, and the tests walk all rows;
//! 3. [`spec`]: what is wanted: as a draft, each field absent, unknown or known, and as a spec, all known and checked;
//! 4. [`check`]: a draft is read against the facts: objections at `validate`, a spec once all is known;
//! 5. [`models`] and [`gpus`]: what a host has of either, and what a worker gets of it;
//! 6. [`decide`]: a spec on a host becomes a [`blueprint`]; [`readiness`] says when that works;
//! 7. [`openwebui`]: the same way for Open WebUI, in one folder.
//!
//! In tests a second reader that shares no code with the deciding one goes over blueprints (`lint`). Begin at
//! [`decide::worker`](mod@decide::worker) to see what a container is made from.
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
