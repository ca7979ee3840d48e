//! Models: one declaration per attribute, next to the struct field it fills.
//!
//! [`model!`](crate::model) turns a struct whose fields carry a declaration into the struct, its schema, its decoding and its encoding.
//! Adding an attribute is one line there; every place that builds or takes the struct apart then fails to compile
//! until it has been thought of.

use crate::tf_provider::schema::Entry;
use crate::tf_provider::value::{Path, PathError, Value};

/// A struct that mirrors an object of Terraform's: a resource, a block, a nested attribute.
pub trait Model: Clone + PartialEq + std::fmt::Debug + Default + Send + Sync + 'static {
    /// The schema, in the order of declaration.
    fn entries() -> Vec<Entry>;
    /// `value` is a known object of this model's type. Missing attributes are null.
    fn from_value(value: &Value, path: &Path) -> Result<Self, PathError>;
    fn to_value(&self) -> Value;
    /// Nothing of it is known yet.
    fn unknown() -> Self;
}

/// A model without attributes, for providers or resources that take none.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Empty;

impl Model for Empty {
    fn entries() -> Vec<Entry> {
        Vec::new()
    }
    fn from_value(_: &Value, _: &Path) -> Result<Self, PathError> {
        Ok(Self)
    }
    fn to_value(&self) -> Value {
        Value::Map(std::collections::BTreeMap::new())
    }
    fn unknown() -> Self {
        Self
    }
}

/// `field: Type = declaration,` for each field; see [`super::schema`] for declarations.
///
/// A field named with a raw identifier (`r#type`) has the plain name in Terraform.
#[macro_export]
macro_rules! model {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $( $(#[$field_meta:meta])* $field:ident : $ty:ty = $declaration:expr ),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Default)]
        $vis struct $name { $( $(#[$field_meta])* pub $field: $ty ),* }

        impl $crate::tf_provider::model::Model for $name {
            fn entries() -> Vec<$crate::tf_provider::schema::Entry> {
                vec![ $( <$ty as $crate::tf_provider::attr::ModelField>::entry(
                    $crate::tf_provider::model::plain_name(stringify!($field)), $declaration) ),* ]
            }

            fn from_value(
                value: &$crate::tf_provider::value::Value,
                path: &$crate::tf_provider::value::Path,
            ) -> Result<Self, $crate::tf_provider::value::PathError> {
                $crate::tf_provider::model::object(value, path)?;
                Ok(Self { $( $field: {
                    let name = $crate::tf_provider::model::plain_name(stringify!($field));
                    <$ty as $crate::tf_provider::attr::ModelField>::decode(value.get(name), &path.attribute(name))?
                } ),* })
            }

            fn to_value(&self) -> $crate::tf_provider::value::Value {
                $crate::tf_provider::value::Value::Map([ $( (
                    $crate::tf_provider::model::plain_name(stringify!($field)).to_owned(),
                    $crate::tf_provider::attr::ModelField::encode(&self.$field),
                ) ),* ].into_iter().collect())
            }

            fn unknown() -> Self {
                Self { $( $field: <$ty as $crate::tf_provider::attr::ModelField>::unknown() ),* }
            }
        }
    };
}

/// `r#type` → `type`.
pub fn plain_name(field: &'static str) -> &'static str {
    field.strip_prefix("r#").unwrap_or(field)
}

/// Refuses what is not a known object.
pub fn object(value: &Value, path: &Path) -> Result<(), PathError> {
    match value.as_map() {
        Some(_) => Ok(()),
        None => Err(PathError::new(path, format!("expected an object, got {}", value.kind()))),
    }
}
