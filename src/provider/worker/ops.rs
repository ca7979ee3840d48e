//! Planning, making, changing, reading and removing a worker.

use super::model::{
    self, container_name, deployment, derive, draft, effective_args, label, model_source, objections, picked,
    planned_gpus, topology, uuids, wanted_state,
};
use super::schema::{ABOUT, WorkerModel};
use crate::container::ObservedContainer;
use crate::dynamo::blueprint::{Blueprint, Readiness};
use crate::dynamo::check::ranks;
use crate::dynamo::decide::{self, FRONTEND, WORKER};
use crate::dynamo::draft::Given;
use crate::dynamo::gpus::GpuRequest;
use crate::dynamo::names;
use crate::dynamo::spec::{DesiredState, HostFacts, NetworkMode, Owner, WorkerSpec};
use crate::hosts::{Age, Filter, HostError};
use crate::provider::bring;
use crate::provider::client::{Client, Entry, PromisedPort, random};
use crate::provider::drift::{self, Explained};
use crate::provider::fit;
use crate::provider::gpus::{self, PromisedGpus};
use crate::provider::look::{self, Look};
use crate::provider::{
    docker_checks, errors, image_modules, import_id, objections, picked_ports, plan_checks, secrets, timeouts,
};
use crate::reconcile::{self, Budget, Failed as NotDone};
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::provider::{About, Applied, Call, Failed, ImportBy, Plan, Resource, shown};
use crate::tf_provider::value::Path;
use async_trait::async_trait;
use std::time::Duration;

