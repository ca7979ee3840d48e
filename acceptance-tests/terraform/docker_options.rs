//! Options of the `docker` block on a real Engine: what it makes of them, what it adds, and what is seen when somebody
//! changes them.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::{
    Case,
    harness::Scene,
    report::State,
    world::{Client, containers, docker, inspect},
};

pub const CASES: &[Case] = &[
    ("they_reach_the_engine_and_stay_as_asked", as_asked),
    ("what_is_no_longer_asked_for_goes", goes_again),
    ("a_changed_restart_policy_is_healed_in_place", restart_policy),
    ("a_network_that_was_left_is_joined_again", network_left),
];

const DEPLOYMENT: &str = "dynamo_deployment.chat";

/// A network of somebody else's, which goes when it goes out of scope.
struct Network(String);

impl Network {
    fn new(scene: &mut Scene) -> Self {
        let name = format!("{}-outside", scene.name);
        docker(&["network", "create", &name]);
        scene.set("network", &name);
        Self(name)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = std::process::Command::new("docker").args(["network", "rm", &self.0]).output();
    }
}

fn scene() -> (Network, Scene) {
    let mut scene = Scene::of_case("docker_rights");
    let folder = scene.path().to_str().unwrap().to_owned();
    scene.set("folder", &folder);
    (Network::new(&mut scene), scene)
}

fn chats(state: &State) {
    Client::new(&state.text(DEPLOYMENT, "endpoint")).chats();
}

fn both(scene: &Scene) -> [String; 2] {
    ["frontend", "worker"].map(|component| containers(&scene.name, component)[0].clone())
}

fn as_asked() {
    let (network, scene) = scene();
    let state = scene.settle();
    scene.plan().is_empty();
    chats(&state);
    let [frontend, worker] = both(&scene);
    for container in [&frontend, &worker] {
        let of = |format: &str| inspect(container, format);
        let networks = of("{{json .NetworkSettings.Networks}}");
        assert!(networks.contains(&format!("{:?}", network.0)), "{networks}");
        let capabilities = of("{{json .HostConfig.CapAdd}}");
        assert!(capabilities.contains("IPC_LOCK") && capabilities.contains("SYS_NICE"), "{capabilities}");
        assert_eq!(
            of("{{.HostConfig.IpcMode}} {{.HostConfig.Runtime}} {{.Config.StopTimeout}}"),
            "shareable runc 25"
        );
        assert_eq!(
            of("{{json .HostConfig.LogConfig}}"),
            r#"{"Type":"json-file","Config":{"max-size":"5m"}}"#
        );
        assert!(of("{{json .HostConfig.Ulimits}}").contains("4096"));
        assert!(of("{{json .HostConfig.Devices}}").contains("/dev/zero"));
    }
    let device = |container: &str| inspect(container, "{{json .HostConfig.Devices}}");
    assert!(device(&frontend).contains("/dev/null") && !device(&frontend).contains("/dev/full"));
    assert!(device(&worker).contains("/dev/full") && !device(&worker).contains("/dev/null"));
    let restart = |container: &str| inspect(container, "{{.HostConfig.RestartPolicy.Name}}");
    assert_eq!((restart(&frontend).as_str(), restart(&worker).as_str()), ("always", "unless-stopped"));

    // Made for the user of Dynamo's images, who may write there.
    let made = scene.path().join("made/here");
    let facts = std::fs::metadata(&made).unwrap();
    assert_eq!((facts.uid(), facts.gid(), facts.permissions().mode() & 0o7777), (1000, 0, 0o2775));
    docker(&["exec", &worker, "touch", "/data/made/by-the-worker"]);
    assert!(made.join("by-the-worker").exists());
    scene.end();
    assert!(made.join("by-the-worker").exists(), "what is in a volume is the user's");
}

/// The Engine shows its defaults and what was asked for alike.
fn goes_again() {
    let (_network, mut scene) = scene();
    scene.settle();
    let ids = both(&scene).map(|container| inspect(&container, "{{.Id}}"));
    scene.set("docker", r#"{ restart = "always", log = null, runtime = null, nofile = false }"#);
    chats(&scene.settle());
    for (container, id) in both(&scene).iter().zip(ids) {
        assert_ne!(inspect(container, "{{.Id}}"), id);
        assert_eq!(inspect(container, "{{json .HostConfig.LogConfig.Config}}"), "{}");
        assert!(!inspect(container, "{{json .HostConfig.Ulimits}}").contains("4096"));
    }
    scene.end();
}

fn restart_policy() {
    let (_network, mut scene) = scene();
    scene.settle();
    let [frontend, _] = both(&scene);
    let id = inspect(&frontend, "{{.Id}}");
    docker(&["update", "--restart", "on-failure:3", &frontend]);
    let plan = scene.plan();
    assert_eq!(plan.changed(), [DEPLOYMENT]);
    let (drift, _) = plan.change(DEPLOYMENT).of("drift");
    let sentence =
        format!("container {}-frontend: restart policy is on-failure:3 instead of always", scene.name);
    assert_eq!(drift, serde_json::json!([sentence]));
    scene.settle();
    assert_eq!(inspect(&frontend, "{{.HostConfig.RestartPolicy.Name}} {{.Id}}"), format!("always {id}"));

    // So is one that the configuration changes.
    scene.set(
        "docker",
        r#"{ restart = "on-failure:2", log = { max-size = "5m" }, runtime = "runc", nofile = true }"#,
    );
    scene.settle();
    let policy = "{{.HostConfig.RestartPolicy.Name}}:{{.HostConfig.RestartPolicy.MaximumRetryCount}} {{.Id}}";
    assert_eq!(inspect(&frontend, policy), format!("on-failure:2 {id}"));
    scene.end();
}

fn network_left() {
    let (network, scene) = scene();
    scene.settle();
    let [_, worker] = both(&scene);
    docker(&["network", "disconnect", &network.0, &worker]);
    let plan = scene.plan();
    assert_eq!(plan.changed(), ["dynamo_worker.chat"]);
    chats(&scene.settle());
    let [_, worker] = both(&scene);
    assert!(inspect(&worker, "{{json .NetworkSettings.Networks}}").contains(&network.0));
    scene.end();
}
