//! What Terraform demands of a schema. A schema that breaks a rule breaks every command of every configuration that
//! names the provider, so a test walks the registered ones; the rules are those of core's loader and of the Go framework.

use super::{Attribute, AttributeMode, AttributeType, Entry, Kind};
use crate::tf_provider::value::Type;
use std::collections::BTreeSet;

/// Names that belong to Terraform at the root of a resource, data source or ephemeral resource.
const RESERVED: [&str; 7] =
    ["connection", "count", "depends_on", "for_each", "lifecycle", "provider", "provisioner"];
/// Names that belong to Terraform at the root of a provider block.
const RESERVED_PROVIDER: [&str; 2] = ["alias", "version"];

/// What a schema is for, since not all parts may use everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Provider,
    Resource,
    DataSource,
}

/// All violations, each a sentence; empty = good.
pub fn violations(name: &str, entries: &[Entry], used_for: Use) -> Vec<String> {
    let mut found = Vec::new();
    let reserved: &[&str] = if used_for == Use::Provider { &RESERVED_PROVIDER } else { &RESERVED };
    for entry in entries {
        if reserved.contains(&entry.name.as_str()) {
            found.push(format!("{name}.{}: the name is reserved by Terraform", entry.name));
        }
    }
    object(name, entries, used_for, &mut found);
    found
}

fn object(place: &str, entries: &[Entry], used_for: Use, found: &mut Vec<String>) {
    let mut names = BTreeSet::new();
    for entry in entries {
        let place = format!("{place}.{}", entry.name);
        if !names.insert(&entry.name) {
            found.push(format!("{place}: declared twice"));
        }
        if entry.name.is_empty() || !entry.name.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_')) {
            found.push(format!("{place}: names are lower case letters, digits and underscores"));
        }
        if entry.description.trim().is_empty() {
            found.push(format!("{place}: no description"));
        }
        match &entry.kind {
            Kind::Attribute(it) => attribute(&place, it, used_for, found),
            Kind::Block { entries, .. } => object(&place, entries, used_for, found),
        }
    }
}

fn attribute(place: &str, it: &Attribute, used_for: Use, found: &mut Vec<String>) {
    let computed = matches!(it.mode, AttributeMode::Computed | AttributeMode::OptionalComputed);
    if it.write_only && computed {
        found.push(format!("{place}: write-only cannot be computed"));
    }
    if it.write_only && used_for != Use::Resource {
        found.push(format!("{place}: write-only is for resources"));
    }
    if used_for == Use::Provider && computed {
        found.push(format!("{place}: a provider block has nothing computed"));
    }
    if let Some(default) = &it.default
        && default.conforms(&it.ty.ty(), &Default::default()).is_err()
    {
        found.push(format!("{place}: the default is not of the attribute's type"));
    }
    match &it.ty {
        AttributeType::Plain(Type::Set(element)) if holds_dynamic(element) => {
            found.push(format!("{place}: a set cannot hold dynamic values"));
        }
        AttributeType::Plain(_) => {}
        AttributeType::Nested { entries, .. } => {
            nested(place, entries, computed, found);
            object(place, entries, used_for, found);
        }
    }
}

/// Planning takes a configured nested attribute as a whole, so its children cannot be computed on their own.
fn nested(place: &str, entries: &[Entry], computed: bool, found: &mut Vec<String>) {
    for entry in entries {
        match &entry.kind {
            Kind::Block { .. } => {
                found.push(format!("{place}.{}: no blocks inside a nested attribute", entry.name))
            }
            Kind::Attribute(child)
                if child.mode == AttributeMode::OptionalComputed
                    || (child.mode == AttributeMode::Computed) != computed =>
            {
                found.push(format!(
                    "{place}.{}: children are computed exactly when their parent is",
                    entry.name
                ));
            }
            Kind::Attribute(_) => {}
        }
    }
}

fn holds_dynamic(ty: &Type) -> bool {
    match ty {
        Type::Dynamic => true,
        Type::String | Type::Number | Type::Bool => false,
        Type::List(element) | Type::Set(element) | Type::Map(element) => holds_dynamic(element),
        Type::Object(attributes) => attributes.values().any(holds_dynamic),
        Type::Tuple(elements) => elements.iter().any(holds_dynamic),
    }
}
