//! One deployment over two hosts: the frontend and etcd on the first, the worker and a page on the second, each behind its own SSH.

use super::{
    super::{Case, harness::Scene},
    DEPLOYMENT, chats_from,
    lab::{Host, visit, with_key},
    left_on,
};

pub const CASES: &[Case] = &[
    ("a_worker_on_the_second_host_answers", worker_on_the_second_host),
    ("a_private_network_ends_at_its_host", private_network_ends_at_its_host),
];

fn over(hosts: &[Host; 2], network: &str, more: &str) -> Scene {
    let entry = |host: &Host| format!("{} = {{\n{}}}\n", host.name, host.entry("ops", &with_key("ed25519")));
    let [first, second] = hosts;
    Scene::new(&format!(
        r#"
provider "dynamo" {{
  hosts = {{
    {}{}
  }}
}}
resource "dynamo_deployment" "chat" {{
  name              = var.name
  host              = "{}"
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  served_model_name = "tiny"
  network           = "{network}"
  # So that the other host may ask as well.
  bind_address      = "{}"
}}
resource "dynamo_worker" "far" {{
  deployment = dynamo_deployment.chat
  host       = "{}"
}}
{more}"#,
        entry(first),
        entry(second),
        first.name,
        if network == "host" { &first.address } else { "127.0.0.1" },
        second.name,
    ))
}

/// On the host of the worker: it reaches the frontend as the worker does.
const PAGE: &str = r#"
resource "dynamo_openwebui" "far" {
  deployment             = dynamo_deployment.chat
  host                   = dynamo_worker.far.host
  image                  = "openwebui-standin:1"
  image_pull_policy      = "never"
  delete_data_on_destroy = true
}
"#;

/// Nothing is said of addresses: that of the SSH entry is what others reach.
fn worker_on_the_second_host() {
    let mut lab = visit();
    let hosts = [lab.host(), lab.other_host()];
    hosts.iter().for_each(|host| host.delay("10"));
    let scene = over(&hosts, "host", PAGE);
    let state = scene.settle();
    let names = |host: &Host| host.docker(&["ps", "--format", "{{.Names}}"]);
    assert_eq!(names(&hosts[0]).lines().count(), 2, "frontend and etcd: {}", names(&hosts[0]));
    let there = names(&hosts[1]);
    let worker = state.text("dynamo_worker.far", "container");
    assert!(there.lines().count() == 2 && there.contains(&worker), "worker and page: {there}");
    let endpoint = state.text(DEPLOYMENT, "endpoint");
    assert!(endpoint.starts_with(&format!("http://{}:", hosts[0].address)), "{endpoint}");
    // The only worker there is has to be the one that answers, to whichever host asks.
    hosts.iter().for_each(|host| chats_from(host, &state));

    let models = format!("{}/models", state.text("dynamo_openwebui.far", "endpoint"));
    assert_eq!(hosts[1].run(&["curl", "-sS", "--fail", "--max-time", "60", &models]), r#"["tiny"]"#);

    let watches = hosts.each_ref().map(|host| host.watch());
    scene.plan().is_empty();
    assert_eq!(watches.each_ref().map(|watch| watch.connections()), [1, 1]);
    scene.destroy().succeeds();
    assert_eq!(hosts.each_ref().map(left_on), ["", ""]);
}

fn private_network_ends_at_its_host() {
    let mut lab = visit();
    let hosts = [lab.host(), lab.other_host()];
    let scene = over(&hosts, "bridge", "");
    let plan = scene.terraform(&["plan", "-input=false", "-no-color"]).fails();
    plan.says("network = \"host\"").says(&hosts[1].name);
    assert_eq!(hosts.each_ref().map(left_on), ["", ""], "a plan made something");
}
