//! Planning, making, changing, reading and removing a page.

use super::apply::{OpenWebuiHosts, give_password, show};
use super::decide::follow;
use super::model::{login_objections, objections, other_deployments, stopped, wanted_state};
use super::plan::check;
use super::schema::{ABOUT, OpenWebuiModel};
use crate::dynamo::openwebui::COMPONENT;
use crate::dynamo::terms::names;
use crate::dynamo::terms::words::DesiredState;
use crate::hosts::{Age, Filter};
use crate::provider::attributes::{host_errors, import_id, paths as told, secret_env, timeouts};
use crate::provider::lifecycle::drift::Explained;
use crate::provider::lifecycle::resource::{Belongings, ContainerResource};
use crate::provider::lifecycle::{deployment_containers, drift, resource, spec_label};
use crate::provider::machine::facts;
use crate::provider::plan_checks::{docker, secret_values, secrets};
use crate::provider::session::Client;
use crate::reconcile;
use crate::reconcile::Deadline;
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::provider::{About, Applied, Call, Failed, ImportBy, Plan, Resource, shown};
use crate::tf_provider::value::Path;
use async_trait::async_trait;

/// `dynamo_openwebui`.
pub struct OpenWebuis;

#[async_trait]
impl Resource for OpenWebuis {
    type Model = OpenWebuiModel;
    type Client = Client;

    fn about(&self) -> About {
        ABOUT
    }

