//! What can go wrong between us and a host, told apart by what the user has to do about it.
//!
//! The Engine answers in prose: the same status 500 means "the port is taken", "there is no GPU runtime" and "the disk
//! is full". Prose is read in one table here ([`engine_cause`]), so that the rest of the program matches on [`Cause`]
//! and never on words. Every cause knows its next step; an error without one leaves the user searching.
//!
//! [`ssh`] has what goes wrong on the way to a host, [`files`] what goes wrong while files are copied.

pub(in crate::hosts) mod files;
pub(in crate::hosts) mod ssh;

use std::fmt;

use crate::container::Redactions;
use files::TransferError;
use ssh::SshError;

/// A failed operation on a host. Cheap enough to clone: waiters of one shared call all receive it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostError {
    /// Name in the provider's `hosts` map.
    pub host: String,
    /// What was tried, in words that follow "could not": `create container chat-frontend`.
    pub operation: String,
    pub cause: Cause,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "could not {} on host \"{}\": {}. {}",
            self.operation,
            self.host,
            self.cause,
            self.cause.next_step()
        )
    }
}

impl std::error::Error for HostError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

impl HostError {
    /// The host may be down, or may not exist yet.
    pub fn is_unreachable(&self) -> bool {
        matches!(&self.cause, Cause::Ssh(error) if error.is_unreachable())
    }

    /// The same, with nothing of these in what the Engine said.
    pub fn without(self, secrets: &Redactions) -> Self {
        let cause = match self.cause {
            Cause::Engine { status, text } => Cause::Engine { status, text: secrets.apply(&text) },
            Cause::NoGpuRuntime { text } => Cause::NoGpuRuntime { text: secrets.apply(&text) },
            Cause::NoSpace { text } => Cause::NoSpace { text: secrets.apply(&text) },
            Cause::Connection { text } => Cause::Connection { text: secrets.apply(&text) },
            other => other,
        };
        Self { cause, ..self }
    }

    /// The object is not there: for many callers an answer and not an error.
    pub fn is_not_found(&self) -> bool {
        matches!(self.cause, Cause::NotFound { .. })
    }
}

/// "Not there" as an answer: `None`.
pub(super) fn if_found<T>(result: Result<T, HostError>) -> Result<Option<T>, HostError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The cause of a [`HostError`]. The text is a clause without a full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    // Reaching the Engine.
    #[error("there is no Docker socket at {path}")]
    SocketMissing { path: String },
    #[error("nothing listens at {address}: the Docker daemon is not running")]
    NothingListening { address: String },
    #[error("this user may not open {address}")]
    PermissionDenied { address: String },
    #[error("\"{text}\" is not the address of a Docker Engine")]
    BadAddress { text: String },
    #[error("{address} asks for TLS, which is not supported")]
    TlsUnsupported { address: String },
    #[error("the Docker Engine did not answer within {seconds} s")]
    EngineSilent { seconds: u64 },
    #[error("its Docker Engine speaks API versions {engine}, and this provider {ours}")]
    ApiVersion { engine: String, ours: String },
    #[error("{text}")]
    Connection { text: String },
    #[error("its NVIDIA driver did not answer within {seconds} s")]
    DriverHangs { seconds: u64 },
    /// Not the Engine's: a service on the host did not answer.
    #[error("{text}")]
    NoAnswer { text: String },

    /// The way to the host.
    #[error(transparent)]
    Ssh(Box<SshError>),
    // Files of the host.
    #[error(transparent)]
    Files(Box<TransferError>),
    #[error("there is no folder {path}")]
    NoSuchFolder { path: String },
    #[error("{path} is not a folder")]
    NotAFolder { path: String },
    #[error("this user may not read {path}")]
    FolderClosed { path: String },
    #[error("its Docker Engine runs on another machine than this, whose files cannot be seen from here")]
    FilesUnseen,
    #[error("the script that looks at files did not do its work ({text})")]
    Script { text: String },

    // What the Engine refuses.
    #[error("there is no such {what}")]
    NotFound { what: String },
    #[error("image {image} is not on the host")]
    ImageMissing { image: String },
    #[error("the name is already used by container {holder}")]
    NameTaken { holder: String },
    #[error("port {port} on the host is taken")]
    PortTaken { port: String },
    #[error("{path} does not exist on the host")]
    MountSourceMissing { path: String },
    #[error("Docker cannot hand out GPUs there ({text})")]
    NoGpuRuntime { text: String },
    #[error("there is no space left ({text})")]
    NoSpace { text: String },
    #[error("{container} is still running, though it was told to stop and then killed")]
    DoesNotStop { container: String },
    #[error("network {network} is still used by {}", containers.join(", "))]
    NetworkInUse { network: String, containers: Vec<String> },
    #[error("{volume} is still used by a container")]
    VolumeInUse { volume: String },
    #[error("{what} exists and was not made by this provider")]
    NotOurs { what: String },
    #[error("the Docker Engine answered {status}: {text}")]
    Engine { status: u16, text: String },

    // Registries.
    #[error("the registry does not have image {image}, or hides it from whom it does not know")]
    RegistryNotFound { image: String },
    #[error("the registry refuses to hand out image {image} ({text})")]
    RegistryDenied { image: String, text: String },
    #[error("the host cannot reach the registry ({text})")]
    RegistryUnreachable { text: String },
    #[error("the registry limits how often it may be asked ({text})")]
    RegistryRateLimit { text: String },
    #[error("the registry gave an answer that cannot be understood ({text})")]
    RegistryOdd { text: String },
    #[error("the download made no progress for {seconds} s")]
    PullStalled { seconds: u64 },
}

