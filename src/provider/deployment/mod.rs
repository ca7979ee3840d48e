//! The resource `dynamo_deployment`: the frontend with its router, and the supporting services of the release.
//!
//! Begin with `ops.rs`, which implements the resource and calls the others in the order of Terraform's operations.
//!
//! * `schema.rs`: the attributes, each declared once.
//! * `model.rs`, `model_args.rs`: from the attributes to a draft, and the computed attributes of a plan. Pure.
//! * `decide.rs`: the spec, its containers, and the diagnostics for what is wrong with them.
//! * `plan.rs`, `image_tag.rs`: what a plan checks on the host, and whether the image fits the release.
//! * `apply.rs`: picks the ports and starts the containers.
//! * `read.rs`: from the containers that were seen to the attributes.

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
