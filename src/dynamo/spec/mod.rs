//! What is wanted, with every field known and checked: the only thing [`super::decide`] reads.
//!
//! A spec is made by [`super::check`] from a [`draft`] and by nothing else, so whoever holds one need not ask
//! again whether a name is a name or whether the release knows the router mode: the rows of the tables are already in
//! it. Sizes are bytes, CPUs are nano-CPUs, as in [`crate::container`].

pub(crate) mod arguments;
pub(crate) mod cache_server;
pub(crate) mod connector;
pub(crate) mod docker;
pub(crate) mod draft;
pub(crate) mod engine_args;
pub(crate) mod gpus;
pub(crate) mod model;
pub(crate) mod router;
pub(crate) mod worker_ports;

use crate::container::SecretEnv;
use crate::dynamo::facts::engine::EngineFacts;
use crate::dynamo::facts::release::Release;
use crate::dynamo::terms::amount::Amount;
use crate::dynamo::terms::endpoint::Endpoint;
use crate::dynamo::terms::words::{DesiredState, Mode, NetworkMode, PullPolicy, Role, RouterOption};
use connector::ConnectorSpec;
use docker::DockerOptions;
use engine_args::EngineArgs;
use gpus::GpuRequest;
use model::{ModelPlace, ModelRef};
use router::{OptionValue, RouterSpec};
use std::collections::BTreeMap;

/// What all containers of a deployment must agree on, on whatever host and whatever their role.
#[derive(Clone, Debug, PartialEq)]
pub struct Common {
    /// Name of the deployment.
    pub name: String,
    pub release: &'static Release,
    /// Exact version, one of `release.versions`.
    pub dynamo_version: String,
    pub engine: &'static EngineFacts,
    /// Full reference, derived or given.
    pub image: String,
    pub pull_policy: PullPolicy,
    pub model: ModelRef,
    /// The name clients use.
    pub served_model_name: String,
    pub mode: Mode,
    pub network: NetworkMode,
    /// Where the supporting services of the release are found, by name.
    pub services: BTreeMap<&'static str, Endpoint>,
    pub router: RouterSpec,
    /// May hold secrets: never printed.
    pub env: BTreeMap<String, String>,
    pub connector: ConnectorSpec,
    /// What the model comes with, under all others.
    pub model_args: EngineArgs,
    pub engine_args: EngineArgs,
    /// Over these, for the workers of a role.
    pub role_args: BTreeMap<Role, EngineArgs>,
    pub resources: ResourceSpec,
    pub docker: DockerOptions,
}

impl Common {
    /// Whether the router looks at the workers' caches.
    pub fn looks_at_caches(&self) -> bool {
        self.router.mode.kv
    }

    /// Whether workers report what they cache to it.
    pub fn reports_caches(&self) -> bool {
        self.router.mode.kv
            && self.router.options.get(&RouterOption::KvEvents) != Some(&OptionValue::Switch(false))
    }
}

/// A frontend with its router and supporting services.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DeploymentSpec {
    pub common: Common,
    /// Of the frontend.
    pub secret_env: SecretEnv,
    /// On the host.
    pub port: u16,
    /// Address on the host, in canonical spelling.
    pub bind_address: String,
    pub desired_state: DesiredState,
}

/// One worker of a deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerSpec {
    pub deployment: Common,
    pub role: Role,
    /// End of the container's name, from [`crate::dynamo::terms::names::suffix`].
    pub suffix: String,
    /// Over the deployment's.
    pub env: BTreeMap<String, String>,
    /// Over both.
    pub secret_env: SecretEnv,
    /// Over the deployment's and its role's.
    pub engine_args: EngineArgs,
    /// `None` = the deployment's.
    pub resources: Option<ResourceSpec>,
    /// Over the deployment's.
    pub docker: DockerOptions,
    /// What is asked for.
    pub gpu_request: GpuRequest,
    /// UUIDs of the devices that were decided for it, sorted.
    pub gpus: Vec<String>,
    pub desired_state: DesiredState,
    /// Where it listens, by the names of [`crate::dynamo::facts::topology::WorkerPort`].
    pub ports: BTreeMap<&'static str, u16>,
}

/// Docker's lower bound for a limit of CPUs.
pub(crate) const LEAST_CPUS: Amount = Amount::from_milli(10);
/// Docker's lower bound for a limit of memory.
pub(crate) const LEAST_MEMORY_GB: Amount = Amount::from_milli(6);

/// What a container may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceSpec {
    NoLimit,
    /// `None` = all but what is kept for the host.
    Limited {
        nano_cpus: Option<u64>,
        memory_bytes: Option<u64>,
    },
}

impl Default for ResourceSpec {
    fn default() -> Self {
        Self::Limited { nano_cpus: None, memory_bytes: None }
    }
}

/// What a decision needs to know of a host.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct HostFacts {
    /// Logical CPUs the Engine sees.
    pub cpus: u32,
    /// Bytes of memory the Engine sees.
    pub memory_bytes: u64,
    /// CPUs kept for the system; `None` = worked out.
    pub reserved_cpus: Option<Amount>,
    /// Gigabytes (2³⁰ bytes) kept for the system; `None` = worked out.
    pub reserved_memory_gb: Option<Amount>,
    /// Folder on the host for downloaded models; `None` = the release's default.
    pub model_cache: Option<String>,
    /// A complete copy there of the model, where one was found; `None` = it is downloaded into the cache.
    pub model_place: Option<ModelPlace>,
    /// IP address by which other hosts reach it; `None` = none is configured.
    pub advertise_address: Option<String>,
}

/// Who makes the containers, for their labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Random token of this run of the provider.
    pub run: String,
    /// The resource's configuration as JSON, without secrets, from which import rebuilds it.
    pub spec_json: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::terms::words::Engine;

    #[test]
    fn every_word_reads_back() {
        macro_rules! check {
            ($($name:ident),+) => {$(
                for value in $name::ALL {
                    assert_eq!($name::parse(value.word()), Some(*value));
                }
                assert_eq!($name::parse(""), None);
            )+};
        }
        check!(Engine, Mode, Role, NetworkMode, DesiredState);
    }
}
