//! Plans of the real types: rules 30 to 39, as far as no host takes part. What a host adds is tested where there is one.

use std::collections::BTreeSet;

use libtest_mimic::Trial;
use terraform_provider_dynamo::provider::deployment::schema::DeploymentModel;
use terraform_provider_dynamo::provider::openwebui::schema::OpenWebuiModel;
use terraform_provider_dynamo::provider::worker::schema::WorkerModel;
use terraform_provider_dynamo::tf_provider::model::Model;
use terraform_provider_dynamo::tf_provider::schema::{AttributeMode, Entry, Kind, OnChange};
use terraform_provider_dynamo::tf_provider::value::{Path, Type, Value};
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::schema::Block;

use super::client::{Change, Client, Planned, encode};
use super::samples::{
    self, DEPLOYMENT, OPENWEBUI, RESOURCES, WORKER, leaves, only_error, sample, state_of, with,
    with_a_dead_host, without_hosts,
};
use super::trial;
use super::validation::{Depth, unknown_block};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("planning_30_what_is_as_configured_is_planned_byte_for_byte", nothing_to_do),
        trial("planning_31_what_apply_decides_is_unknown_and_nothing_computed_null", create),
        trial("planning_33_the_same_question_has_the_same_answer_a_hundred_times", deterministic),
        trial("planning_34_the_second_half_of_a_replacement_can_be_created", replacement),
        trial("planning_35_what_forces_a_replacement_says_so_and_nothing_else_does", forcing),
        trial("planning_35_another_deployment_replaces_its_workers", another_deployment),
        trial("planning_31_a_secret_variable_is_planned_by_its_name", secret_variables),
        trial("planning_36_unknown_arguments_stay_unknown", unknown_arguments),
        trial("planning_36_a_host_that_is_not_known_yet_is_not_asked", unknown_host),
        trial("planning_36_an_unknown_host_attribute_is_not_the_only_host", unknown_host_attribute),
        trial("planning_37_a_destroy_plan_needs_no_host", destroy),
        trial("planning_38_a_host_that_is_not_there_is_one_error", dead_host),
        trial("planning_39_nothing_is_deferred_and_nothing_legacy", deferral),
    ]
}

async fn plan(client: &mut Client, resource: &str, change: &Change) -> Planned {
    let planned = client.plan(resource, change).await.unwrap();
    assert_eq!(planned.diagnostics, [], "{resource}: {change:?}");
    planned
}

async fn nothing_to_do() {
    let (_provider, mut client) = without_hosts().await;
    for resource in RESOURCES {
        let block = client.resource_block(resource).await.unwrap();
        let state = state_of(&mut client, resource, &sample(resource)).await;
        let change = Change { private: b"kept".to_vec(), ..Change::update(state.clone(), sample(resource)) };
        let planned = plan(&mut client, resource, &change).await;
        assert_eq!(planned.response.planned_state, Some(encode(&block, &state)), "{resource}");
        assert!(planned.response.requires_replace.is_empty(), "{resource}");
        // What a replacement would have to know of the object that it replaces.
        assert!(!planned.response.planned_private.is_empty(), "{resource}");
    }
}

async fn create() {
    let (_provider, mut client) = without_hosts().await;
    for (resource, decided_by_apply) in [
        (DEPLOYMENT, &["image_id", "containers"][..]),
        (WORKER, &["id", "container", "image_id"]),
        (OPENWEBUI, &["image_id", "containers"]),
    ] {
        let block = client.resource_block(resource).await.unwrap();
        let planned = plan(&mut client, resource, &Change::create(sample(resource))).await.state;
        for attribute in block.attributes.iter().filter(|it| it.computed) {
            let value = planned.get(&attribute.name);
            assert!(!value.is_null(), "{resource}.{} is planned as null", attribute.name);
            let open = decided_by_apply.contains(&attribute.name.as_str());
            assert_eq!(value.is_unknown(), open, "{resource}.{}: {value:?}", attribute.name);
        }
    }

    // The less is written, the more is open.
    let least = Value::object([("engine", "mocker"), ("model", "/models/tiny")]);
    let planned = plan(&mut client, DEPLOYMENT, &Change::create(least)).await.state;
    for name in ["id", "name", "host", "port", "endpoint", "network_name"] {
        assert!(planned.get(name).is_unknown(), "{name}: {:?}", planned.get(name));
    }
}

