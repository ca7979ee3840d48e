//! What somebody changed behind Terraform's back: the plan names it, the apply heals it.

use super::{
    Case,
    harness::Scene,
    world::{Client, containers, docker, inspect},
};

pub const CASES: &[Case] = &[
    ("worker_container_removed", worker_container_removed),
    ("frontend_container_removed", frontend_container_removed),
    ("worker_container_stopped", worker_container_stopped),
    ("memory_limit_changed", memory_limit_changed),
];

const DEPLOYMENT: &str = "dynamo_deployment.chat";

/// Applies, and checks that all is well again and stays so.
fn heals(scene: &Scene) {
    let state = scene.settle();
    Client::new(&state.text(DEPLOYMENT, "endpoint")).chats();
    scene.end();
}

fn worker_container_removed() {
    let scene = Scene::of_case("quickstart");
    scene.settle();
    let workers = containers(&scene.name, "worker");
    docker(&["rm", "--force", &workers[0]]);
    let plan = scene.plan();
    assert_eq!(
        plan.changed().len(),
        1,
        "one worker is gone, and only that one is to be made: {:?}",
        plan.changed()
    );
    assert!(plan.change(plan.changed()[0]).is("create"));
    heals(&scene);
}

fn frontend_container_removed() {
    let scene = Scene::of_case("quickstart");
    scene.settle();
    let workers = containers(&scene.name, "worker");
    docker(&["rm", "--force", &containers(&scene.name, "frontend")[0]]);
    let plan = scene.plan();
    assert_eq!(plan.changed(), [DEPLOYMENT], "the workers live, and there is nothing to do for them");
    scene.settle();
    assert_eq!(containers(&scene.name, "worker"), workers, "the workers were replaced");
    heals(&scene);
}

fn worker_container_stopped() {
    let scene = Scene::of_case("quickstart");
    scene.settle();
    docker(&["stop", "--time", "30", &containers(&scene.name, "worker")[0]]);
    let plan = scene.plan();
    let [address] = plan.changed()[..] else {
        panic!("one worker stopped, but to be changed: {:?}", plan.changed())
    };
    let change = plan.change(address);
    assert!(change.is("update"));
    assert_eq!(change.of("status"), ("exited".into(), "running".into()));
    heals(&scene);
}

fn memory_limit_changed() {
    let scene = Scene::of_case("limits");
    scene.settle();
    let worker = &containers(&scene.name, "worker")[0];
    assert_eq!(inspect(worker, "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}"), "1073741824 1000000000");
    docker(&["update", "--memory", "768m", "--memory-swap", "768m", worker]);
    let plan = scene.plan();
    assert_eq!(plan.changed(), ["dynamo_worker.chat"]);
    let (before, after) = plan.change("dynamo_worker.chat").of("resources.memory_gb");
    assert_eq!((before.as_f64(), after.as_f64()), (Some(0.75), Some(1.0)));
    let (cpus, same) = plan.change("dynamo_worker.chat").of("resources.cpus");
    assert_eq!(cpus, same, "only the memory was changed");
    scene.settle();
    assert_eq!(inspect(&containers(&scene.name, "worker")[0], "{{.HostConfig.Memory}}"), "1073741824");
    heals(&scene);
}
