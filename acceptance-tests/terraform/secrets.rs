//! Secret variables on a real Engine: they reach the process that needs them and nothing else, and a change of them is
//! seen without being stored.

use std::fs;

use super::{
    Case,
    harness::{DYING_IMAGE, Scene},
    report::State,
    world::{Client, containers, descendants, docker, inspect, wait_until},
};

pub const CASES: &[Case] = &[
    ("they_reach_the_containers_and_nothing_else", nothing_else),
    ("another_value_is_planned_by_its_name", another_value),
    ("a_version_stands_for_the_values", version),
    ("a_container_that_dies_tells_nothing", dying),
    ("what_somebody_else_changed_is_seen", tampered),
    ("they_are_imported_by_name", import),
    ("a_host_that_does_not_answer_is_not_compared", dead_host),
];

const DEPLOYMENT: &str = "dynamo_deployment.chat";
const WORKER: &str = "dynamo_worker.chat[0]";
const PAGE: &str = "dynamo_openwebui.chat[0]";

fn scene() -> Scene {
    let mut scene = Scene::of_case("secrets");
    scene.set("secrets", r#"{ "HF_TOKEN": "canary-frontend" }"#);
    scene.set("worker_secrets", r#"{ "HF_TOKEN": "canary-worker" }"#);
    scene
}

fn only(scene: &Scene, component: &str) -> String {
    let found = containers(&scene.name, component);
    assert_eq!(found.len(), 1, "{component}");
    found[0].clone()
}

fn environment(container: &str) -> String {
    inspect(container, "{{json .Config.Env}}")
}

fn chats(state: &State) {
    Client::new(&state.text(DEPLOYMENT, "endpoint")).chats();
}

/// No file of the scene holds a canary: state, its backup, logs; nor what is packed in the saved plan.
fn nothing_is_written(scene: &Scene) {
    let mut plans = 0;
    for file in fs::read_dir(scene.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let mut text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            if path.ends_with("plan.bin") {
                let unzip = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); \
                             [sys.stdout.buffer.write(z.read(name)) for name in z.namelist()]";
                let shown = std::process::Command::new("python3").args(["-c", unzip]).arg(&path).output();
                text = String::from_utf8_lossy(&shown.unwrap().stdout).into_owned();
                assert!(text.contains(&scene.name), "this is no plan: {text}");
                plans += 1;
            }
            assert!(!text.contains("canary"), "a secret is in {}", path.display());
        }
    }
    assert_eq!(plans, 1);
}

fn nothing_else() {
    let mut scene = scene();
    scene.set("pages", "1");
    scene.environment("TF_LOG", "TRACE");
    scene.environment("TF_LOG_PATH", scene.path().join("trace.log").to_str().unwrap());
    let mut apply = scene.start_apply();
    wait_until("the frontend exists", || !containers(&scene.name, "frontend").is_empty());
    for process in descendants(apply.id()) {
        let command_line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&command_line).contains("canary"));
    }
    assert!(apply.wait().unwrap().success(), "{}", scene.apply_log());
    assert!(!scene.apply_log().contains("canary"), "{}", scene.apply_log());
    let plan = scene.plan();
    plan.is_empty();
    assert!(!plan.json.to_string().contains("canary"));
    let state = scene.state();
    chats(&state);
    for (address, component, value) in
        [(DEPLOYMENT, "frontend", "HF_TOKEN=canary-frontend"), (WORKER, "worker", "HF_TOKEN=canary-worker")]
    {
        let container = only(&scene, component);
        assert!(environment(&container).contains(value));
        assert!(!inspect(&container, "{{json .Config.Labels}}").contains("canary"));
        assert!(!inspect(&container, "{{json .Args}}{{.Path}}").contains("canary"));
        assert_eq!(state.get(address, "secret_env_status"), serde_json::json!({ "HF_TOKEN": "set" }));
        assert!(state.get(address, "secret_env").is_null());
    }
    let page = state.text(PAGE, "container");
    assert!(environment(&page).contains("HF_TOKEN=canary-frontend"));
    assert!(!inspect(&page, "{{json .Config.Labels}}{{json .Args}}").contains("canary"));
    nothing_is_written(&scene);
    scene.forget("TF_LOG");
    scene.end();
}

