//! JSON to and from [`Value`]: stored state, and plain JSON.
//!
//! Terraform hands stored state over as JSON, along with the wish to have it in today's schema. [`decode_lenient`] does
//! what an upgrade mostly is: attributes which the schema has lost are dropped, those it has gained are null.
//!
//! Plain JSON is what people write: there a dynamic value is just its value. [`encode_json`] and [`from_plain_json`]
//! are inverse on it, so that what was stored as a label comes back as the same JSON.
//!
//! A number is taken by its digits and never through a float. `serde_json` keeps the digits, as its feature
//! `arbitrary_precision` is on.

use crate::tf_provider::value::{PathError, Step, Type, Value, fit, nfc};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Parses JSON text. Numbers keep their digits.
pub fn parse(bytes: &[u8]) -> Result<Json, PathError> {
    // The message of serde_json may quote the input; line and column do not.
    serde_json::from_slice(bytes).map_err(|error| {
        PathError::here(format!("this is not valid JSON (line {}, column {})", error.line(), error.column()))
    })
}

/// Reads a value of type `ty` in state JSON: objects have all attributes of their type and no other.
pub fn decode(json: &Json, ty: &Type) -> Result<Value, PathError> {
    read(json, ty, Objects::Exact)
}

/// Reads a value of type `ty` in state JSON of another schema version: unknown attributes are dropped, missing ones
/// are null.
pub fn decode_lenient(json: &Json, ty: &Type) -> Result<Value, PathError> {
    read(json, ty, Objects::Lenient)
}

#[derive(Clone, Copy, PartialEq)]
enum Objects {
    Exact,
    Lenient,
}

fn read(json: &Json, ty: &Type, objects: Objects) -> Result<Value, PathError> {
    match (ty, json) {
        (_, Json::Null) => Ok(Value::Null),
        (Type::Bool, Json::Bool(bool)) => Ok(Value::Bool(*bool)),
        (Type::String, Json::String(text)) => Ok(Value::string(text)),
        (Type::Number, Json::Number(number)) => fit::number(number.as_str()),
        (Type::Number, Json::String(text)) => fit::number(text),
        (Type::List(element), Json::Array(items)) => {
            read_elements(ty, items.iter().map(|item| (item, &**element)), objects).map(Value::List)
        }
        (Type::Set(element), Json::Array(items)) => {
            read_elements(ty, items.iter().map(|item| (item, &**element)), objects).map(Value::set)
        }
        (Type::Tuple(elements), Json::Array(items)) => {
            fit::same_length(elements.len(), items.len())?;
            read_elements(ty, items.iter().zip(elements), objects).map(Value::List)
        }
        (Type::Map(element), Json::Object(members)) => read_map(members, element, objects),
        (Type::Object(attributes), Json::Object(members)) => read_object(members, attributes, objects),
        (Type::Dynamic, Json::Object(members)) => read_dynamic(members, objects),
        _ => Err(fit::expected(ty, kind(json))),
    }
}

fn read_elements<'j>(
    ty: &Type,
    items: impl Iterator<Item = (&'j Json, &'j Type)>,
    objects: Objects,
) -> Result<Vec<Value>, PathError> {
    let read = |(index, (item, element))| {
        read(item, element, objects).map_err(|error| fit::in_element(ty, index, error))
    };
    items.enumerate().map(read).collect()
}

type Members = serde_json::Map<String, Json>;

fn read_map(members: &Members, element: &Type, objects: Objects) -> Result<Value, PathError> {
    let mut entries = BTreeMap::new();
    for (key, member) in members {
        let key = nfc(key.clone());
        let value = read(member, element, objects).map_err(|error| error.under(Step::Key(key.clone())))?;
        if entries.insert(key.clone(), value).is_some() {
            return Err(fit::twice().under(Step::Key(key)));
        }
    }
    Ok(Value::Map(entries))
}

fn read_object(
    members: &Members,
    attributes: &BTreeMap<String, Type>,
    objects: Objects,
) -> Result<Value, PathError> {
    let mut entries = BTreeMap::new();
    for (name, ty) in attributes {
        let value = match members.get(name) {
            Some(member) => {
                read(member, ty, objects).map_err(|error| error.under(Step::Attribute(name.clone())))?
            }
            None if objects == Objects::Lenient => Value::Null,
            None => continue,
        };
        entries.insert(name.clone(), value);
    }
    let extra = members.keys().find(|name| !attributes.contains_key(*name));
    match extra {
        Some(name) if objects == Objects::Exact => Err(fit::unexpected_attribute(name)),
        _ => fit::same_names(attributes, &entries).map(|()| Value::Map(entries)),
    }
}

/// `{"value": …, "type": …}`.
fn read_dynamic(members: &Members, objects: Objects) -> Result<Value, PathError> {
    let (Some(value), Some(ty), 2) = (members.get("value"), members.get("type"), members.len()) else {
        return Err(PathError::here(r#"expected an object of "value" and "type""#));
    };
    let ty = Type::from_json_value(ty)?;
    let value = read(value, &ty, objects)?;
    Ok(Value::dynamic(ty, value))
}

/// Plain JSON of a wholly known value: a dynamic is written as what it holds, a set as an array.
pub fn encode_json(value: &Value) -> Result<Json, PathError> {
    Ok(match value {
        Value::Dynamic(typed) => encode_json(&typed.1)?,
        Value::Null => Json::Null,
        Value::Bool(bool) => Json::Bool(*bool),
        Value::String(text) => Json::String(text.clone()),
        Value::Number(number) => {
            let number = number.to_string().parse();
            Json::Number(number.map_err(|_| PathError::here("this number cannot be written as JSON"))?)
        }
        Value::List(elements) => {
            let write = |(index, element)| {
                encode_json(element)
                    .map_err(|error| error.under(Step::Index(i64::try_from(index).unwrap_or(i64::MAX))))
            };
            Json::Array(elements.iter().enumerate().map(write).collect::<Result<_, _>>()?)
        }
        Value::Map(entries) => {
            let write = |(name, value): (&String, &Value)| {
                let json = encode_json(value).map_err(|error| error.under(Step::Key(name.clone())))?;
                Ok((name.clone(), json))
            };
            Json::Object(entries.iter().map(write).collect::<Result<_, PathError>>()?)
        }
        Value::Unknown => return Err(PathError::here("an unknown value cannot be written as JSON")),
    })
}

/// The value that plain JSON is, with its type: objects become objects, arrays tuples, and null a null of any type.
/// [`Value::dynamic`] makes a dynamic of the two.
pub fn from_plain_json(json: &Json) -> Result<(Type, Value), PathError> {
    let ty = plain_type(json);
    let value = decode(json, &ty)?;
    Ok((ty, value))
}

/// Attribute names are taken as they are, since [`Type::Object`] and its value have to agree on them.
fn plain_type(json: &Json) -> Type {
    match json {
        Json::Null => Type::Dynamic,
        Json::Bool(_) => Type::Bool,
        Json::Number(_) => Type::Number,
        Json::String(_) => Type::String,
        Json::Array(items) => Type::Tuple(items.iter().map(plain_type).collect()),
        Json::Object(members) => {
            Type::Object(members.iter().map(|(name, member)| (name.clone(), plain_type(member))).collect())
        }
    }
}

/// What it is, for messages: "a string".
fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a bool",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
