//! How an apply ends that is not left to end by itself: by its timeout, by StopProvider, by Ctrl-C; and how processes end
//! when there are many.

use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use terraform_provider_dynamo::tf_provider::value::Value;

use super::stage::{Stage, run};
use crate::terraform::harness::Scene;
use crate::terraform::world::{containers, descendants, docker, inspect, wait_until};
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
        let config = with(&stage.deployment(), [("image", silent_image()), ("timeouts", timeouts)]);
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

/// Ctrl-C reaches Terraform and its providers alike: Terraform stops the run, and what it then believes is so.
pub fn interrupted() {
    let configuration = format!(
        r#"
resource "dynamo_deployment" "chat" {{
  name              = var.name
  engine            = "mocker"
  image             = "{}"
  image_pull_policy = "never"
  model             = var.model
}}
"#,
        silent_image().as_str().unwrap()
    );
    let scene = Scene::new(&configuration);
    let mut apply = scene.start_apply();
    wait_until("it waits", || is_running(&scene.name));
    for process in descendants(apply.id()) {
        let process = Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
        let _ = kill_process(process, Signal::INT);
    }
    let status = apply.wait().unwrap();
    assert_eq!(status.code(), Some(1), "an orderly failure: {status}");
    let state = scene.terraform(&["state", "list"]);
    assert_eq!(state.stdout, "", "{state}");
    scene.nothing_left();
}

pub fn many() {
    let mut scene = Scene::of_case("quickstart");
    scene.set("workers", "19");
    scene.environment("TF_LOG", "trace");
    for command in ["apply", "destroy"] {
        let arguments = [command, "-auto-approve", "-input=false", "-no-color", "-parallelism=30"];
        let outcome = scene.terraform(&arguments).succeeds();
        // The provider's own lines are among them, so this is the log that would tell.
        assert!(
            outcome.stderr.contains("served request") && outcome.stderr.contains("plugin process exited")
        );
        assert!(!outcome.stderr.contains("plugin failed to exit gracefully"), "{command}");
        if command == "apply" {
            assert_eq!(containers(&scene.name, "worker").len(), 19);
        }
    }
    scene.nothing_left();
}
