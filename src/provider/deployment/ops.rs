//! Planning, making, changing, reading and removing a deployment.

use super::apply::{create, stop_if_wanted_and_read};
use super::decide::{blueprint, diagnostic_of, find_model, says, spec, wanted_state};
use super::image_tag;
use super::model::{HostConfigView, derive, objections, tagged, topology_of};
use super::plan::check;
use super::read::{own_containers, show};
use super::schema::{ABOUT, DeploymentModel};
use crate::dynamo::blueprint::Blueprint;
use crate::dynamo::terms::names;
use crate::dynamo::terms::names::FRONTEND;
use crate::dynamo::terms::words::{DesiredState, NetworkMode};
use crate::hosts::Age;
use crate::provider::attributes::{import_id, paths, secret_env, timeouts};
use crate::provider::lifecycle::comparison::Comparison;
use crate::provider::lifecycle::resource::Belongings;
use crate::provider::lifecycle::{assembly, comparison, deployment_containers, resource, spec_label};
use crate::provider::machine::{Machine, facts};
use crate::provider::plan_checks;
use crate::provider::plan_checks::{docker, secret_values, secrets};
use crate::provider::session::{Client, random};
use crate::reconcile;
use crate::reconcile::Deadline;
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::provider::{About, Applied, Call, Failed, ImportBy, Plan, Resource, shown};
use async_trait::async_trait;

/// `dynamo_deployment`.
pub struct Deployments;

#[async_trait]
impl Resource for Deployments {
    type Model = DeploymentModel;
    type Client = Client;

    fn about(&self) -> About {
        ABOUT
    }

