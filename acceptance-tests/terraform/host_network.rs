//! `network = "host"`: frontend and etcd on one host, workers on both, nothing between them but addresses and ports.

use serde_json::Value;

use super::{
    Case,
    harness::Scene,
    report::State,
    world::{Client, containers, docker, free_port, inspect, wait_until},
};

pub const CASES: &[Case] = &[
    ("two_hosts_serve_one_model", two_hosts_serve_one_model),
    ("a_lost_etcd_is_made_again_and_workers_come_back", lost_etcd),
    ("hosts_that_cannot_meet_are_told_at_plan", hosts_that_cannot_meet),
];

const DEPLOYMENT: &str = "dynamo_deployment.chat";
const WORKERS: [&str; 2] = [r#"dynamo_worker.chat["gpu-a"]"#, r#"dynamo_worker.chat["gpu-b"]"#];

fn client(state: &State) -> Client {
    Client::new(&state.text(DEPLOYMENT, "endpoint"))
}

/// What listens at the port of this URL, if anything does.
fn answers(address: &str) -> bool {
    std::net::TcpStream::connect(address).is_ok()
}

fn two_hosts_serve_one_model() {
    let mut scene = Scene::of_case("host_network");
    let state = scene.settle();
    client(&state).chats();
    assert_eq!(client(&state).workers().len(), 2);
    assert_eq!(state.text(DEPLOYMENT, "discovery"), "etcd");
    assert_eq!(state.get(DEPLOYMENT, "network_name"), Value::Null);
    let etcd = state.text(DEPLOYMENT, "services.etcd");
    assert!(etcd.starts_with("127.0.0.11:") && answers(&etcd), "{etcd}");
    // Each process is at the address of its host and nowhere else.
    assert!(!answers(&etcd.replace("127.0.0.11", "127.0.0.1")), "etcd listens at other addresses too");
    for (worker, address) in WORKERS.iter().zip(["127.0.0.11", "127.0.0.12"]) {
        let ports = state.get(worker, "ports");
        for name in ["rpc", "system"] {
            assert!(answers(&format!("{address}:{}", ports[name])), "{worker}: {name} of {ports}");
        }
    }
    let all = [containers(&scene.name, "frontend"), containers(&scene.name, "etcd")].concat();
    assert_eq!(all.len(), 2);
    for container in &all {
        assert_eq!(inspect(container, "{{.HostConfig.NetworkMode}}"), "host");
    }

    // Ports and addresses are on the labels too.
    for address in [DEPLOYMENT, WORKERS[0], WORKERS[1]] {
        let id = state.text(address, "id");
        scene.terraform(&["state", "rm", address]).succeeds();
        scene.terraform(&["import", "-input=false", "-no-color", address, &id]).succeeds();
    }
    scene.plan().is_empty();
    assert_eq!(scene.state().get(WORKERS[1], "ports"), state.get(WORKERS[1], "ports"));

    // A change rolls: the new worker has ports of its own beside the old one, and etcd is left alone.
    let before = containers(&scene.name, "worker");
    scene.set("engine_args", r#"{ max-num-seqs = "128" }"#);
    let rolled = scene.settle();
    client(&rolled).chats();
    let now = containers(&scene.name, "worker");
    assert!(now.len() == 2 && now.iter().all(|id| !before.contains(id)), "the workers were not replaced");
    assert_eq!(rolled.text(DEPLOYMENT, "services.etcd"), etcd);
    assert_ne!(rolled.get(WORKERS[0], "ports"), state.get(WORKERS[0], "ports"));
    assert_eq!([containers(&scene.name, "frontend"), containers(&scene.name, "etcd")].concat(), all);

    scene.end();
    assert!(!answers(&etcd), "etcd still listens");
}

/// Nobody is told: the frontend is started again by the provider, and workers by Docker, once they have given up.
fn lost_etcd() {
    let scene = Scene::of_case("host_network");
    let state = scene.settle();
    docker(&["rm", "--force", &containers(&scene.name, "etcd")[0]]);
    let plan = scene.plan();
    assert!(plan.changed().contains(&DEPLOYMENT), "{:?}", plan.changed());
    assert_eq!(plan.change(DEPLOYMENT).of("status"), ("missing".into(), "running".into()));
    scene.apply().succeeds();
    let client = client(&state);
    wait_until("both workers are back", || client.workers().len() == 2);
    client.chats();
    scene.settle();
    scene.end();
}

fn hosts_that_cannot_meet() {
    let mut scene = Scene::of_case("host_network");
    let plan = |scene: &Scene| scene.terraform(&["plan", "-input=false", "-no-color"]);
    scene.provider(r#"provider "dynamo" { hosts = { gpu-a = {}, gpu-b = {} } }"#);
    let configuration = std::fs::read_to_string(scene.path().join("main.tf")).unwrap();
    let (before, rest) = configuration.split_once("provider \"dynamo\"").unwrap();
    let (_, resources) = rest.split_once("\n}\n").unwrap();
    let bare = format!("{before}{resources}");
    std::fs::write(scene.path().join("main.tf"), &bare).unwrap();
    plan(&scene).fails().says("cannot reach each other").says("advertise_address");
    let bridge = bare.replace(r#"network           = "host""#, r#"network           = "bridge""#);
    std::fs::write(scene.path().join("main.tf"), bridge).unwrap();
    plan(&scene).fails().says("network = \"host\"");
    // A port that a bystander has at the frontend's address is told before anything is made.
    let port = free_port();
    let _held = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    scene.set("port", &port.to_string());
    scene.write(&format!(
        "variable \"port\" {{ type = number }}\n{}",
        configuration.replace("  network  ", "  port = var.port\n  network  ")
    ));
    plan(&scene).fails().says(&port.to_string()).says("is taken");
}
