//! TODO head

pub(crate) mod amount;
pub(crate) mod endpoint;
pub(crate) mod given;
pub(crate) mod hub_paths;
pub(crate) mod image;
pub(crate) mod names;
pub(crate) mod objection;
pub(crate) mod paths;
pub(crate) mod ports;
pub(crate) mod reader;
pub(crate) mod words;
