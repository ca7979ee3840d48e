//! GPUs of a host: each is one worker's and nobody else's.
//!
//! The GPUs are the lab's: `nvidia-smi` is a stand-in that answers as its documentation says, and the Engine hands devices
//! to a hook that does nothing. What is real is everything between: the device requests, what other containers hold, the
//! plans.

use serde_json::{Value, json};

use super::{
    super::{
        Case,
        harness::{BYSTANDER_IMAGE, Scene},
        report::State,
    },
    CHAT, chats, end,
    lab::{Host, visit, with_key},
    provider,
};

pub const CASES: &[Case] = &[
    ("each_worker_has_its_own", each_worker_has_its_own),
    ("more_than_there_are_is_refused_at_plan", more_than_there_are),
    ("a_model_that_is_too_large_is_refused_at_plan", too_large_a_model),
    ("what_others_hold_is_left_alone", what_others_hold),
    ("a_successor_takes_the_gpu_over", successor_takes_the_gpu_over),
];

const SEEN: &str = "data.dynamo_host_gpus.here";

/// A deployment whose workers are `var.gpus`: name → what they ask for.
const WORKERS: &str = r#"
variable "gpus" {
  type = map(object({
    gpus          = optional(list(string))
    gpu_count     = optional(number)
    desired_state = optional(string, "running")
  }))
}
resource "dynamo_worker" "gpu" {
  for_each      = var.gpus
  deployment    = dynamo_deployment.chat
  gpus          = each.value.gpus
  gpu_count     = each.value.gpu_count
  desired_state = each.value.desired_state
}
data "dynamo_host_gpus" "here" {
  depends_on = [dynamo_worker.gpu]
}
"#;

fn uuid(index: usize) -> String {
    format!("GPU-00000000-0000-4000-8000-{index:012}")
}

fn worker(name: &str) -> String {
    format!("dynamo_worker.gpu[\"{name}\"]")
}

fn workers_on(host: &Host, gpus: &str) -> Scene {
    let entry = host.entry("ops", &with_key("ed25519"));
    let mut scene = Scene::new(&format!("{}{CHAT}{WORKERS}", provider(&entry)));
    scene.set("workers", "0");
    scene.set("gpus", gpus);
    scene
}

fn held(state: &State, name: &str) -> Vec<String> {
    let uuids = state.get(&worker(name), "gpu_uuids");
    uuids.as_array().into_iter().flatten().filter_map(|uuid| Some(uuid.as_str()?.to_owned())).collect()
}

/// What the Engine was asked for, for a worker's container.
fn device_ids(host: &Host, state: &State, name: &str) -> Value {
    let container = state.text(&worker(name), "container");
    let requests = host.docker(&["inspect", "--format", "{{json .HostConfig.DeviceRequests}}", &container]);
    serde_json::from_str::<Value>(&requests).unwrap()[0]["DeviceIDs"].clone()
}

fn refused(scene: &Scene, words: &[&str]) {
    let plan = scene.terraform(&["plan", "-input=false", "-no-color"]).fails();
    words.iter().fold(plan, |plan, word| plan.says(word));
}

