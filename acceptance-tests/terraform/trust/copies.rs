//! Models from a host that lies: what it says is there chooses nothing but what comes of its own files, and no answer of
//! source or target fills memory.

use super::{
    super::{
        Case,
        harness::Scene,
        hosts::{
            lab::{Host, visit, with_key},
            models::two_hosts,
        },
        models::{IN_CACHE, NAME},
    },
    liar::{self, Lie, replaced_fields},
    sh,
};

pub const CASES: &[Case] = &[
    ("a_name_that_climbs_is_refused", || climbs(Target::OtherHost)),
    ("a_name_that_climbs_is_refused_on_this_machine", || climbs(Target::ThisMachine)),
    ("a_folder_that_was_not_asked_for_is_refused", || another_root(Target::OtherHost)),
    ("a_folder_that_was_not_asked_for_is_refused_on_this_machine", || another_root(Target::ThisMachine)),
    ("an_answer_without_an_end_is_given_up", answers_without_an_end),
];

/// Where a copy goes.
#[derive(Clone, Copy)]
pub enum Target {
    OtherHost,
    ThisMachine,
}

impl Target {
    /// The key and the entry of it in `hosts`.
    pub fn entry(self, host: &Host) -> (&'static str, String) {
        match self {
            Self::OtherHost => ("gpu-b", host.entry("ops", &with_key("ed25519"))),
            Self::ThisMachine => ("here", String::new()),
        }
    }

    /// Runs a script there, as root.
    #[track_caller]
    pub fn run(self, host: &Host, script: &str) -> String {
        match self {
            Self::OtherHost => host.run(&["sh", "-c", script]),
            Self::ThisMachine => sh(script),
        }
    }
}

/// A copy from `gpu-a`, whose entry is `from`, to the host of that key and entry.
pub fn copy(from: &str, (to, entry): (&str, &str), arguments: &str, source: &str) -> String {
    format!(
        "provider \"dynamo\" {{\n  hosts = {{\n    gpu-a = {{\n{from}\nmodel_cache = \"/data/cache\"\n    }}\n    {to} = {{\n{entry}\n    }}\n  }}\n}}\n\
         resource \"dynamo_model\" \"copy\" {{\n  host = {to:?}\n  name = {NAME:?}\n{arguments}\n  source {{\n    host = \"gpu-a\"\n{source}\n  }}\n}}\n"
    )
}

/// A folder on the target that whoever logs in there may fill, the same wherever the target is.
fn room(scene: &Scene, target: Target, host: &Host) -> String {
    let room = format!("{}/room", scene.path().display());
    target.run(host, &format!("mkdir -p {room} && chown ops {room} 2>/dev/null || true"));
    room
}

/// The name of a file two folders up from the model's own: with the target's folder in front it is outside.
fn climbs(target: Target) {
    let mut lab = visit();
    let (from, to) = two_hosts(&mut lab);
    let folder = format!("/data/cache/hub/{IN_CACHE}");
    let commit = from.run(&["cat", &format!("{folder}/refs/main")]);
    from.run(&[
        "sh",
        "-c",
        &format!(
            "cd {folder} && mkdir .ssh && head -c 9000000 /dev/zero >.ssh/authorized_keys && \
             cp .ssh/authorized_keys snapshots/{commit}/decoy"
        ),
    ]);
    let decoy = format!("snapshots/{commit}/decoy");
    let climbing = format!("snapshots/{commit}/../../.ssh/authorized_keys");
    let lying = liar::entry(&from, &[replaced_fields(&[(decoy, climbing)])]);

    let scene = Scene::new("");
    let room = room(&scene, target, &to);
    let victim = format!("{room}/.ssh/authorized_keys");
    target.run(
        &to,
        &format!("mkdir {room}/.ssh && echo mine >{victim} && chown -R ops {room} 2>/dev/null || true"),
    );
    let (key, entry) = target.entry(&to);
    let path = format!("path = \"{room}/models/tiny\"");
    scene.write(&copy(&lying, (key, &entry), &path, ""));
    let outcome = scene.apply();
    assert_eq!(target.run(&to, &format!("head -c 100 {victim}")), "mine", "it was overwritten\n{outcome}");
    outcome.fails().says("gpu-a").says("..");
}

/// Without `path` a plain folder is copied to where it is at its source, which is what was asked for and nothing else.
fn another_root(target: Target) {
    let mut lab = visit();
    let (from, to) = two_hosts(&mut lab);
    let scene = Scene::new("");
    let room = room(&scene, target, &to);
    let (asked, other) = (format!("{room}/plain"), format!("{room}/units"));
    let snapshot = format!("/data/cache/hub/{IN_CACHE}/snapshots/*");
    from.run(&[
        "sh",
        "-c",
        &format!("mkdir -p {room} && cp -rL {snapshot} {asked} && cp -r {asked} {other}"),
    ]);
    let lying = liar::entry(&from, &[replaced_fields(&[(asked.clone(), other.clone())])]);
    let (key, entry) = target.entry(&to);
    scene.write(&copy(&lying, (key, &entry), "", &format!("    path = {asked:?}")));
    let outcome = scene.apply();
    let landed = target.run(&to, &format!("ls -A {room}"));
    assert_eq!(landed, "", "another host chose where its files go\n{outcome}");
    outcome.fails().says("gpu-a").says(&other);
}

/// What is left there tells that all of the flood was taken.
const TAKEN: &str = "/tmp/all-was-taken";

fn flood(asked: &'static str) -> Lie {
    let said = format!(
        "cat >/dev/null; head -c 600000000 /dev/zero | tr '\\0' x && [ ${{PIPESTATUS[1]}} = 0 ] && touch {TAKEN}"
    );
    Lie { asked, said }
}

fn answers_without_an_end() {
    let mut lab = visit();
    let (from, to) = two_hosts(&mut lab);
    from.run(&[
        "sh",
        "-c",
        "mkdir /data/models/big && cd /data/models/big && cp -L /data/cache/hub/*/snapshots/*/*.json . && \
         head -c 9000000 /dev/urandom >model.gguf && chmod -R a+rX /data",
    ]);
    // Which host lies, to which of the commands.
    let table = [
        ("source", "*'tar -cf - '*"),
        ("target", "*'tee -- '*"),
        ("target", "*'sha256sum -c '*"),
        ("target", "*'wc -c <'*"),
    ];
    let mut failures = Vec::new();
    for (who, asked) in table {
        to.run(&[
            "sh",
            "-c",
            &format!("rm -rf /data/models/* /data/models/.dynamo* {TAKEN}; chmod 0777 /data/models"),
        ]);
        from.run(&["rm", "-f", TAKEN]);
        let honest = |host: &Host| host.entry("ops", &with_key("ed25519"));
        let (liars, entries) = match who {
            "source" => (&from, (liar::entry(&from, &[flood(asked)]), honest(&to))),
            _ => (&to, (honest(&from), liar::entry(&to, &[flood(asked)]))),
        };
        let scene = Scene::new(&copy(
            &entries.0,
            ("gpu-b", &entries.1),
            "path = \"/data/models/big\"\ntimeouts { stall = \"20s\" }",
            "    path = \"/data/models/big\"",
        ));
        let outcome = scene.apply();
        let text = outcome.to_string().replace(['\n', '│'], " ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let host = if who == "source" { "gpu-a" } else { "gpu-b" };
        let all = liars.try_run(&["test", "-e", TAKEN]).is_ok();
        if all || outcome.code != 1 || !text.contains(host) || !text.contains("longer than") {
            failures.push(format!("the {who} to {asked}, of which all was taken: {all}\n{outcome}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
