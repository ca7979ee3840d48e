//! Containers, one verb each.

use std::collections::BTreeSet;
use std::time::Duration;

use bollard::models::{ContainerInspectResponse, NetworkConnectRequest};
use bollard::query_parameters::{
    CreateContainerOptions, InspectContainerOptions, RemoveContainerOptions, RenameContainerOptions,
    StartContainerOptions, StopContainerOptions,
};
use tokio::sync::OwnedMutexGuard;

use super::host::Host;
use crate::container::{ContainerSpec, Limits, Mount, ObservedContainer, Restart};
use crate::hosts::docker::{CHANGE, translate};
use crate::hosts::error::{Cause, HostError, if_found};
use crate::hosts::transport::random;

/// Pause between looks at a container that somebody else is removing.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

impl Host {
    /// The container as it is now; `None` when there is none. `name` may also be an id.
    pub async fn inspect(&self, name: &str) -> Result<Option<ObservedContainer>, HostError> {
        let Some(raw) = self.inspect_raw(name).await? else { return Ok(None) };
        let image = self.image_facts_of(raw.image.as_deref().unwrap_or_default()).await?;
        Ok(Some(translate::observed(raw, image.as_ref())))
    }

    /// The Engine's own answer about a container; `None` when there is none.
    pub(super) async fn inspect_raw(
        &self,
        name: &str,
    ) -> Result<Option<ContainerInspectResponse>, HostError> {
        if_found(
            self.ask("inspect", &container(name), |docker| async move {
                docker.inspect_container(name, None::<InspectContainerOptions>).await
            })
            .await,
        )
    }

    /// Makes a container, under the name that its spec has, and gives back its id. Its networks, volumes, host folders
    /// and image must be there, except for the folders that are to be made. An error leaves none behind.
    pub async fn create(&self, spec: &ContainerSpec) -> Result<String, HostError> {
        let name = &spec.name;
        // Labels of the image would become the container's, and say that it is another one.
        let image = self.image_lately(&spec.image).await?;
        let made = random::token::<8>().map_err(|error| {
            let text = format!("the operating system gave no random numbers: {error}");
            self.error(&format!("create {}", container(name)), Cause::Connection { text })
        })?;
        let body = translate::create_body(spec, &made, image.as_ref());
        let missing = self.missing_folders(spec).await?;
        let answer = self
            .change("create", &container(name), CHANGE, |docker| {
                let body = body.clone();
                let options = CreateContainerOptions { name: Some(name.clone()), ..Default::default() };
                async move { docker.create_container(Some(options), body).await }
            })
            .await?;
        for warning in &answer.warnings {
            tracing::warn!(host = self.name(), container = %name, %warning, "Docker warns");
        }
        if let Err(error) = self.finish(&answer.id, spec, &missing).await {
            if let Err(left) = self.remove(&answer.id).await {
                tracing::warn!(host = self.name(), container = %name, error = %left, "could not be removed again");
            }
            return Err(error);
        }
        Ok(answer.id)
    }

    /// What a request to create cannot say.
    async fn finish(&self, id: &str, spec: &ContainerSpec, missing: &[&Mount]) -> Result<(), HostError> {
        for mount in missing {
            self.give_folder(id, spec, mount).await?;
        }
        for network in &spec.networks {
            self.join(id, &spec.name, network).await?;
        }
        Ok(())
    }

    /// Engines before 25 take one network at creation, so further ones are joined before the start.
    async fn join(&self, id: &str, name: &str, network: &str) -> Result<(), HostError> {
        let _lock = self.lock_network(network).await;
        let subject = format!("{} to network {network}", container(name));
        self.change("connect", &subject, CHANGE, |docker| async move {
            let request = NetworkConnectRequest { container: id.to_owned(), endpoint_config: None };
            docker.connect_network(network, request).await
        })
        .await
    }

    /// Starts a container; one that runs already is fine.
    pub async fn start(&self, name: &str) -> Result<(), HostError> {
        let _lock = self.lock_networks_of(name).await?;
        self.change("start", &container(name), CHANGE, |docker| async move {
            docker.start_container(name, None::<StartContainerOptions>).await
        })
        .await
    }

