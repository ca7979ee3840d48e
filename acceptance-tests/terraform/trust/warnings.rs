//! What a plan warns of: rights that equal root's on the host, and secrets where everybody reads them.

use std::net::UdpSocket;

use super::super::{Case, harness::Scene};

pub const CASES: &[Case] = &[
    ("of_secrets_in_plain_sight", secrets),
    ("of_an_engine_in_clear_text", engine_in_clear_text),
    ("of_a_token_for_a_hub_in_clear_text", hub_in_clear_text),
];

/// Warnings of a plan, each with what it is about.
fn warnings(scene: &Scene) -> Vec<String> {
    let outcome = scene.terraform(&["plan", "-input=false", "-json"]);
    let events =
        outcome.stdout.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let diagnostics = events.filter(|event| event["diagnostic"]["severity"] == "warning");
    let texts = diagnostics.map(|event| {
        let words = |key: &str| event["diagnostic"][key].as_str().unwrap_or_default().to_owned();
        format!("{}: {}", words("summary"), words("detail"))
    });
    texts.collect()
}

/// The plan of each configuration has a warning that holds all of the words.
fn each_warns<'a>(table: impl IntoIterator<Item = (String, &'a [&'a str])>) {
    let mut failures = Vec::new();
    for (configuration, words) in table {
        let scene = Scene::new(&configuration);
        let said = warnings(&scene);
        if !said.iter().any(|text| words.iter().all(|word| text.contains(word))) {
            failures.push(format!("no warning says {words:?}: {said:?}\n{configuration}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn deployment(lines: &str) -> String {
    format!(
        r#"
resource "dynamo_deployment" "chat" {{
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
{lines}
}}
"#
    )
}

fn secrets() {
    let rows: [(&str, &[&str]); 7] = [
        ("env = { HF_TOKEN = \"canary\" }", &["HF_TOKEN", "secret_env"]),
        ("env = { OUR_API_KEY = \"canary\" }", &["OUR_API_KEY", "secret_env"]),
        ("env = { DB_PASSWORD = \"canary\" }", &["DB_PASSWORD", "secret_env"]),
        ("env = { SESSION_SECRET = \"canary\" }", &["SESSION_SECRET", "secret_env"]),
        ("env = { HF_TOKEN = \"canary\" }\nsecret_env = { OTHER = \"x\" }", &["HF_TOKEN", "secret_env"]),
        ("engine_args = { api-key = \"canary\" }", &["api-key", "secret_env"]),
        ("engine_args = { hf_token = \"canary\" }", &["hf_token", "secret_env"]),
    ];
    each_warns(rows.map(|(lines, words)| (deployment(lines), words)));
    // Names that only look like it.
    for lines in
        ["env = { TOKENIZERS_PARALLELISM = \"true\" }", "engine_args = { max-num-batched-tokens = 64 }"]
    {
        let said = warnings(&Scene::new(&deployment(lines)));
        assert!(!said.iter().any(|text| text.contains("secret")), "{lines}: {said:?}");
    }
    let said = warnings(&Scene::new(&deployment("env = { HF_TOKEN = \"canary\" }")));
    assert!(!said.join(" ").contains("canary"), "{said:?}");
}

/// An address of this machine's that others see; nobody listens at the port.
fn engine_in_clear_text() {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.connect("192.0.2.1:9").unwrap(); // sends nothing
    let address = socket.local_addr().unwrap().ip();
    let on = |address: &str| {
        format!(
            "provider \"dynamo\" {{\n  hosts = {{ here = {{ docker_host = \"tcp://{address}:9\" }} }}\n}}\n{}",
            deployment("")
        )
    };
    each_warns([(on(&address.to_string()), &["docker_host", "clear text"] as &[&str])]);
    let said = warnings(&Scene::new(&on("127.0.0.1")));
    assert!(!said.iter().any(|text| text.contains("clear text")), "{said:?}");
    let mut scene = Scene::new(&deployment(""));
    scene.environment("DOCKER_HOST", &format!("tcp://{address}:9"));
    let said = warnings(&scene);
    assert!(said.iter().any(|text| text.contains("clear text")), "{said:?}");
    scene.forget("DOCKER_HOST");
}

fn hub_in_clear_text() {
    let hub = |endpoint: &str, token: &str| {
        format!(
            "resource \"dynamo_model\" \"hub\" {{\n  name  = \"acme/Tiny\"\n  image = \"dynamo-hub:local\"\n  source {{\n    huggingface = true\n    \
             endpoint    = {endpoint:?}\n    {token}\n  }}\n}}\n"
        )
    };
    let token = "token = \"hf_canary\"";
    each_warns([(hub("http://hub.example.com", token), &["http://", "clear text"] as &[&str])]);
    for (endpoint, token) in
        [("http://127.0.0.1:9", token), ("https://hub.example.com", token), ("http://hub.example.com", "")]
    {
        let said = warnings(&Scene::new(&hub(endpoint, token)));
        assert!(!said.iter().any(|text| text.contains("clear text")), "{endpoint}: {said:?}");
    }
}
