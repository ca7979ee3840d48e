//! The whole layer, driven through its RPC trait by a small provider that has one of everything.

use super::Server;
use crate::model;
use crate::tf_provider::attr::{Attr, Block, Blocks, Dynamic, Nested};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::erased::identity_type;
use crate::tf_provider::model::{Empty, Model};
use crate::tf_provider::process::{LaunchMode, Lifetime};
use crate::tf_provider::provider::*;
use crate::tf_provider::schema::rules::{Use, violations};
use crate::tf_provider::schema::{
    block, check, computed, object_type, optional, optional_computed, required,
};
use crate::tf_provider::value::{Type, Value, msgpack};
use crate::tf_provider::wire::tfplugin6 as wire;
use async_trait::async_trait;
use std::collections::BTreeMap;
use tonic::Request;
use wire::provider_server::Provider as _;

model! {
    struct Setting {
        level: Attr<i64> = optional("Level.").default(3).check(check::between(0, 9)),
        note: Attr<String> = optional("Note.").replaces(),
    }
}

model! {
    struct Part {
        path: Attr<String> = required("Path."),
    }
}

model! {
    struct Parent {
        name: Attr<String> = optional("Name of the parent."),
        size: Attr<i64> = optional("Its size."),
    }
}

model! {
    struct Thing {
        id: Attr<String> = computed("Id.").stable(),
        name: Attr<String> = required("Name.").replaces().check(check::not_empty()),
        r#type: Attr<String> = optional("Kind.").default("plain").check(check::one_of(["plain", "fancy"])),
        secret: Attr<String> = optional("Secret.").write_only().check(check::text("be long", |text| text.len() > 3)),
        env: Attr<BTreeMap<String, Attr<String>>> = optional("Environment."),
        any: Attr<Dynamic> = optional("Anything."),
        parent: Attr<Nested<Parent>> = optional("Parent."),
        status: Attr<String> = computed("Status."),
        address: Attr<String> = optional_computed("Address.").stable(),
        setting: Block<Setting> = block("Setting."),
        part: Blocks<Part> = block("Parts."),
    }
}

struct Things;

#[async_trait]
impl Resource for Things {
    type Model = Thing;
    type Client = ();

    fn about(&self) -> About {
        About { type_name: "toy_thing", description: "A thing." }
    }

    fn identity(&self) -> &'static [&'static str] {
        &["id"]
    }

    async fn plan_create(
        &self,
        call: &Call<()>,
        _: &Thing,
        mut planned: Thing,
    ) -> Result<Plan<Thing>, Diagnostics> {
        if let Some(predecessor) = &call.predecessor {
            planned.address = predecessor.get("id").as_str().unwrap_or_default().into();
        }
        Ok(planned.into())
    }

    async fn create(
        &self,
        _: &Call<()>,
        config: Thing,
        planned: Thing,
    ) -> Result<Applied<Thing>, Failed<Thing>> {
        let id = Attr::Known(format!("id-{}", shown(&planned.name)));
        let made = Thing {
            id,
            status: "made".into(),
            address: "here".into(),
            secret: config.secret.clone(),
            ..planned
        };
        match shown(&made.name) {
            "panics" => panic!("on purpose"),
            "fails-early" => Err(Diagnostics::from(Diagnostic::error("No", "Nothing was made.")).into()),
            "fails-late" => {
                Err(Failed { state: Some(made), diagnostics: Diagnostic::error("No", "It was made.").into() })
            }
            _ => Ok(made.into()),
        }
    }

    async fn update(
        &self,
        _: &Call<()>,
        _: Thing,
        _: Thing,
        planned: Thing,
    ) -> Result<Applied<Thing>, Failed<Thing>> {
        Ok(Thing { status: "changed".into(), ..planned }.into())
    }

    async fn read(&self, _: &Call<()>, state: Thing) -> Result<Option<Thing>, Diagnostics> {
        match shown(&state.name) {
            "gone" => Ok(None),
            "unreachable" => Err(Diagnostic::error("Unable to reach the host", "No answer.").into()),
            _ => Ok(Some(state)),
        }
    }

    async fn delete(&self, _: &Call<()>, _: Thing) -> Result<(), Failed<Thing>> {
        Ok(())
    }

    async fn import(&self, _: &Call<()>, by: ImportBy) -> Result<Thing, Diagnostics> {
        match by {
            ImportBy::Id(id) => Ok(Thing { id: Attr::Known(id), name: "x".into(), ..Thing::default() }),
            ImportBy::Identity(parts) => {
                let id = parts.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
                Ok(Thing { id: Attr::Known(id), name: "y".into(), ..Thing::default() })
            }
        }
    }
}

