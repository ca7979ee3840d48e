//! TODO head

pub(crate) mod cache_memory;
pub(crate) mod cache_servers;
pub(crate) mod gpus;
pub(crate) mod ports;
pub(crate) mod rolling_update;
