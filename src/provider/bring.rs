//! From a blueprint to what `reconcile` carries out: each container with the question by which it is seen to work.

use crate::container::labels::{self, Ownership};
use crate::container::{ContainerSpec, Network, ObservedContainer};
use crate::dynamo::blueprint::{Blueprint, Listing, Planned, Readiness};
use crate::dynamo::readiness;
use crate::dynamo::spec::{DesiredState, PullPolicy};
use crate::hosts::{Filter, Host};
use crate::provider::deployment::model::reachable;
use crate::reconcile::{self, Assembly, Part, Probe, Swap};
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How long one question of a probe may take.
const QUESTION: Duration = Duration::from_secs(5);

/// What a resource has on `host`. The frontend of a worker is on `frontend_host`.
///
/// What is to be stopped once it is there is not waited for: with its deployment stopped, nobody would list a worker.
pub fn assembly(
    blueprint: Blueprint,
    pull: PullPolicy,
    host: &Host,
    frontend_host: &Host,
    state: DesiredState,
) -> Assembly {
    let Blueprint { network, volumes, containers } = blueprint;
    let parts = containers.into_iter().map(|planned| part(planned, host, frontend_host, state)).collect();
    Assembly { networks: network.into_iter().collect(), volumes, parts, pull: policy(pull) }
}

fn policy(policy: PullPolicy) -> reconcile::PullPolicy {
    match policy {
        PullPolicy::Missing => reconcile::PullPolicy::Missing,
        PullPolicy::Always => reconcile::PullPolicy::Always,
        PullPolicy::Never => reconcile::PullPolicy::Never,
    }
}

fn part(planned: Planned, host: &Host, frontend_host: &Host, state: DesiredState) -> Part {
    let Planned { component: _, spec, ready } = planned;
    let probe: Arc<dyn Probe> = match ready {
        _ if state == DesiredState::Stopped => Arc::new(Exists),
        Readiness::Http { port, path } => Arc::new(Answers { host: host.clone(), port, path }),
        Readiness::WorkerListed(listing) => Arc::new(Listed { host: frontend_host.clone(), listing }),
    };
    Part { swap: swap(&spec), secret: BTreeSet::new(), probe, spec }
}

/// Two containers can run side by side if they share no port and no GPU, and answer to no common name.
fn swap(spec: &ContainerSpec) -> Swap {
    let aliased = matches!(&spec.network, Network::Bridge { aliases, .. } if !aliases.is_empty());
    if spec.ports.is_empty() && spec.gpus.is_empty() && !aliased { Swap::StartFirst } else { Swap::StopFirst }
}

/// Nothing to wait for.
struct Exists;

#[async_trait]
impl Probe for Exists {
    async fn probe(&self, _: &ObservedContainer) -> reconcile::Readiness {
        reconcile::Readiness::Ready
    }
}

/// A container that answers over HTTP.
struct Answers {
    host: Host,
    port: u16,
    path: String,
}

#[async_trait]
impl Probe for Answers {
    async fn probe(&self, container: &ObservedContainer) -> reconcile::Readiness {
        let Some((address, port)) = door(container, self.port) else {
            return reconcile::Readiness::NotYet("it has no address yet".to_owned());
        };
        match self.host.http_get(&address, port, &self.path, QUESTION).await {
            Ok((200, _)) => reconcile::Readiness::Ready,
            Ok((status, _)) => reconcile::Readiness::NotYet(format!("{} answers {status}", self.path)),
            Err(error) => reconcile::Readiness::NotYet(error.to_string()),
        }
    }
}

/// A worker that its deployment's frontend lists.
struct Listed {
    host: Host,
    listing: Listing,
}

#[async_trait]
impl Probe for Listed {
    async fn probe(&self, container: &ObservedContainer) -> reconcile::Readiness {
        match listed(&self.host, &self.listing, container, Freshness::Now).await {
            Ok(()) => reconcile::Readiness::Ready,
            Err(NotListed::Missing(what) | NotListed::FrontendSilent(what)) => {
                reconcile::Readiness::NotYet(what)
            }
        }
    }
}

