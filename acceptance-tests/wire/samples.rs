//! What the tests of the real types start from: configurations that a provider without any host takes, the states that
//! they would end in, and the same values with something odd spliced into their bytes.

use terraform_provider_dynamo::tf_provider::value::{Path, Step, Type, Value, msgpack};
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::attribute_path::step::Selector;
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::diagnostic::Severity;
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::{
    AttributePath, Diagnostic, DynamicValue, plan_resource_change,
};

use super::client::{Change, Client};
use super::harness::{Provider, Setup};
use super::schema::{block_type, complete};

pub const DEPLOYMENT: &str = "dynamo_deployment";
pub const WORKER: &str = "dynamo_worker";
pub const OPENWEBUI: &str = "dynamo_openwebui";

/// Every type of resource.
pub const RESOURCES: [&str; 3] = [DEPLOYMENT, WORKER, OPENWEBUI];

/// A Docker Engine that nobody can reach.
pub const DEAD_ENGINE: &str = "unix:///nowhere/docker.sock";

/// A configuration of a type of resource.
pub fn sample(resource: &str) -> Value {
    match resource {
        WORKER => worker(),
        OPENWEBUI => openwebui(),
        _ => deployment(),
    }
}

pub fn deployment() -> Value {
    let none: [(&str, Value); 0] = [];
    Value::object([
        ("name", Value::from("chat")),
        ("host", "local".into()),
        ("engine", "mocker".into()),
        ("model", "/models/tiny".into()),
        ("port", 8000.into()),
        ("env", Value::object([("DYN_LOG", "info")])),
        ("router", Value::object(none.clone())),
        ("resources", Value::object([("memory_gb", 2)])),
        ("docker", Value::object([("volume", Value::List(vec![volume()]))])),
        ("timeouts", Value::object(none)),
    ])
}

fn volume() -> Value {
    Value::object([("host_path", "/data"), ("container_path", "/data")])
}

pub fn worker() -> Value {
    let none: [(&str, Value); 0] = [];
    let seen = [
        ("id", "local/chat"),
        ("name", "chat"),
        ("host", "local"),
        ("engine", "mocker"),
        ("dynamo_version", "1.6.1"),
        ("image", "example/mocker:1"),
        ("image_pull_policy", "missing"),
        ("model", "/models/tiny"),
        ("served_model_name", "tiny"),
        ("mode", "aggregated"),
        ("network", "bridge"),
        ("desired_state", "running"),
    ];
    Value::object([
        ("deployment", Value::object(seen)),
        ("host", "local".into()),
        ("resources", Value::object([("memory_gb", 2)])),
        ("docker", Value::object([("volume", Value::List(vec![volume()]))])),
        ("timeouts", Value::object(none)),
    ])
}

pub fn openwebui() -> Value {
    let none: [(&str, Value); 0] = [];
    let seen = Value::object([
        ("id", Value::from("local/chat")),
        ("name", "chat".into()),
        ("host", "local".into()),
        ("dynamo_version", "1.6.1".into()),
        ("engine", "mocker".into()),
        ("served_model_name", "tiny".into()),
        ("network", "bridge".into()),
        ("port", 8000.into()),
        ("bind_address", "127.0.0.1".into()),
        ("desired_state", "running".into()),
    ]);
    Value::object([
        ("deployment", seen),
        ("host", "local".into()),
        ("port", 3000.into()),
        ("env", Value::object([("WEBUI_NAME", "Team")])),
        ("resources", Value::object([("memory_gb", 2)])),
        ("docker", Value::object([("volume", Value::List(vec![volume()]))])),
        ("timeouts", Value::object(none)),
    ])
}

/// A value with other attributes in it.
pub fn with<const N: usize>(value: &Value, others: [(&str, Value); N]) -> Value {
    let entries = value.as_map().into_iter().flatten().map(|(name, value)| (name.as_str(), value.clone()));
    Value::object(entries.chain(others))
}

/// A provider whose hosts are not known yet, so that it plans without any, and a client of it.
pub async fn without_hosts() -> (Provider, Client) {
    let provider = Setup::terraform().with("DOCKER_HOST", DEAD_ENGINE).start();
    let mut client = provider.client().await;
    let said = client.configure(Value::object([("hosts", Value::Unknown)])).await.unwrap();
    assert_eq!(said, []);
    (provider, client)
}

/// A provider that knows its host and cannot reach it, and a client of it.
pub async fn with_a_dead_host() -> (Provider, Client) {
    let provider = Setup::terraform().with("DOCKER_HOST", DEAD_ENGINE).start();
    let mut client = provider.client().await;
    assert_eq!(client.configure(Value::Null).await.unwrap(), []);
    (provider, client)
}

/// A state as `config` could end in: its plan, with something for all that apply decides.
pub async fn state_of(client: &mut Client, resource: &str, config: &Value) -> Value {
    let planned = client.plan(resource, &Change::create(config.clone())).await.unwrap();
    assert_eq!(planned.diagnostics, [], "{resource}");
    let state = decided(&block_type(&client.resource_block(resource).await.unwrap()), &planned.state);
    if resource != WORKER {
        return state;
    }
    let container = "chat-decode-abc234";
    with(&state, [("container", container.into()), ("id", format!("local/{container}").into())])
}

