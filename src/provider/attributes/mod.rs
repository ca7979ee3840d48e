//! TODO head

pub mod blocks;
pub mod connector;
pub mod convert;
pub mod duration;
pub mod host_errors;
pub mod import_id;
pub mod model_args;
pub mod model_source;
pub mod paths;
pub mod secret_env;
pub mod timeouts;
pub mod to_draft;