async fn deterministic() {
    let mut answers = BTreeSet::new();
    for _ in 0..4 {
        let (_provider, mut client) = without_hosts().await;
        let mut changes = Vec::new();
        for resource in RESOURCES {
            let state = state_of(&mut client, resource, &sample(resource)).await;
            let stopped = with(&sample(resource), [("desired_state", "stopped".into())]);
            changes.push((resource, Change::create(sample(resource))));
            changes.push((resource, Change::update(state.clone(), stopped)));
            changes.push((resource, Change::destroy(state)));
        }
        for _ in 0..25 {
            for (position, (resource, change)) in changes.iter().enumerate() {
                let response = plan(&mut client, resource, change).await.response;
                let bytes = response.planned_state.unwrap().msgpack;
                answers.insert((position, bytes, format!("{:?}", response.requires_replace)));
            }
        }
    }
    assert_eq!(answers.len(), 9, "one answer for each question");
}

/// Terraform plans a replacement twice: against the old object, and, once a replacement is asked for, against nothing.
async fn replacement() {
    let (_provider, mut client) = without_hosts().await;
    for resource in RESOURCES {
        let state = state_of(&mut client, resource, &sample(resource)).await;
        let config = with(&sample(resource), [("host", "elsewhere".into())]);
        let change = Change { private: b"old".to_vec(), ..Change::update(state, config.clone()) };
        let first = plan(&mut client, resource, &change).await.response;
        assert_eq!(first.requires_replace.len(), 1, "{resource}");

        let change = Change { private: first.planned_private, ..Change::create(config.clone()) };
        let second = plan(&mut client, resource, &change).await;
        assert_eq!(second.state, plan(&mut client, resource, &Change::create(config)).await.state);
        assert!(second.state.get("image_id").is_unknown() && second.response.requires_replace.is_empty());
    }
}

/// Each argument's other value. An argument that this version accepts one value for has none.
fn other(resource: &str, name: &str) -> Option<Value> {
    let text = |text: &str| Some(Value::from(text));
    match name {
        "name" | "host" | "served_model_name" => text("other"),
        "dynamo_version" => None,
        "engine" => text("sglang"),
        "mode" => text("disaggregated"),
        "network" => text("host"),
        "image" => text("example/other:1.6.1"),
        "image_pull_policy" => text("never"),
        "model" => text("/models/other"),
        "version" => text("0.9.6"),
        // They go with others, or with a warning.
        "deployments" | "admin_email" | "admin_password" | "auth" => None,
        // What is never stored shows in what is said of it, and in that alone.
        "secret_env" => None,
        "secret_env_version" => text("2"),
        "admin_password_version" => Some(2.into()),
        "delete_data_on_destroy" => Some(true.into()),
        "port" => Some(8001.into()),
        "bind_address" => text("0.0.0.0"),
        "env" => Some(Value::object([("DYN_LOG", "warn")])),
        "engine_args" => {
            let ty = Type::Object([("max-num-seqs".to_owned(), Type::Number)].into());
            Some(Value::dynamic(ty, Value::object([("max-num-seqs", 8)])))
        }
        // While the deployment is aggregated, it has no prefill workers that could have arguments.
        "prefill_engine_args" => Some(Value::dynamic(Type::Object([].into()), Value::Map([].into()))),
        "decode_engine_args" => other(resource, "engine_args"),
        "connector" => Some(Value::object([("type", "none")])),
        "desired_state" => text("stopped"),
        "role" => text("prefill"),
        "gpus" => Some(Value::List(vec!["0".into()])),
        "gpu_count" => Some(1.into()),
        "deployment" if resource == OPENWEBUI => {
            Some(with(sample(resource).get(name), [("served_model_name", "other".into())]))
        }
        "deployment" => Some(deployment_without_engine("/models/other")),
        "router" => Some(Value::object([("mode", "kv")])),
        "resources" => Some(Value::object([("memory_gb", 3)])),
        "docker" => Some(Value::object([("shm_size_gb", 1)])),
        "timeouts" => Some(Value::object([("create", "1h")])),
        _ => panic!("what else could {name} be?"),
    }
}

/// While its engine is not known, a worker may have any role.
fn deployment_without_engine(model: &str) -> Value {
    Value::object([("id", "local/chat"), ("name", "chat"), ("host", "local"), ("model", model)])
}

