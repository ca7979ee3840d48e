//! Planning, making, changing, reading and removing a deployment.

use super::image_release;
use super::model::{
    HostSays, derive, draft, expected_status, label, model_source, objections, tagged, topology_of,
};
use super::schema::{ABOUT, ContainerModel, Containers, DeploymentModel};
use crate::container::{ContainerSpec, ObservedContainer};
use crate::dynamo::blueprint::Blueprint;
use crate::dynamo::decide::{self, FRONTEND};
use crate::dynamo::draft::Given;
use crate::dynamo::model::ModelRef;
use crate::dynamo::objection::{Field, Objection};
use crate::dynamo::spec::{DeploymentSpec, DesiredState, HostFacts, NetworkMode, Owner};
use crate::dynamo::{names, ports};
use crate::hosts::Age;
use crate::inventory::{PortHolder, PortInUse};
use crate::provider::bring;
use crate::provider::client::{Client, Entry, random};
use crate::provider::drift::{self, Explained};
use crate::provider::look::{self, Look};
use crate::provider::{
    cache_servers, docker_checks, errors, image_modules, import_id, model_args, objections, pages,
    picked_ports, plan_checks, secrets, timeouts,
};
use crate::reconcile::{self, Budget, Failed as NotDone, Failure};
use crate::tf_provider::attr::{Attr, Block, Nested, NestedMap};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::provider::{About, Applied, Call, Failed, ImportBy, Plan, Resource, shown};
use crate::tf_provider::value::Path;
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
        let mut found = objections(config).map_or_else(|error| error, objections::diagnostics);
        found.extend(docker_checks::warnings(&config.docker));
        found
    }

    async fn plan_create(
        &self,
        call: &Call<Client>,
        config: &DeploymentModel,
        mut planned: DeploymentModel,
    ) -> Result<Plan<DeploymentModel>, Diagnostics> {
        let entry = plan_checks::host(&call.client, &config.host, &mut planned.host)?;
        derive(config, &mut planned, entry.as_ref().map_or(HostSays::UNKNOWN, says));
        model_args::derive(&call.client, &mut planned);
        secrets::plan(&call.client, &config.secret_env, None, &mut planned).await;
        objections::diagnostics(objections(&planned)?).into_result()?;
        let mut warnings = image_release::warnings(config, &planned);
        if let Some(entry) = entry {
            let predecessor = pages::name_of(call.predecessor.as_ref());
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
        derive(config, &mut planned, entry.as_ref().map_or(HostSays::UNKNOWN, says));
        model_args::derive(&call.client, &mut planned);
        let before = Some(secrets_of(prior, changed || planned != *prior));
        let not_compared = secrets::plan(&call.client, &config.secret_env, before, &mut planned).await;
        let changed = changed || planned.secret_env_status != prior.secret_env_status;
        let ill = planned.status != prior.status || planned.drift != prior.drift;
        if changed || ill {
            planned.containers = Attr::Unknown;
        }
        if planned.image != prior.image {
            planned.image_id = Attr::Unknown;
        }
        if changed {
            objections::diagnostics(objections(&planned)?).into_result()?;
        }
        if let (true, Some(entry)) = (changed, entry) {
            check(&entry, &planned, Some(prior), prior.name.known().map(String::as_str)).await?;
        }
        let mut warnings =
            if changed { image_release::warnings(config, &planned) } else { Diagnostics::new() };
        warnings.extend(not_compared);
        Ok(Plan { warnings, ..planned.into() })
    }

    async fn create(
        &self,
        call: &Call<Client>,
        config: DeploymentModel,
        mut planned: DeploymentModel,
    ) -> Result<Applied<DeploymentModel>, Failed<DeploymentModel>> {
        secrets::take(&config.secret_env, &mut planned);
        if planned.name.known().is_none() {
            planned.name = Attr::Known(names::generated(random().map_err(Diagnostics::from)?));
        }
        let entry = call.client.known_host(shown(&planned.host)).map_err(Diagnostics::from)?;
        let budget = Budget { time: timeouts::create(&planned.timeouts), cancel: call.stopping.clone() };
        for attempt in 1.. {
            match create_once(call, &entry, &config, planned.clone(), &budget).await {
                Err(Trouble::PortTaken(_)) if attempt < picked_ports::ATTEMPTS => {}
                Err(Trouble::PortTaken(failed) | Trouble::Other(failed)) => return Err(*failed),
                Ok(made) => return Ok(made.into()),
            }
        }
        Err(Diagnostics::new().into())
    }

    async fn update(
        &self,
        call: &Call<Client>,
        config: DeploymentModel,
        _prior: DeploymentModel,
        mut planned: DeploymentModel,
    ) -> Result<Applied<DeploymentModel>, Failed<DeploymentModel>> {
        secrets::take(&config.secret_env, &mut planned);
        let name = shown(&planned.name).to_owned();
        let entry = call.client.known_host(shown(&planned.host)).map_err(Diagnostics::from)?;
        find_model(&entry, &mut planned).await;
        model_args::derive(&call.client, &mut planned);
        let summary = format!("Unable to update deployment {name:?}");
        let (facts, _) = plan_checks::facts(&entry, &summary).await.map_err(Diagnostics::from)?;
        let blueprint = blueprint(&call.client, &planned, &facts)?;
        let seen = pages::of_deployment(&entry.host, &name, Age::Now).await;
        let seen = seen.map_err(|error| Diagnostics::from(diagnostic_of(&summary, &error, &planned)))?;
        let look = Look::at(&entry.host, &blueprint, &seen).await;
        let look = look.map_err(|error| Diagnostics::from(diagnostic_of(&summary, &error, &planned)))?;
        let budget = Budget { time: timeouts::update(&planned.timeouts), cancel: call.stopping.clone() };
        let parts: Vec<String> = blueprint.containers.iter().map(|it| it.spec.name.clone()).collect();
        let mut previous = own_containers(&seen);
        previous.extend(look::leftovers(&seen, &call.client.run));
        let pull = spec(&planned)?.common.pull_policy;
        // What is to be stopped is not started first, unless it has to be made anew.
        let in_order = look.is_in_order() && look::leftovers(&seen, &call.client.run).is_empty();
        if wanted_state(&planned) == DesiredState::Running || !in_order {
            // What a new store knows nothing of would go on for a while, and then end by itself.
            if services_are_missing(&planned, &blueprint, &look) {
                let frontend = [names::container(shown(&planned.name), FRONTEND)];
                reconcile::halt(&entry.host, &frontend, &budget.cancel).await.map_err(|failure| {
                    Diagnostics::from(Diagnostic::from_error(summary.clone(), &failure))
                })?;
            }
            if look.takes_new_containers() {
                let common = spec(&planned)?.common;
                image_modules::of_a_server(call, &entry, &common, &summary).await?;
            }
            let state = wanted_state(&planned);
            let assembly = bring::assembly(blueprint, pull, &entry.host, &entry.host, state, &seen);
            reconcile::converge(&entry.host, &assembly, &previous, &budget)
                .await
                .map_err(|failed| Diagnostics::from(not_done(&summary, &failed, &planned)))?;
        }
        settle(&entry, &planned, &parts, &budget).await.map_err(|failure| {
            Failed::from(Diagnostics::from(Diagnostic::from_error(summary.clone(), &failure)))
        })?;
        Ok(finished(&entry, planned, &summary).await.map_err(Failed::from)?.into())
    }

    async fn read(
        &self,
        call: &Call<Client>,
        mut state: DeploymentModel,
    ) -> Result<Option<DeploymentModel>, Diagnostics> {
        let name = shown(&state.name).to_owned();
        let summary = format!("Unable to read deployment {name:?}");
        let entry = call.client.known_host(shown(&state.host))?;
        let facts = plan_checks::for_refresh(&entry, &summary).await?;
        let seen = pages::of_deployment(&entry.host, &name, Age::Walk).await;
        let seen = seen.map_err(|error| diagnostic_of(&summary, &error, &state))?;
        if seen.is_empty() {
            return Ok(None);
        }
        let frontend = names::container(&name, FRONTEND);
        let frontend = seen.iter().find(|container| container.spec.name == frontend);
        secrets::take_found(&mut state, frontend);
        let blueprint = blueprint(&call.client, &state, &facts)?;
        secrets::show(&mut state, frontend);
        let look = Look::at(&entry.host, &blueprint, &seen).await;
        let look = look.map_err(|error| diagnostic_of(&summary, &error, &state))?;
        show(&mut state, &look, &look::leftovers(&seen, &call.client.run));
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
        let seen = pages::of_deployment(&entry.host, &name, Age::Now).await;
        let seen = seen.map_err(|error| Diagnostics::from(diagnostic_of(&summary, &error, &state)))?;
        let pages = pages::joined_to(&entry.host, &names::network(&name)).await;
        let pages = pages.map_err(|error| Diagnostics::from(diagnostic_of(&summary, &error, &state)))?;
        // Workers and pages that are still there belong to a deployment which is being replaced, and go on in what replaces
        // it: they keep the network and the volume through which they are found.
        let network = names::network(&name);
        let used = seen.iter().any(|it| bring::is_worker(it) && it.networks.contains(&network));
        let networks = if used || pages { Vec::new() } else { vec![network] };
        let volumes = if used { Vec::new() } else { vec![names::discovery_volume(&name)] };
        let time = timeouts::delete(&state.timeouts);
        let containers = own_containers(&seen);
        let removal = reconcile::take_down(&entry.host, &containers, &networks, &volumes, &call.stopping);
        match tokio::time::timeout(time, removal).await {
            Ok(Ok(())) => {
                sweep(call, &state).await;
                Ok(())
            }
            Ok(Err(failure)) => Err(Diagnostics::from(Diagnostic::from_error(summary, &failure)).into()),
            Err(_) => Err(Diagnostics::from(timeouts::expired(&summary, entry.host.name(), time)).into()),
        }
    }

    async fn import(&self, call: &Call<Client>, by: ImportBy) -> Result<DeploymentModel, Diagnostics> {
        let (host, name) = import_id::parse(by, "host", "name", "local/chat")?;
        let entry = call.client.known_host(&host)?;
        let container = names::container(&name, FRONTEND);
        let state: DeploymentModel =
            look::imported(&entry.host, &container, FRONTEND, "dynamo_deployment").await?;
        Ok(DeploymentModel { host: host.as_str().into(), name: name.as_str().into(), ..state })
    }
}

