//! Mistakes that users make, and what they read.
//!
//! Most of them are files, `cases/bad_input/<mistake>.tf`: the second line names the command that must notice
//! (`# stage: validate` or `plan`), and a comment behind a line holds what the error at that very line has to say
//! (`# error: this & that`). Another mistake is another file. Mistakes that need a machine in some state are written out
//! below.

use std::{fs, net::TcpListener, path::PathBuf};

use super::{
    Case,
    harness::{self, Scene},
    report::Outcome,
    world::{Bystander, free_port},
};

pub const CASES: &[Case] = &[
    ("port_held_by_a_container", port_held_by_a_container),
    ("port_held_by_a_process", port_held_by_a_process),
];

/// A configuration with a mistake in it, and what is to be said about it.
pub struct BadInput {
    file: PathBuf,
}

/// Every file of `cases/bad_input`, by name.
pub fn files() -> Vec<BadInput> {
    let entries = fs::read_dir(harness::cases_folder().join("bad_input")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| BadInput { file }).collect()
}

impl BadInput {
    pub fn name(&self) -> String {
        self.file.file_stem().unwrap().to_string_lossy().into_owned()
    }

    pub fn run(&self) {
        let text = fs::read_to_string(&self.file).unwrap();
        let scene = Scene::new(&text);
        let outcome = match text.lines().nth(1) {
            Some("# stage: validate") => scene.terraform(&["validate", "-json"]),
            Some("# stage: plan") => scene.terraform(&["plan", "-input=false", "-json"]),
            other => panic!("{}: the second line must name the stage, but is {other:?}", self.file.display()),
        };
        check(&text, outcome.fails());
        scene.nothing_left();
    }
}

/// Each marked line has its error, and no other line has one.
fn check(configuration: &str, outcome: Outcome) {
    let errors = outcome.errors();
    let marked: Vec<(u64, &str)> = (1..)
        .zip(configuration.lines())
        .filter_map(|(number, line)| Some((number, line.split_once("# error: ")?.1)))
        .collect();
    assert!(!marked.is_empty(), "no line of the configuration is marked with `# error: …`");
    for (line, needles) in &marked {
        let here: Vec<_> =
            errors.iter().filter(|error| error.line == *line && error.file == "main.tf").collect();
        assert!(!here.is_empty(), "no error points at line {line}: {errors:#?}");
        for needle in needles.split(" & ") {
            assert!(
                here.iter().any(|error| error.says(needle)),
                "line {line}: {needle:?} is not said: {here:#?}"
            );
        }
    }
    for error in &errors {
        assert!(
            marked.iter().any(|(line, _)| *line == error.line),
            "an error that was not expected: {error:#?}"
        );
    }
}

/// Plans a deployment on `port`, which somebody has, and gives the errors at that line the words to check.
fn refused_port(port: u16, holder: &str) {
    let configuration = format!(
        r#"
resource "dynamo_deployment" "chat" {{
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  port              = {port} # error: {port} & {holder}
}}
"#
    );
    let scene = Scene::new(&configuration);
    check(&configuration, scene.terraform(&["plan", "-input=false", "-json"]).fails());
    scene.nothing_left();
}

fn port_held_by_a_container() {
    let port = free_port();
    let holder =
        Bystander::new(&format!("acc-holds-{port}"), &["--publish", &format!("127.0.0.1:{port}:80")]);
    refused_port(port, &holder.name);
}

fn port_held_by_a_process() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let this_process = fs::read_to_string("/proc/self/comm").unwrap();
    refused_port(listener.local_addr().unwrap().port(), &format!("the process {}", this_process.trim()));
}