/// A frontend finds a worker a moment after that serves: pauses between looks, before it is called lost.
const FOUND_LATE: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::ZERO];

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
        let mut found = objections(config).map_or_else(|error| error, objections::diagnostics);
        found.extend(docker_checks::warnings(&config.docker));
        found
    }

    async fn plan_create(
        &self,
        call: &Call<Client>,
        config: &WorkerModel,
        mut planned: WorkerModel,
    ) -> Result<Plan<WorkerModel>, Diagnostics> {
        derive(config, &mut planned);
        secrets::plan(&call.client, &config.secret_env, None, &mut planned).await;
        planned.gpu_uuids = planned_gpus(None, &planned);
        planned.effective_engine_args = effective_args(&planned);
        objections::diagnostics(objections(&planned)?).into_result()?;
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
        let before = Some(secrets_of(prior, changed || planned != *prior));
        let not_compared = secrets::plan(&call.client, &config.secret_env, before, &mut planned).await;
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
            objections::diagnostics(objections(&plan.planned)?).into_result()?;
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
        secrets::take(&config.secret_env, &mut planned);
        call.client.caches.making();
        let suffix = names::suffix(random().map_err(Diagnostics::from)?);
        planned.container = container_name(&planned, &suffix).into();
        derive(&config, &mut planned);
        let summary =
            format!("Unable to create a worker of deployment {:?}", shown(&deployment(&planned).name));
        let place = Place::of(&call.client, &planned).map_err(Diagnostics::from)?;
        place.frontend_is_there(&planned, &summary).await?;
        place.find_model(&mut planned).await;
        planned.effective_engine_args = effective_args(&planned);
        let _gpus = place.give_gpus(&call.client, &mut planned, &[], &summary).await?;
        let budget = Budget { time: timeouts::create(&planned.timeouts), cancel: call.stopping.clone() };
        for attempt in 1.. {
            let made = place.create_once(call, &mut planned, &budget, &summary).await?;
            let Err(failed) = made else { break };
            let again = failed.left.is_empty() && picked_ports::is_taken(&failed);
            if !again || attempt >= picked_ports::ATTEMPTS {
                let state = (!failed.left.is_empty()).then(|| half_made(planned.clone()));
                return Err(Failed { state, diagnostics: not_done(&summary, &failed).into() });
            }
        }
        match place.settle(&planned, &budget, &summary).await {
            Ok(state) => Ok(state.into()),
            Err(diagnostics) => Err(Failed { state: Some(half_made(planned)), diagnostics }),
        }
    }

    async fn update(
        &self,
        call: &Call<Client>,
        config: WorkerModel,
        prior: WorkerModel,
        mut planned: WorkerModel,
    ) -> Result<Applied<WorkerModel>, Failed<WorkerModel>> {
        secrets::take(&config.secret_env, &mut planned);
        let summary = format!("Unable to update worker {:?}", shown(&planned.container));
        let place = Place::of(&call.client, &planned).map_err(Diagnostics::from)?;
        // One at a time: the others serve meanwhile.
        let _turn = call.client.rolling_turn(shown(&deployment(&planned).id), model::role(&planned)).await;
        place.find_model(&mut planned).await;
        planned.effective_engine_args = effective_args(&planned);
        let picks = planned.ports.is_unknown();
        if picks {
            planned.ports = picked_ports::with_those_to_come(&prior.ports, &picked(&planned));
        }
        let budget = Budget { time: timeouts::update(&planned.timeouts), cancel: call.stopping.clone() };
        // What is to be stopped is not started first, unless it has to be made anew.
        if !place.only_stops(call, &planned, &summary).await? {
            let had = uuids(&prior.gpu_uuids);
            let _gpus = place.give_gpus(&call.client, &mut planned, &had, &summary).await?;
            let (mut blueprint, pull) = place.blueprint(call, &planned, &summary).await?;
            let mut look = place.look(&blueprint, Age::Now, &summary).await?;
            let mut promised = Vec::new();
            if picks && look.takes_new_containers() {
                promised = place.promise_ports(&call.client, &mut planned, &summary).await?;
                (blueprint, _) = place.blueprint(call, &planned, &summary).await?;
                look = place.look(&blueprint, Age::Now, &summary).await?;
            }
            if look.takes_new_containers() {
                place.image_is_complete(call, &planned, &blueprint, &summary).await?;
            }
            if place.is_lost(&prior, &blueprint, &look).await {
                restart(&place.entry, shown(&planned.container), &summary).await?;
            }
            place.frontend_is_there(&planned, &summary).await?;
            let assembly = bring::assembly(
                blueprint,
                pull,
                &place.entry.host,
                &place.frontend.host,
                wanted_state(&planned),
                &look.observed(),
            );
            let converged = reconcile::converge(&place.entry.host, &assembly, &[], &budget).await;
            drop(promised);
            converged.map_err(|failed| Diagnostics::from(not_done(&summary, &failed)))?;
        }
        Ok(place.settle(&planned, &budget, &summary).await?.into())
    }

    async fn read(
        &self,
        call: &Call<Client>,
        mut state: WorkerModel,
    ) -> Result<Option<WorkerModel>, Diagnostics> {
        let summary = format!("Unable to read worker {:?}", shown(&state.container));
        let place = Place::of(&call.client, &state)?;
        plan_checks::for_refresh(&place.entry, &summary).await?;
        let container = vec![shown(&state.container).to_owned()];
        let seen = place.entry.host.observe(&Filter::Names(container), Age::Walk).await;
        let seen = seen.map_err(|error| errors::diagnostic(&summary, &error, None))?;
        secrets::take_found(&mut state, seen.first());
        let (blueprint, _) = place.blueprint(call, &state, &summary).await?;
        let look = place.look(&blueprint, Age::Walk, &summary).await?;
        let Some(Some(observed)) = look.containers().first().map(|seen| seen.cloned()) else {
            return Ok(None);
        };
        secrets::show(&mut state, Some(&observed));
        state.registered = place.registered(&state, &blueprint, &observed).await;
        let mut sentences = Vec::new();
        for (differences, observed) in look.differing() {
            let explained = Explained {
                image: None,
                env: &mut state.env,
                resources: &mut state.resources,
                port: None,
                bind_address: None,
            };
            sentences.extend(drift::explain(differences, observed, explained));
        }
        state.drift = Attr::Known(sentences.into_iter().map(Attr::Known).collect());
        show(&mut state, &observed);
        Ok(Some(state))
    }

    async fn delete(&self, call: &Call<Client>, state: WorkerModel) -> Result<(), Failed<WorkerModel>> {
        let containers = [shown(&state.container).to_owned()];
        let summary = format!("Unable to remove worker {:?}", shown(&state.container));
        let entry = call.client.known_host(shown(&state.host)).map_err(Diagnostics::from)?;
        let time = timeouts::delete(&state.timeouts);
        let removal = reconcile::take_down(&entry.host, &containers, &[], &[], &call.stopping);
        match tokio::time::timeout(time, removal).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(failure)) => Err(Diagnostics::from(Diagnostic::from_error(summary, &failure)).into()),
            Err(_) => Err(Diagnostics::from(timeouts::expired(&summary, entry.host.name(), time)).into()),
        }
    }

    async fn import(&self, call: &Call<Client>, by: ImportBy) -> Result<WorkerModel, Diagnostics> {
        let (host, container) = import_id::parse(by, "host", "container", "local/chat-decode-4k7x2m")?;
        let entry = call.client.known_host(&host)?;
        let state: WorkerModel = look::imported(&entry.host, &container, WORKER, "dynamo_worker").await?;
        let id = Attr::Known(format!("{host}/{container}"));
        Ok(WorkerModel { id, host: Attr::Known(host), container: Attr::Known(container), ..state })
    }
}

