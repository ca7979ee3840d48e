//! TODO head

pub mod cache_memory;
pub mod cache_servers;
pub mod gpus;
pub mod keyed_lock;
pub mod ports;
pub mod rolling_update;
