//! The data source `dynamo_model_catalog`.
//!
//! * `schema.rs`: its attributes.
//! * `model.rs`: the catalog becomes rows. Pure.
//! * `ops.rs`: filters the catalog; no host is asked.

mod model;
mod ops;
pub(crate) mod schema;
pub(crate) use ops::ModelCatalog;
