//! Between our words and the wire's.

use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::tf_provider::schema::{Attribute, AttributeMode, AttributeType, Entry, Kind, Nesting};
use crate::tf_provider::value::{Path, PathError, Step, Type, Value, json, msgpack};
use crate::tf_provider::wire::tfplugin6 as wire;

/// An answer that can say that it failed.
pub(super) trait Answer: Default {
    fn failed(diagnostics: Diagnostics) -> Self;
}

macro_rules! answers {
    ($($module:ident),* $(,)?) => { $(
        #[allow(clippy::needless_update)] // some answers have nothing but diagnostics
        impl Answer for wire::$module::Response {
            fn failed(diagnostics: Diagnostics) -> Self {
                Self { diagnostics: to_wire(diagnostics), ..Self::default() }
            }
        }
    )* };
}

answers!(
    validate_provider_config,
    configure_provider,
    validate_resource_config,
    upgrade_resource_state,
    upgrade_resource_identity,
    read_resource,
    plan_resource_change,
    apply_resource_change,
    import_resource_state,
    move_resource_state,
    validate_data_resource_config,
    read_data_source,
    validate_ephemeral_resource_config,
    open_ephemeral_resource,
    renew_ephemeral_resource,
    close_ephemeral_resource,
    validate_list_resource_config,
    validate_action_config,
    plan_action,
);

pub(super) fn to_wire(diagnostics: Diagnostics) -> Vec<wire::Diagnostic> {
    diagnostics.0.into_iter().map(diagnostic).collect()
}

fn diagnostic(it: Diagnostic) -> wire::Diagnostic {
    let severity = match it.severity {
        Severity::Error => wire::diagnostic::Severity::Error,
        Severity::Warning => wire::diagnostic::Severity::Warning,
    };
    wire::Diagnostic {
        severity: severity.into(),
        summary: it.summary,
        detail: it.detail,
        attribute: it.path.filter(|path| !path.0.is_empty()).map(attribute_path),
    }
}

pub(super) fn attribute_path(path: Path) -> wire::AttributePath {
    use wire::attribute_path::step::Selector;
    let step = |step| match step {
        Step::Attribute(name) => Selector::AttributeName(name),
        Step::Index(index) => Selector::ElementKeyInt(index),
        Step::Key(key) => Selector::ElementKeyString(key),
    };
    let steps = path.0.into_iter().map(|it| wire::attribute_path::Step { selector: Some(step(it)) });
    wire::AttributePath { steps: steps.collect() }
}

/// An absent or empty value is null.
pub(super) fn decode(value: Option<&wire::DynamicValue>, ty: &Type) -> Result<Value, Diagnostics> {
    let decoded: Result<Value, PathError> = match value {
        Some(value) if !value.msgpack.is_empty() => msgpack::decode(&value.msgpack, ty),
        Some(value) if !value.json.is_empty() => {
            json::parse(&value.json).and_then(|parsed| json::decode(&parsed, ty))
        }
        _ => Ok(Value::Null),
    };
    decoded.map_err(Diagnostics::from)
}

/// Fails only by a mistake of ours: a value that is not of its schema's type.
pub(super) fn encode(value: &Value, ty: &Type) -> Result<Option<wire::DynamicValue>, Diagnostics> {
    match msgpack::encode(value, ty) {
        Ok(msgpack) => Ok(Some(wire::DynamicValue { msgpack, json: Vec::new() })),
        Err(error) => {
            let summary = "The provider made a value that does not fit its schema";
            Err(Diagnostic::error(
                summary,
                format!("{error}. This is a bug in the provider; please report it."),
            )
            .into())
        }
    }
}

pub(super) fn type_bytes(ty: &Type) -> Vec<u8> {
    ty.to_json().to_string().into_bytes()
}

pub(super) fn schema(version: i64, description: &str, entries: &[Entry]) -> wire::Schema {
    let block = wire::schema::Block { version, ..block(description, entries) };
    wire::Schema { version, block: Some(block) }
}

fn block(description: &str, entries: &[Entry]) -> wire::schema::Block {
    let mut block = wire::schema::Block {
        description: description.to_owned(),
        description_kind: wire::StringKind::Markdown.into(),
        ..wire::schema::Block::default()
    };
    for entry in entries {
        match &entry.kind {
            Kind::Attribute(it) => block.attributes.push(attribute(entry, it)),
            Kind::Block { nesting, entries } => {
                block.block_types.push(nested_block(entry, *nesting, entries))
            }
        }
    }
    block
}

fn attribute(entry: &Entry, it: &Attribute) -> wire::schema::Attribute {
    let (ty, nested_type) = match &it.ty {
        AttributeType::Plain(ty) => (type_bytes(ty), None),
        AttributeType::Nested { nesting, entries } => (Vec::new(), Some(object(*nesting, entries))),
    };
    wire::schema::Attribute {
        name: entry.name.clone(),
        r#type: ty,
        nested_type,
        description: entry.description.clone(),
        description_kind: wire::StringKind::Markdown.into(),
        required: it.mode == AttributeMode::Required,
        optional: matches!(it.mode, AttributeMode::Optional | AttributeMode::OptionalComputed),
        computed: matches!(it.mode, AttributeMode::Computed | AttributeMode::OptionalComputed),
        sensitive: it.sensitive,
        write_only: it.write_only,
        deprecated: entry.deprecated.is_some(),
        deprecation_message: entry.deprecated.unwrap_or_default().to_owned(),
    }
}

fn object(nesting: Nesting, entries: &[Entry]) -> wire::schema::Object {
    use wire::schema::object::NestingMode;
    let mode = match nesting {
        Nesting::Single => NestingMode::Single,
        Nesting::List => NestingMode::List,
        Nesting::Map => NestingMode::Map,
    };
    let attributes = entries.iter().filter_map(|entry| match &entry.kind {
        Kind::Attribute(it) => Some(attribute(entry, it)),
        Kind::Block { .. } => None, // refused by schema::rules
    });
    wire::schema::Object { attributes: attributes.collect(), nesting: mode.into(), ..Default::default() }
}

fn nested_block(entry: &Entry, nesting: Nesting, entries: &[Entry]) -> wire::schema::NestedBlock {
    use wire::schema::nested_block::NestingMode;
    let mode = match nesting {
        Nesting::Single => NestingMode::Single,
        Nesting::List => NestingMode::List,
        Nesting::Map => NestingMode::Map,
    };
    let block = wire::schema::Block {
        deprecated: entry.deprecated.is_some(),
        deprecation_message: entry.deprecated.unwrap_or_default().to_owned(),
        ..block(&entry.description, entries)
    };
    wire::schema::NestedBlock {
        type_name: entry.name.clone(),
        block: Some(block),
        nesting: mode.into(),
        ..Default::default()
    }
}
