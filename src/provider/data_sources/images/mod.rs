mod model;
mod ops;
pub(crate) mod schema;
pub(crate) use ops::Images;
