//! Reading a file of JSON as Terraform reads a configuration: by the same schemas, with the same checks and defaults.

use crate::model;
use crate::provider::lifecycle::spec_label;
use crate::tf_provider::attr::{Attr, Nested};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::erased::validated;
use crate::tf_provider::model::Model;
use crate::tf_provider::planning;
use crate::tf_provider::schema::{AttributeType, Entry, Kind, Nesting, check, optional};
use crate::tf_provider::value::{Number, Path, Value, json};
use serde_json::Value as Json;

model! {
    /// What is said of a host, which is not asked.
    pub(super) struct HostFile {
        cpus: Attr<i64> = optional("Logical CPUs.").default(64).check(check::at_least(1)),
        memory_gb: Attr<Number> = optional("Memory in GB.").default(256).check(check::positive()),
        gpus: Attr<Vec<Attr<String>>> = optional("UUIDs of the GPUs, in the order of their indexes. Left out: eight."),
        reserved: Attr<Nested<ReservedFile>> = optional("Kept for the system."),
        model_cache: Attr<String> = optional("Folder for downloads."),
        advertise_address: Attr<String> = optional("By which other hosts reach it."),
    }
}

model! {
    pub(super) struct ReservedFile {
        cpus: Attr<Number> = optional("CPUs."),
        memory_gb: Attr<Number> = optional("Memory in GB."),
    }
}

/// The object of a file, with nothing in it that is not known.
pub(super) fn members<'a>(
    json: &'a Json,
    known: &[&str],
    path: &Path,
) -> Result<&'a serde_json::Map<String, Json>, Diagnostics> {
    let object = json.as_object().ok_or_else(|| wrong(path, "This is not an object"))?;
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(unsupported(path, name, known.iter().copied())),
        None => Ok(object),
    }
}

/// `json` as a value of `M`, with nothing in it that the schema does not have, and nothing of `not_here`.
pub(super) fn read<M: Model>(json: &Json, not_here: &[&str], path: &Path) -> Result<Value, Diagnostics> {
    let entries = M::entries();
    let mut known = entries.clone();
    known.retain(|entry| !not_here.contains(&entry.name.as_str()));
    no_strangers(&known, json, path)?;
    let value = spec_label::value_of(&entries, json.clone());
    Ok(value.map_err(|error| error.below(path))?)
}

/// An object with another entry.
pub(super) fn with(object: Value, name: &str, value: &Value) -> Value {
    let Value::Map(mut members) = object else { return object };
    members.insert(name.to_owned(), value.clone());
    Value::Map(members)
}

/// A configuration, and what Terraform would plan for it with nothing there yet, if nothing is wrong with it; and warnings.
pub(super) fn proposed<M: Model>(
    config: &Value,
    path: &Path,
    own: impl FnOnce(&M) -> Diagnostics,
) -> Result<(M, M, Diagnostics), Diagnostics> {
    let found = below(path, validated::<M>(config, true, own));
    let warnings = found.into_result()?;
    let planned = planning::propose(&M::entries(), config, &Value::Null).planned;
    let model = |value: &Value| M::from_value(value, &Path::root()).map_err(|error| error.below(path));
    Ok((model(config)?, model(&planned)?, warnings))
}

/// The same faults, seen from the root of the file.
pub(super) fn below(path: &Path, found: Diagnostics) -> Diagnostics {
    let moved = found.0.into_iter().map(|mut diagnostic| {
        let steps = diagnostic.path.take().unwrap_or_default().0;
        diagnostic.at(Path(path.0.iter().cloned().chain(steps).collect()))
    });
    Diagnostics(moved.collect())
}

/// The part of a value that an object with `entries` has: what Terraform does when one object is given for another.
pub(super) fn part(entries: &[Entry], value: &Value) -> Value {
    if !matches!(value, Value::Map(_)) {
        return value.clone();
    }
    Value::object(entries.iter().map(|entry| {
        let value = value.get(&entry.name);
        let part = match nested(entry) {
            Some((Nesting::Single, entries)) => part(entries, value),
            Some((_, entries)) => match value {
                Value::List(items) => Value::List(items.iter().map(|item| part(entries, item)).collect()),
                other => other.clone(),
            },
            None => value.clone(),
        };
        (entry.name.clone(), part)
    }))
}

fn nested(entry: &Entry) -> Option<(Nesting, &[Entry])> {
    match &entry.kind {
        Kind::Block { nesting, entries } => Some((*nesting, entries)),
        Kind::Attribute(attribute) => match &attribute.ty {
            AttributeType::Nested { nesting, entries } => Some((*nesting, entries)),
            AttributeType::Plain(_) => None,
        },
    }
}

/// A misspelt argument of a block is an error to Terraform, and so it is here.
fn no_strangers(entries: &[Entry], json: &Json, path: &Path) -> Result<(), Diagnostics> {
    let Json::Object(members) = json else { return Ok(()) };
    for (name, member) in members {
        let Some(entry) = entries.iter().find(|entry| entry.name == *name) else {
            return Err(unsupported(path, name, entries.iter().map(|entry| entry.name.as_str())));
        };
        let path = path.attribute(name);
        match (nested(entry), member) {
            (Some((Nesting::Single, entries)), member) => no_strangers(entries, member, &path)?,
            (Some((_, entries)), Json::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    no_strangers(entries, item, &path.index(index))?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn unsupported<'a>(path: &Path, name: &str, known: impl Iterator<Item = &'a str>) -> Diagnostics {
    let known = known.collect::<Vec<_>>().join(", ");
    let detail = format!("There is no {name:?} here. What there is: {known}.");
    Diagnostic::error("Unsupported argument", detail).at(path.attribute(name)).into()
}

/// An error of the file itself.
pub(super) fn wrong(path: &Path, what: &str) -> Diagnostics {
    Diagnostic::error("Invalid file", format!("{what}.")).at(path.clone()).into()
}

/// Parses a file.
pub(super) fn parse(text: &str) -> Result<Json, Diagnostics> {
    json::parse(text.as_bytes()).map_err(Diagnostics::from)
}
