//! What is asked of an Open WebUI: as written, and once all is known.

use super::release::OpenWebuiRelease;
use crate::container::SecretEnv;
use crate::dynamo::spec::ResourceSpec;
use crate::dynamo::spec::docker::DockerOptions;
use crate::dynamo::spec::draft::{DockerDraft, ResourceDraft, SecretDraft};
use crate::dynamo::terms::given::Given;
use crate::dynamo::terms::words::{DesiredState, Engine, NetworkMode, PullPolicy};
use std::collections::BTreeMap;

/// As the user wrote it. A map that is unknown as a whole is empty: nothing can be said of it yet.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct OpenWebuiDraft {
    pub name: Given<String>,
    pub host: Given<String>,
    pub sources: Given<Vec<SourceDraft>>,
    pub version: Given<String>,
    pub image: Given<String>,
    pub image_pull_policy: Given<String>,
    pub port: Given<i64>,
    pub bind_address: Given<String>,
    pub auth: Given<bool>,
    pub admin_email: Given<String>,
    pub admin_password_version: Given<i64>,
    pub env: BTreeMap<String, Given<String>>,
    pub secret_env: SecretDraft,
    pub resources: ResourceDraft,
    pub docker: DockerDraft,
    pub desired_state: Given<String>,
}

/// A deployment, as far as its Open WebUI needs to know it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct SourceDraft {
    pub name: Given<String>,
    pub host: Given<String>,
    pub dynamo_version: Given<String>,
    pub engine: Given<String>,
    pub network: Given<String>,
    pub port: Given<i64>,
    pub bind_address: Given<String>,
    pub served_model_name: Given<String>,
    /// By which other hosts reach the deployment's host. Absent = none is configured.
    pub advertise_address: Given<String>,
}

/// An Open WebUI with everything known and checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OpenWebuiSpec {
    pub name: String,
    /// Host that it is on.
    pub host: String,
    /// At least one; the first one's model is what a new chat begins with.
    pub sources: Vec<SourceDeployment>,
    pub release: &'static OpenWebuiRelease,
    pub image: String,
    pub pull_policy: PullPolicy,
    pub port: u16,
    /// In canonical spelling.
    pub bind_address: String,
    pub auth: bool,
    /// Of the administrator that the first start makes; `None` = whoever signs up first.
    pub admin_email: Option<String>,
    /// Raised to have the administrator's password set anew.
    pub admin_password_version: Option<i64>,
    pub env: BTreeMap<String, String>,
    pub secret_env: SecretEnv,
    pub resources: ResourceSpec,
    pub docker: DockerOptions,
    pub desired_state: DesiredState,
}

/// A deployment to talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceDeployment {
    pub name: String,
    pub host: String,
    pub network: NetworkMode,
    /// In the frontend's container, on a private network.
    pub container_port: u16,
    /// Where the frontend listens on its host.
    pub port: Option<u16>,
    pub bind_address: String,
    pub served_model_name: Option<String>,
    /// `None` = nothing is said.
    pub engine: Option<Engine>,
    pub advertise_address: Option<String>,
}
