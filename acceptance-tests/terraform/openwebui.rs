//! Pages in front of deployments. The page here is a stand-in that tells what it is told and keeps its accounts where Open
//! WebUI does. `make test-openwebui` runs the case with Open WebUI itself, whose image takes minutes to build.

use super::{
    Case,
    harness::{HOLLOW_IMAGE, Scene},
    report::State,
    world::{Bystander, Client, containers, docker, free_port, inspect, wait_until},
};

pub const CASES: &[Case] = &[
    ("a_page_finds_its_model_and_stays_as_it_is", finds_its_model),
    ("no_password_is_seen_anywhere", no_password_is_seen),
    ("data_outlive_another_port_and_another_release", data_outlive),
    ("a_password_is_given_again_when_it_is_asked_for", password_again),
    ("a_removal_keeps_the_data_unless_told_otherwise", removal),
    ("a_page_that_was_killed_or_changed_is_mended", drift),
    ("several_deployments_are_offered_side_by_side", several),
    ("on_the_hosts_network_beside_its_deployment", host_network),
    ("a_taken_port_is_reported_at_plan_with_its_holder", taken_port),
    ("a_stopped_deployment_is_warned_of", stopped_deployment),
    ("a_page_follows_its_deployment_to_another_name", another_deployment),
    ("import_then_an_empty_plan", import),
];

/// With an image that only `lab/openwebui.sh real` makes.
pub const REAL: &[Case] = &[("a_person_chats_in_open_webui_itself", a_person_chats)];

const PAGE: &str = "dynamo_openwebui.chat";
const DEPLOYMENT: &str = "dynamo_deployment.chat";
const PASSWORD: &str = "canary-first-password";

/// With a frontend that costs next to nothing: what is asked of these pages needs no model.
fn scene() -> Scene {
    let mut scene = Scene::of_case("openwebui");
    scene.set("image", HOLLOW_IMAGE);
    scene
}

fn with_admin(scene: &mut Scene) {
    scene.set("admin_email", "Ada@example.org");
    scene.set("admin_password", PASSWORD);
}

fn page(state: &State) -> Client {
    Client::new(&state.text(PAGE, "endpoint"))
}

fn login(page: &Client, password: &str) -> bool {
    page.get(&format!("/login?password={password}")) == true
}

/// Fingerprint of the key that signs sessions.
fn key(page: &Client) -> String {
    page.get("/told")["key"].as_str().unwrap().to_owned()
}

fn container(scene: &Scene) -> String {
    containers(&scene.name, "openwebui").first().cloned().expect("there is a page")
}

fn volume_is_there(scene: &Scene) -> bool {
    let name = format!("name=^{}-openwebui-data$", scene.name);
    !docker(&["volume", "ls", "--quiet", "--filter", &name]).is_empty()
}

fn end_with_data(scene: &mut Scene) {
    scene.set("delete_data", "true");
    scene.apply().succeeds();
    scene.end();
}

fn finds_its_model() {
    let mut scene = Scene::of_case("openwebui");
    scene.set("workers", "1");
    let state = scene.settle();
    let page = page(&state);
    assert_eq!(page.get("/models"), serde_json::json!(["tiny"]));
    let told = page.get("/told");
    let environment = &told["environment"];
    for (name, value) in [
        ("ENABLE_OLLAMA_API", "false"),
        ("ENABLE_PERSISTENT_CONFIG", "false"),
        ("OFFLINE_MODE", "true"),
        ("WEBUI_AUTH", "true"),
        ("DEFAULT_MODELS", "tiny"),
        ("DEFAULT_MODEL_PARAMS", "{\"max_tokens\": 64}"),
        ("OPENAI_API_KEYS", "none"),
        ("GREETING", "hello"),
    ] {
        assert_eq!(environment[name], value, "{name}: {told}");
    }
    assert_eq!(told["umask"], "0o22", "the key is private, and what Open WebUI writes is its own affair");
    assert_eq!(state.text(PAGE, "id"), format!("local/{}", scene.name));
    assert_eq!(state.text(PAGE, "status"), "running");
    assert_eq!(state.get(PAGE, "containers")["openwebui"]["state"], "running");
    assert!(state.text(PAGE, "endpoint").starts_with("http://127.0.0.1:"));
    // The deployment knows nothing of it, though it has the same name.
    let own = state.get(DEPLOYMENT, "containers");
    assert_eq!(own.as_object().unwrap().keys().collect::<Vec<_>>(), ["frontend"]);
    let frontend = containers(&scene.name, "frontend");
    scene.set("greeting", "good evening");
    let again = super::openwebui::page(&scene.settle());
    assert_eq!(again.get("/told")["environment"]["GREETING"], "good evening");
    assert_eq!(containers(&scene.name, "frontend"), frontend);
    end_with_data(&mut scene);
}

