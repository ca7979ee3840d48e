//! A comparison of what a resource has on its host with what it should have.

use crate::container::ObservedContainer;
use crate::container::labels::Ownership;
use crate::dynamo::blueprint::Blueprint;
use crate::dynamo::terms::names;
use crate::hosts::{Host, HostError};
use crate::inventory::{PortHolder, PortInUse};
use crate::provider::attributes::host_errors;
use crate::reconcile::{ChangeKind, ContainerDifference, WantedContainer, differences};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::value::Path;

/// The wanted containers, each with what was found of it.
pub(crate) struct Comparison(Vec<Option<(Vec<ContainerDifference>, ObservedContainer)>>);

impl Comparison {
    /// Compares `blueprint` with `seen`. An image is looked up once in a refresh.
    pub(crate) async fn of(
        host: &Host,
        blueprint: &Blueprint,
        seen: &[ObservedContainer],
    ) -> Result<Self, HostError> {
        let mut found = Vec::new();
        for planned in &blueprint.containers {
            let spec = &planned.spec;
            let Some(observed) = seen.iter().find(|container| container.spec.name == spec.name) else {
                found.push(None);
                continue;
            };
            let image = host.image_lately(&spec.image).await?;
            let wanted = WantedContainer { spec, image: image.as_ref(), follow_image: false };
            found.push(Some((differences(&wanted, observed), observed.clone())));
        }
        Ok(Self(found))
    }

    /// Everything is there and as it should be, running or not.
    pub(crate) fn is_in_order(&self) -> bool {
        self.0.iter().all(|found| found.as_ref().is_some_and(|(differences, _)| differences.is_empty()))
    }

    /// The containers in the blueprint's order; `None` where one is missing.
    pub(crate) fn containers(&self) -> Vec<Option<&ObservedContainer>> {
        self.0.iter().map(|found| found.as_ref().map(|(_, observed)| observed)).collect()
    }

    /// Something is missing, or differs in a way that only a new container cures.
    pub(crate) fn takes_new_containers(&self) -> bool {
        self.0.iter().any(|found| match found {
            Some((differences, _)) => differences.iter().any(|it| it.change == ChangeKind::Replace),
            None => true,
        })
    }

    /// The containers that are there.
    pub(crate) fn observed(&self) -> Vec<ObservedContainer> {
        self.containers().into_iter().flatten().cloned().collect()
    }

    pub(crate) fn differing(&self) -> impl Iterator<Item = (&[ContainerDifference], &ObservedContainer)> {
        self.0
            .iter()
            .flatten()
            .filter(|(found, _)| !found.is_empty())
            .map(|(found, seen)| (found.as_slice(), seen))
    }
}

/// Names of containers that a run which was killed left half-started: workers under a name that is in no state, or the
/// successor of a container that was being replaced. What `run` is bringing up is no leftover.
pub(crate) fn leftovers(seen: &[ObservedContainer], run: &str) -> Vec<String> {
    let unfinished = seen.iter().filter(|container| names::final_name(&container.spec.name).is_some());
    let abandoned = unfinished.filter(|container| {
        Ownership::from_labels(&container.spec.labels).is_some_and(|ownership| ownership.run != run)
    });
    abandoned.map(|container| container.spec.name.clone()).collect()
}

/// Whether a port is held by that container, finished or still being brought up.
pub(crate) fn is_held_by(port: &PortInUse, container: &str) -> bool {
    match &port.holder {
        PortHolder::Container { name, .. } => name == container || *name == names::starting(container),
        PortHolder::Process { .. } => false,
    }
}

/// An error if somebody else has a container of that name. One of ours is no error here: Terraform plans the successor of
/// a tainted object as if there were nothing, and the predecessor is gone before the successor is made.
pub(crate) async fn name_taken(host: &Host, container: &str) -> Result<Option<Diagnostic>, Diagnostics> {
    let seen = host.inspect(container).await;
    let seen = seen.map_err(|error| host_errors::diagnostic("Unable to check the plan", &error, None))?;
    let foreign = seen.filter(|seen| Ownership::from_labels(&seen.spec.labels).is_none());
    Ok(foreign.map(|seen| {
        let detail = format!(
            "Host {:?} has a container {container} already ({}), which was not made by this provider. Remove it, or choose \
             another name.",
            host.name(),
            seen.state.word()
        );
        Diagnostic::error("The name is taken", detail).at(Path::of("name"))
    }))
}
