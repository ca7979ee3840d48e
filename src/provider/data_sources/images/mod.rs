//! The data source `dynamo_images`.
//!
//! * `schema.rs`: its attributes.
//! * `model.rs`: the images of a host and the tags of a registry become rows. Pure.
//! * `ops.rs`: asks the Engine and the registry.

mod model;
mod ops;
pub(crate) mod schema;
pub(crate) use ops::Images;
