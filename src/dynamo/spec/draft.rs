//! What the user wrote, before anything is believed: each field absent, not known yet, or known.
//!
//! Terraform asks for an opinion three times, and each time knows more: at `validate` a variable or another resource's
//! attribute is unknown, at `plan` most is known, at `apply` all is. One draft type and one reader
//! ([`crate::dynamo::check`]) serve the three, so that a mistake is found at the first moment at which it can be.

use super::engine_args::ArgValue;
use crate::container::Secret;
use crate::dynamo::terms::amount::Amount;
use crate::dynamo::terms::given::Given;
use std::collections::BTreeMap;

/// What a deployment decides for all its containers; see [`super::Common`].
///
/// A map that is unknown as a whole is left empty: nothing can be said about it yet.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub(crate) struct CommonDraft {
    pub name: Given<String>,
    pub engine: Given<String>,
    pub dynamo_version: Given<String>,
    pub image: Given<String>,
    pub image_pull_policy: Given<String>,
    pub model: Given<String>,
    pub served_model_name: Given<String>,
    pub mode: Given<String>,
    pub network: Given<String>,
    /// `address:port` of each supporting service, where that is picked and not a constant of the release.
    pub services: BTreeMap<String, Given<String>>,
    pub router: RouterDraft,
    pub env: BTreeMap<String, Given<String>>,
    pub connector: ConnectorDraft,
    pub model_args: BTreeMap<String, Given<ArgValue>>,
    pub engine_args: BTreeMap<String, Given<ArgValue>>,
    pub prefill_engine_args: BTreeMap<String, Given<ArgValue>>,
    pub decode_engine_args: BTreeMap<String, Given<ArgValue>>,
    pub resources: ResourceDraft,
    pub docker: DockerDraft,
}

/// A deployment as the user wrote it; see [`super::DeploymentSpec`].
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub(crate) struct DeploymentDraft {
    pub common: CommonDraft,
    /// Of the frontend.
    pub secret_env: SecretDraft,
    pub port: Given<i64>,
    pub bind_address: Given<String>,
    pub desired_state: Given<String>,
}

/// A worker as the user wrote it; see [`super::WorkerSpec`].
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub(crate) struct WorkerDraft {
    pub deployment: CommonDraft,
    pub role: Given<String>,
    pub suffix: Given<String>,
    pub env: BTreeMap<String, Given<String>>,
    pub secret_env: SecretDraft,
    pub engine_args: BTreeMap<String, Given<ArgValue>>,
    /// `None` = no block written: the deployment's holds.
    pub resources: Option<ResourceDraft>,
    pub docker: DockerDraft,
    pub gpus: GpuDraft,
    pub desired_state: Given<String>,
    /// Ports by name, where they are picked and not constants of the release.
    pub ports: BTreeMap<String, Given<i64>>,
}

/// The GPUs of a worker as the user wrote them, and those that were decided for it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub(crate) struct GpuDraft {
    pub gpus: Given<Vec<Given<String>>>,
    pub gpu_count: Given<i64>,
    /// UUIDs that were decided for it. Absent = none.
    pub assigned: Given<Vec<String>>,
}

/// The block `router` as the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub(crate) struct RouterDraft {
    pub mode: Given<String>,
    pub overlap_score_credit: Given<Amount>,
    pub temperature: Given<Amount>,
    pub kv_events: Given<bool>,
    pub ttl_seconds: Given<Amount>,
    pub replica_sync: Given<bool>,
}

/// The block `connector` as the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub(crate) struct ConnectorDraft {
    #[cfg_attr(test, serde(rename = "type"))]
    pub kind: Given<String>,
    pub cpu_cache_gb: Given<i64>,
    pub disk_cache_gb: Given<i64>,
    pub disk_cache_path: Given<String>,
    pub server: Given<bool>,
}

/// The block `resources` as the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub(crate) struct ResourceDraft {
    pub cpus: Given<Amount>,
    pub memory_gb: Given<Amount>,
    pub no_limit: Given<bool>,
}

/// The block `docker` as the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub(crate) struct DockerDraft {
    pub volumes: Vec<VolumeDraft>,
    pub extra_hosts: BTreeMap<String, Given<String>>,
    pub shm_size_gb: Given<Amount>,
    pub ulimits: Vec<UlimitDraft>,
    pub labels: BTreeMap<String, Given<String>>,
    pub networks: Given<Vec<Given<String>>>,
    pub cap_add: Given<Vec<Given<String>>>,
    pub devices: Given<Vec<Given<String>>>,
    pub privileged: Given<bool>,
    pub ipc: Given<String>,
    pub runtime: Given<String>,
    pub log_driver: Given<String>,
    pub log_options: BTreeMap<String, Given<String>>,
    pub restart: Given<String>,
    pub stop_grace_seconds: Given<i64>,
}

/// A block `volume` as the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub(crate) struct VolumeDraft {
    pub host_path: Given<String>,
    pub container_path: Given<String>,
    /// Absent = false.
    pub read_only: Given<bool>,
    /// Absent = false: the folder must be there.
    pub create: Given<bool>,
}

/// A block `ulimit` as the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub(crate) struct UlimitDraft {
    pub name: Given<String>,
    /// -1 = unlimited.
    pub soft: Given<i64>,
    /// Absent = as `soft`.
    pub hard: Given<i64>,
}

/// As the user wrote it. A map that is unknown as a whole is empty: nothing can be said of it yet.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default, deny_unknown_fields))]
pub(crate) struct SecretDraft {
    pub values: BTreeMap<String, Given<Secret>>,
    /// Absent = the values are compared.
    pub version: Given<String>,
}

impl SecretDraft {
    /// With something in the place of what is not known yet, for a plan that looks at the rest.
    pub(crate) fn stand_in(&mut self) {
        for value in self.values.values_mut().filter(|value| value.is_unknown()) {
            *value = Given::Is(Secret::new(""));
        }
        if self.version.is_unknown() {
            self.version = Given::Absent;
        }
    }
}
