//! Why something cannot be, as a value: the field at fault, what is wrong with it, what to do.
//!
//! The domain does not know Terraform's attribute paths. [`Field`] names the fields of a specification, down to the
//! key of a map and the position in a list, and the skin maps it to a path. Objections are collected, not thrown: a
//! user with three mistakes hears of three.
//!
//! Neither text ever holds the value of an environment variable, since it may be a secret.

use super::words::{Role, RouterOption};
use std::fmt;

/// One reason why a specification cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {what}; {fix}")]
pub struct Objection {
    pub field: Field,
    /// What is wrong: no capital at the start, no full stop at the end.
    pub what: String,
    /// What to do about it, in the same form.
    pub fix: String,
}

impl Objection {
    pub fn new(field: Field, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { field, what: what.into(), fix: fix.into() }
    }

    /// The same, said by a worker of its deployment. What is said of the host is neither's.
    pub fn of_the_deployment(self) -> Self {
        if matches!(self.field, Field::HostReserved(_) | Field::HostAdvertiseAddress) {
            return self;
        }
        Self { field: Field::Deployment, what: format!("its {}: {}", self.field, self.what), fix: self.fix }
    }
}

/// An [`Objection`] by somebody who does not know which field the value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub what: String,
    pub fix: String,
}

impl Refusal {
    pub fn new(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { what: what.into(), fix: fix.into() }
    }

    pub fn at(self, field: Field) -> Objection {
        Objection { field, what: self.what, fix: self.fix }
    }
}

/// A field of a deployment's or a worker's specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    Name,
    Engine,
    DynamoVersion,
    Image,
    ImagePullPolicy,
    Model,
    ServedModelName,
    Mode,
    Network,
    Port,
    BindAddress,
    DesiredState,
    Env(String),
    SecretEnv(String),
    SecretEnvVersion,
    EngineArg(String),
    /// Of a deployment: an argument for the workers of a role.
    RoleArg(Role, String),
    /// What the model comes with, by the catalog or the provider's `models`.
    ModelArg(String),
    Connector(ConnectorField),
    RouterMode,
    Router(RouterOption),
    Resources(ResourceField),
    Docker(DockerField),
    /// Of a worker: the deployment it belongs to.
    Deployment,
    /// Of a worker.
    Role,
    /// Of a worker: the end of its container's name.
    Suffix,
    /// Of a worker: the GPUs that it names.
    Gpus,
    /// Of a worker: one of the GPUs that it names, counted from 0.
    Gpu(usize),
    /// Of a worker.
    GpuCount,
    /// Addresses of the supporting services.
    Services,
    /// Of a worker: one of its ports.
    WorkerPort(&'static str),
    /// Of a page: the host it is on.
    Host,
    /// Of a page: the release of Open WebUI.
    Version,
    /// Of a page: one of its deployments, counted from 0.
    Source(usize),
    /// Of a page: whether people log in.
    Auth,
    /// Of a page.
    AdminEmail,
    /// Of a page.
    AdminPassword,
    /// Of a page.
    AdminPasswordVersion,
    /// Of the provider's entry for the host: what is kept for the system.
    HostReserved(ResourceField),
    /// Of the provider's entry for the host.
    HostAdvertiseAddress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceField {
    Cpus,
    MemoryGb,
    NoLimit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectorField {
    Type,
    CpuCacheGb,
    DiskCacheGb,
    DiskCachePath,
    Server,
}

/// Positions count from 0, in the order written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DockerField {
    VolumeHostPath(usize),
    VolumeContainerPath(usize),
    ExtraHost(String),
    ShmSizeGb,
    UlimitName(usize),
    UlimitSoft(usize),
    UlimitHard(usize),
    Label(String),
    Network(usize),
    CapAdd(usize),
    Device(usize),
    Privileged,
    Ipc,
    Runtime,
    LogDriver,
    LogOption(String),
    Restart,
    StopGraceSeconds,
}

/// As a user would write it.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Name => "name",
            Self::Engine => "engine",
            Self::DynamoVersion => "dynamo_version",
            Self::Image => "image",
            Self::ImagePullPolicy => "image_pull_policy",
            Self::Model => "model",
            Self::ServedModelName => "served_model_name",
            Self::Mode => "mode",
            Self::Network => "network",
            Self::Port => "port",
            Self::BindAddress => "bind_address",
            Self::DesiredState => "desired_state",
            Self::RouterMode => "router.mode",
            Self::Deployment => "deployment",
            Self::Role => "role",
            Self::Suffix => "suffix",
            Self::Gpus => "gpus",
            Self::GpuCount => "gpu_count",
            Self::Gpu(at) => return write!(f, "gpus[{at}]"),
            Self::Services => "services",
            Self::Host => "host",
            Self::Version => "version",
            Self::Source(at) => return write!(f, "deployments[{at}]"),
            Self::Auth => "auth",
            Self::AdminEmail => "admin_email",
            Self::AdminPassword => "admin_password",
            Self::AdminPasswordVersion => "admin_password_version",
            Self::HostAdvertiseAddress => "advertise_address",
            Self::WorkerPort(name) => return write!(f, "ports[{name:?}]"),
            Self::SecretEnvVersion => "secret_env_version",
            Self::SecretEnv(key) => return write!(f, "secret_env[{key:?}]"),
            Self::Env(key) => return write!(f, "env[{key:?}]"),
            Self::EngineArg(key) => return write!(f, "engine_args[{key:?}]"),
            Self::ModelArg(key) => return write!(f, "argument {key:?} of the model"),
            Self::RoleArg(role, key) => return write!(f, "{}_engine_args[{key:?}]", role.word()),
            Self::Connector(field) => return write!(f, "connector.{}", field.word()),
            Self::Router(option) => return write!(f, "router.{}", option.word()),
            Self::Resources(field) => return write!(f, "resources.{}", field.word()),
            Self::HostReserved(field) => return write!(f, "reserved.{}", field.word()),
            Self::Docker(field) => return write!(f, "docker.{field}"),
        };
        f.write_str(word)
    }
}

