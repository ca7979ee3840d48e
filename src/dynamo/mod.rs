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

pub mod amount;
pub mod blueprint;
pub mod caches;
pub mod catalog;
pub mod check;
pub mod connector;
pub mod connector_modules;
pub mod connector_server;
pub mod decide;
pub mod discovery;
pub mod docker_options;
pub mod draft;
pub mod engine;
pub mod env;
pub mod fit;
pub mod gpus;
pub mod image;
pub mod image_release;
pub mod installed;
pub mod launch;
pub mod limits;
pub mod lint;
pub mod lint_set;
pub mod model;
pub mod model_files;
pub mod model_place;
pub mod names;
pub mod objection;
pub mod openwebui;
pub mod parallel;
pub mod paths;
pub mod ports;
mod reader;
pub mod readiness;
pub mod release;
pub mod router;
pub mod secret_env;
mod shared_args;
pub mod spec;

#[cfg(test)]
mod combinations;
#[cfg(test)]
mod every_combination;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod render;
#[cfg(test)]
mod test_release;
#[cfg(test)]
mod walk;
