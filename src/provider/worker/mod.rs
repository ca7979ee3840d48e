//! `dynamo_worker`. Begin at [`schema`], then [`ops`].
//!
//! - [`schema`]: its attributes; [`model`]: from them to the domain's draft, and what follows from them.
//! - [`provisional`]: the same while apply has not picked ports, GPUs and name yet.
//! - [`plan`]: what a plan finds out on the host.
//! - [`apply`]: what is done on the hosts, with the [`cache_server`] that workers of a host share.
//! - [`ops`]: the resource's operations, in terms of these.

pub(crate) mod apply;
pub(crate) mod cache_server;
pub(crate) mod model;
pub(crate) mod ops;
pub(crate) mod plan;
pub(crate) mod provisional;
pub mod schema;
pub use ops::Workers;
