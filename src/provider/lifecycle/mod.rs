//! The life of what is made of containers, without regard to which resource it is. Begin at [`resource`].
//!
//! - [`resource`]: what deployment, worker and Open WebUI share: made, stopped and read back, removed, and kept meanwhile.
//! - [`assembly`]: from a blueprint to the parts that reconciliation brings up, with their [`probes`].
//! - [`comparison`], [`drift`]: what a host has against what it should have, and the words for it.
//! - [`spec_label`]: a model on its container's label, for import. [`deployment_containers`]: which containers are whose.
//! - [`job`]: containers that run to their end; [`image_modules`] asks an image with one.

pub(crate) mod assembly;
pub(crate) mod comparison;
pub(crate) mod deployment_containers;
pub(crate) mod drift;
pub(crate) mod image_modules;
pub(crate) mod job;
pub(crate) mod probes;
pub(crate) mod resource;
pub(crate) mod spec_label;
