mod model;
mod ops;
pub mod schema;
pub use ops::ModelCatalog;
