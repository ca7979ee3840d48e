//! What breaks around the provider, or breaks the provider: the error helps, nothing is lost, the next apply heals.

use std::{fs, os::unix::fs::PermissionsExt, os::unix::net::UnixListener};

use super::{
    Case,
    harness::{DYING_IMAGE, Scene},
    world::{Client, containers, docker, inspect, kill_providers, wait_until},
};

pub const CASES: &[Case] = &[
    ("no_engine_answers", no_engine_answers),
    ("socket_without_permission", socket_without_permission),
    ("image_that_dies_at_once", image_that_dies_at_once),
    ("image_without_python", image_without_python),
    ("worker_of_a_deployment_that_is_gone", worker_of_a_deployment_that_is_gone),
    ("provider_killed_in_apply", provider_killed_in_apply),
    ("provider_killed_while_a_worker_starts", provider_killed_while_a_worker_starts),
];

const DEPLOYMENT: &str = "dynamo_deployment.chat";

/// A plan that cannot reach Docker through `socket` names the host, the socket and the cause, and never hangs.
fn refused_through(scene: &mut Scene, socket: &std::path::Path, cause: &str) {
    scene.environment("DOCKER_HOST", &format!("unix://{}", socket.display()));
    scene
        .terraform(&["plan", "-input=false", "-no-color"])
        .fails()
        .says("local")
        .says(&socket.display().to_string())
        .says(cause);
}

fn no_engine_answers() {
    let mut scene = Scene::of_case("quickstart");
    let socket = scene.path().join("dead.sock");
    drop(UnixListener::bind(&socket).unwrap()); // the file stays, nobody listens
    refused_through(&mut scene, &socket, "the docker daemon is not running");
    let absent = scene.path().join("absent.sock");
    refused_through(&mut scene, &absent, "there is no docker socket");
}

fn socket_without_permission() {
    let mut scene = Scene::of_case("quickstart");
    let socket = scene.path().join("root.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o000)).unwrap();
    // Mode 0 keeps everybody out but root, so root becomes somebody else.
    if rustix::process::geteuid().is_root() {
        scene.become_nobody();
    }
    refused_through(&mut scene, &socket, "this user may not open");
}

/// The error carries the exit code and the last words of the process, and nothing stays behind.
fn image_that_dies_at_once() {
    let mut scene = Scene::of_case("quickstart");
    scene.set("image", DYING_IMAGE);
    scene.apply().fails().says("3").says("no such luck: out of everything");
    scene.end();
}

/// The container cannot even start.
fn image_without_python() {
    let mut scene = Scene::of_case("quickstart");
    scene.set("image", super::harness::BYSTANDER_IMAGE);
    scene.apply().fails().says("python3").says(&scene.name);
    scene.end();
}

/// Terraform has not looked (`-refresh=false`) and wants a second worker beside what is no longer there.
fn worker_of_a_deployment_that_is_gone() {
    let mut scene = Scene::of_case("quickstart");
    scene.set("workers", "1");
    scene.settle();
    for container in [containers(&scene.name, "worker"), containers(&scene.name, "frontend")].concat() {
        docker(&["rm", "--force", "--volumes", &container]);
    }
    scene.set("workers", "2");
    scene
        .terraform(&["apply", "-refresh=false", "-auto-approve", "-input=false", "-no-color"])
        .fails()
        .says(&scene.name)
        .says("deployment = dynamo_deployment.chat"); // the line at fault
    let state = scene.settle();
    Client::new(&state.text(DEPLOYMENT, "endpoint")).chats();
    scene.end();
}

/// Killed the moment its first container exists: the next apply finishes the work, and no container is left over.
fn provider_killed_in_apply() {
    let scene = Scene::of_case("quickstart");
    let mut apply = scene.start_apply();
    wait_until("the first container exists", || !containers(&scene.name, "frontend").is_empty());
    let killed = kill_providers(apply.id());
    let ended = apply.wait().unwrap();
    assert!(killed > 0 && !ended.success(), "killed {killed} providers, and apply ended with {ended}");
    let state = scene.settle();
    Client::new(&state.text(DEPLOYMENT, "endpoint")).chats();
    assert_eq!(containers(&scene.name, "frontend").len(), 1);
    assert_eq!(containers(&scene.name, "worker").len(), 2);
    scene.end();
}

/// A worker that nobody's state knows would serve for ever. The next plan says that it is there, and the apply removes it.
fn provider_killed_while_a_worker_starts() {
    let scene = Scene::of_case("quickstart");
    let mut apply = scene.start_apply();
    let unfinished = || {
        let named = containers(&scene.name, "worker").into_iter().map(|id| inspect(&id, "{{.Name}}"));
        named.filter(|name| name.ends_with("--starting")).count()
    };
    wait_until("a worker is being started", || unfinished() > 0);
    assert!(kill_providers(apply.id()) > 0, "no provider ran");
    assert!(!apply.wait().unwrap().success(), "apply must notice that its provider is gone");
    assert!(unfinished() > 0, "there must be something to find");
    let plan = scene.plan();
    let (drift, after) = plan.change(DEPLOYMENT).of("drift");
    assert!(drift.to_string().contains("--starting"), "the plan says nothing of it: {drift}");
    assert_eq!(after, serde_json::json!([]));
    let state = scene.settle();
    Client::new(&state.text(DEPLOYMENT, "endpoint")).chats();
    assert_eq!((containers(&scene.name, "worker").len(), unfinished()), (2, 0));
    scene.end();
}
