//! Who may in: keys, certificates and passwords; whom we trust: host keys; and what a user may do once there.
//!
//! A server counts what we try. So the cases count with it: nothing is tried on a server that is not the right one, and
//! what was refused once is not tried again, or the server shuts everybody out (`PerSourcePenalties`, fail2ban).

use std::{
    fs,
    process::{Command, Stdio},
};

use super::{
    super::{Case, harness::Scene, report::Outcome, world::wait_until},
    chat_on, chats, end,
    lab::{Host, key, password, visit, with_key},
    left_on, many_on, provider,
};

pub const CASES: &[Case] = &[
    ("another_host_key", another_host_key),
    ("another_host_key_in_known_hosts", another_host_key_in_known_hosts),
    ("unknown_host_key", unknown_host_key),
    ("host_key_from_known_hosts", host_key_from_known_hosts),
    ("any_host_key_when_told_so", any_host_key_when_told_so),
    ("refused_key_is_tried_once", refused_key_is_tried_once),
    ("key_from_the_environment", key_from_the_environment),
    ("keys_of_an_agent", keys_of_an_agent),
    ("alias_and_bastion_from_ssh_config", alias_and_bastion_from_ssh_config),
    ("passphrase_is_missing_or_wrong", passphrase_is_missing_or_wrong),
    ("bastion", bastion),
    ("docker_through_sudo", docker_through_sudo),
    ("docker_through_sudo_with_a_wrong_password", docker_through_sudo_with_a_wrong_password),
    ("user_without_rights", user_without_rights),
];

/// A way to log in that works. `options` are sshd's; `login` is HCL, in which `{keys}` is the folder of the lab's keys.
pub struct Login {
    name: &'static str,
    options: &'static [&'static str],
    login: &'static str,
}