fn no_password_is_seen() {
    let mut scene = scene();
    with_admin(&mut scene);
    scene.environment("TF_LOG", "TRACE");
    scene.environment("TF_LOG_PATH", scene.path().join("trace.log").to_str().unwrap());
    let page = page(&scene.settle());
    assert!(login(&page, PASSWORD) && !login(&page, "another"));
    assert_eq!(page.get("/told")["environment"]["ENABLE_SIGNUP"], "false");
    assert_eq!(page.get("/told")["environment"]["WEBUI_ADMIN_EMAIL"], "ada@example.org");
    let inspected = docker(&["inspect", &container(&scene)]);
    assert!(!inspected.contains("canary"), "{inspected}");
    for file in std::fs::read_dir(scene.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains("canary"), "the password is in {}", path.display());
        }
    }
    // The account is made, so that nobody needs the file any more.
    let id = container(&scene);
    wait_until("the password's file is gone", || {
        !docker(&["exec", &id, "ls", "/run"]).contains("dynamo-admin-password")
    });
    scene.forget("TF_LOG");
    end_with_data(&mut scene);
}

fn data_outlive() {
    let mut scene = scene();
    with_admin(&mut scene);
    let first = free_port();
    scene.set("port", &first.to_string());
    let before = page(&scene.settle());
    let (key_before, id) = (key(&before), container(&scene));
    docker(&["exec", &id, "sh", "-c", "echo kept >/app/backend/data/upload.txt"]);
    scene.set("port", &free_port().to_string());
    let plan = scene.plan();
    assert!(plan.change(PAGE).is("update"), "{}", plan.text);
    scene.settle();
    let release = format!("openwebui-standin:{}", scene.name);
    docker(&["tag", "openwebui-standin:1", &release]);
    scene.set("webui_image", &release);
    let after = page(&scene.settle());
    assert_ne!(container(&scene), id);
    assert_eq!(docker(&["exec", &container(&scene), "cat", "/app/backend/data/upload.txt"]), "kept");
    assert_eq!(key(&after), key_before);
    assert!(login(&after, PASSWORD));
    assert_eq!(after.get("/told")["password"], false, "no password is given to whom has an account");
    end_with_data(&mut scene);
    docker(&["rmi", &release]);
}

fn password_again() {
    let mut scene = scene();
    with_admin(&mut scene);
    scene.settle();
    // Another value alone is no change: nobody could tell.
    scene.set("admin_password", "canary-second-password");
    scene.plan().is_empty();
    scene.set("password_version", "2");
    let page = page(&scene.settle());
    assert!(login(&page, "canary-second-password") && !login(&page, PASSWORD));
    // An account that is not there cannot have a password; the page goes on as it was.
    scene.set("admin_email", "eve@example.org");
    scene.apply().fails().says("none is called eve@example.org").says("admin_email");
    // It was started again, and needs a moment.
    wait_until("the page answers again", || page.try_chat(false).is_ok_and(|answer| answer.status > 0));
    assert!(login(&page, "canary-second-password"));
    scene.set("admin_email", "ada@example.org");
    scene.settle();
    // A container that starts again does not go back to an earlier password.
    docker(&["exec", &container(&scene), "sh", "-c", "test ! -e /run/dynamo-admin-password"]);
    end_with_data(&mut scene);
}

fn removal() {
    let mut scene = scene();
    with_admin(&mut scene);
    let key_before = key(&page(&scene.settle()));
    scene.destroy().succeeds();
    assert!(volume_is_there(&scene), "nobody asked for the data to go");
    // Made again, it finds them, and the account has the password that stands in the configuration.
    scene.set("admin_password", "canary-second-password");
    let page = page(&scene.settle());
    assert_eq!(key(&page), key_before);
    assert!(login(&page, "canary-second-password"));
    end_with_data(&mut scene);
    assert!(!volume_is_there(&scene));
}

fn drift() {
    let mut scene = scene();
    let state = scene.settle();
    let key_before = key(&page(&state));
    docker(&["kill", &container(&scene)]);
    let plan = scene.plan();
    assert_eq!(plan.changed(), [PAGE]);
    assert_eq!(plan.change(PAGE).of("status"), ("exited".into(), "running".into()));
    assert_eq!(key(&page(&scene.settle())), key_before);
    docker(&["update", "--memory", "400m", "--memory-swap", "400m", &container(&scene)]);
    let plan = scene.plan();
    let (before, after) = plan.change(PAGE).of("resources.memory_gb");
    assert_eq!((before.as_f64(), after.as_f64()), (Some(0.390625), Some(0.5)));
    scene.settle();
    docker(&["rm", "--force", &container(&scene)]);
    let plan = scene.plan();
    assert!(plan.change(PAGE).is("create") && plan.changed() == [PAGE], "{}", plan.text);
    assert_eq!(key(&page(&scene.settle())), key_before);
    // Stopped, and running again.
    scene.set("page_state", "stopped");
    assert_eq!(scene.settle().text(PAGE, "status"), "stopped");
    assert_eq!(inspect(&container(&scene), "{{.State.Running}}"), "false");
    scene.set("page_state", "running");
    scene.settle();
    end_with_data(&mut scene);
}

