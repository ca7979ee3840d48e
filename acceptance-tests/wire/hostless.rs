//! What becomes of objects while their host cannot be reached, and what needs no host at all: rules 44, 49, 50, 54, 56 and
//! 57. A refresh that takes silence for absence would make Terraform forget objects that are there.

use libtest_mimic::Trial;
use terraform_provider_dynamo::tf_provider::value::{Path, Type, Value};
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::*;

use super::client::{Change, decode, encode};
use super::harness::{Provider, Setup};
use super::samples::{
    DEAD_ENGINE, DEPLOYMENT, OPENWEBUI, RESOURCES, WORKER, only_error, sample, state_of, with,
    with_a_dead_host, without_hosts,
};
use super::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("hostless_44_failures_are_diagnostics_and_state_is_kept", failures),
        trial("hostless_44_what_needs_a_configuration_says_so", unconfigured),
        trial("hostless_49_an_object_that_cannot_be_looked_at_is_not_gone", read),
        trial("hostless_54_a_bad_id_is_told_the_form_of_a_good_one", bad_ids),
        trial("hostless_56_stored_states_are_upgraded_without_a_host", upgrade),
        trial("hostless_57_nothing_can_be_moved_here", moves),
        trial("hostless_68_values_of_variables_are_in_no_log", canary),
    ]
}

async fn failures() {
    let (_without, mut client) = without_hosts().await;
    let (_dead, mut dead) = with_a_dead_host().await;
    for resource in RESOURCES {
        let state = state_of(&mut client, resource, &sample(resource)).await;
        let stopped = with(&sample(resource), [("desired_state", "stopped".into())]);
        for (change, kept) in [
            (Change::create(sample(resource)), &Value::Null),
            (Change::update(state.clone(), stopped), &state),
            (Change::destroy(state.clone()), &state),
        ] {
            // Planned while the hosts were not known, applied when they are.
            let planned = client.plan(resource, &change).await.unwrap();
            let applied = dead.apply(resource, &change, &planned).await.unwrap();
            let (said, at) = only_error(&applied.diagnostics);
            assert!(said.contains("/nowhere/docker.sock"), "{said}");
            // What is destroyed has no argument to point at any more.
            assert!(at == "host" || change.config.is_null(), "{at}: {said}");
            assert_eq!(&applied.state, kept, "{resource}");
        }
    }
}

async fn unconfigured() {
    let (_without, mut client) = without_hosts().await;
    let provider = Provider::start();
    let mut fresh = provider.client().await;
    for resource in RESOURCES {
        let state = state_of(&mut client, resource, &sample(resource)).await;
        let planned = fresh.plan(resource, &Change::create(sample(resource))).await.unwrap();
        let read = fresh.read(resource, &state, b"").await;
        let answers = [
            planned.diagnostics,
            read.as_ref().map(|read| read.diagnostics.clone()).unwrap(),
            fresh.import(resource, "local/chat").await.unwrap().diagnostics,
        ];
        for diagnostics in answers {
            assert!(only_error(&diagnostics).0.contains("not configured"), "{diagnostics:?}");
        }
    }
}

/// Rule 50 on the way: what Terraform keeps for the provider comes back as it was, identity included.
async fn read() {
    let (_without, mut client) = without_hosts().await;
    let (_dead, mut dead) = with_a_dead_host().await;
    for (resource, names) in
        [(DEPLOYMENT, ["host", "name"]), (WORKER, ["container", "host"]), (OPENWEBUI, ["host", "name"])]
    {
        let block = client.resource_block(resource).await.unwrap();
        let state = state_of(&mut client, resource, &sample(resource)).await;
        let identity = msgpack_object(names.map(|name| (name, state.get(name).clone())));
        let request = read_resource::Request {
            type_name: resource.into(),
            current_state: Some(encode(&block, &state)),
            private: b"\x00\xffkept".to_vec(),
            current_identity: Some(ResourceIdentityData { identity_data: Some(identity) }),
            ..Default::default()
        };
        let answer = dead.rpc.read_resource(request.clone()).await.unwrap().into_inner();
        let (said, at) = only_error(&answer.diagnostics);
        assert!(at == "host" && said.contains("/nowhere/docker.sock"), "{at}: {said}");
        assert_eq!(decode(&block, answer.new_state.as_ref()), state);
        assert_eq!((answer.private, answer.new_identity), (request.private, request.current_identity));
        assert_eq!(answer.deferred, None);
    }
}

fn msgpack_object<const N: usize>(entries: [(&str, Value); N]) -> DynamicValue {
    use terraform_provider_dynamo::tf_provider::value::msgpack;
    let ty = Type::Object(entries.iter().map(|(name, _)| ((*name).to_owned(), Type::String)).collect());
    DynamicValue { msgpack: msgpack::encode(&Value::object(entries), &ty).unwrap(), json: Vec::new() }
}

async fn bad_ids() {
    let (_dead, mut dead) = with_a_dead_host().await;
    for (resource, form) in [(DEPLOYMENT, "host/name"), (WORKER, "host/container"), (OPENWEBUI, "host/name")]
    {
        for id in ["", "chat", "/", "local/", "/chat", "local/chat/frontend"] {
            let imported = dead.import(resource, id).await.unwrap();
            let (said, _) = only_error(&imported.diagnostics);
            assert!(said.contains(form) && imported.state.is_null(), "{id:?}: {said}");
        }
        let (said, at) = only_error(&dead.import(resource, "moon/chat").await.unwrap().diagnostics);
        assert!(said.contains("\"moon\"") && said.contains("\"local\""), "{at}: {said}");
        let (said, _) = only_error(&dead.import(resource, "local/chat").await.unwrap().diagnostics);
        assert!(said.contains("/nowhere/docker.sock"), "{said}");
    }
}

