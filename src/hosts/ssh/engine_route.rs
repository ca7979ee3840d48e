//! The route by which the Docker Engine of a host is spoken to. Pure: what was seen there, and what a command said.
//!
//! The best route is a channel that sshd forwards to Docker's socket: it costs nothing on the host and does not count as a
//! session. sshd does not say why it refuses one (not allowed, not there, not for this user: all are "connect failed"), so
//! after a refusal the socket is looked at with a shell, and what was seen decides: `docker system dial-stdio` does the
//! same by a command, and with sudo also for a user who may not open the socket.

use crate::hosts::error::Cause;
use crate::hosts::error::ssh::SshError;
use crate::hosts::shell::quoted;
use crate::hosts::transport::random;

/// A route to the Docker Engine of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EngineRoute {
    /// sshd forwards to the socket.
    Forward,
    Command,
    /// By sudo, which asks for no password.
    Sudo,
    SudoPassword,
}

/// A look at Docker's socket with a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SocketReport {
    pub socket: SocketAccess,
    pub has_docker: bool,
    pub has_sudo: bool,
}

/// What this user may do with Docker's socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SocketAccess {
    Missing,
    /// It is there, and not for this user.
    Denied,
    Open,
}

/// Prints what [`SocketReport::parse`] reads.
pub(super) fn socket_report_script(socket: &str) -> String {
    let socket = quoted(socket);
    format!(
        "if [ -S {socket} ]; then if [ -r {socket} ] && [ -w {socket} ]; then echo socket open; else echo socket shut; fi; \
         fi\ncommand -v docker >/dev/null && echo has docker\ncommand -v sudo >/dev/null && echo has sudo\nexit 0\n"
    )
}

impl SocketReport {
    /// A report, from what the script printed.
    pub(super) fn parse(output: &str) -> Self {
        let says = |line: &str| output.lines().any(|it| it.trim() == line);
        let socket = match (says("socket open"), says("socket shut")) {
            (true, _) => SocketAccess::Open,
            (false, true) => SocketAccess::Denied,
            (false, false) => SocketAccess::Missing,
        };
        Self { socket, has_docker: says("has docker"), has_sudo: says("has sudo") }
    }

    /// The ways to try after sshd refused to forward, or why there is none.
    pub(super) fn routes(&self, socket: &str, has_password: bool) -> Result<&'static [EngineRoute], Cause> {
        match (self.socket, self.has_docker, self.has_sudo, has_password) {
            (SocketAccess::Missing, ..) => Err(Cause::SocketMissing { path: socket.to_owned() }),
            (SocketAccess::Open, true, ..) => Ok(&[EngineRoute::Command]),
            (SocketAccess::Open, false, ..) => Err(Cause::from(SshError::NoWayToDocker {
                socket: socket.to_owned(),
                text: "no docker command was found".to_owned(),
            })),
            (SocketAccess::Denied, true, true, false) => Ok(&[EngineRoute::Sudo]),
            (SocketAccess::Denied, true, true, true) => Ok(&[EngineRoute::Sudo, EngineRoute::SudoPassword]),
            (SocketAccess::Denied, ..) => {
                Err(Cause::PermissionDenied { address: format!("unix://{socket}") })
            }
        }
    }
}

/// What sudo says to ask for the password. It is another one each time, so that nothing else on the host can ask in the
/// same words and hear the answer.
pub(super) struct SudoPrompt(String);

impl SudoPrompt {
    pub(super) fn new() -> Result<Self, SshError> {
        let token = random::token::<16>().map_err(|error| SshError::Configuration {
            text: format!("the operating system gave no random numbers: {error}"),
        })?;
        Ok(Self(format!("[dynamo {token}]")))
    }

    /// Whether it is among what was said on stderr.
    pub(super) fn is_in(&self, said: &[u8]) -> bool {
        said.windows(self.0.len()).any(|window| window == self.0.as_bytes())
    }

    /// Runs `command` as root, or only checks the password. sudo forgets what it remembers, so that it asks always.
    fn sudo(&self, command: &str) -> String {
        format!("sudo -k -S -p {} {command}", quoted(&self.0))
    }