fn secrets_of(prior: &WorkerModel, changes: bool) -> secrets::Prior<'_> {
    let container = shown(&prior.container).to_owned();
    secrets::Prior { status: &prior.secret_env_status, host: &prior.host, container, changes }
}

/// Where a worker is, and where its frontend is.
struct Place {
    entry: Entry,
    frontend: Entry,
}

impl Place {
    fn of(client: &Client, model: &WorkerModel) -> Result<Self, Diagnostic> {
        let entry = client.known_host(shown(&model.host))?;
        let frontend = client.known_host(shown(&deployment(model).host))?;
        Ok(Self { entry, frontend })
    }

    async fn blueprint(
        &self,
        call: &Call<Client>,
        model: &WorkerModel,
        summary: &str,
    ) -> Result<(Blueprint, crate::dynamo::spec::PullPolicy), Diagnostics> {
        let (facts, _) = plan_checks::facts(&self.entry, summary).await?;
        let spec = draft(model)?.complete().map_err(objections::diagnostics)?;
        let owner = Owner { run: call.client.run.clone(), spec_json: label(model)? };
        let facts = model_source(model).known_to(&facts);
        Ok((decided(&spec, &facts, &owner)?, spec.deployment.pull_policy))
    }

    /// Decides where the model comes from, where that is still open.
    async fn find_model(&self, worker: &mut WorkerModel) {
        let mut decided = model_source(worker);
        decided.decide(&self.entry).await;
        (worker.model_source, worker.model_path) = (decided.source, decided.path);
    }

    /// Picks ports and brings the container up.
    async fn create_once(
        &self,
        call: &Call<Client>,
        planned: &mut WorkerModel,
        budget: &Budget,
        summary: &str,
    ) -> Result<Result<(), NotDone>, Diagnostics> {
        let _promised = self.promise_ports(&call.client, planned, summary).await?;
        let (blueprint, pull) = self.blueprint(call, planned, summary).await?;
        self.image_is_complete(call, planned, &blueprint, summary).await?;
        let state = wanted_state(planned);
        let assembly = bring::assembly(blueprint, pull, &self.entry.host, &self.frontend.host, state, &[]);
        Ok(reconcile::bring_up(&self.entry.host, &assembly, budget).await.map(drop))
    }

    /// Before anything is stopped for it.
    async fn image_is_complete(
        &self,
        call: &Call<Client>,
        model: &WorkerModel,
        blueprint: &Blueprint,
        summary: &str,
    ) -> Result<(), Diagnostics> {
        image_modules::of_a_worker(call, &self.entry, &draft(model)?, blueprint, summary).await
    }

    /// Picks ports for a container that is to be made, where they are not constants.
    async fn promise_ports(
        &self,
        client: &Client,
        planned: &mut WorkerModel,
        summary: &str,
    ) -> Result<Vec<PromisedPort>, Diagnostics> {
        let rows = picked(planned);
        let taken =
            if rows.is_empty() { Vec::new() } else { plan_checks::facts(&self.entry, summary).await?.1 };
        let (ports, promises) =
            picked_ports::worker(client, &self.entry, &rows, ranks(&draft(planned)?), &taken)?;
        planned.ports = Attr::Known(ports);
        Ok(promises)
    }

