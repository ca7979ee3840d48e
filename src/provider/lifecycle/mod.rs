//! The life of a container, for each resource that has some: start, probe, compare, explain.
//!
//! * `assembly.rs`: from a decided blueprint to what `reconcile` carries out. Begin here.
//! * `resource.rs`: what deployment, worker and Open WebUI share: made, stopped and read back, removed.
//! * `probes.rs`: the question by which each kind of container is seen to work.
//! * `comparison.rs`: what is on the host against what should be. `drift.rs`: the differences, written into the attributes.
//! * `spec_label.rs`: the configuration on a label, by which import finds it.
//! * `deployment_containers.rs`: the containers of a deployment among all of its name.
//! * `job.rs`: a container that does one job and is removed. `image_modules.rs`: the job that asks an image for its modules.

pub(crate) mod assembly;
pub(crate) mod comparison;
pub(crate) mod deployment_containers;
pub(crate) mod drift;
pub(crate) mod image_modules;
pub(crate) mod job;
pub(crate) mod probes;
pub(crate) mod resource;
pub(crate) mod spec_label;