model! {
    struct Look {
        name: Attr<String> = required("Name."),
        depth: Attr<i64> = optional("Depth.").default(2),
        found: Attr<Vec<Attr<String>>> = computed("Found."),
    }
}

struct Looks;

#[async_trait]
impl DataSource for Looks {
    type Model = Look;
    type Client = ();
    fn about(&self) -> About {
        About { type_name: "toy_look", description: "A look." }
    }
    async fn read(&self, _: &Call<()>, config: Look) -> Result<Applied<Look>, Diagnostics> {
        let depth = config.depth.known().copied().unwrap_or_default();
        let found = (0..depth).map(|index| Attr::Known(format!("{}{index}", shown(&config.name)))).collect();
        Ok(Look { found: Attr::Known(found), ..config }.into())
    }
}

struct Doors;

#[async_trait]
impl EphemeralResource for Doors {
    type Model = Look;
    type Client = ();
    fn about(&self) -> About {
        About { type_name: "toy_door", description: "A door." }
    }
    async fn open(&self, _: &Call<()>, config: Look) -> Result<Opened<Look>, Diagnostics> {
        let result = Look { found: Attr::Known(Vec::new()), ..config };
        Ok(Opened { result, renewal: Renewal { at: None, private: b"key".to_vec() } })
    }
    async fn close(&self, _: &Call<()>, private: Vec<u8>) -> Result<(), Diagnostics> {
        if private == b"key" { Ok(()) } else { Err(Diagnostic::error("Wrong key", "").into()) }
    }
}

struct Twice;

impl Function for Twice {
    fn signature(&self) -> Signature {
        let parameter = Parameter {
            name: "text",
            description: "Text.",
            ty: Type::String,
            allow_null: false,
            allow_unknown: false,
        };
        Signature {
            name: "twice",
            summary: "Says it twice",
            description: "Twice.",
            parameters: vec![parameter],
            variadic: None,
            returns: Type::String,
        }
    }
    fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let text = arguments.first().and_then(Value::as_str).unwrap_or_default();
        if text.is_empty() {
            return Err(FunctionError { text: "Nothing to say.".into(), argument: Some(0) });
        }
        Ok(Value::string(format!("{text}{text}")))
    }
}

struct Toy;

impl Provider for Toy {
    type Config = Empty;
    type Client = ();
    fn description(&self) -> &'static str {
        "A toy."
    }
    fn configure(&self, _: Empty) -> Result<(), Diagnostics> {
        Ok(())
    }
    fn register(&self, registry: &mut Registry<()>) {
        registry.resource(Things);
        registry.data_source(Looks);
        registry.ephemeral(Doors);
        registry.function(Twice);
    }
}

fn ty() -> Type {
    object_type(&Thing::entries())
}

fn pack(value: &Value) -> Option<wire::DynamicValue> {
    Some(wire::DynamicValue { msgpack: msgpack::encode(value, &ty()).unwrap(), json: Vec::new() })
}

fn unpack(value: Option<wire::DynamicValue>) -> Value {
    msgpack::decode(&value.unwrap().msgpack, &ty()).unwrap()
}

async fn server() -> Server<Toy> {
    let server = Server::new(Toy, Lifetime::new(LaunchMode::Debug));
    let answer = server.configure_provider(Request::new(Default::default())).await.unwrap().into_inner();
    assert!(answer.diagnostics.is_empty());
    server
}

fn thing(name: &str) -> Thing {
    Thing { name: name.into(), ..Thing::default() }
}

async fn plan(server: &Server<Toy>, prior: &Value, config: &Thing) -> wire::plan_resource_change::Response {
    let config = config.to_value();
    let request = wire::plan_resource_change::Request {
        type_name: "toy_thing".into(),
        prior_state: pack(prior),
        proposed_new_state: pack(&config),
        config: pack(&config),
        ..Default::default()
    };
    server.plan_resource_change(Request::new(request)).await.unwrap().into_inner()
}

async fn apply(
    server: &Server<Toy>,
    prior: &Value,
    planned: &Value,
    config: &Thing,
) -> wire::apply_resource_change::Response {
    let request = wire::apply_resource_change::Request {
        type_name: "toy_thing".into(),
        prior_state: pack(prior),
        planned_state: pack(planned),
        config: pack(&config.to_value()),
        planned_private: b"private".to_vec(),
        ..Default::default()
    };
    server.apply_resource_change(Request::new(request)).await.unwrap().into_inner()
}

