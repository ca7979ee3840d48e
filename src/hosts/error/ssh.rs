//! What can go wrong on the way to a host, told apart by what the user has to do about it.
//!
//! `at` is always the server as it was called, `address:port`, since with a bastion there are two.

/// An error on the way to a host over SSH. The text is a clause without a full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SshError {
    // On the way.
    #[error("{address} cannot be resolved ({text})")]
    Unresolved { address: String, text: String },
    #[error("nothing listens at {at}")]
    Refused { at: String },
    #[error("{at} does not answer within {seconds} s")]
    TimedOut { at: String, seconds: u64 },
    #[error("{at} cannot be reached ({text})")]
    Unreachable { at: String, text: String },
    #[error("the SSH connection to {at} ended ({text})")]
    Cut { at: String, text: String },
    #[error("no SSH connection to {at} can be agreed on ({text})")]
    Disagreement { at: String, text: String },
    #[error("the bastion does not open a connection to {at} ({text})")]
    BastionRefuses { at: String, text: String },

    // Whether it is the right server.
    #[error(
        "the host key of {at} is not known: it shows {algorithm} {fingerprint}, which is not in {looked}"
    )]
    HostKeyUnknown { at: String, algorithm: String, fingerprint: String, looked: String },
    #[error(
        "{at} shows another host key than expected: {offered} instead of {}; no login was tried",
        expected.join(" or ")
    )]
    HostKeyMismatch { at: String, offered: String, expected: Vec<String> },
    #[error("{at} shows host key {fingerprint}, which is marked as revoked")]
    HostKeyRevoked { at: String, fingerprint: String },
    #[error("the host certificate of {at} does not hold: {text}")]
    HostCertificate { at: String, text: String },
    #[error("the known hosts in {path} cannot be read ({text})")]
    KnownHosts { path: String, text: String },

    #[error("the revoked host keys in {path} cannot be read, so no host key is taken ({text})")]
    RevokedHostKeys { path: String, text: String },

    // Logging in.
    #[error("{what} cannot be used: {text}")]
    Key { what: String, text: String },
    #[error("the private key {path} may be read by others (its mode is {mode:04o})")]
    KeyIsOpen { path: String, mode: u32 },
    #[error("the SSH agent cannot be asked: {text}")]
    Agent { text: String },
    #[error("there is nothing to log in with at {at}")]
    NothingToOffer { at: String },
    #[error(
        "{at} refuses to let {user} in: offered were {}; it accepts {}",
        offered.join(", "), listed(accepted)
    )]
    LoginRefused { at: String, user: String, offered: Vec<String>, accepted: Vec<String> },

    // Once inside.
    #[error("the server opens no session ({text})")]
    SessionRefused { text: String },
    #[error("{what} did not end within {seconds} s")]
    Slow { what: String, seconds: u64 },
    #[error("the server neither forwards to {socket} nor has a docker command in its place ({text})")]
    NoWayToDocker { socket: String, text: String },
    #[error("the user may not open {socket}, and sudo there asks for a password")]
    SudoNeedsPassword { socket: String },
    #[error("the user may not open {socket}, and sudo does not take the password")]
    SudoWrongPassword { socket: String },
    #[error("the user may not open {socket}, and sudo refuses ({text})")]
    SudoRefused { socket: String, text: String },
    #[error("`{command}` failed on the host ({text})")]
    DialStdio { command: String, text: String },

    #[error("{text}")]
    Configuration { text: String },
    #[error("the provider is ending")]
    Closed,
}

fn listed(words: &[String]) -> String {
    if words.is_empty() { "nothing more".to_owned() } else { words.join(", ") }
}

