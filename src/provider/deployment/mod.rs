//! `dynamo_deployment`. Begin at [`schema`], then [`ops`].
//!
//! - [`schema`]: its attributes; [`model`]: from them to the domain's draft, and what follows from them. The arguments that a
//!   model comes with are in [`model_args`], the doubt about an image's release in [`image_tag`].
//! - [`decide`]: its spec and its containers.
//! - [`plan`]: what a plan finds out on the host. [`apply`]: what is done there. [`read`]: what was seen, as attributes.
//! - [`ops`]: the resource's operations, in terms of these.

pub(crate) mod apply;
pub(crate) mod decide;
pub(crate) mod image_tag;
pub(crate) mod model;
pub(crate) mod model_args;
pub(crate) mod ops;
pub(crate) mod plan;
pub(crate) mod read;
pub mod schema;
pub use ops::Deployments;
