//! What Terraform relies on and never shows: bytes of plans, private data, identities, answers to a stopped run,
//! requests to the Engine. Real deployments on a real Engine, driven by the test client of the `wire` tier; names begin
//! with the numbers of the rules that they check.

mod counting;
mod endings;
mod requests;
mod stage;

use terraform_provider_dynamo::tf_provider::value::{Path, Value};
use terraform_provider_dynamo::tf_provider::wire::tfplugin6::*;

use super::Case;
use super::world::{Bystander, containers, docker, inspect};
use crate::wire::client::{Change, decode, encode};
use crate::wire::samples::{DEPLOYMENT, WORKER, leaves, only_error, with};
use stage::{Stage, another_client, run};

pub const CASES: &[Case] = &[
    ("30_40_68_applied_as_planned_then_nothing_to_do", as_planned),
    ("33_plans_do_not_depend_on_the_moment", same_plan),
    ("43_49_50_58_read_and_delete", read_and_delete),
    ("43_what_is_in_use_is_kept", in_use),
    ("47_a_timeout_names_the_step", endings::timeout),
    ("53_requests_to_the_engine", requests::requests),
    ("54_55_import_by_id_and_by_identity", import),
    ("73_a_stopped_apply_ends_early_and_leaves_nothing", endings::stopped),
];

/// A value of `env` and of `engine_args`, to be found in no log.
const CANARY: &str = "canary-93ac";

/// Whatever was known in the plan is so in the state, and nothing is left open.
fn keeps_what_was_planned(planned: &Value, applied: &Value) {
    assert!(applied.is_wholly_known() && !applied.is_null());
    let (mut promised, mut open) = (Vec::new(), 0);
    leaves(planned, &Path::root(), &mut promised);
    for (path, value) in promised {
        match value {
            Value::Unknown => open += 1,
            Value::Map(_) | Value::List(_) => assert!(applied.at(&path).is_some(), "{path} is gone"),
            leaf => assert_eq!(applied.at(&path), Some(&leaf), "{path}"),
        }
    }
    assert!(open > 0, "apply decides something");
}

fn as_planned() {
    run(async {
        let mut stage = Stage::new().await;
        let env = Value::object([("CANARY", CANARY)]);
        let config = with(&stage.deployment(), [("env", env)]);
        let deployment = Change::create(config.clone());
        let (planned, applied) = stage.apply(DEPLOYMENT, &deployment).await;
        keeps_what_was_planned(&planned.state, &applied.state);
        let worker_config = stage.worker(&applied.state).await;
        let (planned, worker) = stage.apply(WORKER, &Change::create(worker_config.clone())).await;
        keeps_what_was_planned(&planned.state, &worker.state);

        // Worker first: its registration is of the past when the frontend is looked at.
        for (resource, config, state) in
            [(WORKER, &worker_config, &worker.state), (DEPLOYMENT, &config, &applied.state)]
        {
            let block = stage.client.resource_block(resource).await.unwrap();
            let request =
                read_resource::Request { current_state: Some(encode(&block, state)), ..Default::default() };
            let (read, _) = stage.read(resource, request).await;
            assert_eq!(&read, state, "{resource} is read as it was left");
            let again = stage.client.plan(resource, &Change::update(read, config.clone())).await.unwrap();
            assert_eq!(again.diagnostics, []);
            assert_eq!(again.response.planned_state, Some(encode(&block, state)), "{resource}");
            assert!(again.response.requires_replace.is_empty());
        }
        let frontend = &containers(&stage.scene.name, "frontend")[0];
        assert!(inspect(frontend, "{{json .Config.Env}}").contains(CANARY));
        stage.destroy(WORKER, &worker.state).await;
        stage.destroy(DEPLOYMENT, &applied.state).await;
        stage.scene.nothing_left();
        let log = stage.provider.shut_down().await.stderr;
        assert!(log.contains("served request") && !log.contains(CANARY), "{log}");
    });
}

/// Four processes, each asked twenty-five times, while other cases start and stop containers on the same Engine.
fn same_plan() {
    run(async {
        let stage = Stage::new().await;
        let change = Change::create(stage.deployment());
        let mut answers = Vec::new();
        for _ in 0..4 {
            let (_provider, mut client) = another_client().await;
            for _ in 0..25 {
                let planned = client.plan(DEPLOYMENT, &change).await.unwrap();
                assert_eq!(planned.diagnostics, []);
                answers.push(planned.response.planned_state);
            }
        }
        answers.dedup();
        assert_eq!(answers.len(), 1);
    });
}

