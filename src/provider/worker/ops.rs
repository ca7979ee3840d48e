//! Planning, making, changing, reading and removing a worker.

use super::apply::{WorkerHosts, show};
use super::model::{container_name, deployment, derive, objections, planned_gpus, wanted_state};
use super::plan::{check, stays};
use super::provisional::{effective_args, picked, with_provisional_ports};
use super::schema::{ABOUT, WorkerModel};
use super::{cache_server, model};
use crate::dynamo::terms::names;
use crate::dynamo::terms::names::WORKER;
use crate::dynamo::terms::words::DesiredState;
use crate::hosts::{Age, Filter};
use crate::provider::attributes::{host_errors, import_id, paths, picked_ports, secret_env, timeouts};
use crate::provider::lifecycle::drift::Explained;
use crate::provider::lifecycle::resource::{Belongings, ContainerResource};
use crate::provider::lifecycle::{drift, resource, spec_label};
use crate::provider::machine::facts;
use crate::provider::plan_checks::{docker, secret_values, secrets};
use crate::provider::session::{Client, random};
use crate::reconcile::Deadline;
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::Diagnostics;
use crate::tf_provider::provider::{About, Applied, Call, Failed, ImportBy, Plan, Resource, shown};
use crate::tf_provider::value::Path;
use async_trait::async_trait;

/// `dynamo_worker`.
pub struct Workers;

#[async_trait]
impl Resource for Workers {
    type Model = WorkerModel;
    type Client = Client;

    fn about(&self) -> About {
        ABOUT
    }

