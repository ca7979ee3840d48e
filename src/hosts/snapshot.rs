//! Looking at a whole host: its containers, its capacity, its ports.
//!
//! A snapshot lists once, inspects each container once, many at a time, and is shared by the whole walk of a refresh or a
//! plan: on a host that is far away, what counts is how many questions wait for each other, and that number must not grow
//! with the number of containers. An apply asks anew each time, and then only for the containers that it is about: each
//! of its changes makes every snapshot stale, so that a hundred workers would be a hundred snapshots of a hundred.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use bollard::models::{ContainerSummary, ContainerSummaryStateEnum, SystemInfo};
use bollard::query_parameters::ListContainersOptions;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::listening_sockets::ListeningSocket;
use super::{Host, HostError, WALK};
use crate::container::labels::Ownership;
use crate::container::{ObservedContainer, labels};
use crate::inventory::{HostInventory, PortHolder, PortInUse};

/// Inspections in flight at once. Each is two round trips (a channel of the connection, and the question), so a hundred
/// containers take eight; the Engine answers one in a millisecond or two.
const AT_ONCE: usize = 32;

/// How old an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// From after the question: for who is about to change something, or waits for something.
    Now,
    /// From the same walk, so half a minute at most: for who refreshes and plans.
    Walk,
}

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
    /// The labels by which the Engine itself picks, so that others are not even listed.
    fn labels(&self) -> Vec<String> {
        let ours = format!("{}={}", labels::MANAGER, labels::MANAGER_VALUE);
        match self {
            Self::Everything => Vec::new(),
            Self::Ours | Self::Names(_) => vec![ours],
            Self::Deployment(name) => vec![ours, format!("{}={name}", labels::DEPLOYMENT)],
        }
    }

    fn takes(&self, container: &ObservedContainer) -> bool {
        let labels = &container.spec.labels;
        let ours = || labels.get(labels::MANAGER).is_some_and(|manager| manager == labels::MANAGER_VALUE);
        match self {
            Self::Everything => true,
            Self::Ours => ours(),
            Self::Deployment(deployment) => ours() && labels.get(labels::DEPLOYMENT) == Some(deployment),
            Self::Names(names) => ours() && names.contains(&container.spec.name),
        }
    }
}

impl Host {
    /// The containers that `filter` takes, running or not, by name; never from before a change that was made through this
    /// host.
    pub async fn observe(&self, filter: &Filter, age: Age) -> Result<Vec<ObservedContainer>, HostError> {
        if age == Age::Now {
            return self.take_snapshot(filter).await;
        }
        let (flight, all) = match filter {
            Filter::Everything => (&self.0.everything, Filter::Everything),
            _ => (&self.0.ours, Filter::Ours),
        };
        let take = || async { self.take_snapshot(&all).await.map(Arc::new) };
        let snapshot = flight.share(WALK, self.generation(), take).await?;
        Ok(snapshot.iter().filter(|container| filter.takes(container)).cloned().collect())
    }

    async fn take_snapshot(&self, filter: &Filter) -> Result<Vec<ObservedContainer>, HostError> {
        let ids = match filter {
            Filter::Names(names) => names.clone(),
            _ => self.list(filter).await?.into_iter().filter_map(|summary| summary.id).collect(),
        };
        let mut containers = self.inspect_all(ids).await?;
        containers.retain(|container| filter.takes(container));
        Ok(containers)
    }

    /// Those that are there, by name.
    async fn inspect_all(&self, ids: Vec<String>) -> Result<Vec<ObservedContainer>, HostError> {
        let looks = ids.into_iter().map(|id| async move { self.inspect(&id).await });
        let seen: Vec<Option<ObservedContainer>> =
            stream::iter(looks).buffer_unordered(AT_ONCE).try_collect().await?;
        let mut containers: Vec<ObservedContainer> = seen.into_iter().flatten().collect();
        containers.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
        Ok(containers)
    }

    async fn list(&self, filter: &Filter) -> Result<Vec<ContainerSummary>, HostError> {
        let labels = filter.labels();
        let filters = (!labels.is_empty()).then(|| HashMap::from([("label".to_owned(), labels)]));
        let options = ListContainersOptions { all: true, filters, ..Default::default() };
        self.ask("list", "containers", |docker| {
            let options = options.clone();
            async move { docker.list_containers(Some(options)).await }
        })
        .await
    }

    /// Capacity of the host and the ports that are taken, shared by a walk.
    pub async fn inventory(&self) -> Result<HostInventory, HostError> {
        self.0.inventory.share(WALK, self.generation(), || self.take_inventory()).await
    }

    async fn take_inventory(&self) -> Result<HostInventory, HostError> {
        let info = self.info().await?;
        let listed = self.list(&Filter::Everything).await?;
        let silent = listed.iter().filter(|summary| keeps_ports_to_itself(summary));
        let silent = self.inspect_all(silent.filter_map(|summary| summary.id.clone()).collect()).await?;
        let sockets = self.0.reach.listening(info.name.as_deref().unwrap_or_default()).await;
        Ok(HostInventory {
            host: self.name().to_owned(),
            cpus: info.ncpu.and_then(|cpus| u32::try_from(cpus).ok()).unwrap_or_default(),
            memory_bytes: info.mem_total.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default(),
            ports: ports_in_use(&listed, &silent, &sockets.unwrap_or_default()),
        })
    }

    /// What the Engine says of itself and its machine, shared by a walk. No change of ours changes it.
    pub(super) async fn info(&self) -> Result<Arc<SystemInfo>, HostError> {
        let ask = || async {
            let info =
                self.ask("ask about", "the Engine", |docker| async move { docker.info().await }).await?;
            Ok(Arc::new(info))
        };
        self.0.info.share(WALK, 0, ask).await
    }

    /// Names of the OCI runtimes and of the log drivers that the Engine has.
    pub async fn offers(&self) -> Result<(Vec<String>, Vec<String>), HostError> {
        let info = self.info().await?;
        let runtimes = info.runtimes.iter().flatten().map(|(name, _)| name.clone()).collect();
        let drivers = info.plugins.as_ref().and_then(|plugins| plugins.log.clone());
        Ok((runtimes, drivers.unwrap_or_default()))
    }

    /// Whether a path exists on the host; `None` where that cannot be seen from here.
    pub async fn path_exists(&self, path: &str) -> Result<Option<bool>, HostError> {
        let info = self.info().await?;
        Ok(self.0.reach.path_exists(Path::new(path), info.name.as_deref().unwrap_or_default()).await)
    }
}

/// Whether a container is one of ours whose ports the list does not have.
fn keeps_ports_to_itself(summary: &ContainerSummary) -> bool {
    let running = summary.state == Some(ContainerSummaryStateEnum::RUNNING);
    let network = summary.host_config.as_ref().and_then(|config| config.network_mode.as_deref());
    summary_is_ours(summary) && (!running || network == Some("host"))
}

/// Ports published by running containers, ports of ours that the Engine does not list (those of stopped containers, which
/// will want them back, and those at which containers of the host's own network listen), and sockets that
/// neither explains.
fn ports_in_use(
    listed: &[ContainerSummary],
    silent: &[ObservedContainer],
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

fn summary_is_ours(summary: &ContainerSummary) -> bool {
    let labels = summary.labels.clone().unwrap_or_default().into_iter().collect();
    Ownership::from_labels(&labels).is_some()
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
