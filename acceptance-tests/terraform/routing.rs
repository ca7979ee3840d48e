//! What a router is for: that a prompt goes to the worker which has its beginning in the cache already.
//!
//! Said by Dynamo itself: each worker counts its requests (`/metrics` of its own HTTP server), and an answer says how many
//! of its prompt's tokens came from the cache.

use serde_json::Value;

use super::{
    Case,
    harness::Scene,
    report::Plan,
    world::{Client, containers, docker, wait_until},
};

pub const CASES: &[Case] = &[
    ("repeats_go_to_the_worker_that_has_them", repeats),
    ("a_router_that_is_known_only_in_apply", known_only_in_apply),
];

const REPEATS: u64 = 8;

/// The same prompt over and over: the KV router sends it to one worker, the round-robin router to both alike.
fn repeats() {
    let mut scene = Scene::of_case("quickstart");
    // Blocks of 16 tokens; the prompt has some dozens of them.
    scene.set("engine_args", r#"{ block-size = "16" }"#);
    scene.set("router", "kv");
    let client = Client::new(&scene.settle().text("dynamo_deployment.chat", "endpoint"));
    wait_until("the frontend knows both workers", || client.workers().len() == 2);
    let prompt = "The quick brown fox jumps over the lazy dog. ".repeat(30);
    wait_until("a repeated prompt is found in a cache", || cached_tokens(&client, &prompt) > 0);
    let before = requests(&scene);
    for _ in 0..REPEATS {
        let cached = cached_tokens(&client, &prompt);
        assert!(cached > 16, "only {cached} tokens of a repeated prompt were found in the cache");
    }
    let mut served = growth(&before, &requests(&scene));
    served.sort_unstable();
    assert_eq!(served, [0, REPEATS], "the repeats did not go to one worker");

    // The contrast: nothing of the above is so by chance.
    scene.set("router", "round-robin");
    scene.settle();
    wait_until("the new frontend knows both workers", || client.workers().len() == 2);
    let before = requests(&scene);
    (0..REPEATS).for_each(|_| assert!(cached_tokens(&client, &prompt) < u64::MAX));
    assert_eq!(growth(&before, &requests(&scene)), [REPEATS / 2, REPEATS / 2]);
    scene.end();
}

/// A `dynamic` block whose `for_each` is not known at plan: what may follow from it is not planned as known.
fn known_only_in_apply() {
    let mut scene = Scene::new(
        r#"
variable "router" { default = "kv" }

resource "terraform_data" "router" { input = var.router }

resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model

  dynamic "router" {
    for_each = [terraform_data.router.output]
    content { mode = router.value }
  }
}

resource "dynamo_worker" "chat" { deployment = dynamo_deployment.chat }
"#,
    );
    let is_open = |plan: &Plan| {
        let (_, after) = plan.change("dynamo_worker.chat").of("effective_engine_args");
        assert!(after.is_null(), "planned as {after}, and the router is not known\n{}", plan.text);
    };
    is_open(&scene.plan());
    let state = scene.settle();
    assert_eq!(state.get("dynamo_deployment.chat", "router.mode"), "kv");
    assert!(state.get("dynamo_worker.chat", "effective_engine_args").is_object());
    // And where both are there already. (That a single block which was planned is gone in the end, Terraform does not take.)
    scene.set("router", "round-robin");
    is_open(&scene.plan());
    let state = scene.settle();
    assert_eq!(state.get("dynamo_deployment.chat", "router.mode"), "round-robin");
    scene.end();
}

/// Asks, and gives how many tokens of the prompt were in the worker's cache.
fn cached_tokens(client: &Client, prompt: &str) -> u64 {
    let answer = client.ask(prompt, false).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    answer["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap_or_default()
}

/// Requests that each worker has served so far, in the order of the containers' age.
fn requests(scene: &Scene) -> Vec<u64> {
    let counted = |worker: &String| {
        let page = docker(&["exec", worker, "wget", "-q", "-O", "-", "http://127.0.0.1:9090/metrics"]);
        let line = page.lines().find(|line| {
            line.starts_with("dynamo_component_requests_total{") && line.contains(r#"endpoint="generate""#)
        });
        let number = line.and_then(|line| line.rsplit(' ').next()).and_then(|text| text.parse::<f64>().ok());
        number.unwrap_or_default() as u64
    };
    containers(&scene.name, "worker").iter().map(counted).collect()
}

fn growth(before: &[u64], after: &[u64]) -> Vec<u64> {
    before.iter().zip(after).map(|(before, after)| after - before).collect()
}
