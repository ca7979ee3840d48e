//! Pages beside deployments: an Open WebUI often has its deployment's name, and is none of its containers.

use crate::container::ObservedContainer;
use crate::container::labels::COMPONENT;
use crate::dynamo::openwebui;
use crate::hosts::{Age, Filter, Host, HostError};
use crate::tf_provider::value::Value;

/// Whether a container is an Open WebUI of ours.
pub(crate) fn is_page(container: &ObservedContainer) -> bool {
    container.spec.labels.get(COMPONENT).is_some_and(|component| component == openwebui::COMPONENT)
}

/// The name in an object's identity.
pub(crate) fn name_of(identity: Option<&Value>) -> Option<&str> {
    identity.and_then(|identity| identity.get("name").as_str())
}

/// The containers of a deployment, and no page of that name.
pub(crate) async fn of_deployment(
    host: &Host,
    name: &str,
    age: Age,
) -> Result<Vec<ObservedContainer>, HostError> {
    let seen = host.observe(&Filter::Deployment(name.to_owned()), age).await?;
    Ok(seen.into_iter().filter(|container| !is_page(container)).collect())
}

/// Whether a page, by whatever name, is attached to a network.
pub(crate) async fn joined_to(host: &Host, network: &str) -> Result<bool, HostError> {
    let seen = host.observe(&Filter::Ours, Age::Now).await?;
    Ok(seen.iter().any(|it| is_page(it) && it.networks.iter().any(|joined| joined == network)))
}
