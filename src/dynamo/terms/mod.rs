//! TODO head

pub mod amount;
pub mod image;
pub mod names;
pub mod objection;
pub mod paths;
pub mod ports;
pub mod reader;
