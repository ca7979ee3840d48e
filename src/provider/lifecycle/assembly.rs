//! From a blueprint to what `reconcile` carries out: each container with the question by which it is seen to work.

use super::probes::{Answers, Exists, Listed};
use crate::container::labels::Ownership;
use crate::container::{ContainerSpec, Network, ObservedContainer, PortBinding, labels};
use crate::dynamo::blueprint::{Blueprint, Planned, Readiness};
use crate::dynamo::openwebui;
use crate::dynamo::terms::ports::overlap;
use crate::dynamo::terms::words::{DesiredState, PullPolicy};
use crate::hosts::Host;
use crate::reconcile::{Assembly, Part, Probe, Rollout};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

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
