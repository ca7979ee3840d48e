pub mod apply;
pub mod cache_server;
pub mod model;
pub mod ops;
pub mod plan;
pub mod schema;
pub use ops::Workers;