/// Why a worker is not listed, as a clause.
pub enum NotListed {
    /// The frontend answers, and something is missing.
    Missing(String),
    /// The frontend does not answer, so nothing is known.
    FrontendSilent(String),
}

/// How old an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    Now,
    /// A second: all workers of a refresh share what the frontend says.
    Lately,
}

/// Asks the frontend.
pub async fn listed(
    host: &Host,
    listing: &Listing,
    worker: &ObservedContainer,
    freshness: Freshness,
) -> Result<(), NotListed> {
    let silent = NotListed::FrontendSilent;
    let name = &listing.frontend;
    let frontend = match freshness {
        Freshness::Now => host.inspect(name).await,
        Freshness::Lately => {
            host.observe(&Filter::Names(vec![name.clone()])).await.map(|seen| seen.into_iter().next())
        }
    };
    let frontend = frontend.map_err(|error| silent(error.to_string()))?;
    let frontend = frontend.ok_or_else(|| silent(format!("there is no frontend {}", listing.frontend)))?;
    let Some((at, port)) = door(&frontend, listing.frontend_port) else {
        return Err(silent(format!("the frontend {} has no address", listing.frontend)));
    };
    let get = async |path: &str| match freshness {
        Freshness::Now => host.http_get(&at, port, path, QUESTION).await,
        Freshness::Lately => host.http_get_lately(&at, port, path, QUESTION).await,
    };
    let page = async |path: &str| match get(path).await {
        Ok((200, body)) => Ok(body),
        Ok((status, _)) => Err(silent(format!("the frontend answers {path} with {status}"))),
        Err(error) => Err(silent(error.to_string())),
    };
    let (instances, models) = (page(&listing.instances_path).await?, page(&listing.models_path).await?);
    let Some(address) = &worker.ip_address else {
        return Err(NotListed::Missing("the worker has no address yet".to_owned()));
    };
    readiness::listed(listing, address, &instances, &models).map_err(NotListed::Missing)
}

/// Where a port of a container is found from its host: published, or on the private network.
fn door(container: &ObservedContainer, port: u16) -> Option<(String, u16)> {
    let published = container.spec.ports.iter().find(|binding| binding.container_port == port);
    match (published, &container.ip_address) {
        (Some(binding), _) => Some((reachable(&binding.host_address).to_owned(), binding.host_port)),
        (None, Some(address)) => Some((address.clone(), port)),
        (None, None) => None,
    }
}

/// The labels of a container of ours; `None` when it is somebody else's.
pub fn ownership(container: &ObservedContainer) -> Option<Ownership> {
    Ownership::from_labels(&container.spec.labels)
}

/// Whether a container is a worker of ours.
pub fn is_worker(container: &ObservedContainer) -> bool {
    container.spec.labels.contains_key(labels::ROLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::PortBinding;

    #[test]
    fn what_shares_nothing_is_replaced_without_a_gap() {
        let worker = ContainerSpec {
            network: Network::Bridge { name: "n".into(), aliases: Vec::new() },
            ..ContainerSpec::default()
        };
        assert_eq!(swap(&worker), Swap::StartFirst);
        let with_gpu = ContainerSpec { gpus: vec!["GPU-1".into()], ..worker.clone() };
        let binding = PortBinding { container_port: 8000, host_address: "127.0.0.1".into(), host_port: 8000 };
        let with_port = ContainerSpec { ports: vec![binding], ..worker.clone() };
        let named = ContainerSpec {
            network: Network::Bridge { name: "n".into(), aliases: vec!["frontend".into()] },
            ..worker
        };
        for spec in [with_gpu, with_port, named] {
            assert_eq!(swap(&spec), Swap::StopFirst);
        }
    }
}
