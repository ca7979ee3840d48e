//! TODO head

pub mod cache_server;
pub mod connector;
pub mod engine;
pub mod release;
pub mod router;
pub mod topology;
