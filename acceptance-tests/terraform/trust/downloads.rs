//! Downloads of two who know nothing of each other, and a container of a stranger under the name of one.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use super::super::{
    Case,
    harness::Scene,
    models::{Hub, NAME},
    world::{Bystander, docker, inspect, wait_until},
};

pub const CASES: &[Case] = &[
    ("a_strangers_container_is_left_alone", a_strangers_container),
    ("two_configurations_do_not_end_each_others_download", two_configurations),
];

/// A download into a cache of the scene's own.
pub fn scene(hub: &Hub) -> Scene {
    let scene = Scene::new(&format!(
        "resource \"dynamo_model\" \"hub\" {{\n  name  = {NAME:?}\n  image = \"dynamo-hub:local\"\n  source {{\n    huggingface = true\n    \
         endpoint    = \"http://127.0.0.1:{}\"\n    token       = {:?}\n  }}\n}}\n",
        hub.port,
        super::super::models::TOKEN
    ));
    let cache = scene.path().join("hf");
    scene.provider(&format!(
        "provider \"dynamo\" {{\n  hosts = {{ here = {{ model_cache = {cache:?} }} }}\n}}"
    ));
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).unwrap();
    scene
}

/// What every version so far has called it.
fn usual_name() -> String {
    let script = format!("printf %s {NAME} | sha256sum | head -c 12");
    format!("dynamo-model-{}", super::sh(&script))
}

fn a_strangers_container() {
    let hub = Hub::start();
    let scene = scene(&hub);
    let stranger = Bystander::new(&usual_name(), &[]);
    let id = inspect(&stranger.name, "{{.Id}}");
    let outcome = scene.apply();
    let now = docker(&["ps", "--no-trunc", "--quiet", "--filter", &format!("name=^/{}$", stranger.name)]);
    assert_eq!(now, id, "the stranger's container was removed\n{outcome}");
    scene.destroy().succeeds();
    assert_eq!(inspect(&stranger.name, "{{.State.Running}}"), "true");
}

/// Containers of downloads that run, by id.
fn running() -> Vec<String> {
    let listed = docker(&["ps", "--no-trunc", "--quiet", "--filter", "name=dynamo-model-"]);
    listed.lines().map(str::to_owned).collect()
}

/// Starts an apply, and stops its download as soon as it runs. (Nobody else downloads meanwhile: its mount tells.)
fn paused(scene: &Scene) -> (std::process::Child, String) {
    let apply = scene.start_apply();
    let cache = scene.path().join("hf").display().to_string();
    let mut found = None;
    wait_until("the download runs", || {
        found = running().into_iter().find(|id| {
            let mounts =
                Command::new("docker").args(["inspect", "--format", "{{json .Mounts}}", id]).output();
            mounts.is_ok_and(|it| String::from_utf8_lossy(&it.stdout).contains(&cache))
        });
        found.as_ref().is_some_and(|id| {
            Command::new("docker").args(["pause", id]).output().is_ok_and(|it| it.status.success())
        })
    });
    (apply, found.unwrap())
}

fn two_configurations() {
    let hub = Hub::start();
    let (first, second) = (scene(&hub), scene(&hub));
    let (mut apply, container) = paused(&first);
    let outcome = second.apply();
    let unpaused = Command::new("docker").args(["unpause", &container]).output().unwrap();
    let status = apply.wait().unwrap();
    assert!(unpaused.status.success(), "the first download was ended\n{outcome}");
    assert!(status.success(), "{}", first.apply_log());
    outcome.succeeds();
    first.destroy().succeeds();
    second.destroy().succeeds();
}
