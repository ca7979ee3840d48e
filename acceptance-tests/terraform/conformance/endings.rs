//! How an apply ends that is not left to end by itself: by its timeout, and by StopProvider.

use std::time::Instant;

use terraform_provider_dynamo::tf_provider::value::Value;

use super::stage::{Stage, run};
use crate::terraform::world::{containers, docker, inspect, wait_until};
use crate::wire::client::Change;
use crate::wire::samples::{DEPLOYMENT, only_error, with};

/// Made by `images.sh`: it runs and never answers.
const SILENT_IMAGE: &str = "dynamo-faults:silent";

fn silent_image() -> Value {
    let listed = docker(&["images", "--quiet", SILENT_IMAGE]);
    assert!(
        !listed.is_empty(),
        "image {SILENT_IMAGE} is not there: run acceptance-tests/lab/images.sh first"
    );
    SILENT_IMAGE.into()
}

pub fn timeout() {
    run(async {
        let mut stage = Stage::new().await;
        let timeouts = Value::object([("create", "2s")]);
        let version = ("dynamo_version", "1.6.1".into()); // which the tag does not say
        let config = with(&stage.deployment(), [("image", silent_image()), ("timeouts", timeouts), version]);
        let change = Change::create(config);
        let planned = stage.client.plan(DEPLOYMENT, &change).await.unwrap();
        assert_eq!(planned.diagnostics, []);
        let start = Instant::now();
        let failed = stage.client.apply(DEPLOYMENT, &change, &planned).await.unwrap();
        println!("a timeout of 2 s was over after {:?}", start.elapsed());
        let (said, _) = only_error(&failed.diagnostics);
        for words in [&stage.scene.name, "frontend", "not ready within 2 s", "thinking about it"] {
            assert!(said.contains(words), "{words:?} is not in: {said}");
        }
        assert!(failed.state.is_null());
        stage.scene.nothing_left();
    });
}

pub fn stopped() {
    run(async {
        let mut stage = Stage::new().await;
        let change = Change::create(with(&stage.deployment(), [("image", silent_image())]));
        let planned = stage.client.plan(DEPLOYMENT, &change).await.unwrap();
        let mut applying = stage.client.clone();
        let apply = tokio::spawn(async move { applying.apply(DEPLOYMENT, &change, &planned).await.unwrap() });
        let name = stage.scene.name.clone();
        tokio::task::spawn_blocking(move || wait_until("it waits", || is_running(&name))).await.unwrap();
        let start = Instant::now();
        assert_eq!(stage.client.stop().await.unwrap(), "");
        println!("StopProvider was answered after {:?}", start.elapsed());
        let ended = apply.await.unwrap();
        println!("the apply was over {:?} after it", start.elapsed());
        let (said, _) = only_error(&ended.diagnostics);
        assert!(said.contains("cancelled while waiting for container"), "{said}");
        assert!(ended.state.is_null());
        stage.scene.nothing_left();
        stage.client.get_schema().await.unwrap();
    });
}

/// The container that the deployment waits for is running.
fn is_running(deployment: &str) -> bool {
    let found = containers(deployment, "frontend");
    found.first().is_some_and(|container| inspect(container, "{{.State.Running}}") == "true")
}