    fn identity(&self) -> &'static [&'static str] {
        &["host", "container"]
    }

    fn validate(&self, config: &WorkerModel) -> Diagnostics {
        let mut found = objections(config).map_or_else(|error| error, paths::diagnostics);
        found.extend(docker::warnings(&config.docker));
        found.extend(secrets::warnings(&config.env, &[("engine_args", &config.engine_args)]));
        found
    }

    async fn plan_create(
        &self,
        call: &Call<Client>,
        config: &WorkerModel,
        mut planned: WorkerModel,
    ) -> Result<Plan<WorkerModel>, Diagnostics> {
        derive(config, &mut planned);
        secret_values::plan(&call.client, &config.secret_env, None, &mut planned).await;
        planned.gpu_uuids = planned_gpus(None, &planned);
        planned.effective_engine_args = effective_args(&planned);
        paths::diagnostics(objections(&planned)?).into_result()?;
        let predecessor = call.predecessor.as_ref().and_then(|identity| identity.get("container").as_str());
        let warnings = check(&call.client, &planned, predecessor, true).await?;
        Ok(Plan { warnings, ..planned.into() })
    }

    async fn plan_update(
        &self,
        call: &Call<Client>,
        config: &WorkerModel,
        prior: &WorkerModel,
        mut planned: WorkerModel,
        changed: bool,
    ) -> Result<Plan<WorkerModel>, Diagnostics> {
        // What mends a difference may take a new container, which runs beside the old one for a while.
        let mends = prior.drift.known().is_some_and(|drift| !drift.is_empty());
        if mends {
            planned.ports = Attr::Unknown;
        }
        if deployment(&planned).model != deployment(prior).model {
            (planned.model_source, planned.model_path) = (Attr::Unknown, Attr::Unknown);
        }
        derive(config, &mut planned);
        planned.gpu_uuids = planned_gpus(Some(prior), &planned);
        planned.effective_engine_args = effective_args(&planned);
        if deployment(&planned).image != deployment(prior).image {
            planned.image_id = Attr::Unknown;
        }
        let before = Some(resource::secrets_of(prior, changed || planned != *prior));
        let not_compared = secret_values::plan(&call.client, &config.secret_env, before, &mut planned).await;
        let other_secrets = planned.secret_env_status != prior.secret_env_status;
        if other_secrets {
            planned.ports = Attr::Unknown;
            derive(config, &mut planned);
        }
        let changed = changed || other_secrets;
        let mut plan = Plan::from(planned);
        let (before, after) = (deployment(prior), deployment(&plan.planned));
        if before.name != after.name || before.host != after.host || before.network != after.network {
            plan.replace.push(Path::of("deployment"));
        }
        if changed {
            paths::diagnostics(objections(&plan.planned)?).into_result()?;
            let container = prior.container.known().map(String::as_str);
            plan.warnings = check(&call.client, &plan.planned, container, false).await?;
        } else if wanted_state(&plan.planned) == DesiredState::Running {
            stays(&call.client, &plan.planned).await?;
        }
        plan.warnings.extend(not_compared);
        Ok(plan)
    }

    async fn create(
        &self,
        call: &Call<Client>,
        config: WorkerModel,
        mut planned: WorkerModel,
    ) -> Result<Applied<WorkerModel>, Failed<WorkerModel>> {
        secret_env::take(&config.secret_env, &mut planned);
        call.client.caches.making();
        let suffix = names::suffix(random().map_err(Diagnostics::from)?);
        planned.container = container_name(&planned, &suffix).into();
        derive(&config, &mut planned);
        let summary =
            format!("Unable to create a worker of deployment {:?}", shown(&deployment(&planned).name));
        let hosts = WorkerHosts::of(&call.client, &planned).map_err(Diagnostics::from)?;
        hosts.frontend_is_there(&planned, &summary).await?;
        hosts.find_model(&mut planned).await;
        planned.effective_engine_args = effective_args(&planned);
        let _gpus = hosts.give_gpus(&call.client, &mut planned, &[], &summary).await?;
        let budget = Deadline { time: timeouts::create(&planned.timeouts), cancel: call.stopping.clone() };
        let made = hosts.create(call, &planned, &budget, &summary).await;
        if made.is_err() || wanted_state(&planned) == DesiredState::Stopped {
            let swept = cache_server::sweep(call, &hosts.entry, &[&planned], &summary).await;
            let state = made?;
            return swept
                .map(|()| state.clone().into())
                .map_err(|diagnostics| Failed { state: Some(state), diagnostics });
        }
        Ok(made?.into())
    }

    async fn update(
        &self,
        call: &Call<Client>,
        config: WorkerModel,
        prior: WorkerModel,
        mut planned: WorkerModel,
    ) -> Result<Applied<WorkerModel>, Failed<WorkerModel>> {
        secret_env::take(&config.secret_env, &mut planned);
        let summary = format!("Unable to update worker {:?}", shown(&planned.container));
        let hosts = WorkerHosts::of(&call.client, &planned).map_err(Diagnostics::from)?;
        // One at a time: the others serve meanwhile.
        let _slot = call.client.rolling_slot(shown(&deployment(&planned).id), model::role(&planned)).await;
        hosts.find_model(&mut planned).await;
        planned.effective_engine_args = effective_args(&planned);
        let picks = planned.ports.is_unknown();
        if picks {
            planned.ports = picked_ports::with_provisional_ports(&prior.ports, &picked(&planned));
        }
        let budget = Deadline { time: timeouts::update(&planned.timeouts), cancel: call.stopping.clone() };
        let changed = async {
            hosts.change(call, &prior, &mut planned, picks, &budget, &summary).await?;
            hosts.stop_if_wanted_and_read(planned.clone(), &budget, &summary).await
        };
        let changed = changed.await;
        let swept = cache_server::sweep(call, &hosts.entry, &[&prior, &planned], &summary).await;
        let state = changed?;
        swept.map_err(|diagnostics| Failed { state: Some(state.clone()), diagnostics })?;
        Ok(state.into())
    }

    async fn read(
        &self,
        call: &Call<Client>,
        mut state: WorkerModel,
    ) -> Result<Option<WorkerModel>, Diagnostics> {
        let summary = format!("Unable to read worker {:?}", shown(&state.container));
        let hosts = WorkerHosts::of(&call.client, &state)?;
        facts::for_refresh(&hosts.entry, &summary).await?;
        let container = vec![shown(&state.container).to_owned()];
        let seen = hosts.entry.host.observe(&Filter::Names(container), Age::Walk).await;
        let seen = seen.map_err(|error| host_errors::diagnostic(&summary, &error, None))?;
        secret_env::take_found(&mut state, seen.first());
        let (blueprint, _) = hosts.blueprint(call, &with_provisional_ports(&state), &summary).await?;
        let compared = hosts.compare(&blueprint, Age::Walk, &summary).await?;
        let Some(Some(observed)) = compared.containers().first().map(|seen| seen.cloned()) else {
            return Ok(None);
        };
        secret_env::show(&mut state, Some(&observed));
        state.registered = hosts.registered(&state, &blueprint, &observed).await;
        let mut sentences = Vec::new();
        for (differences, observed) in compared.differing() {
            let explained = Explained {
                image: None,
                env: &mut state.env,
                resources: &mut state.resources,
                port: None,
                bind_address: None,
            };
            sentences.extend(drift::explain(differences, observed, explained));
        }
        if wanted_state(&state) == DesiredState::Running {
            sentences.extend(hosts.of_the_server(&blueprint, &summary).await?);
        }
        state.drift = Attr::Known(sentences.into_iter().map(Attr::Known).collect());
        show(&mut state, &observed);
        Ok(Some(state))
    }

    async fn delete(&self, call: &Call<Client>, state: WorkerModel) -> Result<(), Failed<WorkerModel>> {
        let summary = format!("Unable to remove worker {:?}", shown(&state.container));
        let entry = call.client.known_host(shown(&state.host)).map_err(Diagnostics::from)?;
        let all = Belongings { containers: vec![state.main_container()], ..Belongings::default() };
        resource::remove(call, &entry, &all, &state.timeouts, &summary).await?;
        Ok(cache_server::sweep(call, &entry, &[&state], &summary).await?)
    }

    async fn import(&self, call: &Call<Client>, by: ImportBy) -> Result<WorkerModel, Diagnostics> {
        let (host, container) = import_id::parse(by, "host", "container", "local/chat-decode-4k7x2m")?;
        let entry = call.client.known_host(&host)?;
        let state: WorkerModel =
            spec_label::imported(&entry.host, &container, WORKER, "dynamo_worker").await?;
        let id = Attr::Known(format!("{host}/{container}"));
        Ok(WorkerModel { id, host: Attr::Known(host), container: Attr::Known(container), ..state })
    }
}
