//! The allocations of one run: what a plan claims for each resource, and what an apply leases until a container has it.
//!
//! Terraform plans and applies ten resources at a time, and none of them knows of the others. Each allocator is a value that its
//! clones share; the session has one of each. A claim of a plan only refuses; a lease of an apply ends when it is dropped.
//!
//! * `port_leases.rs`: ports of services and workers on the host's network. Begin here, it is the simplest.
//! * `gpus.rs`: claims and leases of GPUs. `claimant.rs`: the worker or server that a claim belongs to.
//! * `cache_memory.rs`: memory and disk space that caches claim.
//! * `cache_servers.rs`: leases on cache servers, and the removal of those without a worker.
//! * `model_folders.rs`: folders that models are planned for. `image_answers.rs`: images that were asked for their modules.
//! * `rolling_update.rs`: the slot in which a worker of a deployment is replaced.

pub(crate) mod cache_memory;
pub(crate) mod cache_servers;
pub(crate) mod claimant;
pub(crate) mod gpus;
pub(crate) mod image_answers;
pub(crate) mod model_folders;
pub(crate) mod port_leases;
pub(crate) mod rolling_update;
