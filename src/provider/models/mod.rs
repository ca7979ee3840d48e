mod download;
mod fetch;
pub mod model;
pub mod ops;
pub mod schema;
pub use model::Claims;
pub use ops::Models;
