//! TODO head

pub(crate) mod catalog;
pub(crate) mod files;
pub(crate) mod installed;
pub(crate) mod memory;
pub(crate) mod place;
