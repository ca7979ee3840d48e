//! The words of the domain: what a configuration can say, and how it is spelled. Nothing here knows a release.
//!
//! Begin at [`words`], the choices that users have, and [`objection`], what is said of a mistake and of which field. A value is
//! absent, unknown or known ([`given`]); a [`reader`] reads such values one by one and collects the objections. The rest
//! reads and writes one kind of text each: numbers with a unit ([`amount`]), [`names`] of deployments and containers,
//! [`paths`], [`ports`] and addresses ([`endpoint`]), [`image`] references, and the folders of a Hugging Face cache
//! ([`hub_paths`]).

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
