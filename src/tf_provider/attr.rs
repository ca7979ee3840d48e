//! What stands in a model's fields: attributes that may be null or unknown, and blocks.
//!
//! A model is a plain struct whose fields are [`Attr`], [`Block`] or [`Blocks`]. The Rust type of a field is the one
//! place that says its Terraform type; [`ModelField`] derives schema, decoding and encoding from it. Nothing converts an
//! unknown to a value by accident: there is no `Default`-on-unknown anywhere, only [`Attr::known`].

use super::model::Model;
use crate::tf_provider::schema::{AttributeType, Declaration, Entry, Nesting};
use crate::tf_provider::value::{Number, Path, PathError, Type, Value};
use std::collections::BTreeMap;

/// An attribute's value as Terraform sees it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Attr<T> {
    #[default]
    Null,
    /// Decided later: in apply, or by another resource.
    Unknown,
    Known(T),
}

impl<T> Attr<T> {
    /// The value, if there is one and it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Null | Self::Unknown => None,
        }
    }

    /// The value, when it is known and not null.
    pub fn into_known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Null | Self::Unknown => None,
        }
    }

    /// Whether the attribute is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether the value is not known yet.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// The attribute with `f` applied to a known value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Attr<U> {
        match self {
            Self::Null => Attr::Null,
            Self::Unknown => Attr::Unknown,
            Self::Known(value) => Attr::Known(f(value)),
        }
    }
}

impl<T> From<Option<T>> for Attr<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Known)
    }
}

impl From<&str> for Attr<String> {
    fn from(value: &str) -> Self {
        Self::Known(value.to_owned())
    }
}

/// A type that can stand in an [`Attr`].
pub trait AttrValue: Clone + PartialEq + std::fmt::Debug + Send + Sync + 'static {
    fn attribute_type() -> AttributeType;
    /// `value` is known and not null.
    fn decode(value: &Value, path: &Path) -> Result<Self, PathError>;
    fn encode(&self) -> Value;
}

fn mismatch(expected: &str, value: &Value, path: &Path) -> PathError {
    PathError::new(path, format!("expected {expected}, got {}", value.kind()))
}

impl AttrValue for String {
    fn attribute_type() -> AttributeType {
        AttributeType::Plain(Type::String)
    }
    fn decode(value: &Value, path: &Path) -> Result<Self, PathError> {
        value.as_str().map(str::to_owned).ok_or_else(|| mismatch("a string", value, path))
    }
    fn encode(&self) -> Value {
        Value::string(self)
    }
}

impl AttrValue for bool {
    fn attribute_type() -> AttributeType {
        AttributeType::Plain(Type::Bool)
    }
    fn decode(value: &Value, path: &Path) -> Result<Self, PathError> {
        value.as_bool().ok_or_else(|| mismatch("true or false", value, path))
    }
    fn encode(&self) -> Value {
        Value::Bool(*self)
    }
}

/// A whole number. A fraction, or a number beyond 64 bits, is refused at its path.
impl AttrValue for i64 {
    fn attribute_type() -> AttributeType {
        AttributeType::Plain(Type::Number)
    }
    fn decode(value: &Value, path: &Path) -> Result<Self, PathError> {
        let number = value.as_number().ok_or_else(|| mismatch("a number", value, path))?;
        number.to_i64().ok_or_else(|| PathError::new(path, format!("expected a whole number, got {number}")))
    }
    fn encode(&self) -> Value {
        Value::from(*self)
    }
}

impl AttrValue for Number {
    fn attribute_type() -> AttributeType {
        AttributeType::Plain(Type::Number)
    }
    fn decode(value: &Value, path: &Path) -> Result<Self, PathError> {
        value.as_number().cloned().ok_or_else(|| mismatch("a number", value, path))
    }
    fn encode(&self) -> Value {
        Value::Number(self.clone())
    }
}

/// A value of any type (`dynamic`); the inner [`Value`] is always [`Value::Dynamic`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dynamic(pub Value);