    /// Tells a container to end, and kills it when it has not within `grace_seconds`. One that is stopped or gone is
    /// fine.
    pub async fn stop(&self, name: &str, grace_seconds: u32) -> Result<(), HostError> {
        let Some(_lock) = if_found(self.lock_networks_of(name).await)? else { return Ok(()) };
        let policy = CHANGE.plus(Duration::from_secs(u64::from(grace_seconds)));
        let stopped = self
            .change("stop", &container(name), policy, |docker| async move {
                let grace = i32::try_from(grace_seconds).unwrap_or(i32::MAX);
                docker.stop_container(name, Some(StopContainerOptions { t: Some(grace), signal: None })).await
            })
            .await;
        let stopped = match stopped {
            Err(error) if matches!(error.cause, Cause::EngineSilent { .. }) => {
                Err(self.why_silent(name, error).await)
            }
            other => other,
        };
        if_found(stopped).map(|_| ())
    }

    /// An Engine that answers other questions is not silent: then it is the container that does not end.
    async fn why_silent(&self, name: &str, error: HostError) -> HostError {
        match self.ask("ping", "the Engine", |docker| async move { docker.ping().await }).await {
            Ok(_) => HostError { cause: Cause::DoesNotStop { container: container(name) }, ..error },
            Err(_) => error,
        }
    }

    /// Gives a container another name.
    pub async fn rename(&self, name: &str, new_name: &str) -> Result<(), HostError> {
        self.change("rename", &container(name), CHANGE, |docker| async move {
            docker.rename_container(name, RenameContainerOptions { name: new_name.to_owned() }).await
        })
        .await
    }

    /// Removes a container with its anonymous volumes, killing it when it runs. One that is gone is fine.
    pub async fn remove(&self, name: &str) -> Result<(), HostError> {
        let Some(_lock) = if_found(self.lock_networks_of(name).await)? else { return Ok(()) };
        let removed = self
            .change("remove", &container(name), CHANGE, |docker| async move {
                let options = RemoveContainerOptions { v: true, force: true, link: false };
                docker.remove_container(name, Some(options)).await
            })
            .await;
        match removed {
            Err(error) if is_being_removed(&error.cause) => self.until_gone(name, error).await,
            other => if_found(other).map(|_| ()),
        }
    }

    /// Waits for a removal that somebody else has begun.
    async fn until_gone(&self, name: &str, error: HostError) -> Result<(), HostError> {
        let gone = async {
            while self.inspect_raw(name).await?.is_some() {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            Ok(())
        };
        tokio::time::timeout(CHANGE.deadline, gone).await.unwrap_or(Err(error))
    }

    /// Changes limits and restart policy of a container in place. Limits that are `None` stay as they are: the Engine
    /// cannot lift one.
    pub async fn update(&self, name: &str, limits: &Limits, restart: Restart) -> Result<(), HostError> {
        let body = translate::update_body(limits, restart);
        self.change("update", &container(name), CHANGE, |docker| {
            let body = body.clone();
            async move { docker.update_container(name, body).await }
        })
        .await
    }

    /// The locks of the networks that a container is in, in an order that is everybody's; the host's own needs none.
    async fn lock_networks_of(&self, name: &str) -> Result<Vec<OwnedMutexGuard<()>>, HostError> {
        let Some(raw) = self.inspect_raw(name).await? else {
            let what = container(name);
            return Err(self.error(&format!("find {what}"), Cause::NotFound { what }));
        };
        let joined = raw.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        let mode = raw.host_config.and_then(|config| config.network_mode);
        let networks: BTreeSet<String> = joined.into_keys().chain(mode).collect();
        let mut locks = Vec::new();
        for network in networks.iter().filter(|network| *network != "host") {
            locks.push(self.lock_network(network).await);
        }
        Ok(locks)
    }
}

/// A container in the words of an error: `container chat-frontend`.
pub(super) fn container(name: &str) -> String {
    format!("container {name}")
}

fn is_being_removed(cause: &Cause) -> bool {
    matches!(cause, Cause::Engine { status: 409, text } if text.contains("already in progress"))
}