async fn forcing() {
    let (_provider, mut client) = without_hosts().await;
    let worker = with(&sample(WORKER), [("deployment", deployment_without_engine("/models/tiny"))]);
    for (resource, entries, config, expected) in [
        (DEPLOYMENT, DeploymentModel::entries(), sample(DEPLOYMENT), &["name", "host", "network"][..]),
        (WORKER, WorkerModel::entries(), worker, &["host", "role"]),
        (OPENWEBUI, OpenWebuiModel::entries(), sample(OPENWEBUI), &["host", "name"]),
    ] {
        let state = state_of(&mut client, resource, &config).await;
        let mut forced = Vec::new();
        for entry in &entries {
            let replaces = match &entry.kind {
                Kind::Attribute(it) if it.mode == AttributeMode::Computed => continue,
                Kind::Attribute(it) => it.on_change == OnChange::Replace,
                Kind::Block { entries, .. } => {
                    assert!(!forces(entries), "{}: this test knows of no block that replaces", entry.name);
                    false
                }
            };
            let Some(other) = other(resource, &entry.name) else { continue };
            let changed = with(&config, [(entry.name.as_str(), other)]);
            let planned = plan(&mut client, resource, &Change::update(state.clone(), changed)).await;
            let paths: Vec<Path> = planned.response.requires_replace.iter().map(samples::path).collect();
            let wanted = if replaces { vec![Path::of(&entry.name)] } else { Vec::new() };
            assert_eq!(paths, wanted, "{resource}.{}", entry.name);
            assert!(paths.iter().all(|path| planned.state.at(path).is_some()));
            assert_ne!(planned.state.get(&entry.name), state.get(&entry.name), "{resource}.{}", entry.name);
            forced.extend(replaces.then(|| entry.name.clone()));
        }
        assert_eq!(forced, expected, "{resource}");
    }
}

fn forces(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| match &entry.kind {
        Kind::Attribute(it) => it.on_change == OnChange::Replace,
        Kind::Block { entries, .. } => forces(entries),
    })
}

async fn another_deployment() {
    let (_provider, mut client) = without_hosts().await;
    let state = state_of(&mut client, WORKER, &sample(WORKER)).await;
    for (name, value, replaced) in [
        ("name", "other", true),
        ("host", "other", true),
        ("network", "host", true),
        ("model", "/models/other", false),
    ] {
        let seen = with(sample(WORKER).get("deployment"), [(name, value.into())]);
        let changed = with(&sample(WORKER), [("deployment", seen)]);
        let planned = plan(&mut client, WORKER, &Change::update(state.clone(), changed)).await.response;
        let paths: Vec<Path> = planned.requires_replace.iter().map(samples::path).collect();
        assert_eq!(paths, if replaced { vec![Path::of("deployment")] } else { Vec::new() }, "{name}");
    }
}

/// With hosts that are not known nothing can be compared, so that names and version are all that changes a plan.
async fn secret_variables() {
    const CANARY: &str = "canary-77b0";
    let (_provider, mut client) = without_hosts().await;
    for resource in RESOURCES {
        let secret =
            |value: Value| with(&sample(resource), [("secret_env", Value::object([("WORD", value)]))]);
        let status = |planned: &Planned| planned.state.get("secret_env_status").clone();
        let config = secret(CANARY.into());
        let first = plan(&mut client, resource, &Change::create(config.clone())).await;
        assert_eq!(status(&first), Value::object([("WORD", "set")]), "{resource}");
        let state = state_of(&mut client, resource, &config).await;
        let stored = format!("{first:?} {state:?}");
        assert!(!stored.contains(CANARY), "{stored}");
        let same = plan(&mut client, resource, &Change::update(state.clone(), config)).await;
        assert_eq!(same.state, state, "{resource}");
        let open = plan(&mut client, resource, &Change::update(state.clone(), secret(Value::Unknown))).await;
        assert!(status(&open).is_unknown(), "{resource}");
        let gone = plan(&mut client, resource, &Change::update(state.clone(), secret(Value::Null))).await;
        assert_eq!(status(&gone), Value::Map([].into()), "{resource}");
        let versioned = with(&secret(Value::Unknown), [("secret_env_version", "1".into())]);
        let versioned = plan(&mut client, resource, &Change::update(state, versioned)).await;
        assert_eq!(status(&versioned), Value::object([("WORD", "set")]), "{resource}");
    }
}

async fn unknown_arguments() {
    let (_provider, mut client) = without_hosts().await;
    for resource in RESOURCES {
        let block = client.resource_block(resource).await.unwrap();
        for attribute in block.attributes.iter().filter(|it| it.required || it.optional) {
            let config = with(&sample(resource), [(attribute.name.as_str(), Value::Unknown)]);
            stays_unknown(&mut client, resource, &block, config).await;
        }
        stays_unknown(&mut client, resource, &block, unknown_block(&block, Depth::Full)).await;
    }
}

