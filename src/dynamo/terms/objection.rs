//! Why something cannot be, as a value: the field at fault, what is wrong with it, what to do.
//!
//! [`Field`] names the fields of a specification, down to the key of a map and the position in a list. Its
//! [segments](Field::segments) make both its text and, in the provider, the path of the attribute. Objections are collected, not thrown: a
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
        if self.field.is_of_the_provider() {
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

/// A step on the way from a resource to one of its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// An attribute or a block of that name.
    Attribute(&'static str),
    /// An element of a list, counted from 0.
    Index(usize),
    /// An entry of a map.
    Key(String),
    /// An entry of a free-form object: an attribute of it to Terraform, and read like the entry of a map.
    Entry(String),
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(name) => f.write_str(name),
            Self::Index(at) => write!(f, "[{at}]"),
            Self::Key(key) | Self::Entry(key) => write!(f, "[{key:?}]"),
        }
    }
}

/// An enum of fields, each with the segments of its way: `Variant(payload: Type) = [segments],`.
macro_rules! fields {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $field:ident $(($($part:ident: $ty:ty),+))? = $segments:expr,)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$field_doc])* $field $(($($ty),+))?,)+ }

        impl $name {
            /// The way to the field, from the resource or block that it is a field of.
            pub fn segments(&self) -> Vec<Segment> {
                match self { $(Self::$field $(($($part),+))? => $segments.into(),)+ }
            }

            /// One of each.
            #[cfg(test)]
            pub fn samples() -> Vec<Self> {
                vec![$(Self::$field $(($(<$ty as samples::Sample>::sample()),+))?,)+]
            }
        }
    };
}

use Segment::{Attribute, Entry, Index, Key};

/// The segments of a field of a block.
fn below(block: &'static str, field: Vec<Segment>) -> Vec<Segment> {
    [vec![Attribute(block)], field].concat()
}