fn read_and_delete() {
    run(async {
        let mut stage = Stage::new().await;
        let state = stage.create(DEPLOYMENT, &stage.deployment()).await;
        let block = stage.client.resource_block(DEPLOYMENT).await.unwrap();

        // An older version stored no identity: it is filled in, once and for all.
        let current =
            || read_resource::Request { current_state: Some(encode(&block, &state)), ..Default::default() };
        let (_, first) = stage.read(DEPLOYMENT, current()).await;
        assert!(first.new_identity.is_some() && first.private.is_empty());
        let request = read_resource::Request {
            private: b"\x00\xffkept".to_vec(),
            current_identity: first.new_identity.clone(),
            ..current()
        };
        let (_, second) = stage.read(DEPLOYMENT, request).await;
        assert_eq!((second.new_identity, second.private), (first.new_identity, b"\x00\xffkept".to_vec()));
        assert_eq!(second.deferred, None);

        for container in containers(&stage.scene.name, "frontend") {
            docker(&["rm", "--force", "--volumes", &container]);
        }
        // The provider shares what it saw for a moment; what somebody else did shows after it.
        let (_provider, mut fresh) = another_client().await;
        let gone = fresh.read(DEPLOYMENT, &state, b"").await.unwrap();
        assert!(gone.diagnostics.is_empty() && gone.state.is_null(), "{gone:?}");
        stage.destroy(DEPLOYMENT, &state).await;
        stage.destroy(DEPLOYMENT, &state).await;
        stage.scene.nothing_left();
    });
}

fn in_use() {
    run(async {
        let mut stage = Stage::new().await;
        let state = stage.create(DEPLOYMENT, &stage.deployment()).await;
        let network = state.get("network_name").as_str().unwrap().to_owned();
        let guest = Bystander::new(&format!("{}-guest", stage.scene.name), &["--network", &network]);
        let change = Change::destroy(state.clone());
        let planned = stage.client.plan(DEPLOYMENT, &change).await.unwrap();
        let refused = stage.client.apply(DEPLOYMENT, &change, &planned).await.unwrap();
        let (said, _) = only_error(&refused.diagnostics);
        assert!(said.contains(&network) && refused.state == state, "{said}");
        assert_eq!(inspect(&guest.name, "{{.State.Running}}"), "true");
        drop(guest);
        stage.destroy(DEPLOYMENT, &state).await;
        stage.scene.nothing_left();
    });
}

fn import() {
    run(async {
        let mut stage = Stage::new().await;
        let config = stage.deployment();
        let deployment = stage.create(DEPLOYMENT, &config).await;
        let worker_config = stage.worker(&deployment).await;
        let worker = stage.create(WORKER, &worker_config).await;
        for (resource, config, state) in [(DEPLOYMENT, config, &deployment), (WORKER, worker_config, &worker)]
        {
            let block = stage.client.resource_block(resource).await.unwrap();
            let request =
                read_resource::Request { current_state: Some(encode(&block, state)), ..Default::default() };
            let identity = stage.read(resource, request).await.1.new_identity;
            let by_id = import_resource_state::Request {
                type_name: resource.into(),
                id: state.get("id").as_str().unwrap().into(),
                ..Default::default()
            };
            let by_identity = import_resource_state::Request {
                type_name: resource.into(),
                identity: identity.clone(),
                ..Default::default()
            };
            for request in [by_id, by_identity] {
                let answer = stage.client.rpc.import_resource_state(request).await.unwrap().into_inner();
                assert_eq!((answer.diagnostics, answer.deferred), (vec![], None));
                let [imported] = &answer.imported_resources[..] else { panic!("not one object") };
                assert!(imported.type_name == resource && imported.identity == identity);
                assert!(decode(&block, imported.state.as_ref()).is_wholly_known());
                let request = read_resource::Request {
                    current_state: imported.state.clone(),
                    current_identity: imported.identity.clone(),
                    ..Default::default()
                };
                let (read, _) = stage.read(resource, request).await;
                assert_eq!(&read, state, "{resource} is imported as it was made");
                let change = Change::update(read, config.clone());
                let planned = stage.client.plan(resource, &change).await.unwrap();
                assert_eq!(planned.response.planned_state, Some(encode(&block, state)), "{resource}");
            }
            let absent = stage.client.import(resource, "local/acc-nobody-has-this-name").await.unwrap();
            let (said, _) = only_error(&absent.diagnostics);
            assert!(said.contains("acc-nobody-has-this-name") && absent.state.is_null(), "{said}");
        }
        // One is not taken for the other.
        let frontend = format!("{}-frontend", deployment.get("id").as_str().unwrap());
        let (said, _) = only_error(&stage.client.import(WORKER, &frontend).await.unwrap().diagnostics);
        assert!(said.contains("is the frontend of deployment"), "{said}");
        stage.destroy(WORKER, &worker).await;
        stage.destroy(DEPLOYMENT, &deployment).await;
        stage.scene.nothing_left();
    });
}
