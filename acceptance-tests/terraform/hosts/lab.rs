//! Two hosts for the cases: real sshd, real Docker Engine each, made by `acceptance-tests/lab/hosts.sh`.
//!
//! Starting them costs seconds, so they start with the first case that asks and serve all cases, one case at a time: what
//! a server's log counts belongs to one case then. A case may cut cables, change sshd's settings or switch a host off:
//! the next case finds both hosts as new. The lab ends with this process, however that ends, because `hosts.sh lab-hold`
//! waits for the end of a pipe that only this process holds.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::super::harness::{BYSTANDER_IMAGE, HOLLOW_IMAGE, IMAGE, PAGE_IMAGE};

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");
/// Each host: its name and the last number of its address.
const HOSTS: [(&str, u8); 2] = [("hosta", 11), ("hostb", 12)];

static LAB: Mutex<Option<Lab>> = Mutex::new(None);

struct Lab {
    /// `hosts.sh lab-hold`; the lab ends when its standard input does.
    hold: Child,
    /// Hosts that a case left different from new.
    changed: bool,
}

/// What a case may do with the hosts while no other case does.
pub struct Visit {
    lab: MutexGuard<'static, Option<Lab>>,
}

/// Waits for the case before, starts the lab if this is the first case, and gives both hosts as new.
#[track_caller]
pub fn visit() -> Visit {
    // A case that failed poisons the lock; what it left is put right here.
    let mut lab = LAB.lock().unwrap_or_else(PoisonError::into_inner);
    let lab_now = lab.get_or_insert_with(start);
    if std::mem::take(&mut lab_now.changed) {
        HOSTS.iter().for_each(|(name, number)| renew(name, *number));
    }
    Visit { lab }
}

/// Ends the lab if one was started, and says so when something went wrong.
pub fn tear_down() {
    let Some(mut lab) = LAB.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
    drop(lab.hold.stdin.take());
    if !lab.hold.wait().is_ok_and(|status| status.success()) {
        eprintln!("the lab's hosts could not be removed: try acceptance-tests/lab/hosts.sh lab-down");
    }
}

fn start() -> Lab {
    let mut command = Command::new(script("hosts.sh"));
    command.arg("lab-hold").stdin(Stdio::piped()).stdout(Stdio::piped());
    std::os::unix::process::CommandExt::process_group(&mut command, 0); // an interrupt is for us; it is told by the pipe
    let mut hold = command.spawn().unwrap();
    let mut word = String::new();
    BufReader::new(hold.stdout.as_mut().unwrap()).read_line(&mut word).unwrap();
    assert_eq!(word.trim(), "up", "the lab's network did not come up: see above");
    let lab = Lab { hold, changed: false };
    for (name, number) in HOSTS {
        script_runs(&["host-up", name, &address(number), "--gpus", "2"]);
        script_runs(&["load", name, IMAGE, HOLLOW_IMAGE, BYSTANDER_IMAGE, PAGE_IMAGE]);
    }
    lab
}

/// As after `host-up`, whatever a case did.
fn renew(name: &str, number: u8) {
    let is_up = try_script(&["run", name, "true"]).is_ok();
    if !is_up {
        script_runs(&["host-up", name, &address(number)]);
    }
    script_runs(&["delay", name, "0"]); // a new cable: neither slow nor cut
    script_runs(&["sshd-restart", name]);
    let host = Host { name: name.to_owned(), address: address(number) };
    let cleaned =
        Command::new(script("clean.sh")).env("DOCKER_HOST", host.engine()).stderr(Stdio::null()).status();
    assert!(cleaned.is_ok_and(|status| status.success()), "what a case left on {name} could not be removed");
}

fn address(number: u8) -> String {
    let network = std::env::var("DYNAMO_LAB_NETWORK").unwrap_or_else(|_| "10.77.0".to_owned());
    format!("{network}.{number}")
}

fn script(name: &str) -> PathBuf {
    Path::new(REPOSITORY).join("acceptance-tests/lab").join(name)
}

fn state() -> PathBuf {
    let lab = std::env::var_os("DYNAMO_LAB_DIR").map(PathBuf::from);
    lab.unwrap_or_else(|| Path::new(REPOSITORY).join(".lab")).join("hosts")
}

