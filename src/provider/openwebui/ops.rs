//! Planning, making, changing, reading and removing a page.

use super::model::{
    self, at_its_attribute, derive, label, login_objections, objections, other_deployments, sources, stopped,
    wanted_state,
};
use super::schema::{ABOUT, OpenWebuiModel};
use crate::container::ObservedContainer;
use crate::dynamo::blueprint::Blueprint;
use crate::dynamo::decide::FRONTEND;
use crate::dynamo::draft::Given;
use crate::dynamo::objection::{Field, Objection, Refusal};
use crate::dynamo::openwebui::{self, COMPONENT, OpenWebuiDraft, OpenWebuiSpec, PASSWORD_FILE, PORT_FROM};
use crate::dynamo::spec::{DesiredState, HostFacts, Owner};
use crate::dynamo::{names, ports};
use crate::hosts::{Age, Filter, HostError};
use crate::inventory::PortInUse;
use crate::provider::bring;
use crate::provider::client::{Client, Entry};
use crate::provider::deployment::seen::container_model;
use crate::provider::drift::{self, Explained};
use crate::provider::look::{self, Look};
use crate::provider::{
    docker_checks, errors, import_id, objections as told, pages, picked_ports, plan_checks, secrets, timeouts,
};
use crate::reconcile::{self, Assembly, Budget, Failed as NotDone, PrivateFile};
use crate::tf_provider::attr::{Attr, Nested, NestedMap};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::provider::{About, Applied, Call, Failed, ImportBy, Plan, Resource, shown};
use crate::tf_provider::value::Path;
use async_trait::async_trait;
use std::collections::BTreeMap;

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
        found.extend(docker_checks::warnings(&config.docker));
        found
    }

    async fn plan_create(
        &self,
        call: &Call<Client>,
        config: &OpenWebuiModel,
        mut planned: OpenWebuiModel,
    ) -> Result<Plan<OpenWebuiModel>, Diagnostics> {
        follow(&call.client, config, &mut planned);
        secrets::plan(&call.client, &config.secret_env, None, &mut planned).await;
        told::diagnostics(objections(&planned)).into_result()?;
        told::diagnostics(login_objections(config)).into_result()?;
        let mut warnings =
            check(&call.client, &planned, None, pages::name_of(call.predecessor.as_ref())).await?;
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
        let not_compared = secrets::plan(&call.client, &config.secret_env, before, &mut planned).await;
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
        secrets::take(&config.secret_env, &mut planned);
        follow(&call.client, &config, &mut planned);
        let summary = format!("Unable to create the Open WebUI {:?}", shown(&planned.name));
        told::diagnostics(login_objections(&config)).into_result()?;
        let place = Place::of(&call.client, &planned).map_err(Diagnostics::from)?;
        place.deployments_are_there(&call.client, &planned, &summary).await?;
        let budget = Budget { time: timeouts::create(&planned.timeouts), cancel: call.stopping.clone() };
        for attempt in 1.. {
            let mut wanted = planned.clone();
            let made = place.create_once(call, &config, &mut wanted, &budget, &summary).await?;
            let Err(failed) = made else {
                let done = place.settle(&wanted, &budget, &summary).await;
                let half = |diagnostics| Failed { state: Some(half_made(wanted.clone())), diagnostics };
                return Ok(done.map_err(half)?.into());
            };
            let picked = planned.port.known().is_none();
            let again = picked && failed.left.is_empty() && picked_ports::is_taken(&failed);
            if !again || attempt >= picked_ports::ATTEMPTS {
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
        secrets::take(&config.secret_env, &mut planned);
        let summary = format!("Unable to update the Open WebUI {:?}", shown(&planned.name));
        told::diagnostics(login_objections(&config)).into_result()?;
        let place = Place::of(&call.client, &planned).map_err(Diagnostics::from)?;
        let blueprint = place.blueprint(call, &planned, &summary).await?;
        let (look, leftovers) = place.look(call, &planned, &blueprint, Age::Now, &summary).await?;
        let budget = Budget { time: timeouts::update(&planned.timeouts), cancel: call.stopping.clone() };
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
        plan_checks::for_refresh(&place.entry, &summary).await?;
        let container = vec![names::container(shown(&state.name), COMPONENT)];
        let seen = place.entry.host.observe(&Filter::Names(container), Age::Walk).await;
        let seen = seen.map_err(|error| errors::diagnostic(&summary, &error, None))?;
        secrets::take_found(&mut state, seen.first());
        let blueprint = place.blueprint(call, &state, &summary).await?;
        let (look, leftovers) = place.look(call, &state, &blueprint, Age::Walk, &summary).await?;
        let Some(Some(observed)) = look.containers().first().map(|seen| seen.cloned()) else {
            return Ok(None);
        };
        secrets::show(&mut state, Some(&observed));
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
            look::imported(&entry.host, &container, COMPONENT, "dynamo_openwebui").await?;
        let id = Attr::Known(format!("{host}/{name}"));
        Ok(OpenWebuiModel { id, host: Attr::Known(host), name: Attr::Known(name), ..state })
    }
}

/// By which address others reach a host; unknown while the host is.
fn advertised(client: &Client, host: &str) -> Attr<String> {
    client.host(host).map_or(Attr::Unknown, |entry| entry.advertise_address().clone())
}

fn follow(client: &Client, config: &OpenWebuiModel, planned: &mut OpenWebuiModel) {
    // Twice, since the host may only follow from the deployment.
    derive(config, planned, &Attr::Unknown);
    let advertise = planned.host.known().map_or(Attr::Unknown, |host| advertised(client, host));
    derive(config, planned, &advertise);
}

fn secrets_of(prior: &OpenWebuiModel, changes: bool) -> secrets::Prior<'_> {
    let container = names::container(shown(&prior.name), COMPONENT);
    secrets::Prior { status: &prior.secret_env_status, host: &prior.host, container, changes }
}