impl AttrValue for Dynamic {
    fn attribute_type() -> AttributeType {
        AttributeType::Plain(Type::Dynamic)
    }
    fn decode(value: &Value, path: &Path) -> Result<Self, PathError> {
        match value {
            Value::Dynamic(_) => Ok(Self(value.clone())),
            other => Err(mismatch("a value with its type", other, path)),
        }
    }
    fn encode(&self) -> Value {
        self.0.clone()
    }
}

/// The plain type of an element; nested attributes cannot be elements of plain collections.
fn element_type<T: AttrValue>() -> Type {
    match T::attribute_type() {
        AttributeType::Plain(ty) => ty,
        AttributeType::Nested { entries, .. } => super::schema::object_type(&entries),
    }
}

impl<T: AttrValue> AttrValue for Vec<Attr<T>> {
    fn attribute_type() -> AttributeType {
        AttributeType::Plain(Type::List(Box::new(element_type::<T>())))
    }
    fn decode(value: &Value, path: &Path) -> Result<Self, PathError> {
        let items = value.as_list().ok_or_else(|| mismatch("a list", value, path))?;
        items.iter().enumerate().map(|(index, item)| Attr::decode(item, &path.index(index))).collect()
    }
    fn encode(&self) -> Value {
        Value::List(self.iter().map(ModelField::encode).collect())
    }
}

impl<T: AttrValue> AttrValue for BTreeMap<String, Attr<T>> {
    fn attribute_type() -> AttributeType {
        AttributeType::Plain(Type::Map(Box::new(element_type::<T>())))
    }
    fn decode(value: &Value, path: &Path) -> Result<Self, PathError> {
        let items = value.as_map().ok_or_else(|| mismatch("a map", value, path))?;
        items.iter().map(|(key, item)| Ok((key.clone(), Attr::decode(item, &path.key(key))?))).collect()
    }
    fn encode(&self) -> Value {
        Value::Map(self.iter().map(|(key, item)| (key.clone(), item.encode())).collect())
    }
}

/// A nested attribute: one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Nested<M>(pub M);

impl<M: Model> AttrValue for Nested<M> {
    fn attribute_type() -> AttributeType {
        AttributeType::Nested { nesting: Nesting::Single, entries: M::entries() }
    }
    fn decode(value: &Value, path: &Path) -> Result<Self, PathError> {
        M::from_value(value, path).map(Self)
    }
    fn encode(&self) -> Value {
        self.0.to_value()
    }
}

/// A nested attribute: a list of objects.
#[derive(Clone, Debug, PartialEq)]
pub struct NestedList<M>(pub Vec<Attr<Nested<M>>>);

impl<M: Model> AttrValue for NestedList<M> {
    fn attribute_type() -> AttributeType {
        AttributeType::Nested { nesting: Nesting::List, entries: M::entries() }
    }
    fn decode(value: &Value, path: &Path) -> Result<Self, PathError> {
        let items = value.as_list().ok_or_else(|| mismatch("a list", value, path))?;
        items
            .iter()
            .enumerate()
            .map(|(index, item)| Attr::decode(item, &path.index(index)))
            .collect::<Result<_, _>>()
            .map(Self)
    }
    fn encode(&self) -> Value {
        Value::List(self.0.iter().map(ModelField::encode).collect())
    }
}

/// A nested attribute: a map of objects, with keys the user chooses.
#[derive(Clone, Debug, PartialEq)]
pub struct NestedMap<M>(pub BTreeMap<String, Attr<Nested<M>>>);

impl<M: Model> AttrValue for NestedMap<M> {
    fn attribute_type() -> AttributeType {
        AttributeType::Nested { nesting: Nesting::Map, entries: M::entries() }
    }
    fn decode(value: &Value, path: &Path) -> Result<Self, PathError> {
        let items = value.as_map().ok_or_else(|| mismatch("a map", value, path))?;
        items
            .iter()
            .map(|(key, item)| Ok((key.clone(), Attr::decode(item, &path.key(key))?)))
            .collect::<Result<_, _>>()
            .map(Self)
    }
    fn encode(&self) -> Value {
        Value::Map(self.0.iter().map(|(key, item)| (key.clone(), item.encode())).collect())
    }
}

