pub mod image_release;
pub mod model;
pub mod ops;
pub mod schema;
pub use ops::Deployments;
