//! What a host, an Engine or a program there says reaches a terminal and the logs of CI: as text, and as nothing that a
//! terminal would obey or that turns text around.

use std::fs;

use super::{
    super::{
        Case,
        harness::{DYING_IMAGE, HOLLOW_IMAGE, Scene},
        hosts::{
            lab::{visit, with_key},
            models::two_hosts,
        },
        report::Outcome,
    },
    copies::copy,
    engine::{Answer, FalseEngine, Lies},
    liar::{self, Lie},
};

pub const CASES: &[Case] = &[("of_an_engine_are_plain_text", engines_words)];
pub const ON_HOSTS: &[Case] = &[("of_a_host_are_plain_text", hosts_words)];

/// A title for the window, a color by its one-byte form, a bell, and text that runs backwards.
const EVIL: &str = r#"{"message":"\u001b]0;pwned\u0007 evil\u009b31m words\u202e\u2066\r\u001b[2J"}"#;
const EVIL_PULL: &str = r#"{"error":"\u001b]0;pwned\u0007 evil\u009b31m words\u202e","errorDetail":{"message":"\u001b]0;pwned\u0007 evil\u009b31m words\u202e"}}"#;
const EVIL_WARNING: &str =
    r#"{"Id":"evil\u009b31m words","Warnings":["\u001b]0;pwned\u0007 evil\u202e words"]}"#;
const EVIL_VERSION: &str = r#"{"ApiVersion":"1.\u001b[31mevil words\u202e","MinAPIVersion":"1.12"}"#;
const EVIL_NETWORKS: &str = r#"[{"Name":"evil\u001b[31m words\u202e","Id":"x"}]"#;

const ENGINES: &[(&str, Lies)] = &[
    ("an error", &[(&["/info "], Answer::Json(500, EVIL))]),
    ("a version", &[(&["/version "], Answer::Json(200, EVIL_VERSION))]),
    ("a refusal", &[(&["/containers/create"], Answer::Json(400, EVIL))]),
    ("a taken name", &[(&["/containers/create"], Answer::Json(409, EVIL))]),
    ("a failed pull", &[(&["/images/create"], Answer::Json(200, EVIL_PULL))]),
    ("a warning for the log", &[(&["/containers/create"], Answer::Json(201, EVIL_WARNING))]),
    ("names of networks", &[(&["GET ", "/networks"], Answer::Json(200, EVIL_NETWORKS))]),
];

/// Characters that a terminal obeys, or that change where others stand.
fn unruly(c: char) -> bool {
    let turns =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// The rest of the words is there, and nothing else of them, neither for the terminal nor in Terraform's log.
fn judge(what: &str, scene: &Scene, outcome: &Outcome, failures: &mut Vec<String>) {
    let log = fs::read_to_string(scene.path().join("terraform.log")).unwrap_or_default();
    let terminal = format!("{}{}", outcome.stdout, outcome.stderr);
    if !terminal.contains("evil") && !log.contains("evil") {
        failures.push(format!("{what}: not a word of it is said\n{outcome}"));
    }
    for (place, text) in [("the terminal", &terminal), ("the log", &log)] {
        let found: Vec<char> = text.chars().filter(|c| unruly(*c)).collect();
        if !found.is_empty() {
            let line = text.lines().find(|line| line.contains(unruly)).unwrap_or_default();
            failures.push(format!("{what}: {found:?} reach {place}: {line:?}"));
        }
    }
}

fn logged(scene: &mut Scene) {
    scene.environment("TF_LOG_PROVIDER", "DEBUG");
    scene.environment("TF_LOG_PATH", scene.path().join("terraform.log").to_str().unwrap());
}

fn engines_words() {
    let mut failures = Vec::new();
    for (what, lies) in ENGINES {
        let engine = FalseEngine::start(lies);
        let mut scene = Scene::of_case("quickstart");
        scene.set("workers", "0");
        scene.set("image", if *what == "a failed pull" { "localhost:1/dynamo:1.6.1" } else { HOLLOW_IMAGE });
        let configuration = fs::read_to_string(scene.path().join("main.tf")).unwrap();
        let configuration = match *what {
            "a failed pull" => configuration.replace("\"never\"", "\"always\""),
            "names of networks" => {
                configuration.replace("router {", "docker { networks = [\"evil\"] }\n  router {")
            }
            _ => configuration,
        };
        scene.write(&configuration);
        logged(&mut scene);
        engine.is_the_engine_of(&mut scene);
        let outcome = scene.apply();
        assert_ne!(engine.lied(), 0, "{what}: was never asked for\n{outcome}");
        judge(what, &scene, &outcome, &mut failures);
    }
    // A container's own last words were clean before; they stay so.
    let mut scene = Scene::of_case("quickstart");
    scene.set("image", DYING_IMAGE);
    let outcome = scene.apply().fails().says("no such luck");
    assert!(!outcome.to_string().contains(unruly), "{outcome}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

const SAYS_EVIL: &str =
    r#"printf '\033]0;pwned\007 evil\302\233\061m words\342\200\256\033[2J\n' >&2; exit 3"#;

fn hosts_words() {
    let mut lab = visit();
    let (from, to) = two_hosts(&mut lab);
    let evil = |asked| [Lie { asked, said: SAYS_EVIL.to_owned() }];
    let one = |entry: &str, more: &str| {
        format!("provider \"dynamo\" {{\n  hosts = {{\n    gpu-a = {{\n{entry}\n    }}\n  }}\n}}\n{more}")
    };
    let mut failures = Vec::new();
    let mut check = |what: &str, configuration: &str| {
        let mut scene = Scene::new(configuration);
        logged(&mut scene);
        judge(what, &scene, &scene.apply(), &mut failures);
    };
    let login = with_key("ed25519");
    let folder = "data \"dynamo_host_directory\" \"here\" { path = \"/data\" }\n";
    check("a script", &one(&liar::entry(&to, &evil("'sh -s'")), folder));
    let host = "data \"dynamo_host\" \"here\" {}\n";
    check("sudo", &one(&liar::entry_without_docker(&to, &evil("sudo*"), &login), host));
    check("docker", &one(&liar::entry_without_docker(&to, &evil("sudo*|docker*"), &login), host));
    let honest = from.entry("ops", &login);
    for command in ["*'mkdir -p'*", "*'tee -- '*|*'tar -xf'*", "*'mv -T'*"] {
        to.run(&["sh", "-c", "rm -rf /data/models/* /data/models/.dynamo*; chmod 0777 /data/models"]);
        let lying = liar::entry(&to, &evil(command));
        check(command, &copy(&honest, ("gpu-b", &lying), "path = \"/data/models/tiny\"", ""));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