fn several() {
    let scene = Scene::new(
        r#"
locals {
  names = { a = var.name, b = "${var.name}-b" }
}
resource "dynamo_deployment" "chat" {
  for_each          = local.names
  name              = each.value
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  served_model_name = "tiny-${each.key}"
}
resource "dynamo_worker" "chat" {
  for_each   = local.names
  deployment = dynamo_deployment.chat[each.key]
}
resource "dynamo_openwebui" "chat" {
  deployments            = [dynamo_deployment.chat["b"], dynamo_deployment.chat["a"]]
  name                   = var.name
  image                  = "openwebui-standin:1"
  image_pull_policy      = "never"
  delete_data_on_destroy = true
}
"#,
    );
    let state = scene.settle();
    assert_eq!(page(&state).get("/models"), serde_json::json!(["tiny-b", "tiny-a"]));
    assert_eq!(page(&state).get("/told")["environment"]["DEFAULT_MODELS"], "tiny-b");
    let joined = inspect(&container(&scene), "{{len .NetworkSettings.Networks}}");
    assert_eq!(joined, "2");
    scene.end();
}

fn host_network() {
    let mut scene = Scene::of_case("openwebui");
    scene.set("network", "host");
    scene.set("workers", "1");
    let page = page(&scene.settle());
    assert_eq!(page.get("/models"), serde_json::json!(["tiny"]));
    assert_eq!(inspect(&container(&scene), "{{.HostConfig.NetworkMode}}"), "host");
    assert_eq!(page.get("/told")["environment"]["HOST"], "127.0.0.1");
    end_with_data(&mut scene);
}

fn taken_port() {
    let mut scene = scene();
    let port = free_port();
    let holder = format!("{}-bystander", scene.name);
    let _holder = Bystander::new(&holder, &["--publish", &format!("127.0.0.1:{port}:80")]);
    scene.set("port", &port.to_string());
    let failed = scene.terraform(&["plan", "-input=false", "-no-color"]).fails();
    failed.says(&port.to_string()).says(&holder).says("port");
    scene.nothing_left();
}

fn stopped_deployment() {
    let mut scene = scene();
    scene.settle();
    scene.set("deployment_state", "stopped");
    let plan = scene.plan();
    assert!(plan.text.contains("Warning: A deployment of the page is stopped"), "{}", plan.text);
    scene.apply().succeeds();
    assert_eq!(inspect(&container(&scene), "{{.State.Running}}"), "true");
    scene.set("page_state", "stopped");
    let plan = scene.plan();
    assert!(!plan.text.contains("Warning: A deployment"), "{}", plan.text);
    end_with_data(&mut scene);
}

fn another_deployment() {
    let mut scene = scene();
    let key_before = key(&page(&scene.settle()));
    scene.set("deployment_name", &format!("{}-b", scene.name));
    let page = page(&scene.settle());
    assert_eq!(key(&page), key_before, "the page has a name of its own, and so its data");
    let url = format!("http://{}-b-frontend:8000/v1", scene.name);
    assert_eq!(page.get("/told")["environment"]["OPENAI_API_BASE_URL"], url);
    end_with_data(&mut scene);
}

fn import() {
    let mut scene = scene();
    with_admin(&mut scene);
    let id = scene.settle().text(PAGE, "id");
    scene.terraform(&["state", "rm", PAGE]).succeeds();
    scene
        .terraform(&["import", "-input=false", "-no-color", PAGE, "local/acc-no-such"])
        .fails()
        .says("acc-no-such");
    scene.terraform(&["import", "-input=false", "-no-color", PAGE, &id]).succeeds();
    scene.plan().is_empty();
    end_with_data(&mut scene);
}

/// Through its API, and with a browser where there is one (`DYNAMO_PICTURE` names the file for the picture).
fn a_person_chats() {
    let mut scene = Scene::of_case("openwebui");
    scene.set("webui_image", "open-webui:0.12.4");
    scene.set("memory_gb", "2");
    scene.set("workers", "1");
    with_admin(&mut scene);
    chats(&scene.settle(), PASSWORD);
    scene.set("port", &free_port().to_string());
    chats(&scene.settle(), PASSWORD);
    scene.set("admin_password", "canary-second-password");
    scene.set("password_version", "2");
    chats(&scene.settle(), "canary-second-password");
    end_with_data(&mut scene);
}

#[track_caller]
fn chats(state: &State, password: &str) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/acceptance-tests/lab/openwebui-chat.py");
    let page = state.text(PAGE, "endpoint");
    let mut arguments = vec![script, &page, "ada@example.org", password, "tiny"];
    let picture = std::env::var("DYNAMO_PICTURE").ok();
    arguments.extend(picture.as_deref());
    let output = std::process::Command::new("python3").args(&arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}
