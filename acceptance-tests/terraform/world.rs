//! What is around Terraform: Docker as a bystander sees it, the served model as a client sees it, and processes.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::harness::{BYSTANDER_IMAGE, MODEL};

/// Runs the `docker` command and gives its trimmed output.
#[track_caller]
pub fn docker(arguments: &[&str]) -> String {
    let output = Command::new("timeout").args(["120", "docker"]).args(arguments).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {}: {stderr}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// One property of a container, as `docker inspect --format` gives it.
#[track_caller]
pub fn inspect(container: &str, format: &str) -> String {
    docker(&["inspect", "--format", format, container])
}

/// Ids of a deployment's containers of one component (`frontend`, `worker`, …), running or not, oldest first.
pub fn containers(deployment: &str, component: &str) -> Vec<String> {
    let deployment = format!("label=io.dynamo-terraform.deployment={deployment}");
    let component = format!("label=io.dynamo-terraform.component={component}");
    let listed =
        docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &deployment, "--filter", &component]);
    listed.lines().rev().map(str::to_owned).collect()
}

/// A container that is none of ours. It goes when this value goes.
pub struct Bystander {
    pub name: String,
}

impl Bystander {
    pub fn new(name: &str, options: &[&str]) -> Self {
        let bystander = Self { name: name.to_owned() }; // first: one that does not start is removed as well
        docker(&[&["run", "--detach", "--name", name], options, &[BYSTANDER_IMAGE, "sleep", "600"]].concat());
        bystander
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", &self.name]).output();
    }
}

/// A port of the loopback address that nobody holds at this moment.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Waits until `done` says so; fails the case when that takes longer than anything here should.
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(120);
    while !done() {
        assert!(Instant::now() < limit, "this did not happen within two minutes: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What the frontend answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// A client of the OpenAI API at `endpoint` (`http://address:port`).
pub struct Client {
    address: String,
    /// The name under which it is served.
    pub model: String,
    /// Sent with every chat, when the router leaves the choice of the worker to the client.
    pub worker: Option<String>,
    /// The same of the worker that does prefill for it.
    pub prefill: Option<String>,
}

impl Client {
    #[track_caller]
    pub fn new(endpoint: &str) -> Self {
        let address = endpoint.strip_prefix("http://").unwrap_or_else(|| panic!("odd endpoint {endpoint:?}"));
        Self {
            address: address.trim_end_matches('/').to_owned(),
            model: MODEL.to_owned(),
            worker: None,
            prefill: None,
        }
    }

    /// HTTP/1.0: the answer ends when the connection does, and a stream comes as it is.
    fn request(&self, head: &str, body: &str) -> std::io::Result<Answer> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        write!(stream, "{head} HTTP/1.0\r\nhost: {}\r\n", self.address)?;
        for (header, named) in
            [("x-worker-instance-id", &self.worker), ("x-prefill-instance-id", &self.prefill)]
        {
            if let Some(named) = named {
                write!(stream, "{header}: {named}\r\n")?;
            }
        }
        write!(stream, "content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Ok(Answer { status, body: body.to_owned() })
    }

    pub fn get(&self, path: &str) -> Value {
        let answer = self.request(&format!("GET {path}"), "").unwrap();
        serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{path}: {error}: {answer:?}"))
    }

    /// A chat of a few tokens; an error is one of the connection.
    pub fn try_chat(&self, stream: bool) -> std::io::Result<Answer> {
        self.ask("hello", stream)
    }

    /// A chat of a few tokens about `text`; an error is one of the connection.
    pub fn ask(&self, text: &str, stream: bool) -> std::io::Result<Answer> {
        let question = json!({
            "model": self.model, "max_tokens": 4, "stream": stream, "messages": [{"role": "user", "content": text}],
        });
        self.request("POST /v1/chat/completions", &question.to_string())
    }

    /// The model answers, at once and streamed.
    #[track_caller]
    pub fn chats(&self) {
        let whole = self.try_chat(false).unwrap();
        assert_eq!(whole.status, 200, "{whole:?}");
        let completion: Value = serde_json::from_str(&whole.body).unwrap();
        let text = completion["choices"][0]["message"]["content"].as_str().unwrap_or_default();
        assert!(!text.trim().is_empty(), "{completion}");
        let streamed = self.try_chat(true).unwrap();
        assert!(streamed.status == 200 && streamed.body.contains("data: [DONE]"), "{streamed:?}");
    }

    /// Instance ids of the workers that the frontend knows.
    pub fn workers(&self) -> Vec<String> {
        let health = self.get("/health");
        let instances = health["instances"].as_array().into_iter().flatten();
        instances.filter(|i| i["endpoint"] == "generate").map(|i| i["instance_id"].to_string()).collect()
    }
}

/// Processes whose parent is `parent`, and their children's children.
pub fn descendants(parent: u32) -> Vec<u32> {
    let children: Vec<u32> =
        all_processes().into_iter().filter(|(_, p)| *p == parent).map(|(pid, _)| pid).collect();
    children.iter().flat_map(|&child| std::iter::once(child).chain(descendants(child))).collect()
}

/// Process id and parent of everything that runs.
fn all_processes() -> Vec<(u32, u32)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold anything; state and parent follow the last one.
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        Some((pid, parent))
    })
    .collect()
}

/// Kills, with no chance to clean up, the providers that run below process `ancestor`. Gives how many there were.
pub fn kill_providers(ancestor: u32) -> usize {
    let is_provider = |pid: &u32| {
        std::fs::read_link(format!("/proc/{pid}/exe"))
            .is_ok_and(|program| program.to_string_lossy().contains("terraform-provider-dynamo"))
    };
    let providers: Vec<u32> = descendants(ancestor).into_iter().filter(is_provider).collect();
    for pid in &providers {
        let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
    }
    providers.len()
}