    /// Decides the GPUs of a worker that is about to run, and keeps them for it while it does not yet. Those that are
    /// planned are the ones, or none are.
    async fn give_gpus(
        &self,
        client: &Client,
        planned: &mut WorkerModel,
        had: &[String],
        summary: &str,
    ) -> Result<PromisedGpus, Diagnostics> {
        let request = match &planned.gpu_uuids {
            Attr::Known(_) => gpus::the_same(&uuids(&planned.gpu_uuids)),
            Attr::Null | Attr::Unknown => {
                let mut draft = draft(planned)?;
                draft.gpus.assigned = Given::Absent;
                if planned.ports.is_unknown() {
                    draft.ports = picked_ports::ports_to_come(&picked(planned));
                }
                draft.complete().map_err(objections::diagnostics)?.gpu_request
            }
        };
        let container = shown(&planned.container);
        let promised = client.gpus.assign(&self.entry, &request, container, had, summary).await?;
        let devices = promised.devices().iter();
        planned.gpu_uuids = Attr::Known(devices.map(|device| device.as_str().into()).collect());
        Ok(promised)
    }

    /// Whether a worker is to be stopped and is otherwise as it should be.
    async fn only_stops(
        &self,
        call: &Call<Client>,
        planned: &WorkerModel,
        summary: &str,
    ) -> Result<bool, Diagnostics> {
        if wanted_state(planned) != DesiredState::Stopped || planned.gpu_uuids.is_unknown() {
            return Ok(false);
        }
        let (blueprint, _) = self.blueprint(call, planned, summary).await?;
        Ok(self.look(&blueprint, Age::Now, summary).await?.is_in_order())
    }

    async fn look(&self, blueprint: &Blueprint, age: Age, summary: &str) -> Result<Look, Diagnostics> {
        let look = async {
            let names = blueprint.containers.iter().map(|planned| planned.spec.name.clone()).collect();
            let seen = self.entry.host.observe(&Filter::Names(names), age).await?;
            Look::at(&self.entry.host, blueprint, &seen).await
        };
        look.await.map_err(|error: HostError| errors::diagnostic(summary, &error, None).into())
    }

    /// A worker cannot serve without it, and its error would only say that nothing listed it.
    async fn frontend_is_there(&self, model: &WorkerModel, summary: &str) -> Result<(), Diagnostics> {
        let deployment = deployment(model);
        let container = names::container(shown(&deployment.name), FRONTEND);
        let seen = self.frontend.host.inspect(&container).await;
        let seen = seen.map_err(|error| errors::diagnostic(summary, &error, None))?;
        if seen.is_some_and(|seen| bring::ownership(&seen).is_some()) {
            return Ok(());
        }
        let detail = format!(
            "Deployment {:?} is gone: host {:?} has no frontend {container}. Apply the deployment first (without \
             -refresh=false and -target, Terraform sees by itself that it is gone).",
            shown(&deployment.name),
            self.frontend.host.name()
        );
        Err(Diagnostic::error(summary, detail).at(Path::of("deployment")).into())
    }

    /// Whether the frontend lists the worker. While the frontend itself does not answer, nothing new is known.
    async fn registered(
        &self,
        state: &WorkerModel,
        blueprint: &Blueprint,
        observed: &ObservedContainer,
    ) -> Attr<bool> {
        let Some(Readiness::WorkerListed(listing)) =
            blueprint.containers.first().map(|planned| &planned.ready)
        else {
            return state.registered.clone();
        };
        match bring::listed(&self.frontend.host, listing, observed, Age::Walk).await {
            Ok(()) => Attr::Known(true),
            Err(bring::NotListed::Missing(_)) => Attr::Known(false),
            Err(bring::NotListed::FrontendSilent(_)) if !state.registered.is_null() => {
                state.registered.clone()
            }
            Err(bring::NotListed::FrontendSilent(_)) => Attr::Known(false),
        }
    }

