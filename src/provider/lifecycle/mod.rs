//! TODO head

pub mod assembly;
pub mod comparison;
pub mod deployment_containers;
pub mod drift;
pub mod image_modules;
pub mod job;
pub mod spec_label;
