//! Models on hosts: a complete copy is used where there is one.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use std::process::{Child, Command, Stdio};

use serde_json::json;

use super::{
    Case,
    harness::{Scene, cases_folder, model_folder},
    world::{Client, containers, docker, inspect},
};

pub const CASES: &[Case] = &[
    ("a_complete_copy_in_a_cache_is_used_offline", a_complete_copy_in_a_cache_is_used_offline),
    ("a_complete_copy_in_a_folder_is_used_by_its_path", a_complete_copy_in_a_folder_is_used_by_its_path),
    ("a_folder_is_registered_and_left_as_it_is", a_folder_is_registered_and_left_as_it_is),
    ("a_model_is_imported_and_not_removed", a_model_is_imported_and_not_removed),
    (
        "two_models_in_one_folder_are_refused_while_planning",
        two_models_in_one_folder_are_refused_while_planning,
    ),
    ("a_model_is_downloaded_before_anything_serves_it", a_model_is_downloaded),
    ("a_partial_copy_is_not_used_and_nobody_changes_his_mind", a_partial_copy_is_not_used),
    ("folders_of_models_that_are_not_known_yet", folders_that_are_not_known_yet),
];

/// The lab's model as it is called on the hub.
pub const NAME: &str = "acme/Tiny-Chat-0.1B";
pub const IN_CACHE: &str = "models--acme--Tiny-Chat-0.1B";

const DEPLOYMENT: &str = "dynamo_deployment.chat";
const WORKER: &str = "dynamo_worker.chat[0]";

