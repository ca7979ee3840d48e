//! TODO head

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
