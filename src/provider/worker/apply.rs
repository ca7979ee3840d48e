//! What is done for a worker on its host and its frontend's.

use super::model::{deployment, draft, model_source, uuids, wanted_state};
use super::provisional::{own_rows, provisional_spec, with_provisional_ports};
use super::schema::WorkerModel;
use crate::container::ObservedContainer;
use crate::dynamo::blueprint::{Blueprint, Readiness};
use crate::dynamo::check::ranks;
use crate::dynamo::decide;
use crate::dynamo::spec::{HostFacts, Owner, WorkerSpec};
use crate::dynamo::terms::names;
use crate::dynamo::terms::names::FRONTEND;
use crate::dynamo::terms::words::DesiredState;
use crate::hosts::{Age, Filter, HostError};
use crate::provider::allocation::gpus::GpuLease;
use crate::provider::allocation::port_leases::PortLease;
use crate::provider::allocation::{gpus, port_leases};
use crate::provider::attributes::{host_errors, paths, picked_ports};
use crate::provider::lifecycle::comparison::Comparison;
use crate::provider::lifecycle::resource::{Attempt, ContainerResource, Maker};
use crate::provider::lifecycle::{assembly, drift, image_modules, probes, resource};
use crate::provider::machine::{Machine, facts};
use crate::provider::session::Client;
use crate::reconcile;
use crate::reconcile::Deadline;
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::provider::{Call, Failed, shown};
use crate::tf_provider::value::Path;
use async_trait::async_trait;
use std::time::Duration;

/// A frontend finds a worker a moment after that serves: pauses between looks, before it is called lost.
const FOUND_LATE: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::ZERO];

/// The host of a worker, and that of its frontend.
pub(super) struct WorkerHosts {
    pub entry: Machine,
    pub frontend: Machine,
}

impl WorkerHosts {
    pub(super) fn of(client: &Client, model: &WorkerModel) -> Result<Self, Diagnostic> {
        let entry = client.known_host(shown(&model.host))?;
        let frontend = client.known_host(shown(&deployment(model).host))?;
        Ok(Self { entry, frontend })
    }

    pub(super) async fn blueprint(
        &self,
        call: &Call<Client>,
        model: &WorkerModel,
        summary: &str,
    ) -> Result<(Blueprint, WorkerSpec), Diagnostics> {
        let (facts, _) = facts::facts(&self.entry, summary).await?;
        let spec = draft(model)?.complete().map_err(paths::diagnostics)?;
        let owner = Owner { run: call.client.run.clone(), spec_json: resource::label(model)? };
        let facts = model_source(model).known_to(&facts);
        Ok((decided(&spec, &facts, &owner)?, spec))
    }

    /// Decides where the model comes from, where that is still open.
    pub(super) async fn find_model(&self, worker: &mut WorkerModel) {
        let mut decided = model_source(worker);
        decided.decide(&self.entry).await;
        (worker.model_source, worker.model_path) = (decided.source, decided.path);
    }

    /// Makes the worker, with other ports where somebody takes those that were picked.
    pub(super) async fn create(
        &self,
        call: &Call<Client>,
        planned: &WorkerModel,
        budget: &Deadline,
        summary: &str,
    ) -> Result<WorkerModel, Failed<WorkerModel>> {
        resource::make(&MakeWorker { hosts: self, call, budget, summary }, planned, true, summary).await
    }

    /// Picks ports and brings the container up, and before it what it shares with others there.
    async fn bring_up(
        &self,
        call: &Call<Client>,
        mut wanted: WorkerModel,
        budget: &Deadline,
        summary: &str,
    ) -> Result<Attempt<WorkerModel>, Diagnostics> {
        wanted.ports = Attr::Unknown;
        let _promised = self.promise_ports(&call.client, &mut wanted, summary).await?;
        self.image_is_complete(call, &wanted, summary).await?;
        let _held = match self.bring_server(call, &mut wanted, true, budget, summary).await? {
            Ok(held) => held,
            Err(failed) => return Ok((wanted, Err(failed))),
        };
        let (blueprint, spec) = self.blueprint(call, &wanted, summary).await?;
        let (pull, state) = (spec.deployment.pull_policy, wanted_state(&wanted));
        let assembly = assembly::assembly(blueprint, pull, &self.entry.host, &self.frontend.host, state, &[]);
        let up = reconcile::bring_up(&self.entry.host, &assembly, budget).await.map(drop);
        Ok((wanted, up))
    }

    /// Before anything is stopped for it.
    pub(super) async fn image_is_complete(
        &self,
        call: &Call<Client>,
        model: &WorkerModel,
        summary: &str,
    ) -> Result<(), Diagnostics> {
        let (blueprint, spec) = self.blueprint(call, &with_provisional_ports(model), summary).await?;
        image_modules::of_a_worker(call, &self.entry, &spec.deployment, &blueprint, summary).await
    }

