//! Terraform values: null, unknown or known, of any of Terraform's types, without loss.
//!
//! [`Value`] is what travels; its meaning needs a [`Type`]. [`msgpack`] and [`json`] are the two encodings. Every
//! decoding error carries the [`Path`] of the value at fault, since Terraform shows diagnostics at a path.

pub mod json;
pub mod msgpack;
pub mod number;
pub mod path;
pub mod ty;

pub use number::Number;
pub use path::{Path, PathError, Step};
pub use ty::Type;

use std::collections::BTreeMap;

/// A value of some [`Type`]. Strings are in NFC. A set is a `List` in canonical order without duplicates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Value {
    #[default]
    Null,
    Unknown,
    Bool(bool),
    Number(Number),
    String(String),
    /// List, set or tuple.
    List(Vec<Value>),
    /// Map or object.
    Map(BTreeMap<String, Value>),
    /// A known, non-null value of type `dynamic`, with the type it really has. Null and unknown dynamics are plain.
    Dynamic(Box<(Type, Value)>),
}
