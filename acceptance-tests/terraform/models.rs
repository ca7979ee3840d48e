//! Models on hosts: a complete copy is used where there is one.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::{
    Case,
    harness::{Scene, cases_folder, model_folder},
    world::{Client, containers, inspect},
};

pub const CASES: &[Case] = &[
    ("a_complete_copy_in_a_cache_is_used_offline", a_complete_copy_in_a_cache_is_used_offline),
    ("a_complete_copy_in_a_folder_is_used_by_its_path", a_complete_copy_in_a_folder_is_used_by_its_path),
    ("a_partial_copy_is_not_used_and_nobody_changes_his_mind", a_partial_copy_is_not_used),
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
