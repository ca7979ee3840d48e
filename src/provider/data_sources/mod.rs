//! The data sources, a folder for each, named like its type without `dynamo_`.
//!
//! In each, `schema.rs` declares the attributes, `model.rs` turns what was found into them (pure), and `ops.rs` asks the host.
//! Where that is little, `mod.rs` does both. Begin with `host`, the smallest of them.
//!
//! * `containers`, `images`: what the Engine of a host has.
//! * `host`, `host_gpus`: a host's capacity, and its GPUs with what holds each.
//! * `host_directory`: the files of a folder, and its disk.
//! * `installed_models`: the models in the model folders of a host.
//! * `model_catalog`: the models that the provider knows by name. It runs offline.

pub(crate) mod containers;
pub(crate) mod host;
pub(crate) mod host_directory;
pub(crate) mod host_gpus;
pub(crate) mod images;
pub(crate) mod installed_models;
pub(crate) mod model_catalog;