async fn created(server: &Server<Toy>, config: &Thing) -> Value {
    let planned = unpack(plan(server, &Value::Null, config).await.planned_state);
    let applied = apply(server, &Value::Null, &planned, config).await;
    assert!(applied.diagnostics.is_empty(), "{:?}", applied.diagnostics);
    unpack(applied.new_state)
}

#[tokio::test]
async fn a_create_plan_fills_defaults_and_leaves_the_rest_unknown() {
    let server = server().await;
    let config = Thing { setting: Block::Present(Setting::default()), ..thing("a") };
    let planned = unpack(plan(&server, &Value::Null, &config).await.planned_state);
    assert_eq!(planned.get("id"), &Value::Unknown);
    assert_eq!(planned.get("status"), &Value::Unknown);
    assert_eq!(planned.get("address"), &Value::Unknown);
    assert_eq!(planned.get("type"), &Value::string("plain"));
    assert_eq!(planned.get("env"), &Value::Null);
    assert_eq!(planned.get("setting").get("level"), &Value::from(3));
    assert_eq!(planned.get("part"), &Value::List(vec![]));
}

#[tokio::test]
async fn a_successor_knows_whom_it_replaces() {
    let server = server().await;
    let prior = created(&server, &thing("a")).await;
    let first = plan(&server, &prior, &thing("b")).await;
    assert!(!first.requires_replace.is_empty());
    let config = thing("b").to_value();
    let second = |prior_private| wire::plan_resource_change::Request {
        type_name: "toy_thing".into(),
        prior_state: pack(&Value::Null),
        proposed_new_state: pack(&config),
        config: pack(&config),
        prior_private,
        ..Default::default()
    };
    for (private, known) in [
        (first.planned_private, Value::string("id-a")),
        (Vec::new(), Value::Unknown),
        (b"garbage".to_vec(), Value::Unknown),
    ] {
        let answer = server.plan_resource_change(Request::new(second(private))).await.unwrap().into_inner();
        assert_eq!(unpack(answer.planned_state).get("address"), &known);
        assert!(answer.planned_private.is_empty(), "the successor is something new");
    }
}

#[tokio::test]
async fn a_write_only_value_reaches_create_and_is_stored_nowhere() {
    let server = server().await;
    let config = Thing { secret: "hunter2".into(), ..thing("a") };
    let answer = plan(&server, &Value::Null, &config).await;
    assert_eq!(unpack(answer.planned_state.clone()).get("secret"), &Value::Null);
    let applied = apply(&server, &Value::Null, &unpack(answer.planned_state), &config).await;
    assert_eq!(applied.private, b"private");
    let state = applied.new_state.unwrap();
    assert!(!state.msgpack.windows(7).any(|window| window == b"hunter2"));
}

#[tokio::test]
async fn a_plan_without_a_change_is_the_prior_state_byte_for_byte() {
    let server = server().await;
    let config = Thing {
        parent: Attr::Known(Nested(Parent { name: "p".into(), size: Attr::Null })),
        part: Blocks::List(vec![Part { path: "/x".into() }]),
        ..thing("a")
    };
    let state = created(&server, &config).await;
    let answer = plan(&server, &state, &config).await;
    assert_eq!(answer.planned_state, pack(&state));
    assert!(answer.requires_replace.is_empty());
}