/// A field of a model.
pub trait ModelField: Sized {
    /// The schema record of this field: its declaration completed by what the Rust type says.
    fn entry(name: &str, declaration: Declaration) -> Entry;
    fn decode(value: &Value, path: &Path) -> Result<Self, PathError>;
    fn encode(&self) -> Value;
    /// A value that is not known yet.
    fn unknown() -> Self;
}

impl<T: AttrValue> ModelField for Attr<T> {
    fn entry(name: &str, declaration: Declaration) -> Entry {
        declaration.attribute(name, T::attribute_type())
    }
    fn decode(value: &Value, path: &Path) -> Result<Self, PathError> {
        match value {
            Value::Null => Ok(Self::Null),
            Value::Unknown => Ok(Self::Unknown),
            known => T::decode(known, path).map(Self::Known),
        }
    }
    fn encode(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Unknown => Value::Unknown,
            Self::Known(value) => value.encode(),
        }
    }
    fn unknown() -> Self {
        Self::Unknown
    }
}

/// A block that may be written once.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Block<M> {
    #[default]
    Absent,
    /// A `dynamic` block whose `for_each` is not known yet.
    Unknown,
    Present(M),
}

impl<M> Block<M> {
    /// The block's content, when it is there.
    pub fn present(&self) -> Option<&M> {
        match self {
            Self::Present(model) => Some(model),
            Self::Absent | Self::Unknown => None,
        }
    }
}

impl<M: Model> Block<M> {
    /// What the block says: nothing where it is absent, and nothing that is known yet while it is not known itself.
    pub fn open(&self) -> M {
        match self {
            Self::Absent => M::default(),
            Self::Unknown => M::unknown(),
            Self::Present(model) => model.clone(),
        }
    }

    /// As [`Block::open`], where an absent block differs from one with nothing in it.
    pub fn open_if_written(&self) -> Option<M> {
        match self {
            Self::Absent => None,
            Self::Unknown | Self::Present(_) => Some(self.open()),
        }
    }
}

impl<M: Model> ModelField for Block<M> {
    fn entry(name: &str, declaration: Declaration) -> Entry {
        declaration.block(name, Nesting::Single, M::entries())
    }
    fn decode(value: &Value, path: &Path) -> Result<Self, PathError> {
        match value {
            Value::Null => Ok(Self::Absent),
            Value::Unknown => Ok(Self::Unknown),
            known => M::from_value(known, path).map(Self::Present),
        }
    }
    fn encode(&self) -> Value {
        match self {
            Self::Absent => Value::Null,
            Self::Unknown => Value::Unknown,
            Self::Present(model) => model.to_value(),
        }
    }
    fn unknown() -> Self {
        Self::Unknown
    }
}

/// A block that may be written any number of times; order matters.
#[derive(Clone, Debug, PartialEq)]
pub enum Blocks<M> {
    Unknown,
    List(Vec<M>),
}

impl<M> Default for Blocks<M> {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl<M> Blocks<M> {
    /// The blocks; none while they are unknown.
    pub fn list(&self) -> &[M] {
        match self {
            Self::List(items) => items,
            Self::Unknown => &[],
        }
    }
}

impl<M: Model> ModelField for Blocks<M> {
    fn entry(name: &str, declaration: Declaration) -> Entry {
        declaration.block(name, Nesting::List, M::entries())
    }
    fn decode(value: &Value, path: &Path) -> Result<Self, PathError> {
        match value {
            Value::Null => Ok(Self::default()),
            Value::Unknown => Ok(Self::Unknown),
            known => {
                let items = known.as_list().ok_or_else(|| mismatch("a list of blocks", known, path))?;
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| M::from_value(item, &path.index(index)))
                    .collect::<Result<_, _>>()
                    .map(Self::List)
            }
        }
    }
    fn encode(&self) -> Value {
        match self {
            Self::Unknown => Value::Unknown,
            Self::List(items) => Value::List(items.iter().map(Model::to_value).collect()),
        }
    }
    fn unknown() -> Self {
        Self::Unknown
    }
}
