//! The capacity of a host, and which of its TCP ports are taken by whom.

use std::collections::{BTreeMap, BTreeSet};

use bollard::models::{ContainerSummary, ContainerSummaryStateEnum};

use super::host::{Host, WALK};
use super::snapshot::Filter;
use crate::container::ObservedContainer;
use crate::container::labels::{Ownership, without_inherited};
use crate::hosts::error::HostError;
use crate::hosts::transport::listening_sockets::ListeningSocket;
use crate::inventory::{HostInventory, PortHolder, PortInUse};

impl Host {
    /// Capacity of the host and the ports that are taken, shared by a walk.
    pub async fn inventory(&self) -> Result<HostInventory, HostError> {
        self.0.inventory.share(WALK, self.generation(), || self.take_inventory()).await
    }

    async fn take_inventory(&self) -> Result<HostInventory, HostError> {
        let info = self.info().await?;
        let listed = self.list(&Filter::Everything).await?;
        let ours = self.ours_among(&listed).await?;
        let silent =
            listed.iter().filter(|summary| is_among(&ours, summary) && keeps_ports_to_itself(summary));
        let silent = self.inspect_all(silent.filter_map(|summary| summary.id.clone()).collect()).await?;
        let sockets = self.0.transport.listening(info.name.as_deref().unwrap_or_default()).await;
        Ok(HostInventory {
            host: self.name().to_owned(),
            cpus: info.ncpu.and_then(|cpus| u32::try_from(cpus).ok()).unwrap_or_default(),
            memory_bytes: info.mem_total.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default(),
            ports: ports_in_use(&listed, &ours, &silent, &sockets.unwrap_or_default()),
        })
    }

    /// Ids of those that are ours; their labels in the list are also those of their images.
    async fn ours_among(&self, listed: &[ContainerSummary]) -> Result<BTreeSet<String>, HostError> {
        let mut ours = BTreeSet::new();
        for summary in listed {
            let labels: BTreeMap<String, String> =
                summary.labels.clone().unwrap_or_default().into_iter().collect();
            if Ownership::from_labels(&labels).is_none() {
                continue;
            }
            let image = self.image_facts_of(summary.image_id.as_deref().unwrap_or_default()).await?;
            let labels = match &image {
                Some(image) => without_inherited(labels, &image.labels),
                None => labels,
            };
            ours.extend(summary.id.clone().filter(|_| Ownership::from_labels(&labels).is_some()));
        }
        Ok(ours)
    }
}

fn is_among(ours: &BTreeSet<String>, summary: &ContainerSummary) -> bool {
    summary.id.as_ref().is_some_and(|id| ours.contains(id))
}

/// Whether the list does not have the ports of a container of ours.
fn keeps_ports_to_itself(summary: &ContainerSummary) -> bool {
    let running = summary.state == Some(ContainerSummaryStateEnum::RUNNING);
    let network = summary.host_config.as_ref().and_then(|config| config.network_mode.as_deref());
    !running || network == Some("host")
}

/// Ports published by running containers, ports of ours that the Engine does not list (those of stopped containers, which
/// will want them back, and those at which containers of the host's own network listen), and sockets that
/// neither explains.
fn ports_in_use(
    listed: &[ContainerSummary],
    ours: &BTreeSet<String>,
    silent: &[ObservedContainer],
    sockets: &[ListeningSocket],
) -> Vec<PortInUse> {
    let mut taken: BTreeMap<(u16, String), PortHolder> = BTreeMap::new();
    for summary in listed {
        let holder = PortHolder::Container { name: summary_name(summary), ours: is_among(ours, summary) };
        for port in summary.ports.iter().flatten() {
            if let (Some(public), Some(address)) = (port.public_port, &port.ip) {
                taken.insert((public, address.clone()), holder.clone());
            }
        }
    }
    for container in silent {
        let holder = PortHolder::Container { name: container.spec.name.clone(), ours: true };
        for port in &container.spec.ports {
            taken.entry((port.host_port, port.host_address.clone())).or_insert_with(|| holder.clone());
        }
    }
    for socket in sockets {
        let address = socket.address.to_string();
        let explained =
            taken.keys().any(|(port, by)| *port == socket.port && (*by == address || is_wildcard(by)));
        if !explained {
            taken.insert((socket.port, address), PortHolder::Process { name: socket.process.clone() });
        }
    }
    taken.into_iter().map(|((port, address), holder)| PortInUse { address, port, holder }).collect()
}

fn is_wildcard(address: &str) -> bool {
    matches!(address, "0.0.0.0" | "::")
}

fn summary_name(summary: &ContainerSummary) -> String {
    let first = summary.names.iter().flatten().next();
    first.map(|name| name.trim_start_matches('/').to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::{ContainerSpec, PortBinding, RunState};
    use bollard::models::PortSummary;

    fn socket(address: &str, port: u16, process: &str) -> ListeningSocket {
        ListeningSocket { address: address.parse().unwrap(), port, process: Some(process.into()) }
    }

    #[test]
    fn every_taken_port_has_one_holder_and_the_one_that_users_know() {
        let port = |ip: &str| PortSummary {
            ip: Some(ip.into()),
            private_port: 80,
            public_port: Some(8000),
            ..Default::default()
        };
        let foreign = ContainerSummary {
            names: Some(vec!["/web".into()]),
            ports: Some(vec![port("0.0.0.0"), port("::")]),
            ..Default::default()
        };
        let spec = ContainerSpec {
            name: "chat-frontend".into(),
            ports: vec![PortBinding {
                container_port: 8000,
                host_address: "127.0.0.1".into(),
                host_port: 8001,
            }],
            ..Default::default()
        };
        let exited = RunState::Exited { exit_code: 0, oom_killed: false };
        let stopped = ObservedContainer::in_state(spec, exited);
        let sockets = [
            socket("0.0.0.0", 8000, "docker-proxy"),
            socket("::", 8000, "docker-proxy"),
            socket("127.0.0.1", 22, "sshd"),
        ];
        let taken = ports_in_use(&[foreign], &BTreeSet::new(), &[stopped], &sockets);
        let said: Vec<String> =
            taken.iter().map(|port| format!("{}:{} {:?}", port.address, port.port, port.holder)).collect();
        assert_eq!(
            said,
            [
                r#"127.0.0.1:22 Process { name: Some("sshd") }"#,
                r#"0.0.0.0:8000 Container { name: "web", ours: false }"#,
                r#":::8000 Container { name: "web", ours: false }"#,
                r#"127.0.0.1:8001 Container { name: "chat-frontend", ours: true }"#,
            ]
        );
    }
}
