//! Making a deployment: ports are picked, its containers are brought up, and what came of it becomes state.

use super::decide::{blueprint, diagnostic_of, find_model, says, spec, wanted_state};
use super::model::{containers, derive, topology_of};
use super::read::show_containers;
use super::schema::DeploymentModel;
use crate::dynamo::terms::names::FRONTEND;
use crate::dynamo::terms::objection::Field;
use crate::dynamo::terms::words::NetworkMode;
use crate::dynamo::terms::{names, ports};
use crate::hosts::Age;
use crate::inventory::{PortHolder, PortInUse};
use crate::provider::allocation::port_leases;
use crate::provider::attributes::paths;
use crate::provider::lifecycle::resource::{Attempt, Maker};
use crate::provider::lifecycle::{assembly, deployment_containers, resource};
use crate::provider::machine::{Machine, facts};
use crate::provider::session::Client;
use crate::reconcile;
use crate::reconcile::Deadline;
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::Diagnostics;
use crate::tf_provider::provider::{Call, Failed, shown};
use async_trait::async_trait;

/// Makes a deployment, with other ports where somebody takes those that were picked.
pub(super) async fn create(
    call: &Call<Client>,
    entry: &Machine,
    config: &DeploymentModel,
    planned: &DeploymentModel,
    budget: &Deadline,
) -> Result<DeploymentModel, Failed<DeploymentModel>> {
    let summary = format!("Unable to create deployment {:?}", shown(&planned.name));
    let on_the_hosts = topology_of(planned).is_some_and(|row| row.network == NetworkMode::Host);
    let picks = planned.port.known().is_none() || on_the_hosts;
    let maker = MakeDeployment { call, entry, config, budget, summary: &summary };
    resource::make(&maker, planned, picks, &summary).await
}

/// How a deployment is made.
struct MakeDeployment<'a> {
    call: &'a Call<Client>,
    entry: &'a Machine,
    config: &'a DeploymentModel,
    budget: &'a Deadline,
    summary: &'a str,
}

#[async_trait]
impl Maker<DeploymentModel> for MakeDeployment<'_> {
    async fn bring_up(&self, wanted: DeploymentModel) -> Result<Attempt<DeploymentModel>, Diagnostics> {
        let Self { call, entry, config, budget, summary } = self;
        bring_up(call, entry, config, wanted, budget, summary).await
    }

    async fn read_back(&self, wanted: DeploymentModel) -> Result<DeploymentModel, Diagnostics> {
        stop_if_wanted_and_read(self.entry, wanted, self.budget, self.summary).await
    }
}

/// Picks ports where none are given, and brings the containers up.
async fn bring_up(
    call: &Call<Client>,
    entry: &Machine,
    config: &DeploymentModel,
    mut wanted: DeploymentModel,
    budget: &Deadline,
    summary: &str,
) -> Result<Attempt<DeploymentModel>, Diagnostics> {
    let (facts, mut taken) = facts::facts(entry, summary).await?;
    let _port = match wanted.port.known() {
        Some(_) => None,
        None => {
            let (host, address) = (entry.host.name(), shown(&wanted.bind_address));
            let lease = call.client.ports.take(host, ports::FRONTEND_FROM, address, &taken, &[0]);
            let lease = lease.map_err(|refusal| paths::diagnostics(vec![refusal.at(Field::Port)]))?;
            wanted.port = Attr::Known(i64::from(lease.port()));
            Some(lease)
        }
    };
    taken.extend(own_port(&wanted));
    let services = port_leases::services(&call.client.ports, entry, topology_of(&wanted), &taken)?;
    if let Some((addresses, _leases)) = &services {
        wanted.services = Attr::Known(addresses.clone());
    }
    derive(config, &mut wanted, says(entry));
    super::model_args::derive(&call.client, &mut wanted);
    find_model(entry, &mut wanted).await;
    let blueprint = blueprint(&call.client, &wanted, &facts)?;
    let pull = spec(&wanted)?.common.pull_policy;
    let (host, state) = (&entry.host, wanted_state(&wanted));
    let assembly = assembly::assembly(blueprint, pull, host, host, state, &[]);
    let up = reconcile::bring_up(host, &assembly, budget).await.map(drop);
    Ok((wanted, up))
}

/// The frontend's port, where a service may not be.
fn own_port(wanted: &DeploymentModel) -> Option<PortInUse> {
    let port = wanted.port.known().and_then(|port| u16::try_from(*port).ok())?;
    let holder = PortHolder::Container { name: names::container(shown(&wanted.name), FRONTEND), ours: true };
    Some(PortInUse { address: shown(&wanted.bind_address).to_owned(), port, holder })
}

/// Stops what should be stopped, and reads back.
pub(super) async fn stop_if_wanted_and_read(
    entry: &Machine,
    mut model: DeploymentModel,
    budget: &Deadline,
    summary: &str,
) -> Result<DeploymentModel, Diagnostics> {
    resource::stop_if_wanted(entry, &containers(&model), wanted_state(&model), budget, summary).await?;
    let seen = deployment_containers::of_deployment(&entry.host, shown(&model.name), Age::Now).await;
    let seen = seen.map_err(|error| diagnostic_of(summary, &error, &model))?;
    show_containers(&mut model, &seen);
    Ok(model)
}
