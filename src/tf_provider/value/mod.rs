//! Terraform values: null, unknown or known, of any of Terraform's types, without loss.
//!
//! [`Value`] is what travels; its meaning needs a [`Type`]. [`msgpack`] and [`json`] are the two encodings. Every
//! decoding error carries the [`Path`] of the value at fault, since Terraform shows diagnostics at a path.
//!
//! "Without loss" is not politeness. Terraform compares what a provider answers with what it asked, leaf by leaf, and
//! refuses the plan over a rounded number, a string in another Unicode form or a null that forgot its type.

mod fit;
pub mod json;
pub mod msgpack;
pub mod number;
pub mod path;
pub mod ty;

#[cfg(test)]
mod tests;

pub use number::Number;
pub use path::{Path, PathError, Step};
pub use ty::Type;

use std::borrow::Borrow;
use std::collections::BTreeMap;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A value of some [`Type`]. Strings are in NFC. A set is a `List` in canonical order without duplicates, where
/// elements that are not wholly known are never duplicates: they may yet turn out different.
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
    /// A value of type `dynamic`, with the type it really has. A null or unknown may have a type too (a variable of
    /// type string that is null), and Terraform expects it back; one without a type is plain.
    Dynamic(Box<(Type, Value)>),
}

static NULL: Value = Value::Null;

/// Making values.
impl Value {
    /// A string, brought into NFC.
    pub fn string(text: impl Into<String>) -> Self {
        Self::String(nfc(text.into()))
    }

    /// A set: sorts and removes duplicates.
    pub fn set<T: Into<Self>>(elements: impl IntoIterator<Item = T>) -> Self {
        let mut elements = elements.into_iter().map(Into::into).collect();
        canonical(&mut elements);
        Self::List(elements)
    }

    /// An object or map from its names and values.
    pub fn object<K: Into<String>, V: Into<Self>>(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        Self::Map(entries.into_iter().map(|(name, value)| (nfc(name.into()), value.into())).collect())
    }

    /// A value for a place of type `dynamic`.
    pub fn dynamic(ty: Type, value: Self) -> Self {
        match ty {
            Type::Dynamic => value,
            ty => Self::Dynamic(Box::new((ty, value))),
        }
    }
}

/// Asking values. A dynamic answers as the value that it holds.
impl Value {
    pub fn is_null(&self) -> bool {
        matches!(self.inner(), Self::Null)
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self.inner(), Self::Unknown)
    }

    /// Known here; parts of it may be unknown. Null is known.
    pub fn is_known(&self) -> bool {
        !self.is_unknown()
    }

    /// Known with all its parts.
    pub fn is_wholly_known(&self) -> bool {
        match self.inner() {
            Self::Unknown => false,
            Self::List(elements) => elements.iter().all(Self::is_wholly_known),
            Self::Map(entries) => entries.values().all(Self::is_wholly_known),
            _ => true,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(bool) = self.inner() { Some(*bool) } else { None }
    }

    pub fn as_number(&self) -> Option<&Number> {
        if let Self::Number(number) = self.inner() { Some(number) } else { None }
    }

    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self.inner() { Some(text) } else { None }
    }

    /// The elements of a list, set or tuple.
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(elements) = self.inner() { Some(elements) } else { None }
    }

    /// The entries of a map or object.
    pub fn as_map(&self) -> Option<&BTreeMap<String, Self>> {
        if let Self::Map(entries) = self.inner() { Some(entries) } else { None }
    }

    /// The attribute or entry called `name`; null if there is none.
    pub fn get(&self, name: &str) -> &Self {
        self.as_map().and_then(|entries| entries.get(name)).unwrap_or(&NULL)
    }

    /// The part at `path`; `None` if the path leads nowhere, as below a null or unknown.
    pub fn at(&self, path: &Path) -> Option<&Self> {
        path.0.iter().try_fold(self, |value, step| match step {
            Step::Attribute(name) | Step::Key(name) => value.as_map()?.get(name),
            Step::Index(index) => value.as_list()?.get(usize::try_from(*index).ok()?),
        })
    }

    /// What it is, for messages: "a string".
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Unknown => "an unknown value",
            Self::Bool(_) => "a bool",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Dynamic(typed) => typed.1.kind(),
        }
    }

    /// Is this a value of type `ty`? `path` is where it stands, for the error.
    pub fn conforms(&self, ty: &Type, path: &Path) -> Result<(), PathError> {
        fit::fits(self, ty).map_err(|error| error.below(path))
    }

    /// What a dynamic holds; any other value itself.
    fn inner(&self) -> &Self {
        if let Self::Dynamic(typed) = self { typed.1.inner() } else { self }
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::string(text)
    }
}

impl From<i64> for Value {
    fn from(whole: i64) -> Self {
        Self::Number(whole.into())
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl From<Vec<Value>> for Value {
    fn from(elements: Vec<Value>) -> Self {
        Self::List(elements)
    }
}

impl From<BTreeMap<String, Value>> for Value {
    fn from(entries: BTreeMap<String, Value>) -> Self {
        Self::Map(entries)
    }
}

/// Unicode normal form C: "é" has two spellings, and Terraform takes them for one string.
fn nfc(text: String) -> String {
    if is_nfc(&text) { text } else { text.nfc().collect() }
}

/// Brings the elements of a set into the order in which [`Value`] keeps them.
fn canonical<T: Ord + Borrow<Value>>(elements: &mut Vec<T>) {
    elements.sort();
    elements.dedup_by(|left, right| left == right && (*left).borrow().is_wholly_known());
}
