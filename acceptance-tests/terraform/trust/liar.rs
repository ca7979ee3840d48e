//! A host that lies: a user of a lab host whose login shell answers in the place of the host's programs.
//!
//! The provider asks a host by scripts for `sh -s` and by commands. sshd gives both to the user's login shell, which is
//! ours here: for the commands that a case names it says what the case wants said, and hands on all others.

use super::super::hosts::lab::{Host, with_key};

/// Whoever logs in by this name is lied to.
pub const USER: &str = "liar";

/// What is said instead: an arm of the `case` in which `$asked` is the command.
pub struct Lie {
    /// A pattern of `sh`'s.
    pub asked: &'static str,
    /// `sh`, instead of the command.
    pub said: String,
}

/// Makes the user, who may use Docker, and may log in with the lab's keys. The entry of the host with that user.
pub fn entry(host: &Host, lies: &[Lie]) -> String {
    make(host, lies, "docker");
    host.entry(USER, &with_key("ed25519"))
}

/// As [`entry`], of a user who may not use Docker.
pub fn entry_without_docker(host: &Host, lies: &[Lie], login: &str) -> String {
    make(host, lies, "nogroup");
    host.entry(USER, login)
}

fn make(host: &Host, lies: &[Lie], group: &str) {
    let arms: String = lies.iter().map(|lie| format!("{})\n{}\nexit 0 ;;\n", lie.asked, lie.said)).collect();
    let shell = format!("#!/bin/bash\nasked=$2\ncase $asked in\n{arms}esac\nexec /bin/sh -c \"$asked\"\n");
    let script = format!(
        "id -u {USER} >/dev/null 2>&1 || useradd --create-home --shell /usr/local/bin/{USER} {USER}\n\
         usermod --password '*' --groups {group} {USER}\n\
         cat >/usr/local/bin/{USER} <<'SHELL'\n{shell}SHELL\n\
         chmod 0755 /usr/local/bin/{USER}\n"
    );
    host.run(&["sh", "-c", &script]);
}

/// Answers to scripts, with fields of theirs replaced: each pair is a field that ends with NUL, and what it becomes.
pub fn replaced_fields(pairs: &[(String, String)]) -> Lie {
    let quoted = |text: &str| text.replace('.', "\\.").replace('/', "\\/");
    let edits: String =
        pairs.iter().map(|(from, to)| format!("s/^{}$/{}/;", quoted(from), quoted(to))).collect();
    Lie { asked: "'sh -s'", said: format!("/bin/sh -s | sed -z '{edits}'") }
}
