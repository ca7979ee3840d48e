//! TODO head

pub(crate) mod cache_memory;
pub(crate) mod cache_servers;
pub(crate) mod gpus;
pub(crate) mod image_answers;
pub(crate) mod model_folders;
pub(crate) mod port_leases;
pub(crate) mod rolling_update;
