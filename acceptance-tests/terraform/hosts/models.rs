//! Models from host to host: through the provider, over the connections that there are.

use std::fs;

use serde_json::json;

use super::{
    super::{
        Case,
        harness::Scene,
        models::{IN_CACHE, NAME, lab_hub},
        world,
    },
    lab::{Host, Visit, visit, with_key},
};

pub const CASES: &[Case] = &[
    ("a_cache_is_copied_as_one_and_served", a_cache_is_copied),
    ("a_plain_folder_is_copied_and_removed_without_what_others_put_there", a_plain_folder_is_copied),
    ("a_copy_goes_on_after_a_cut_cable", a_copy_goes_on_after_a_cut_cable),
    ("what_cannot_be_copied_is_refused", what_cannot_be_copied),
    ("what_is_missing_later_is_brought_again", what_is_missing_later),
    ("one_model_that_is_brought_by_several_is_brought_once", brought_by_several),
    ("a_copy_outlives_the_host_that_it_came_from", copy_outlives_its_source),
];

const MODEL: &str = "dynamo_model.copy";

fn provider(from: &Host, to: &Host) -> String {
    let login = with_key("ed25519");
    format!(
        "provider \"dynamo\" {{\n  hosts = {{\n    gpu-a = {{\n{}\nmodel_cache = \"/data/cache\"\nmodel_paths = [\"/data/models\"]\n    }}\n    gpu-b = {{\n{}\nmodel_cache = \"/data/cache\"\n    }}\n  }}\n}}\n",
        from.entry("ops", &login),
        to.entry("ops", &login)
    )
}

fn scene(from: &Host, to: &Host, arguments: &str, source: &str, more: &str) -> Scene {
    let configuration = format!(
        "{}resource \"dynamo_model\" \"copy\" {{\n  host = \"gpu-b\"\n  name = {NAME:?}\n{arguments}\n  source {{\n{source}\n  }}\n}}\n{more}",
        provider(from, to)
    );
    Scene::new(&configuration)
}

/// Both hosts with empty folders of models that `ops` may fill; the first has the lab's model in its cache.
pub fn two_hosts(lab: &mut Visit) -> (Host, Host) {
    let (from, to) = (lab.host(), lab.other_host());
    for host in [&from, &to] {
        host.run(&[
            "sh",
            "-c",
            "rm -rf /data && mkdir -p /data/cache/hub /data/models && chown -R ops /data",
        ]);
    }
    // A host is a copy of this machine's files, so it sees the lab's.
    let hub = lab_hub();
    from.run(&["sh", "-c", &format!("cp -a {}/. /data/cache/hub/", hub.display())]);
    (from, to)
}

fn sums(host: &Host, folder: &str) -> String {
    let script = format!(
        "cd {folder} && find . ! -type d ! -name .dynamo-model.sha256 | sort | while read -r f; do echo \"$f $(readlink \"$f\")\"; sha256sum <\"$f\"; done"
    );
    host.run(&["sh", "-c", &script])
}

fn is_there(host: &Host, path: &str) -> bool {
    host.try_run(&["test", "-e", path]).is_ok()
}

fn a_cache_is_copied() {
    let mut lab = visit();
    let (from, to) = two_hosts(&mut lab);
    let deployment = r#"
resource "dynamo_deployment" "chat" {
  host              = dynamo_model.copy.host
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = dynamo_model.copy.name
  served_model_name = "tiny"
}
resource "dynamo_worker" "chat" {
  count      = 1
  deployment = dynamo_deployment.chat
}
"#;
    let scene = scene(&from, &to, "", "host = \"gpu-a\"", deployment);
    let watch = (from.watch(), to.watch());
    scene.apply().succeeds();
    // The plan asks only the host of the deployment.
    assert_eq!((watch.0.logins(), watch.1.logins()), (1, 2), "one connection for each process and host");
    scene.plan().is_empty();
    let folder = format!("/data/cache/hub/{IN_CACHE}");
    assert_eq!(sums(&from, &folder), sums(&to, &folder));
    let state = scene.state();
    let commit = state.text(MODEL, "revision");
    assert_eq!(state.text(MODEL, "path"), format!("{folder}/snapshots/{commit}"));
    assert_eq!(state.text(MODEL, "id"), format!("gpu-b/{NAME}"));
    assert_eq!(state.text(MODEL, "status"), "without weights");
    assert_eq!(state.text(MODEL, "checksum").len(), 64);
    assert_eq!((state.get(MODEL, "files"), state.get(MODEL, "created")), (json!(4), json!(true)));
    assert_eq!(state.text("dynamo_worker.chat[0]", "model_source"), "local");
    super::chats(&to, &state);
    assert!(!to.run(&["ls", "-A", "/data/cache/hub"]).contains(".dynamo-transfer"));
    super::end(&to, &scene);
    assert!(!is_there(&to, &folder) && is_there(&to, "/data/cache/hub") && is_there(&from, &folder));
}

