//! Prefill and decode by different workers.

use super::{
    Case,
    harness::Scene,
    report::State,
    world::{Client, containers, inspect, wait_until},
};

pub const CASES: &[Case] = &[
    ("prefill_and_decode_serve_together", together),
    ("another_block_size_replaces_both_roles", another_block_size),
    ("one_kind_of_worker_becomes_two", becomes_disaggregated),
    ("a_client_that_chooses_names_both_workers", direct),
];

const DEPLOYMENT: &str = "dynamo_deployment.chat";

fn worker(key: &str) -> String {
    format!("dynamo_worker.chat[{key:?}]")
}

fn client(state: &State) -> Client {
    Client::new(&state.text(DEPLOYMENT, "endpoint"))
}

fn command(state: &State, key: &str) -> String {
    inspect(&state.text(&worker(key), "container"), "{{json .Config.Cmd}}")
}

/// Instances that take requests, by the component under which the frontend knows them.
fn components(client: &Client) -> Vec<String> {
    let health = client.get("/health");
    let instances = health["instances"].as_array().into_iter().flatten();
    let serving = instances.filter(|instance| instance["endpoint"] == "generate");
    let mut found: Vec<String> =
        serving.map(|instance| instance["component"].as_str().unwrap_or_default().to_owned()).collect();
    found.sort();
    found
}

fn together() {
    let mut scene = Scene::of_case("disaggregated");
    let state = scene.settle();
    client(&state).chats();
    assert_eq!(components(&client(&state)), ["backend", "backend", "prefill"]);
    for (key, role, sequences) in [("p", "prefill", 8), ("a", "decode", 32), ("b", "decode", 64)] {
        let told = command(&state, key);
        assert!(told.contains(&format!(r#""--disaggregation-mode","{role}""#)), "{told}");
        assert!(told.contains(&format!(r#""--max-num-seqs","{sequences}""#)), "{key}: {told}");
        assert!(
            told.contains(r#""--block-size","32""#) && told.contains(r#""--speedup-ratio","10""#),
            "{told}"
        );
        assert_eq!(told.contains("--no-enable-prefix-caching"), role == "decode", "{told}");
        assert_eq!(state.get(&worker(key), "registered"), true);
    }

    // Another role is another worker.
    scene.set("roles", r#"{ p = "prefill", a = "decode", b = "prefill" }"#);
    assert_eq!(scene.plan().changed(), [worker("b").as_str()]);
    let changed = scene.settle();
    assert_eq!(components(&client(&changed)), ["backend", "prefill", "prefill"]);
    assert_ne!(changed.text(&worker("b"), "container"), state.text(&worker("b"), "container"));
    assert_eq!(changed.text(&worker("a"), "container"), state.text(&worker("a"), "container"));
    client(&changed).chats();

    // Without a prefill worker nothing is served, and the workers that are left are well all the same.
    scene.set("roles", r#"{ a = "decode" }"#);
    let halved = scene.settle();
    assert_eq!(halved.get(&worker("a"), "registered"), true);
    assert_eq!(client(&halved).try_chat(false).unwrap().status, 503);
    scene.set("roles", r#"{ a = "decode", q = "prefill" }"#);
    client(&scene.settle()).chats();
    scene.end();
}

/// All workers are replaced, since those of another block size cannot work with the old ones. There are two of each role.
fn another_block_size() {
    let mut scene = Scene::of_case("disaggregated");
    scene.set("roles", r#"{ p = "prefill", q = "prefill", a = "decode", b = "decode" }"#);
    let client = client(&scene.settle());
    client.chats();
    let before = containers(&scene.name, "worker");
    scene.set("block_size", "16");
    scene.settle();
    client.chats();
    let now = containers(&scene.name, "worker");
    assert!(now.len() == 4 && now.iter().all(|id| !before.contains(id)), "the workers were not replaced");
    scene.end();
}

fn becomes_disaggregated() {
    let mut scene = Scene::of_case("disaggregated");
    scene.set("mode", "aggregated");
    scene.set("roles", r#"{ a = "decode" }"#);
    let state = scene.settle();
    client(&state).chats();
    assert!(!command(&state, "a").contains("--disaggregation-mode"));
    scene.set("mode", "disaggregated");
    scene.set("roles", r#"{ a = "decode", p = "prefill" }"#);
    let state = scene.settle();
    let client = client(&state);
    wait_until("both roles are there", || components(&client) == ["backend", "prefill"]);
    client.chats();
    scene.end();
}

fn direct() {
    let mut scene = Scene::of_case("disaggregated");
    scene.set("router", "direct");
    scene.set("roles", r#"{ a = "decode", p = "prefill" }"#);
    let mut client = client(&scene.settle());
    wait_until("both roles are there", || components(&client) == ["backend", "prefill"]);
    let health = client.get("/health");
    let instance = |component: &str| {
        let mut instances = health["instances"].as_array().into_iter().flatten();
        let of = |it: &&serde_json::Value| it["component"] == component && it["endpoint"] == "generate";
        instances.find(of).map(|it| it["instance_id"].to_string())
    };
    client.worker = instance("backend");
    assert_eq!(client.try_chat(false).unwrap().status, 500);
    client.prefill = instance("prefill");
    client.chats();
    scene.end();
}