impl Cause {
    /// The connection was lost on the way, and a new one may hold.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Connection { .. } | Self::NothingListening { .. } => true,
            Self::Ssh(error) => matches!(**error, SshError::Cut { .. }),
            _ => false,
        }
    }

    /// What the user should do, as a sentence.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::SocketMissing { .. } => {
                "Install and start Docker on that host, or say where its socket is with docker_host or DOCKER_HOST."
            }
            Self::NothingListening { .. } => "Start it, for example with `sudo systemctl start docker`.",
            Self::PermissionDenied { .. } => {
                "Add the user to the docker group (`sudo usermod -aG docker USER`) and log in again."
            }
            Self::Ssh(error) => error.next_step(),
            Self::Files(error) => error.next_step(),
            Self::BadAddress { .. } => "Use unix:///path/to/docker.sock or tcp://host:port.",
            Self::TlsUnsupported { .. } => {
                "Reach the host over SSH instead: give it an address in the provider's hosts."
            }
            Self::EngineSilent { .. } => {
                "See what the daemon is doing with `journalctl -u docker`; one that hangs has to be restarted."
            }
            Self::ApiVersion { .. } => "Upgrade Docker on the host, or the provider.",
            Self::Connection { .. } => {
                "Check that the host is up and that Docker answers there (`docker info`)."
            }
            Self::DriverHangs { .. } => {
                "See `dmesg` on the host for lines with NVRM or Xid: a GPU that has failed often comes back with a restart of \
                 the host only."
            }
            Self::NoAnswer { .. } => {
                "Check that the service runs, and that nothing between here and it drops connections."
            }
            Self::NoSuchFolder { .. } | Self::NotAFolder { .. } => {
                "Check the spelling, and that the path is one of the host and not of a container."
            }
            Self::FolderClosed { .. } => "Let that user read it, or name another folder.",
            Self::FilesUnseen => "Run Terraform on that machine, or reach it over SSH.",
            Self::Script { .. } => "The host needs a POSIX shell with awk, GNU findutils and GNU coreutils.",
            Self::NotFound { .. } => "Run terraform plan again: it was removed outside Terraform.",
            Self::ImageMissing { .. } => {
                "Pull or build it on the host, or set image_pull_policy to \"missing\"."
            }
            Self::NameTaken { .. } => "Import that container, remove it, or choose another name.",
            Self::PortTaken { .. } => "Choose another port, or stop what holds it.",
            Self::MountSourceMissing { .. } => "Create it on the host, or mount another path.",
            Self::NoGpuRuntime { .. } => {
                "Install the NVIDIA Container Toolkit on the host and restart Docker."
            }
            Self::NoSpace { .. } => {
                "Free some, for example with `docker system df` and `docker image prune`."
            }
            Self::DoesNotStop { .. } => {
                "A process that even SIGKILL does not end hangs in the kernel, often in a GPU driver: see `dmesg`."
            }
            Self::NetworkInUse { .. } => "Remove or disconnect those containers first.",
            Self::VolumeInUse { .. } => "Remove that container first.",
            Self::NotOurs { .. } => "Rename it, remove it, or choose another name.",
            Self::Engine { .. } => "The daemon's log (`journalctl -u docker`) may say more.",
            Self::RegistryNotFound { .. } => {
                "Check the spelling and the version; a private image needs an entry in registry_auth."
            }
            Self::RegistryDenied { .. } => "Check the entry for this registry in registry_auth.",
            Self::RegistryUnreachable { .. } => {
                "Check name resolution, proxy and firewall of the host, or load the image there with `docker load`."
            }
            Self::RegistryRateLimit { .. } => "Wait, or log in with an entry in registry_auth.",
            Self::RegistryOdd { .. } => {
                "Check that the registry works, and that it speaks the Docker Registry HTTP API v2."
            }
            Self::PullStalled { .. } => {
                "Try again (finished layers are kept); check the network between host and registry."
            }
        }
    }
}