    fn identity(&self) -> &'static [&'static str] {
        &["host", "name"]
    }

    fn validate(&self, config: &OpenWebuiModel) -> Diagnostics {
        let mut found = told::diagnostics(objections(config));
        found.extend(told::diagnostics(login_objections(config)));
        found.extend(docker::warnings(&config.docker));
        found.extend(secrets::in_env(&config.env));
        found
    }

    async fn plan_create(
        &self,
        call: &Call<Client>,
        config: &OpenWebuiModel,
        mut planned: OpenWebuiModel,
    ) -> Result<Plan<OpenWebuiModel>, Diagnostics> {
        follow(&call.client, config, &mut planned);
        secret_values::plan(&call.client, &config.secret_env, None, &mut planned).await;
        told::diagnostics(objections(&planned)).into_result()?;
        told::diagnostics(login_objections(config)).into_result()?;
        let mut warnings =
            check(&call.client, &planned, None, deployment_containers::name_of(call.predecessor.as_ref()))
                .await?;
        warnings.extend(Diagnostics(stopped(&planned).into_iter().collect()));
        Ok(Plan { warnings, ..planned.into() })
    }

    async fn plan_update(
        &self,
        call: &Call<Client>,
        config: &OpenWebuiModel,
        prior: &OpenWebuiModel,
        mut planned: OpenWebuiModel,
        changed: bool,
    ) -> Result<Plan<OpenWebuiModel>, Diagnostics> {
        follow(&call.client, config, &mut planned);
        let before = Some(resource::secrets_of(prior, changed || planned != *prior));
        let not_compared = secret_values::plan(&call.client, &config.secret_env, before, &mut planned).await;
        let changed = changed || planned.secret_env_status != prior.secret_env_status;
        if changed || planned.status != prior.status || planned.drift != prior.drift {
            planned.containers = Attr::Unknown;
        }
        if planned.image != prior.image {
            planned.image_id = Attr::Unknown;
        }
        let mut plan = Plan::from(planned);
        if other_deployments(prior, &plan.planned) {
            let several = plan.planned.deployment.is_null();
            plan.replace.push(Path::of(if several { "deployments" } else { "deployment" }));
        }
        if changed {
            told::diagnostics(objections(&plan.planned)).into_result()?;
            told::diagnostics(login_objections(config)).into_result()?;
            plan.warnings =
                check(&call.client, &plan.planned, Some(prior), prior.name.known().map(String::as_str))
                    .await?;
            let warnings = [stopped(&plan.planned), login_goes(prior, &plan.planned)];
            plan.warnings.extend(Diagnostics(warnings.into_iter().flatten().collect()));
        }
        plan.warnings.extend(not_compared);
        Ok(plan)
    }

    async fn create(
        &self,
        call: &Call<Client>,
        config: OpenWebuiModel,
        mut planned: OpenWebuiModel,
    ) -> Result<Applied<OpenWebuiModel>, Failed<OpenWebuiModel>> {
        secret_env::take(&config.secret_env, &mut planned);
        follow(&call.client, &config, &mut planned);
        let summary = format!("Unable to create the Open WebUI {:?}", shown(&planned.name));
        told::diagnostics(login_objections(&config)).into_result()?;
        let hosts = OpenWebuiHosts::of(&call.client, &planned).map_err(Diagnostics::from)?;
        hosts.deployments_are_there(&call.client, &planned, &summary).await?;
        let budget = Deadline { time: timeouts::create(&planned.timeouts), cancel: call.stopping.clone() };
        Ok(hosts.create(call, &config, &planned, &budget, &summary).await?.into())
    }

    async fn update(
        &self,
        call: &Call<Client>,
        config: OpenWebuiModel,
        prior: OpenWebuiModel,
        mut planned: OpenWebuiModel,
    ) -> Result<Applied<OpenWebuiModel>, Failed<OpenWebuiModel>> {
        secret_env::take(&config.secret_env, &mut planned);
        let summary = format!("Unable to update the Open WebUI {:?}", shown(&planned.name));
        told::diagnostics(login_objections(&config)).into_result()?;
        let hosts = OpenWebuiHosts::of(&call.client, &planned).map_err(Diagnostics::from)?;
        let blueprint = hosts.blueprint(call, &planned, &summary).await?;
        let (compared, leftovers) = hosts.compare(call, &planned, &blueprint, Age::Now, &summary).await?;
        let budget = Deadline { time: timeouts::update(&planned.timeouts), cancel: call.stopping.clone() };
        let in_order = compared.is_in_order() && leftovers.is_empty();
        // What is to be stopped is not started first, unless it has to be made anew.
        if wanted_state(&planned) == DesiredState::Running || !in_order {
            hosts.deployments_are_there(&call.client, &planned, &summary).await?;
            let mut assembly = hosts.assembly(&planned, blueprint, &compared.observed())?;
            if gives_password(&prior, &planned) {
                give_password(&mut assembly, &config);
            }
            reconcile::converge(&hosts.entry.host, &assembly, &leftovers, &budget)
                .await
                .map_err(|failed| Diagnostics::from(resource::not_done(&summary, &failed, &planned)))?;
        }
        Ok(hosts.stop_if_wanted_and_read(planned, &budget, &summary).await?.into())
    }

    async fn read(
        &self,
        call: &Call<Client>,
        mut state: OpenWebuiModel,
    ) -> Result<Option<OpenWebuiModel>, Diagnostics> {
        let summary = format!("Unable to read the Open WebUI {:?}", shown(&state.name));
        let hosts = OpenWebuiHosts::of(&call.client, &state)?;
        facts::for_refresh(&hosts.entry, &summary).await?;
        let container = vec![names::container(shown(&state.name), COMPONENT)];
        let seen = hosts.entry.host.observe(&Filter::Names(container), Age::Walk).await;
        let seen = seen.map_err(|error| host_errors::diagnostic(&summary, &error, None))?;
        secret_env::take_found(&mut state, seen.first());
        let blueprint = hosts.blueprint(call, &state, &summary).await?;
        let (compared, leftovers) = hosts.compare(call, &state, &blueprint, Age::Walk, &summary).await?;
        let Some(Some(observed)) = compared.containers().first().map(|seen| seen.cloned()) else {
            return Ok(None);
        };
        secret_env::show(&mut state, Some(&observed));
        let mut sentences = drift::left(&leftovers);
        for (differences, observed) in compared.differing() {
            let explained = Explained {
                image: Some(&mut state.image),
                env: &mut state.env,
                resources: &mut state.resources,
                port: Some(&mut state.port),
                bind_address: Some(&mut state.bind_address),
            };
            sentences.extend(drift::explain(differences, observed, explained));
        }
        state.drift = Attr::Known(sentences.into_iter().map(Attr::Known).collect());
        show(&mut state, &observed);
        Ok(Some(state))
    }

    async fn delete(&self, call: &Call<Client>, state: OpenWebuiModel) -> Result<(), Failed<OpenWebuiModel>> {
        let summary = format!("Unable to remove the Open WebUI {:?}", shown(&state.name));
        let entry = call.client.known_host(shown(&state.host)).map_err(Diagnostics::from)?;
        let with_data = state.delete_data_on_destroy.known() == Some(&true);
        let volumes = with_data.then(|| names::openwebui_volume(shown(&state.name))).into_iter().collect();
        let containers = vec![state.main_container()];
        let all = Belongings { containers, volumes, ..Belongings::default() };
        Ok(resource::remove(call, &entry, &all, &state.timeouts, &summary).await?)
    }

    async fn import(&self, call: &Call<Client>, by: ImportBy) -> Result<OpenWebuiModel, Diagnostics> {
        let (host, name) = import_id::parse(by, "host", "name", "local/chat")?;
        let entry = call.client.known_host(&host)?;
        let container = names::container(&name, COMPONENT);
        let state: OpenWebuiModel =
            spec_label::imported(&entry.host, &container, COMPONENT, "dynamo_openwebui").await?;
        let id = Attr::Known(format!("{host}/{name}"));
        Ok(OpenWebuiModel { id, host: Attr::Known(host), name: Attr::Known(name), ..state })
    }
}

/// Whether a new container is to be told the password: the account, or the wish for another one, is new.
fn gives_password(prior: &OpenWebuiModel, planned: &OpenWebuiModel) -> bool {
    prior.admin_password_version != planned.admin_password_version || prior.admin_email != planned.admin_email
}

/// The page keeps its login while it has accounts, whatever it is told.
fn login_goes(prior: &OpenWebuiModel, planned: &OpenWebuiModel) -> Option<Diagnostic> {
    let goes = prior.auth.known() == Some(&true) && planned.auth.known() == Some(&false);
    goes.then(|| {
        let detail = "Open WebUI turns its login off only while there are no accounts. If there are some, nobody will get in \
                      until auth is true again; to begin anew without them, choose another name, or destroy the page once \
                      with delete_data_on_destroy = true.";
        Diagnostic::warning("Accounts and no login", detail).at(Path::of("auth"))
    })
}
