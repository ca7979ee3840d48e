//! What a container is.

use super::spec::ContainerSpec;

/// A container as the Engine shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedContainer {
    /// Full 64-digit id.
    pub id: String,
    /// What it was created with, in our words. `env`, `labels` and `user` have the image's own defaults subtracted
    /// where the image could be inspected.
    pub spec: ContainerSpec,
    /// `sha256:…` of the image it runs.
    pub image_id: String,
    pub state: RunState,
    /// Unhealthy, healthy, starting; `None` without a health check.
    pub health: Option<String>,
    pub restart_count: u32,
    /// RFC 3339, as the Engine gives it; empty when it never started.
    pub started_at: String,
    /// Address on the bridge network of `spec.network`, when it has one.
    pub ip_address: Option<String>,
    /// Names of all networks it is attached to.
    pub networks: Vec<String>,
}

/// The state of a container. Total: every state the Engine has is one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunState {
    Created,
    Running,
    Paused,
    Restarting { exit_code: i64 },
    Exited { exit_code: i64, oom_killed: bool },
    Removing,
    Dead,
}

impl RunState {
    /// The Engine's word for the state, as users know it from `docker ps`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting { .. } => "restarting",
            Self::Exited { .. } => "exited",
            Self::Removing => "removing",
            Self::Dead => "dead",
        }
    }
}

#[cfg(test)]
impl ObservedContainer {
    /// A container of that spec which runs, as little of it as there can be: for tests, which say what else matters to
    /// them by `ObservedContainer { image_id, ..ObservedContainer::running(spec) }`.
    pub fn running(spec: ContainerSpec) -> Self {
        Self {
            id: spec.name.clone(),
            spec,
            image_id: String::new(),
            state: RunState::Running,
            health: None,
            restart_count: 0,
            started_at: String::new(),
            ip_address: None,
            networks: Vec::new(),
        }
    }

    /// As [`ObservedContainer::running`], in another state.
    pub fn in_state(spec: ContainerSpec, state: RunState) -> Self {
        Self { state, ..Self::running(spec) }
    }
}
