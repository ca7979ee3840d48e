//! What is shown to whom at a login: to a bastion, to sudo, to a server whose key is known by other means.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{
    super::{
        Case,
        harness::Scene,
        hosts::{
            CHAT, chat_on,
            lab::{Host, key, password, visit, with_key},
            provider,
        },
        report::Outcome,
    },
    liar::{self, Lie},
};

pub const CASES: &[Case] = &[
    ("a_bastion_gets_no_password_of_the_host", bastion_gets_no_password),
    ("sudos_password_goes_to_sudo_alone", sudo_alone),
    ("a_key_that_others_may_read_is_refused", open_key),
    ("the_systems_known_hosts_are_known", system_known_hosts),
    ("a_revoked_host_key_is_refused", revoked),
    ("a_host_key_under_an_alias_is_known", alias),
];

fn plan(scene: &Scene) -> Outcome {
    scene.terraform(&["plan", "-input=false", "-no-color"])
}

fn bastion_gets_no_password() {
    let mut lab = visit();
    let (host, bastion) = (lab.host(), lab.other_host());
    bastion.restart_sshd(&["AuthenticationMethods any"]);
    let password = format!("password = {:?}", password());
    // A login at the host, and how many logins the bastion sees: keys may be shown to it.
    for (login, most) in [(password.clone(), 0), (format!("{}\n{password}", with_key("stranger")), 1)] {
        let inner = format!("address = {:?}\nhost_key = {:?}", bastion.address, bastion.host_key());
        let scene = chat_on(&format!("{}\nbastion = {{\n{inner}\n}}", host.entry("ops", &login)));
        let (outer, beyond) = (bastion.watch(), host.watch());
        let outcome = scene.apply();
        assert!(outer.attempts() <= most, "{} logins at the bastion\n{outcome}", outer.attempts());
        assert_eq!((outer.passwords(), beyond.attempts()), (0, 0), "the bastion got the password\n{outcome}");
        outcome.fails().says(&bastion.address);
    }
}

/// Another program that asks in the same words, and one that only listens, hear nothing; sudo is asked for in a way that
/// nobody can know beforehand.
fn sudo_alone() {
    let mut lab = visit();
    let host = lab.host();
    let heard = "/tmp/heard-as-sudo";
    let listens = Lie {
        asked: "*sudo*-S*",
        said: format!(
            "printf '%s\\n' \"$asked\" >>{heard}.asked; printf '[dynamo: password]' >&2; head -c 1000 | timeout 5 tee -a {heard}; echo 'sudo: no'; exit 1"
        ),
    };
    let refuses =
        Lie { asked: "*sudo*-n*", said: "echo 'sudo: a password is required' >&2; exit 1".to_owned() };
    let login = format!("{}\nsudo_password = \"canary-sudo\"", with_key("ed25519"));
    host.run(&["sh", "-c", &format!("rm -f {heard}*; touch {heard} {heard}.asked; chmod 0666 {heard}*")]);
    let entry = liar::entry_without_docker(&host, &[listens, refuses], &login);
    for _ in 0..2 {
        plan(&Scene::new(&format!("{}{CHAT}", provider(&entry))));
    }
    let asked = host.run(&["cat", &format!("{heard}.asked")]);
    assert!(!asked.is_empty(), "sudo was never run");
    let said = host.run(&["cat", heard]);
    assert!(!said.contains("canary"), "the password went to what is not sudo: {said}\n{asked}");
    let mut prompts: Vec<&str> = asked.lines().filter_map(|line| line.split(" -p ").nth(1)).collect();
    let all = prompts.len();
    prompts.sort_unstable();
    prompts.dedup();
    assert!(all >= 2 && prompts.len() >= 2, "the same prompt twice: {asked}");
}