    fn identity(&self) -> &'static [&'static str] {
        &["host", "name"]
    }

    fn validate(&self, config: &DeploymentModel) -> Diagnostics {
        let mut found = objections(config).map_or_else(|error| error, paths::diagnostics);
        found.extend(docker::warnings(&config.docker));
        found.extend(secrets::warnings(
            &config.env,
            &[
                ("engine_args", &config.engine_args),
                ("prefill_engine_args", &config.prefill_engine_args),
                ("decode_engine_args", &config.decode_engine_args),
            ],
        ));
        found
    }

    async fn plan_create(
        &self,
        call: &Call<Client>,
        config: &DeploymentModel,
        mut planned: DeploymentModel,
    ) -> Result<Plan<DeploymentModel>, Diagnostics> {
        let entry = plan_checks::host(&call.client, &config.host, &mut planned.host)?;
        derive(config, &mut planned, entry.as_ref().map_or(HostConfigView::UNKNOWN, says));
        super::model_args::derive(&call.client, &mut planned);
        secret_values::plan(&call.client, &config.secret_env, None, &mut planned).await;
        paths::diagnostics(objections(&planned)?).into_result()?;
        let mut warnings = image_tag::warnings(config, &planned);
        if let Some(entry) = entry {
            let predecessor = deployment_containers::name_of(call.predecessor.as_ref());
            warnings.extend(check(&entry, &planned, None, predecessor).await?);
        }
        Ok(Plan { warnings, ..planned.into() })
    }

    async fn plan_update(
        &self,
        call: &Call<Client>,
        config: &DeploymentModel,
        prior: &DeploymentModel,
        mut planned: DeploymentModel,
        changed: bool,
    ) -> Result<Plan<DeploymentModel>, Diagnostics> {
        let entry = plan_checks::host(&call.client, &config.host, &mut planned.host)?;
        if planned.model != prior.model {
            (planned.model_source, planned.model_path) = (Attr::Unknown, Attr::Unknown);
        }
        if let (true, Some(version)) = (config.dynamo_version.is_null(), tagged(config))
            && planned.image != prior.image
        {
            planned.dynamo_version = version;
        }
        derive(config, &mut planned, entry.as_ref().map_or(HostConfigView::UNKNOWN, says));
        super::model_args::derive(&call.client, &mut planned);
        let before = Some(resource::secrets_of(prior, changed || planned != *prior));
        let not_compared = secret_values::plan(&call.client, &config.secret_env, before, &mut planned).await;
        let changed = changed || planned.secret_env_status != prior.secret_env_status;
        let ill = planned.status != prior.status || planned.drift != prior.drift;
        if changed || ill {
            planned.containers = Attr::Unknown;
        }
        if planned.image != prior.image {
            planned.image_id = Attr::Unknown;
        }
        if changed {
            paths::diagnostics(objections(&planned)?).into_result()?;
        }
        if let (true, Some(entry)) = (changed, entry) {
            check(&entry, &planned, Some(prior), prior.name.known().map(String::as_str)).await?;
        }
        let mut warnings = if changed { image_tag::warnings(config, &planned) } else { Diagnostics::new() };
        warnings.extend(not_compared);
        Ok(Plan { warnings, ..planned.into() })
    }

    async fn create(
        &self,
        call: &Call<Client>,
        config: DeploymentModel,
        mut planned: DeploymentModel,
    ) -> Result<Applied<DeploymentModel>, Failed<DeploymentModel>> {
        secret_env::take(&config.secret_env, &mut planned);
        if planned.name.known().is_none() {
            planned.name = Attr::Known(names::generated(random().map_err(Diagnostics::from)?));
        }
        let entry = call.client.known_host(shown(&planned.host)).map_err(Diagnostics::from)?;
        let budget = Deadline { time: timeouts::create(&planned.timeouts), cancel: call.stopping.clone() };
        Ok(create(call, &entry, &config, &planned, &budget).await?.into())
    }

    async fn update(
        &self,
        call: &Call<Client>,
        config: DeploymentModel,
        _prior: DeploymentModel,
        mut planned: DeploymentModel,
    ) -> Result<Applied<DeploymentModel>, Failed<DeploymentModel>> {
        secret_env::take(&config.secret_env, &mut planned);
        let name = shown(&planned.name).to_owned();
        let entry = call.client.known_host(shown(&planned.host)).map_err(Diagnostics::from)?;
        find_model(&entry, &mut planned).await;
        super::model_args::derive(&call.client, &mut planned);
        let summary = format!("Unable to update deployment {name:?}");
        let (facts, _) = facts::facts(&entry, &summary).await.map_err(Diagnostics::from)?;
        let blueprint = blueprint(&call.client, &planned, &facts)?;
        let seen = deployment_containers::of_deployment(&entry.host, &name, Age::Now).await;
        let seen = seen.map_err(|error| Diagnostics::from(diagnostic_of(&summary, &error, &planned)))?;
        let compared = Comparison::of(&entry.host, &blueprint, &seen).await;
        let compared =
            compared.map_err(|error| Diagnostics::from(diagnostic_of(&summary, &error, &planned)))?;
        let budget = Deadline { time: timeouts::update(&planned.timeouts), cancel: call.stopping.clone() };
        let mut previous = own_containers(&seen);
        previous.extend(comparison::leftovers(&seen, &call.client.run));
        let pull = spec(&planned)?.common.pull_policy;
        // What is to be stopped is not started first, unless it has to be made anew.
        let in_order = compared.is_in_order() && comparison::leftovers(&seen, &call.client.run).is_empty();
        if wanted_state(&planned) == DesiredState::Running || !in_order {
            // What a new store knows nothing of would go on for a while, and then end by itself.
            if services_are_missing(&planned, &blueprint, &compared) {
                let frontend = [names::container(shown(&planned.name), FRONTEND)];
                reconcile::halt(&entry.host, &frontend, &budget.cancel).await.map_err(|failure| {
                    Diagnostics::from(Diagnostic::from_error(summary.clone(), &failure))
                })?;
            }
            let state = wanted_state(&planned);
            let assembly = assembly::assembly(blueprint, pull, &entry.host, &entry.host, state, &seen);
            reconcile::converge(&entry.host, &assembly, &previous, &budget)
                .await
                .map_err(|failed| Diagnostics::from(resource::not_done(&summary, &failed, &planned)))?;
        }
        Ok(stop_if_wanted_and_read(&entry, planned, &budget, &summary).await?.into())
    }

    async fn read(
        &self,
        call: &Call<Client>,
        mut state: DeploymentModel,
    ) -> Result<Option<DeploymentModel>, Diagnostics> {
        let name = shown(&state.name).to_owned();
        let summary = format!("Unable to read deployment {name:?}");
        let entry = call.client.known_host(shown(&state.host))?;
        let facts = facts::for_refresh(&entry, &summary).await?;
        let seen = deployment_containers::of_deployment(&entry.host, &name, Age::Walk).await;
        let seen = seen.map_err(|error| diagnostic_of(&summary, &error, &state))?;
        if seen.is_empty() {
            return Ok(None);
        }
        let frontend = names::container(&name, FRONTEND);
        let frontend = seen.iter().find(|container| container.spec.name == frontend);
        secret_env::take_found(&mut state, frontend);
        let blueprint = blueprint(&call.client, &state, &facts)?;
        secret_env::show(&mut state, frontend);
        let compared = Comparison::of(&entry.host, &blueprint, &seen).await;
        let compared = compared.map_err(|error| diagnostic_of(&summary, &error, &state))?;
        show(&mut state, &compared, &comparison::leftovers(&seen, &call.client.run));
        Ok(Some(state))
    }

    async fn delete(
        &self,
        call: &Call<Client>,
        state: DeploymentModel,
    ) -> Result<(), Failed<DeploymentModel>> {
        let name = shown(&state.name).to_owned();
        let summary = format!("Unable to remove deployment {name:?}");
        let entry = call.client.known_host(shown(&state.host)).map_err(Diagnostics::from)?;
        let seen = deployment_containers::of_deployment(&entry.host, &name, Age::Now).await;
        let seen = seen.map_err(|error| Diagnostics::from(diagnostic_of(&summary, &error, &state)))?;
        let pages = deployment_containers::joined_to(&entry.host, &names::network(&name)).await;
        let pages = pages.map_err(|error| Diagnostics::from(diagnostic_of(&summary, &error, &state)))?;
        // Workers and pages that are still there belong to a deployment which is being replaced, and go on in what replaces
        // it: they keep the network and the volume through which they are found.
        let network = names::network(&name);
        let used = seen.iter().any(|it| assembly::is_worker(it) && it.networks.contains(&network));
        let networks = if used || pages { Vec::new() } else { vec![network] };
        let volumes = if used { Vec::new() } else { vec![names::discovery_volume(&name)] };
        sweep(call, &state).await;
        let all = Belongings { containers: own_containers(&seen), networks, volumes };
        Ok(resource::remove(call, &entry, &all, &state.timeouts, &summary).await?)
    }

    async fn import(&self, call: &Call<Client>, by: ImportBy) -> Result<DeploymentModel, Diagnostics> {
        let (host, name) = import_id::parse(by, "host", "name", "local/chat")?;
        let entry = call.client.known_host(&host)?;
        let container = names::container(&name, FRONTEND);
        let state: DeploymentModel =
            spec_label::imported(&entry.host, &container, FRONTEND, "dynamo_deployment").await?;
        Ok(DeploymentModel { host: host.as_str().into(), name: name.as_str().into(), ..state })
    }
}