impl ResourceField {
    pub fn word(self) -> &'static str {
        match self {
            Self::Cpus => "cpus",
            Self::MemoryGb => "memory_gb",
            Self::NoLimit => "no_limit",
        }
    }
}

impl ConnectorField {
    pub fn word(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::CpuCacheGb => "cpu_cache_gb",
            Self::DiskCacheGb => "disk_cache_gb",
            Self::DiskCachePath => "disk_cache_path",
            Self::Server => "server",
        }
    }
}

impl fmt::Display for DockerField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VolumeHostPath(at) => write!(f, "volume[{at}].host_path"),
            Self::VolumeContainerPath(at) => write!(f, "volume[{at}].container_path"),
            Self::ExtraHost(key) => write!(f, "extra_hosts[{key:?}]"),
            Self::ShmSizeGb => f.write_str("shm_size_gb"),
            Self::UlimitName(at) => write!(f, "ulimit[{at}].name"),
            Self::UlimitSoft(at) => write!(f, "ulimit[{at}].soft"),
            Self::UlimitHard(at) => write!(f, "ulimit[{at}].hard"),
            Self::Label(key) => write!(f, "labels[{key:?}]"),
            Self::Network(at) => write!(f, "networks[{at}]"),
            Self::CapAdd(at) => write!(f, "cap_add[{at}]"),
            Self::Device(at) => write!(f, "devices[{at}]"),
            Self::Privileged => f.write_str("privileged"),
            Self::Ipc => f.write_str("ipc"),
            Self::Runtime => f.write_str("runtime"),
            Self::LogDriver => f.write_str("log_driver"),
            Self::LogOption(key) => write!(f, "log_options[{key:?}]"),
            Self::Restart => f.write_str("restart"),
            Self::StopGraceSeconds => f.write_str("stop_grace_seconds"),
        }
    }
}