/// Whether a new container is to be told the password: the account, or the wish for another one, is new.
fn gives_password(prior: &OpenWebuiModel, planned: &OpenWebuiModel) -> bool {
    prior.admin_password_version != planned.admin_password_version || prior.admin_email != planned.admin_email
}

fn give_password(assembly: &mut Assembly, config: &OpenWebuiModel) {
    let Some(password) = config.admin_password.known() else { return };
    for part in &mut assembly.parts {
        let content = password.reveal().to_owned();
        part.files.push(PrivateFile { path: PASSWORD_FILE.to_owned(), content });
    }
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

/// Where a page is.
struct Place {
    entry: Entry,
    advertised: BTreeMap<String, Attr<String>>,
}

impl Place {
    fn of(client: &Client, model: &OpenWebuiModel) -> Result<Self, Diagnostic> {
        let entry = client.known_host(shown(&model.host))?;
        let hosts = sources(model).known().cloned().unwrap_or_default();
        let hosts = hosts.into_iter().filter_map(|view| view.host.into_known());
        let advertised = hosts.map(|host| (host.clone(), advertised(client, &host))).collect();
        Ok(Self { entry, advertised })
    }

    fn draft(&self, model: &OpenWebuiModel) -> OpenWebuiDraft {
        model::draft(model, &|host| self.advertised.get(host).cloned().unwrap_or(Attr::Unknown))
    }

    fn spec(&self, model: &OpenWebuiModel) -> Result<OpenWebuiSpec, Diagnostics> {
        self.draft(model).complete().map_err(|objections| said(model, objections))
    }

    async fn blueprint(
        &self,
        call: &Call<Client>,
        model: &OpenWebuiModel,
        summary: &str,
    ) -> Result<Blueprint, Diagnostics> {
        let (facts, _) = plan_checks::facts(&self.entry, summary).await?;
        let owner = Owner { run: call.client.run.clone(), spec_json: label(model)? };
        decided(model, &self.spec(model)?, &facts, &owner)
    }

    fn assembly(
        &self,
        model: &OpenWebuiModel,
        blueprint: Blueprint,
        seen: &[ObservedContainer],
    ) -> Result<Assembly, Diagnostics> {
        let pull = self.spec(model)?.pull_policy;
        let host = &self.entry.host;
        Ok(bring::assembly(blueprint, pull, host, host, wanted_state(model), seen))
    }

    /// Picks a port where none is given, and brings the container up.
    async fn create_once(
        &self,
        call: &Call<Client>,
        config: &OpenWebuiModel,
        wanted: &mut OpenWebuiModel,
        budget: &Budget,
        summary: &str,
    ) -> Result<Result<(), NotDone>, Diagnostics> {
        let (_, taken) = plan_checks::facts(&self.entry, summary).await?;
        let mut promise = None;
        if wanted.port.known().is_none() {
            let (host, address) = (self.entry.host.name(), shown(&wanted.bind_address));
            let promised = call.client.promise_port(host, PORT_FROM, address, &taken);
            let promised = promised.map_err(|refusal| told::diagnostics(vec![refusal.at(Field::Port)]))?;
            wanted.port = Attr::Known(i64::from(promised.port()));
            promise = Some(promised);
        }
        follow(&call.client, config, wanted);
        let blueprint = self.blueprint(call, wanted, summary).await?;
        let mut assembly = self.assembly(wanted, blueprint, &[])?;
        give_password(&mut assembly, config);
        let made = reconcile::bring_up(&self.entry.host, &assembly, budget).await.map(drop);
        drop(promise);
        Ok(made)
    }

    /// What is there, and what a run that was killed left.
    async fn look(
        &self,
        call: &Call<Client>,
        model: &OpenWebuiModel,
        blueprint: &Blueprint,
        age: Age,
        summary: &str,
    ) -> Result<(Look, Vec<String>), Diagnostics> {
        let look = async {
            let container = names::container(shown(&model.name), COMPONENT);
            let both = vec![names::starting(&container), container];
            let seen = self.entry.host.observe(&Filter::Names(both), age).await?;
            let leftovers = look::leftovers(&seen, &call.client.run);
            Ok((Look::at(&self.entry.host, blueprint, &seen).await?, leftovers))
        };
        look.await.map_err(|error: HostError| errors::diagnostic(summary, &error, None).into())
    }

    /// Without its frontend a deployment's network may be missing too, and Docker would say no more than that.
    async fn deployments_are_there(
        &self,
        client: &Client,
        model: &OpenWebuiModel,
        summary: &str,
    ) -> Result<(), Diagnostics> {
        for (index, source) in sources(model).known().into_iter().flatten().enumerate() {
            let (host, name) = (shown(&source.host), shown(&source.name));
            let frontend = client.known_host(host)?;
            let container = names::container(name, FRONTEND);
            let seen = frontend.host.inspect(&container).await;
            let seen = seen.map_err(|error| errors::diagnostic(summary, &error, None))?;
            if seen.is_some_and(|seen| bring::ownership(&seen).is_some()) {
                continue;
            }
            let what = format!("deployment {name:?} is gone: host {host:?} has no {container}");
            let fix = "apply the deployment first (without -refresh=false and -target, Terraform sees by itself that it is gone)";
            return Err(said(model, vec![Refusal::new(what, fix).at(Field::Source(index))]));
        }
        Ok(())
    }

    /// Stops what should be stopped, and reads back.
    async fn settle(
        &self,
        model: &OpenWebuiModel,
        budget: &Budget,
        summary: &str,
    ) -> Result<OpenWebuiModel, Diagnostics> {
        let container = names::container(shown(&model.name), COMPONENT);
        if wanted_state(model) == DesiredState::Stopped {
            let halted =
                reconcile::halt(&self.entry.host, std::slice::from_ref(&container), &budget.cancel).await;
            halted.map_err(|failure| Diagnostic::from_error(summary, &failure))?;
        }
        let seen = self.entry.host.inspect(&container).await;
        let seen = seen.map_err(|error| errors::diagnostic(summary, &error, None))?;
        let Some(seen) = seen else {
            let detail = format!("Container {container} on host {:?} vanished.", self.entry.host.name());
            return Err(Diagnostic::error(summary, detail).into());
        };
        let mut state = model.clone();
        show(&mut state, &seen);
        Ok(state)
    }
}

fn show(state: &mut OpenWebuiModel, observed: &ObservedContainer) {
    state.image_id = observed.image_id.as_str().into();
    state.status = drift::status(wanted_state(state), &[Some(observed)]).as_str().into();
    let container = Attr::Known(Nested(container_model(observed)));
    state.containers = Attr::Known(NestedMap(BTreeMap::from([(COMPONENT.to_owned(), container)])));
}

/// State of a page that exists in parts: everything known, so that it can be removed again.
fn half_made(wanted: OpenWebuiModel) -> OpenWebuiModel {
    OpenWebuiModel {
        image_id: Attr::Null,
        containers: Attr::Null,
        status: "failed".into(),
        drift: Attr::Known(Vec::new()),
        ..wanted
    }
}

fn said(model: &OpenWebuiModel, objections: Vec<Objection>) -> Diagnostics {
    told::diagnostics(objections.into_iter().map(|it| at_its_attribute(model, it)).collect())
}

fn decided(
    model: &OpenWebuiModel,
    spec: &OpenWebuiSpec,
    facts: &HostFacts,
    owner: &Owner,
) -> Result<Blueprint, Diagnostics> {
    openwebui::decide::openwebui(spec, facts, owner).map_err(|objections| said(model, objections))
}

fn not_done(summary: &str, failed: &NotDone) -> Diagnostic {
    errors::not_done(summary, failed, None)
}

/// What the plan can find out on the host; what is not an error is a warning. `prior` is null for a page that does not exist
/// yet; `before` is the name of the one as it is, also when another takes its place.
async fn check(
    client: &Client,
    planned: &OpenWebuiModel,
    prior: Option<&OpenWebuiModel>,
    before: Option<&str>,
) -> Result<Diagnostics, Diagnostics> {
    let mut host = planned.host.clone();
    if host.known().is_none() {
        return Ok(Diagnostics::new());
    }
    let Some(entry) = plan_checks::host(client, &planned.host, &mut host)? else {
        return Ok(Diagnostics::new());
    };
    let Some(spec) = provisional(client, planned) else { return Ok(Diagnostics::new()) };
    let (facts, taken) = match plan_checks::for_plan(&entry, prior.is_none()).await {
        Ok(found) => found,
        Err(unchecked) => return Diagnostics::from(unchecked).into_result(),
    };
    let mut found = Diagnostics::new();
    let owner = Owner { run: String::new(), spec_json: String::new() };
    found.extend(decided(planned, &spec, &facts, &owner).err().unwrap_or_default());
    let container = names::container(&spec.name, COMPONENT);
    let own = [Some(spec.name.as_str()), before].into_iter().flatten();
    let own: Vec<_> = own.map(|name| names::container(name, COMPONENT)).collect();
    let is_own = |port: &PortInUse| own.iter().any(|name| look::is_held_by(port, name));
    let others: Vec<_> = taken.into_iter().filter(|port| !is_own(port)).collect();
    if let (Some(_), Some(holder)) =
        (planned.port.known(), ports::conflict(spec.port, &spec.bind_address, &others))
    {
        found.extend(told::diagnostics(vec![ports::taken(holder).at(Field::Port)]));
    }
    if prior.is_none()
        && let Some(name_taken) = look::name_taken(&entry.host, &container).await?
    {
        found.push(name_taken);
    }
    found.extend(plan_checks::image(&entry, &spec.image, spec.pull_policy, &Path::of("image")).await);
    found.extend(plan_checks::folders(&entry, &spec.docker).await);
    found.into_result()
}

/// The spec with stand-ins for what apply picks; `None` while something else is not known.
fn provisional(client: &Client, planned: &OpenWebuiModel) -> Option<OpenWebuiSpec> {
    let mut draft = model::draft(planned, &|host| advertised(client, host));
    draft.secret_env.stand_in();
    if draft.port.is_unknown() {
        draft.port = Given::Is(i64::from(PORT_FROM));
    }
    if let Given::Is(sources) = &mut draft.sources {
        for source in sources {
            if source.port.is_unknown() {
                source.port = Given::Is(i64::from(ports::FRONTEND_FROM));
            }
            if source.served_model_name.is_unknown() {
                source.served_model_name = Given::Absent;
            }
        }
    }
    draft.complete().ok()
}