/// Copies a folder with its links as they are.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy(&entry.path(), &target);
        } else if kind.is_symlink() {
            symlink(fs::read_link(entry.path()).unwrap(), &target).unwrap();
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// The Hugging Face cache of the lab.
pub fn lab_hub() -> PathBuf {
    model_folder().join("../../hub").canonicalize().unwrap()
}

/// The quickstart with the model's name, on this machine with these arguments in its entry.
fn quickstart(entry: &str) -> Scene {
    let quickstart = fs::read_to_string(cases_folder().join("quickstart/main.tf")).unwrap();
    let mut scene = Scene::new(&quickstart);
    scene.provider(&format!(
        "provider \"dynamo\" {{\n  hosts = {{ here = {{ {} }} }}\n}}",
        entry.replace("SCENE", scene.path().to_str().unwrap())
    ));
    scene.set("model", NAME);
    scene.set("workers", "1");
    scene
}

fn offline(container: &str) -> String {
    let env = inspect(container, "{{range .Config.Env}}{{println .}}{{end}}");
    env.lines().find_map(|line| line.strip_prefix("HF_HUB_OFFLINE=")).unwrap_or_default().to_owned()
}

fn mounts(container: &str) -> String {
    inspect(container, "{{range .Mounts}}{{.Source}} {{.Destination}} {{.RW}};{{end}}")
}

fn a_complete_copy_in_a_cache_is_used_offline() {
    let scene = quickstart("model_cache = \"SCENE/hf\"");
    let hub = scene.path().join("hf/hub");
    copy(&lab_hub(), &hub);
    let state = scene.settle();
    let folder = hub.join(IN_CACHE);
    for resource in [DEPLOYMENT, WORKER] {
        assert_eq!(state.text(resource, "model_source"), "local");
        assert_eq!(state.text(resource, "model_path"), folder.to_str().unwrap());
    }
    for component in ["frontend", "worker"] {
        let container = &containers(&scene.name, component)[0];
        assert_eq!(offline(container), "1", "{component}");
        let mount = format!("{} /var/lib/dynamo/huggingface/hub false;", hub.display());
        assert!(mounts(container).contains(&mount), "{}", mounts(container));
    }
    Client::new(&state.text(DEPLOYMENT, "endpoint")).chats();
    // What was decided stays, also while the copy cannot be seen.
    fs::rename(&folder, hub.join("elsewhere")).unwrap();
    scene.plan().is_empty();
    fs::rename(hub.join("elsewhere"), &folder).unwrap();
    scene.end();
}

fn a_complete_copy_in_a_folder_is_used_by_its_path() {
    let scene = quickstart("model_cache = \"/no/such/cache\", model_paths = [\"SCENE/models\"]");
    let folder = scene.path().join("models").join(NAME);
    copy(&model_folder(), &folder);
    let state = scene.settle();
    assert_eq!(state.text(WORKER, "model_source"), "local");
    assert_eq!(state.text(WORKER, "model_path"), folder.to_str().unwrap());
    let worker = &containers(&scene.name, "worker")[0];
    assert!(mounts(worker).contains(&format!("{0} {0} false;", folder.display())), "{}", mounts(worker));
    Client::new(&state.text(DEPLOYMENT, "endpoint")).chats();
    scene.end();
}

fn a_partial_copy_is_not_used() {
    let mut scene = quickstart("model_cache = \"SCENE/hf\"");
    scene.set("workers", "0");
    let hub = scene.path().join("hf/hub");
    copy(&lab_hub(), &hub);
    let tokenizer = glob_tokenizer(&hub);
    let blob = tokenizer.canonicalize().unwrap();
    let aside = blob.with_extension("incomplete");
    fs::rename(&blob, &aside).unwrap();
    let planned = scene.plan();
    assert!(planned.text.contains("model_source"), "{}", planned.text);
    let state = scene.settle();
    assert_eq!(state.text(DEPLOYMENT, "model_source"), "download");
    assert_eq!(state.text(DEPLOYMENT, "model_path"), scene.path().join("hf").to_str().unwrap());
    assert_eq!(offline(&containers(&scene.name, "frontend")[0]), "");
    // The download completes: nothing that runs is changed by that.
    fs::rename(&aside, &blob).unwrap();
    scene.plan().is_empty();
    scene.end();
}

fn glob_tokenizer(hub: &Path) -> PathBuf {
    let snapshots = hub.join(IN_CACHE).join("snapshots");
    let snapshot = fs::read_dir(snapshots).unwrap().next().unwrap().unwrap().path();
    snapshot.join("tokenizer.json")
}

const REGISTERED: &str = r#"
resource "dynamo_model" "here" {
  name = "acme/Tiny-Chat-0.1B"
  source {
    path = var.folder
  }
}
variable "folder" { type = string }
"#;

fn a_folder_is_registered_and_left_as_it_is() {
    let mut scene = Scene::new(REGISTERED);
    let hub = scene.path().join("hf/hub");
    copy(&lab_hub(), &hub);
    let folder = scene.path().join("plain");
    copy(&model_folder(), &folder);
    for (path, expected) in [(&folder, folder.clone()), (&hub, hub.join(IN_CACHE).join("snapshots"))] {
        scene.set("folder", path.to_str().unwrap());
        let state = scene.settle();
        let found = state.text("dynamo_model.here", "path");
        assert!(found.starts_with(expected.to_str().unwrap()), "{found}");
        assert_eq!(state.get("dynamo_model.here", "created"), json!(false));
        assert_eq!(state.text("dynamo_model.here", "status"), "without weights");
    }
    // A file that goes is seen, and cannot be brought: nobody knows from where.
    let tokenizer = glob_tokenizer(&hub).canonicalize().unwrap();
    let aside = scene.path().join("aside");
    fs::rename(&tokenizer, &aside).unwrap();
    assert!(scene.plan().change("dynamo_model.here").is("update"));
    scene.apply().fails().says("tokenizer.json");
    fs::rename(&aside, &tokenizer).unwrap();
    scene.plan().is_empty();
    scene.end();
    assert!(tokenizer.exists() && folder.join("config.json").exists());
}

fn a_model_is_imported_and_not_removed() {
    let scene = Scene::new(REGISTERED);
    let hub = scene.path().join("hf/hub");
    copy(&lab_hub(), &hub);
    scene.provider(&format!(
        "provider \"dynamo\" {{\n  hosts = {{ here = {{ model_cache = \"{}/hf\" }} }}\n}}",
        scene.path().display()
    ));
    let mut scene = scene;
    scene.set("folder", hub.join(IN_CACHE).to_str().unwrap());
    let import =
        |id: &str| scene.terraform(&["import", "-input=false", "-no-color", "dynamo_model.here", id]);
    import("here/acme/Tiny-Chat-0.1B").succeeds();
    assert_eq!(scene.state().get("dynamo_model.here", "files"), json!(4));
    scene.settle();
    scene.end();
    assert!(hub.join(IN_CACHE).exists());
    import("here/../etc").fails().says("host/name");
    import("here/acme/Other").fails().says("There is no acme/Other");
}

fn two_models_in_one_folder_are_refused_while_planning() {
    let mut scene = Scene::new(&format!(
        "{REGISTERED}{}",
        REGISTERED
            .replace("\"here\"", "\"too\"")
            .replace("acme/Tiny-Chat-0.1B", "acme/Other")
            .replace("variable \"folder\" { type = string }", "")
    ));
    scene.set("folder", model_folder().to_str().unwrap());
    let plan = scene.terraform(&["plan", "-input=false", "-no-color"]).fails();
    plan.says("Two models in one folder");
    scene.set("folder", "/no/such/folder");
    scene.terraform(&["plan", "-input=false", "-no-color"]).fails().says("There is no /no/such/folder");
}

/// `hub.py` of the lab: a hub with one model, for those who bring the token.
pub struct Hub {
    process: Child,
    pub port: String,
}

pub const TOKEN: &str = "hf_secret-of-the-hub";

impl Hub {
    pub fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("acceptance-tests/lab/hub.py");
        let mut command = Command::new("python3");
        command.arg(script).arg(model_folder()).args([NAME, TOKEN]);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        std::io::BufRead::read_line(
            &mut std::io::BufReader::new(process.stdout.as_mut().unwrap()),
            &mut port,
        )
        .unwrap();
        Self { process, port: port.trim().to_owned() }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn a_model_is_downloaded() {
    const RESOURCE: &str = "dynamo_model.hub";
    let hub = Hub::start();
    let mut scene = Scene::new(&format!(
        r#"
variable "token" {{
  type      = string
  ephemeral = true
}}
resource "dynamo_model" "hub" {{
  name  = {NAME:?}
  image = "dynamo-hub:local"
  source {{
    huggingface = true
    endpoint    = "http://127.0.0.1:{}"
    token       = var.token
  }}
}}
"#,
        hub.port
    ));
    let cache = scene.path().join("hf");
    scene.provider(&format!(
        "provider \"dynamo\" {{\n  hosts = {{ here = {{ model_cache = {:?} }} }}\n}}",
        cache
    ));
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).unwrap();

    scene.set("token", "hf_wrong");
    let refused = scene.apply().fails().says("source.token");
    assert!(!format!("{refused}").contains("hf_wrong"), "{refused}");
    scene.set("token", TOKEN);
    let state = scene.settle();
    assert_eq!(state.text(RESOURCE, "status"), "without weights");
    assert_eq!((state.get(RESOURCE, "files"), state.get(RESOURCE, "created")), (json!(4), json!(true)));
    let path = PathBuf::from(state.text(RESOURCE, "path"));
    let commit = state.text(RESOURCE, "revision");
    assert_eq!(path, cache.join("hub").join(IN_CACHE).join("snapshots").join(&commit));
    assert!(path.join("config.json").is_symlink());
    let same =
        |name: &str| fs::read(path.join(name)).unwrap() == fs::read(model_folder().join(name)).unwrap();
    assert!(same("config.json") && same("tokenizer.json"));
    for file in ["terraform.tfstate", "plan.bin"] {
        let bytes = fs::read(scene.path().join(file)).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(TOKEN), "{file}");
    }
    let left = || docker(&["ps", "--all", "--quiet", "--filter", "name=dynamo-model-"]);
    assert_eq!(left(), "");
    scene.end();
    assert!(!cache.join("hub").join(IN_CACHE).exists() && cache.exists());
    assert_eq!(left(), "");
}

/// Neither is the release's own folder looked at in their place.
fn folders_that_are_not_known_yet() {
    let scene = |more: &str| {
        Scene::new(&format!(
            r#"
resource "terraform_data" "folder" {{ input = "/nowhere/yet" }}
provider "dynamo" {{
  hosts = {{ local = {{ model_cache = terraform_data.folder.output }} }}
}}
{more}
"#
        ))
    };
    let deployment = scene(
        r#"
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = "acme/Nowhere"
}
"#,
    );
    let plan = deployment.plan();
    assert!(plan.change("dynamo_deployment.chat").is("create"), "{}", plan.text);
    // In apply they are known, and are looked for.
    deployment.apply().fails().says("/nowhere/yet");
    scene(r#"data "dynamo_installed_models" "all" {}"#).apply().fails().says("not known yet");
}
