//! TODO head

pub mod containers;
pub mod host;
pub mod host_directory;
pub mod host_gpus;
pub mod images;
pub mod installed_models;
pub mod model_catalog;