impl SshError {
    /// What the user should do, as a sentence.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Unresolved { .. } => {
                "Check the spelling of the address, and the name servers of this machine."
            }
            Self::Refused { .. } => "Check the port, and that the SSH server runs there.",
            Self::TimedOut { .. } | Self::Unreachable { .. } => {
                "Check that the host is up and that this machine has a route to it: a private address is reached from \
                 inside its network only (in HCP Terraform by an agent there), or by way of a bastion."
            }
            Self::Cut { .. } => {
                "Try again; if it stays, the server's log (`journalctl -u ssh`) says why it hangs up. It may have locked \
                 this machine out for a while after refused logins."
            }
            Self::Disagreement { .. } => {
                "Check that an SSH server answers there, and that it is newer than OpenSSH 7.4."
            }
            Self::BastionRefuses { .. } => {
                "Check that the bastion reaches that address, and that its sshd has AllowTcpForwarding on."
            }
            Self::HostKeyUnknown { .. } => {
                "Compare the fingerprint with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the host. If it is the \
                 same, give that file's content as host_key, or add the host to known_hosts."
            }
            Self::HostKeyMismatch { .. } => {
                "Either the host was made anew, or somebody else answers in its place. Find out which; in the first case \
                 correct host_key, or remove the old line with `ssh-keygen -R`."
            }
            Self::HostKeyRevoked { .. } => "Do not use this host until it has another key.",
            Self::HostCertificate { .. } => "Have the host's certificate renewed by its authority.",
            Self::KnownHosts { .. } => "Correct known_hosts_path, or give host_key.",
            Self::RevokedHostKeys { .. } => {
                "Correct RevokedHostKeys in ~/.ssh/config: it is a text file with a public key on each line."
            }
            Self::KeyIsOpen { .. } => {
                "Run `chmod 600` on that file, as ssh demands; if others may have read it, use another key."
            }
            Self::Key { .. } => {
                "A private key is the whole file from -----BEGIN to -----END, with private_key_passphrase if it is encrypted."
            }
            Self::Agent { .. } => {
                "Start ssh-agent so that SSH_AUTH_SOCK names it, or give a key instead of agent = true."
            }
            Self::NothingToOffer { .. } => {
                "Give private_key, private_key_path, password or agent = true, or set DYNAMO_SSH_PRIVATE_KEY. A bastion is shown \
                 the host's keys where it has no login of its own, and never its password."
            }
            Self::LoginRefused { .. } => {
                "Check user and key (is the public key in ~/.ssh/authorized_keys of that user?). The login is not tried \
                 again in this run, because servers lock out those who keep failing."
            }
            Self::SessionRefused { .. } => "Raise MaxSessions in sshd_config, and let the user run commands.",
            Self::Slow { .. } => "See what the host is busy with.",
            Self::NoWayToDocker { .. } => {
                "Set AllowStreamLocalForwarding to yes in sshd_config, or install the docker command there."
            }
            Self::SudoNeedsPassword { .. } => {
                "Add the user to the docker group (`sudo usermod -aG docker USER`), or give sudo_password."
            }
            Self::SudoWrongPassword { .. } => "Correct sudo_password.",
            Self::SudoRefused { .. } => {
                "Add the user to the docker group (`sudo usermod -aG docker USER`), or allow `docker system dial-stdio` in \
                 sudoers."
            }
            Self::DialStdio { .. } => "Run that command on the host to see more.",
            Self::Configuration { .. } => "Correct the host's entry in the provider block.",
            Self::Closed => "Run Terraform again.",
        }
    }

    /// The host may be down, or may not exist yet.
    pub fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::Unresolved { .. }
                | Self::Refused { .. }
                | Self::TimedOut { .. }
                | Self::Unreachable { .. }
                | Self::Cut { .. }
                | Self::BastionRefuses { .. }
        )
    }

    /// Trying again would not help and might harm.
    pub(in crate::hosts) fn is_final(&self) -> bool {
        matches!(
            self,
            Self::HostKeyUnknown { .. }
                | Self::HostKeyMismatch { .. }
                | Self::HostKeyRevoked { .. }
                | Self::HostCertificate { .. }
                | Self::Agent { .. }
                | Self::LoginRefused { .. }
                | Self::Closed
        )
    }
}
