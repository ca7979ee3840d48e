//! The section "Schema" of a page: every argument and attribute, with all that the declaration knows of it.
//!
//! Groups and anchors are those of the registry's own generator, since its pages are what people are used to and link
//! to. Within a group the order is that of the declarations: their authors put what matters first.

use crate::tf_provider::schema::{Attribute, AttributeMode, AttributeType, Entry, Kind, Nesting, OnChange};
use crate::tf_provider::value::{Type, Value, json};

/// What Terraform says about write-only arguments.
const WRITE_ONLY: &str = "[Write-only](https://developer.hashicorp.com/terraform/language/resources/ephemeral#write-only-arguments)";

#[derive(Clone, Copy, PartialEq)]
enum Group {
    Required,
    Optional,
    ReadOnly,
}

const GROUPS: [(Group, &str); 3] =
    [(Group::Required, "Required"), (Group::Optional, "Optional"), (Group::ReadOnly, "Read-Only")];

/// The whole section. Ends with a line break.
pub(super) fn section(entries: &[Entry]) -> String {
    let mut text = "## Schema\n".to_owned();
    groups(entries, "\n### ", "\n", &[], &mut text);
    nested_sections(entries, &[], &mut text);
    text
}

/// One list for each group; headings are put between `before` and `after`.
fn groups(entries: &[Entry], before: &str, after: &str, path: &[&str], text: &mut String) {
    for (group, heading) in GROUPS {
        let lines: Vec<String> =
            entries.iter().filter(|it| group_of(it) == group).map(|it| line(it, path)).collect();
        if !lines.is_empty() {
            *text += &format!("{before}{heading}{after}\n{}\n", lines.join("\n"));
        }
    }
}

fn group_of(entry: &Entry) -> Group {
    match &entry.kind {
        Kind::Attribute(attribute) => match attribute.mode {
            AttributeMode::Required => Group::Required,
            AttributeMode::Optional | AttributeMode::OptionalComputed => Group::Optional,
            AttributeMode::Computed => Group::ReadOnly,
        },
        Kind::Block { .. } => Group::Optional,
    }
}

/// Depth first: what is nested in an entry follows it, before its neighbours.
fn nested_sections(entries: &[Entry], path: &[&str], text: &mut String) {
    for entry in entries {
        let Some(children) = children(entry) else { continue };
        let path = [path, &[entry.name.as_str()]].concat();
        *text += &format!(
            "\n<a id=\"{}\"></a>\n### Nested Schema for `{}`\n",
            anchor(entry, &path),
            path.join(".")
        );
        groups(children, "\n", ":\n", &path, text);
        nested_sections(children, &path, text);
    }
}

fn children(entry: &Entry) -> Option<&[Entry]> {
    match &entry.kind {
        Kind::Block { entries, .. } => Some(entries),
        Kind::Attribute(Attribute { ty: AttributeType::Nested { entries, .. }, .. }) => Some(entries),
        Kind::Attribute(_) => None,
    }
}

fn anchor(entry: &Entry, path: &[&str]) -> String {
    let kind = if matches!(entry.kind, Kind::Block { .. }) { "nestedblock" } else { "nestedatt" };
    format!("{kind}--{}", path.join("--"))
}

fn line(entry: &Entry, path: &[&str]) -> String {
    let mut sentences = vec![entry.description.trim().replace('\n', "\n  ")];
    sentences.extend(remarks(entry));
    if children(entry).is_some() {
        let path = [path, &[entry.name.as_str()]].concat();
        sentences.push(format!("(see [below for nested schema](#{}))", anchor(entry, &path)));
    }
    format!("- `{}` ({}) {}", entry.name, words(entry).join(", "), sentences.join(" "))
}

/// Type and properties, as they stand in brackets.
fn words(entry: &Entry) -> Vec<String> {
    let mut words = Vec::new();
    match &entry.kind {
        Kind::Block { nesting: Nesting::Single, .. } => words.push("Block".to_owned()),
        Kind::Block { nesting: Nesting::List, .. } => words.push("Block List".to_owned()),
        Kind::Block { nesting: Nesting::Map, .. } => words.push("Block Map".to_owned()),
        Kind::Attribute(attribute) => {
            words.push(match &attribute.ty {
                AttributeType::Plain(ty) => type_words(ty),
                AttributeType::Nested { nesting: Nesting::Single, .. } => "Attributes".to_owned(),
                AttributeType::Nested { nesting: Nesting::List, .. } => "Attributes List".to_owned(),
                AttributeType::Nested { nesting: Nesting::Map, .. } => "Attributes Map".to_owned(),
            });
            words.extend(attribute.sensitive.then(|| "Sensitive".to_owned()));
            words.extend(attribute.write_only.then(|| WRITE_ONLY.to_owned()));
        }
    }
    words.extend(entry.deprecated.map(|_| "Deprecated".to_owned()));
    words
}

/// A type as the registry's pages spell it.
pub(super) fn type_words(ty: &Type) -> String {
    match ty {
        Type::String => "String".to_owned(),
        Type::Number => "Number".to_owned(),
        Type::Bool => "Boolean".to_owned(),
        Type::Dynamic => "Dynamic".to_owned(),
        Type::List(element) => format!("List of {}", type_words(element)),
        Type::Set(element) => format!("Set of {}", type_words(element)),
        Type::Map(element) => format!("Map of {}", type_words(element)),
        Type::Object(_) => "Object".to_owned(),
        Type::Tuple(_) => "Tuple".to_owned(),
    }
}

/// What the declaration knows beyond its description. A description that says it in its own words, because editors show
/// it too, is not repeated.
fn remarks(entry: &Entry) -> Vec<String> {
    let mut found = Vec::new();
    if let Kind::Attribute(attribute) = &entry.kind {
        found.extend(attribute.checks.iter().map(|check| ("Must ", format!("{}.", check.sentence()))));
        found.extend(
            attribute.default.as_ref().map(|value| ("Default: ", format!("Default: `{}`.", spelled(value)))),
        );
        if attribute.on_change == OnChange::Replace {
            found.push(("Changing it replaces ", "Changing it replaces the resource.".to_owned()));
        }
        if attribute.write_only {
            found.push(("never stored", "The value is used and never stored.".to_owned()));
        }
    }
    found.extend(entry.deprecated.map(|instead| ("Deprecated: ", format!("Deprecated: {instead}"))));
    let new = |(gist, _): &(&str, String)| !entry.description.contains(gist);
    found.into_iter().filter(new).map(|(_, sentence)| sentence).collect()
}

/// A value as it would be written in a configuration. Text in JSON is text in HCL.
fn spelled(value: &Value) -> String {
    json::encode_json(value).map_or_else(|_| "…".to_owned(), |json| json.to_string())
}
