//! What the provider declares: rules 14 to 19 for its real schema, and the kinds of types that it has none of.

use std::collections::BTreeSet;

use libtest_mimic::Trial;
use terraform_provider_dynamo::tf_provider::value::{Type, Value};
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::schema::nested_block::NestingMode as BlockNesting;
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::schema::object::NestingMode;
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::schema::{
    Attribute, Block, NestedBlock, Object,
};
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::*;

use super::client::{Change, Client};
use super::harness::Provider;
use super::samples::{self, only_error};
use super::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("declarations_14_every_rule_of_terraforms_schema_loader_holds", loader_rules),
        trial("declarations_15_no_call_depends_on_the_schema_having_been_asked_for", schema_is_optional),
        trial("declarations_16_metadata_and_schema_name_the_same_types", metadata),
        trial("declarations_17_every_resource_has_a_valid_identity", identities),
        trial("declarations_18_what_sounds_secret_is_declared_secret", secrets),
        trial("declarations_19_everything_is_described", descriptions),
        trial("declarations_27_what_is_write_only_is_listed_here", write_only),
        trial("declarations_59_functions_are_called_and_an_unknown_one_is_named", functions),
        trial("declarations_60_an_unknown_data_source_is_named", unknown_data_source),
        trial("declarations_61_there_are_no_ephemeral_resources", no_ephemeral_resources),
        trial("declarations_62_there_are_no_list_resources", no_list_resources),
        trial("declarations_63_there_are_no_actions", no_actions),
    ]
}

async fn client() -> (Provider, Client) {
    let provider = Provider::start();
    let client = provider.client().await;
    (provider, client)
}

/// A part of a schema, and the place it has: `dynamo_deployment.docker.volume`.
enum Part {
    Body(Block),
    Attribute(Attribute),
    Object(Object),
    Block(NestedBlock),
}

/// All parts of all schemas.
async fn parts() -> Vec<(String, Part)> {
    let (_provider, mut client) = client().await;
    let schemas = client.schemas().await.unwrap();
    let named =
        [&schemas.resource_schemas, &schemas.data_source_schemas, &schemas.ephemeral_resource_schemas];
    let named = named.into_iter().flatten().map(|(name, schema)| (name.clone(), schema.clone()));
    let mut found = Vec::new();
    for (name, schema) in named.chain([("provider".to_owned(), schemas.provider.clone().unwrap())]) {
        assert!(schema.version >= 0, "{name}");
        body(&name, schema.block.unwrap(), &mut found);
    }
    assert!(found.len() > 100, "only {} parts", found.len());
    found
}

fn body(place: &str, block: Block, found: &mut Vec<(String, Part)>) {
    for inner in &block.attributes {
        attribute(place, inner.clone(), found);
    }
    for inner in &block.block_types {
        let place = format!("{place}.{}", inner.type_name);
        found.push((place.clone(), Part::Block(inner.clone())));
        body(&place, inner.block.clone().unwrap(), found);
    }
    found.push((place.to_owned(), Part::Body(block)));
}

fn attribute(place: &str, it: Attribute, found: &mut Vec<(String, Part)>) {
    let place = format!("{place}.{}", it.name);
    if let Some(object) = &it.nested_type {
        object.attributes.iter().for_each(|inner| attribute(&place, inner.clone(), found));
        found.push((place.clone(), Part::Object(object.clone())));
    }
    found.push((place, Part::Attribute(it)));
}