/// Any value for everything unknown.
fn decided(ty: &Type, planned: &Value) -> Value {
    match (ty, planned) {
        (Type::String, Value::Unknown) => "decided".into(),
        (Type::Number, Value::Unknown) => 1.into(),
        (Type::Bool, Value::Unknown) => true.into(),
        (Type::List(_) | Type::Set(_), Value::Unknown) => Value::List(Vec::new()),
        (Type::Map(_), Value::Unknown) => Value::Map(Default::default()),
        (Type::Object(attributes), Value::Map(entries)) => {
            let inner = entries.iter().map(|(name, value)| (name.clone(), decided(&attributes[name], value)));
            Value::Map(inner.collect())
        }
        (_, Value::Unknown) => panic!("nothing computed is of type {ty:?}"),
        (_, known) => known.clone(),
    }
}

/// Stands where [`spliced`] puts other bytes.
pub const HERE: &str = "<here>";

/// `value` in msgpack, with `bytes` in the place of each [`HERE`], whatever type belongs there.
pub fn spliced(ty: &Type, value: &Value, bytes: &[u8]) -> DynamicValue {
    let encoded = msgpack::encode(value, &as_it_is(ty, value)).unwrap();
    let place = msgpack::encode(&Value::from(HERE), &Type::String).unwrap();
    let (mut msgpack, mut rest) = (Vec::new(), encoded.as_slice());
    while let Some(at) = rest.windows(place.len()).position(|window| window == place) {
        msgpack.extend_from_slice(&rest[..at]);
        msgpack.extend_from_slice(bytes);
        rest = &rest[at + place.len()..];
    }
    assert!(!msgpack.is_empty(), "there is no {HERE} in {value:?}");
    msgpack.extend_from_slice(rest);
    DynamicValue { msgpack, json: Vec::new() }
}

/// A type with the same bytes as `ty`, in which [`HERE`] may stand anywhere.
fn as_it_is(ty: &Type, value: &Value) -> Type {
    match (ty, value) {
        (_, Value::String(text)) if text == HERE => Type::String,
        (Type::Object(attributes), Value::Map(_)) => {
            let inner = attributes.iter().map(|(name, ty)| (name.clone(), as_it_is(ty, value.get(name))));
            Type::Object(inner.collect())
        }
        (Type::Map(element), Value::Map(entries)) => {
            Type::Object(entries.iter().map(|(key, value)| (key.clone(), as_it_is(element, value))).collect())
        }
        (Type::List(element) | Type::Set(element), Value::List(values)) => {
            Type::Tuple(values.iter().map(|value| as_it_is(element, value)).collect())
        }
        _ => ty.clone(),
    }
}

/// Plans the creation of `config`, written sparsely, with `bytes` in the place of each [`HERE`].
pub async fn plan_spliced(
    client: &mut Client,
    resource: &str,
    config: &Value,
    bytes: &[u8],
) -> plan_resource_change::Response {
    let block = client.resource_block(resource).await.unwrap();
    plan_bytes(client, resource, spliced(&block_type(&block), &complete(&block, config), bytes)).await
}

/// Plans a creation from a configuration that is encoded already.
pub async fn plan_bytes(
    client: &mut Client,
    resource: &str,
    config: DynamicValue,
) -> plan_resource_change::Response {
    let request = plan_resource_change::Request {
        type_name: resource.into(),
        proposed_new_state: Some(config.clone()),
        config: Some(config),
        ..Default::default()
    };
    client.rpc.plan_resource_change(request).await.unwrap().into_inner()
}

/// Where the errors point, in order: `docker.volume[0].host_path`, or nothing for an error that points nowhere.
pub fn error_paths(diagnostics: &[Diagnostic]) -> Vec<String> {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity() == Severity::Error);
    errors.map(|error| error.attribute.as_ref().map(path).unwrap_or_default().to_string()).collect()
}

/// The one error that there is, all of its text, and where it points.
#[track_caller]
pub fn only_error(diagnostics: &[Diagnostic]) -> (String, String) {
    let paths = error_paths(diagnostics);
    assert!(diagnostics.len() == 1 && paths.len() == 1, "not one error: {diagnostics:?}");
    (format!("{}: {}", diagnostics[0].summary, diagnostics[0].detail), paths[0].clone())
}

pub fn path(wire: &AttributePath) -> Path {
    let step = |step: &Selector| match step {
        Selector::AttributeName(name) => Step::Attribute(name.clone()),
        Selector::ElementKeyString(key) => Step::Key(key.clone()),
        Selector::ElementKeyInt(index) => Step::Index(*index),
    };
    Path(wire.steps.iter().map(|it| step(it.selector.as_ref().expect("an empty step"))).collect())
}

/// Every value in `value` with the path to it, containers of values included.
pub fn leaves(value: &Value, path: &Path, found: &mut Vec<(Path, Value)>) {
    found.push((path.clone(), value.clone()));
    for (index, element) in value.as_list().into_iter().flatten().enumerate() {
        leaves(element, &path.index(index), found);
    }
    for (name, entry) in value.as_map().into_iter().flatten() {
        leaves(entry, &path.attribute(name), found);
    }
}
