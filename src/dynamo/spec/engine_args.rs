//! Engine arguments: a map in the configuration, an argument vector for Python's argparse.
//!
//! Users write a flag's name with or without its dashes, with underscores if they like, by any of the names that an engine
//! has for it; here it has one spelling, so that a worker's value replaces the deployment's. How a value is written depends
//! on its type:
//!
//! | value | becomes |
//! | --- | --- |
//! | text, number | `--name value` (`--name=value` when it begins with a dash, which argparse would take for a flag) |
//! | `true` | `--name` |
//! | `false` | `--no-name` where the engine has such a flag, else nothing |
//! | list | one element with commas or one element each, whichever the engine reads |
//! | map | one element of JSON |
//!
//! A name with a dot (`speculative-config.num_speculative_tokens`) is a key of a map that the engine puts together: what stands
//! behind the dot is the engine's own spelling, and it takes a value always. Where an engine takes the map by another argument
//! and not by both, the keys are put into that one.
//!
//! Arguments that the provider decides itself are refused, and so is every beginning of one, and of one that it gives a
//! default: argparse accepts `--model-pa` for `--model-path`, and of two for the same takes the last.

use crate::dynamo::facts::engine::arg_rules::{ArgRules, ListStyle};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// By name, without the leading dashes and with dashes inside.
pub(crate) type EngineArgs = BTreeMap<String, ArgValue>;

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

/// A map in JSON with another one over it, key by key. What is no map is taken as it is.
pub(in crate::dynamo) fn over(above: &str, below: &str) -> ArgValue {
    let map = |text: &str| serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
    match (map(below), map(above)) {
        (Some(mut all), Some(more)) => {
            lay(&mut all, more);
            ArgValue::Json(all.to_string())
        }
        _ => ArgValue::Json(above.to_owned()),
    }
}

fn lay(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                lay(below.entry(key).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above,
    }
}

/// Puts keys into the maps that the engine takes them in.
pub(in crate::dynamo) fn fold(arguments: &mut EngineArgs, rules: &ArgRules) {
    for (head, map) in rules.maps {
        let key = |name: &&String| name.split_once('.').is_some_and(|(first, _)| first == *head);
        for name in arguments.keys().filter(key).cloned().collect::<Vec<_>>() {
            let Some(value) = arguments.remove(&name) else { continue };
            let keys: Vec<&str> = name.split('.').skip(1).collect();
            let one = keys.into_iter().rev().fold(json_of(&value), |inner, key| json!({ key: inner }));
            let below = match arguments.get(*map) {
                Some(ArgValue::Json(text) | ArgValue::Text(text)) => text.as_str(),
                _ => "{}",
            };
            let all = over(&one.to_string(), below);
            arguments.insert((*map).to_owned(), all);
        }
    }
}

/// As the engine would read it from a command line.
fn json_of(value: &ArgValue) -> Value {
    let read = |text: &String| serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into());
    match value {
        ArgValue::Bool(on) => (*on).into(),
        ArgValue::Number(text) | ArgValue::Text(text) | ArgValue::Json(text) => read(text),
        ArgValue::List(elements) => elements.iter().map(read).collect(),
    }
}

/// The argument vector, in the order of names.
pub(crate) fn render(args: &EngineArgs, rules: &ArgRules) -> Vec<String> {
    args.iter().flat_map(|(name, value)| render_one(name, value, rules)).collect()
}

fn render_one(name: &str, value: &ArgValue, rules: &ArgRules) -> Vec<String> {
    let flag = format!("--{name}");
    if name.contains('.') {
        return vec![flag, of_a_key(value)];
    }
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

/// The value of a key: no flag is bare there, and no value can be mistaken for one.
fn of_a_key(value: &ArgValue) -> String {
    match value {
        ArgValue::Number(text) | ArgValue::Text(text) | ArgValue::Json(text) => text.clone(),
        ArgValue::Bool(_) | ArgValue::List(_) => json_of(value).to_string(),
    }
}

fn with_value(flag: String, text: &str) -> Vec<String> {
    if text.starts_with('-') { vec![format!("{flag}={text}")] } else { vec![flag, text.to_owned()] }
}

#[cfg(test)]
impl<'de> serde::Deserialize<'de> for ArgValue {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
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
