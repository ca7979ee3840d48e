//! Nonsense in every place that takes a value, for every type that the schema lists. Rules 44 and 67.
//!
//! Whatever comes back is fine as long as something comes back, nothing panicked, and the next question is answered.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use libtest_mimic::Trial;
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::*;
use tonic::{Code, Status};

use super::client::Client;
use super::harness::Provider;
use super::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("garbage_67_in_every_value_of_every_call_crashes_nothing", everywhere),
        trial("garbage_67_an_unknown_type_is_an_error_and_no_crash", unknown_type),
    ]
}

async fn everywhere() {
    let provider = Provider::start();
    let mut client = provider.client().await;
    let calls = send_everything(&mut client).await;
    assert!(calls > 1000, "only {calls} calls");
    client.get_schema().await.unwrap();
    let finished = provider.shut_down().await;
    assert!(finished.status.success());
    assert!(!finished.stderr.contains("panic: "), "{}", finished.stderr);
}

async fn unknown_type() {
    let provider = Provider::start();
    let mut client = provider.client().await;
    let null = DynamicValue { msgpack: vec![0xc0], ..Default::default() };
    for (name, call) in CALLS.iter().filter(|(name, _)| !name.contains("provider")) {
        let answer = call(client.clone(), "dynamo_nonsense".into(), null.clone()).await;
        let complaint = matches!(answer, Ok(Complaint::Yes)) || answer.is_err();
        assert!(complaint, "{name} has nothing to say about a type that does not exist");
    }
    client.get_schema().await.unwrap();
}

/// Sends every kind of garbage in every call for every type, and returns how many calls that were. Panics if an answer
/// is that of a broken connection.
pub async fn send_everything(client: &mut Client) -> usize {
    let mut calls = 0;
    for type_name in type_names(client).await {
        for (name, call) in CALLS {
            for value in garbage() {
                let shown = format!("{name}({type_name}, {value:?})");
                if let Err(status) = call(client.clone(), type_name.clone(), value).await {
                    let broken = [Code::Unavailable, Code::Cancelled, Code::Unknown, Code::DataLoss];
                    assert!(!broken.contains(&status.code()), "{shown}: {status}");
                }
                calls += 1;
            }
        }
    }
    calls
}

/// All names that the schema lists, of whatever kind, and one that it does not.
async fn type_names(client: &mut Client) -> BTreeSet<String> {
    let schemas = client.schemas().await.unwrap();
    let values = [
        &schemas.resource_schemas,
        &schemas.data_source_schemas,
        &schemas.ephemeral_resource_schemas,
        &schemas.list_resource_schemas,
    ];
    let values = values.into_iter().flat_map(|map| map.keys().cloned());
    let others = schemas.functions.keys().chain(schemas.action_schemas.keys()).cloned();
    values.chain(others).chain(["dynamo_nonsense".to_owned()]).collect()
}

/// Values that are none, or none of the right type, in both encodings.
fn garbage() -> Vec<DynamicValue> {
    let msgpack: Vec<Vec<u8>> = vec![
        vec![],
        vec![0xc0],                                     // null
        vec![0xd4, 0x00, 0x00],                         // unknown
        vec![0xc7, 0x03, 0x0c, 0x81, 0x01, 0xc2],       // unknown, refined
        vec![0xc7, 0x05, 0x63, 1, 2, 3, 4, 5],          // an extension nobody knows
        vec![0xc1],                                     // the one byte without a meaning
        vec![0xc3],                                     // a bool
        vec![0x80],                                     // an object without attributes
        vec![0x81],                                     // an object cut short
        vec![0x81, 0xa4, b'n', b'a', b'm', b'e', 0x01], // a wrong attribute
        vec![0x81, 0x01, 0x01],                         // a key that is no string
        vec![0x82, 0xa1, b'a', 0xc0, 0xa1, b'a', 0xc0], // the same key twice
        vec![0x90],                                     // a list
        vec![0xa1, 0xff],                               // a string that is not UTF-8
        vec![0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],       // not a number
        vec![0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0],       // infinity
        vec![0xdd, 0xff, 0xff, 0xff, 0xff],             // four thousand million elements, none of them there
        vec![0xdf, 0xff, 0xff, 0xff, 0xff],
        vec![0xdb, 0xff, 0xff, 0xff, 0xff],
        vec![0xc9, 0xff, 0xff, 0xff, 0xff, 0x0c],
        vec![0x91; 100_000],                        // a list in a list in a list
        [0x81, 0xa1, b'a'].repeat(50_000),          // an object in an object in an object
        [&[0xd9, 0xff][..], &[b'9'; 255]].concat(), // a long number
        [&[0xab][..], b"1e999999999"].concat(),     // a short one
    ];
    let json = [
        "null",
        "{",
        "{}",
        "[]",
        "\"x\"",
        "1e999999999",
        "{\"a\":1,\"a\":2}",
        "{\"value\":1,\"type\":\"nonsense\"}",
        "\u{0}",
    ];
    let deep = "[".repeat(100_000);
    let json = json.into_iter().chain([deep.as_str()]);
    let json = json.map(|text| DynamicValue { json: text.into(), msgpack: Vec::new() });
    let noise = (1..=16).map(noise);
    let msgpack = msgpack.into_iter().chain(noise).map(|msgpack| DynamicValue { msgpack, json: Vec::new() });
    msgpack.chain(json).collect()
}

/// The same bytes in each run, so that a failure can be looked at (xorshift).
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..64).map(|_| next()).collect()
}

/// Does the answer have an error among its diagnostics, or as its own?
#[derive(PartialEq)]
enum Complaint {
    Yes,
    No,
}

impl From<Vec<Diagnostic>> for Complaint {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        let error = diagnostics.iter().any(|one| one.severity() == diagnostic::Severity::Error);
        if error { Self::Yes } else { Self::No }
    }
}

