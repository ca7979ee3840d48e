//! The verbs that execution needs of a host, and nothing more.

use async_trait::async_trait;

use crate::container::{ContainerSpec, Limits, NetworkSpec, ObservedContainer, Restart, VolumeSpec};
use crate::hosts::{Ensured, Host, HostError};
use crate::inventory::ImageFacts;

/// The effects that execution has on a host; see [`Host`] for what each verb promises.
#[async_trait]
pub(crate) trait Effects: Send + Sync {
    /// Name of the host, for errors.
    fn host(&self) -> &str;
    async fn image(&self, reference: &str) -> Result<Option<ImageFacts>, HostError>;
    async fn pull(&self, reference: &str) -> Result<(), HostError>;
    async fn ensure_network(&self, spec: &NetworkSpec) -> Result<Ensured, HostError>;
    async fn remove_network(&self, name: &str) -> Result<(), HostError>;
    async fn ensure_volume(&self, spec: &VolumeSpec) -> Result<Ensured, HostError>;
    async fn remove_volume(&self, name: &str) -> Result<(), HostError>;
    async fn inspect(&self, name: &str) -> Result<Option<ObservedContainer>, HostError>;
    async fn create(&self, spec: &ContainerSpec) -> Result<String, HostError>;
    async fn put_file(&self, name: &str, path: &str, content: &str) -> Result<(), HostError>;
    async fn start(&self, name: &str) -> Result<(), HostError>;
    async fn stop(&self, name: &str, grace_seconds: u32) -> Result<(), HostError>;
    async fn rename(&self, name: &str, new_name: &str) -> Result<(), HostError>;
    async fn remove(&self, name: &str) -> Result<(), HostError>;
    async fn update(&self, name: &str, limits: &Limits, restart: Restart) -> Result<(), HostError>;
    async fn logs_tail(&self, name: &str, lines: u32) -> Result<String, HostError>;
}

#[async_trait]
impl Effects for Host {
    fn host(&self) -> &str {
        self.name()
    }

    async fn image(&self, reference: &str) -> Result<Option<ImageFacts>, HostError> {
        Self::image(self, reference).await
    }

    async fn pull(&self, reference: &str) -> Result<(), HostError> {
        let layers_done = std::sync::atomic::AtomicUsize::new(usize::MAX);
        let report = |progress: crate::hosts::PullProgress| {
            let before = layers_done.swap(progress.layers_done, std::sync::atomic::Ordering::Relaxed);
            if before != progress.layers_done {
                tracing::info!(host = self.name(), image = reference, ?progress, "pulling");
            }
        };
        Self::pull(self, reference, &report).await
    }

    async fn ensure_network(&self, spec: &NetworkSpec) -> Result<Ensured, HostError> {
        Self::ensure_network(self, spec).await
    }

    async fn remove_network(&self, name: &str) -> Result<(), HostError> {
        Self::remove_network(self, name).await
    }

    async fn ensure_volume(&self, spec: &VolumeSpec) -> Result<Ensured, HostError> {
        Self::ensure_volume(self, spec).await
    }

    async fn remove_volume(&self, name: &str) -> Result<(), HostError> {
        Self::remove_volume(self, name).await
    }

    async fn inspect(&self, name: &str) -> Result<Option<ObservedContainer>, HostError> {
        Self::inspect(self, name).await
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<String, HostError> {
        Self::create(self, spec).await
    }

    async fn put_file(&self, name: &str, path: &str, content: &str) -> Result<(), HostError> {
        Self::put_file(self, name, path, content).await
    }

    async fn start(&self, name: &str) -> Result<(), HostError> {
        Self::start(self, name).await
    }

    async fn stop(&self, name: &str, grace_seconds: u32) -> Result<(), HostError> {
        Self::stop(self, name, grace_seconds).await
    }

    async fn rename(&self, name: &str, new_name: &str) -> Result<(), HostError> {
        Self::rename(self, name, new_name).await
    }

    async fn remove(&self, name: &str) -> Result<(), HostError> {
        Self::remove(self, name).await
    }

    async fn update(&self, name: &str, limits: &Limits, restart: Restart) -> Result<(), HostError> {
        Self::update(self, name, limits, restart).await
    }

    async fn logs_tail(&self, name: &str, lines: u32) -> Result<String, HostError> {
        Self::logs_tail(self, name, lines).await
    }
}
