//! The provider as a process under the real Terraform: attached by hand, interrupted, and with much to do at once.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, Command, Stdio},
};

use super::{
    Case,
    harness::{PROVIDER, Scene},
    world::{Client, containers, docker, wait_until},
};

pub const CASES: &[Case] = &[
    ("debug_mode_serves_command_after_command", debug_mode),
    ("ctrl_c_in_apply_loses_nothing", ctrl_c_in_apply),
    ("twenty_resources_at_once_leave_no_complaint_in_the_log", twenty_resources),
];

const DEPLOYMENT: &str = "dynamo_deployment.chat";

/// A provider started by hand; it ends with this value.
struct Attached(Child);

impl Drop for Attached {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn debug_mode() {
    let mut scene = Scene::of_case("quickstart");
    scene.set("workers", "1");
    let mut command = Command::new(PROVIDER);
    command.arg("-debug").env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut provider = Attached(command.spawn().unwrap());
    let mut lines = BufReader::new(provider.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let line =
        lines.find(|line| line.contains("TF_REATTACH_PROVIDERS=") && line.contains("registry.terraform.io"));
    let line = line.expect("the provider prints what to export");
    let (_, value) = line.split_once("TF_REATTACH_PROVIDERS=").unwrap();
    scene.environment("TF_REATTACH_PROVIDERS", value.trim_matches('\''));
    let state = scene.settle();
    Client::new(&state.text(DEPLOYMENT, "endpoint")).chats();
    // The same process gets another provider configuration with each command.
    scene.provider(r#"provider "dynamo" { hosts = { local = { model_cache = "/elsewhere" } } }"#);
    scene.set("workers", "2");
    scene.settle();
    assert_eq!(containers(&scene.name, "worker").len(), 2);
    assert!(provider.0.try_wait().unwrap().is_none(), "the provider must outlive the commands");
    scene.end();
}

/// Ctrl-C reaches the whole process group, the provider too. What it had begun is in the state or gone.
fn ctrl_c_in_apply() {
    let scene = Scene::of_case("quickstart");
    let mut command = scene.bare_command(&["apply", "-auto-approve", "-input=false", "-no-color"]);
    let mut apply = command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until("the first container exists", || !containers(&scene.name, "frontend").is_empty());
    let group = rustix::process::Pid::from_child(&apply);
    rustix::process::kill_process_group(group, rustix::process::Signal::INT).unwrap();
    let status = apply.wait().unwrap();
    assert_eq!(status.signal(), None, "Terraform itself must end the command");
    assert!(!status.success(), "an interrupted apply is not a success");
    let known: Vec<String> = match scene.state().try_get(DEPLOYMENT, "containers") {
        Some(shown) => {
            shown.as_object().into_iter().flatten().map(|(_, it)| it["name"].to_string()).collect()
        }
        None => Vec::new(),
    };
    let there = docker(&[
        "ps",
        "--all",
        "--quiet",
        "--filter",
        &format!("label=io.dynamo-terraform.deployment={}", scene.name),
    ]);
    assert_eq!(there.lines().count(), known.len(), "Docker has {there:?}, the state knows {known:?}");
    let state = scene.settle();
    Client::new(&state.text(DEPLOYMENT, "endpoint")).chats();
    scene.end();
}

fn twenty_resources() {
    let mut scene = Scene::of_case("quickstart");
    scene.set("workers", "19");
    let log = scene.path().join("trace.log");
    scene.environment("TF_LOG", "trace");
    scene.environment("TF_LOG_PATH", log.to_str().unwrap());
    scene.terraform(&["apply", "-auto-approve", "-input=false", "-no-color", "-parallelism=30"]).succeeds();
    assert_eq!(containers(&scene.name, "worker").len(), 19);
    let client = Client::new(&scene.state().text(DEPLOYMENT, "endpoint"));
    client.chats();
    assert_eq!(client.workers().len(), 19);
    scene.plan().is_empty();
    scene.end();
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("dynamo_worker"), "the log must have been written");
    for complaint in ["plugin failed to exit gracefully", "Provider produced", "unexpected new value"] {
        assert!(!log.contains(complaint), "{complaint:?} is in the log");
    }
}
