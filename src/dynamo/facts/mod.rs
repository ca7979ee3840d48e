//! TODO head

pub(crate) mod cache_server;
pub(crate) mod connector;
pub(crate) mod engine;
pub(crate) mod release;
pub(crate) mod router;
pub(crate) mod topology;