async fn upgrade() {
    let provider = Setup::terraform().with("DOCKER_HOST", DEAD_ENGINE).start();
    let mut client = provider.client().await;
    for resource in [DEPLOYMENT, WORKER] {
        // Attributes that a later version may have added or dropped, and numbers that no float holds.
        let stored = r#"{
            "id": "local/chat",
            "of_another_version": {"deep": [1, 2]},
            "resources": {"memory_gb": 9007199254740993, "cpus": 12345678901234567890.5, "of_another_version": true},
            "docker": {"volume": [{"host_path": "/a", "container_path": "/b", "of_another_version": 1}]},
            "engine_args": {"type": ["object", {"depth": "number"}], "value": {"depth": 1e100}}
        }"#;
        let upgraded = client.upgrade(resource, 0, stored.as_bytes()).await.unwrap();
        assert_eq!(upgraded.diagnostics, [], "{resource}");
        let number = |text: &str| {
            Value::from(text.parse::<terraform_provider_dynamo::tf_provider::value::Number>().unwrap())
        };
        for (place, expected) in [
            (Path::of("id"), "local/chat".into()),
            (Path::of("resources").attribute("memory_gb"), number("9007199254740993")),
            (Path::of("resources").attribute("cpus"), number("12345678901234567890.5")),
            (Path::of("docker").attribute("volume").index(0).attribute("host_path"), "/a".into()),
            (Path::of("docker").attribute("ulimit"), Value::List(Vec::new())),
            (Path::of("engine_args").attribute("depth"), number("1e100")),
            (Path::of("host"), Value::Null),
        ] {
            assert_eq!(upgraded.state.at(&place), Some(&expected), "{resource}.{place}");
        }
        assert!(upgraded.state.is_wholly_known());
        for broken in ["", "[]", "{", "{\"env\": 1}"] {
            let upgraded = client.upgrade(resource, 0, broken.as_bytes()).await.unwrap();
            only_error(&upgraded.diagnostics);
            assert!(upgraded.state.is_null(), "{broken}");
        }
    }
}

async fn moves() {
    let provider = Provider::start();
    let mut client = provider.client().await;
    let capabilities = client.schemas().await.unwrap().server_capabilities.unwrap();
    assert!(!capabilities.move_resource_state);
    for resource in RESOURCES {
        let request = move_resource_state::Request {
            source_provider_address: "registry.terraform.io/kreuzwerker/docker".into(),
            source_type_name: "docker_container".into(),
            source_state: Some(RawState { json: b"{}".to_vec(), ..Default::default() }),
            target_type_name: resource.into(),
            ..Default::default()
        };
        let answer = client.rpc.move_resource_state(request).await.unwrap().into_inner();
        let (said, _) = only_error(&answer.diagnostics);
        assert!(said.contains("docker_container") && said.contains(resource), "{said}");
        assert!(answer.target_state.is_none());
    }
}

/// The most talkative log of everything that can be done without a host, mistakes included.
async fn canary() {
    const CANARY: &str = "canary-5d81";
    let provider = Setup::terraform().with("DOCKER_HOST", DEAD_ENGINE).with("TF_LOG", "trace").start();
    let mut client = provider.client().await;
    assert_eq!(client.configure(Value::Null).await.unwrap(), []);
    let (_without, mut planner) = without_hosts().await;
    for resource in RESOURCES {
        let words = Value::object([("WORD", CANARY), ("2FAST", CANARY)]);
        let mistakes = with(&sample(resource), [("env", words.clone()), ("secret_env", words)]);
        let said = client.validate_resource(resource, mistakes).await.unwrap();
        assert!(said.len() > 3 && !format!("{said:?}").contains(CANARY), "{said:?}");
        let (plain, secret) = (Value::object([("WORD", CANARY)]), Value::object([("SECRET", CANARY)]));
        let config = with(&sample(resource), [("env", plain), ("secret_env", secret)]);
        let state = state_of(&mut planner, resource, &config).await;
        let create = Change::create(config);
        let planned = planner.plan(resource, &create).await.unwrap();
        let said = [
            client.plan(resource, &create).await.unwrap().diagnostics,
            client.apply(resource, &create, &planned).await.unwrap().diagnostics,
            client.read(resource, &state, b"").await.unwrap().diagnostics,
        ];
        assert!(!format!("{said:?}").contains(CANARY), "{said:?}");
        let missing = client.rpc.read_resource(read_resource::Request::default()).await;
        assert!(missing.is_ok_and(|answer| !answer.get_ref().diagnostics.is_empty()));
    }
    let command_line = std::fs::read_to_string(format!("/proc/{}/cmdline", provider.process.id()));
    assert!(!command_line.unwrap_or_default().contains(CANARY));
    let finished = provider.shut_down().await;
    assert!(finished.stderr.contains("served request"), "the log is not talkative: {}", finished.stderr);
    assert!(!finished.stderr.contains(CANARY), "{}", finished.stderr);
}
