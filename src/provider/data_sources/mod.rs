//! TODO head

pub(crate) mod containers;
pub(crate) mod host;
pub(crate) mod host_directory;
pub(crate) mod host_gpus;
pub(crate) mod images;
pub(crate) mod installed_models;
pub(crate) mod model_catalog;