    /// Picks ports for a container that is to be made, where they are not constants. Those of a server that it shares are
    /// not among them.
    pub(super) async fn promise_ports(
        &self,
        client: &Client,
        planned: &mut WorkerModel,
        summary: &str,
    ) -> Result<Vec<PortLease>, Diagnostics> {
        let rows = own_rows(planned);
        let taken = if rows.is_empty() { Vec::new() } else { facts::facts(&self.entry, summary).await?.1 };
        let (ports, promises) =
            port_leases::worker(&client.ports, &self.entry, &rows, ranks(&draft(planned)?), &taken)?;
        picked_ports::set(&mut planned.ports, ports);
        Ok(promises)
    }

    /// Decides the GPUs of a worker that is about to run, and keeps them for it while it does not yet. Those that are
    /// planned are the ones, or none are.
    pub(super) async fn give_gpus(
        &self,
        client: &Client,
        planned: &mut WorkerModel,
        had: &[String],
        summary: &str,
    ) -> Result<GpuLease, Diagnostics> {
        let request = match &planned.gpu_uuids {
            Attr::Known(_) => gpus::the_same(&uuids(&planned.gpu_uuids)),
            Attr::Null | Attr::Unknown => provisional_spec(planned)?.gpu_request,
        };
        let container = shown(&planned.container);
        let promised = client.gpus.assign(&self.entry, &request, container, had, summary).await?;
        let devices = promised.devices().iter();
        planned.gpu_uuids = Attr::Known(devices.map(|device| device.as_str().into()).collect());
        Ok(promised)
    }

    /// Whether a worker is to be stopped and is otherwise as it should be.
    pub(super) async fn only_stops(
        &self,
        call: &Call<Client>,
        planned: &WorkerModel,
        summary: &str,
    ) -> Result<bool, Diagnostics> {
        if wanted_state(planned) != DesiredState::Stopped || planned.gpu_uuids.is_unknown() {
            return Ok(false);
        }
        let (blueprint, _) = self.blueprint(call, planned, summary).await?;
        Ok(self.compare(&blueprint, Age::Now, summary).await?.is_in_order())
    }

    pub(super) async fn compare(
        &self,
        blueprint: &Blueprint,
        age: Age,
        summary: &str,
    ) -> Result<Comparison, Diagnostics> {
        let compared = async {
            let names = blueprint.containers.iter().map(|planned| planned.spec.name.clone()).collect();
            let seen = self.entry.host.observe(&Filter::Names(names), age).await?;
            Comparison::of(&self.entry.host, blueprint, &seen).await
        };
        compared.await.map_err(|error: HostError| host_errors::diagnostic(summary, &error, None).into())
    }

