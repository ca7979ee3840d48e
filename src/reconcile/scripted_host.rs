//! A host that behaves as a test tells it to: a small Engine in memory that writes down every change.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::effects::Effects;
use crate::container::{
    ContainerSpec, Limits, NetworkSpec, ObservedContainer, Restart, RunState, VolumeSpec,
};
use crate::hosts::{Cause, Ensured, HostError};
use crate::inventory::ImageFacts;

#[derive(Default)]
pub(super) struct ScriptedHost {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    containers: Vec<ObservedContainer>,
    networks: Vec<String>,
    volumes: Vec<String>,
    images: BTreeMap<String, ImageFacts>,
    /// What a container of this image becomes when it is started.
    fates: BTreeMap<String, (RunState, u32)>,
    /// Operations that fail: `start chat-etcd`.
    failing: BTreeMap<String, Cause>,
    logs: String,
    log: Vec<String>,
    made: usize,
}

impl ScriptedHost {
    pub(super) fn new() -> Self {
        Self::default().with_image("a:1", "sha256:a1")
    }

    pub(super) fn with_image(self, reference: &str, id: &str) -> Self {
        self.state.lock().unwrap().images.insert(reference.into(), facts(id));
        self
    }

    pub(super) fn with_container(self, spec: ContainerSpec, state: RunState) -> Self {
        self.state.lock().unwrap().add(spec, state);
        self
    }

    /// Containers of `image` end up in `state`, restarted `restarts` times, as soon as they are started.
    pub(super) fn with_fate(self, image: &str, state: RunState, restarts: u32) -> Self {
        self.state.lock().unwrap().fates.insert(image.into(), (state, restarts));
        self
    }

    pub(super) fn with_logs(self, logs: &str) -> Self {
        self.state.lock().unwrap().logs = logs.into();
        self
    }

    pub(super) fn failing(self, operation: &str, cause: Cause) -> Self {
        self.state.lock().unwrap().failing.insert(operation.into(), cause);
        self
    }

    /// The changes so far. Containers are called by the names that they had at the time.
    pub(super) fn log(&self) -> Vec<String> {
        self.state.lock().unwrap().log.clone()
    }

    /// What exists: `name state`, networks and volumes by name.
    pub(super) fn objects(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let containers = state.containers.iter().map(|c| format!("{} {}", c.spec.name, c.state.word()));
        containers.chain(state.networks.iter().cloned()).chain(state.volumes.iter().cloned()).collect()
    }

    /// Notes an operation on a container (name or id) and lets it happen, unless it is to fail.
    fn change(
        &self,
        verb: &str,
        name: &str,
        effect: impl FnOnce(&mut State, Option<usize>),
    ) -> Result<(), HostError> {
        let mut state = self.state.lock().unwrap();
        let position = state.position(name);
        let shown = position.map_or(name.to_owned(), |at| state.containers[at].spec.name.clone());
        let operation = format!("{verb} {shown}");
        state.log.push(operation.clone());
        if let Some(cause) = state.failing.get(&operation).cloned() {
            return Err(error(&operation, cause));
        }
        effect(&mut state, position);
        Ok(())
    }
}

impl State {
    fn position(&self, name: &str) -> Option<usize> {
        self.containers.iter().position(|c| c.spec.name == name || c.id == name)
    }

    fn add(&mut self, spec: ContainerSpec, state: RunState) -> String {
        self.made += 1;
        let id = format!("id-{:012}", self.made);
        let image_id = self.images.get(&spec.image).map(|image| image.id.clone()).unwrap_or_default();
        let started_at = format!("{:04}", self.made);
        let seen = ObservedContainer::in_state(spec, state);
        self.containers.push(ObservedContainer { id: id.clone(), image_id, started_at, ..seen });
        id
    }
}

fn facts(id: &str) -> ImageFacts {
    ImageFacts {
        id: id.into(),
        size_bytes: 0,
        env: vec![],
        user: String::new(),
        labels: BTreeMap::new(),
        entrypoint: vec![],
        command: vec![],
    }
}

