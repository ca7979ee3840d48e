//! Models: what is known of them, where a host has them, and whether they fit its GPUs.
//!
//! Begin at [`catalog`], the models known by name and the engine arguments that they come with. [`memory`] estimates what a
//! model needs of GPUs, from its configuration alone. [`installed`] tells complete copies in a host's folders from broken ones,
//! [`files`] lists what a copy consists of, and [`place`] picks the copy that a worker mounts.

pub(crate) mod catalog;
pub(crate) mod files;
pub(crate) mod installed;
pub(crate) mod memory;
pub(crate) mod place;
