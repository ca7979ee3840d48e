//! How often a refresh asks the Engine.

use std::process::Command;

use terraform_provider_dynamo::container::labels::Ownership;
use terraform_provider_dynamo::tf_provider::value::Value;

use super::counting::CountingEngine;
use super::stage::{Stage, configured, run};
use crate::terraform::harness::BYSTANDER_IMAGE;
use crate::terraform::world::docker;
use crate::wire::client::Change;
use crate::wire::samples::{DEPLOYMENT, WORKER, with};

/// A refresh asks a constant number of times per worker, and what is not ours costs nothing. Other cases have containers
/// on the Engine too, so the numbers are bounds and not equalities.
pub fn requests() {
    run(async {
        let mut stage = Stage::new().await;
        let engine = CountingEngine::start().await;
        let planned = planned_worker(&mut stage).await;
        let name = stage.scene.name.clone();
        let mut states = vec![stand_in(&planned, &name, 0)];
        let one = refresh(&engine, &states).await;
        states.extend((1..10).map(|number| stand_in(&planned, &name, number)));
        let ten = refresh(&engine, &states).await;
        let strangers: Vec<String> = (0..10).map(|n| format!("{name}-stranger-{n}")).collect();
        let _strangers: Vec<Stranger> = strangers.iter().map(|name| Stranger::new(name)).collect();
        let beside = refresh(&engine, &states[..1]).await;
        let one_of_ten = refresh(&engine, &states[..1]).await;
        println!(
            "requests: 1 worker {one}, 10 workers {ten}, 1 of 10 {one_of_ten}, beside 10 strangers {beside}"
        );
        assert!(ten <= 10 * one, "{one} requests for one worker, {ten} for ten");
        assert!(beside < one_of_ten + 10, "{one_of_ten} requests, {beside} beside ten strangers");
    });
}

async fn planned_worker(stage: &mut Stage) -> Value {
    let config = with(&stage.deployment(), [("host", "local".into())]);
    let deployment = stage.client.plan(DEPLOYMENT, &Change::create(config)).await.unwrap().state;
    let config = stage.worker(&deployment).await;
    let planned = stage.client.plan(WORKER, &Change::create(config)).await.unwrap();
    assert_eq!(planned.diagnostics, []);
    planned.state
}

/// The state of a worker whose container was never started, which is all that a refresh looks at.
fn stand_in(planned: &Value, deployment: &str, number: usize) -> Value {
    let container = format!("{deployment}-decode-stan0{number}");
    let owner = Ownership {
        deployment: deployment.into(),
        component: "worker".into(),
        role: Some("decode".into()),
        run: "test".into(),
        spec: String::new(),
    };
    let labels = owner.to_labels().into_iter().map(|(key, value)| format!("--label={key}={value}"));
    let labels: Vec<String> = labels.collect();
    let mut command = vec!["create", "--name", &container];
    command.extend(labels.iter().map(String::as_str));
    command.push(BYSTANDER_IMAGE);
    docker(&command);
    let made = [
        ("container", Value::from(container.as_str())),
        ("id", format!("local/{container}").into()),
        ("image_id", "none".into()),
        ("registered", true.into()),
    ];
    with(planned, made)
}

/// Reads all of them at once in a process of its own, and gives the number of requests that it made.
async fn refresh(engine: &CountingEngine, states: &[Value]) -> usize {
    let (_provider, mut client) = configured(Some(engine.address())).await;
    client.schemas().await.unwrap();
    let before = engine.requests();
    let reads = states.iter().map(|state| {
        let (mut client, state) = (client.clone(), state.clone());
        async move { client.read(WORKER, &state, b"").await.unwrap() }
    });
    for read in futures_util::future::join_all(reads).await {
        assert!(read.diagnostics.is_empty() && !read.state.is_null(), "{read:?}");
    }
    engine.requests() - before
}

/// A container of somebody else's, never started.
struct Stranger(String);

impl Stranger {
    fn new(name: &str) -> Self {
        let stranger = Self(name.to_owned());
        docker(&["create", "--name", name, BYSTANDER_IMAGE]);
        stranger
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", &self.0]).output();
    }
}
