//! What containers may do by default, and what a user may ask for.

use std::{fs, os::unix::fs::MetadataExt, os::unix::net::UnixListener};

use super::super::{
    Case,
    harness::{HOLLOW_IMAGE, Scene},
    world::{containers, descendants, docker, inspect, kill_providers, wait_until},
};

pub const CASES: &[Case] = &[
    ("containers_have_no_more_rights_than_they_need", few_rights),
    ("every_option_reaches_docker_and_stays", options),
    ("the_process_cannot_be_dumped", not_dumpable),
    ("the_pages_password_is_gone_after_its_first_start", page_password),
];

/// What [`has_few_rights`] reads.
pub const RIGHTS: &str =
    "{{json .HostConfig.SecurityOpt}};{{json .HostConfig.PidsLimit}};{{json .HostConfig.CapDrop}}";

/// No new privileges, an end to processes, and, where it `drops` them, no capabilities.
#[track_caller]
pub fn has_few_rights(what: &str, seen: &str, drops: bool) {
    let parts: Vec<&str> = seen.split(';').collect();
    assert!(parts[0].contains("no-new-privileges"), "{what} may get new privileges: {seen}");
    assert!(
        parts[1].parse::<i64>().is_ok_and(|limit| limit > 0),
        "{what} may make any number of processes: {seen}"
    );
    assert!(!drops || parts[2] == r#"["ALL"]"#, "{what} keeps its capabilities: {seen}");
}

fn few_rights() {
    // With etcd and NATS.
    let scene = Scene::of_case("disaggregated");
    scene.settle();
    for component in ["frontend", "etcd", "nats", "worker"] {
        for container in containers(&scene.name, component) {
            has_few_rights(component, &inspect(&container, RIGHTS), true);
        }
    }
    scene.end();
    let mut scene = Scene::of_case("openwebui");
    scene.set("image", HOLLOW_IMAGE);
    scene.set("delete_data", "true");
    scene.settle();
    has_few_rights("the page", &inspect(&containers(&scene.name, "openwebui")[0], RIGHTS), false);
    scene.end();
}

/// A line of the block, and what Docker says of the container then.
const OPTIONS: &[(&str, &str, &str)] = &[
    (r#"user         = "1000:0""#, "{{.Config.User}}", "1000:0"),
    (r#"group_add    = ["44"]"#, "{{json .HostConfig.GroupAdd}}", r#"["44"]"#),
    (r#"cap_drop     = ["ALL"]"#, "{{json .HostConfig.CapDrop}}", r#"["ALL"]"#),
    (r#"security_opt = ["label=disable"]"#, "{{json .HostConfig.SecurityOpt}}", "label=disable"),
    ("read_only    = true", "{{.HostConfig.ReadonlyRootfs}}", "true"),
    (
        r#"tmpfs        = { "/scratch" = "size=16m" }"#,
        "{{json .HostConfig.Tmpfs}}",
        r#"{"/scratch":"size=16m"}"#,
    ),
    ("pids_limit   = 777", "{{.HostConfig.PidsLimit}}", "777"),
    (r#"userns_mode  = "host""#, "{{.HostConfig.UsernsMode}}", "host"),
    (r#"cpuset_cpus  = "0""#, "{{.HostConfig.CpusetCpus}}", "0"),
    (r#"dns          = ["10.9.8.7"]"#, "{{json .HostConfig.Dns}}", r#"["10.9.8.7"]"#),
    (r#"sysctls      = { "net.core.somaxconn" = "512" }"#, "{{json .HostConfig.Sysctls}}", "512"),
    (r#"hostname     = "gpu-front""#, "{{.Config.Hostname}}", "gpu-front"),
];

/// In the blocks of all three resources.
fn options() {
    let lines: String = OPTIONS.iter().map(|(line, ..)| format!("    {line}\n")).collect();
    let block = format!("  docker {{\n{lines}  }}\n");
    let scene = Scene::new(&format!(
        r#"
resource "dynamo_deployment" "chat" {{
  name              = var.name
  engine            = "mocker"
  image             = {HOLLOW_IMAGE:?}
  image_pull_policy = "never"
  model             = var.model
{block}}}
resource "dynamo_worker" "chat" {{
  count      = 0
  deployment = dynamo_deployment.chat
{block}}}
resource "dynamo_openwebui" "chat" {{
  deployment             = dynamo_deployment.chat
  image                  = "openwebui-standin:1"
  image_pull_policy      = "never"
  delete_data_on_destroy = true
  docker {{
    hostname = "page"
    dns      = ["10.9.8.7"]
  }}
  resources {{
    cpus      = 0.5
    memory_gb = 0.5
  }}
}}
"#
    ));
    scene.terraform(&["validate", "-no-color"]).succeeds();
    scene.settle();
    let frontend = &containers(&scene.name, "frontend")[0];
    for (line, format, expected) in OPTIONS {
        let seen = inspect(frontend, format);
        assert!(seen.contains(expected), "{line}: {seen}");
    }
    scene.end();
}

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
