//! The part of planning that is the same for every resource, as a pure function of values.
//!
//! Terraform hands over `config`, `prior` and its merge of both. Its merge leaves computed attributes null on create and
//! at their prior value on update; the provider has to say which of them apply will decide. The rules here are in the
//! order which the protocol's own framework has proved sound: defaults, write-only values out, compare with prior, and
//! only if something differs mark computed attributes unknown — so that a plan without a difference *is* the prior
//! state, byte for byte.

use crate::tf_provider::schema::{
    Attribute, AttributeMode, Entry, Kind, Nesting, OnChange, WhenOthersChange,
};
use crate::tf_provider::value::{Path, Value};
use std::collections::BTreeMap;

/// What the schema alone says about a planned change.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    pub planned: Value,
    /// Whether anything differs from prior. Always true on create.
    pub changed: bool,
}

/// `prior` is null on create. `config` is an object of the entries' type.
pub fn propose(entries: &[Entry], config: &Value, prior: &Value) -> Proposal {
    let kept = object(entries, config, prior, false);
    if !prior.is_null() && same(&kept, prior) {
        return Proposal { planned: prior.clone(), changed: false };
    }
    Proposal { planned: object(entries, config, prior, true), changed: true }
}

/// The attributes whose change makes Terraform replace the resource. Empty on create.
pub fn replacements(entries: &[Entry], prior: &Value, planned: &Value) -> Vec<Path> {
    let mut found = Vec::new();
    if !prior.is_null() && !planned.is_null() {
        changed_forcing(entries, prior, planned, &Path::root(), &mut found);
    }
    found
}

/// Equal in what they say. A null of type `dynamic` may or may not carry the type it would have had, and the same entries
/// may be a map or an object: an import rebuilds values from JSON, which has no such types.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (one, other) if one.is_null() || other.is_null() => one.is_null() && other.is_null(),
        (Value::Dynamic(one), Value::Dynamic(other)) => same(&one.1, &other.1),
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Map(one), Value::Map(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        (one, other) => one == other,
    }
}

/// Whether two known lists differ at most in their order.
fn same_elements(one: &Value, other: &Value) -> bool {
    let (Some(one), Some(other)) = (one.as_list(), other.as_list()) else { return false };
    let mut left: Vec<&Value> = other.iter().collect();
    one.len() == other.len()
        && one.iter().all(|item| {
            let at = left.iter().position(|other| *item != Value::Unknown && same(item, other));
            at.map(|at| left.swap_remove(at)).is_some()
        })
}

/// `changing`: something differs, so computed attributes that follow become unknown.
fn object(entries: &[Entry], config: &Value, prior: &Value, changing: bool) -> Value {
    let planned = entries.iter().map(|entry| {
        let (config, prior) = (config.get(&entry.name), prior.get(&entry.name));
        let value = match &entry.kind {
            Kind::Attribute(it) => attribute(it, config, prior, changing),
            Kind::Block { nesting, entries } => block(*nesting, entries, config, prior, changing),
        };
        (entry.name.clone(), value)
    });
    Value::Map(planned.collect::<BTreeMap<_, _>>())
}

fn attribute(it: &Attribute, config: &Value, prior: &Value, changing: bool) -> Value {
    if it.write_only {
        return Value::Null;
    }
    if it.unordered && same_elements(config, prior) {
        return prior.clone();
    }
    if !config.is_null() {
        return config.clone();
    }
    if let Some(default) = &it.default {
        return default.clone();
    }
    match it.mode {
        // Null here, and with its type where the attribute is dynamic.
        AttributeMode::Required | AttributeMode::Optional => config.clone(),
        AttributeMode::Computed | AttributeMode::OptionalComputed if !changing => prior.clone(),
        AttributeMode::Computed | AttributeMode::OptionalComputed => match it.when_others_change {
            WhenOthersChange::Keep if !prior.is_null() => prior.clone(),
            WhenOthersChange::Keep | WhenOthersChange::Unknown => Value::Unknown,
        },
    }
}

fn block(nesting: Nesting, entries: &[Entry], config: &Value, prior: &Value, changing: bool) -> Value {
    match (nesting, config) {
        (_, Value::Null | Value::Unknown) => config.clone(),
        (Nesting::Single, config) => object(entries, config, prior, changing),
        (Nesting::List, config) => {
            let before = prior.as_list().unwrap_or_default();
            let items = config.as_list().unwrap_or_default().iter().enumerate();
            Value::List(
                items
                    .map(|(index, item)| {
                        object(entries, item, before.get(index).unwrap_or(&Value::Null), changing)
                    })
                    .collect(),
            )
        }
        (Nesting::Map, config) => Value::Map(
            config
                .as_map()
                .into_iter()
                .flatten()
                .map(|(key, item)| (key.clone(), object(entries, item, prior.get(key), changing)))
                .collect(),
        ),
    }
}

fn changed_forcing(entries: &[Entry], prior: &Value, planned: &Value, path: &Path, found: &mut Vec<Path>) {
    for entry in entries {
        let (prior, planned, path) =
            (prior.get(&entry.name), planned.get(&entry.name), path.attribute(&entry.name));
        match &entry.kind {
            Kind::Attribute(it) if it.on_change == OnChange::Replace && !same(prior, planned) => {
                found.push(path)
            }
            Kind::Attribute(_) => {}
            Kind::Block { nesting: Nesting::Single, entries } => {
                changed_forcing(entries, prior, planned, &path, found);
            }
            // Elements have no identity by which a change could be told from a removal.
            Kind::Block { nesting: Nesting::List | Nesting::Map, .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tf_provider::value::Type;

    #[test]
    fn a_null_is_a_null_with_or_without_a_type() {
        let typed = Value::dynamic(Type::String, Value::Null);
        let object = |inner: &Value| Value::object([("a", inner.clone()), ("b", Value::from(1))]);
        assert!(same(&object(&typed), &object(&Value::Null)));
        assert!(!same(&object(&typed), &object(&Value::Unknown)));
        let arguments = Value::object([("x", Value::from(1))]);
        let map = Value::dynamic(Type::Map(Box::new(Type::Number)), arguments.clone());
        let object_type = Type::Object([("x".to_owned(), Type::Number)].into());
        assert!(same(&map, &Value::dynamic(object_type, arguments)));
        assert!(!same(&object(&Value::from("x")), &object(&Value::Null)));
        assert!(!same(&Value::object([("a", Value::Null)]), &Value::object([("b", Value::Null)])));
        assert!(!same(&Value::List(vec![Value::Null]), &Value::List(vec![])));
    }
}
