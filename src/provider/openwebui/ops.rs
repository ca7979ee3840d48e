//! Planning, making, changing, reading and removing a page.

use super::apply::{Place, give_password, half_made, not_done, show};
use super::model::{login_objections, objections, other_deployments, stopped, wanted_state};
use super::plan::{check, follow};
use super::schema::{ABOUT, OpenWebuiModel};
use crate::dynamo::openwebui::COMPONENT;
use crate::dynamo::terms::names;
use crate::dynamo::terms::words::DesiredState;
use crate::hosts::{Age, Filter};
use crate::provider::allocation::port_leases;
use crate::provider::attributes::{host_errors, import_id, paths as told, secret_env, timeouts};
use crate::provider::lifecycle::drift::Explained;
use crate::provider::lifecycle::{deployment_containers, drift, spec_label};
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
        let before = Some(secrets_of(prior, changed || planned != *prior));
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
        let place = Place::of(&call.client, &planned).map_err(Diagnostics::from)?;
        place.deployments_are_there(&call.client, &planned, &summary).await?;
        let budget = Deadline { time: timeouts::create(&planned.timeouts), cancel: call.stopping.clone() };
        for attempt in 1.. {
            let mut wanted = planned.clone();
            let made = place.create_once(call, &config, &mut wanted, &budget, &summary).await?;
            let Err(failed) = made else {
                let done = place.settle(&wanted, &budget, &summary).await;
                let half = |diagnostics| Failed { state: Some(half_made(wanted.clone())), diagnostics };
                return Ok(done.map_err(half)?.into());
            };
            let picked = planned.port.known().is_none();
            let again = picked && failed.left.is_empty() && port_leases::is_taken(&failed);
            if !again || attempt >= port_leases::ATTEMPTS {
                let state = (!failed.left.is_empty()).then(|| half_made(wanted));
                return Err(Failed { state, diagnostics: not_done(&summary, &failed).into() });
            }
        }
        Err(Diagnostics::new().into())
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
        let place = Place::of(&call.client, &planned).map_err(Diagnostics::from)?;
        let blueprint = place.blueprint(call, &planned, &summary).await?;
        let (look, leftovers) = place.look(call, &planned, &blueprint, Age::Now, &summary).await?;
        let budget = Deadline { time: timeouts::update(&planned.timeouts), cancel: call.stopping.clone() };
        let in_order = look.is_in_order() && leftovers.is_empty();
        // What is to be stopped is not started first, unless it has to be made anew.
        if wanted_state(&planned) == DesiredState::Running || !in_order {
            place.deployments_are_there(&call.client, &planned, &summary).await?;
            let mut assembly = place.assembly(&planned, blueprint, &look.observed())?;
            if gives_password(&prior, &planned) {
                give_password(&mut assembly, &config);
            }
            reconcile::converge(&place.entry.host, &assembly, &leftovers, &budget)
                .await
                .map_err(|failed| Diagnostics::from(not_done(&summary, &failed)))?;
        }
        Ok(place.settle(&planned, &budget, &summary).await?.into())
    }

    async fn read(
        &self,
        call: &Call<Client>,
        mut state: OpenWebuiModel,
    ) -> Result<Option<OpenWebuiModel>, Diagnostics> {
        let summary = format!("Unable to read the Open WebUI {:?}", shown(&state.name));
        let place = Place::of(&call.client, &state)?;
        facts::for_refresh(&place.entry, &summary).await?;
        let container = vec![names::container(shown(&state.name), COMPONENT)];
        let seen = place.entry.host.observe(&Filter::Names(container), Age::Walk).await;
        let seen = seen.map_err(|error| host_errors::diagnostic(&summary, &error, None))?;
        secret_env::take_found(&mut state, seen.first());
        let blueprint = place.blueprint(call, &state, &summary).await?;
        let (look, leftovers) = place.look(call, &state, &blueprint, Age::Walk, &summary).await?;
        let Some(Some(observed)) = look.containers().first().map(|seen| seen.cloned()) else {
            return Ok(None);
        };
        secret_env::show(&mut state, Some(&observed));
        let left = |name: &String| format!("container {name} was left by a run that did not finish");
        let mut sentences: Vec<String> = leftovers.iter().map(left).collect();
        for (differences, observed) in look.differing() {
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
        let containers = [names::container(shown(&state.name), COMPONENT)];
        let with_data = state.delete_data_on_destroy.known() == Some(&true);
        let volumes: Vec<String> =
            with_data.then(|| names::openwebui_volume(shown(&state.name))).into_iter().collect();
        let time = timeouts::delete(&state.timeouts);
        let removal = reconcile::take_down(&entry.host, &containers, &[], &volumes, &call.stopping);
        match tokio::time::timeout(time, removal).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(failure)) => Err(Diagnostics::from(Diagnostic::from_error(summary, &failure)).into()),
            Err(_) => Err(Diagnostics::from(timeouts::expired(&summary, entry.host.name(), time)).into()),
        }
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

fn secrets_of(prior: &OpenWebuiModel, changes: bool) -> secret_values::Prior<'_> {
    let container = names::container(shown(&prior.name), COMPONENT);
    secret_values::Prior { status: &prior.secret_env_status, host: &prior.host, container, changes }
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
