//! Looking at a whole host: its containers, its capacity, its ports.
//!
//! A snapshot lists once, inspects each container once, a few at a time, and is shared by all who ask within a moment.
//! Any change of ours ends that moment.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use bollard::models::{ContainerSummary, SystemInfo};
use bollard::query_parameters::ListContainersOptions;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::sockets::ListeningSocket;
use super::{Host, HostError, MOMENT};
use crate::container::labels::{self, Ownership};
use crate::container::{Network, ObservedContainer, RunState};
use crate::inventory::{HostInventory, PortHolder, PortInUse};

/// Inspections in flight at once.
const AT_ONCE: usize = 8;

/// Which containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All on the host, also those that are not ours; for who holds which GPU or port.
    Everything,
    /// All that this provider made.
    Ours,
    /// Ours, of one deployment.
    Deployment(String),
    /// Ours, by these names.
    Names(Vec<String>),
}

impl Filter {
    fn takes(&self, container: &ObservedContainer) -> bool {
        match self {
            Self::Everything | Self::Ours => true,
            Self::Deployment(deployment) => container.spec.labels.get(labels::DEPLOYMENT) == Some(deployment),
            Self::Names(names) => names.contains(&container.spec.name),
        }
    }
}

impl Host {
    /// The containers that `filter` takes, running or not, by name. At most a second old, and never from before a
    /// change that was made through this host.
    pub async fn observe(&self, filter: &Filter) -> Result<Vec<ObservedContainer>, HostError> {
        let (flight, only_ours) = match filter {
            Filter::Everything => (&self.0.everything, false),
            _ => (&self.0.ours, true),
        };
        let snapshot = flight.share(MOMENT, self.generation(), || self.take_snapshot(only_ours)).await?;
        Ok(snapshot.iter().filter(|container| filter.takes(container)).cloned().collect())
    }

    async fn take_snapshot(&self, only_ours: bool) -> Result<Arc<Vec<ObservedContainer>>, HostError> {
        let ids = self.list(only_ours).await?.into_iter().filter_map(|summary| summary.id);
        let looks = ids.map(|id| async move { self.inspect(&id).await });
        let seen: Vec<Option<ObservedContainer>> =
            stream::iter(looks).buffer_unordered(AT_ONCE).try_collect().await?;
        let mut containers: Vec<ObservedContainer> = seen.into_iter().flatten().collect();
        containers.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
        Ok(Arc::new(containers))
    }

    async fn list(&self, only_ours: bool) -> Result<Vec<ContainerSummary>, HostError> {
        let label = format!("{}={}", labels::MANAGER, labels::MANAGER_VALUE);
        let filters = only_ours.then(|| HashMap::from([("label".to_owned(), vec![label])]));
        let options = ListContainersOptions { all: true, filters, ..Default::default() };
        self.ask("list", "containers", |docker| {
            let options = options.clone();
            async move { docker.list_containers(Some(options)).await }
        })
        .await
    }

    /// Capacity of the host and the ports that are taken, at most a second old.
    pub async fn inventory(&self) -> Result<HostInventory, HostError> {
        self.0.inventory.share(MOMENT, self.generation(), || self.take_inventory()).await
    }

    async fn take_inventory(&self) -> Result<HostInventory, HostError> {
        let info = self.info().await?;
        let listed = self.list(false).await?;
        let ours = self.observe(&Filter::Ours).await?;
        let sockets = self.0.reach.listening(info.name.as_deref().unwrap_or_default()).await;
        Ok(HostInventory {
            host: self.name().to_owned(),
            cpus: info.ncpu.and_then(|cpus| u32::try_from(cpus).ok()).unwrap_or_default(),
            memory_bytes: info.mem_total.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default(),
            ports: ports_in_use(&listed, &ours, &sockets.unwrap_or_default()),
        })
    }

    pub(super) async fn info(&self) -> Result<SystemInfo, HostError> {
        self.ask("ask about", "the Engine", |docker| async move { docker.info().await }).await
    }

    /// Names of the OCI runtimes and of the log drivers that the Engine has.
    pub async fn offers(&self) -> Result<(Vec<String>, Vec<String>), HostError> {
        let info = self.info().await?;
        let runtimes = info.runtimes.unwrap_or_default().into_keys().collect();
        Ok((runtimes, info.plugins.and_then(|plugins| plugins.log).unwrap_or_default()))
    }

    /// Whether a path exists on the host; `None` where that cannot be seen from here.
    pub async fn path_exists(&self, path: &str) -> Result<Option<bool>, HostError> {
        let info = self.info().await?;
        Ok(self.0.reach.path_exists(Path::new(path), info.name.as_deref().unwrap_or_default()).await)
    }
}

/// Ports published by running containers, ports of ours that the Engine does not list (those of stopped containers, which
/// will want them back, and those at which containers of the host's own network listen), and sockets that
/// neither explains.
fn ports_in_use(
    listed: &[ContainerSummary],
    ours: &[ObservedContainer],
    sockets: &[ListeningSocket],
) -> Vec<PortInUse> {
    let mut taken: BTreeMap<(u16, String), PortHolder> = BTreeMap::new();
    for summary in listed {
        let holder = PortHolder::Container { name: summary_name(summary), ours: summary_is_ours(summary) };
        for port in summary.ports.iter().flatten() {
            if let (Some(public), Some(address)) = (port.public_port, &port.ip) {
                taken.insert((public, address.clone()), holder.clone());
            }
        }
    }
    let unlisted = |container: &&ObservedContainer| {
        container.state != RunState::Running || container.spec.network == Network::Host
    };
    for container in ours.iter().filter(unlisted) {
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

fn summary_is_ours(summary: &ContainerSummary) -> bool {
    let labels = summary.labels.clone().unwrap_or_default().into_iter().collect();
    Ownership::from_labels(&labels).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::{ContainerSpec, PortBinding};
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
        let stopped = ObservedContainer {
            id: "1".into(),
            spec: ContainerSpec {
                name: "chat-frontend".into(),
                ports: vec![PortBinding {
                    container_port: 8000,
                    host_address: "127.0.0.1".into(),
                    host_port: 8001,
                }],
                ..Default::default()
            },
            image_id: String::new(),
            state: RunState::Exited { exit_code: 0, oom_killed: false },
            health: None,
            restart_count: 0,
            started_at: String::new(),
            ip_address: None,
            networks: vec![],
        };
        let sockets = [
            socket("0.0.0.0", 8000, "docker-proxy"),
            socket("::", 8000, "docker-proxy"),
            socket("127.0.0.1", 22, "sshd"),
        ];
        let taken = ports_in_use(&[foreign], &[stopped], &sockets);
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
