//! Connectors: what the provider asks of an image, and what it does with the answer.
//!
//! The GPUs are the lab's. Stand-ins for vLLM and for the modules of connectors are in a folder where Python finds them, and
//! serve by Dynamo's simulator; the image, the containers and the question are real.

use super::{
    super::{
        Case,
        harness::{BYSTANDER_IMAGE, Scene},
    },
    chats, end,
    lab::{Host, visit, with_key},
    provider,
};

pub const CASES: &[Case] = &[
    ("an_image_without_the_module_is_refused", refused),
    ("a_worker_is_not_stopped_for_one_that_cannot_run", not_stopped),
];

const CONNECTOR: &str = include_str!("../cases/connector/main.tf");
/// On the host.
const MODULES: &str = "/srv/stand-ins";

/// Of vLLM's command line, what the simulator understands.
const VLLM: &str = r#"
import runpy, sys
RENAMED = {"--model": "--model-path", "--served-model-name": "--model-name"}
KEPT = {"--disaggregation-mode", "--block-size"}
words, told = iter(sys.argv[1:]), ["dynamo.mocker"]
for word in words:
    if word in RENAMED or word in KEPT:
        told += [RENAMED.get(word, word), next(words)]
sys.argv = told
runpy.run_module("dynamo.mocker", run_name="__main__")
"#;

fn scene_on(host: &Host) -> Scene {
    Scene::new(&format!("{}{CONNECTOR}", provider(&host.entry("ops", &with_key("ed25519")))))
}

/// A folder with a stand-in for vLLM, and one for each of these modules that can be found and not imported.
fn stand_ins(host: &Host, modules: &[&str]) {
    let script = r#"
        folder=$1 engine=$2; shift 2
        rm -rf "$folder"; mkdir -p "$folder/dynamo/vllm"
        printf '%s' "$engine" >"$folder/dynamo/vllm/__main__.py"
        for module; do mkdir "$folder/$module"; echo 'raise ImportError' >"$folder/$module/__init__.py"; done
        chmod -R go=rX "$folder""#;
    host.run(&[&["sh", "-ec", script, "sh", MODULES, VLLM], modules].concat());
}

/// Ids of containers of one component, running or not.
fn of(host: &Host, component: &str) -> String {
    let filter = format!("label=io.dynamo-terraform.component={component}");
    host.docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &filter])
}

fn refused() {
    let mut lab = visit();
    let host = lab.host();
    let mut scene = scene_on(&host);
    scene
        .apply()
        .fails()
        .says("has no Python module kvbm")
        .says("dynamo-mocker:1.6.1")
        .says("dynamo_version to one whose image has it (1.4.2,")
        .says("\"none\" or \"nixl\" or \"lmcache\"")
        .says("deployment = dynamo_deployment.chat"); // the line at fault
    assert_eq!((of(&host, "worker"), of(&host, "ask")), (String::new(), String::new()));

    // What a killed run left is not taken for an answer, and goes.
    let left = format!("{}-ask-00000000--starting", scene.name);
    let label = |name: &str, value: &str| format!("--label=io.dynamo-terraform.{name}={value}");
    let labels = [
        label("manager", "terraform-provider-dynamo"),
        label("deployment", &scene.name),
        label("component", "ask"),
        label("run", "killed"),
    ];
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    host.docker(&[&["create", "--name", &left], labels.as_slice(), &[BYSTANDER_IMAGE, "true"]].concat());
    stand_ins(&host, &["kvbm"]);
    scene.set("modules", MODULES);
    let state = scene.settle();
    assert_eq!(of(&host, "ask"), "");
    chats(&host, &state);
    let told = host.docker(&["inspect", "--format", "{{json .Config.Env}}", &of(&host, "worker")]);
    assert!(told.contains("DYN_KVBM_CPU_CACHE_GB=1"), "{told}");
    end(&host, &scene);
}

fn not_stopped() {
    let mut lab = visit();
    let host = lab.host();
    let mut scene = scene_on(&host);
    stand_ins(&host, &["kvbm"]);
    scene.set("modules", MODULES);
    scene.settle();
    let before = of(&host, "worker");
    scene.set("connector", "lmcache");
    scene.apply().fails().says("has no Python module lmcache").says("no release is known to come with it");
    assert_eq!(of(&host, "worker"), before);
    let state = host.docker(&["inspect", "--format", "{{.State.Running}} {{.RestartCount}}", &before]);
    assert_eq!(state, "true 0");
    stand_ins(&host, &["kvbm", "lmcache"]);
    chats(&host, &scene.settle());
    end(&host, &scene);
}
