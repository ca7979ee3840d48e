//! Older releases of Dynamo, for real: served, and upgraded to the newest.
//!
//! Their images take minutes to build and 400 MB each, so these cases run only when they are asked for: `make test-releases`.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::{
    Case,
    harness::{IMAGE, Scene, model_folder},
    world::{Client, containers, inspect, wait_until},
};

pub const CASES: &[Case] = &[
    ("1.0.2", || release("1.0.2")),
    ("1.1.1", || release("1.1.1")),
    ("1.2.1", || release("1.2.1")),
    ("1.3.1", || release("1.3.1")),
    ("1.4.2", || release("1.4.2")),
    ("1.5.1", || release("1.5.1")),
    ("upgraded_under_load", upgraded_under_load),
];

const DEPLOYMENT: &str = "dynamo_deployment.chat";
const MODEL: &str = "acme/Tiny-Chat-0.1B";
const NEWEST: &str = "1.6.1";

fn scene_of(version: &str) -> Scene {
    let image = format!("dynamo-mocker:{version}");
    let there = Command::new("docker").args(["image", "inspect", &image]).output();
    assert!(
        there.is_ok_and(|output| output.status.success()),
        "image {image} is not there: run acceptance-tests/lab/images.sh {version} first"
    );
    let mut scene = Scene::of_case("releases");
    let cache = model_folder().join("../..").canonicalize().unwrap();
    scene.set("cache", cache.to_str().unwrap());
    scene.set("model", MODEL);
    scene.set("image", &image);
    scene.set("dynamo_version", version);
    scene
}

fn client_of(scene: &Scene) -> Client {
    let mut client = Client::new(&scene.state().text(DEPLOYMENT, "endpoint"));
    client.model = MODEL.to_owned();
    client
}

fn to_the_newest(scene: &mut Scene) {
    scene.set("image", IMAGE);
    scene.set("dynamo_version", NEWEST);
}

/// All containers are of `image`.
fn assert_all_of(scene: &Scene, image: &str) {
    for component in ["frontend", "worker"] {
        let found = containers(&scene.name, component);
        assert_eq!(found.len(), if component == "worker" { 2 } else { 1 });
        for container in found {
            assert_eq!(inspect(&container, "{{.Config.Image}}"), image);
        }
    }
}

/// Applied, asked, planned again, upgraded as an update in place of every resource, asked again, destroyed.
fn release(version: &str) {
    let mut scene = scene_of(version);
    scene.settle();
    let client = client_of(&scene);
    client.chats();
    wait_until("the frontend knows both workers", || client.workers().len() == 2);
    assert_all_of(&scene, &format!("dynamo-mocker:{version}"));
    // NATS is there for the release that does not start without it, and goes with the upgrade.
    assert_eq!(containers(&scene.name, "nats").len(), usize::from(version.starts_with("1.0.")));

    to_the_newest(&mut scene);
    let plan = scene.plan();
    let changes = plan.json["resource_changes"].as_array().cloned().unwrap_or_default();
    assert_eq!(changes.len(), 3, "{}", plan.text);
    for change in changes {
        assert_eq!(change["change"]["actions"], serde_json::json!(["update"]), "{}", plan.text);
    }
    scene.settle();
    client_of(&scene).chats();
    assert_all_of(&scene, IMAGE);
    assert!(containers(&scene.name, "nats").is_empty());
    scene.end();
}

/// The new frontend serves the old workers until they are replaced: requests fail while it takes the old one's place, and
/// at no other time.
fn upgraded_under_load() {
    let mut scene = scene_of("1.5.1");
    scene.settle();
    let client = client_of(&scene);
    wait_until("the frontend knows both workers", || client.workers().len() == 2);
    let stop = Arc::new(AtomicBool::new(false));
    let load = thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            let mut answers = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                answers
                    .push(client.try_chat(answers.len() % 2 == 0).is_ok_and(|answer| answer.status == 200));
            }
            answers
        }
    });
    to_the_newest(&mut scene);
    let applied = scene.apply();
    stop.store(true, Ordering::Relaxed);
    let answers = load.join().unwrap();
    applied.succeeds();
    let gaps = answers.windows(2).filter(|pair| pair[0] && !pair[1]).count();
    assert!(gaps <= 1, "requests failed at {gaps} different times");
    assert!(answers.last() == Some(&true) && answers.len() > 20, "{} answers", answers.len());
    assert_all_of(&scene, IMAGE);
    scene.plan().is_empty();
    scene.end();
}
