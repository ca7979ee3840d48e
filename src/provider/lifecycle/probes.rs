//! How each kind of container is seen to work.

use crate::container::{Network, ObservedContainer};
use crate::dynamo::blueprint::Listing;
use crate::dynamo::readiness;
use crate::dynamo::terms::ports::reachable;
use crate::hosts::{Age, Filter, Host};
use crate::reconcile::{Probe, ProbeAnswer};
use async_trait::async_trait;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long one question of a probe may take.
const QUESTION: Duration = Duration::from_secs(5);

/// Nothing to wait for.
pub(crate) struct Exists;

#[async_trait]
impl Probe for Exists {
    async fn probe(&self, _: &ObservedContainer) -> ProbeAnswer {
        ProbeAnswer::Ready
    }
}

/// A container that answers over HTTP.
pub(crate) struct Answers {
    pub host: Host,
    pub port: u16,
    pub path: String,
    /// On the host's network whoever was there first would answer, until our process finds the port taken and ends. So the
    /// first answer counts for nothing, and the next one only if the container still lives.
    pub doubted: AtomicBool,
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
pub(crate) struct Listed {
    pub host: Host,
    pub listing: Listing,
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
