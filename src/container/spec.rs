//! What a container, a network or a volume should be.

use std::collections::BTreeMap;
use std::fmt;

use super::secret::SecretEnv;

/// A container with every field decided. Nothing here is left for the Engine to choose.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ContainerSpec {
    /// Container name without the leading slash.
    pub name: String,
    /// Image reference as the user would write it (`repo:tag` or `repo@sha256:…`).
    pub image: String,
    /// Empty = the image's own entrypoint.
    pub entrypoint: Vec<String>,
    /// Arguments after the entrypoint, one element each; never a shell string.
    pub command: Vec<String>,
    /// Environment that we set. The image's own environment is not part of it.
    pub env: BTreeMap<String, String>,
    /// Further variables, whose values are never shown; none of them is in `env`.
    pub secret_env: SecretEnv,
    /// `uid[:gid]` or a name; `None` = the image's user.
    pub user: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub mounts: Vec<Mount>,
    pub ports: Vec<PortBinding>,
    pub network: Network,
    pub restart: Restart,
    pub limits: Limits,
    /// `/dev/shm` in bytes; `None` = the Engine's default (64 MiB).
    pub shm_bytes: Option<u64>,
    pub ulimits: Vec<Ulimit>,
    /// Host name → address (or `host-gateway`), as `--add-host`.
    pub extra_hosts: BTreeMap<String, String>,
    /// Names of the kernel's capabilities, with or without `CAP_`.
    pub cap_add: Vec<String>,
    /// `host[:container[:permissions]]`, as `--device`.
    pub devices: Vec<String>,
    /// GPU UUIDs handed to the container through a device request; empty = none.
    pub gpus: Vec<String>,
    pub ipc: Ipc,
    /// All of the host's devices and all capabilities, as `--privileged`.
    pub privileged: bool,
    /// OCI runtime by the name that the Engine has for it; `None` = the Engine's default.
    pub runtime: Option<String>,
    /// Where its output goes; `None` = as the Engine is configured.
    pub log: Option<Log>,
    /// Networks beside `network`, by name. They must be there; the host's own network cannot have any.
    pub networks: Vec<String>,
    /// Folders of the host among the sources of `mounts` that are made where they are missing. Not part of what a
    /// container is: none is ever seen.
    pub make_folders: Vec<String>,
    /// Seconds between SIGTERM and SIGKILL when the container is stopped.
    pub stop_grace_seconds: u32,
}

/// A bind mount or a named volume.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mount {
    pub source: MountSource,
    /// Absolute path in the container.
    pub target: String,
    pub read_only: bool,
}

/// The source of a mount on the host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MountSource {
    /// Absolute path on the host.
    HostPath(String),
    /// Named volume, made before the container is.
    Volume(String),
}

/// A container port published on the host; on the host's own network, one at which the container listens (both ports are
/// the same then). TCP only: nothing of Dynamo's speaks UDP.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortBinding {
    pub container_port: u16,
    /// Address on the host, e.g. `127.0.0.1` or `0.0.0.0`.
    pub host_address: String,
    pub host_port: u16,
}

/// The network that a container is in.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Network {
    /// The host's own network.
    #[default]
    Host,
    /// A user-defined bridge network, with names under which other containers find this one.
    Bridge { name: String, aliases: Vec<String> },
}

impl Network {
    /// The Engine's own network that leads nowhere: nobody reaches the container, and it reaches nobody.
    pub fn nowhere() -> Self {
        Self::Bridge { name: "none".to_owned(), aliases: Vec::new() }
    }
}

/// The restart policy: when the Engine starts a container again by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Restart {
    #[default]
    No,
    /// Dynamo's processes exit with code 0 when they lose discovery, so `on-failure` would leave them dead.
    UnlessStopped,
    Always,
    /// After an exit code other than 0, so many times at most; 0 = for ever.
    OnFailure(u32),
}

impl Restart {
    /// Docker's word for the policy, without a number of retries.
    pub fn word(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::UnlessStopped => "unless-stopped",
            Self::Always => "always",
            Self::OnFailure(_) => "on-failure",
        }
    }
}

/// As `docker run --restart` takes it: `on-failure:5`.
impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnFailure(retries @ 1..) => write!(f, "{}:{retries}", self.word()),
            _ => f.write_str(self.word()),
        }
    }
}

/// The IPC mode: whose shared memory and semaphores a container sees. Always said, since an Engine may be configured to
/// either of `Private` and `Shareable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Ipc {
    #[default]
    Private,
    /// Private, and other containers may join.
    Shareable,
    Host,
    /// Private, without `/dev/shm`.
    None,
}

impl Ipc {
    /// Docker's word for the mode.
    pub fn word(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Shareable => "shareable",
            Self::Host => "host",
            Self::None => "none",
        }
    }
}

/// The logging of a container: where the Engine puts what it prints.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Log {
    /// `None` = the Engine's default driver.
    pub driver: Option<String>,
    pub options: BTreeMap<String, String>,
}

/// The limits on what a container may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Limits {
    /// CPUs × 10⁹; `None` = no limit.
    pub nano_cpus: Option<u64>,
    /// Bytes; `None` = no limit. Swap is never added on top.
    pub memory_bytes: Option<u64>,
}

/// A resource limit of the processes of a container, as `--ulimit`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ulimit {
    pub name: String,
    /// -1 = unlimited.
    pub soft: i64,
    pub hard: i64,
}

/// The pull policy: when an image is downloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PullPolicy {
    /// When it is not on the host.
    Missing,
    /// Always; and a container that runs another image than the name stands for now is replaced.
    Always,
    /// Never: an image that is not on the host is an error.
    Never,
}

impl PullPolicy {
    /// Every value, in the order in which messages list them.
    pub const ALL: &'static [Self] = &[Self::Missing, Self::Always, Self::Never];

    /// The word for it in a configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

/// A user-defined bridge network.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NetworkSpec {
    pub name: String,
    pub labels: BTreeMap<String, String>,
}

/// A named volume of the Engine's `local` driver.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct VolumeSpec {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    /// Options of the `local` driver, e.g. `type = tmpfs`; empty = a plain folder of the Engine's.
    pub options: BTreeMap<String, String>,
}
