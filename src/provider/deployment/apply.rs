//! Making a deployment: ports are picked, its containers are brought up, and what came of it becomes state.

use super::decide::{blueprint, diagnostic_of, find_model, not_done, says, spec, wanted_state};
use super::model::{derive, topology_of};
use super::read::show_containers;
use super::schema::DeploymentModel;
use crate::dynamo::terms::names::FRONTEND;
use crate::dynamo::terms::objection::Field;
use crate::dynamo::terms::words::DesiredState;
use crate::dynamo::terms::{names, ports};
use crate::hosts::Age;
use crate::inventory::{PortHolder, PortInUse};
use crate::provider::allocation;
use crate::provider::attributes::paths;
use crate::provider::lifecycle::{assembly, deployment_containers};
use crate::provider::machine::{Machine, facts};
use crate::provider::session::Client;
use crate::reconcile;
use crate::reconcile::{Deadline, Failure};
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::provider::{Call, Failed, shown};

pub(super) enum Trouble {
    /// A port that was picked was taken by somebody else meanwhile.
    PortTaken(Box<Failed<DeploymentModel>>),
    Other(Box<Failed<DeploymentModel>>),
}

impl From<Diagnostics> for Trouble {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Other(Box::new(diagnostics.into()))
    }
}

impl From<Diagnostic> for Trouble {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics::from(diagnostic).into()
    }
}

pub(super) async fn create_once(
    call: &Call<Client>,
    entry: &Machine,
    config: &DeploymentModel,
    mut wanted: DeploymentModel,
    budget: &Deadline,
) -> Result<DeploymentModel, Trouble> {
    let summary = format!("Unable to create deployment {:?}", shown(&wanted.name));
    let (facts, mut taken) = facts::facts(entry, &summary).await?;
    let promise = match wanted.port.known() {
        Some(_) => None,
        None => {
            let (host, address) = (entry.host.name(), shown(&wanted.bind_address));
            let promise = call.client.ports.take(host, ports::FRONTEND_FROM, address, &taken, &[0]);
            let promise = promise.map_err(|refusal| paths::diagnostics(vec![refusal.at(Field::Port)]))?;
            wanted.port = Attr::Known(i64::from(promise.port()));
            Some(promise)
        }
    };
    taken.extend(own_port(&wanted));
    let services =
        allocation::port_leases::services(&call.client.ports, entry, topology_of(&wanted), &taken)?;
    if let Some((addresses, _promises)) = &services {
        wanted.services = Attr::Known(addresses.clone());
    }
    derive(config, &mut wanted, says(entry));
    super::model_args::derive(&call.client, &mut wanted);
    find_model(entry, &mut wanted).await;
    let blueprint = blueprint(&call.client, &wanted, &facts)?;
    let names: Vec<String> = blueprint.containers.iter().map(|it| it.spec.name.clone()).collect();
    let assembly = assembly::assembly(
        blueprint,
        spec(&wanted)?.common.pull_policy,
        &entry.host,
        &entry.host,
        wanted_state(&wanted),
        &[],
    );
    if let Err(failed) = reconcile::bring_up(&entry.host, &assembly, budget).await {
        let diagnostics = Diagnostics::from(not_done(&summary, &failed, &wanted));
        let state = (!failed.left.is_empty()).then(|| half_made(wanted));
        let picked = promise.is_some() || services.is_some();
        let taken = picked && allocation::port_leases::is_taken(&failed) && state.is_none();
        let failed = Box::new(Failed { state, diagnostics });
        return Err(if taken { Trouble::PortTaken(failed) } else { Trouble::Other(failed) });
    }
    let made = settle(entry, &wanted, &names, budget).await;
    made.map_err(|failure| {
        let diagnostics = Diagnostic::from_error(summary.clone(), &failure).into();
        Trouble::Other(Box::new(Failed { state: Some(half_made(wanted.clone())), diagnostics }))
    })?;
    let state = finished(entry, wanted.clone(), &summary).await;
    state.map_err(|diagnostics| {
        Trouble::Other(Box::new(Failed { state: Some(half_made(wanted)), diagnostics }))
    })
}

/// State of a deployment that exists in parts: everything known, so that it can be removed again.
fn half_made(wanted: DeploymentModel) -> DeploymentModel {
    DeploymentModel {
        image_id: Attr::Null,
        containers: Attr::Null,
        status: "failed".into(),
        drift: Attr::Known(Vec::new()),
        ..wanted
    }
}

/// The frontend's port, where a service may not be.
fn own_port(wanted: &DeploymentModel) -> Option<PortInUse> {
    let port = wanted.port.known().and_then(|port| u16::try_from(*port).ok())?;
    let holder = PortHolder::Container { name: names::container(shown(&wanted.name), FRONTEND), ours: true };
    Some(PortInUse { address: shown(&wanted.bind_address).to_owned(), port, holder })
}

/// Stops what should be stopped.
pub(super) async fn settle(
    entry: &Machine,
    model: &DeploymentModel,
    containers: &[String],
    budget: &Deadline,
) -> Result<(), Failure> {
    if wanted_state(model) == DesiredState::Stopped {
        reconcile::halt(&entry.host, containers, &budget.cancel).await?;
    }
    Ok(())
}

/// What is there after the work, as state.
pub(super) async fn finished(
    entry: &Machine,
    mut model: DeploymentModel,
    summary: &str,
) -> Result<DeploymentModel, Diagnostics> {
    let seen = deployment_containers::of_deployment(&entry.host, shown(&model.name), Age::Now).await;
    let seen = seen.map_err(|error| diagnostic_of(summary, &error, &model))?;
    show_containers(&mut model, &seen);
    Ok(model)
}