    /// A worker that is as it should be and says that it serves, but that the frontend goes on not to list: only a new
    /// start helps. One that does not say so is loading its model, perhaps since its host was started a minute ago: it is
    /// left to that, and waited for.
    async fn is_lost(&self, prior: &WorkerModel, blueprint: &Blueprint, look: &Look) -> bool {
        let Some(Some(observed)) = look.containers().first().copied() else { return false };
        let Some(Readiness::WorkerListed(listing)) =
            blueprint.containers.first().map(|planned| &planned.ready)
        else {
            return false;
        };
        let runs = observed.state == crate::container::RunState::Running;
        if !look.is_in_order() || prior.registered != Attr::Known(false) || !runs {
            return false;
        }
        for pause in FOUND_LATE {
            let listed = bring::listed(&self.frontend.host, listing, observed, Age::Now).await;
            let unlisted = matches!(listed, Err(bring::NotListed::Missing(_)));
            if !unlisted || !bring::serves(&self.entry.host, listing, observed).await {
                return false;
            }
            tokio::time::sleep(pause).await;
        }
        true
    }

    /// Stops what should be stopped, and reads back.
    async fn settle(
        &self,
        model: &WorkerModel,
        budget: &Budget,
        summary: &str,
    ) -> Result<WorkerModel, Diagnostics> {
        let container = shown(&model.container).to_owned();
        if wanted_state(model) == DesiredState::Stopped {
            let halted =
                reconcile::halt(&self.entry.host, std::slice::from_ref(&container), &budget.cancel).await;
            halted.map_err(|failure| Diagnostic::from_error(summary, &failure))?;
        }
        let seen = self.entry.host.inspect(&container).await;
        let seen = seen.map_err(|error| errors::diagnostic(summary, &error, None))?;
        let mut state = model.clone();
        let Some(seen) = seen else {
            let detail = format!("Container {container} on host {:?} vanished.", self.entry.host.name());
            return Err(Diagnostic::error(summary, detail).into());
        };
        show(&mut state, &seen);
        Ok(state)
    }
}

fn show(state: &mut WorkerModel, observed: &ObservedContainer) {
    state.image_id = observed.image_id.as_str().into();
    state.status = drift::status(wanted_state(state), &[Some(observed)]).as_str().into();
    // What it was given stays what it should have: another GPU in its container is a drift.
    if state.gpu_uuids.is_null() {
        let gpus = observed.spec.gpus.iter();
        state.gpu_uuids = Attr::Known(gpus.map(|uuid| uuid.as_str().into()).collect());
    }
}

async fn restart(entry: &Entry, container: &str, summary: &str) -> Result<(), Diagnostics> {
    let restarted = async {
        let Some(seen) = entry.host.inspect(container).await? else { return Ok(()) };
        entry.host.stop(&seen.id, seen.spec.stop_grace_seconds).await?;
        entry.host.start(&seen.id).await
    };
    restarted.await.map_err(|error: HostError| errors::diagnostic(summary, &error, None).into())
}

/// State of a worker that exists in parts: everything known, so that it can be removed again.
fn half_made(wanted: WorkerModel) -> WorkerModel {
    WorkerModel {
        image_id: Attr::Null,
        registered: Attr::Known(false),
        status: "failed".into(),
        drift: Attr::Known(Vec::new()),
        ..wanted
    }
}

fn decided(spec: &WorkerSpec, facts: &HostFacts, owner: &Owner) -> Result<Blueprint, Diagnostics> {
    decide::worker(spec, facts, owner).map_err(objections::diagnostics)
}

fn not_done(summary: &str, failed: &NotDone) -> Diagnostic {
    errors::not_done(summary, failed, None)
}

