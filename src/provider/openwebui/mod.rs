//! `dynamo_openwebui`.
pub(crate) mod apply;
mod decide;
pub(crate) mod model;
pub(crate) mod ops;
pub(crate) mod plan;
pub mod schema;
pub use ops::OpenWebuis;