fn a_plain_folder_is_copied() {
    let mut lab = visit();
    let (from, to) = two_hosts(&mut lab);
    // Plain on one side, a cache on the other; then a plain folder as it is.
    let scene = scene(&from, &to, "path = \"/data/models/tiny\"", "host = \"gpu-a\"", "");
    let state = scene.settle();
    assert_eq!(state.text(MODEL, "path"), "/data/models/tiny");
    let commit = from.run(&["cat", &format!("/data/cache/hub/{IN_CACHE}/refs/main")]);
    let snapshot = format!("/data/cache/hub/{IN_CACHE}/snapshots/{commit}");
    from.run(&["sh", "-c", &format!("cp -rL {snapshot} /data/models/plain")]);
    assert_eq!(sums(&from, "/data/models/plain"), sums(&to, "/data/models/tiny"));
    to.run(&["sh", "-c", "cd /data/models/tiny && sha256sum -c .dynamo-model.sha256"]);
    to.run(&["sh", "-c", "echo mine >/data/models/tiny/notes"]);
    super::end(&to, &scene);
    assert_eq!(to.run(&["ls", "-A", "/data/models/tiny"]), "notes");

    // Now that the folder is somebody's, nothing is put there.
    let outcome = scene.apply().fails();
    assert!(outcome.to_string().contains("is not empty"), "{outcome}");
}

fn a_copy_goes_on_after_a_cut_cable() {
    let mut lab = visit();
    let (from, to) = two_hosts(&mut lab);
    from.run(&[
        "sh",
        "-c",
        "mkdir /data/models/big && cd /data/models/big && cp -L /data/cache/hub/*/snapshots/*/*.json . && \
         head -c 300000000 /dev/urandom >weights.bin && mv weights.bin model.gguf && chown -R ops .",
    ]);
    let scene = scene(
        &from,
        &to,
        "path = \"/data/models/big\"",
        "host = \"gpu-a\"\n    path = \"/data/models/big\"",
        "",
    );
    let mut apply = scene.start_apply();
    // The folder in which it arrives has a name that nobody can know beforehand.
    let temporary = "/data/models/.dynamo-transfer-big*/files/model.gguf";
    world::wait_until("some of the file has arrived", || {
        to.try_run(&["sh", "-c", &format!("[ $(cat {temporary} | wc -c) -gt 8000000 ]")]).is_ok()
    });
    // The server restarts: its connections end, and what has arrived stays.
    from.restart_sshd(&[]);
    let size = to.run(&["sh", "-c", &format!("cat {temporary} | wc -c")]);
    let status = apply.wait().unwrap();
    assert!(status.success(), "{}", scene.apply_log());
    assert!(size.parse::<u64>().unwrap() < 300_000_000, "it was there before the cut");
    assert_eq!(sums(&from, "/data/models/big"), sums(&to, "/data/models/big"));
    scene.plan().is_empty();
    super::end(&to, &scene);
    assert!(!is_there(&to, "/data/models/big"));
}

