//! The containers of a resource as its attribute `containers` shows them.

use crate::container::{ContainerSpec, ObservedContainer};
use crate::model;
use crate::tf_provider::attr::{Attr, Nested};
use crate::tf_provider::schema::computed;
use std::collections::BTreeMap;

model! {
    /// A container as it was last seen.
    pub struct ContainerModel {
        name: Attr<String> = computed("Name in Docker."),
        id: Attr<String> = computed("Id in Docker."),
        state: Attr<String> = computed("`running`, `exited`, …"),
        health: Attr<String> = computed("Result of the image's health check; null without one."),
        image: Attr<String> = computed("Image reference it was made from."),
        restart_count: Attr<i64> = computed("How often Docker restarted it."),
    }
}

/// The containers of a resource, by component.
pub(crate) type ByComponent = BTreeMap<String, Attr<Nested<ContainerModel>>>;

/// A container as it was seen.
pub(crate) fn seen(container: &ObservedContainer) -> Attr<Nested<ContainerModel>> {
    let ContainerSpec { name, image, .. } = &container.spec;
    Attr::Known(Nested(ContainerModel {
        name: name.as_str().into(),
        id: container.id.as_str().into(),
        state: container.state.word().into(),
        health: container.health.clone().into(),
        image: image.as_str().into(),
        restart_count: Attr::Known(i64::from(container.restart_count)),
    }))
}
