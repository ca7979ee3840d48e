//! What the plan of a worker can find out on its host: all that would go wrong in apply, before anything is touched.

use super::apply::decided;
use super::model::{deployment, draft, model_source, topology, uuids, wanted_state};
use super::provisional::provisional;
use super::schema::WorkerModel;
use crate::dynamo::spec::gpus::GpuRequest;
use crate::dynamo::spec::{Owner, WorkerSpec};
use crate::dynamo::terms::words::{DesiredState, NetworkMode};
use crate::provider::allocation::gpus;
use crate::provider::machine::{Machine, facts};
use crate::provider::plan_checks;
use crate::provider::plan_checks::gpu_memory;
use crate::provider::session::Client;
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::provider::shown;
use crate::tf_provider::value::Path;

/// What the plan can find out on the host; nothing while something that matters is not known. What is not an error is a
/// warning. `container` is that of the worker as it is, also when another takes its place.
pub(super) async fn check(
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
    let Some(spec) = provisional(planned)? else { return Ok(Diagnostics::new()) };
    let (facts, _) = match facts::for_plan(&entry, new).await {
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
        found.extend(gpu_memory::check(client, &entry, &spec).await);
        if let Err(apart) = meets_the_others(client, &entry, planned, &spec) {
            found.push(apart);
        }
        found.extend(client.caches.plan(&entry, &facts, &spec, container).await);
    }
    found.into_result()
}

/// Lets the workers that are planned later know what this one keeps.
pub(super) async fn stays(client: &Client, worker: &WorkerModel) -> Result<(), Diagnostics> {
    let has = uuids(&worker.gpu_uuids);
    let Attr::Known(host) = &worker.host else { return Ok(()) };
    let Ok(entry) = client.known_host(host) else { return Ok(()) };
    let request = if worker.gpu_count.is_null() { gpus::the_same(&has) } else { GpuRequest::Count(0) };
    let (name, container) = (deployment(worker).name, shown(&worker.container));
    if let Ok(spec) = draft(worker)?.complete() {
        client.caches.stays(frontend_host(worker).as_deref(), &entry, &spec, container);
    }
    client.gpus.stays(&entry, &request, shown(&name), container, &has).await
}

fn frontend_host(worker: &WorkerModel) -> Option<String> {
    deployment(worker).host.known().cloned()
}

/// What one worker hands to another through the memory of a host is not there on the next one.
fn meets_the_others(
    client: &Client,
    entry: &Machine,
    planned: &WorkerModel,
    spec: &WorkerSpec,
) -> Result<(), Diagnostic> {
    let frontend = frontend_host(planned);
    let other = client.caches.elsewhere(frontend.as_deref(), entry.host.name(), spec);
    let Some(other) = other else { return Ok(()) };
    let detail = format!(
        "Prefill and decode workers of deployment {:?} hand over through its cache server, which is in the memory of one host, \
         and others of them are on host {other:?}. Put all of them on one host. To have them on several, set \
         connector.server = false on the deployment, or connector.type = \"nixl\".",
        spec.deployment.name
    );
    Err(Diagnostic::error("The workers would not meet", detail).at(Path::of("host")))
}

/// A private network ends at its host, and the loopback address at its machine.
fn within_reach(client: &Client, planned: &WorkerModel, entry: &Machine) -> Result<(), Diagnostic> {
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
