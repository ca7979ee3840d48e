//! The resource `dynamo_worker`: one container that computes for a deployment, and the cache server that it may need.
//!
//! Begin with `ops.rs`, which implements the resource and calls the others in the order of Terraform's operations.
//!
//! * `schema.rs`: the attributes, each declared once, and the object by which a worker sees its deployment.
//! * `model.rs`: from the attributes to a draft, and the computed attributes of a plan. Pure.
//! * `provisional.rs`: the same while apply has not picked ports, GPUs and name yet.
//! * `plan.rs`: what a plan checks on the host.
//! * `apply.rs`: the hosts of a worker and of its frontend; assigns ports and GPUs, and starts the container.
//! * `cache_server.rs`: the cache server that the workers of a host share.

pub(crate) mod apply;
pub(crate) mod cache_server;
pub(crate) mod model;
pub(crate) mod ops;
pub(crate) mod plan;
pub(crate) mod provisional;
pub mod schema;
pub use ops::Workers;
