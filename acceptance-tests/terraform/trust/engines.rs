//! Engines that talk without an end: nothing is read for ever, and the error says so.

use super::{
    super::{Case, harness::Scene},
    engine::{Answer, FalseEngine, Lies},
};

pub const CASES: &[Case] = &[("an_answer_without_an_end_is_given_up", answers_without_an_end)];

/// More than any of these answers ever has, in bytes.
const ENOUGH: u64 = 64 << 20;

/// The head of two gigabytes of a container's output, as the Engine frames them.
const FRAME: &str = "\u{1}\0\0\0\u{7f}\u{7f}\u{7f}\u{7f}";

const FLOODS: &[(&str, Lies)] = &[
    ("version", &[(&["/version "], Answer::Flood(200, "{\"Version\":\""))]),
    ("info", &[(&["/info "], Answer::Flood(200, "{\"ID\":\""))]),
    ("an error", &[(&["/info "], Answer::Flood(500, "{\"message\":\""))]),
    ("containers", &[(&["/containers/json"], Answer::Flood(200, "[{\"Id\":\""))]),
    ("networks", &[(&["/networks"], Answer::Flood(200, "[{\"Id\":\""))]),
    ("an image", &[(&["GET ", "/images/", "/json"], Answer::Flood(200, "{\"Id\":\""))]),
    ("a created container", &[(&["/containers/create"], Answer::Flood(201, "{\"Id\":\""))]),
    ("a line of a pull", &[(&["/images/create"], Answer::Flood(200, "{\"status\":\""))]),
    ("a line of a log", &[(&["/logs"], Answer::Flood(200, FRAME))]),
];

fn answers_without_an_end() {
    let mut failures = Vec::new();
    for (what, lies) in FLOODS {
        let engine = FalseEngine::start(lies);
        let mut scene = Scene::of_case("quickstart");
        scene.set("workers", "0");
        if *what == "a line of a pull" {
            scene.set("image", "localhost:1/dynamo:1.6.1");
            let configuration = std::fs::read_to_string(scene.path().join("main.tf")).unwrap();
            scene.write(&configuration.replace("\"never\"", "\"always\""));
        }
        if *what == "a line of a log" {
            scene.set("image", super::super::harness::DYING_IMAGE);
        }
        engine.is_the_engine_of(&mut scene);
        let outcome = scene.apply();
        if engine.lied() == 0 {
            failures.push(format!("{what}: was never asked for"));
        }
        if engine.most_sent() > ENOUGH {
            failures.push(format!("{what}: {} MiB were taken", engine.most_sent() >> 20));
        }
        let text = outcome.to_string().replace(['\n', '│'], " ");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if outcome.code != 1 || (*what != "a line of a log" && !text.contains("longer than")) {
            failures.push(format!("{what}: does not say that it was too long\n{outcome}"));
        }
        scene.forget("DOCKER_HOST");
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
