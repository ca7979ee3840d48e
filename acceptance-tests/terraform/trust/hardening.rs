//! Secrets in the memory of the provider, and in the environment of a page.

use std::{fs, os::unix::fs::MetadataExt, os::unix::net::UnixListener};

use super::super::{
    Case,
    harness::{HOLLOW_IMAGE, Scene},
    world::{containers, descendants, docker, kill_providers, wait_until},
};

pub const CASES: &[Case] = &[
    ("the_process_cannot_be_dumped", not_dumpable),
    ("the_pages_password_is_gone_after_its_first_start", page_password),
];

/// Root alone may look into a process that cannot be dumped, whoever started it. Needs root.
fn not_dumpable() {
    let mut scene = Scene::of_case("quickstart");
    let socket = scene.path().join("silent.sock");
    let _listener = UnixListener::bind(&socket).unwrap(); // takes calls and answers none
    fs::set_permissions(&socket, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    scene.environment("DOCKER_HOST", &format!("unix://{}", socket.display()));
    scene.become_nobody();
    let mut apply = scene.start_apply();
    let provider = || {
        descendants(apply.id()).into_iter().find(|pid| {
            let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
            program.to_string_lossy().contains("terraform-provider-dynamo")
        })
    };
    wait_until("the provider runs", || provider().is_some());
    let pid = provider().unwrap();
    let owner = fs::metadata(format!("/proc/{pid}/environ")).map(|about| about.uid());
    kill_providers(apply.id());
    let _ = apply.wait();
    scene.forget("DOCKER_HOST");
    assert_eq!(owner.unwrap(), 0, "its owner may read its memory");
}

fn page_password() {
    let mut scene = Scene::of_case("openwebui");
    scene.set("image", HOLLOW_IMAGE);
    scene.set("delete_data", "true");
    scene.set("admin_email", "ada@example.org");
    scene.set("admin_password", "canary-first-password");
    let schema = scene.terraform(&["providers", "schema", "-json"]).succeeds();
    let schema: serde_json::Value = serde_json::from_str(&schema.stdout).unwrap();
    let providers = schema["provider_schemas"].as_object().unwrap();
    let password = &providers.values().next().unwrap()["resource_schemas"]["dynamo_openwebui"]["block"]["attributes"]
        ["admin_password"];
    assert_eq!(password["sensitive"], true, "{password}");
    let state = scene.settle();
    let page = containers(&scene.name, "openwebui")[0].clone();
    docker(&["restart", &page]);
    let endpoint = state.text("dynamo_openwebui.chat", "endpoint");
    let address = endpoint.trim_start_matches("http://").to_owned();
    wait_until("the page is back", || std::net::TcpStream::connect(&address).is_ok());
    let environments = docker(&["exec", &page, "sh", "-c", "cat /proc/[0-9]*/environ | tr '\\0' '\\n'"]);
    assert!(environments.contains("GREETING"), "{environments}");
    assert!(!environments.contains("canary"), "the password is in a process's environment");
    scene.end();
}
