//! The resource `dynamo_model`: the files of a model on a host.
//!
//! Begin with `ops.rs`, which implements the resource.
//!
//! * `schema.rs`: the attributes, each declared once.
//! * `model.rs`: what is wrong with a configuration, where the model comes from, and what the state shows. Pure.
//! * `copy.rs`: copies a model from another host, or from another folder of the same one.
//! * `hub_download.rs`: downloads a model from the Hugging Face hub, in a container on the host.

pub(crate) mod copy;
pub(crate) mod hub_download;
pub(crate) mod model;
pub(crate) mod ops;
pub(crate) mod schema;
pub(crate) use ops::Models;
