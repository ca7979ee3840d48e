//! `dynamo_openwebui`.
pub mod model;
pub mod ops;
pub mod schema;
pub use ops::OpenWebuis;