fn another_value() {
    let mut scene = scene();
    scene.settle();
    let (frontend, worker) = (only(&scene, "frontend"), only(&scene, "worker"));
    scene.set("secrets", r#"{ "HF_TOKEN": "canary-second" }"#);
    let plan = scene.plan();
    assert_eq!(plan.changed(), [DEPLOYMENT], "{}", plan.text);
    let line = plan.text.lines().find(|line| line.contains("\"HF_TOKEN\"")).unwrap_or_default();
    assert!(line.contains("\"set\" -> (known after apply)"), "{}", plan.text);
    assert!(!plan.text.contains("canary"), "{}", plan.text);
    chats(&scene.settle());
    let again = only(&scene, "frontend");
    assert!(again != frontend && environment(&again).contains("canary-second"));
    assert_eq!(only(&scene, "worker"), worker, "the frontend alone has them");

    // Beside another change it is a warning: what a plan says must hold when the saved plan is applied, and who hands over
    // another value by then has that.
    scene.set("secrets", r#"{ "HF_TOKEN": "canary-third", "OTHER": "canary-other" }"#);
    let plan = scene.plan();
    assert!(
        plan.text.contains("+ \"OTHER\"") && plan.text.contains("another value of HF_TOKEN"),
        "{}",
        plan.text
    );
    assert!(!plan.text.contains("canary"), "{}", plan.text);
    scene.set("secrets", r#"{ "HF_TOKEN": "canary-second", "OTHER": "canary-later" }"#);
    scene.terraform(&["apply", "-input=false", "-no-color", "plan.bin"]).succeeds();
    assert!(environment(&only(&scene, "frontend")).contains("OTHER=canary-later"));
    scene.plan().is_empty();
    scene.set("env", r#"{ "WORD": "two" }"#);
    scene.plan();
    scene.set("secrets", r#"{ "HF_TOKEN": "canary-fourth", "OTHER": "canary-later" }"#);
    scene.terraform(&["apply", "-input=false", "-no-color", "plan.bin"]).succeeds();
    assert!(environment(&only(&scene, "frontend")).contains("HF_TOKEN=canary-fourth"));

    // A worker's are its own; and what was for all to see becomes a secret without being printed.
    scene.set("worker_secrets", r#"{ "HF_TOKEN": "canary-third" }"#);
    scene.set("env", r#"{ "WORD": "once seen" }"#);
    chats(&scene.settle());
    assert!(environment(&only(&scene, "worker")).contains("canary-third"));
    scene.set("env", "{}");
    scene.set("secrets", r#"{ "WORD": "once seen" }"#);
    chats(&scene.settle());
    let frontend = only(&scene, "frontend");
    assert!(environment(&frontend).contains("WORD=once seen"));
    assert_eq!(inspect(&frontend, "{{index .Config.Labels \"io.dynamo-terraform.secret-env\"}}"), "WORD");
    assert!(!environment(&only(&scene, "worker")).contains("WORD"));

    // None is left of what is no longer written.
    scene.set("secrets", "{}");
    chats(&scene.settle());
    assert!(!environment(&only(&scene, "frontend")).contains("WORD"));

    // A name in both maps is one too many; the value is in neither error.
    scene.set("secrets", r#"{ "WORD": "canary-twice" }"#);
    scene.set("env", r#"{ "WORD": "plain" }"#);
    let refused = scene.terraform(&["plan", "-input=false", "-no-color"]).fails();
    assert!(!format!("{refused}").contains("canary"), "{refused}");
    refused.says("WORD is in env as well").says("secret_env = var.secrets");
    scene.set("secrets", "{}");
    scene.end();
}

fn version() {
    let mut scene = scene();
    scene.set("secrets_version", "1");
    scene.settle();
    let (frontend, worker) = (only(&scene, "frontend"), only(&scene, "worker"));
    // As an ephemeral resource would have it: others in each run.
    scene.set("secrets", r#"{ "HF_TOKEN": "canary-second" }"#);
    scene.set("worker_secrets", r#"{ "HF_TOKEN": "canary-third" }"#);
    scene.plan().is_empty();
    scene.set("secrets_version", "2");
    let plan = scene.plan();
    assert_eq!(plan.changed(), [DEPLOYMENT, WORKER], "{}", plan.text);
    chats(&scene.settle());
    let (new_frontend, new_worker) = (only(&scene, "frontend"), only(&scene, "worker"));
    assert!(new_frontend != frontend && environment(&new_frontend).contains("canary-second"));
    assert!(new_worker != worker && environment(&new_worker).contains("canary-third"));

    // Imported with its version, whatever the values are by now.
    scene.set("worker_secrets", r#"{ "HF_TOKEN": "canary-fourth" }"#);
    let id = scene.state().text(WORKER, "id");
    scene.terraform(&["state", "rm", WORKER]).succeeds();
    scene.terraform(&["import", "-input=false", "-no-color", WORKER, &id]).succeeds();
    scene.plan().is_empty();
    scene.end();
}

/// An engine that prints all that it knows before it ends, as some do.
fn dying() {
    let mut scene = scene();
    let image = format!("{}:tells", scene.name);
    let chatty = Chatty::new(&image);
    scene.set("secrets", r#"{ "KEY": "-----BEGIN-----\ncanary-line-one\ncanary-line-two\n-----END-----" }"#);
    scene.set("image", &image);
    scene.environment("TF_LOG", "TRACE");
    scene.environment("TF_LOG_PATH", scene.path().join("trace.log").to_str().unwrap());
    let refused = scene.apply().fails();
    assert!(!format!("{refused}").contains("canary"), "{refused}");
    refused.says("exit code 3").says("KEY=(secret)").says("the end");
    let log = fs::read_to_string(scene.path().join("trace.log")).unwrap();
    let leaks: Vec<&str> = log.lines().filter(|line| line.contains("canary")).collect();
    assert_eq!(leaks, [""; 0]);
    scene.forget("TF_LOG");
    scene.end();
    drop(chatty);
}

/// An image whose program prints its environment and dies; it goes with this value.
struct Chatty(String);

impl Chatty {
    fn new(image: &str) -> Self {
        let this = Self(image.to_owned());
        let folder = tempfile::tempdir().unwrap();
        let program = "#!/bin/sh\nenv\nprintf '%s\\n' \"$KEY\" >&2\necho the end\nexit 3\n";
        fs::write(folder.path().join("python3"), program).unwrap();
        let recipe = format!("FROM {DYING_IMAGE}\nCOPY python3 /usr/bin/python3\n");
        fs::write(folder.path().join("Dockerfile"), recipe).unwrap();
        let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
        fs::set_permissions(folder.path().join("python3"), mode).unwrap();
        docker(&["build", "--quiet", "--tag", image, folder.path().to_str().unwrap()]);
        this
    }
}

impl Drop for Chatty {
    fn drop(&mut self) {
        let _ = std::process::Command::new("docker").args(["image", "rm", &self.0]).output();
    }
}

/// Puts a container in the place of another that differs in its environment: `edit` gets the list `env`.
fn remake(container: &str, edit: &str) {
    let program = r#"
import http.client, json, os, socket, sys
class Engine(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://"))
def call(method, path, body=None):
    engine = Engine("docker")
    engine.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
    answer = engine.getresponse()
    text = answer.read()
    assert answer.status < 300, text
    return json.loads(text) if text else None
seen = call("GET", f"/containers/{sys.argv[1]}/json")
call("DELETE", f"/containers/{seen['Id']}?force=1")
env = seen["Config"]["Env"]
exec(sys.argv[2])
own = lambda end: [it for it in end["Aliases"] or [] if not seen["Id"].startswith(it)]
ends = {name: {"Aliases": own(end)} for name, end in seen["NetworkSettings"]["Networks"].items()}
body = {**seen["Config"], "Hostname": "", "Env": env, "HostConfig": seen["HostConfig"], "NetworkingConfig": {"EndpointsConfig": ends}}
made = call("POST", f"/containers/create?name={seen['Name'].lstrip('/')}", body)
call("POST", f"/containers/{made['Id']}/start")
"#;
    let done = std::process::Command::new("python3").args(["-c", program, container, edit]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn tampered() {
    let scene = scene();
    scene.settle();
    remake(&only(&scene, "worker"), "env = [it.replace('canary-worker', 'canary-forged') for it in env]");
    assert!(environment(&only(&scene, "worker")).contains("canary-forged"));
    let plan = scene.plan();
    assert_eq!(plan.changed(), [WORKER], "{}", plan.text);
    let line = plan.text.lines().find(|line| line.contains("\"HF_TOKEN\"")).unwrap_or_default();
    assert!(
        line.contains("\"set\" -> (known after apply)") && !plan.text.contains("canary"),
        "{}",
        plan.text
    );
    chats(&scene.settle());
    assert!(environment(&only(&scene, "worker")).contains("canary-worker"));

    remake(&only(&scene, "frontend"), "env = [it for it in env if not it.startswith('HF_TOKEN=')]");
    let plan = scene.plan();
    assert_eq!(plan.changed(), [DEPLOYMENT], "{}", plan.text);
    let (was, will) = plan.change(DEPLOYMENT).of("secret_env_status");
    assert_eq!(was, serde_json::json!({ "HF_TOKEN": "missing" }));
    assert_eq!(will, serde_json::json!({ "HF_TOKEN": "set" }));
    let (drift, _) = plan.change(DEPLOYMENT).of("drift");
    let sentence =
        format!("container {}-frontend: secret variable HF_TOKEN is (none) instead of (secret)", scene.name);
    assert_eq!(drift, serde_json::json!([sentence]));
    chats(&scene.settle());
    assert!(environment(&only(&scene, "frontend")).contains("canary-frontend"));
    scene.end();
}

fn import() {
    let mut scene = scene();
    let state = scene.settle();
    for address in [DEPLOYMENT, WORKER] {
        let id = state.text(address, "id");
        scene.terraform(&["state", "rm", address]).succeeds();
        scene.terraform(&["import", "-input=false", "-no-color", address, &id]).succeeds();
    }
    scene.plan().is_empty();
    // Of somebody who has other values, the plan says so.
    scene.set("worker_secrets", r#"{ "HF_TOKEN": "canary-second" }"#);
    assert_eq!(scene.plan().changed(), [WORKER]);
    scene.end();
}

/// Who plans without asking the hosts is told what was not seen, and gets a plan.
fn dead_host() {
    let mut scene = scene();
    scene.set("workers", "0");
    scene.settle();
    let engine = std::env::var("DOCKER_HOST").ok();
    let socket = scene.path().join("absent.sock");
    scene.environment("DOCKER_HOST", &format!("unix://{}", socket.display()));
    scene.set("secrets", r#"{ "HF_TOKEN": "canary-second" }"#);
    let plan = ["plan", "-refresh=false", "-input=false", "-no-color", "-detailed-exitcode"];
    let told = scene.terraform(&plan).succeeds();
    assert!(!format!("{told}").contains("canary"), "{told}");
    told.says("Secret variables were not compared").says("absent.sock").says("no changes");
    // Nothing to compare is nothing to ask.
    scene.set("secrets_version", "1");
    let told = scene.terraform(&["plan", "-refresh=false", "-input=false", "-no-color"]);
    assert!(!format!("{told}").contains("were not compared"), "{told}");
    match engine {
        Some(engine) => scene.environment("DOCKER_HOST", &engine),
        None => scene.forget("DOCKER_HOST"),
    }
    scene.end();
}
