//! What is done for an Open WebUI on its host and those of its deployments.

use super::decide::{advertised, decided, follow, said};
use super::model;
use super::model::{sources, wanted_state};
use super::schema::OpenWebuiModel;
use crate::container::ObservedContainer;
use crate::dynamo::blueprint::Blueprint;
use crate::dynamo::openwebui::{COMPONENT, OpenWebuiDraft, OpenWebuiSpec, PASSWORD_FILE, PORT_FROM};
use crate::dynamo::spec::Owner;
use crate::dynamo::terms::names;
use crate::dynamo::terms::names::FRONTEND;
use crate::dynamo::terms::objection::{Field, Refusal};
use crate::hosts::{Age, Filter, HostError};
use crate::provider::attributes::{containers, host_errors, paths as told};
use crate::provider::lifecycle::comparison::Comparison;
use crate::provider::lifecycle::resource::{Attempt, ContainerResource, Maker};
use crate::provider::lifecycle::{assembly, comparison, drift, resource};
use crate::provider::machine::{Machine, facts};
use crate::provider::session::Client;
use crate::reconcile;
use crate::reconcile::{Assembly, Deadline, PrivateFile};
use crate::tf_provider::attr::{Attr, NestedMap};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::provider::{Call, Failed, shown};
use async_trait::async_trait;
use std::collections::BTreeMap;

/// The host of an Open WebUI, and by which addresses those of its deployments are reached.
pub(super) struct OpenWebuiHosts {
    pub(super) entry: Machine,
    advertised: BTreeMap<String, Attr<String>>,
}

impl OpenWebuiHosts {
    pub(super) fn of(client: &Client, model: &OpenWebuiModel) -> Result<Self, Diagnostic> {
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

    pub(super) async fn blueprint(
        &self,
        call: &Call<Client>,
        model: &OpenWebuiModel,
        summary: &str,
    ) -> Result<Blueprint, Diagnostics> {
        let (facts, _) = facts::facts(&self.entry, summary).await?;
        let owner = Owner { run: call.client.run.clone(), spec_json: resource::label(model)? };
        decided(model, &self.spec(model)?, &facts, &owner)
    }

    pub(super) fn assembly(
        &self,
        model: &OpenWebuiModel,
        blueprint: Blueprint,
        seen: &[ObservedContainer],
    ) -> Result<Assembly, Diagnostics> {
        let pull = self.spec(model)?.pull_policy;
        let host = &self.entry.host;
        Ok(assembly::assembly(blueprint, pull, host, host, wanted_state(model), seen))
    }

    /// Makes the page, with another port where somebody takes the one that was picked.
    pub(super) async fn create(
        &self,
        call: &Call<Client>,
        config: &OpenWebuiModel,
        planned: &OpenWebuiModel,
        budget: &Deadline,
        summary: &str,
    ) -> Result<OpenWebuiModel, Failed<OpenWebuiModel>> {
        let picks = planned.port.known().is_none();
        resource::make(&MakeOpenWebui { hosts: self, call, config, budget, summary }, planned, picks, summary)
            .await
    }

    /// Picks a port where none is given, and brings the container up.
    async fn bring_up(
        &self,
        call: &Call<Client>,
        config: &OpenWebuiModel,
        mut wanted: OpenWebuiModel,
        budget: &Deadline,
        summary: &str,
    ) -> Result<Attempt<OpenWebuiModel>, Diagnostics> {
        let (_, taken) = facts::facts(&self.entry, summary).await?;
        let mut promise = None;
        if wanted.port.known().is_none() {
            let (host, address) = (self.entry.host.name(), shown(&wanted.bind_address));
            let promised = call.client.ports.take(host, PORT_FROM, address, &taken, &[0]);
            let promised = promised.map_err(|refusal| told::diagnostics(vec![refusal.at(Field::Port)]))?;
            wanted.port = Attr::Known(i64::from(promised.port()));
            promise = Some(promised);
        }
        follow(&call.client, config, &mut wanted);
        let blueprint = self.blueprint(call, &wanted, summary).await?;
        let mut assembly = self.assembly(&wanted, blueprint, &[])?;
        give_password(&mut assembly, config);
        let up = reconcile::bring_up(&self.entry.host, &assembly, budget).await.map(drop);
        drop(promise);
        Ok((wanted, up))
    }

    /// What is there, and what a run that was killed left.
    pub(super) async fn compare(
        &self,
        call: &Call<Client>,
        model: &OpenWebuiModel,
        blueprint: &Blueprint,
        age: Age,
        summary: &str,
    ) -> Result<(Comparison, Vec<String>), Diagnostics> {
        let compared = async {
            let container = names::container(shown(&model.name), COMPONENT);
            let both = vec![names::starting(&container), container];
            let seen = self.entry.host.observe(&Filter::Names(both), age).await?;
            let leftovers = comparison::leftovers(&seen, &call.client.run);
            Ok((Comparison::of(&self.entry.host, blueprint, &seen).await?, leftovers))
        };
        compared.await.map_err(|error: HostError| host_errors::diagnostic(summary, &error, None).into())
    }

    /// Without its frontend a deployment's network may be missing too, and Docker would say no more than that.
    pub(super) async fn deployments_are_there(
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
            let seen = seen.map_err(|error| host_errors::diagnostic(summary, &error, None))?;
            if seen.is_some_and(|seen| assembly::ownership(&seen).is_some()) {
                continue;
            }
            let what = format!("deployment {name:?} is gone: host {host:?} has no {container}");
            let fix = "apply the deployment first (without -refresh=false and -target, Terraform sees by itself that it is gone)";
            return Err(said(model, vec![Refusal::new(what, fix).at(Field::Source(index))]));
        }
        Ok(())
    }