/// What the plan can find out on the host; nothing while something that matters is not known. What is not an error is a
/// warning. `container` is that of the worker as it is, also when another takes its place.
async fn check(
    client: &Client,
    planned: &WorkerModel,
    container: Option<&str>,
    new: bool,
) -> Result<Diagnostics, Diagnostics> {
    let mut host = planned.host.clone();
    if host.is_unknown() {
        return Ok(Diagnostics::new());
    }
    let Some(entry) = plan_checks::host(client, &planned.host, &mut host)? else {
        return Ok(Diagnostics::new());
    };
    within_reach(client, planned, &entry)?;
    let mut draft = model::draft(planned)?;
    if draft.suffix.is_unknown() {
        draft.suffix = Given::Is(names::suffix([0; names::SUFFIX_LENGTH]));
    }
    draft.secret_env.stand_in();
    if draft.gpus.assigned.is_unknown() {
        draft.gpus.assigned = Given::Absent;
    }
    if deployment(planned).services.is_unknown() {
        draft.deployment.services = picked_ports::services_to_come(topology(planned));
    }
    if planned.ports.is_unknown() {
        draft.ports = picked_ports::ports_to_come(&picked(planned));
    }
    let Ok(spec) = draft.complete() else { return Ok(Diagnostics::new()) };
    let (facts, _) = match plan_checks::for_plan(&entry, new).await {
        Ok(found) => found,
        Err(unchecked) => return Diagnostics::from(unchecked).into_result(),
    };
    let facts = model_source(planned).expected_by(&entry, &facts).await;
    let mut found = Diagnostics::new();
    if let Err(wrong) = decided(&spec, &facts, &Owner { run: String::new(), spec_json: String::new() }) {
        found.extend(wrong);
    }
    let at = Path::of("deployment");
    found.extend(plan_checks::files(&entry, &facts, &spec.deployment, &spec.docker, &at, &at).await);
    // A stopped worker that stays stopped holds nothing, and a new one runs for a moment.
    if wanted_state(planned) == DesiredState::Running || container.is_none() {
        let checked = client.gpus.plan(&entry, &gpus::wanted(&spec), &spec.deployment.name, container).await;
        found.extend(checked.err().unwrap_or_default());
        found.extend(fit::check(client, &entry, &spec).await);
        found.extend(client.caches.plan(&entry, &facts, &spec, container).await);
    }
    found.into_result()
}

/// Lets the workers that are planned later know what this one keeps.
async fn stays(client: &Client, worker: &WorkerModel) -> Result<(), Diagnostics> {
    let has = uuids(&worker.gpu_uuids);
    let Attr::Known(host) = &worker.host else { return Ok(()) };
    let Ok(entry) = client.known_host(host) else { return Ok(()) };
    let request = if worker.gpu_count.is_null() { gpus::the_same(&has) } else { GpuRequest::Count(0) };
    let (name, container) = (deployment(worker).name, shown(&worker.container));
    if let Ok(spec) = draft(worker)?.complete() {
        client.caches.stays(&entry, &spec, container);
    }
    client.gpus.stays(&entry, &request, shown(&name), container, &has).await
}

/// A private network ends at its host, and the loopback address at its machine.
fn within_reach(client: &Client, planned: &WorkerModel, entry: &Entry) -> Result<(), Diagnostic> {
    let theirs = deployment(planned);
    let (Some(own), Some(other)) = (planned.host.known(), theirs.host.known()) else { return Ok(()) };
    if own == other {
        return Ok(());
    }
    if topology(planned).is_some_and(|row| row.network == NetworkMode::Bridge) {
        let detail = format!(
            "Deployment {:?} is on host {other:?} and its containers share a private network there, which a worker on \
             host {own:?} cannot join. Set network = \"host\" on the deployment to have workers on several hosts, or leave \
             host out here.",
            shown(&theirs.name)
        );
        let error = Diagnostic::error("The worker is on another host than its deployment", detail);
        return Err(error.at(Path::of("host")));
    }
    let frontend = client.host(other).ok();
    let silent = [Some(entry), frontend.as_ref()].into_iter().flatten();
    match silent.into_iter().find(|entry| entry.advertise_address().is_null()) {
        None => Ok(()),
        Some(entry) => {
            let detail = format!(
                "The worker is on host {own:?} and its frontend on host {other:?}, but of {:?} no address is known at which \
                 the other one can reach it. Set advertise_address in its entry of the provider's hosts.",
                entry.host.name()
            );
            Err(Diagnostic::error("The hosts cannot reach each other", detail).at(Path::of("host")))
        }
    }
}
