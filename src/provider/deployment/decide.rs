//! What a deployment comes to: its spec, its containers, and the words for what went wrong with them.

use super::model::{HostConfigView, draft, expected_status, model_source};
use super::schema::DeploymentModel;
use crate::dynamo::blueprint::Blueprint;
use crate::dynamo::decide;
use crate::dynamo::spec::{DeploymentSpec, HostFacts, Owner};
use crate::dynamo::terms::words::DesiredState;
use crate::hosts::HostError;
use crate::provider::attributes::{host_errors, paths};
use crate::provider::lifecycle::resource;
use crate::provider::lifecycle::resource::ContainerResource;
use crate::provider::machine::Machine;
use crate::provider::session::Client;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};

/// What the configuration says of a host.
pub(super) fn says(entry: &Machine) -> HostConfigView<'_> {
    HostConfigView { model_cache: entry.model_cache(), advertise_address: entry.advertise_address() }
}

pub(super) fn wanted_state(model: &DeploymentModel) -> DesiredState {
    expected_status(model).known().and_then(|word| DesiredState::parse(word)).unwrap_or(DesiredState::Running)
}

pub(super) fn spec(model: &DeploymentModel) -> Result<DeploymentSpec, Diagnostics> {
    draft(model)?.complete().map_err(paths::diagnostics)
}

/// Decides where the model comes from, where that is still open.
pub(super) async fn find_model(entry: &Machine, model: &mut DeploymentModel) {
    let mut decided = model_source(model);
    decided.decide(entry).await;
    (model.model_source, model.model_path) = (decided.source, decided.path);
}

pub(super) fn blueprint(
    client: &Client,
    model: &DeploymentModel,
    facts: &HostFacts,
) -> Result<Blueprint, Diagnostics> {
    let owner = Owner { run: client.run.clone(), spec_json: resource::label(model)? };
    let facts = model_source(model).known_to(facts);
    decide::deployment(&spec(model)?, &facts, &owner).map_err(paths::diagnostics)
}

pub(super) fn diagnostic_of(summary: &str, error: &HostError, model: &DeploymentModel) -> Diagnostic {
    host_errors::diagnostic(summary, error, model.model_folder())
}
