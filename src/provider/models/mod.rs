pub mod copy;
pub mod hub_download;
pub mod model;
pub mod ops;
pub mod schema;
pub use model::Claims;
pub use ops::Models;
