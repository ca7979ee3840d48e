//! Engine arguments: a map in the configuration, an argument vector for Python's argparse.
//!
//! Users write a flag's name with or without its dashes and with underscores if they like; here it has one spelling,
//! so that a worker's value replaces the deployment's. How a value is written depends on its type:
//!
//! | value | becomes |
//! | --- | --- |
//! | text, number | `--name value` (`--name=value` when it begins with a dash, which argparse would take for a flag) |
//! | `true` | `--name` |
//! | `false` | `--no-name` where the engine has such a flag, else nothing |
//! | list | one element with commas or one element each, whichever the engine reads |
//! | map | one element of JSON |
//!
//! Arguments that the provider decides itself are refused, and so is every beginning of one: argparse accepts
//! `--model-pa` for `--model-path`.

use std::collections::BTreeMap;

use super::EngineFacts;
use crate::dynamo::draft::Given;
use crate::dynamo::objection::{Field, Refusal};
use crate::dynamo::reader::Reader;

/// By name, without the leading dashes and with dashes inside.
pub type EngineArgs = BTreeMap<String, ArgValue>;

/// The value of an engine argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgValue {
    Bool(bool),
    /// In decimal notation.
    Number(String),
    Text(String),
    /// The elements as text, each as it would stand alone.
    List(Vec<String>),
    /// A map, as JSON text.
    Json(String),
}

/// How an engine's command line is to be written.
#[derive(Debug, PartialEq)]
pub struct ArgRules {
    /// Flags that exist as `--no-name` too.
    pub negatable: &'static [&'static str],
    pub lists: ListStyle,
    /// Arguments the provider decides, and what the user should do instead.
    pub reserved: &'static [(&'static str, &'static str)],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListStyle {
    /// `--ports 1,2`
    Commas,
    /// `--ports 1 2`
    Words,
}

/// Reads a map of the configuration. What is reserved can only be told when the engine is known.
pub(in crate::dynamo) fn read(
    reader: &mut Reader,
    given: &BTreeMap<String, Given<ArgValue>>,
    engine: Option<&EngineFacts>,
    at: impl Fn(String) -> Field,
) -> EngineArgs {
    let mut args = EngineArgs::new();
    let mut spelled: BTreeMap<String, &str> = BTreeMap::new();
    for (key, value) in given {
        let field = || at(key.clone());
        let Some(name) = reader.keep(field(), canonical(key)) else { continue };
        if let Some(refusal) = engine.and_then(|engine| refused(&name, engine)) {
            reader.object(field(), refusal);
        }
        if let Some(other) = spelled.insert(name.clone(), key) {
            let what = format!("is the same argument as {other:?}");
            reader.object(field(), Refusal::new(what, "keep one of them"));
        }
        if let Some(value) = reader.needed(field(), value, check_value) {
            args.insert(name, value);
        }
    }
    args
}

/// The one spelling of an argument's name.
pub fn canonical(key: &str) -> Result<String, Refusal> {
    let name = key.strip_prefix("--").unwrap_or(key).replace('_', "-");
    let good = name.len() <= 100
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
    if good {
        return Ok(name);
    }
    Err(Refusal::new(
        format!("{key:?} is not the name of an argument"),
        "write the flag's name, like max-model-len; its value goes to the right of the equals sign",
    ))
}

fn refused(name: &str, engine: &EngineFacts) -> Option<Refusal> {
    let (reserved, instead) = engine.args.reserved.iter().find(|(reserved, _)| reserved.starts_with(name))?;
    let what = if *reserved == name {
        format!("--{name} is decided by the provider")
    } else {
        format!("--{name} is short for --{reserved}, which is decided by the provider")
    };
    Some(Refusal::new(what, *instead))
}

fn check_value(value: &ArgValue) -> Result<ArgValue, Refusal> {
    let texts = match value {
        ArgValue::Bool(_) => [].as_slice(),
        ArgValue::Number(text) | ArgValue::Text(text) | ArgValue::Json(text) => std::slice::from_ref(text),
        ArgValue::List(elements) => elements,
    };
    if texts.iter().any(|text| text.contains('\0')) {
        return Err(Refusal::new("has a NUL character in it", "remove it: no program can be given one"));
    }
    if matches!(value, ArgValue::List(elements) if elements.is_empty()) {
        return Err(Refusal::new("is an empty list", "leave the argument out, or list something"));
    }
    Ok(value.clone())
}

