//! What works: create, use, change, grow, shrink, stop, import, destroy.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::{
    Case,
    harness::Scene,
    report::State,
    world::{Client, containers, docker, inspect, wait_until},
};

pub const CASES: &[Case] = &[
    ("quickstart", quickstart),
    ("every_router_mode_answers_and_keeps_the_workers", every_router_mode),
    ("workers_grow_and_shrink", workers_grow_and_shrink),
    ("a_rolling_change_fails_no_request", a_rolling_change_fails_no_request),
    ("stopped_and_running_again", stopped_and_running_again),
    ("import_then_an_empty_plan", import_then_an_empty_plan),
    ("a_generated_name_stays", a_generated_name_stays),
    ("docker_options_reach_the_containers", docker_options),
    ("another_model_rolls_through", another_model),
    ("a_model_of_the_hub_comes_from_the_hosts_cache", model_of_the_hub),
];

const DEPLOYMENT: &str = "dynamo_deployment.chat";
const FIRST_WORKER: &str = "dynamo_worker.chat[0]";

fn client(state: &State) -> Client {
    Client::new(&state.text(DEPLOYMENT, "endpoint"))
}

fn quickstart() {
    let scene = Scene::of_case("quickstart");
    scene.terraform(&["validate", "-no-color"]).succeeds();
    let state = scene.settle();
    client(&state).chats();
    assert_eq!(client(&state).workers().len(), 2);
    assert_eq!(state.text(DEPLOYMENT, "id"), format!("local/{}", scene.name));
    assert_eq!(state.text(DEPLOYMENT, "status"), "running");
    assert_eq!(state.text(FIRST_WORKER, "status"), "running");
    assert_eq!(state.get(FIRST_WORKER, "registered"), true);
    let shown = state.get(DEPLOYMENT, "containers");
    let frontend = shown.as_object().into_iter().flatten().next().map(|(_, container)| container.clone());
    assert_eq!(frontend.unwrap_or_default()["state"], "running", "{shown}");
    // The frontend has no login: only this machine may reach it unless the user says otherwise.
    assert!(state.text(DEPLOYMENT, "endpoint").starts_with("http://127.0.0.1:"));
    scene.end();
}

fn every_router_mode() {
    let mut scene = Scene::of_case("quickstart");
    let mut workers = Vec::new();
    for mode in
        ["round-robin", "random", "kv", "power-of-two", "least-loaded", "device-aware-weighted", "direct"]
    {
        scene.set("router", mode);
        let mut client = client(&scene.settle());
        wait_until("the frontend knows both workers", || client.workers().len() == 2);
        if mode == "direct" {
            client.worker = client.workers().into_iter().next();
        }
        client.chats();
        let now = containers(&scene.name, "worker");
        assert!(workers.is_empty() || workers == now, "{mode}: the workers were replaced");
        workers = now;
    }
    scene.end();
}

fn workers_grow_and_shrink() {
    let mut scene = Scene::of_case("quickstart");
    let mut before = Vec::new();
    for count in [1, 2, 1] {
        scene.set("workers", &count.to_string());
        let client = client(&scene.settle());
        assert_eq!(client.workers().len(), count);
        client.chats();
        let now = containers(&scene.name, "worker");
        assert_eq!(now.len(), count);
        let kept = now.iter().filter(|id| before.contains(*id)).count();
        assert_eq!(kept, before.len().min(count), "a worker was replaced on the way to {count}");
        before = now;
    }
    scene.end();
}

/// Both workers are replaced while a client asks without pause.
fn a_rolling_change_fails_no_request() {
    let mut scene = Scene::of_case("quickstart");
    let client = client(&scene.settle());
    let before = containers(&scene.name, "worker");
    let stop = Arc::new(AtomicBool::new(false));
    let load = thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            let mut asked = 0;
            while !stop.load(Ordering::Relaxed) {
                let answer =
                    client.try_chat(asked % 2 == 0).map_err(|error| format!("request {asked}: {error}"))?;
                if answer.status != 200 {
                    return Err(format!("request {asked}: {answer:?}"));
                }
                asked += 1;
            }
            Ok(asked)
        }
    });
    scene.set("engine_args", r#"{ max-num-seqs = "128" }"#);
    let applied = scene.apply();
    stop.store(true, Ordering::Relaxed);
    let asked = load.join().unwrap();
    applied.succeeds();
    assert!(asked.as_ref().is_ok_and(|count| *count > 10), "{asked:?}");
    let now = containers(&scene.name, "worker");
    assert!(now.len() == 2 && now.iter().all(|id| !before.contains(id)), "the workers were not replaced");
    assert!(inspect(&now[0], "{{json .Args}} {{json .Config.Cmd}}").contains("--max-num-seqs"));
    scene.plan().is_empty();
    scene.end();
}