fn open_key() {
    let mut lab = visit();
    let host = lab.host();
    for (mode, refused) in [(0o600, false), (0o400, false), (0o640, true), (0o644, true), (0o604, true)] {
        let scene = Scene::new("");
        let file = scene.path().join("id_ed25519");
        fs::copy(key("ed25519"), &file).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let entry = host.entry("ops", &format!("private_key_path = {file:?}"));
        scene.write(&format!("{}{CHAT}", provider(&entry)));
        let watch = host.watch();
        let outcome = plan(&scene).says(if refused { "chmod 600" } else { "dynamo_deployment" });
        assert_eq!(watch.attempts(), usize::from(!refused), "mode {mode:o}\n{outcome}");
    }
}

/// The scene's folder in place of `/etc/ssh`, for Terraform alone.
fn with_system_files(scene: &mut Scene, known: &str) {
    let folder = scene.path().join("etc-ssh");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("ssh_known_hosts"), known).unwrap();
    let mount = "mount --bind \"$0\" /etc/ssh && exec \"$@\"";
    scene.under(&["unshare", "--mount", "sh", "-c", mount, folder.to_str().unwrap()]);
}

#[track_caller]
fn reaches(host: &Host, scene: &Scene) {
    let watch = host.watch();
    let outcome = plan(scene).succeeds();
    assert_eq!(watch.logins(), 1, "{outcome}");
}

fn system_known_hosts() {
    let mut lab = visit();
    let (host, other) = (lab.host(), lab.other_host());
    let entry = host.entry_trusting("ops", &with_key("ed25519"), "");
    let mut scene = chat_on(&entry);
    with_system_files(&mut scene, &format!("{} {}\n", host.address, host.host_key()));
    reaches(&host, &scene);
    // What is revoked there is revoked, whatever the user's own file says.
    let mut scene = chat_on(&entry);
    fs::create_dir(scene.path().join(".ssh")).unwrap();
    let line = format!("{} {}\n", host.address, host.host_key());
    fs::write(scene.path().join(".ssh/known_hosts"), &line).unwrap();
    with_system_files(&mut scene, &format!("@revoked * {}\n", host.host_key()));
    let watch = host.watch();
    let outcome = scene.apply().fails().says("revoked");
    assert_eq!(watch.attempts(), 0, "{outcome}");
    // Another key there does not count against the right one here.
    let mut scene = chat_on(&entry);
    fs::create_dir(scene.path().join(".ssh")).unwrap();
    fs::write(scene.path().join(".ssh/known_hosts"), &line).unwrap();
    with_system_files(&mut scene, &format!("{} {}\n", host.address, other.host_key()));
    reaches(&host, &scene);
}

/// `~/.ssh/config` with these lines for the host, which is called `lab-alias` there.
fn configured(host: &Host, lines: &str, known: &str) -> Scene {
    let scene = chat_on("address = \"lab-alias\"\nssh_config = true");
    let folder = scene.path().join(".ssh");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("lab_hosts"), known).unwrap();
    fs::write(folder.join("revoked"), format!("{}\n", host.host_key())).unwrap();
    let config = format!(
        "Host lab-alias\n  HostName {}\n  User ops\n  IdentityFile {}\n  UserKnownHostsFile ~/.ssh/lab_hosts\n  {lines}\n",
        host.address,
        key("ed25519").display(),
    );
    fs::write(folder.join("config"), config).unwrap();
    scene
}

fn revoked() {
    let mut lab = visit();
    let host = lab.host();
    let known = format!("{} {}\n", host.address, host.host_key());
    reaches(&host, &configured(&host, "", &known));
    let watch = host.watch();
    let scene = configured(&host, "RevokedHostKeys ~/.ssh/revoked", &known);
    let outcome = scene.apply().fails().says("revoked");
    assert_eq!(watch.attempts(), 0, "{outcome}");
    // OpenSSH refuses all keys where it cannot read the file.
    let scene = configured(&host, "RevokedHostKeys ~/.ssh/not-there", &known);
    let outcome = scene.apply().fails().says("not-there");
    assert_eq!(watch.attempts(), 0, "{outcome}");
}

fn alias() {
    let mut lab = visit();
    let host = lab.host();
    let known = format!("gpu-of-ours {}\n", host.host_key());
    reaches(&host, &configured(&host, "HostKeyAlias gpu-of-ours", &known));
}