async fn loader_rules() {
    for (place, part) in parts().await {
        match part {
            Part::Attribute(it) => {
                assert!(it.required || it.optional || it.computed, "{place} is set by nobody");
                assert!(!(it.required && (it.optional || it.computed)), "{place}");
                assert_ne!(it.r#type.is_empty(), it.nested_type.is_none(), "{place}: type or nested type");
                assert!(is_name(&it.name), "{place}");
                if it.nested_type.is_none() {
                    assert!(!has_set_of_dynamic(&Type::from_json(&it.r#type).unwrap()), "{place}");
                }
            }
            Part::Object(it) => {
                assert_ne!(it.nesting(), NestingMode::Invalid, "{place}");
                #[allow(deprecated, reason = "they must stay unset")]
                let limits = (it.min_items, it.max_items);
                assert_eq!(limits, (0, 0), "{place}");
            }
            Part::Block(it) => {
                let (min, max) = (it.min_items, it.max_items);
                assert!(is_name(&it.type_name), "{place}");
                assert!(
                    match it.nesting() {
                        BlockNesting::Invalid => false,
                        BlockNesting::Single => min == max && (0..=1).contains(&min),
                        BlockNesting::Group | BlockNesting::Map => (min, max) == (0, 0),
                        BlockNesting::List | BlockNesting::Set => min >= 0 && (max == 0 || min <= max),
                    },
                    "{place}: {min} to {max}"
                );
            }
            Part::Body(it) => {
                let mut names = BTreeSet::new();
                let blocks = it.block_types.iter().map(|inner| &inner.type_name);
                for name in it.attributes.iter().map(|inner| &inner.name).chain(blocks) {
                    assert!(names.insert(name), "{place}.{name} is there twice");
                }
                let reserved: &[&str] = match (place.contains('.'), place == "provider") {
                    (true, _) => &[],
                    (false, true) => &["alias", "version"],
                    (false, false) => &[
                        "connection",
                        "count",
                        "depends_on",
                        "for_each",
                        "lifecycle",
                        "provider",
                        "provisioner",
                    ],
                };
                assert!(!reserved.iter().any(|name| names.contains(&(*name).to_owned())), "{place}");
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn has_set_of_dynamic(ty: &Type) -> bool {
    match ty {
        Type::Set(element) => element.to_json().to_string().contains("\"dynamic\""),
        Type::List(element) | Type::Map(element) => has_set_of_dynamic(element),
        Type::Object(attributes) => attributes.values().any(has_set_of_dynamic),
        Type::Tuple(elements) => elements.iter().any(has_set_of_dynamic),
        Type::String | Type::Number | Type::Bool | Type::Dynamic => false,
    }
}

/// One process tells the schema, another one is put to work without ever having been asked for it.
async fn schema_is_optional() {
    let (_teller, mut asking) = client().await;
    let provider = Provider::start();
    let mut client = provider.client().await.with_schemas_of(&mut asking).await;
    for resource in samples::RESOURCES {
        let config = samples::sample(resource);
        assert_eq!(client.validate_resource(resource, config.clone()).await.unwrap(), []);
        let upgraded = client.upgrade(resource, 0, b"{}").await.unwrap();
        assert_eq!(upgraded.diagnostics, []);
    }
    let hosts = || Value::object([("hosts", Value::Unknown)]);
    assert_eq!(client.validate_provider(hosts()).await.unwrap(), []);
    assert_eq!(client.configure(hosts()).await.unwrap(), []);
    for resource in samples::RESOURCES {
        let planned = client.plan(resource, &Change::create(samples::sample(resource))).await.unwrap();
        assert_eq!(planned.diagnostics, []);
    }
    let schemas = asking.schemas().await.unwrap();
    assert!(schemas.server_capabilities.is_some_and(|it| it.get_provider_schema_optional && it.plan_destroy));
}

async fn metadata() {
    let (_provider, mut client) = client().await;
    let schemas = client.schemas().await.unwrap();
    let metadata = client.rpc.get_metadata(get_metadata::Request {}).await.unwrap().into_inner();
    let sorted = |names: Vec<String>| names.into_iter().collect::<BTreeSet<_>>();
    macro_rules! same {
        ($listed:ident, $name:ident, $declared:ident) => {
            assert_eq!(
                sorted(metadata.$listed.iter().map(|it| it.$name.clone()).collect()),
                sorted(schemas.$declared.keys().cloned().collect())
            );
        };
    }
    same!(resources, type_name, resource_schemas);
    same!(data_sources, type_name, data_source_schemas);
    same!(ephemeral_resources, type_name, ephemeral_resource_schemas);
    same!(list_resources, type_name, list_resource_schemas);
    same!(functions, name, functions);
    same!(actions, type_name, action_schemas);
    assert_eq!(metadata.server_capabilities, schemas.server_capabilities);
    assert_eq!(metadata.resources.len(), 4);
}

async fn identities() {
    let (_provider, mut client) = client().await;
    let schemas = client.schemas().await.unwrap();
    let answer = client.rpc.get_resource_identity_schemas(get_resource_identity_schemas::Request {}).await;
    let identities = answer.unwrap().into_inner().identity_schemas;
    let resources: BTreeSet<&String> = schemas.resource_schemas.keys().collect();
    assert_eq!(identities.keys().collect::<BTreeSet<_>>(), resources);
    for (resource, identity) in &identities {
        assert!(identity.version >= 0 && !identity.identity_attributes.is_empty(), "{resource}");
        let block = client.resource_block(resource).await.unwrap();
        for attribute in &identity.identity_attributes {
            let place = format!("{resource}.{}", attribute.name);
            assert_ne!(attribute.required_for_import, attribute.optional_for_import, "{place}");
            assert_eq!(Type::from_json(&attribute.r#type).unwrap(), Type::String, "{place}");
            assert!(!attribute.description.is_empty(), "{place}");
            assert!(block.attributes.iter().any(|it| it.name == attribute.name), "{place}");
        }
    }
}

/// Names of secrets. `env` is none: its values are declared to be visible, and secrets have a place of their own. Nor is
/// the path of a secret, or what tells one version of it from another, or whether it is there, or a certificate, which is
/// public by nature.
fn sounds_secret(name: &str) -> bool {
    let words = ["password", "passphrase", "secret", "token", "private_key", "api_key"];
    let about = ["_path", "_version", "_status"];
    words.iter().any(|word| name.contains(word)) && !about.iter().any(|end| name.ends_with(end))
}

async fn secrets() {
    assert!(sounds_secret("sudo_password") && sounds_secret("hf_token") && sounds_secret("private_key"));
    assert!(!sounds_secret("env") && !sounds_secret("private_key_path"));
    for (place, part) in parts().await {
        if let Part::Attribute(it) = part {
            assert!(
                !sounds_secret(&it.name) || it.sensitive || it.write_only,
                "{place} is shown to everybody"
            );
        }
    }
}

async fn descriptions() {
    for (place, part) in parts().await {
        let (description, deprecated, instead) = match part {
            Part::Attribute(it) => (it.description, it.deprecated, it.deprecation_message),
            Part::Body(it) => (it.description, it.deprecated, it.deprecation_message),
            Part::Object(_) | Part::Block(_) => continue,
        };
        assert!(!description.trim().is_empty(), "{place} is not described");
        assert_eq!(
            deprecated,
            !instead.is_empty(),
            "{place}: what to do instead belongs to what is deprecated"
        );
    }
}

/// What the capability of the client changes is tested with a type made up for it, where the plugin layer is.
async fn write_only() {
    let write_only = parts().await.into_iter().filter(|(_, part)| match part {
        Part::Attribute(it) => it.write_only,
        _ => false,
    });
    let expected = [
        "dynamo_deployment.secret_env",
        "dynamo_model.source.token",
        "dynamo_openwebui.admin_password",
        "dynamo_openwebui.secret_env",
        "dynamo_worker.secret_env",
    ];
    assert_eq!(write_only.map(|(place, _)| place).collect::<Vec<_>>(), expected);
}

async fn functions() {
    let (_provider, mut client) = client().await;
    let listed = client.rpc.get_functions(get_functions::Request {}).await.unwrap().into_inner();
    let names: Vec<&str> = listed.functions.keys().map(String::as_str).collect();
    assert_eq!((names, listed.diagnostics.len()), (vec!["model_fit"], 0));

    // Nothing is configured, and nothing has to be.
    let text = |text: &str| Value::dynamic(Type::String, text.into());
    let options = |gpus: i64| {
        let ty = Type::Object([("gpus".to_owned(), Type::Number)].into());
        Value::dynamic(ty, Value::object([("gpus", gpus)]))
    };
    let llama = "meta-llama/Llama-3.3-70B-Instruct";
    for (arguments, fits) in [
        (vec![text(llama), 80.into()], false),
        (vec![text(llama), 80.into(), options(4)], true),
        (vec![text(llama), 80.into(), options(3)], false),
    ] {
        let answer = client.call("model_fit", arguments).await.unwrap().unwrap();
        assert_eq!(answer.get("fits").as_bool(), Some(fits), "{answer:?}");
        assert!(answer.get("message").as_str().is_some_and(|text| text.contains(llama)), "{answer:?}");
    }
    let error = client.call("model_fit", vec![text("acme/none"), 80.into()]).await.unwrap().unwrap_err();
    assert!(error.text.contains("acme/none") && error.function_argument == Some(0), "{error:?}");
    // What is not known yet has no answer yet.
    let open = client.call("model_fit", vec![text(llama), Value::Unknown]).await.unwrap().unwrap();
    assert!(open.is_unknown(), "{open:?}");

    let request = call_function::Request { name: "parse".into(), arguments: Vec::new() };
    let error = client.rpc.call_function(request).await.unwrap().into_inner().error.unwrap();
    assert!(error.text.contains("\"parse\"") && error.function_argument.is_none(), "{error:?}");
}

/// The one diagnostic of an answer about a type that is not there names it.
macro_rules! unknown {
    ($client:ident . $rpc:ident ( $module:ident { $($field:ident : $value:expr),* } )) => {
        let request = $module::Request { $($field: $value,)* ..Default::default() };
        let (text, _) = only_error(&$client.rpc.$rpc(request).await.unwrap().into_inner().diagnostics);
        assert!(text.contains("\"dynamo_none\""), "{text}");
    };
}

async fn unknown_data_source() {
    let (_provider, mut client) = client().await;
    assert!(!client.schemas().await.unwrap().data_source_schemas.contains_key("dynamo_none"));
    let name = || "dynamo_none".to_owned();
    unknown!(client.validate_data_resource_config(validate_data_resource_config { type_name: name() }));
    unknown!(client.read_data_source(read_data_source { type_name: name() }));
}

async fn no_ephemeral_resources() {
    let (_provider, mut client) = client().await;
    assert!(client.schemas().await.unwrap().ephemeral_resource_schemas.is_empty());
    let name = || "dynamo_none".to_owned();
    unknown!(
        client.validate_ephemeral_resource_config(validate_ephemeral_resource_config { type_name: name() })
    );
    unknown!(client.open_ephemeral_resource(open_ephemeral_resource { type_name: name() }));
    unknown!(client.renew_ephemeral_resource(renew_ephemeral_resource { type_name: name() }));
    unknown!(client.close_ephemeral_resource(close_ephemeral_resource { type_name: name() }));
}

async fn no_list_resources() {
    let (_provider, mut client) = client().await;
    assert!(client.schemas().await.unwrap().list_resource_schemas.is_empty());
    let name = || "dynamo_none".to_owned();
    unknown!(client.validate_list_resource_config(validate_list_resource_config { type_name: name() }));
    let request = list_resource::Request { type_name: name(), limit: 1, ..Default::default() };
    let mut events = client.rpc.list_resource(request).await.unwrap().into_inner();
    let event = events.message().await.unwrap().unwrap();
    assert!(only_error(&event.diagnostic).0.contains("\"dynamo_none\""));
    assert_eq!(events.message().await.unwrap(), None, "the stream ends after the error");
}

async fn no_actions() {
    let (_provider, mut client) = client().await;
    assert!(client.schemas().await.unwrap().action_schemas.is_empty());
    let name = || "dynamo_none".to_owned();
    unknown!(client.validate_action_config(validate_action_config { type_name: name() }));
    unknown!(client.plan_action(plan_action { action_type: name() }));
    let request = invoke_action::Request { action_type: name(), ..Default::default() };
    let mut events = client.rpc.invoke_action(request).await.unwrap().into_inner();
    match events.message().await.unwrap().unwrap().r#type {
        Some(invoke_action::event::Type::Completed(done)) => {
            assert!(only_error(&done.diagnostics).0.contains("\"dynamo_none\""));
        }
        other => panic!("not the end: {other:?}"),
    }
    assert_eq!(events.message().await.unwrap(), None, "an action completes once");
}
