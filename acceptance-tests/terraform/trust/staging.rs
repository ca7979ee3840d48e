//! Folders in which a copy arrives, beside those of others: what a neighbor put there is neither followed nor changed.

use super::{
    super::{
        Case,
        harness::Scene,
        hosts::{
            lab::{visit, with_key},
            models::two_hosts,
        },
        world::{kill_providers, wait_until},
    },
    copies::{Target, copy},
};

pub const CASES: &[Case] = &[
    ("what_a_neighbor_planted_is_left_alone", || planted(Target::OtherHost)),
    ("what_a_neighbor_planted_is_left_alone_on_this_machine", || planted(Target::ThisMachine)),
    ("a_copy_goes_on_in_the_next_run_and_leaves_nothing", goes_on_later),
];

/// What the neighbor makes where a copy of `models/big` might arrive: `$at` is that, `$private` somebody's own folder.
const PLANTED: &[(&str, &str)] = &[
    ("a link", "ln -s \"$private\" \"$at\""),
    ("a folder with a link in it", "mkdir -m 0777 \"$at\" && ln -s \"$private/key\" \"$at/model.gguf\""),
    ("a folder with a link to a folder in it", "mkdir -m 0777 \"$at\" && ln -s \"$private\" \"$at/sub\""),
];

fn planted(target: Target) {
    let mut lab = visit();
    let (from, to) = two_hosts(&mut lab);
    from.run(&[
        "sh",
        "-c",
        "mkdir -p /data/models/big/sub && cd /data/models/big && cp -L /data/cache/hub/*/snapshots/*/*.json . && \
         head -c 9000000 /dev/urandom | tee sub/model.gguf >model.gguf && chmod -R a+rX /data",
    ]);
    let mut failures = Vec::new();
    for (what, script) in PLANTED {
        let scene = Scene::new("");
        let room = format!("{}/room", scene.path().display());
        // Everybody may put something into `models`, as into a shared folder of models.
        let private = format!("{room}/private");
        let prepare = format!(
            "mkdir -p {room}/models {private}; echo keep >{private}/.probe; echo keep >{private}/key\n\
             chmod 0600 {private}/.probe {private}/key; chmod 0700 {private}\n\
             id ops >/dev/null 2>&1 && chown -R ops {room}; chmod 1777 {room}/models\n\
             private={private} at={room}/models/.dynamo-transfer-big; {script}; chown -h nobody \"$at\"\n"
        );
        target.run(&to, &prepare);
        let look =
            format!("cd {private} && find . -printf '%m %y %s %p\\n' | sort; cat .probe key 2>&1 || true");
        let before = target.run(&to, &look);
        let (key, entry) = target.entry(&to);
        let path = format!("path = \"{room}/models/big\"");
        let honest = from.entry("ops", &with_key("ed25519"));
        scene.write(&copy(&honest, (key, &entry), &path, "    path = \"/data/models/big\""));
        let outcome = scene.apply();
        let after = target.run(&to, &look);
        let kind = target.run(&to, &format!("stat -c %F {room}/models/big 2>&1 || true"));
        if after != before || outcome.code != 0 || kind != "directory" {
            failures.push(format!(
                "{what}: the copy is a {kind}, and of the private folder came\n{after}\nwhere was\n{before}\n{outcome}"
            ));
        }
        target.run(&to, &format!("rm -rf {room}"));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What a killed run left is found again, though nobody can guess its name.
fn goes_on_later() {
    let mut lab = visit();
    let (from, to) = two_hosts(&mut lab);
    from.run(&[
        "sh",
        "-c",
        "mkdir /data/models/big && cd /data/models/big && cp -L /data/cache/hub/*/snapshots/*/*.json . && \
         head -c 300000000 /dev/urandom >model.gguf && chown -R ops .",
    ]);
    let entries = [&from, &to].map(|host| host.entry("ops", &with_key("ed25519")));
    let path = "path = \"/data/models/big\"";
    let scene =
        Scene::new(&copy(&entries[0], ("gpu-b", &entries[1]), path, "    path = \"/data/models/big\""));
    let arrived =
        "find /data/models -path '*/.dynamo-transfer-big*' -name model.gguf -size +8M -printf '%i\\n'";
    let mut apply = scene.start_apply();
    wait_until("some of the file has arrived", || !to.run(&["sh", "-c", arrived]).is_empty());
    assert!(kill_providers(apply.id()) > 0);
    let _ = apply.wait();
    let before = to.run(&["sh", "-c", arrived]);
    assert!(!before.is_empty(), "nothing to go on with");
    scene.apply().succeeds();
    assert_eq!(to.run(&["stat", "-c", "%i", "/data/models/big/model.gguf"]), before, "it began anew");
    assert_eq!(to.run(&["ls", "-A", "/data/models"]), "big");
    scene.destroy().succeeds();
}
