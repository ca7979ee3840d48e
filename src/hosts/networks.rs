//! Networks. "Ensure" creates what is missing; what is there under the name must be ours.

use std::collections::HashMap;

use bollard::models::{NetworkCreateRequest, NetworkInspect};
use bollard::query_parameters::InspectNetworkOptions;

use super::host::Host;
use crate::container::NetworkSpec;
use crate::container::labels::Ownership;
use crate::hosts::docker::CHANGE;
use crate::hosts::error::{Cause, HostError, if_found};

/// The result of [`Host::ensure_network`] and [`Host::ensure_volume`]: whether there was anything to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ensured {
    Created,
    Found,
}

impl Host {
    /// Makes a bridge network unless there is one of ours by that name. One of somebody else's is an error.
    pub async fn ensure_network(&self, spec: &NetworkSpec) -> Result<Ensured, HostError> {
        let subject = network(&spec.name);
        // Network names are not unique to the Engine: looking and making must not interleave.
        let _lock = self.lock_network(&spec.name).await;
        if let Some(found) = self.find_network(&spec.name).await? {
            return self.ours(&subject, found.labels.unwrap_or_default());
        }
        self.change("create", &subject, CHANGE, |docker| {
            let request = NetworkCreateRequest {
                name: spec.name.clone(),
                driver: Some("bridge".to_owned()),
                labels: Some(spec.labels.clone().into_iter().collect()),
                ..Default::default()
            };
            async move { docker.create_network(request).await }
        })
        .await?;
        Ok(Ensured::Created)
    }

    /// The name of the network that the Engine finds under `name`, which may also be an id; `None` when there is none.
    pub async fn network_named(&self, name: &str) -> Result<Option<String>, HostError> {
        Ok(self.find_network(name).await?.and_then(|network| network.name))
    }

    /// Removes a network of ours; one that is gone or somebody else's is left as it is. Containers attached to it are
    /// an error that names them.
    pub async fn remove_network(&self, name: &str) -> Result<(), HostError> {
        let subject = network(name);
        let _lock = self.lock_network(name).await;
        let Some(found) = self.find_network(name).await? else { return Ok(()) };
        if !is_ours(found.labels.unwrap_or_default()) {
            return Ok(());
        }
        let attached = found.containers.unwrap_or_default().into_values().filter_map(|end| end.name);
        let mut containers: Vec<String> = attached.collect();
        if !containers.is_empty() {
            containers.sort_unstable();
            let cause = Cause::NetworkInUse { network: name.to_owned(), containers };
            return Err(self.error(&format!("remove {subject}"), cause));
        }
        let id = found.id.unwrap_or_default();
        let removed = self
            .change("remove", &subject, CHANGE, |docker| {
                let id = id.clone();
                async move { docker.remove_network(&id).await }
            })
            .await;
        if_found(removed).map(|_| ())
    }

    async fn find_network(&self, name: &str) -> Result<Option<NetworkInspect>, HostError> {
        let answer = self
            .ask("inspect", &network(name), |docker| async move {
                docker.inspect_network(name, None::<InspectNetworkOptions>).await
            })
            .await;
        if_found(answer)
    }

    /// [`Ensured::Found`] when the labels of what was found are ours.
    pub(super) fn ours(&self, subject: &str, labels: HashMap<String, String>) -> Result<Ensured, HostError> {
        if is_ours(labels) {
            return Ok(Ensured::Found);
        }
        Err(self.error(&format!("create {subject}"), Cause::NotOurs { what: format!("a {subject}") }))
    }
}

fn network(name: &str) -> String {
    format!("network {name}")
}

/// Whether an object with these labels was made by this provider.
pub(super) fn is_ours(labels: HashMap<String, String>) -> bool {
    Ownership::from_labels(&labels.into_iter().collect()).is_some()
}
