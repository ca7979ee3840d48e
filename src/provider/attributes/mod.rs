//! The attributes that several resources share, and the ways between attributes and the domain's values. Pure.
//!
//! Begin with `blocks.rs` and `to_draft.rs`: an attribute of a shared block is declared in the first and read in the second.
//!
//! * `blocks.rs`, `connector.rs`: the blocks `router`, `resources`, `docker`, `timeouts` and `connector`.
//! * `secret_env.rs`, `picked_ports.rs`, `model_args.rs`: the attributes of that name, in configuration, plan and state.
//! * `to_draft.rs`: from attributes to the domain's drafts. `paths.rs`: from the domain's objections back to attributes.
//! * `host_errors.rs`: errors of a host as diagnostics at an attribute.
//! * `convert.rs`: sizes, times and lists as attributes show them. `duration.rs`, `timeouts.rs`: durations.
//! * `import_id.rs`: import ids and identities.

pub(crate) mod blocks;
pub(crate) mod connector;
pub(crate) mod containers;
pub(crate) mod convert;
pub(crate) mod duration;
pub(crate) mod host_errors;
pub(crate) mod import_id;
pub(crate) mod model_args;
pub(crate) mod paths;
pub(crate) mod picked_ports;
pub(crate) mod secret_env;
pub(crate) mod timeouts;
pub(crate) mod to_draft;
