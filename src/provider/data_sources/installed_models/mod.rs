//! The data source `dynamo_installed_models`.
//!
//! * `schema.rs`: its attributes.
//! * `model.rs`: trees of files become rows. Pure.
//! * `ops.rs`: lists the model folders of a host.

mod model;
mod ops;
pub(crate) mod schema;
pub(crate) use ops::InstalledModels;
