pub(crate) mod copy;
pub(crate) mod hub_download;
pub(crate) mod model;
pub(crate) mod ops;
pub(crate) mod schema;
pub(crate) use ops::Models;
