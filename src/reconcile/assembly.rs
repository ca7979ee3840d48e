//! What is to be carried out: the containers of one resource on one host, with what is around them.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::wait::Probe;
use crate::container::{ContainerSpec, NetworkSpec, PullPolicy, Redactions, Secret, VolumeSpec};

/// An assembly: everything that one resource has on one host.
#[derive(Clone)]
pub(crate) struct Assembly {
    pub networks: Vec<NetworkSpec>,
    pub volumes: Vec<VolumeSpec>,
    /// In the order of starting; each is ready before the next one starts.
    pub parts: Vec<Part>,
    pub pull: PullPolicy,
}

/// A container of an [`Assembly`].
#[derive(Clone)]
pub(crate) struct Part {
    /// `spec.name` is the name that it has once it works.
    pub spec: ContainerSpec,
    /// What a new container finds when it starts, and nobody sees who looks at it.
    pub files: Vec<PrivateFile>,
    pub probe: Arc<dyn Probe>,
    pub rollout: Rollout,
}

impl Part {
    /// What must not be in an error about it.
    pub(super) fn redactions(&self) -> Redactions {
        Redactions::of(&self.spec.secret_env).and(self.files.iter().map(|file| file.content.reveal()))
    }
}

/// A file in a container's own layer, readable by its root alone, and gone with the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PrivateFile {
    /// In a folder that the image has.
    pub path: String,
    pub content: Secret,
}

/// The order in which a container is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rollout {
    /// The new one works before the old one drains. Both run for a moment: they must share no port and no GPU.
    StartFirst,
    /// The old one stops first, and is started again if the new one fails.
    StopFirst,
}

/// The time that a call may take, and the token by which it is ended earlier.
#[derive(Clone, Debug)]
pub(crate) struct Deadline {
    /// For everything but downloads, which have no limit while they move.
    pub time: Duration,
    /// Ends waits at once; what was made is removed again.
    pub cancel: CancellationToken,
}