fn stopped_and_running_again() {
    let mut scene = Scene::of_case("quickstart");
    scene.settle();
    let all = format!("label=io.dynamo-terraform.deployment={}", scene.name);
    let frontend = containers(&scene.name, "frontend");
    scene.set("desired_state", "stopped");
    let state = scene.settle();
    assert_eq!(state.text(DEPLOYMENT, "status"), "stopped");
    assert_eq!(docker(&["ps", "--quiet", "--filter", &all]), "", "something still runs");
    assert_eq!(containers(&scene.name, "frontend"), frontend, "the environment must be kept");
    // What is stopped can be changed, and grow, without being started for long.
    scene.set("workers", "3");
    scene.set("engine_args", r#"{ max-num-seqs = "64" }"#);
    scene.settle();
    assert_eq!(docker(&["ps", "--quiet", "--filter", &all]), "", "something runs again");
    assert_eq!(containers(&scene.name, "worker").len(), 3);
    scene.set("desired_state", "running");
    let client = client(&scene.settle());
    client.chats();
    assert_eq!(client.workers().len(), 3);
    scene.end();
}

fn import_then_an_empty_plan() {
    let mut scene = Scene::of_case("quickstart");
    scene.set("workers", "1");
    let state = scene.settle();
    for address in [DEPLOYMENT, FIRST_WORKER] {
        let id = state.text(address, "id");
        scene.terraform(&["state", "rm", address]).succeeds();
        scene.terraform(&["import", "-input=false", "-no-color", address, &id]).succeeds();
    }
    scene.plan().is_empty();
    client(&scene.state()).chats();
    scene.terraform(&["state", "rm", DEPLOYMENT]).succeeds();
    scene
        .terraform(&["import", "-input=false", "-no-color", DEPLOYMENT, "local/acc-there-is-no-such-thing"])
        .fails()
        .says("acc-there-is-no-such-thing");
    let id = state.text(DEPLOYMENT, "id");
    scene.terraform(&["import", "-input=false", "-no-color", DEPLOYMENT, &id]).succeeds();
    scene.end();
}

fn a_generated_name_stays() {
    let configuration = |log: &str| {
        format!(
            r#"
resource "dynamo_deployment" "chat" {{
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  env               = {{ DYN_LOG = "{log}" }}
}}
"#
        )
    };
    let mut scene = Scene::new(&configuration("info"));
    let name = scene.settle().text(DEPLOYMENT, "name");
    scene.name.clone_from(&name);
    assert!(!name.is_empty());
    scene.write(&configuration("warn"));
    assert_eq!(scene.settle().text(DEPLOYMENT, "name"), name);
    scene.end();
}

fn docker_options() {
    let mut scene = Scene::of_case("docker_options");
    let folder = scene.path().to_str().unwrap().to_owned();
    scene.set("folder", &folder);
    let state = scene.settle();
    client(&state).chats();
    let (frontend, worker) = (&containers(&scene.name, "frontend")[0], &containers(&scene.name, "worker")[0]);
    let of = |container: &str, format: &str| inspect(container, format);
    for container in [frontend, worker] {
        assert_eq!(of(container, "{{.HostConfig.ShmSize}}"), (128 << 20).to_string());
        assert_eq!(of(container, "{{json .HostConfig.ExtraHosts}}"), r#"["registry.internal:10.9.8.7"]"#);
        assert_eq!(of(container, r#"{{index .Config.Labels "team"}}"#), "blue");
        assert_eq!(of(container, "{{.HostConfig.Init}}"), "true");
        let mounts = of(container, "{{json .HostConfig.Mounts}}");
        assert!(
            mounts.contains(&format!(r#""Source":"{folder}","Target":"/data/shared","ReadOnly":true"#)),
            "{mounts}"
        );
        let ulimits = of(container, "{{json .HostConfig.Ulimits}}");
        assert!(ulimits.contains(r#""Name":"nofile""#) && ulimits.contains("8192"), "{ulimits}");
    }
    assert_eq!(of(frontend, "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}"), "805306368 500000000");
    assert_eq!(of(worker, "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}"), "0 0");
    assert_eq!(of(worker, r#"{{index .Config.Labels "shift"}}"#), "night");
    assert!(of(frontend, "{{json .Config.Env}}").contains(r#""GREETING=hello, \"world\" = $HOME""#));
    assert!(of(worker, "{{json .Config.Env}}").contains(r#""GREETING=good evening""#));
    let command = of(worker, "{{json .Config.Cmd}}");
    assert!(
        command.contains(r#""--enable-prefix-caching""#) && command.contains(r#""--max-num-seqs","32""#),
        "{command}"
    );
    // A label can only be had by a new container, and the workers carry the deployment's labels too.
    scene.set("team", "green");
    scene.settle();
    for component in ["frontend", "worker"] {
        let container = &containers(&scene.name, component)[0];
        assert_eq!(of(container, r#"{{index .Config.Labels "team"}}"#), "green");
    }
    scene.end();
}

/// Dynamo refuses a worker with another model beside the old one in the same namespace; a change of model must roll.
fn another_model() {
    let mut scene = Scene::of_case("quickstart");
    client(&scene.settle()).chats();
    let copy = scene.path().join("Other-Chat-0.1B");
    let source = super::harness::model_folder();
    std::fs::create_dir(&copy).unwrap();
    for file in std::fs::read_dir(source).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    scene.set("model", copy.to_str().unwrap());
    client(&scene.settle()).chats();
    for worker in containers(&scene.name, "worker") {
        assert!(inspect(&worker, "{{json .Config.Cmd}}").contains("Other-Chat-0.1B"));
    }
    scene.end();
}

/// The image is offline, so a model that is served by its hub name came from the cache that the host has.
fn model_of_the_hub() {
    let mut scene = Scene::of_case("quickstart");
    let cache = super::harness::model_folder().join("../..").canonicalize().unwrap();
    scene.provider(&format!(
        r#"provider "dynamo" {{
  hosts = {{
    local = {{ model_cache = {cache:?} }}
  }}
}}"#
    ));
    scene.set("model", "acme/Tiny-Chat-0.1B");
    let state = scene.settle();
    client(&state).chats();
    assert_eq!(state.text(DEPLOYMENT, "model_source"), "local");
    assert!(state.text(DEPLOYMENT, "model_path").starts_with(cache.to_str().unwrap()));
    scene.end();
}
