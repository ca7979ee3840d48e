//! TODO head

pub mod catalog;
pub mod files;
pub mod installed;
pub mod memory;
pub mod place;