enum Trouble {
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

fn secrets_of(prior: &DeploymentModel, changes: bool) -> secrets::Prior<'_> {
    let container = names::container(shown(&prior.name), FRONTEND);
    secrets::Prior { status: &prior.secret_env_status, host: &prior.host, container, changes }
}

/// What the configuration says of a host.
fn says(entry: &Entry) -> HostSays<'_> {
    HostSays { model_cache: entry.model_cache(), advertise_address: entry.advertise_address() }
}

async fn create_once(
    call: &Call<Client>,
    entry: &Entry,
    config: &DeploymentModel,
    mut wanted: DeploymentModel,
    budget: &Budget,
) -> Result<DeploymentModel, Trouble> {
    let summary = format!("Unable to create deployment {:?}", shown(&wanted.name));
    let (facts, mut taken) = plan_checks::facts(entry, &summary).await?;
    let promise = match wanted.port.known() {
        Some(_) => None,
        None => {
            let (host, address) = (entry.host.name(), shown(&wanted.bind_address));
            let promise = call.client.promise_port(host, ports::FRONTEND_FROM, address, &taken);
            let promise =
                promise.map_err(|refusal| objections::diagnostics(vec![refusal.at(Field::Port)]))?;
            wanted.port = Attr::Known(i64::from(promise.port()));
            Some(promise)
        }
    };
    taken.extend(own_port(&wanted));
    let services = picked_ports::services(&call.client, entry, topology_of(&wanted), &taken)?;
    if let Some((addresses, _promises)) = &services {
        wanted.services = Attr::Known(addresses.clone());
    }
    derive(config, &mut wanted, says(entry));
    model_args::derive(&call.client, &mut wanted);
    find_model(entry, &mut wanted).await;
    let blueprint = blueprint(&call.client, &wanted, &facts)?;
    image_modules::of_a_server(call, entry, &spec(&wanted)?.common, &summary).await?;
    let names: Vec<String> = blueprint.containers.iter().map(|it| it.spec.name.clone()).collect();
    let assembly = bring::assembly(
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
        let taken = picked && picked_ports::is_taken(&failed) && state.is_none();
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

/// Whether a service will be made anew, and will know nothing then of those who registered with the one before.
fn services_are_missing(model: &DeploymentModel, blueprint: &Blueprint, look: &Look) -> bool {
    let services = topology_of(model).map(|row| row.services).unwrap_or_default();
    let found = look.containers();
    let mut planned = blueprint.containers.iter().zip(found);
    planned.any(|(planned, found)| {
        services.iter().any(|service| service.name == planned.component) && found.is_none()
    })
}

/// The frontend's port, where a service may not be.
fn own_port(wanted: &DeploymentModel) -> Option<PortInUse> {
    let port = wanted.port.known().and_then(|port| u16::try_from(*port).ok())?;
    let holder = PortHolder::Container { name: names::container(shown(&wanted.name), FRONTEND), ours: true };
    Some(PortInUse { address: shown(&wanted.bind_address).to_owned(), port, holder })
}

/// Stops what should be stopped.
async fn settle(
    entry: &Entry,
    model: &DeploymentModel,
    containers: &[String],
    budget: &Budget,
) -> Result<(), Failure> {
    if wanted_state(model) == DesiredState::Stopped {
        reconcile::halt(&entry.host, containers, &budget.cancel).await?;
    }
    Ok(())
}

/// What is there after the work, as state.
async fn finished(
    entry: &Entry,
    mut model: DeploymentModel,
    summary: &str,
) -> Result<DeploymentModel, Diagnostics> {
    let seen = pages::of_deployment(&entry.host, shown(&model.name), Age::Now).await;
    let seen = seen.map_err(|error| diagnostic_of(summary, &error, &model))?;
    show_containers(&mut model, &seen);
    Ok(model)
}

/// Writes what was seen into the attributes.
fn show(state: &mut DeploymentModel, look: &Look, leftovers: &[String]) {
    let left = |name: &String| format!("container {name} was left by a run that did not finish");
    let mut sentences: Vec<String> = leftovers.iter().map(left).collect();
    for (differences, observed) in look.differing() {
        // What the attributes say is the frontend's; of a service only the sentences speak.
        let (mut no_env, mut no_resources) = (Attr::Null, Block::Absent);
        let is_frontend = bring::ownership(observed).is_some_and(|owner| owner.component == FRONTEND);
        let explained = if is_frontend {
            Explained {
                image: Some(&mut state.image),
                env: &mut state.env,
                resources: &mut state.resources,
                port: Some(&mut state.port),
                bind_address: Some(&mut state.bind_address),
            }
        } else {
            Explained {
                image: None,
                env: &mut no_env,
                resources: &mut no_resources,
                port: None,
                bind_address: None,
            }
        };
        sentences.extend(drift::explain(differences, observed, explained));
    }
    state.drift = Attr::Known(sentences.into_iter().map(Attr::Known).collect());
    state.status = drift::status(wanted_state(state), &look.containers()).as_str().into();
    let seen: Vec<ObservedContainer> = look.containers().into_iter().flatten().cloned().collect();
    show_containers(state, &seen);
}

fn show_containers(state: &mut DeploymentModel, seen: &[ObservedContainer]) {
    let mut containers = Containers::new();
    for container in seen.iter().filter(|container| is_own(container)) {
        let Some(ownership) = bring::ownership(container) else { continue };
        if ownership.component == FRONTEND {
            state.image_id = container.image_id.as_str().into();
        }
        containers.insert(ownership.component, Attr::Known(Nested(container_model(container))));
    }
    state.containers = Attr::Known(NestedMap(containers));
}

/// A container as it was seen.
pub fn container_model(container: &ObservedContainer) -> ContainerModel {
    let ContainerSpec { name, image, .. } = &container.spec;
    ContainerModel {
        name: name.as_str().into(),
        id: container.id.as_str().into(),
        state: container.state.word().into(),
        health: container.health.clone().into(),
        image: image.as_str().into(),
        restart_count: Attr::Known(i64::from(container.restart_count)),
    }
}

/// Names of the deployment's containers without its workers, with those that are still being brought up.
fn own_containers(seen: &[ObservedContainer]) -> Vec<String> {
    let own = seen.iter().filter(|container| is_own(container));
    own.map(|container| container.spec.name.clone()).collect()
}

/// Neither a worker nor what workers brought along.
fn is_own(container: &ObservedContainer) -> bool {
    !bring::is_worker(container) && !cache_servers::is_one(container)
}

/// Removes what workers left that were gone before anybody could ask for their removal, on whatever host they were. A host
/// that is off keeps nobody from removing the deployment.
async fn sweep(call: &Call<Client>, state: &DeploymentModel) {
    let Ok(common) = spec(state).map(|spec| spec.common) else { return };
    if common.network != NetworkMode::Host || common.connector.facts.server.is_none() {
        return;
    }
    let sweeps = call.client.entries().map(async |entry: &Entry| {
        if let Err(failure) = call.client.servers.sweep(entry, &common.name, &call.stopping).await {
            let host = entry.host.name();
            tracing::warn!(host, error = %failure, "could not look for cache servers that nobody has any more");
        }
    });
    futures_util::future::join_all(sweeps).await;
}

fn wanted_state(model: &DeploymentModel) -> DesiredState {
    expected_status(model).known().and_then(|word| DesiredState::parse(word)).unwrap_or(DesiredState::Running)
}

fn spec(model: &DeploymentModel) -> Result<DeploymentSpec, Diagnostics> {
    draft(model)?.complete().map_err(objections::diagnostics)
}

/// Decides where the model comes from, where that is still open.
async fn find_model(entry: &Entry, model: &mut DeploymentModel) {
    let mut decided = model_source(model);
    decided.decide(entry).await;
    (model.model_source, model.model_path) = (decided.source, decided.path);
}

fn blueprint(client: &Client, model: &DeploymentModel, facts: &HostFacts) -> Result<Blueprint, Diagnostics> {
    let owner = Owner { run: client.run.clone(), spec_json: label(model)? };
    let facts = model_source(model).known_to(facts);
    decide::deployment(&spec(model)?, &facts, &owner).map_err(objections::diagnostics)
}

/// The folder that the model is mounted from, for errors about mounts.
fn model_folder(model: &DeploymentModel) -> Option<&str> {
    model
        .model
        .known()
        .map(String::as_str)
        .filter(|text| matches!(ModelRef::parse(text), Ok(ModelRef::Path(_))))
}

fn diagnostic_of(summary: &str, error: &crate::hosts::HostError, model: &DeploymentModel) -> Diagnostic {
    errors::diagnostic(summary, error, model_folder(model))
}

fn not_done(summary: &str, failed: &NotDone, model: &DeploymentModel) -> Diagnostic {
    errors::not_done(summary, failed, model_folder(model))
}

/// What the plan can find out on the host; what is not an error is a warning. `prior` is null for a deployment that does not
/// exist yet; `before` is the name of the one as it is, also when another takes its place.
async fn check(
    entry: &Entry,
    planned: &DeploymentModel,
    prior: Option<&DeploymentModel>,
    before: Option<&str>,
) -> Result<Diagnostics, Diagnostics> {
    let Some(spec) = provisional(planned)? else { return Ok(Diagnostics::new()) };
    let (facts, taken) = match plan_checks::for_plan(entry, prior.is_none()).await {
        Ok(found) => found,
        Err(unchecked) => return Diagnostics::from(unchecked).into_result(),
    };
    let facts = model_source(planned).expected_by(entry, &facts).await;
    let mut found = Diagnostics::new();
    let owner = Owner { run: String::new(), spec_json: String::new() };
    if let Err(wrong) = decide::deployment(&spec, &facts, &owner) {
        found.extend(objections::diagnostics(wrong));
    }
    let frontend = names::container(&spec.common.name, FRONTEND);
    let own = [Some(spec.common.name.as_str()), before].into_iter().flatten();
    let own: Vec<_> = own.map(|name| names::container(name, FRONTEND)).collect();
    let is_own = |port: &PortInUse| own.iter().any(|name| look::is_held_by(port, name));
    let others: Vec<_> = taken.into_iter().filter(|port| !is_own(port)).collect();
    if let (Some(_), Some(holder)) =
        (planned.port.known(), ports::conflict(spec.port, &spec.bind_address, &others))
    {
        let objection: Objection = ports::taken(holder).at(Field::Port);
        found.extend(objections::diagnostics(vec![objection]));
    }
    if prior.is_none()
        && planned.name.known().is_some()
        && let Some(name_taken) = look::name_taken(&entry.host, &frontend).await?
    {
        found.push(name_taken);
    }
    let own = &spec.common.docker;
    found.extend(
        plan_checks::files(entry, &facts, &spec.common, own, &Path::of("model"), &Path::of("image")).await,
    );
    found.into_result()
}

/// The spec with stand-ins for what apply picks; `None` while something else is not known.
fn provisional(planned: &DeploymentModel) -> Result<Option<DeploymentSpec>, Diagnostics> {
    let mut draft = draft(planned)?;
    if draft.port.is_unknown() {
        draft.port = Given::Is(i64::from(ports::FRONTEND_FROM));
    }
    if planned.services.is_unknown() {
        draft.common.services = picked_ports::services_to_come(topology_of(planned));
    }
    draft.secret_env.stand_in();
    if draft.common.name.is_unknown() {
        draft.common.name = Given::Is(names::generated([0; names::SUFFIX_LENGTH]));
    }
    Ok(draft.complete().ok())
}