fn each_worker_has_its_own() {
    let mut lab = visit();
    let host = lab.host();
    let mut scene = workers_on(&host, r#"{ named = { gpus = ["1"] }, counted = { gpu_count = 1 } }"#);
    let state = scene.settle();
    chats(&host, &state);
    assert_eq!(held(&state, "named"), [uuid(1)]);
    assert_eq!(held(&state, "counted"), [uuid(0)]);
    for (name, index) in [("named", 1), ("counted", 0)] {
        assert_eq!(device_ids(&host, &state, name), json!([uuid(index)]));
        let shown = state.get(SEEN, "gpus")[index].clone();
        let container = state.text(&worker(name), "container");
        assert!(shown["assigned_to"].as_str().is_some_and(|to| to.contains(&container)), "{shown}");
    }
    assert_eq!(state.get(SEEN, "available"), json!([]));

    // A worker that is stopped lets go, and may find its GPU in other hands when it is started.
    scene.set(
        "gpus",
        r#"{ named = { gpus = ["1"], desired_state = "stopped" }, counted = { gpu_count = 1 } }"#,
    );
    assert_eq!(scene.settle().get(SEEN, "available"), json!([uuid(1)]));
    let stranger = host.docker(&["run", "--detach", "--gpus", "device=1", BYSTANDER_IMAGE, "sleep", "600"]);
    scene.set("gpus", r#"{ named = { gpus = ["1"] }, counted = { gpu_count = 1 } }"#);
    refused(&scene, &["GPU 1", "is held by"]);
    host.docker(&["rm", "--force", &stranger]);
    assert_eq!(held(&scene.settle(), "named"), [uuid(1)]);
    end(&host, &scene);
}

fn more_than_there_are() {
    let mut lab = visit();
    let host = lab.host();
    let mut scene = workers_on(&host, r#"{ a = { gpus = ["0"] }, b = { gpus = ["0"] } }"#);
    refused(&scene, &["GPU 0", "as well", "give each worker its own"]);
    scene.set("gpus", r#"{ a = { gpus = ["0", "GPU-00000000-0000-4000-8000-000000000000"] } }"#);
    refused(&scene, &["is named twice"]);
    scene.set("gpus", r#"{ a = { gpus = ["7"] } }"#);
    refused(&scene, &["there is no GPU", "7", "NVIDIA H100 80GB HBM3"]);
    scene.set("gpus", "{ a = { gpu_count = 1 }, b = { gpu_count = 1 }, c = { gpu_count = 1 } }");
    refused(&scene, &["gpu-a", "free some, ask for fewer"]);
    assert_eq!(super::left_on(&host), "", "a plan made something");
}

/// The stand-ins are of 80 GB each. Nothing is started, so the image is of no interest.
fn too_large_a_model() {
    let mut lab = visit();
    let host = lab.host();
    let deployment = r#"
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "vllm"
  image             = var.image
  image_pull_policy = "never"
  model             = "meta-llama/Llama-3.3-70B-Instruct"
  engine_args       = { max-model-len = 8192 }
}
"#;
    // Where it would be downloaded to must be there.
    let entry = format!("{}\n      model_cache = \"/tmp\"", host.entry("ops", &with_key("ed25519")));
    let mut scene = Scene::new(&format!("{}{deployment}{WORKERS}", provider(&entry)));
    scene.set("gpus", "{ a = { gpu_count = 1 } }");
    refused(&scene, &["meta-llama/Llama-3.3-70B-Instruct", "weights", "gpu_count = each.value.gpu_count"]);
    // Halved, the weights leave room.
    scene.set("gpus", "{ a = { gpu_count = 2 } }");
    scene.terraform(&["plan", "-input=false", "-no-color"]).succeeds().says("2 to add");
    assert_eq!(super::left_on(&host), "", "a plan made something");
}

/// However they came by it: `--gpus`, or the variable that NVIDIA's container runtime reads.
fn what_others_hold() {
    let mut lab = visit();
    let host = lab.host();
    let asked = "{ a = { gpu_count = 1 } }";
    let mut scene = workers_on(&host, asked);
    let run = ["run", "--detach", "--name", "stranger"];
    host.docker(&[&run[..], &["--gpus", "all", BYSTANDER_IMAGE, "sleep", "600"]].concat());
    refused(&scene, &["0 free", "stranger"]);
    host.docker(&["rm", "--force", "stranger"]);

    let runtime = ["--runtime", "nvidia", "--env", "NVIDIA_VISIBLE_DEVICES=0"];
    host.docker(&[&run[..], &runtime, &[BYSTANDER_IMAGE, "sleep", "600"]].concat());
    scene.set("gpus", r#"{ a = { gpus = ["0"] } }"#);
    refused(&scene, &["GPU 0", "is held by", "stranger"]);
    scene.set("gpus", asked);
    let state = scene.settle();
    assert_eq!(held(&state, "a"), [uuid(1)]);
    host.docker(&["rm", "--force", "stranger"]);
    end(&host, &scene);
}

/// All GPUs are in use, so there is none to start the successor on beside its predecessor.
fn successor_takes_the_gpu_over() {
    let mut lab = visit();
    let host = lab.host();
    let mut scene = workers_on(&host, r#"{ both = { gpu_count = 2 } }"#);
    let both = [uuid(0), uuid(1)];
    assert_eq!(held(&scene.settle(), "both"), both);
    let containers =
        || host.docker(&["ps", "--quiet", "--filter", "label=io.dynamo-terraform.component=worker"]);
    let first = containers();
    scene.set("engine_args", r#"{ max-num-seqs = "128" }"#);
    assert_eq!(held(&scene.settle(), "both"), both);
    let second = containers();
    let replace = format!("-replace={}", worker("both"));
    scene.terraform(&["apply", "-auto-approve", "-input=false", "-no-color", &replace]).succeeds();
    let third = containers();
    scene.terraform(&["taint", &worker("both")]).succeeds();
    let state = scene.settle();
    assert_eq!(held(&state, "both"), both);
    let ids = std::collections::BTreeSet::from([first, second, third, containers()]);
    assert!(
        ids.len() == 4 && ids.iter().all(|id| id.lines().count() == 1),
        "one container after another: {ids:?}"
    );
    chats(&host, &state);
    end(&host, &scene);
}
