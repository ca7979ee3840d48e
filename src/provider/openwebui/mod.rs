//! The resource `dynamo_openwebui`: an Open WebUI container in front of one or more deployments.
//!
//! Begin with `ops.rs`, which implements the resource and calls the others in the order of Terraform's operations.
//!
//! * `schema.rs`: the attributes, each declared once.
//! * `model.rs`: from the attributes to a draft, and the computed attributes of a plan. Pure.
//! * `decide.rs`: what follows from the hosts, and the container.
//! * `plan.rs`: what a plan checks on the host.
//! * `apply.rs`: the hosts of the container and of its deployments; starts the container.

pub(crate) mod apply;
mod decide;
pub(crate) mod model;
pub(crate) mod ops;
pub(crate) mod plan;
pub mod schema;
pub use ops::OpenWebuis;