fn error(operation: &str, cause: Cause) -> HostError {
    HostError { host: "h".into(), operation: operation.into(), cause }
}

#[async_trait]
impl Effects for ScriptedHost {
    fn host(&self) -> &str {
        "h"
    }

    async fn image(&self, reference: &str) -> Result<Option<ImageFacts>, HostError> {
        Ok(self.state.lock().unwrap().images.get(reference).cloned())
    }

    async fn pull(&self, reference: &str) -> Result<(), HostError> {
        self.change("pull", reference, |state, _| {
            state.images.insert(reference.into(), facts("sha256:pulled"));
        })
    }

    async fn ensure_network(&self, spec: &NetworkSpec) -> Result<Ensured, HostError> {
        if self.state.lock().unwrap().networks.contains(&spec.name) {
            return Ok(Ensured::Found);
        }
        self.change("create network", &spec.name, |state, _| state.networks.push(spec.name.clone()))?;
        Ok(Ensured::Created)
    }

    async fn remove_network(&self, name: &str) -> Result<(), HostError> {
        self.change("remove network", name, |state, _| state.networks.retain(|network| network != name))
    }

    async fn ensure_volume(&self, spec: &VolumeSpec) -> Result<Ensured, HostError> {
        if self.state.lock().unwrap().volumes.contains(&spec.name) {
            return Ok(Ensured::Found);
        }
        self.change("create volume", &spec.name, |state, _| state.volumes.push(spec.name.clone()))?;
        Ok(Ensured::Created)
    }

    async fn remove_volume(&self, name: &str) -> Result<(), HostError> {
        self.change("remove volume", name, |state, _| state.volumes.retain(|volume| volume != name))
    }

    async fn inspect(&self, name: &str) -> Result<Option<ObservedContainer>, HostError> {
        let state = self.state.lock().unwrap();
        Ok(state.position(name).map(|at| state.containers[at].clone()))
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<String, HostError> {
        let mut id = String::new();
        self.change("create", &spec.name, |state, taken| {
            assert_eq!(taken, None, "{} is there already", spec.name);
            id = state.add(spec.clone(), RunState::Created);
        })?;
        Ok(id)
    }

    async fn put_file(&self, name: &str, path: &str, _: &str) -> Result<(), HostError> {
        self.change(&format!("put {path} into"), name, |_, _| ())
    }

    async fn start(&self, name: &str) -> Result<(), HostError> {
        self.change("start", name, |state, at| {
            let container = &mut state.containers[at.unwrap()];
            let fate = state.fates.get(&container.spec.image).cloned();
            (container.state, container.restart_count) = fate.unwrap_or((RunState::Running, 0));
        })
    }

    async fn stop(&self, name: &str, grace_seconds: u32) -> Result<(), HostError> {
        self.change(&format!("stop({grace_seconds})"), name, |state, at| {
            state.containers[at.unwrap()].state = RunState::Exited { exit_code: 0, oom_killed: false };
        })
    }

    async fn rename(&self, name: &str, new_name: &str) -> Result<(), HostError> {
        self.change("rename", name, |state, at| {
            assert_eq!(state.position(new_name), None, "{new_name} is there already");
            state.containers[at.unwrap()].spec.name = new_name.into();
        })
    }

    async fn remove(&self, name: &str) -> Result<(), HostError> {
        self.change("remove", name, |state, at| {
            state.containers.remove(at.unwrap());
        })
    }

    async fn update(&self, name: &str, limits: &Limits, restart: Restart) -> Result<(), HostError> {
        self.change("update", name, |state, at| {
            let spec = &mut state.containers[at.unwrap()].spec;
            let Limits { nano_cpus, memory_bytes } = *limits;
            spec.limits.nano_cpus = nano_cpus.or(spec.limits.nano_cpus);
            spec.limits.memory_bytes = memory_bytes.or(spec.limits.memory_bytes);
            spec.restart = restart;
        })
    }

    async fn logs_tail(&self, _: &str, _: u32) -> Result<String, HostError> {
        Ok(self.state.lock().unwrap().logs.clone())
    }
}