#[tokio::test]
async fn a_change_keeps_stable_attributes_and_names_what_replaces() {
    let server = server().await;
    let state = created(&server, &thing("a")).await;
    let answer = plan(&server, &state, &Thing { r#type: "fancy".into(), ..thing("a") }).await;
    let planned = unpack(answer.planned_state);
    assert!(answer.requires_replace.is_empty());
    assert_eq!(planned.get("status"), &Value::Unknown);
    assert_eq!(planned.get("id"), &Value::string("id-a"));
    assert_eq!(planned.get("address"), &Value::string("here"));

    let answer = plan(&server, &state, &thing("b")).await;
    assert_eq!(answer.requires_replace.len(), 1);
    let with_note = Setting { note: "n".into(), ..Setting::default() };
    let answer = plan(&server, &state, &Thing { setting: Block::Present(with_note), ..thing("a") }).await;
    assert_eq!(answer.requires_replace.first().map(|path| path.steps.len()), Some(2));
}

#[tokio::test]
async fn unknown_configuration_stays_unknown() {
    let server = server().await;
    let config = Thing { r#type: Attr::Unknown, env: Attr::Unknown, ..thing("a") };
    let planned = unpack(plan(&server, &Value::Null, &config).await.planned_state);
    assert_eq!((planned.get("type"), planned.get("env")), (&Value::Unknown, &Value::Unknown));
}

#[tokio::test]
async fn a_failed_create_returns_what_was_made_and_only_that() {
    let server = server().await;
    for (name, made) in [("fails-early", false), ("fails-late", true), ("panics", false)] {
        let config = thing(name);
        let planned = unpack(plan(&server, &Value::Null, &config).await.planned_state);
        let applied = apply(&server, &Value::Null, &planned, &config).await;
        assert_eq!(applied.diagnostics.len(), 1, "{name}");
        let state = applied.new_state.map(|state| unpack(Some(state))).unwrap_or_default();
        assert_eq!(!state.is_null(), made, "{name}");
    }
    created(&server, &thing("still-works")).await;
}

#[tokio::test]
async fn gone_is_null_and_unreachable_is_an_error_that_keeps_the_state() {
    let server = server().await;
    for (name, gone, errors) in [("gone", true, 0), ("unreachable", false, 1), ("there", false, 0)] {
        let state = created(&server, &thing(name)).await;
        let request = wire::read_resource::Request {
            type_name: "toy_thing".into(),
            current_state: pack(&state),
            private: b"p".to_vec(),
            ..Default::default()
        };
        let answer = server.read_resource(Request::new(request)).await.unwrap().into_inner();
        assert_eq!(answer.diagnostics.len(), errors, "{name}");
        assert_eq!(answer.private, b"p");
        assert_eq!(unpack(answer.new_state), if gone { Value::Null } else { state }, "{name}");
        assert_eq!(answer.new_identity.is_some(), name == "there");
    }
}

#[tokio::test]
async fn validation_names_every_path_at_once_and_never_quotes_a_secret() {
    let server = server().await;
    let config = Thing {
        secret: "abc".into(),
        r#type: "odd".into(),
        setting: Block::Present(Setting { level: Attr::Known(10), note: Attr::Null }),
        ..thing("")
    };
    let request = |allowed| wire::validate_resource_config::Request {
        type_name: "toy_thing".into(),
        config: pack(&config.to_value()),
        client_capabilities: Some(wire::ClientCapabilities {
            write_only_attributes_allowed: allowed,
            ..Default::default()
        }),
    };
    let answer = server.validate_resource_config(Request::new(request(true))).await.unwrap().into_inner();
    assert_eq!(answer.diagnostics.len(), 4, "{:?}", answer.diagnostics);
    assert!(answer.diagnostics.iter().all(|it| it.attribute.is_some()));
    assert!(!format!("{answer:?}").contains("\"abc\""));
    let answer = server.validate_resource_config(Request::new(request(false))).await.unwrap().into_inner();
    assert_eq!(answer.diagnostics.len(), 5);
}

#[tokio::test]
async fn an_all_unknown_configuration_is_valid() {
    let server = server().await;
    let unknown =
        Value::Map(Thing::entries().iter().map(|entry| (entry.name.clone(), Value::Unknown)).collect());
    let request = wire::validate_resource_config::Request {
        type_name: "toy_thing".into(),
        config: pack(&unknown),
        client_capabilities: Some(wire::ClientCapabilities {
            write_only_attributes_allowed: true,
            ..Default::default()
        }),
    };
    let answer = server.validate_resource_config(Request::new(request)).await.unwrap().into_inner();
    assert!(answer.diagnostics.is_empty(), "{:?}", answer.diagnostics);
}

#[tokio::test]
async fn state_of_the_same_version_is_taken_leniently() {
    let server = server().await;
    let request = wire::upgrade_resource_state::Request {
        type_name: "toy_thing".into(),
        version: 0,
        raw_state: Some(wire::RawState { json: br#"{"name":"a","stale":1}"#.to_vec(), ..Default::default() }),
    };
    let answer = server.upgrade_resource_state(Request::new(request)).await.unwrap().into_inner();
    let state = unpack(answer.upgraded_state);
    assert_eq!(state.get("name"), &Value::string("a"));
    assert_eq!(state.get("env"), &Value::Null);
    assert_eq!(state.get("part"), &Value::List(vec![]));
}

#[tokio::test]
async fn import_works_by_id_and_by_identity() {
    let server = server().await;
    let identity = Value::object([("id", Value::string("id-9"))]);
    let data = msgpack::encode(&identity, &identity_type(&["id"])).unwrap();
    let identity_data = Some(wire::DynamicValue { msgpack: data, json: Vec::new() });
    for (identity, name) in [(None, "x"), (Some(wire::ResourceIdentityData { identity_data }), "y")] {
        let request = wire::import_resource_state::Request {
            type_name: "toy_thing".into(),
            id: "id-9".into(),
            identity,
            ..Default::default()
        };
        let answer = server.import_resource_state(Request::new(request)).await.unwrap().into_inner();
        let imported = answer.imported_resources.into_iter().next().unwrap();
        assert!(imported.identity.is_some());
        let state = unpack(imported.state);
        assert_eq!((state.get("id"), state.get("name")), (&Value::string("id-9"), &Value::string(name)));
    }
}

#[tokio::test]
async fn data_sources_get_defaults_and_echo_their_arguments() {
    let server = server().await;
    let look = object_type(&Look::entries());
    let config = Look { name: "a".into(), ..Look::default() }.to_value();
    let config =
        Some(wire::DynamicValue { msgpack: msgpack::encode(&config, &look).unwrap(), json: Vec::new() });
    let request = wire::read_data_source::Request {
        type_name: "toy_look".into(),
        config: config.clone(),
        ..Default::default()
    };
    let answer = server.read_data_source(Request::new(request)).await.unwrap().into_inner();
    let state = msgpack::decode(&answer.state.unwrap().msgpack, &look).unwrap();
    assert_eq!(state.get("depth"), &Value::from(2));
    assert_eq!(state.get("found"), &Value::List(vec![Value::string("a0"), Value::string("a1")]));

    let request =
        wire::open_ephemeral_resource::Request { type_name: "toy_door".into(), config, ..Default::default() };
    let opened = server.open_ephemeral_resource(Request::new(request)).await.unwrap().into_inner();
    for _ in 0..2 {
        let request = wire::close_ephemeral_resource::Request {
            type_name: "toy_door".into(),
            private: opened.private.clone(),
        };
        let closed = server.close_ephemeral_resource(Request::new(request)).await.unwrap().into_inner();
        assert!(closed.diagnostics.is_empty());
    }
}

#[tokio::test]
async fn functions_work_unconfigured_and_name_the_argument() {
    let server = Server::new(Toy, Lifetime::new(LaunchMode::Debug));
    let argument = |value: Value| {
        let msgpack = msgpack::encode(&value, &Type::String).unwrap();
        wire::call_function::Request {
            name: "twice".into(),
            arguments: vec![wire::DynamicValue { msgpack, json: Vec::new() }],
        }
    };
    let call = async |value| server.call_function(Request::new(argument(value))).await.unwrap().into_inner();
    let said = call(Value::string("ha")).await.result.unwrap();
    assert_eq!(msgpack::decode(&said.msgpack, &Type::String).unwrap(), Value::string("haha"));
    for wrong in [Value::string(""), Value::Null] {
        assert_eq!(call(wrong).await.error.unwrap().function_argument, Some(0));
    }
    let unknown = call(Value::Unknown).await.result.unwrap();
    assert_eq!(msgpack::decode(&unknown.msgpack, &Type::String).unwrap(), Value::Unknown);
}

#[tokio::test]
async fn what_needs_a_configuration_says_so() {
    let server = Server::new(Toy, Lifetime::new(LaunchMode::Debug));
    let request = wire::read_resource::Request {
        type_name: "toy_thing".into(),
        current_state: pack(&thing("a").to_value()),
        ..Default::default()
    };
    let answer = server.read_resource(Request::new(request)).await.unwrap().into_inner();
    assert_eq!(
        answer.diagnostics.first().map(|it| it.summary.as_str()),
        Some("The provider is not configured")
    );
}

#[tokio::test]
async fn unknown_types_are_named() {
    let server = server().await;
    let request =
        wire::plan_resource_change::Request { type_name: "toy_nothing".into(), ..Default::default() };
    let answer = server.plan_resource_change(Request::new(request)).await.unwrap().into_inner();
    assert!(answer.diagnostics.iter().any(|it| it.detail.contains("toy_nothing")));
}

#[tokio::test]
async fn stop_reaches_the_session_and_a_new_configuration_starts_afresh() {
    let server = server().await;
    let before = server.call().unwrap();
    let answer = server.stop_provider(Request::new(Default::default())).await.unwrap().into_inner();
    assert_eq!(answer.error, "");
    assert!(before.stopping.is_cancelled());
    server.configure_provider(Request::new(Default::default())).await.unwrap();
    assert!(!server.call().unwrap().stopping.is_cancelled());
}

#[test]
fn the_toy_schema_keeps_terraforms_rules_and_a_bad_one_is_caught() {
    assert_eq!(violations("toy_thing", &Thing::entries(), Use::Resource), Vec::<String>::new());
    model! {
        struct Bad {
            count: Attr<String> = optional(""),
            wrong_default: Attr<i64> = optional("Number.").default("text"),
            kept: Attr<String> = computed("Kept.").write_only(),
        }
    }
    assert_eq!(violations("bad", &Bad::entries(), Use::Resource).len(), 4);
}
