//! The msgpack object encoding: how values cross the wire in both directions.
//!
//! Terraform's msgpack is schema-driven: the same bytes mean different things at different types, a list, a set and a
//! tuple are all arrays, and "unknown" is an extension that may stand anywhere. So decoding is a walk along a
//! [`Type`], one arm per kind of type, over the flat [`token`]s that msgpack is made of.
//!
//! Whoever connects to the socket chooses the bytes. Nothing is allocated because a length was declared, nesting is
//! bounded by [`MAX_DEPTH`] (a dynamic value brings its own type, so the schema does not bound it), and every fault is
//! an error at a path.

mod token;

use crate::tf_provider::value::{Number, PathError, Step, Type, Value, canonical, fit, nfc};
use rmp::encode::{self as write, ByteBuf};
use std::collections::BTreeMap;
use token::{Reader, Token};

/// Values nest at most this deep, containers and dynamics counted.
pub const MAX_DEPTH: usize = 256;

/// The msgpack extension that says "unknown, but such and such can be said of it".
const REFINED_UNKNOWN: i8 = 12;

/// Reads one value of type `ty`, which has to fill `bytes`.
pub fn decode(bytes: &[u8], ty: &Type) -> Result<Value, PathError> {
    let mut reader = Reader::new(bytes);
    let value = read(&mut reader, ty, 0)?;
    match reader.left() {
        0 => Ok(value),
        left => Err(PathError::here(format!("the encoded value is followed by {left} bytes"))),
    }
}

fn read(reader: &mut Reader<'_>, ty: &Type, depth: usize) -> Result<Value, PathError> {
    if depth > MAX_DEPTH {
        return Err(PathError::here(format!("this value is nested more than {MAX_DEPTH} levels deep")));
    }
    match (ty, reader.next()?) {
        (_, Token::Nil) => Ok(Value::Null),
        (_, Token::Ext(code, data)) if data.len() <= 1 || code == REFINED_UNKNOWN => Ok(Value::Unknown),
        (Type::Bool, Token::Bool(bool)) => Ok(Value::Bool(bool)),
        (Type::String, Token::Str(text)) => Ok(Value::string(text)),
        (Type::Number, Token::Int(whole)) => Ok(Value::Number(whole.into())),
        (Type::Number, Token::Uint(whole)) => Ok(Value::Number(whole.into())),
        (Type::Number, Token::Float(float)) => Number::from_f64(float)
            .map(Value::Number)
            .ok_or_else(|| fit::expected(ty, "a float that is not a finite number")),
        (Type::Number, Token::Str(text)) => fit::number(text),
        (Type::List(element), Token::Array(length)) => {
            read_elements(reader, ty, length, depth, |_| Some(element)).map(Value::List)
        }
        (Type::Set(element), Token::Array(length)) => {
            read_elements(reader, ty, length, depth, |_| Some(element)).map(Value::set)
        }
        (Type::Tuple(elements), Token::Array(length)) => {
            fit::same_length(elements.len(), length)?;
            read_elements(reader, ty, length, depth, |index| elements.get(index)).map(Value::List)
        }
        (Type::Map(element), Token::Map(length)) => read_map(reader, element, length, depth),
        (Type::Object(attributes), Token::Map(length)) => read_object(reader, attributes, length, depth),
        (Type::Dynamic, Token::Array(2)) => read_dynamic(reader, depth),
        (_, token) => Err(fit::expected(ty, token.kind())),
    }
}

fn read_elements<'t>(
    reader: &mut Reader<'_>,
    ty: &Type,
    length: usize,
    depth: usize,
    element: impl Fn(usize) -> Option<&'t Type>,
) -> Result<Vec<Value>, PathError> {
    let mut elements = Vec::new();
    for (index, element) in (0..length).map_while(|index| Some((index, element(index)?))) {
        let value = read(reader, element, depth + 1).map_err(|error| fit::in_element(ty, index, error))?;
        elements.push(value);
    }
    Ok(elements)
}

fn read_map(
    reader: &mut Reader<'_>,
    element: &Type,
    length: usize,
    depth: usize,
) -> Result<Value, PathError> {
    let mut entries = BTreeMap::new();
    for _ in 0..length {
        let key = nfc(read_name(reader)?.to_owned());
        let value = read(reader, element, depth + 1).map_err(|error| error.under(Step::Key(key.clone())))?;
        if entries.insert(key.clone(), value).is_some() {
            return Err(fit::twice().under(Step::Key(key)));
        }
    }
    Ok(Value::Map(entries))
}

fn read_object(
    reader: &mut Reader<'_>,
    attributes: &BTreeMap<String, Type>,
    length: usize,
    depth: usize,
) -> Result<Value, PathError> {
    let mut entries = BTreeMap::new();
    for _ in 0..length {
        let name = read_name(reader)?;
        let ty = attributes.get(name).ok_or_else(|| fit::unexpected_attribute(name))?;
        let step = || Step::Attribute(name.to_owned());
        let value = read(reader, ty, depth + 1).map_err(|error| error.under(step()))?;
        if entries.insert(name.to_owned(), value).is_some() {
            return Err(fit::twice().under(step()));
        }
    }
    fit::same_names(attributes, &entries)?;
    Ok(Value::Map(entries))
}

