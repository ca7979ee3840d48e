//! Provider processes: started with the environment that Terraform gives, watched, and never left behind.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

use super::client::Client;
use super::peer::{Identity, Peer};

const BINARY: &str = env!("CARGO_BIN_EXE_terraform-provider-dynamo");
const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/// A process that does nothing for this long hangs.
const HANGS: Duration = Duration::from_secs(60);

/// How to start a process. [`Setup::terraform`] is how Terraform does it; tests change single things.
pub struct Setup {
    pub arguments: Vec<String>,
    /// The whole environment besides `TMPDIR`.
    pub environment: Vec<(String, String)>,
    /// The certificate that the provider is told to let in.
    pub client: Option<Identity>,
    /// Start it from a shell that waits for it, so that the parent can be killed.
    pub under_shell: bool,
}

impl Setup {
    pub fn terraform() -> Self {
        let setup = Self { client: Some(Identity::new()), ..Self::bare() };
        let ports = setup.with("PLUGIN_MIN_PORT", "10000").with("PLUGIN_MAX_PORT", "25000");
        ports.with("TF_PLUGIN_MAGIC_COOKIE", COOKIE).with("PLUGIN_PROTOCOL_VERSIONS", "5,6")
    }

    /// As a person would start it.
    pub fn bare() -> Self {
        Self { arguments: Vec::new(), environment: Vec::new(), client: None, under_shell: false }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.into(), value.into()));
        self
    }

    pub fn without_certificate(mut self) -> Self {
        self.client = None;
        self
    }

    /// Starts the process and does not wait for anything.
    pub fn spawn(self) -> Process {
        let directory = tempfile::Builder::new().prefix("wire").tempdir().unwrap();
        let mut command = if self.under_shell { Command::new("/bin/sh") } else { Command::new(BINARY) };
        if self.under_shell {
            command.args(["-c", "\"$0\" \"$@\" & wait", BINARY]);
        }
        command.args(&self.arguments).env_clear().envs(self.environment).env("TMPDIR", directory.path());
        if let Some(client) = &self.client {
            command.env("PLUGIN_CLIENT_CERT", client.pem());
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap();
        let (line, first_line) = mpsc::channel();
        let stdout = child.stdout.take().unwrap();
        let stderr = child.stderr.take().unwrap();
        let stdout = std::thread::spawn(move || all_lines(stdout, |text| drop(line.send(text.to_owned()))));
        let stderr = std::thread::spawn(move || all_lines(stderr, |_| ()));
        Process { child: Group(child), directory, client: self.client, first_line, stdout, stderr }
    }

    /// Starts the process and waits for its address.
    pub fn start(self) -> Provider {
        let process = self.spawn();
        let line = process.next_line();
        let handshake = Handshake::parse(&line);
        Provider { process, handshake }
    }
}

fn all_lines(pipe: impl Read, mut seen: impl FnMut(&str)) -> String {
    let (mut pipe, mut all, mut before) = (BufReader::new(pipe), String::new(), 0);
    while pipe.read_line(&mut all).unwrap() > 0 {
        seen(&all[before..]);
        before = all.len();
    }
    all
}

/// A child and what it started. Nothing of that outlives the test.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // Fails when all of them are gone, which is as well.
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        let _ = self.0.wait();
    }
}

/// A process that may or may not serve.
pub struct Process {
    child: Group,
    directory: TempDir,
    client: Option<Identity>,
    first_line: mpsc::Receiver<String>,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

impl Process {
    /// The next line of stdout, with its newline.
    pub fn next_line(&self) -> String {
        self.first_line.recv_timeout(HANGS).expect("the provider wrote no line to stdout")
    }

    /// The process id; that of the shell, if it was started under one.
    pub fn id(&self) -> u32 {
        self.child.0.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child.0), signal).unwrap();
    }

    /// Waits for the end: of the child, and of all that it started, which hold the other ends of the pipes.
    pub fn finish(mut self) -> Finished {
        let start = Instant::now();
        let status = loop {
            let status = self.child.0.try_wait().unwrap();
            if let (Some(status), true, true) = (status, self.stdout.is_finished(), self.stderr.is_finished())
            {
                break status;
            }
            assert!(start.elapsed() < HANGS, "the process did not end");
            std::thread::sleep(Duration::from_millis(2));
        };
        let left = files(self.directory.path());
        Finished { status, stdout: self.stdout.join().unwrap(), stderr: self.stderr.join().unwrap(), left }
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// All that is left of a process.
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    /// Temporary files that it did not remove.
    pub left: Vec<PathBuf>,
}

/// The parts of the line that a provider announces itself with.
pub struct Handshake {
    pub fields: Vec<String>,
    pub socket: PathBuf,
    /// DER.
    pub certificate: Option<Vec<u8>>,
}

impl Handshake {
    fn parse(line: &str) -> Self {
        let text = line.strip_suffix('\n').expect("the handshake line does not end in a newline");
        let fields: Vec<String> = text.split('|').map(str::to_owned).collect();
        assert!(fields.len() >= 6, "not a handshake: {line}");
        let certificate = Some(&fields[5]).filter(|field| !field.is_empty());
        let certificate =
            certificate.map(|field| STANDARD_NO_PAD.decode(field).expect("field 6 is not base64"));
        Self { socket: PathBuf::from(&fields[3]), certificate, fields }
    }
}

/// A process that serves.
pub struct Provider {
    pub process: Process,
    pub handshake: Handshake,
}

impl Provider {
    /// As Terraform starts it.
    pub fn start() -> Self {
        Setup::terraform().start()
    }

    /// The peer that Terraform would be.
    pub fn peer(&self) -> Peer {
        match (&self.process.client, &self.handshake.certificate) {
            (Some(client), Some(server)) => {
                Peer::encrypted(&self.handshake.socket, server.clone(), Some(client.clone()))
            }
            _ => Peer::plain(&self.handshake.socket),
        }
    }

    /// A client as Terraform would be.
    pub async fn client(&self) -> Client {
        Client::new(self.peer().channel().await.unwrap())
    }

    /// Asks the process to end as Terraform does, and waits for it.
    pub async fn shut_down(self) -> Finished {
        self.client().await.shutdown().await.unwrap();
        self.finish().await
    }

    /// Waits for the end.
    pub async fn finish(self) -> Finished {
        tokio::task::spawn_blocking(|| self.process.finish()).await.unwrap()
    }
}
