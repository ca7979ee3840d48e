//! `dynamo_openwebui`.
pub mod apply;
pub mod model;
pub mod ops;
pub mod plan;
pub mod schema;
pub use ops::OpenWebuis;
