//! TODO head

pub(crate) mod assembly;
pub(crate) mod comparison;
pub(crate) mod deployment_containers;
pub(crate) mod drift;
pub(crate) mod image_modules;
pub(crate) mod job;
pub(crate) mod probes;
pub(crate) mod resource;
pub(crate) mod spec_label;