fn try_script(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(script("hosts.sh")).args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

#[track_caller]
fn script_runs(arguments: &[&str]) -> String {
    try_script(arguments).unwrap_or_else(|error| panic!("hosts.sh {}: {error}", arguments.join(" ")))
}

impl Visit {
    /// Where most cases happen.
    pub fn host(&mut self) -> Host {
        self.numbered(0)
    }

    pub fn other_host(&mut self) -> Host {
        self.numbered(1)
    }

    fn numbered(&mut self, index: usize) -> Host {
        self.lab.as_mut().unwrap().changed = true;
        let (name, number) = HOSTS[index];
        Host { name: name.to_owned(), address: address(number) }
    }
}

/// A key of the lab's, by the name of its file in `keys/`.
pub fn key(name: &str) -> PathBuf {
    state().join("keys").join(name)
}

/// The password of `ops` and `plain`, and the passphrase of the key `encrypted`.
pub fn password() -> String {
    fs::read_to_string(key("password")).unwrap().trim().to_owned()
}

/// One host of the lab. Its commands can be used while the [`Visit`] lasts.
pub struct Host {
    pub name: String,
    pub address: String,
}

impl Host {
    /// Changes the server's settings (`MaxSessions 1`), and ends the connections it has.
    pub fn restart_sshd(&self, options: &[&str]) {
        let options = options.iter().flat_map(|option| ["--sshd-option", option]);
        script_runs(&["sshd-restart", &self.name].into_iter().chain(options).collect::<Vec<_>>());
    }

    pub fn cut(&self) {
        script_runs(&["cut", &self.name]);
    }

    pub fn uncut(&self) {
        script_runs(&["uncut", &self.name]);
    }

    /// Slows the cable down by so many milliseconds each way.
    pub fn delay(&self, milliseconds: &str) {
        script_runs(&["delay", &self.name, milliseconds]);
    }

    pub fn power_off(&self) {
        script_runs(&["host-down", &self.name, "--keep"]);
    }

    pub fn power_on(&self) {
        script_runs(&["host-up", &self.name, &self.address]);
    }

    /// Runs a command in the host, as root and without SSH.
    #[track_caller]
    pub fn run(&self, command: &[&str]) -> String {
        script_runs(&[&["run", &self.name], command].concat())
    }

    /// As [`Host::run`], for what may fail.
    pub fn try_run(&self, command: &[&str]) -> Result<String, String> {
        try_script(&[&["run", &self.name], command].concat())
    }

    /// The Engine as this machine sees it, without SSH.
    pub fn engine(&self) -> String {
        let pid = fs::read_to_string(state().join(&self.name).join("pid")).unwrap();
        format!("unix:///proc/{}/root/run/docker.sock", pid.trim())
    }

    #[track_caller]
    pub fn docker(&self, arguments: &[&str]) -> String {
        let output =
            Command::new("docker").env("DOCKER_HOST", self.engine()).args(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "docker {} on {}: {stderr}", arguments.join(" "), self.name);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// `ssh-ed25519 AAAA…`, as it goes into `host_key`.
    pub fn host_key(&self) -> String {
        let line = fs::read_to_string(key(&format!("{}.host.pub", self.name))).unwrap();
        line.split(' ').take(2).collect::<Vec<_>>().join(" ").trim().to_owned()
    }

    /// `SHA256:…` of its host key, as ssh-keygen says it.
    pub fn fingerprint(&self) -> String {
        let file = key(&format!("{}.host.pub", self.name));
        let output = Command::new("ssh-keygen").arg("-lf").arg(file).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        text.split(' ').nth(1).unwrap_or_else(|| panic!("no fingerprint in {text:?}")).to_owned()
    }

    /// The body of an entry of `hosts`: where it is, whom to trust, and how to log in.
    pub fn entry(&self, user: &str, login: &str) -> String {
        self.entry_trusting(user, login, &format!("host_key = {:?}", self.host_key()))
    }

    pub fn entry_trusting(&self, user: &str, login: &str, trust: &str) -> String {
        format!("address = {:?}\nuser = {user:?}\n{login}\n{trust}\n", self.address)
    }

    /// What the server's log says from now on.
    pub fn watch(&self) -> Watch {
        let log = state().join(&self.name).join("disk/var/log/sshd.log");
        let from = fs::read_to_string(&log).unwrap_or_default().len();
        Watch { log, from }
    }
}

/// Login with a key of the lab's.
pub fn with_key(name: &str) -> String {
    format!("private_key = file({:?})", key(name))
}

/// A place in the log of an sshd.
pub struct Watch {
    log: PathBuf,
    from: usize,
}

impl Watch {
    fn lines(&self) -> Vec<String> {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.get(self.from..).unwrap_or(&log).lines().map(str::to_owned).collect()
    }

    fn count(&self, of_interest: impl Fn(&str) -> bool) -> usize {
        self.lines().iter().filter(|line| of_interest(line)).count()
    }

    /// TCP connections that reached the server.
    pub fn connections(&self) -> usize {
        self.count(|line| line.starts_with("Connection from "))
    }

    /// TCP connections from this address.
    pub fn connections_from(&self, address: &str) -> usize {
        self.count(|line| line.starts_with(&format!("Connection from {address} ")))
    }

    /// Logins that were asked for: accepted ones and refused ones.
    pub fn attempts(&self) -> usize {
        let words = ["Accepted publickey ", "Accepted password ", "Failed publickey ", "Failed password "];
        self.count(|line| {
            words.iter().any(|word| line.starts_with(word)) || line.starts_with("Invalid user ")
        })
    }

    /// Passwords that were shown to the server: right ones and wrong ones.
    pub fn passwords(&self) -> usize {
        self.count(|line| line.starts_with("Accepted password ") || line.starts_with("Failed password "))
    }

    /// Shells and commands that were started for somebody.
    pub fn sessions(&self) -> usize {
        self.count(|line| line.starts_with("Starting session"))
    }

    pub fn logins(&self) -> usize {
        self.count(|line| line.starts_with("Accepted publickey ") || line.starts_with("Accepted password "))
    }
}