    /// Checks the password with sudo and nothing else.
    pub(super) fn check(&self) -> String {
        self.sudo("-v")
    }
}

/// What sudo and others said, without prompts of ours.
fn without_prompts(stderr: &str) -> String {
    let mut parts = stderr.split("[dynamo ");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']') {
            Some((token, rest)) if token.chars().all(|c| c.is_ascii_hexdigit()) => text.push_str(rest),
            _ => text.extend(["[dynamo ", part]),
        }
    }
    text.trim().to_owned()
}

/// Docker's own default.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

impl EngineRoute {
    /// What to run; `None` where nothing is run. sudo forgets what it remembers, so that it asks for the password always
    /// or never, and the password cannot end up anywhere but with sudo. `prompt` is for a way that needs it.
    pub(super) fn command(self, socket: &str, prompt: Option<&SudoPrompt>) -> Option<String> {
        let address = match socket {
            DEFAULT_SOCKET => String::new(),
            other => format!(" -H {}", quoted(&format!("unix://{other}"))),
        };
        let dial = format!("docker{address} system dial-stdio");
        match self {
            Self::Forward => None,
            Self::Command => Some(dial),
            Self::Sudo => Some(format!("sudo -k -n {dial}")),
            Self::SudoPassword => prompt.map(|prompt| prompt.sudo(&dial)),
        }
    }

    /// Why the command ended instead of reaching the Engine, from what it said on stderr.
    pub(super) fn failure(self, socket: &str, stderr: &str) -> Cause {
        let (lower, text) = (stderr.to_lowercase(), without_prompts(stderr));
        let socket = socket.to_owned();
        let address = format!("unix://{socket}");
        match REFUSALS.iter().find(|(words, _)| lower.contains(words)).map(|(_, refusal)| refusal) {
            Some(SudoRefusal::NothingListening) => Cause::NothingListening { address },
            Some(SudoRefusal::Permission) => Cause::PermissionDenied { address },
            Some(SudoRefusal::NoDocker) => Cause::from(SshError::NoWayToDocker { socket, text }),
            Some(SudoRefusal::WrongPassword) => Cause::from(SshError::SudoWrongPassword { socket }),
            Some(SudoRefusal::NeedsPassword) => Cause::from(SshError::SudoNeedsPassword { socket }),
            Some(SudoRefusal::Sudo) => Cause::from(SshError::SudoRefused { socket, text }),
            None => {
                let command =
                    self.command(&socket, None).unwrap_or_else(|| "sudo docker system dial-stdio".to_owned());
                Cause::from(SshError::DialStdio { command, text })
            }
        }
    }
}

enum SudoRefusal {
    NothingListening,
    Permission,
    NoDocker,
    WrongPassword,
    NeedsPassword,
    Sudo,
}

/// The words of docker, the shell and sudo, in lower case. The first row that matches wins.
const REFUSALS: &[(&str, SudoRefusal)] = &[
    ("cannot connect to the docker daemon", SudoRefusal::NothingListening),
    ("connection refused", SudoRefusal::NothingListening),
    ("a password is required", SudoRefusal::NeedsPassword),
    ("incorrect password", SudoRefusal::WrongPassword),
    ("sorry, try again", SudoRefusal::WrongPassword),
    ("no password was provided", SudoRefusal::WrongPassword),
    ("not in the sudoers", SudoRefusal::Sudo),
    ("may not run", SudoRefusal::Sudo),
    ("not allowed to", SudoRefusal::Sudo),
    ("must have a tty", SudoRefusal::Sudo),
    ("docker: command not found", SudoRefusal::NoDocker),
    ("docker: not found", SudoRefusal::NoDocker),
    ("permission denied", SudoRefusal::Permission),
    ("sudo: ", SudoRefusal::Sudo),
];

#[cfg(test)]
mod tests {
    use super::*;

    const SOCKET: &str = "/var/run/docker.sock";

