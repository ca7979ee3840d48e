pub(crate) mod apply;
pub(crate) mod cache_server;
pub(crate) mod model;
pub(crate) mod ops;
pub(crate) mod plan;
pub(crate) mod provisional;
pub mod schema;
pub use ops::Workers;
