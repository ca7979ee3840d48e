//! The data source `dynamo_host_directory`.
//!
//! * `schema.rs`: its attributes.
//! * `model.rs`: files and disks become rows. Pure.
//! * `ops.rs`: lists a folder of a host.

mod model;
mod ops;
pub(crate) mod schema;
pub(crate) use ops::HostDirectory;
