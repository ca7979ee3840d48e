//! Folders of models on this machine with what is no file in them, or more than a file has.

use std::{fs, process::Command, time::Duration};

use super::{
    super::{
        Case,
        harness::{Scene, model_folder},
        models::copy,
    },
    watched,
};

pub const CASES: &[Case] =
    &[("what_never_ends_is_not_opened", never_ends), ("a_huge_index_does_not_fill_memory", huge_index)];

/// A scene that looks for models in a folder with a copy of the lab's model, in which the script was run.
fn scene(script: &str) -> Scene {
    let scene = Scene::new("data \"dynamo_installed_models\" \"here\" {}\n");
    let folder = scene.path().join("models/acme/tiny");
    copy(&model_folder(), &folder);
    let made = Command::new("sh").args(["-c", script]).current_dir(&folder).status();
    assert!(made.unwrap().success(), "{script}");
    scene.provider(&format!(
        "provider \"dynamo\" {{\n  hosts = {{ here = {{ model_cache = {0:?}, model_paths = [{0:?}] }} }}\n}}\noutput \"models\" {{\n  value = \
         data.dynamo_installed_models.here.models\n}}\n",
        scene.path().join("models")
    ));
    scene
}

fn never_ends() {
    for script in [
        "mkfifo pipe.safetensors",
        "mkfifo pipe.index.json",
        "rm config.json && mkfifo config.json",
        "mkfifo pipe && ln -s pipe linked.safetensors",
        "mkdir refs && mkfifo refs/main",
        "ln -s /dev/zero endless.index.json",
        "ln -s /dev/ptmx terminal.safetensors",
    ] {
        let scene = scene(script);
        let plan =
            scene.bare_command(&["plan", "-input=false", "-no-color"]).stdout(silent()).spawn().unwrap();
        let (status, _) = watched(plan, Duration::from_secs(20));
        assert!(status.is_some(), "the plan hangs after: {script}");
    }
}

fn silent() -> std::process::Stdio {
    std::process::Stdio::null()
}

fn huge_index() {
    for script in [
        // Sparse, and one line of text.
        "truncate -s 1500M model.safetensors.index.json",
        "head -c 700000000 /dev/zero | tr '\\0' '\"' >model.safetensors.index.json",
    ] {
        let scene = scene(script);
        let log = fs::File::create(scene.path().join("plan.log")).unwrap();
        let mut plan = scene.bare_command(&["plan", "-input=false", "-no-color"]);
        let plan = plan.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let (status, most) = watched(plan, Duration::from_secs(120));
        let said = fs::read_to_string(scene.path().join("plan.log")).unwrap();
        assert!(most < 300, "{most} MiB for: {script}\n{said}");
        assert!(status.is_some() && said.contains("acme/tiny") && said.contains("index"), "{script}\n{said}");
    }
}