    /// A worker cannot serve without it, and its error would only say that nothing listed it.
    pub(super) async fn frontend_is_there(
        &self,
        model: &WorkerModel,
        summary: &str,
    ) -> Result<(), Diagnostics> {
        let deployment = deployment(model);
        let container = names::container(shown(&deployment.name), FRONTEND);
        let seen = self.frontend.host.inspect(&container).await;
        let seen = seen.map_err(|error| host_errors::diagnostic(summary, &error, None))?;
        if seen.is_some_and(|seen| assembly::ownership(&seen).is_some()) {
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

    /// Brings a worker that is there to what is planned, and before it what it shares with others there. Where `picks`, its
    /// ports may be others.
    pub(super) async fn change(
        &self,
        call: &Call<Client>,
        prior: &WorkerModel,
        planned: &mut WorkerModel,
        picks: bool,
        budget: &Deadline,
        summary: &str,
    ) -> Result<(), Diagnostics> {
        // What is to be stopped is not started first, unless it has to be made anew.
        if self.only_stops(call, planned, summary).await? {
            return Ok(());
        }
        let had = uuids(&prior.gpu_uuids);
        let _gpus = self.give_gpus(&call.client, planned, &had, summary).await?;
        let _held = self.keep_server(call, planned, picks, budget, summary).await?;
        let (mut blueprint, spec) = self.blueprint(call, planned, summary).await?;
        let mut compared = self.compare(&blueprint, Age::Now, summary).await?;
        let mut promised = Vec::new();
        if picks && compared.takes_new_containers() {
            promised = self.promise_ports(&call.client, planned, summary).await?;
            (blueprint, _) = self.blueprint(call, planned, summary).await?;
            compared = self.compare(&blueprint, Age::Now, summary).await?;
        }
        if compared.takes_new_containers() {
            self.image_is_complete(call, planned, summary).await?;
        }
        if self.is_lost(prior, &blueprint, &compared).await {
            restart(&self.entry, shown(&planned.container), summary).await?;
        }
        self.frontend_is_there(planned, summary).await?;
        let (state, seen) = (wanted_state(planned), compared.observed());
        let pull = spec.deployment.pull_policy;
        let assembly =
            assembly::assembly(blueprint, pull, &self.entry.host, &self.frontend.host, state, &seen);
        let converged = reconcile::converge(&self.entry.host, &assembly, &[], budget).await;
        drop(promised);
        converged.map_err(|failed| Diagnostics::from(resource::not_done(summary, &failed, planned)))?;
        Ok(())
    }

    /// Whether the frontend lists the worker. While the frontend itself does not answer, nothing new is known.
    pub(super) async fn registered(
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
        match probes::listed(&self.frontend.host, listing, observed, Age::Walk).await {
            Ok(()) => Attr::Known(true),
            Err(probes::NotListed::Missing(_)) => Attr::Known(false),
            Err(probes::NotListed::FrontendSilent(_)) if !state.registered.is_null() => {
                state.registered.clone()
            }
            Err(probes::NotListed::FrontendSilent(_)) => Attr::Known(false),
        }
    }

    /// A worker that is as it should be and says that it serves, but that the frontend goes on not to list: only a new
    /// start helps. One that does not say so is loading its model, perhaps since its host was started a minute ago: it is
    /// left to that, and waited for.
    pub(super) async fn is_lost(
        &self,
        prior: &WorkerModel,
        blueprint: &Blueprint,
        compared: &Comparison,
    ) -> bool {
        let Some(Some(observed)) = compared.containers().first().copied() else { return false };
        let Some(Readiness::WorkerListed(listing)) =
            blueprint.containers.first().map(|planned| &planned.ready)
        else {
            return false;
        };
        let runs = observed.state == crate::container::RunState::Running;
        if !compared.is_in_order() || prior.registered != Attr::Known(false) || !runs {
            return false;
        }
        for pause in FOUND_LATE {
            let listed = probes::listed(&self.frontend.host, listing, observed, Age::Now).await;
            let unlisted = matches!(listed, Err(probes::NotListed::Missing(_)));
            if !unlisted || !probes::serves(&self.entry.host, listing, observed).await {
                return false;
            }
            tokio::time::sleep(pause).await;
        }
        true
    }

    /// Stops what should be stopped, and reads back.
    pub(super) async fn stop_if_wanted_and_read(
        &self,
        mut model: WorkerModel,
        budget: &Deadline,
        summary: &str,
    ) -> Result<WorkerModel, Diagnostics> {
        let (container, state) = (model.main_container(), wanted_state(&model));
        let seen = resource::stop_if_wanted_and_read(&self.entry, container, state, budget, summary).await?;
        show(&mut model, &seen);
        Ok(model)
    }
}

/// How a worker is made.
struct MakeWorker<'a> {
    hosts: &'a WorkerHosts,
    call: &'a Call<Client>,
    budget: &'a Deadline,
    summary: &'a str,
}

#[async_trait]
impl Maker<WorkerModel> for MakeWorker<'_> {
    async fn bring_up(&self, wanted: WorkerModel) -> Result<Attempt<WorkerModel>, Diagnostics> {
        self.hosts.bring_up(self.call, wanted, self.budget, self.summary).await
    }

    async fn read_back(&self, wanted: WorkerModel) -> Result<WorkerModel, Diagnostics> {
        self.hosts.stop_if_wanted_and_read(wanted, self.budget, self.summary).await
    }
}

pub(super) fn show(state: &mut WorkerModel, observed: &ObservedContainer) {
    state.image_id = observed.image_id.as_str().into();
    state.status = drift::status(wanted_state(state), &[Some(observed)]).as_str().into();
    // What it was given stays what it should have: another GPU in its container is a drift.
    if state.gpu_uuids.is_null() {
        let gpus = observed.spec.gpus.iter();
        state.gpu_uuids = Attr::Known(gpus.map(|uuid| uuid.as_str().into()).collect());
    }
}

pub(super) async fn restart(entry: &Machine, container: &str, summary: &str) -> Result<(), Diagnostics> {
    let restarted = async {
        let Some(seen) = entry.host.inspect(container).await? else { return Ok(()) };
        entry.host.stop(&seen.id, seen.spec.stop_grace_seconds).await?;
        entry.host.start(&seen.id).await
    };
    restarted.await.map_err(|error: HostError| host_errors::diagnostic(summary, &error, None).into())
}

pub(super) fn decided(spec: &WorkerSpec, facts: &HostFacts, owner: &Owner) -> Result<Blueprint, Diagnostics> {
    decide::worker(spec, facts, owner).map_err(paths::diagnostics)
}
