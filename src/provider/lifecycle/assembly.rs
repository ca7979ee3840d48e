//! From a blueprint to what `reconcile` carries out: each container with the question by which it is seen to work.

use crate::container::labels::Ownership;
use crate::container::{ContainerSpec, Network, ObservedContainer, PortBinding, labels};
use crate::dynamo::blueprint::{Blueprint, Listing, Planned, Readiness};
use crate::dynamo::terms::ports::overlap;
use crate::dynamo::terms::words::{DesiredState, PullPolicy};
use crate::dynamo::{openwebui, readiness};
use crate::hosts::{Age, Filter, Host};
use crate::provider::deployment::model::reachable;
use crate::reconcile::{Assembly, Part, Probe, ProbeAnswer, Rollout};
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long one question of a probe may take.
const QUESTION: Duration = Duration::from_secs(5);

/// What a resource has on `host`. The frontend of a worker is on `frontend_host`.
///
/// What is to be stopped once it is there is not waited for: with its deployment stopped, nobody would list a worker. `seen`
/// is what is there now. What the blueprint shares with others is not among it ([`crate::provider::allocation::cache_servers`]).
pub(crate) fn assembly(
    blueprint: Blueprint,
    pull: PullPolicy,
    host: &Host,
    frontend_host: &Host,
    state: DesiredState,
    seen: &[ObservedContainer],
) -> Assembly {
    let Blueprint { network, volumes, containers, shared: _ } = blueprint;
    let parts =
        containers.into_iter().map(|planned| part(planned, host, frontend_host, state, seen)).collect();
    Assembly { networks: network.into_iter().collect(), volumes, parts, pull }
}

fn part(
    planned: Planned,
    host: &Host,
    frontend_host: &Host,
    state: DesiredState,
    seen: &[ObservedContainer],
) -> Part {
    let Planned { component, spec, ready } = planned;
    let probe: Arc<dyn Probe> = match ready {
        _ if state == DesiredState::Stopped => Arc::new(Exists),
        Readiness::Http { port, path } => {
            let doubted = AtomicBool::new(spec.network == Network::Host);
            Arc::new(Answers { host: host.clone(), port, path, doubted })
        }
        Readiness::WorkerListed(listing) => Arc::new(Listed { host: frontend_host.clone(), listing }),
    };
    let before = seen.iter().find(|container| container.spec.name == spec.name);
    // Two pages on one database would each undo what the other writes.
    let alone = component == openwebui::COMPONENT;
    let rollout =
        if alone { Rollout::StopFirst } else { rollout(&spec, before.map(|container| &container.spec)) };
    Part { rollout, files: Vec::new(), probe, spec }
}

/// Two containers can run side by side if they share no port and no GPU, and answer to no common name.
fn rollout(spec: &ContainerSpec, before: Option<&ContainerSpec>) -> Rollout {
    let aliased = matches!(&spec.network, Network::Bridge { aliases, .. } if !aliases.is_empty());
    let same = |port: &PortBinding, other: &PortBinding| {
        port.host_port == other.host_port && overlap(&port.host_address, &other.host_address)
    };
    let crowded = match before {
        Some(before) => spec.ports.iter().any(|port| before.ports.iter().any(|other| same(port, other))),
        None => !spec.ports.is_empty(),
    };
    if crowded || aliased || !spec.gpus.is_empty() { Rollout::StopFirst } else { Rollout::StartFirst }
}

/// Nothing to wait for.
struct Exists;

#[async_trait]
impl Probe for Exists {
    async fn probe(&self, _: &ObservedContainer) -> ProbeAnswer {
        ProbeAnswer::Ready
    }
}

/// A container that answers over HTTP.
struct Answers {
    host: Host,
    port: u16,
    path: String,
    /// On the host's network whoever was there first would answer, until our process finds the port taken and ends. So the
    /// first answer counts for nothing, and the next one only if the container still lives.
    doubted: AtomicBool,
}

