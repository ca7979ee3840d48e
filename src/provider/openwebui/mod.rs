//! `dynamo_openwebui`. Begin at [`schema`], then [`ops`].
//!
//! - [`schema`]: its attributes; [`model`]: from them to the domain's draft, and what follows from them.
//! - [`decide`]: what follows from the hosts, and its containers.
//! - [`plan`]: what a plan finds out on the host. [`apply`]: what is done there.
//! - [`ops`]: the resource's operations, in terms of these.

pub(crate) mod apply;
mod decide;
pub(crate) mod model;
pub(crate) mod ops;
pub(crate) mod plan;
pub mod schema;
pub use ops::OpenWebuis;