    #[test]
    fn what_was_seen_decides_the_way() {
        let missing = || Err("SocketMissing");
        type Row = (&'static str, bool, Result<&'static [EngineRoute], &'static str>);
        let table: [Row; 9] = [
            ("socket open\nhas docker\nhas sudo", false, Ok(&[EngineRoute::Command])),
            ("socket open\nhas docker", true, Ok(&[EngineRoute::Command])),
            ("socket open\nhas sudo", true, Err("NoWayToDocker")),
            ("socket shut\nhas docker\nhas sudo", false, Ok(&[EngineRoute::Sudo])),
            ("socket shut\nhas docker\nhas sudo", true, Ok(&[EngineRoute::Sudo, EngineRoute::SudoPassword])),
            ("socket shut\nhas docker", true, Err("PermissionDenied")),
            ("socket shut\nhas sudo", true, Err("PermissionDenied")),
            ("has docker\nhas sudo", true, missing()),
            ("", false, missing()),
        ];
        for (seen, has_password, expected) in table {
            match (SocketReport::parse(seen).routes(SOCKET, has_password), expected) {
                (Ok(routes), Ok(expected)) => assert_eq!(routes, expected, "{seen}"),
                (Err(cause), Err(name)) => assert!(format!("{cause:?}").contains(name), "{seen}: {cause:?}"),
                (found, _) => panic!("{seen}: {found:?}"),
            }
        }
    }

    #[test]
    fn the_words_of_docker_and_sudo_are_understood() {
        let table = [
            ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", "NothingListening"),
            ("dial unix /var/run/docker.sock: connect: permission denied", "PermissionDenied"),
            ("sh: 1: docker: not found", "NoWayToDocker"),
            ("sudo: a password is required", "SudoNeedsPassword"),
            (
                "Sorry, try again.\nsudo: no password was provided\nsudo: 1 incorrect password attempt",
                "SudoWrongPassword",
            ),
            ("ops is not in the sudoers file.", "SudoRefused"),
            ("sudo: sorry, you must have a tty to run sudo", "SudoRefused"),
            ("unknown command: docker system dial-stdio", "DialStdio"),
        ];
        for (stderr, expected) in table {
            let cause = EngineRoute::Command.failure(SOCKET, stderr);
            assert!(format!("{cause:?}").contains(expected), "{stderr}: {cause:?}");
        }
    }

    #[test]
    fn commands_name_the_socket_only_where_docker_would_not_find_it() {
        assert_eq!(EngineRoute::Forward.command(SOCKET, None), None);
        assert_eq!(EngineRoute::Sudo.command(SOCKET, None).unwrap(), "sudo -k -n docker system dial-stdio");
        assert_eq!(
            EngineRoute::Command.command("/run/it's/docker.sock", None).unwrap(),
            r"docker -H 'unix:///run/it'\''s/docker.sock' system dial-stdio"
        );
    }

    #[test]
    fn sudo_asks_in_other_words_each_time() {
        let (one, other) = (SudoPrompt::new().unwrap(), SudoPrompt::new().unwrap());
        let dial = |prompt: &SudoPrompt| EngineRoute::SudoPassword.command(SOCKET, Some(prompt)).unwrap();
        assert_ne!(dial(&one), dial(&other));
        assert_ne!(one.check(), other.check());
        for command in [dial(&one), one.check()] {
            assert!(command.starts_with("sudo -k -S -p '[dynamo ") && command.contains(&one.0), "{command}");
        }
        let said = format!("Lecture.\n{}", one.0);
        assert!(one.is_in(said.as_bytes()) && !other.is_in(said.as_bytes()));
        assert!(!one.is_in(b"[dynamo: password]") && !one.is_in(b""));
        let text = without_prompts(&format!("{said}Sorry, try again.\n{}[dynamo x] [dynamo ", one.0));
        assert_eq!(text, "Lecture.\nSorry, try again.\n[dynamo x] [dynamo");
    }

    #[test]
    fn the_script_sees_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("it's.sock");
        let socket_report = || {
            let script = socket_report_script(&socket.display().to_string());
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            SocketReport::parse(&String::from_utf8_lossy(&output.stdout)).socket
        };
        assert_eq!(socket_report(), SocketAccess::Missing);
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(socket_report(), SocketAccess::Open);
    }
}