    /// Stops what should be stopped, and reads back.
    pub(super) async fn stop_if_wanted_and_read(
        &self,
        mut model: OpenWebuiModel,
        budget: &Deadline,
        summary: &str,
    ) -> Result<OpenWebuiModel, Diagnostics> {
        let (container, state) = (model.main_container(), wanted_state(&model));
        let seen = resource::stop_if_wanted_and_read(&self.entry, container, state, budget, summary).await?;
        show(&mut model, &seen);
        Ok(model)
    }
}

/// How an Open WebUI is made.
struct MakeOpenWebui<'a> {
    hosts: &'a OpenWebuiHosts,
    call: &'a Call<Client>,
    config: &'a OpenWebuiModel,
    budget: &'a Deadline,
    summary: &'a str,
}

#[async_trait]
impl Maker<OpenWebuiModel> for MakeOpenWebui<'_> {
    async fn bring_up(&self, wanted: OpenWebuiModel) -> Result<Attempt<OpenWebuiModel>, Diagnostics> {
        self.hosts.bring_up(self.call, self.config, wanted, self.budget, self.summary).await
    }

    async fn read_back(&self, wanted: OpenWebuiModel) -> Result<OpenWebuiModel, Diagnostics> {
        self.hosts.stop_if_wanted_and_read(wanted, self.budget, self.summary).await
    }
}

pub(super) fn give_password(assembly: &mut Assembly, config: &OpenWebuiModel) {
    let Some(password) = config.admin_password.known() else { return };
    for part in &mut assembly.parts {
        part.files.push(PrivateFile { path: PASSWORD_FILE.to_owned(), content: password.clone() });
    }
}

pub(super) fn show(state: &mut OpenWebuiModel, observed: &ObservedContainer) {
    state.image_id = observed.image_id.as_str().into();
    state.status = drift::status(wanted_state(state), &[Some(observed)]).as_str().into();
    let container = containers::seen(observed);
    state.containers = Attr::Known(NestedMap(BTreeMap::from([(COMPONENT.to_owned(), container)])));
}
