mod check;
mod create;
mod decided;
pub mod image_release;
pub mod model;
pub mod ops;
pub mod schema;
pub mod seen;
pub use ops::Deployments;
