pub mod schema;
pub mod model;
pub mod ops;
pub use ops::Deployments;