async fn stays_unknown(client: &mut Client, resource: &str, block: &Block, config: Value) {
    let state = state_of(client, resource, &sample(resource)).await;
    for change in [Change::create(config.clone()), Change::update(state, config.clone())] {
        let planned = plan(client, resource, &change).await.state;
        let mut written = Vec::new();
        leaves(&super::schema::complete(block, &config), &Path::root(), &mut written);
        // What is never stored is planned as nothing.
        let kept = |path: &Path| {
            let written_only = block.attributes.iter().filter(|it| it.write_only);
            written_only.map(|it| Path::of(&it.name)).all(|hidden| hidden != *path)
        };
        for (path, value) in written {
            if value.is_unknown() && kept(&path) {
                let at = planned.at(&path).unwrap_or_else(|| panic!("nothing is planned at {path}"));
                assert!(at.is_unknown(), "{resource}.{path} is planned as {at:?}");
            }
        }
    }
}

/// What is left out of a host means this machine, whose Engine is dead here: whoever asks it in place of the host fails.
async fn unknown_host() {
    for unknown in ["address", "docker_host", "model_cache"] {
        let engine = if unknown == "model_cache" { "unix:///nowhere/other.sock".into() } else { Value::Null };
        let host = Value::object([("docker_host", engine), (unknown, Value::Unknown)]);
        let (_provider, mut client) = with_a_dead_host().await;
        let hosts = Value::object([("hosts", Value::object([("local", host)]))]);
        assert_eq!(client.configure(hosts).await.unwrap(), []);
        let config = with(&sample(DEPLOYMENT), [("model", "acme/tiny".into())]);
        let planned = client.plan(DEPLOYMENT, &Change::create(config)).await.unwrap();
        if unknown == "model_cache" {
            assert!(only_error(&planned.diagnostics).0.contains("/nowhere/other.sock"), "this host is known");
            continue;
        }
        assert_eq!(planned.diagnostics, [], "{unknown}");
        assert!(planned.state.get("model_path").is_unknown(), "the host decides where models are kept");
        assert!(planned.state.get("model_source").is_unknown(), "the host may have a copy");
    }
}

/// With one host, leaving `host` out means that one; a value that comes later may be another.
async fn unknown_host_attribute() {
    let (_provider, mut client) = with_a_dead_host().await;
    let config = with(&samples::deployment(), [("host", Value::Unknown)]);
    let planned = plan(&mut client, DEPLOYMENT, &Change::create(config)).await.state;
    assert!(planned.get("host").is_unknown() && planned.get("id").is_unknown(), "{planned:?}");
}

async fn destroy() {
    let (_without, mut client) = without_hosts().await;
    let (_dead, mut dead) = with_a_dead_host().await;
    for resource in RESOURCES {
        let state = state_of(&mut client, resource, &sample(resource)).await;
        let change = Change { private: b"kept".to_vec(), ..Change::destroy(state) };
        let planned = plan(&mut dead, resource, &change).await;
        assert!(planned.state.is_null() && planned.response.requires_replace.is_empty());
        assert_eq!(planned.response.planned_private, b"kept");
    }
}

async fn dead_host() {
    let (_without, mut client) = without_hosts().await;
    let (_dead, mut dead) = with_a_dead_host().await;
    for resource in RESOURCES {
        let state = state_of(&mut client, resource, &sample(resource)).await;
        let stopped = with(&sample(resource), [("desired_state", "stopped".into())]);
        for change in [Change::create(sample(resource)), Change::update(state.clone(), stopped)] {
            let planned = dead.plan(resource, &change).await.unwrap();
            let (said, at) = only_error(&planned.diagnostics);
            assert_eq!(at, "host", "{said}");
            assert!(said.contains("\"local\"") && said.contains("/nowhere/docker.sock"), "{said}");
        }
        // Nothing to do is nothing to ask.
        plan(&mut dead, resource, &Change::update(state, sample(resource))).await;
    }
}

async fn deferral() {
    let (_provider, mut client) = without_hosts().await;
    for allowed in [false, true] {
        client.capabilities.deferral_allowed = allowed;
        for resource in RESOURCES {
            let state = state_of(&mut client, resource, &sample(resource)).await;
            let block = client.resource_block(resource).await.unwrap();
            let open = unknown_block(&block, Depth::Full);
            for change in [
                Change::create(sample(resource)),
                Change::create(open.clone()),
                Change::update(state.clone(), open),
                Change::destroy(state),
            ] {
                let response = plan(&mut client, resource, &change).await.response;
                assert!(!response.legacy_type_system && response.deferred.is_none(), "{resource}");
            }
        }
    }
}