/// A map in JSON with another one's keys over its own. What is no map is taken as it is.
pub(in crate::dynamo) fn over(above: &str, below: &str) -> ArgValue {
    let map = |text: &str| serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).ok();
    match (map(below), map(above)) {
        (Some(mut all), Some(more)) => {
            all.extend(more);
            ArgValue::Json(serde_json::Value::Object(all).to_string())
        }
        _ => ArgValue::Json(above.to_owned()),
    }
}

/// The argument vector, in the order of names.
pub fn render(args: &EngineArgs, rules: &ArgRules) -> Vec<String> {
    args.iter().flat_map(|(name, value)| render_one(name, value, rules)).collect()
}

fn render_one(name: &str, value: &ArgValue, rules: &ArgRules) -> Vec<String> {
    let flag = format!("--{name}");
    match value {
        ArgValue::Bool(true) => vec![flag],
        ArgValue::Bool(false) if rules.negatable.contains(&name) => vec![format!("--no-{name}")],
        ArgValue::Bool(false) => Vec::new(),
        ArgValue::Number(text) | ArgValue::Text(text) | ArgValue::Json(text) => with_value(flag, text),
        ArgValue::List(elements) => match rules.lists {
            ListStyle::Commas => with_value(flag, &elements.join(",")),
            ListStyle::Words => std::iter::once(flag).chain(elements.iter().cloned()).collect(),
        },
    }
}

fn with_value(flag: String, text: &str) -> Vec<String> {
    if text.starts_with('-') { vec![format!("{flag}={text}")] } else { vec![flag, text.to_owned()] }
}

#[cfg(test)]
impl<'de> serde::Deserialize<'de> for ArgValue {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use serde_json::Value;
        let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Ok(match Value::deserialize(from)? {
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::String(text) => Self::Text(text),
            Value::Array(elements) => Self::List(elements.iter().map(plain).collect()),
            other => Self::Json(other.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::engine::mocker;

    fn rendered(value: ArgValue) -> Vec<String> {
        render(&EngineArgs::from([("x".to_owned(), value)]), &mocker::V1_6.args)
    }

    #[test]
    fn values_become_arguments() {
        assert_eq!(rendered(ArgValue::Number("16".into())), ["--x", "16"]);
        assert_eq!(rendered(ArgValue::Number("-1".into())), ["--x=-1"]);
        assert_eq!(rendered(ArgValue::Text(String::new())), ["--x", ""]);
        assert_eq!(rendered(ArgValue::Bool(true)), ["--x"]);
        assert_eq!(rendered(ArgValue::Bool(false)), [""; 0]);
        assert_eq!(rendered(ArgValue::List(vec!["1".into(), "2".into()])), ["--x", "1,2"]);
        assert_eq!(rendered(ArgValue::Json("{\"a\":1}".into())), ["--x", "{\"a\":1}"]);
    }

    #[test]
    fn other_engines_rules_are_followed() {
        let rules = ArgRules { negatable: &["x"], lists: ListStyle::Words, reserved: &[] };
        let args = EngineArgs::from([
            ("x".to_owned(), ArgValue::Bool(false)),
            ("y".to_owned(), ArgValue::List(vec!["1".into(), "2".into()])),
        ]);
        assert_eq!(render(&args, &rules), ["--no-x", "--y", "1", "2"]);
    }

    #[test]
    fn names_have_one_spelling() {
        for key in ["max-model-len", "--max-model-len", "max_model_len", "--max_model_len"] {
            assert_eq!(canonical(key), Ok("max-model-len".to_owned()));
        }
        for bad in ["", "--", "-x", "---x", "a=b", "a b", "ä", "1x"] {
            assert!(canonical(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn every_reserved_argument_and_its_abbreviation_is_refused() {
        for (name, _) in mocker::V1_6.args.reserved {
            assert!(refused(name, &mocker::V1_6).is_some());
            let short: String = name.chars().take(name.len() - 1).collect();
            assert!(refused(&short, &mocker::V1_6).is_some(), "{short}");
        }
        assert!(refused("block-size", &mocker::V1_6).is_none());
    }
}