impl From<SshError> for Cause {
    fn from(error: SshError) -> Self {
        Self::Ssh(Box::new(error))
    }
}

impl From<TransferError> for Cause {
    fn from(error: TransferError) -> Self {
        Self::Files(Box::new(error))
    }
}

/// A refusal of the Engine, understood. `subject` is the object or image that the call was about.
pub(super) fn engine_cause(status: u16, text: &str, subject: &str) -> Cause {
    let lower = text.to_lowercase();
    let subject = subject.to_owned();
    match REFUSALS.iter().find(|(needle, _)| lower.contains(needle)).map(|(_, refusal)| refusal) {
        Some(EngineRefusal::PortTaken) => Cause::PortTaken { port: port_in(text).unwrap_or(subject) },
        Some(EngineRefusal::NameTaken) => Cause::NameTaken { holder: quoted_last(text).unwrap_or(subject) },
        Some(EngineRefusal::MountSource) => Cause::MountSourceMissing { path: after_last_colon(text) },
        Some(EngineRefusal::NoGpu) => Cause::NoGpuRuntime { text: text.to_owned() },
        Some(EngineRefusal::NoSpace) => Cause::NoSpace { text: text.to_owned() },
        Some(EngineRefusal::ImageMissing) => Cause::ImageMissing { image: after_last_colon(text) },
        Some(EngineRefusal::DoesNotStop) => Cause::DoesNotStop { container: subject },
        Some(EngineRefusal::VolumeInUse) => Cause::VolumeInUse { volume: subject },
        None if status == 404 => Cause::NotFound { what: missing_in(text).unwrap_or(subject) },
        None => Cause::Engine { status, text: text.trim().to_owned() },
    }
}

/// A failed pull, understood.
pub(super) fn registry_cause(text: &str, image: &str) -> Cause {
    let lower = text.to_lowercase();
    let (image, text) = (image.to_owned(), text.trim().to_owned());
    match PULL_REFUSALS.iter().find(|(needle, _)| lower.contains(needle)).map(|(_, refusal)| refusal) {
        Some(PullRefusal::NotFound) => Cause::RegistryNotFound { image },
        Some(PullRefusal::Denied) => Cause::RegistryDenied { image, text },
        Some(PullRefusal::Unreachable) => Cause::RegistryUnreachable { text },
        Some(PullRefusal::RateLimit) => Cause::RegistryRateLimit { text },
        Some(PullRefusal::NoSpace) => Cause::NoSpace { text },
        None => Cause::Engine { status: 500, text },
    }
}

enum EngineRefusal {
    PortTaken,
    NameTaken,
    MountSource,
    NoGpu,
    NoSpace,
    ImageMissing,
    DoesNotStop,
    VolumeInUse,
}

/// The Engine's words, in lower case, and what they mean. The first row that matches wins.
const REFUSALS: &[(&str, EngineRefusal)] = &[
    ("no space left on device", EngineRefusal::NoSpace),
    ("port is already allocated", EngineRefusal::PortTaken),
    ("address already in use", EngineRefusal::PortTaken),
    ("ports are not available", EngineRefusal::PortTaken),
    ("is already in use by container", EngineRefusal::NameTaken),
    ("bind source path does not exist", EngineRefusal::MountSource),
    ("could not select device driver", EngineRefusal::NoGpu),
    ("nvidia-container-cli", EngineRefusal::NoGpu),
    ("unknown runtime specified nvidia", EngineRefusal::NoGpu),
    ("no such image", EngineRefusal::ImageMissing),
    ("did not receive an exit event", EngineRefusal::DoesNotStop),
    ("volume is in use", EngineRefusal::VolumeInUse),
];

enum PullRefusal {
    NotFound,
    Denied,
    Unreachable,
    RateLimit,
    NoSpace,
}

/// As [`REFUSALS`], for pulls. Docker Hub says "access denied" also for an image that does not exist, so that wording
/// comes first and means "not found".
const PULL_REFUSALS: &[(&str, PullRefusal)] = &[
    ("no space left on device", PullRefusal::NoSpace),
    ("repository does not exist or may require", PullRefusal::NotFound),
    ("manifest unknown", PullRefusal::NotFound),
    ("not found: manifest", PullRefusal::NotFound),
    ("name unknown", PullRefusal::NotFound),
    ("no matching manifest", PullRefusal::NotFound),
    ("toomanyrequests", PullRefusal::RateLimit),
    ("too many requests", PullRefusal::RateLimit),
    ("unauthorized", PullRefusal::Denied),
    ("authentication required", PullRefusal::Denied),
    ("no basic auth credentials", PullRefusal::Denied),
    ("denied", PullRefusal::Denied),
    ("forbidden", PullRefusal::Denied),
    ("no such host", PullRefusal::Unreachable),
    ("server misbehaving", PullRefusal::Unreachable),
    ("dial tcp", PullRefusal::Unreachable),
    ("i/o timeout", PullRefusal::Unreachable),
    ("client.timeout", PullRefusal::Unreachable),
    ("connection refused", PullRefusal::Unreachable),
    ("connection reset", PullRefusal::Unreachable),
    ("tls handshake", PullRefusal::Unreachable),
    ("x509", PullRefusal::Unreachable),
];