pub const ACCEPTED: &[Login] = &[
    Login { name: "ed25519", options: &[], login: r#"private_key = file("{keys}/ed25519")"# },
    Login { name: "ecdsa", options: &[], login: r#"private_key = file("{keys}/ecdsa")"# },
    Login { name: "rsa", options: &[], login: r#"private_key = file("{keys}/rsa")"# },
    Login { name: "path_of_a_key", options: &[], login: r#"private_key_path = "{keys}/ed25519""# },
    Login {
        name: "encrypted_key",
        options: &[],
        login: r#"
            private_key            = file("{keys}/encrypted")
            private_key_passphrase = trimspace(file("{keys}/password"))
        "#,
    },
    Login {
        name: "certificate",
        options: &[],
        login: r#"
            private_key = file("{keys}/certified")
            certificate = file("{keys}/certified-cert.pub")
        "#,
    },
    Login {
        name: "password",
        options: &["AuthenticationMethods password"],
        login: r#"password = trimspace(file("{keys}/password"))"#,
    },
];

impl Login {
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// A plan that knows the host: one login, and no warning that it could not be reached.
    pub fn run(&self) {
        let mut lab = visit();
        let host = lab.host();
        host.restart_sshd(self.options);
        let keys = key("");
        let login = self.login.replace("{keys}", keys.to_str().unwrap().trim_end_matches('/'));
        reaches(&host, &host.entry("ops", &login));
    }
}

fn plan(scene: &Scene) -> Outcome {
    scene.terraform(&["plan", "-input=false", "-no-color"])
}

#[track_caller]
fn reaches(host: &Host, entry: &str) {
    let scene = chat_on(entry);
    let watch = host.watch();
    let outcome = plan(&scene).succeeds();
    // What could not be reached is named in a warning.
    assert!(!outcome.stdout.contains(&host.address), "{outcome}");
    assert_eq!((watch.connections(), watch.logins()), (1, 1), "{outcome}");
}

/// Applies and fails with all of these words; no login was tried, and nothing was made.
#[track_caller]
fn distrusts(host: &Host, entry: &str, words: &[&str]) {
    let scene = chat_on(entry);
    let watch = host.watch();
    let mut outcome = scene.apply().fails().says("gpu-a").says(&host.address);
    for word in words {
        outcome = outcome.says(word);
    }
    assert_ne!(watch.connections(), 0, "the server was never asked\n{outcome}");
    assert_eq!(watch.attempts(), 0, "a login was tried on a server that may be anybody's\n{outcome}");
}

fn another_host_key() {
    let mut lab = visit();
    let (host, other) = (lab.host(), lab.other_host());
    let trust = format!("host_key = {:?}", other.host_key());
    let entry = host.entry_trusting("ops", &with_key("ed25519"), &trust);
    distrusts(&host, &entry, &[&host.fingerprint(), &other.fingerprint()]);
}

fn another_host_key_in_known_hosts() {
    let mut lab = visit();
    let (host, other) = (lab.host(), lab.other_host());
    let (_file, trust) = known_hosts(&format!("{} {}\n", host.address, other.host_key()));
    let entry = host.entry_trusting("ops", &with_key("ed25519"), &trust);
    distrusts(&host, &entry, &[&host.fingerprint(), &other.fingerprint()]);
}

fn unknown_host_key() {
    let mut lab = visit();
    let host = lab.host();
    let (_file, trust) = known_hosts("");
    let entry = host.entry_trusting("ops", &with_key("ed25519"), &trust);
    distrusts(&host, &entry, &[&host.fingerprint(), "host_key"]);
}

fn known_hosts(lines: &str) -> (tempfile::NamedTempFile, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), lines).unwrap();
    let trust = format!("known_hosts_path = {:?}", file.path());
    (file, trust)
}

fn host_key_from_known_hosts() {
    let mut lab = visit();
    let host = lab.host();
    let (_file, trust) = known_hosts(&format!("# ours\nelsewhere,{} {}\n", host.address, host.host_key()));
    reaches(&host, &host.entry_trusting("ops", &with_key("ed25519"), &trust));
}

fn any_host_key_when_told_so() {
    let mut lab = visit();
    let host = lab.host();
    let entry = host.entry_trusting("ops", &with_key("ed25519"), "insecure_ignore_host_key = true");
    let watch = host.watch();
    plan(&chat_on(&entry)).succeeds().says("insecure_ignore_host_key");
    assert_eq!(watch.logins(), 1);
}

fn refused_key_is_tried_once() {
    let mut lab = visit();
    let host = lab.host();
    let scene = many_on(&host.entry("ops", &with_key("stranger")), 5);
    let watch = host.watch();
    scene.apply().fails().says("gpu-a").says("ops").says("publickey");
    assert_eq!((watch.attempts(), watch.logins()), (1, 0));
}

fn key_from_the_environment() {
    let mut lab = visit();
    let host = lab.host();
    let mut scene = chat_on(&host.entry("ops", ""));
    scene.environment("DYNAMO_SSH_PRIVATE_KEY", &fs::read_to_string(key("ed25519")).unwrap());
    let watch = host.watch();
    plan(&scene).succeeds();
    assert_eq!((watch.connections(), watch.logins()), (1, 1));
}

/// The agent has two keys; the host knows the second.
fn keys_of_an_agent() {
    let mut lab = visit();
    let host = lab.host();
    let mut scene = chat_on(&host.entry("ops", "agent = true"));
    let socket = scene.path().join("agent.sock");
    let mut agent =
        Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
    wait_until("the agent listens", || socket.exists());
    for name in ["stranger", "ed25519"] {
        let added = Command::new("ssh-add").env("SSH_AUTH_SOCK", &socket).arg("-q").arg(key(name)).status();
        assert!(added.is_ok_and(|status| status.success()), "ssh-add {name}");
    }
    scene.environment("SSH_AUTH_SOCK", socket.to_str().unwrap());
    let watch = host.watch();
    let outcome = plan(&scene);
    agent.kill().unwrap();
    agent.wait().unwrap();
    let outcome = outcome.succeeds();
    assert_eq!((watch.connections(), watch.logins()), (1, 1), "{outcome}");
}

/// What OpenSSH would do with the same lines.
fn alias_and_bastion_from_ssh_config() {
    let mut lab = visit();
    let (host, bastion) = (lab.host(), lab.other_host());
    let scene = chat_on("address = \"lab-alias\"\nssh_config = true");
    let folder = scene.path().join(".ssh");
    fs::create_dir(&folder).unwrap();
    let known = format!("{} {}\n{} {}\n", host.address, host.host_key(), bastion.address, bastion.host_key());
    fs::write(folder.join("lab_hosts"), known).unwrap();
    let config = format!(
        "Host lab-alias\n  HostName {}\n  ProxyJump nosudo@{}\nHost *\n  User ops\n  IdentityFile {}\n  UserKnownHostsFile ~/.ssh/lab_hosts\n",
        host.address,
        bastion.address,
        key("ed25519").display(),
    );
    fs::write(folder.join("config"), config).unwrap();
    let (outer, inner) = (bastion.watch(), host.watch());
    let outcome = plan(&scene).succeeds();
    assert_eq!((outer.logins(), inner.logins()), (1, 1), "{outcome}");
    assert_eq!(inner.connections_from(&bastion.address), 1);
}

fn passphrase_is_missing_or_wrong() {
    let mut lab = visit();
    let host = lab.host();
    for passphrase in ["", "private_key_passphrase = \"not this one\""] {
        let watch = host.watch();
        let scene = chat_on(&host.entry("ops", &format!("{}\n{passphrase}", with_key("encrypted"))));
        scene.apply().fails().says("private_key_passphrase");
        assert_eq!(watch.attempts(), 0);
    }
}

/// The host is reached from the bastion, where another user logs in with another key.
fn bastion() {
    let mut lab = visit();
    let (host, bastion) = (lab.host(), lab.other_host());
    let inner = bastion.entry("nosudo", &with_key("rsa"));
    let entry = format!("{}\nbastion = {{\n{inner}}}", host.entry("ops", &with_key("ed25519")));
    let (outer, inner) = (bastion.watch(), host.watch());
    let scene = chat_on(&entry);
    let state = scene.settle();
    chats(&host, &state);
    assert!(outer.logins() > 0 && outer.logins() == inner.logins());
    assert_eq!(inner.connections_from(&bastion.address), inner.connections());
    end(&host, &scene);
}

/// The password goes to sudo on the host, and nowhere else.
fn docker_through_sudo() {
    let mut lab = visit();
    let host = lab.host();
    let sudo = format!("sudo_password = trimspace(file({:?}))", key("password"));
    let scene = chat_on(&host.entry("plain", &format!("{}\n{sudo}", with_key("ed25519"))));
    let state = scene.settle();
    chats(&host, &state);
    let kept = fs::read_to_string(scene.path().join("terraform.tfstate")).unwrap();
    assert!(!kept.contains(&password()), "the password is in the state");
    end(&host, &scene);
}

fn docker_through_sudo_with_a_wrong_password() {
    let mut lab = visit();
    let host = lab.host();
    let wrong = "sudo_password = \"canary-not-the-password\"";
    let scene = chat_on(&host.entry("plain", &format!("{}\n{wrong}", with_key("ed25519"))));
    let outcome = scene.apply().fails().says("gpu-a").says("sudo_password");
    assert!(!format!("{outcome}").contains("canary"), "the password is in the error");
    assert_eq!(left_on(&host), "");
}

/// Neither the socket nor sudo: the error names the two ways out.
fn user_without_rights() {
    let mut lab = visit();
    let host = lab.host();
    for user in ["plain", "nosudo"] {
        let scene =
            Scene::new(&format!("{}{}", provider(&host.entry(user, &with_key("ed25519"))), super::CHAT));
        scene
            .apply()
            .fails()
            .says("gpu-a")
            .says("/var/run/docker.sock")
            .says("docker group")
            .says("sudo_password");
    }
}
