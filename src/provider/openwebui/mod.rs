//! `dynamo_openwebui`.
mod check;
pub mod model;
pub mod ops;
mod place;
pub mod schema;
pub use ops::OpenWebuis;
