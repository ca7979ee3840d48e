//! What works over SSH: everything that works on this machine's Docker, however little the server allows, over one
//! connection, and with nothing on the side of Terraform.

use std::{fs, os::unix::fs::symlink};

use super::{
    super::{Case, harness::Scene},
    DEPLOYMENT, chat_on, chats, end,
    lab::{visit, with_key},
    many_on,
};

pub const CASES: &[Case] = &[
    ("quickstart", quickstart),
    ("server_without_socket_forwarding", server_without_socket_forwarding),
    ("server_without_socket_forwarding_and_one_session", one_session_and_no_forwarding),
    ("a_server_that_forwards_nothing", nothing_is_forwarded),
    ("server_with_one_session_and_one_start", one_session_and_one_start),
    ("slow_cable", slow_cable),
    ("thirty_resources_at_once_on_one_connection", thirty_resources_at_once),
    ("nothing_on_the_path_and_no_home", nothing_on_the_path_and_no_home),
    ("two_hosts_in_one_configuration", two_hosts_in_one_configuration),
];

fn quickstart() {
    let mut lab = visit();
    let host = lab.host();
    let scene = chat_on(&host.entry("ops", &with_key("ed25519")));
    scene.terraform(&["validate", "-no-color"]).succeeds();
    let state = scene.settle();
    chats(&host, &state);
    assert_eq!(state.text(DEPLOYMENT, "id"), format!("gpu-a/{}", scene.name));
    assert_eq!(state.text(DEPLOYMENT, "status"), "running");
    end(&host, &scene);
}

/// An apply from nothing to a chat, and a destroy, on a server with these settings.
fn works_with(options: &[&str]) {
    let mut lab = visit();
    let host = lab.host();
    host.restart_sshd(options);
    let scene = chat_on(&host.entry("ops", &with_key("ed25519")));
    let watch = host.watch();
    let state = scene.settle();
    chats(&host, &state);
    assert_eq!(watch.connections(), watch.logins());
    end(&host, &scene);
}

/// Docker's own `docker system dial-stdio` is the way round.
fn server_without_socket_forwarding() {
    works_with(&["AllowStreamLocalForwarding no"]);
}

fn one_session_and_no_forwarding() {
    works_with(&["AllowStreamLocalForwarding no", "MaxSessions 1"]);
}

/// Neither to sockets nor to ports: whether a container is ready is asked by a shell on the host.
fn nothing_is_forwarded() {
    works_with(&["DisableForwarding yes"]);
}

fn one_session_and_one_start() {
    works_with(&["MaxSessions 1", "MaxStartups 1"]);
}

fn slow_cable() {
    let mut lab = visit();
    let host = lab.host();
    host.delay("20");
    let scene = chat_on(&host.entry("ops", &with_key("ed25519")));
    let state = scene.settle();
    chats(&host, &state);
    end(&host, &scene);
}

/// Each of Terraform's walks has a provider process of its own; each process has one connection.
fn thirty_resources_at_once() {
    let mut lab = visit();
    let host = lab.host();
    let scene = many_on(&host.entry("ops", &with_key("ed25519")), 30);
    let steps: [&[&str]; 4] = [
        &["plan", "-out=plan.bin"],
        &["apply", "plan.bin"],
        &["plan", "-detailed-exitcode"],
        &["plan", "-destroy", "-out=plan.bin"],
    ];
    for step in steps {
        let watch = host.watch();
        let options = ["-parallelism=30", "-input=false", "-no-color"];
        scene.terraform(&[&step[..1], &options, &step[1..]].concat()).succeeds();
        let counted = (watch.connections(), watch.logins());
        assert_eq!(counted, (1, 1), "connections and logins of terraform {}", step.join(" "));
    }
    end(&host, &scene);
}

/// Whatever is needed is in the provider: no `ssh`, no `docker`, no settings of a user.
fn nothing_on_the_path_and_no_home() {
    let mut lab = visit();
    let host = lab.host();
    let mut scene = chat_on(&host.entry("ops", &with_key("ed25519")));
    let programs = scene.path().join("programs");
    fs::create_dir(&programs).unwrap();
    for (name, program) in ["timeout", "terraform"].map(|name| (name, which(name))) {
        symlink(program, programs.join(name)).unwrap();
    }
    scene.environment("PATH", programs.to_str().unwrap());
    scene.forget("HOME");
    let state = scene.settle();
    chats(&host, &state);
    end(&host, &scene);
}

fn which(program: &str) -> std::path::PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.exists());
    found.unwrap_or_else(|| panic!("{program} is not on the PATH"))
}

/// The same name on both is two deployments; each host is asked over its own connection.
fn two_hosts_in_one_configuration() {
    let mut lab = visit();
    let hosts = [lab.host(), lab.other_host()];
    let entries: String = hosts
        .iter()
        .map(|it| format!("{} = {{\n{}}}\n", it.name, it.entry("ops", &with_key("ed25519"))))
        .collect();
    let deployments: String = hosts
        .iter()
        .map(|it| {
            format!(
                r#"
resource "dynamo_deployment" "{0}" {{
  host              = "{0}"
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
}}
"#,
                it.name
            )
        })
        .collect();
    let scene =
        Scene::new(&format!("provider \"dynamo\" {{\n  hosts = {{\n{entries}  }}\n}}\n{deployments}"));
    let state = scene.settle();
    for host in &hosts {
        let address = format!("dynamo_deployment.{}", host.name);
        assert_eq!(state.text(&address, "id"), format!("{}/{}", host.name, scene.name));
        assert_eq!(host.docker(&["ps", "--quiet"]).lines().count(), 1);
    }
    let watches = hosts.each_ref().map(|host| host.watch());
    scene.plan().is_empty();
    assert_eq!(watches.each_ref().map(|watch| watch.connections()), [1, 1]);
    scene.destroy().succeeds();
    assert_eq!(hosts.each_ref().map(super::left_on), ["", ""]);
}