/// The network in "network chat not found", which is the answer to starting a container: not the container is missing.
fn missing_in(text: &str) -> Option<String> {
    let name = text.strip_prefix("network ")?.strip_suffix(" not found")?;
    Some(format!("network {name}"))
}

/// The `address:port` in "Bind for 0.0.0.0:8000 failed" or "listen tcp4 0.0.0.0:8000: bind:".
fn port_in(text: &str) -> Option<String> {
    text.split_whitespace().map(|word| word.trim_end_matches(':')).find_map(|word| {
        let (address, port) = word.rsplit_once(':')?;
        let is_address =
            !address.is_empty() && address.chars().all(|c| c.is_ascii_hexdigit() || "[].:".contains(c));
        (is_address && port.parse::<u16>().is_ok()).then(|| word.to_owned())
    })
}

/// The last `"…"` of the text.
fn quoted_last(text: &str) -> Option<String> {
    let (before, _) = text.rsplit_once('"')?;
    before.rsplit_once('"').map(|(_, inside)| inside.to_owned())
}

fn after_last_colon(text: &str) -> String {
    text.rsplit_once(": ").map_or(text, |(_, after)| after).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words as Docker 20.10 said them.
    #[test]
    fn the_engines_words_are_understood() {
        let table = [
            (
                409,
                r#"Conflict. The container name "/hosts-x" is already in use by container "4f5a". You have to remove (or rename) that container to be able to reuse that name."#,
                Cause::NameTaken { holder: "4f5a".into() },
            ),
            (
                500,
                "driver failed programming external connectivity on endpoint hosts-b (2d): Bind for 127.0.0.1:18999 failed: port is already allocated",
                Cause::PortTaken { port: "127.0.0.1:18999".into() },
            ),
            (
                500,
                "driver failed programming external connectivity on endpoint x: Error starting userland proxy: listen tcp4 127.0.0.1:18998: bind: address already in use",
                Cause::PortTaken { port: "127.0.0.1:18998".into() },
            ),
            (
                400,
                r#"invalid mount config for type "bind": bind source path does not exist: /no/such"#,
                Cause::MountSourceMissing { path: "/no/such".into() },
            ),
            (404, "No such image: nope:1", Cause::ImageMissing { image: "nope:1".into() }),
            (404, "No such container: x", Cause::NotFound { what: "container x".into() }),
            (404, "network x not found", Cause::NotFound { what: "network x".into() }),
            (
                500,
                r#"could not select device driver "" with capabilities: [[gpu]]"#,
                Cause::NoGpuRuntime {
                    text: r#"could not select device driver "" with capabilities: [[gpu]]"#.into(),
                },
            ),
            (500, "something new", Cause::Engine { status: 500, text: "something new".into() }),
        ];
        for (status, text, cause) in table {
            assert_eq!(engine_cause(status, text, "container x"), cause, "{text}");
        }
    }

    #[test]
    fn registries_words_are_understood() {
        let image = "nvcr.io/x:1";
        type Row = (&'static str, fn(&Cause) -> bool);
        let table: [Row; 5] = [
            ("manifest for nvcr.io/x:1 not found: manifest unknown: manifest unknown", |c| {
                matches!(c, Cause::RegistryNotFound { .. })
            }),
            (
                "pull access denied for x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
                |c| matches!(c, Cause::RegistryNotFound { .. }),
            ),
            ("unauthorized: authentication required", |c| matches!(c, Cause::RegistryDenied { .. })),
            (r#"Get "https://nvcr.io/v2/": dial tcp: lookup nvcr.io: no such host"#, |c| {
                matches!(c, Cause::RegistryUnreachable { .. })
            }),
            ("toomanyrequests: You have reached your pull rate limit", |c| {
                matches!(c, Cause::RegistryRateLimit { .. })
            }),
        ];
        for (text, expected) in table {
            let cause = registry_cause(text, image);
            assert!(expected(&cause), "{text} became {cause:?}");
        }
    }

    #[test]
    fn an_error_says_what_where_why_and_what_next() {
        let error = HostError {
            host: "gpu-a".into(),
            operation: "create container chat-frontend".into(),
            cause: Cause::PortTaken { port: "0.0.0.0:8000".into() },
        };
        assert_eq!(
            error.to_string(),
            "could not create container chat-frontend on host \"gpu-a\": port 0.0.0.0:8000 on the host is taken. Choose another port, or stop what holds it."
        );
    }
}
