//! Hosts behind SSH: the real sshd with the settings that users meet, and cables that can be slow or cut.
//!
//! The cases are run by real Terraform against hosts with a Docker Engine and an sshd of their own ([`lab`]). They take
//! turns, because what the server's log counts (connections, logins) is much of what they check. Root is needed, and the
//! images of the lab; no other machine.

mod connectors;
mod gpus;
pub mod lab;
mod logins;
pub mod models;
mod outages;
mod service;
mod several;
mod sources;

use libtest_mimic::Trial;

use super::{
    harness::{HOLLOW_IMAGE, MODEL, Scene},
    report::State,
    world,
};
use lab::Host;
pub use lab::tear_down;

const DEPLOYMENT: &str = "dynamo_deployment.chat";

/// One deployment and its workers; `host` is left out, so the provider must have one host.
pub const CHAT: &str = include_str!("../cases/quickstart/main.tf");

/// Deployments that cost next to nothing, `var.count` of them.
const MANY: &str = r#"
variable "deployments" { type = number }
variable "hollow" { type = string }
resource "dynamo_deployment" "many" {
  count             = var.deployments
  name              = "${var.name}-${count.index}"
  engine            = "mocker"
  image             = var.hollow
  image_pull_policy = "never"
  model             = var.model
}
"#;

pub fn trials() -> Vec<Trial> {
    let groups = [
        ("service", service::CASES),
        ("logins", logins::CASES),
        ("outages", outages::CASES),
        ("sources", sources::CASES),
        ("gpus", gpus::CASES),
        ("connectors", connectors::CASES),
        ("several", several::CASES),
        ("models", models::CASES),
    ];
    let written = groups.iter().flat_map(|(group, cases)| {
        cases.iter().map(move |(name, case)| super::trial("hosts", &format!("{group}::{name}"), *case))
    });
    let accepted = logins::ACCEPTED.iter().map(|login| {
        super::trial("hosts", &format!("logins::accepted::{}", login.name()), move || login.run())
    });
    written.chain(accepted).collect()
}

/// The provider block with one host, `gpu-a`, whose entry has these lines.
pub fn provider(entry: &str) -> String {
    format!("provider \"dynamo\" {{\n  hosts = {{\n    gpu-a = {{\n{entry}\n    }}\n  }}\n}}\n")
}

/// A deployment with one worker on the host that `entry` describes.
pub fn chat_on(entry: &str) -> Scene {
    let mut scene = Scene::new(&format!("{}{CHAT}", provider(entry)));
    scene.set("workers", "1");
    scene
}

/// `count` deployments on the host that `entry` describes.
fn many_on(entry: &str, count: usize) -> Scene {
    let mut scene = Scene::new(&format!("{}{MANY}", provider(entry)));
    scene.set("deployments", &count.to_string());
    scene.set("hollow", HOLLOW_IMAGE);
    scene
}

/// The model answers a chat that is asked on the host itself: its frontend listens on the host's loopback address.
#[track_caller]
fn chats(host: &Host, state: &State) {
    let endpoint = state.text(DEPLOYMENT, "endpoint");
    assert!(endpoint.starts_with("http://127.0.0.1:"), "{endpoint}");
    chats_from(host, state);
}

/// The model answers a chat that is asked on this host.
#[track_caller]
fn chats_from(host: &Host, state: &State) {
    let answer = ask(host, state).unwrap_or_else(|error| panic!("{error}"));
    let completion: serde_json::Value = serde_json::from_str(&answer).unwrap_or_default();
    let text = completion["choices"][0]["message"]["content"].as_str().unwrap_or_default();
    assert!(!text.trim().is_empty(), "{answer}");
}

/// The body of the answer to a chat, or why there is none.
fn ask(host: &Host, state: &State) -> Result<String, String> {
    let url = format!("{}/v1/chat/completions", state.text(DEPLOYMENT, "endpoint"));
    let question =
        format!(r#"{{"model":"{MODEL}","max_tokens":4,"messages":[{{"role":"user","content":"hello"}}]}}"#);
    let json = "content-type: application/json";
    host.try_run(&["curl", "-sS", "--fail", "--max-time", "60", "-H", json, "-d", &question, &url])
}

/// Destroys, and checks that the host's Engine holds nothing of the provider's any more.
#[track_caller]
fn end(host: &Host, scene: &Scene) {
    scene.destroy().succeeds();
    assert_eq!(left_on(host), "", "left on the host");
}

/// Whatever carries the provider's label on the host.
fn left_on(host: &Host) -> String {
    let label = "label=io.dynamo-terraform.manager=terraform-provider-dynamo";
    let listings: [&[&str]; 3] = [&["ps", "--all"], &["network", "ls"], &["volume", "ls"]];
    let found = listings.map(|listing| host.docker(&[listing, &["--quiet", "--filter", label]].concat()));
    found.concat()
}

/// Waits until the frontend's container runs on the host: an apply is half done then, and asks whether it is ready.
fn wait_for_frontend(host: &Host) {
    let filter = "label=io.dynamo-terraform.component=frontend";
    world::wait_until("the frontend's container runs", || {
        !host.docker(&["ps", "--quiet", "--filter", filter]).is_empty()
    });
}