fields!(
    /// A field of the specification of a deployment, a worker or an Open WebUI.
    Field {
        Name = [Attribute("name")],
        Engine = [Attribute("engine")],
        DynamoVersion = [Attribute("dynamo_version")],
        Image = [Attribute("image")],
        ImagePullPolicy = [Attribute("image_pull_policy")],
        Model = [Attribute("model")],
        ServedModelName = [Attribute("served_model_name")],
        Mode = [Attribute("mode")],
        Network = [Attribute("network")],
        Port = [Attribute("port")],
        BindAddress = [Attribute("bind_address")],
        DesiredState = [Attribute("desired_state")],
        Env(key: String) = [Attribute("env"), Key(key.clone())],
        SecretEnv(key: String) = [Attribute("secret_env"), Key(key.clone())],
        SecretEnvVersion = [Attribute("secret_env_version")],
        EngineArg(key: String) = [Attribute("engine_args"), Entry(key.clone())],
        /// Of a deployment: an argument for the workers of a role.
        RoleArg(role: Role, key: String) = [Attribute(role_args(*role)), Entry(key.clone())],
        /// An engine argument that the model comes with, by the catalog or the provider's `models`: the way ends at the model.
        ModelArg(_key: String) = [Attribute("model")],
        Connector(field: ConnectorField) = below("connector", field.segments()),
        RouterMode = [Attribute("router"), Attribute("mode")],
        Router(option: RouterOption) = [Attribute("router"), Attribute(option.word())],
        Resources(field: ResourceField) = below("resources", field.segments()),
        Docker(field: DockerField) = below("docker", field.segments()),
        /// Of a worker: the deployment it belongs to.
        Deployment = [Attribute("deployment")],
        /// Of a worker.
        Role = [Attribute("role")],
        /// Of a worker: the end of its container's name.
        Suffix = [Attribute("container")],
        /// Of a worker: the GPUs that it names.
        Gpus = [Attribute("gpus")],
        /// Of a worker: one of the GPUs that it names, counted from 0.
        Gpu(at: usize) = [Attribute("gpus"), Index(*at)],
        /// Of a worker.
        GpuCount = [Attribute("gpu_count")],
        /// Addresses of the supporting services.
        Services = [Attribute("services")],
        /// Of a worker: one of its ports.
        WorkerPort(name: &'static str) = [Attribute("ports"), Key((*name).to_owned())],
        /// Of an Open WebUI: the host it is on.
        Host = [Attribute("host")],
        /// Of an Open WebUI: its release.
        Version = [Attribute("version")],
        /// Of an Open WebUI: one of its deployments, counted from 0.
        Source(at: usize) = [Attribute("deployments"), Index(*at)],
        /// Of an Open WebUI: whether users log in.
        Auth = [Attribute("auth")],
        /// Of an Open WebUI.
        AdminEmail = [Attribute("admin_email")],
        /// Of an Open WebUI.
        AdminPassword = [Attribute("admin_password")],
        /// Of an Open WebUI.
        AdminPasswordVersion = [Attribute("admin_password_version")],
        /// Of the provider's entry for the host: what is kept for the system.
        HostReserved(field: ResourceField) = below("reserved", field.segments()),
        /// Of the provider's entry for the host.
        HostAdvertiseAddress = [Attribute("advertise_address")],
    }
);

fields!(
    /// A field of the block `resources`.
    #[derive(Copy)]
    ResourceField {
        Cpus = [Attribute("cpus")],
        MemoryGb = [Attribute("memory_gb")],
        NoLimit = [Attribute("no_limit")],
    }
);

fields!(
    /// A field of the block `connector`.
    #[derive(Copy)]
    ConnectorField {
        Type = [Attribute("type")],
        CpuCacheGb = [Attribute("cpu_cache_gb")],
        DiskCacheGb = [Attribute("disk_cache_gb")],
        DiskCachePath = [Attribute("disk_cache_path")],
        Server = [Attribute("server")],
    }
);

fields!(
    /// A field of the block `docker`. Positions count from 0, in the order written.
    DockerField {
        VolumeHostPath(at: usize) = [Attribute("volume"), Index(*at), Attribute("host_path")],
        VolumeContainerPath(at: usize) = [Attribute("volume"), Index(*at), Attribute("container_path")],
        ExtraHost(key: String) = [Attribute("extra_hosts"), Key(key.clone())],
        ShmSizeGb = [Attribute("shm_size_gb")],
        UlimitName(at: usize) = [Attribute("ulimit"), Index(*at), Attribute("name")],
        UlimitSoft(at: usize) = [Attribute("ulimit"), Index(*at), Attribute("soft")],
        UlimitHard(at: usize) = [Attribute("ulimit"), Index(*at), Attribute("hard")],
        Label(key: String) = [Attribute("labels"), Key(key.clone())],
        Network(at: usize) = [Attribute("networks"), Index(*at)],
        CapAdd(at: usize) = [Attribute("cap_add"), Index(*at)],
        Device(at: usize) = [Attribute("devices"), Index(*at)],
        Privileged = [Attribute("privileged")],
        Ipc = [Attribute("ipc")],
        Runtime = [Attribute("runtime")],
        LogDriver = [Attribute("log_driver")],
        LogOption(key: String) = [Attribute("log_options"), Key(key.clone())],
        Restart = [Attribute("restart")],
        StopGraceSeconds = [Attribute("stop_grace_seconds")],
    }
);

fn role_args(role: Role) -> &'static str {
    match role {
        Role::Prefill => "prefill_engine_args",
        Role::Decode => "decode_engine_args",
    }
}

impl Field {
    /// Whether it is a field of the provider's entry for the host, and of no resource.
    pub fn is_of_the_provider(&self) -> bool {
        matches!(self, Self::HostReserved(_) | Self::HostAdvertiseAddress)
    }
}

/// As a user would write it: `docker.volume[0].host_path`, `env["TOKEN"]`.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Users write neither: the catalog has the one, the provider invents the other.
            Self::ModelArg(key) => return write!(f, "argument {key:?} of the model"),
            Self::Suffix => return f.write_str("suffix"),
            _ => {}
        }
        for (position, segment) in self.segments().iter().enumerate() {
            if position > 0 && matches!(segment, Attribute(_)) {
                f.write_str(".")?;
            }
            write!(f, "{segment}")?;
        }
        Ok(())
    }
}

/// Samples of what fields carry, for tests that walk all fields.
#[cfg(test)]
mod samples {
    use super::{ConnectorField, DockerField, ResourceField, Role, RouterOption};

    pub(super) trait Sample {
        fn sample() -> Self;
    }

    macro_rules! sample {
        ($($ty:ty = $value:expr),+ $(,)?) => { $(impl Sample for $ty { fn sample() -> Self { $value } })+ };
    }

    sample!(
        usize = 0,
        String = "key".to_owned(),
        &'static str = "port",
        Role = Role::Prefill,
        RouterOption = RouterOption::KvEvents,
        ResourceField = ResourceField::Cpus,
        ConnectorField = ConnectorField::Type,
        DockerField = DockerField::Ipc,
    );
}
