//! What a decision comes to: networks, volumes and containers with nothing left open.
//!
//! A blueprint is compared with what a host has, field by field, so it holds nothing that is not comparable: no times,
//! no ids, no choices. Containers stand in the order in which they are started; each says how one can tell that it
//! works, in plain terms, so that who brings it up needs to know nothing of Dynamo.

use crate::container::{ContainerSpec, NetworkSpec, VolumeSpec};
use crate::dynamo::terms::endpoint::Endpoint;

/// Everything a resource makes on a host.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Blueprint {
    /// Made first. `None` for a worker, which joins its deployment's.
    pub network: Option<NetworkSpec>,
    pub volumes: Vec<VolumeSpec>,
    /// In start order.
    pub containers: Vec<Planned>,
    /// What they need there that is not theirs alone: who comes first makes it, before the containers, and who goes last takes
    /// it away. Each name stands for something that no change of one user changes for the others.
    pub shared: Vec<Planned>,
}

/// A container, and how to tell that it works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Planned {
    /// `frontend`, `worker`, or the name of a service; as in its label.
    pub component: String,
    pub spec: ContainerSpec,
    pub ready: Readiness,
}

/// When a container counts as brought up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// It answers `GET path` with 200 on `port` of the container (of the host, where the container shares its network).
    Http { port: u16, path: String },
    /// Its deployment's frontend lists it and the model. Asked of the frontend's container.
    WorkerListed(Listing),
}

/// How a worker shows up at the frontend.
///
/// The page at `instances_path` is JSON with a list `instances` of `{namespace, component, endpoint, instance_id,
/// transport: {tcp: "IP:port/…"}}`. The worker's own entry has these three words and its address: `seat`, or, on a private
/// network, that of its container. `instance_id` is a u64 that no float can hold. The page at `models_path` is OpenAI's model list:
/// the model is in it once the frontend could load its tokenizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Name of the frontend's container.
    pub frontend: String,
    /// In the frontend's container. On the host's network it is the only port that the container has.
    pub frontend_port: u16,
    pub instances_path: String,
    pub models_path: String,
    pub served_model_name: String,
    /// Whether the model must be listed too, for which this worker is enough.
    pub model_listed: bool,
    pub namespace: String,
    pub component: String,
    pub endpoint: String,
    /// Where the worker takes requests, if that is known before it runs.
    pub seat: Option<Endpoint>,
    /// Port of the worker's own pages, as seen from its host.
    pub system_port: Option<u16>,
}
