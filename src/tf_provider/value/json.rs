//! State JSON to and from [`super::Value`].
