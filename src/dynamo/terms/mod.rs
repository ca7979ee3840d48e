//! TODO head

pub(crate) mod amount;
pub(crate) mod image;
pub(crate) mod names;
pub(crate) mod objection;
pub(crate) mod paths;
pub(crate) mod ports;
pub(crate) mod reader;