fn read_name<'a>(reader: &mut Reader<'a>) -> Result<&'a str, PathError> {
    match reader.next()? {
        Token::Str(name) => Ok(name),
        token => Err(PathError::here(format!("expected a string as key, got {}", token.kind()))),
    }
}

/// The type comes first, as JSON. Terraform writes it as binary; some libraries write text.
fn read_dynamic(reader: &mut Reader<'_>, depth: usize) -> Result<Value, PathError> {
    let ty = match reader.next()? {
        Token::Bin(json) => Type::from_json(json)?,
        Token::Str(json) => Type::from_json(json.as_bytes())?,
        token => return Err(PathError::here(format!("expected a type, got {}", token.kind()))),
    };
    let value = read(reader, &ty, depth + 1)?;
    Ok(Value::dynamic(ty, value))
}

/// Writes `value`, which has to be of type `ty`.
pub fn encode(value: &Value, ty: &Type) -> Result<Vec<u8>, PathError> {
    let mut out = ByteBuf::new();
    put(&mut out, value, ty)?;
    Ok(out.into_vec())
}

/// Writing to memory cannot fail, which the types say: `Ok` is the only pattern.
fn put(out: &mut ByteBuf, value: &Value, ty: &Type) -> Result<(), PathError> {
    match (ty, value) {
        (Type::Dynamic, Value::Dynamic(typed)) => put_dynamic(out, &typed.0, &typed.1)?,
        (_, Value::Null) => {
            let Ok(()) = write::write_nil(out);
        }
        (_, Value::Unknown) => out.as_mut_vec().extend_from_slice(&[0xd4, 0, 0]),
        (Type::Bool, Value::Bool(bool)) => {
            let Ok(()) = write::write_bool(out, *bool);
        }
        (Type::String, Value::String(text)) => put_text(out, text)?,
        (Type::Number, Value::Number(number)) => put_number(out, number)?,
        (Type::List(element), Value::List(values)) => {
            put_elements(out, ty, values.len(), values.iter().map(|value| (value, &**element)))?;
        }
        (Type::Set(element), Value::List(values)) => {
            let mut values = values.iter().collect();
            canonical(&mut values);
            put_elements(out, ty, values.len(), values.into_iter().map(|value| (value, &**element)))?;
        }
        (Type::Tuple(elements), Value::List(values)) => {
            fit::same_length(elements.len(), values.len())?;
            put_elements(out, ty, values.len(), values.iter().zip(elements))?;
        }
        (Type::Map(element), Value::Map(entries)) => {
            let Ok(_) = write::write_map_len(out, length(entries.len())?);
            for (key, value) in entries {
                put_text(out, key)?;
                put(out, value, element).map_err(|error| error.under(Step::Key(key.clone())))?;
            }
        }
        (Type::Object(attributes), Value::Map(entries)) => {
            fit::same_names(attributes, entries)?;
            let Ok(_) = write::write_map_len(out, length(entries.len())?);
            for ((name, value), ty) in entries.iter().zip(attributes.values()) {
                put_text(out, name)?;
                put(out, value, ty).map_err(|error| error.under(Step::Attribute(name.clone())))?;
            }
        }
        _ => return Err(fit::mismatch(ty, value)),
    }
    Ok(())
}

fn put_elements<'v>(
    out: &mut ByteBuf,
    ty: &Type,
    count: usize,
    elements: impl Iterator<Item = (&'v Value, &'v Type)>,
) -> Result<(), PathError> {
    let Ok(_) = write::write_array_len(out, length(count)?);
    for (index, (value, element)) in elements.enumerate() {
        put(out, value, element).map_err(|error| fit::in_element(ty, index, error))?;
    }
    Ok(())
}

fn put_dynamic(out: &mut ByteBuf, ty: &Type, value: &Value) -> Result<(), PathError> {
    if *ty == Type::Dynamic {
        return put(out, value, ty);
    }
    let json = ty.to_json().to_string();
    length(json.len())?;
    let Ok(_) = write::write_array_len(out, 2);
    let Ok(()) = write::write_bin(out, json.as_bytes());
    put(out, value, ty)
}

/// The first form that is exact: an integer, a float that is not whole, text.
fn put_number(out: &mut ByteBuf, number: &Number) -> Result<(), PathError> {
    let text = number.to_string();
    if let Some(whole) = number.to_i64() {
        let Ok(_) = write::write_sint(out, whole);
        return Ok(());
    }
    let float = number
        .to_f64()
        .filter(|float| text.contains('.') && Number::from_f64(*float).as_ref() == Some(number));
    match float {
        Some(float) => {
            let Ok(()) = write::write_f64(out, float);
            Ok(())
        }
        None => put_text(out, &text),
    }
}

fn put_text(out: &mut ByteBuf, text: &str) -> Result<(), PathError> {
    length(text.len())?;
    let Ok(()) = write::write_str(out, text);
    Ok(())
}

/// msgpack counts in 32 bits.
fn length(count: usize) -> Result<u32, PathError> {
    u32::try_from(count).map_err(|_| PathError::here("this value is too long to be encoded"))
}

#[cfg(test)]
mod tests;