/// Whether a service will be made anew, and will know nothing then of those who registered with the one before.
fn services_are_missing(model: &DeploymentModel, blueprint: &Blueprint, compared: &Comparison) -> bool {
    let services = topology_of(model).map(|row| row.services).unwrap_or_default();
    let found = compared.containers();
    let mut planned = blueprint.containers.iter().zip(found);
    planned.any(|(planned, found)| {
        services.iter().any(|service| service.name == planned.component) && found.is_none()
    })
}

/// Removes what workers left that were gone before anybody could ask for their removal, on whatever host they were. A host
/// that is off keeps nobody from removing the deployment.
async fn sweep(call: &Call<Client>, state: &DeploymentModel) {
    let Ok(common) = spec(state).map(|spec| spec.common) else { return };
    if common.connector.facts.server.is_none() {
        return;
    }
    let own =
        |entry: &&Machine| common.network == NetworkMode::Host || entry.host.name() == shown(&state.host);
    let sweeps = call.client.entries().filter(own).map(async |entry: &Machine| {
        if let Err(failure) = call.client.servers.sweep(entry, &common.name, &call.stopping).await {
            let host = entry.host.name();
            tracing::warn!(host, error = %failure, "could not look for cache servers that nobody has any more");
        }
    });
    futures_util::future::join_all(sweeps).await;
}