#[async_trait]
impl Probe for Answers {
    async fn probe(&self, container: &ObservedContainer) -> ProbeAnswer {
        let Some((address, port)) = door(container, self.port) else {
            return ProbeAnswer::NotYet("it has no address yet".to_owned());
        };
        match self.host.http_get(&address, port, &self.path, QUESTION).await {
            Ok((200, _)) if self.doubted.swap(false, Ordering::Relaxed) => {
                ProbeAnswer::NotYet(format!("{} has answered only once", self.path))
            }
            Ok((200, _)) => ProbeAnswer::Ready,
            Ok((status, _)) => ProbeAnswer::NotYet(format!("{} answers {status}", self.path)),
            Err(error) => ProbeAnswer::NotYet(error.to_string()),
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
    async fn probe(&self, container: &ObservedContainer) -> ProbeAnswer {
        match listed(&self.host, &self.listing, container, Age::Now).await {
            Ok(()) => ProbeAnswer::Ready,
            Err(NotListed::Missing(what) | NotListed::FrontendSilent(what)) => ProbeAnswer::NotYet(what),
        }
    }
}

/// Why a worker is not listed, as a clause.
pub(crate) enum NotListed {
    /// The frontend answers, and something is missing.
    Missing(String),
    /// The frontend does not answer, so nothing is known.
    FrontendSilent(String),
}

/// Asks the frontend. All workers of a refresh share what it says.
pub(crate) async fn listed(
    host: &Host,
    listing: &Listing,
    worker: &ObservedContainer,
    age: Age,
) -> Result<(), NotListed> {
    let silent = NotListed::FrontendSilent;
    let name = &listing.frontend;
    let seen = host.observe(&Filter::Names(vec![name.clone()]), age).await;
    let frontend = seen.map_err(|error| silent(error.to_string()))?.into_iter().next();
    let frontend = frontend.ok_or_else(|| silent(format!("there is no frontend {}", listing.frontend)))?;
    let Some((at, port)) = door(&frontend, listing.frontend_port) else {
        return Err(silent(format!("the frontend {} has no address", listing.frontend)));
    };
    let get = async |path: &str| match age {
        Age::Now => host.http_get(&at, port, path, QUESTION).await,
        Age::Walk => host.http_get_lately(&at, port, path, QUESTION).await,
    };
    let page = async |path: &str| match get(path).await {
        Ok((200, body)) => Ok(body),
        Ok((status, _)) => Err(silent(format!("the frontend answers {path} with {status}"))),
        Err(error) => Err(silent(error.to_string())),
    };
    let (instances, models) = (page(&listing.instances_path).await?, page(&listing.models_path).await?);
    readiness::listed(listing, worker.ip_address.as_deref(), &instances, &models).map_err(NotListed::Missing)
}

/// Whether a worker itself says that it takes requests. One that cannot be asked does not say so.
pub(crate) async fn serves(host: &Host, listing: &Listing, worker: &ObservedContainer) -> bool {
    let own = listing.system_port.and_then(|port| match &listing.seat {
        Some(seat) => Some((seat.address.clone(), port)),
        None => door(worker, port),
    });
    let Some((address, port)) = own else { return false };
    let page = host.http_get(&address, port, readiness::OWN_PAGE, QUESTION).await;
    page.is_ok_and(|(_, body)| readiness::serves(listing, &body))
}

/// Where a port of a container is found from its host: published, or on the private network. On the host's own network
/// a container that has one port has no other.
fn door(container: &ObservedContainer, port: u16) -> Option<(String, u16)> {
    let published = match (&container.spec.network, container.spec.ports.as_slice()) {
        (Network::Host, [only]) => Some(only),
        (_, ports) => ports.iter().find(|binding| binding.container_port == port),
    };
    match (published, &container.ip_address) {
        (Some(binding), _) => Some((reachable(&binding.host_address).to_owned(), binding.host_port)),
        (None, Some(address)) => Some((address.clone(), port)),
        (None, None) => None,
    }
}

/// The labels of a container of ours; `None` when it is somebody else's.
pub(crate) fn ownership(container: &ObservedContainer) -> Option<Ownership> {
    Ownership::from_labels(&container.spec.labels)
}

/// Whether a container is a worker of ours.
pub(crate) fn is_worker(container: &ObservedContainer) -> bool {
    container.spec.labels.contains_key(labels::ROLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shares_nothing_is_replaced_without_a_gap() {
        let worker = ContainerSpec {
            network: Network::Bridge { name: "n".into(), aliases: Vec::new() },
            ..ContainerSpec::default()
        };
        assert_eq!(rollout(&worker, Some(&worker)), Rollout::StartFirst);
        let with_gpu = ContainerSpec { gpus: vec!["GPU-1".into()], ..worker.clone() };
        let binding = PortBinding { container_port: 8000, host_address: "127.0.0.1".into(), host_port: 8000 };
        let with_port = ContainerSpec { ports: vec![binding], ..worker.clone() };
        let named = ContainerSpec {
            network: Network::Bridge { name: "n".into(), aliases: vec!["frontend".into()] },
            ..worker
        };
        for spec in [with_gpu, with_port, named] {
            assert_eq!(rollout(&spec, Some(&spec)), Rollout::StopFirst);
        }
    }

    #[test]
    fn on_the_hosts_network_it_takes_other_ports() {
        let at = |port, address: &str| ContainerSpec {
            ports: vec![PortBinding { container_port: port, host_address: address.into(), host_port: port }],
            ..ContainerSpec::default()
        };
        let old = at(9090, "10.0.0.11");
        assert_eq!(rollout(&at(9091, "10.0.0.11"), Some(&old)), Rollout::StartFirst);
        assert_eq!(rollout(&at(9090, "10.0.0.12"), Some(&old)), Rollout::StartFirst);
        for crowded in [at(9090, "10.0.0.11"), at(9090, "0.0.0.0")] {
            assert_eq!(rollout(&crowded, Some(&old)), Rollout::StopFirst);
        }
    }
}
