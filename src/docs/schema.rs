//! The schema as JSON, in the form in which `terraform providers schema -json` shows one provider: for editors, policy
//! tools and diffs between versions, without Terraform and without a configuration.

use crate::tf_provider::model::Model;
use crate::tf_provider::provider::{Parameter, Provider, Registry, Signature};
use crate::tf_provider::schema::{Attribute, AttributeMode, AttributeType, Entry, Kind, Nesting};
use serde_json::{Map, Value as Json, json};

/// All that the provider offers. Parts that it does not have are left out, as Terraform does.
pub fn json<P: Provider>(provider: &P) -> Json {
    let registry = Registry::of(provider);
    let resources = registry.resources.iter();
    let of_type = |version, description: &str, entries: &[Entry]| schema(version, Some(description), entries);
    let parts: [(&str, Map<String, Json>); 5] = [
        (
            "resource_schemas",
            resources
                .clone()
                .map(|(name, it)| named(name, of_type(it.version(), it.about().description, &it.entries())))
                .collect(),
        ),
        (
            "data_source_schemas",
            registry
                .data_sources
                .iter()
                .map(|(name, it)| named(name, of_type(0, it.about().description, &it.entries())))
                .collect(),
        ),
        (
            "ephemeral_resource_schemas",
            registry
                .ephemerals
                .iter()
                .map(|(name, it)| named(name, of_type(0, it.about().description, &it.entries())))
                .collect(),
        ),
        (
            "functions",
            registry.functions.iter().map(|(name, it)| named(name, function(&it.signature()))).collect(),
        ),
        (
            "resource_identity_schemas",
            resources
                .filter(|(_, it)| !it.identity().is_empty())
                .map(|(name, it)| named(name, identity(it.identity(), &it.entries())))
                .collect(),
        ),
    ];
    let mut all = Map::new();
    let config = schema(0, Some(provider.description()), &P::Config::entries());
    all.insert("provider".to_owned(), config);
    all.extend(
        parts.into_iter().filter(|(_, part)| !part.is_empty()).map(|(name, part)| named(name, part.into())),
    );
    all.into()
}

fn named(name: &str, value: Json) -> (String, Json) {
    (name.to_owned(), value)
}

fn schema(version: i64, description: Option<&str>, entries: &[Entry]) -> Json {
    json!({ "version": version, "block": block(description, None, entries) })
}

fn block(description: Option<&str>, deprecated: Option<&str>, entries: &[Entry]) -> Json {
    let (mut attributes, mut blocks) = (Map::new(), Map::new());
    for entry in entries {
        match &entry.kind {
            Kind::Attribute(it) => drop(attributes.insert(entry.name.clone(), attribute(entry, it))),
            Kind::Block { nesting, entries } => {
                let block = block(Some(&entry.description), entry.deprecated, entries);
                let block = json!({ "nesting_mode": mode(*nesting), "block": block });
                blocks.insert(entry.name.clone(), block);
            }
        }
    }
    let mut all = Map::new();
    for (name, part) in [("attributes", attributes), ("block_types", blocks)] {
        if !part.is_empty() {
            all.insert(name.to_owned(), part.into());
        }
    }
    if let Some(text) = description {
        all.insert("description".to_owned(), text.into());
        all.insert("description_kind".to_owned(), "markdown".into());
    }
    if deprecated.is_some() {
        all.insert("deprecated".to_owned(), true.into());
    }
    all.into()
}

fn attribute(entry: &Entry, it: &Attribute) -> Json {
    let mut all = Map::new();
    match &it.ty {
        AttributeType::Plain(ty) => drop(all.insert("type".to_owned(), ty.to_json())),
        AttributeType::Nested { nesting, entries } => {
            let mut nested = block(None, None, entries);
            if let Some(nested) = nested.as_object_mut() {
                nested.insert("nesting_mode".to_owned(), mode(*nesting).into());
            }
            all.insert("nested_type".to_owned(), nested);
        }
    }
    all.insert("description".to_owned(), entry.description.as_str().into());
    all.insert("description_kind".to_owned(), "markdown".into());
    let flags = [
        ("required", it.mode == AttributeMode::Required),
        ("optional", matches!(it.mode, AttributeMode::Optional | AttributeMode::OptionalComputed)),
        ("computed", matches!(it.mode, AttributeMode::Computed | AttributeMode::OptionalComputed)),
        ("sensitive", it.sensitive),
        ("write_only", it.write_only),
        ("deprecated", entry.deprecated.is_some()),
    ];
    all.extend(flags.into_iter().filter(|(_, on)| *on).map(|(name, on)| named(name, on.into())));
    all.into()
}

fn mode(nesting: Nesting) -> &'static str {
    match nesting {
        Nesting::Single => "single",
        Nesting::List => "list",
        Nesting::Map => "map",
    }
}

fn function(signature: &Signature) -> Json {
    let mut all = Map::new();
    all.insert("description".to_owned(), signature.description.into());
    all.insert("summary".to_owned(), signature.summary.into());
    all.insert("return_type".to_owned(), signature.returns.to_json());
    if !signature.parameters.is_empty() {
        all.insert("parameters".to_owned(), signature.parameters.iter().map(parameter).collect());
    }
    if let Some(variadic) = &signature.variadic {
        all.insert("variadic_parameter".to_owned(), parameter(variadic));
    }
    all.into()
}

fn parameter(it: &Parameter) -> Json {
    let mut all = json!({ "name": it.name, "description": it.description, "type": it.ty.to_json() });
    if let (true, Some(all)) = (it.allow_null, all.as_object_mut()) {
        all.insert("is_nullable".to_owned(), true.into());
    }
    all
}

fn identity(attributes: &[&str], entries: &[Entry]) -> Json {
    let attribute = |name: &&str| {
        let description = entries.iter().find(|entry| entry.name == **name).map(|entry| &entry.description);
        named(name, json!({ "type": "string", "description": description, "required_for_import": true }))
    };
    json!({ "version": 0, "attributes": attributes.iter().map(attribute).collect::<Map<_, _>>() })
}
