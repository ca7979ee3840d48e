//! What a machine has, as plain data: capacity, GPUs, ports in use, images present, containers seen.
//!
//! `hosts` fills these; `dynamo` decides from them; nothing here talks. Here are the machine, its ports and its images;
//! [`gpu`] has its GPUs and [`files`] its disks and folders.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub(crate) mod files;
pub(crate) mod gpu;

/// A host at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct HostInventory {
    /// Name in the provider's `hosts` map.
    pub host: String,
    /// Logical CPUs the Engine sees.
    pub cpus: u32,
    /// Bytes of memory the Engine sees.
    pub memory_bytes: u64,
    pub ports: Vec<PortInUse>,
}

/// The machine and its Engine, as `docker info` and a look at the disk tell.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct HostDetails {
    /// What the Engine calls its machine.
    pub name: String,
    /// Logical CPUs.
    pub cpus: u32,
    pub memory_bytes: u64,
    pub docker_version: String,
    /// The API version that is spoken with it.
    pub api_version: String,
    /// Runtimes that containers can be run with, by name, sorted.
    pub runtimes: Vec<String>,
    pub default_runtime: String,
    /// Folders in which the Engine looks for device descriptions (CDI), sorted; older Engines know none.
    pub cdi_folders: Vec<String>,
    /// The Engine's own folder, where images and volumes are.
    pub root_folder: String,
    /// The disk of `root_folder`; `None` where it cannot be seen from here.
    pub disk: Option<DiskSpace>,
}

/// The space of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    pub size_bytes: u64,
    /// What an ordinary user may still write.
    pub free_bytes: u64,
}

/// A TCP port that is taken, and by whom where that can be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortInUse {
    /// `0.0.0.0`, `::`, or the one address it is taken on.
    pub address: String,
    pub port: u16,
    pub holder: PortHolder,
}

/// The holder of a TCP port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortHolder {
    /// Published by a container (also a stopped one of ours: it will want the port back).
    Container { name: String, ours: bool },
    /// A process on the host; its name when we may see it.
    Process { name: Option<String> },
}

/// An image on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    /// `sha256:…`
    pub id: String,
    pub size_bytes: u64,
    /// Environment the image sets (`KEY=value`), to subtract when a container's environment is read back.
    pub env: Vec<String>,
    pub user: String,
    pub labels: std::collections::BTreeMap<String, String>,
    pub entrypoint: Vec<String>,
    pub command: Vec<String>,
}

/// An image on a host as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalImage {
    /// `sha256:…`
    pub id: String,
    /// Its names, `repository:tag`; none when another image took them.
    pub tags: Vec<String>,
    /// What registries call it, `repository@sha256:…`; none when it was built here.
    pub digests: Vec<String>,
    pub size_bytes: u64,
}