fn what_cannot_be_copied() {
    let mut lab = visit();
    let (from, to) = two_hosts(&mut lab);
    let fails = |scene: &Scene, words: &[&str]| {
        let outcome = scene.apply().fails();
        let text = outcome.to_string().replace(['\n', '│'], " ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.iter().all(|word| text.contains(word)), "{words:?}: {outcome}");
    };
    let copy = |source: &str| scene(&from, &to, "", source, "");
    fails(&copy("host = \"gpu-c\""), &["Unknown host", "gpu-c"]);
    fails(&copy("host = \"gpu-b\""), &["Source and target are one host"]);
    fails(&copy("host = \"gpu-a\"\n    path = \"/data/none\""), &["There is no /data/none", "gpu-a"]);

    // A link out of the model's folder.
    from.run(&[
        "sh",
        "-c",
        &format!("cd /data/cache/hub/{IN_CACHE}/snapshots/* && ln -s /etc/shadow extra.json"),
    ]);
    fails(&copy("host = \"gpu-a\""), &["extra.json", "out of the model's folder"]);
    from.run(&["sh", "-c", &format!("rm /data/cache/hub/{IN_CACHE}/snapshots/*/extra.json")]);

    // A folder that may not be written to.
    to.run(&["chown", "root", "/data/cache/hub"]);
    fails(&copy("host = \"gpu-a\""), &["may not write to", "gpu-b"]);
    to.run(&["chown", "ops", "/data/cache/hub"]);

    // A content that is not what its name says.
    let blob = from.run(&["sh", "-c", &format!("cd /data/cache/hub/{IN_CACHE}/blobs && ls | head -1")]);
    from.run(&[
        "sh",
        "-c",
        &format!("printf x | dd of=/data/cache/hub/{IN_CACHE}/blobs/{blob} bs=1 seek=5 conv=notrunc"),
    ]);
    fails(&copy("host = \"gpu-a\""), &["not what its checksum says", &blob, "gpu-a"]);
    assert!(!is_there(&to, &format!("/data/cache/hub/{IN_CACHE}")));

    // A disk that is full.
    to.run(&[
        "sh",
        "-c",
        "mkdir -p /data/small && mount -t tmpfs -o size=100k tmpfs /data/small && chown ops /data/small",
    ]);
    let full = scene(&from, &to, "path = \"/data/small/tiny\"", "host = \"gpu-a\"", "");
    fails(&full, &["bytes free", "are needed", "gpu-b"]);
    to.run(&["umount", "/data/small"]);
}

fn what_is_missing_later() {
    let mut lab = visit();
    let (from, to) = two_hosts(&mut lab);
    let scene = scene(&from, &to, "", "host = \"gpu-a\"", "");
    scene.settle();
    let folder = format!("/data/cache/hub/{IN_CACHE}");
    to.run(&["sh", "-c", &format!("rm \"$(readlink -f {folder}/snapshots/*/tokenizer.json)\"")]);
    let plan = scene.plan();
    assert!(plan.change(MODEL).is("update"), "{}", plan.text);
    scene.settle();
    assert_eq!(sums(&from, &folder), sums(&to, &folder));
    // A folder that is gone as a whole is made anew.
    to.run(&["rm", "-rf", &folder]);
    assert!(scene.plan().change(MODEL).is("create"));
    scene.settle();
    super::end(&to, &scene);
    fs::metadata(scene.path()).unwrap();
}

/// The other host is given back: first nothing changes, then the copy is said to lie where it lies. It is the resource's own
/// all the while.
fn copy_outlives_its_source() {
    let mut lab = visit();
    let (from, to) = two_hosts(&mut lab);
    let scene = scene(&from, &to, "", "host = \"gpu-a\"", "");
    let path = scene.settle().text(MODEL, "path");
    from.power_off();
    let alone = |source: &str| {
        let login = with_key("ed25519");
        format!(
            "provider \"dynamo\" {{\n  hosts = {{\n    gpu-b = {{\n{}\nmodel_cache = \"/data/cache\"\n    }}\n  }}\n}}\nresource \"dynamo_model\" \"copy\" {{\n  name = {NAME:?}\n  source {{\n{source}\n  }}\n}}\n",
            to.entry("ops", &login)
        )
    };
    scene.write(&alone("host = \"gpu-a\""));
    scene.plan().is_empty();
    scene.write(&alone("host = \"gpu-c\""));
    scene.apply().fails().says("Unknown host");
    scene.write(&alone(&format!("path = {path:?}")));
    let plan = scene.plan();
    assert!(plan.change(MODEL).is("update"), "{}", plan.text);
    let state = scene.settle();
    assert_eq!((state.text(MODEL, "path"), state.get(MODEL, "created")), (path.clone(), json!(true)));
    assert!(is_there(&to, &path));
    super::end(&to, &scene);
    assert!(!is_there(&to, &path));
}

/// They would write to the same files. Whoever comes first made them, and the others find them there.
fn brought_by_several() {
    let mut lab = visit();
    let (from, to) = two_hosts(&mut lab);
    let scene = scene(&from, &to, "count = 3", "host = \"gpu-a\"", "");
    let state = scene.settle();
    let created = |index: usize| state.get(&format!("{MODEL}[{index}]"), "created") == json!(true);
    assert_eq!((0..3).filter(|index| created(*index)).count(), 1);
    super::end(&to, &scene);
    assert!(!is_there(&to, &format!("/data/cache/hub/{IN_CACHE}")));
}
