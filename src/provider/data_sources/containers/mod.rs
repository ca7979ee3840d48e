//! The data source `dynamo_containers`.
//!
//! * `schema.rs`: its attributes.
//! * `model.rs`: a container that was seen becomes a row. Pure.
//! * `ops.rs`: asks the Engine for containers and their logs.

mod model;
mod ops;
pub(crate) mod schema;
pub(crate) use ops::Containers;
