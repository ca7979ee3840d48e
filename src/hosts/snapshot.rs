//! Looking at all containers of a host.
//!
//! A snapshot lists once, inspects each container once, many at a time, and is shared by the whole walk of a refresh or a
//! plan: on a host that is far away, what counts is how many questions wait for each other, and that number must not grow
//! with the number of containers. An apply asks anew each time, and then only for the containers that it is about: each
//! of its changes makes every snapshot stale, so that a hundred workers would be a hundred snapshots of a hundred.

use std::collections::HashMap;
use std::sync::Arc;

use bollard::models::ContainerSummary;
use bollard::query_parameters::ListContainersOptions;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::host::{Host, WALK};
use crate::container::{ObservedContainer, labels};
use crate::hosts::error::HostError;

/// Inspections in flight at once. Each is two round trips (a channel of the connection, and the question), so a hundred
/// containers take eight; the Engine answers one in a millisecond or two.
const AT_ONCE: usize = 32;

/// The age that an answer may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// From after the question: for who is about to change something, or waits for something.
    Now,
    /// From the same walk, so half a minute at most: for who refreshes and plans.
    Walk,
}

/// A choice among the containers of a host.
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
        let (shared, all) = match filter {
            Filter::Everything => (&self.0.all_containers, Filter::Everything),
            _ => (&self.0.own_containers, Filter::Ours),
        };
        let take = || async { self.take_snapshot(&all).await.map(Arc::new) };
        let snapshot = shared.share(WALK, self.generation(), take).await?;
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
    pub(super) async fn inspect_all(&self, ids: Vec<String>) -> Result<Vec<ObservedContainer>, HostError> {
        let looks = ids.into_iter().map(|id| async move { self.inspect(&id).await });
        let seen: Vec<Option<ObservedContainer>> =
            stream::iter(looks).buffer_unordered(AT_ONCE).try_collect().await?;
        let mut containers: Vec<ObservedContainer> = seen.into_iter().flatten().collect();
        containers.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
        Ok(containers)
    }

    /// The Engine's list of the containers that `filter` takes, as far as labels tell.
    pub(super) async fn list(&self, filter: &Filter) -> Result<Vec<ContainerSummary>, HostError> {
        let labels = filter.labels();
        let filters = (!labels.is_empty()).then(|| HashMap::from([("label".to_owned(), labels)]));
        let options = ListContainersOptions { all: true, filters, ..Default::default() };
        self.ask("list", "containers", |docker| {
            let options = options.clone();
            async move { docker.list_containers(Some(options)).await }
        })
        .await
    }
}
