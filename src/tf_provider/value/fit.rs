//! Whether a value is of a type, and the words for when it is not.
//!
//! The two decoders, the encoder and [`Value::conforms`] refuse the same things. They say so with the same words,
//! which are here. No message quotes a value: it may be a secret.

use super::{Number, PathError, Step, Type, Value};
use std::collections::BTreeMap;

/// Walks `value` along `ty`.
pub(super) fn fits(value: &Value, ty: &Type) -> Result<(), PathError> {
    match (ty, value) {
        (Type::Dynamic, Value::Dynamic(typed)) => fits(&typed.1, &typed.0),
        (_, Value::Null | Value::Unknown)
        | (Type::Bool, Value::Bool(_))
        | (Type::Number, Value::Number(_))
        | (Type::String, Value::String(_)) => Ok(()),
        (Type::List(element) | Type::Set(element), Value::List(values)) => {
            each(ty, values, |_| Some(element))
        }
        (Type::Tuple(elements), Value::List(values)) => {
            same_length(elements.len(), values.len())?;
            each(ty, values, |index| elements.get(index))
        }
        (Type::Map(element), Value::Map(entries)) => entries.iter().try_for_each(|(key, value)| {
            fits(value, element).map_err(|error| error.under(Step::Key(key.clone())))
        }),
        (Type::Object(attributes), Value::Map(entries)) => {
            same_names(attributes, entries)?;
            attributes.iter().zip(entries.values()).try_for_each(|((name, ty), value)| {
                fits(value, ty).map_err(|error| error.under(Step::Attribute(name.clone())))
            })
        }
        _ => Err(mismatch(ty, value)),
    }
}

fn each<'t>(
    ty: &Type,
    values: &[Value],
    element: impl Fn(usize) -> Option<&'t Type>,
) -> Result<(), PathError> {
    values.iter().enumerate().try_for_each(|(index, value)| match element(index) {
        Some(element) => fits(value, element).map_err(|error| in_element(ty, index, error)),
        None => Ok(()),
    })
}

/// Adds the step to an element of a list, set or tuple. A set's elements have no names, so its path ends at the set.
pub(super) fn in_element(ty: &Type, index: usize, error: PathError) -> PathError {
    match ty {
        Type::Set(_) => PathError::here(error.message),
        _ => error.under(Step::Index(i64::try_from(index).unwrap_or(i64::MAX))),
    }
}

/// `value` is not of type `ty`.
pub(super) fn mismatch(ty: &Type, value: &Value) -> PathError {
    match (ty, value) {
        (Type::Dynamic, _) => {
            PathError::here(format!("{} in a place of any type has to say its type", value.kind()))
        }
        (_, Value::Dynamic(_)) => expected(ty, "a value with a type of its own"),
        _ => expected(ty, value.kind()),
    }
}

/// `got` with its article, as in "a string".
pub(super) fn expected(ty: &Type, got: impl std::fmt::Display) -> PathError {
    let article = if matches!(ty, Type::Object(_)) { "an" } else { "a" };
    PathError::here(format!("expected {article} {ty}, got {got}"))
}

/// A number in decimal text. Both encodings use text where no machine number is exact.
pub(super) fn number(text: &str) -> Result<Value, PathError> {
    text.parse::<Number>().map(Value::Number).map_err(|error| expected(&Type::Number, error))
}

pub(super) fn same_length(expected: usize, got: usize) -> Result<(), PathError> {
    if expected == got {
        return Ok(());
    }
    Err(PathError::here(format!("expected a tuple of {expected} elements, got {got}")))
}

/// An object has all attributes of its type and no other.
pub(super) fn same_names(
    attributes: &BTreeMap<String, Type>,
    entries: &BTreeMap<String, Value>,
) -> Result<(), PathError> {
    if let Some(name) = entries.keys().find(|name| !attributes.contains_key(*name)) {
        return Err(unexpected_attribute(name));
    }
    match attributes.keys().find(|name| !entries.contains_key(*name)) {
        Some(name) => Err(PathError::here("this attribute is missing").under(Step::Attribute(name.clone()))),
        None => Ok(()),
    }
}

pub(super) fn unexpected_attribute(name: &str) -> PathError {
    PathError::here("no attribute of this name is expected").under(Step::Attribute(name.to_owned()))
}

/// A map or object has the same name again. It may have been spelled differently: two strings can be one in NFC.
pub(super) fn twice() -> PathError {
    PathError::here("this name appears twice")
}