impl From<Option<FunctionError>> for Complaint {
    fn from(error: Option<FunctionError>) -> Self {
        if error.is_some() { Self::Yes } else { Self::No }
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Complaint, Status>> + Send>>;
type Call = fn(Client, String, DynamicValue) -> Answer;

fn raw(value: &DynamicValue) -> Option<RawState> {
    let json = if value.json.is_empty() { &value.msgpack } else { &value.json };
    Some(RawState { json: json.clone(), ..Default::default() })
}

fn identity(value: &DynamicValue) -> Option<ResourceIdentityData> {
    Some(ResourceIdentityData { identity_data: Some(value.clone()) })
}

/// One call of the table: `name(request module, fields, what may complain)`.
macro_rules! call {
    ($rpc:ident, $module:ident, |$kind:ident, $value:ident| { $($field:ident : $is:expr),* $(,)? }, $complaint:ident) => {
        (stringify!($rpc), |mut client: Client, $kind: String, $value: DynamicValue| -> Answer {
            Box::pin(async move {
                #[allow(unused_variables, reason = "not every request has a type")]
                let $kind = $kind;
                #[allow(clippy::needless_update, reason = "some requests have just these fields")]
                let request = $module::Request { $($field: $is,)* ..Default::default() };
                Ok(client.rpc.$rpc(request).await?.into_inner().$complaint.into())
            })
        })
    };
}

/// Every call that takes a value, with the value in every place.
const CALLS: &[(&str, Call)] = &[
    call!(validate_provider_config, validate_provider_config, |t, v| { config: Some(v) }, diagnostics),
    call!(configure_provider, configure_provider, |t, v| { config: Some(v) }, diagnostics),
    call!(validate_resource_config, validate_resource_config, |t, v| { type_name: t, config: Some(v) }, diagnostics),
    call!(upgrade_resource_state, upgrade_resource_state, |t, v| { type_name: t, raw_state: raw(&v) }, diagnostics),
    call!(upgrade_resource_identity, upgrade_resource_identity, |t, v| { type_name: t, raw_identity: raw(&v) }, diagnostics),
    call!(read_resource, read_resource, |t, v| {
        type_name: t, private: v.msgpack.clone(), current_identity: identity(&v), current_state: Some(v),
    }, diagnostics),
    call!(plan_resource_change, plan_resource_change, |t, v| {
        type_name: t, prior_private: v.msgpack.clone(), prior_identity: identity(&v), prior_state: Some(v.clone()),
        proposed_new_state: Some(v.clone()), config: Some(v),
    }, diagnostics),
    call!(apply_resource_change, apply_resource_change, |t, v| {
        type_name: t, planned_private: v.msgpack.clone(), planned_identity: identity(&v), prior_state: Some(v.clone()),
        planned_state: Some(v.clone()), config: Some(v),
    }, diagnostics),
    call!(import_resource_state, import_resource_state, |t, v| {
        type_name: t, id: String::from_utf8_lossy(&v.msgpack).into_owned(), identity: identity(&v),
    }, diagnostics),
    call!(move_resource_state, move_resource_state, |t, v| {
        source_type_name: t.clone(), target_type_name: t, source_private: v.msgpack.clone(), source_state: raw(&v),
        source_identity: raw(&v),
    }, diagnostics),
    call!(generate_resource_config, generate_resource_config, |t, v| { type_name: t, state: Some(v) }, diagnostics),
    call!(validate_data_resource_config, validate_data_resource_config, |t, v| { type_name: t, config: Some(v) }, diagnostics),
    call!(read_data_source, read_data_source, |t, v| { type_name: t, config: Some(v) }, diagnostics),
    call!(validate_ephemeral_resource_config, validate_ephemeral_resource_config, |t, v| {
        type_name: t, config: Some(v),
    }, diagnostics),
    call!(open_ephemeral_resource, open_ephemeral_resource, |t, v| { type_name: t, config: Some(v) }, diagnostics),
    call!(renew_ephemeral_resource, renew_ephemeral_resource, |t, v| { type_name: t, private: Some(v.msgpack) }, diagnostics),
    call!(close_ephemeral_resource, close_ephemeral_resource, |t, v| { type_name: t, private: Some(v.msgpack) }, diagnostics),
    call!(call_function, call_function, |t, v| { name: t, arguments: vec![v.clone(), v] }, error),
    call!(validate_list_resource_config, validate_list_resource_config, |t, v| {
        type_name: t, config: Some(v.clone()), include_resource_object: Some(v.clone()), limit: Some(v),
    }, diagnostics),
    call!(validate_action_config, validate_action_config, |t, v| { type_name: t, config: Some(v) }, diagnostics),
    call!(plan_action, plan_action, |t, v| { action_type: t, config: Some(v) }, diagnostics),
    ("list_resource", |mut client, type_name, value| {
        Box::pin(async move {
            let request = list_resource::Request { type_name, config: Some(value), ..Default::default() };
            let mut events = client.rpc.list_resource(request).await?.into_inner();
            let mut complaints = Vec::new();
            while let Some(event) = events.message().await? {
                complaints.extend(event.diagnostic);
            }
            Ok(complaints.into())
        })
    }),
    ("invoke_action", |mut client, action_type, value| {
        Box::pin(async move {
            let request = invoke_action::Request { action_type, config: Some(value), ..Default::default() };
            let mut events = client.rpc.invoke_action(request).await?.into_inner();
            let mut complaints = Vec::new();
            while let Some(event) = events.message().await? {
                if let Some(invoke_action::event::Type::Completed(completed)) = event.r#type {
                    complaints.extend(completed.diagnostics);
                }
            }
            Ok(complaints.into())
        })
    }),
];
