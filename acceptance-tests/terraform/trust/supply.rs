//! Which bytes are served: a revision is looked for, mounted and served as it was named, and what is complete is not
//! written to.

use std::fs;

use super::{
    super::{
        Case,
        harness::Scene,
        models::{IN_CACHE, NAME, copy, lab_hub},
        world::{Client, containers, inspect},
    },
    sh,
};

pub const CASES: &[Case] = &[("a_revision_is_looked_for_and_served", revision)];

const OTHER: &str = "0123456789abcdef0123456789abcdef01234567";

/// `main` is another commit, of which not everything is there: only who looks for the named one finds it whole.
fn revision() {
    let scene = Scene::new("");
    let hub = scene.path().join("hf/hub");
    copy(&lab_hub(), &hub);
    let folder = hub.join(IN_CACHE);
    let commit = fs::read_to_string(folder.join("refs/main")).unwrap().trim().to_owned();
    let partial = "cp -a snapshots/\"$commit\" snapshots/\"$other\" && rm snapshots/\"$other\"/tokenizer.json && printf %s \"$other\" >refs/main";
    sh(&format!("cd {} && commit={commit} other={OTHER} && {partial}", folder.display()));
    let configuration = |revision: &str| {
        format!(
            r#"
resource "dynamo_deployment" "chat" {{
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = {NAME:?}
  model_revision    = {revision:?}
  served_model_name = "tiny"
}}
resource "dynamo_worker" "chat" {{
  deployment = dynamo_deployment.chat
}}
"#
        )
    };
    scene.write(&configuration(&commit));
    scene.provider(&format!(
        "provider \"dynamo\" {{\n  hosts = {{ here = {{ model_cache = {:?} }} }}\n}}",
        scene.path().join("hf")
    ));
    let state = scene.settle();
    assert_eq!(state.text("dynamo_deployment.chat", "model_source"), "local");
    Client::new(&state.text("dynamo_deployment.chat", "endpoint")).chats();
    let worker = &containers(&scene.name, "worker")[0];
    let seen =
        inspect(worker, "{{json .Args}} {{json .Config.Env}} {{range .Mounts}}{{.Source}} {{.RW}};{{end}}");
    assert!(seen.contains(&commit) && seen.contains("HF_HUB_OFFLINE=1"), "{seen}");
    assert!(
        seen.contains("/hf") && !seen.contains("/hf/hub true"),
        "a whole model can be written to: {seen}"
    );
    scene.end();
}
