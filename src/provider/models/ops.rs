//! Planning, bringing, mending, reading and removing a model.

use super::copy::{Fetch, Seen};
use super::model::{ModelOrigin, derive, is_well, needs_another, show};
use super::schema::{ABOUT, ModelModel};
use super::{copy, hub_download, model};
use crate::dynamo::models::files::ModelOnDisk;
use crate::dynamo::models::installed::{Layout, MANIFEST};
use crate::dynamo::models::{files, installed};
use crate::dynamo::terms::hub_paths;
use crate::hosts::{Host, HostError};
use crate::provider::attributes::{host_errors, import_id};
use crate::provider::machine;
use crate::provider::machine::Machine;
use crate::provider::plan_checks;
use crate::provider::session::{Client, NoHost};
use crate::tf_provider::attr::{Attr, Block};
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::provider::{About, Applied, Call, Failed, ImportBy, Plan, Resource, shown};
use crate::tf_provider::value::Path;
use async_trait::async_trait;
use std::collections::BTreeSet;

/// `dynamo_model`.
pub(crate) struct Models;

#[async_trait]
impl Resource for Models {
    type Model = ModelModel;
    type Client = Client;

    fn about(&self) -> About {
        ABOUT
    }

    fn identity(&self) -> &'static [&'static str] {
        &["host", "name"]
    }

    fn validate(&self, config: &ModelModel) -> Diagnostics {
        model::validate(config)
    }

    async fn plan_create(
        &self,
        call: &Call<Client>,
        config: &ModelModel,
        mut planned: ModelModel,
    ) -> Result<Plan<ModelModel>, Diagnostics> {
        let machine = plan_checks::host(&call.client, &config.host, &mut planned.host)?;
        derive(&mut planned);
        check(&call.client, machine.as_ref(), &planned, None).await?;
        Ok(planned.into())
    }

    async fn plan_update(
        &self,
        call: &Call<Client>,
        config: &ModelModel,
        prior: &ModelModel,
        mut planned: ModelModel,
        _changed: bool,
    ) -> Result<Plan<ModelModel>, Diagnostics> {
        let machine = plan_checks::host(&call.client, &config.host, &mut planned.host)?;
        derive(&mut planned);
        let mut plan = Plan::from(planned);
        if needs_another(prior, &plan.planned) {
            plan.replace.push(Path::of("source"));
            plan.planned.path = config.path.clone();
        }
        let renewed = !plan.replace.is_empty();
        if renewed || !is_well(&prior.status) {
            let it = &mut plan.planned;
            (it.status, it.checksum) = (Attr::Unknown, Attr::Unknown);
            (it.size_bytes, it.files) = (Attr::Unknown, Attr::Unknown);
            if renewed {
                it.created = Attr::Unknown;
                it.path = if config.path.is_null() { Attr::Unknown } else { config.path.clone() };
            }
        }
        let kept = Some(prior).filter(|_| !renewed && is_well(&prior.status));
        check(&call.client, machine.as_ref(), &plan.planned, kept).await?;
        Ok(plan)
    }

    async fn create(
        &self,
        call: &Call<Client>,
        config: ModelModel,
        planned: ModelModel,
    ) -> Result<Applied<ModelModel>, Failed<ModelModel>> {
        let state = bring(call, &config, planned, false).await?;
        Ok(Applied { warnings: warnings(&state), state })
    }

    /// Nothing is brought unless something is wrong.
    async fn update(
        &self,
        call: &Call<Client>,
        config: ModelModel,
        prior: ModelModel,
        planned: ModelModel,
    ) -> Result<Applied<ModelModel>, Failed<ModelModel>> {
        if is_well(&prior.status) {
            return Ok(planned.into());
        }
        let mends = prior.created == Attr::Known(true);
        Ok(bring(call, &config, planned, mends).await?.into())
    }

    async fn read(
        &self,
        call: &Call<Client>,
        mut state: ModelModel,
    ) -> Result<Option<ModelModel>, Diagnostics> {
        let name = shown(&state.name).to_owned();
        let summary = format!("Unable to read model {name:?}");
        let machine = call.client.known_host(shown(&state.host))?;
        let folder = hub_paths::folder_of(shown(&state.path)).to_owned();
        let commit = shown(&state.path).rsplit_once("/snapshots/").map(|(_, commit)| commit.to_owned());
        let seen = copy::look(&machine.host, &folder, &name, commit.as_deref()).await;
        let seen = seen.map_err(|error| machine::facts::not_refreshed(&summary, &error))?;
        match seen {
            None => Ok(None),
            Some(Ok(seen)) => {
                let before = state.clone();
                show(&mut state, &seen.model, None);
                let known = before.size_bytes.known().is_some() && is_well(&before.status);
                let differs = before.size_bytes != state.size_bytes || before.files != state.files;
                if known && differs && is_well(&state.status) {
                    let files = |model: &ModelModel| {
                        (model.files.known().copied(), model.size_bytes.known().copied())
                    };
                    let ((few, small), (many, large)) = (files(&before), files(&state));
                    state.status = Attr::Known(format!(
                        "it has {} files of {} bytes, and had {} of {}",
                        many.unwrap_or_default(),
                        large.unwrap_or_default(),
                        few.unwrap_or_default(),
                        small.unwrap_or_default()
                    ));
                }
                state.path = before.path;
                Ok(Some(state))
            }
            Some(Err(problem)) => {
                state.status = Attr::Known(problem);
                Ok(Some(state))
            }
        }
    }

    async fn delete(&self, call: &Call<Client>, state: ModelModel) -> Result<(), Failed<ModelModel>> {
        if state.created != Attr::Known(true) || state.keep_on_destroy == Attr::Known(true) {
            return Ok(());
        }
        let summary = format!("Unable to remove model {:?}", shown(&state.name));
        let machine = call.client.known_host(shown(&state.host)).map_err(Diagnostics::from)?;
        let _lock = call.client.models.lock(machine.host.name(), shown(&state.name)).await;
        let removed = remove(call, &machine, &state).await;
        removed.map_err(|error| Diagnostics::from(host_errors::diagnostic(summary, &error, None)).into())
    }

    async fn import(&self, call: &Call<Client>, by: ImportBy) -> Result<ModelModel, Diagnostics> {
        let (host, name) = imported(by)?;
        let machine = call.client.known_host(&host)?;
        let summary = format!("Unable to import model {name:?}");
        let seen = copy::find(&machine.host, &machine.model_roots(), &name, None).await;
        let seen = seen.map_err(|error| host_errors::diagnostic(summary.clone(), &error, None))?;
        let seen = seen.ok_or_else(|| not_there(&summary, &machine, &name))?;
        let seen = seen.map_err(|problem| not_complete(&summary, &machine.host, &name, &problem))?;
        let mut state = ModelModel {
            id: Attr::Known(format!("{host}/{name}")),
            host: Attr::Known(host),
            name: Attr::Known(name),
            created: Attr::Known(false),
            keep_on_destroy: Attr::Known(false),
            source: Block::Absent,
            ..ModelModel::default()
        };
        show(&mut state, &seen.model, None);
        Ok(state)
    }
}

/// `host/organisation/name`: the name has a slash of its own.
fn imported(by: ImportBy) -> Result<(String, String), Diagnostic> {
    match by {
        ImportBy::Id(id) => {
            let parts = id.split_once('/').filter(|(host, name)| {
                let good = matches!(
                    crate::dynamo::spec::model::ModelRef::parse(name),
                    Ok(crate::dynamo::spec::model::ModelRef::HuggingFace(_))
                );
                !host.is_empty() && good
            });
            parts.map(|(host, name)| (host.to_owned(), name.to_owned())).ok_or_else(|| {
                let detail = format!(
                    "The id has the form host/name, for example \"local/Qwen/Qwen3-8B\"; got {id:?}."
                );
                Diagnostic::error("Invalid import id", detail)
            })
        }
        by => import_id::parse(by, "host", "name", "local/Qwen/Qwen3-8B"),
    }
}

/// What the plan can see: the other host is one of the provider's, the folder is there, and nobody else has it. `kept` is a
/// model that stays as it is: where it once came from need not be there any more.
async fn check(
    client: &Client,
    machine: Option<&Machine>,
    planned: &ModelModel,
    kept: Option<&ModelModel>,
) -> Result<(), Diagnostics> {
    let (Some(machine), Some(source)) = (machine, model::source(planned)) else { return Ok(()) };
    let (own, name) = (machine.host.name(), shown(&planned.name));
    let at = |attribute: &str| Path::of("source").attribute(attribute);
    let source_of_old = kept.is_some_and(|prior| model::source(prior).as_ref() == Some(&source));
    if let ModelOrigin::Host { host, .. } = &source {
        match client.host(host) {
            Err(NoHost::Wrong(_)) if source_of_old => {}
            Err(NoHost::Wrong(diagnostic)) => return Err(diagnostic.at(at("host")).into()),
            Err(NoHost::NotKnownYet) => {}
            Ok(_) if host == own => {
                let detail = format!(
                    "The model is to be copied from host {host:?} to itself. To use what lies there, give source.path alone."
                );
                return Err(Diagnostic::error("Source and target are one host", detail)
                    .at(at("host"))
                    .into());
            }
            Ok(_) => {}
        }
    }
    let folder = match &source {
        ModelOrigin::Path(path) => Some((path.as_str(), at("path"))),
        ModelOrigin::Host { .. } => {
            planned.path.known().map(|path| (hub_paths::folder_of(path), Path::of("path")))
        }
        ModelOrigin::Hub => None,
    };
    if let Some((folder, path)) = folder {
        client.models.claim(own, folder, name).map_err(|other| {
            let detail = format!(
                "Folder {folder} on host {own:?} is also that of model {other:?}. Give each model a folder of its own."
            );
            Diagnostics::from(Diagnostic::error("Two models in one folder", detail).at(path.clone()))
        })?;
    }
    // A host that cannot be reached may be made in the same run.
    if let ModelOrigin::Path(folder) = &source
        && matches!(machine.host.path_exists(folder).await, Ok(Some(false)))
    {
        let detail = format!("There is no {folder} on host {own:?}. Give the path as it is on that host.");
        return Err(Diagnostic::error("The model is not there", detail).at(at("path")).into());
    }
    Ok(())
}

/// Sees to it that the model is there, and gives the state.
async fn bring(
    call: &Call<Client>,
    config: &ModelModel,
    planned: ModelModel,
    mends: bool,
) -> Result<ModelModel, Diagnostics> {
    let name = shown(&planned.name).to_owned();
    let machine = call.client.known_host(shown(&planned.host))?;
    let summary = format!("Unable to bring model {name:?} to host {:?}", machine.host.name());
    let revision = config.revision.known().map(String::as_str);
    let fail = |error: &HostError| Diagnostics::from(host_errors::diagnostic(summary.clone(), error, None));
    let mut state = planned.clone();
    let _lock = call.client.models.lock(machine.host.name(), &name).await;
    let (found, checksum, created) = match model::source(&planned) {
        Some(ModelOrigin::Path(path)) => {
            let seen =
                copy::at_path(&machine.host, &path, &name, revision).await.map_err(|error| fail(&error))?;
            let seen = seen.ok_or_else(|| not_there(&summary, &machine, &path))?;
            (usable(seen, &summary, &machine.host, &name)?.model, None, mends)
        }
        Some(ModelOrigin::Host { host, path }) => {
            let other = call.client.known_host(&host)?;
            let seen = match &path {
                Some(path) => copy::at_path(&other.host, path, &name, revision).await,
                None => copy::find(&other.host, &other.model_roots(), &name, revision).await,
            };
            let seen = seen.map_err(|error| fail(&error))?;
            let seen = seen.ok_or_else(|| not_there(&summary, &other, path.as_deref().unwrap_or(&name)))?;
            let source = usable(seen, &summary, &other.host, &name)?;
            // What is repaired stays where it is.
            let wanted =
                if mends { &planned } else { &ModelModel { path: config.path.clone(), ..planned.clone() } };
            let copy = Fetch {
                from: &other.host,
                to: &machine,
                source,
                wanted: &ModelModel { revision: config.revision.clone(), ..wanted.clone() },
                mends,
                summary: &summary,
                stopping: &call.stopping,
            };
            let copied = copy.run().await?;
            (copied.model, copied.checksum, copied.created)
        }
        Some(ModelOrigin::Hub) => {
            let folder = format!("{}/hub/{}", machine.cache_folder(), hub_paths::cache_folder(&name));
            let before =
                copy::look(&machine.host, &folder, &name, revision).await.map_err(|error| fail(&error))?;
            let complete = |seen: &Option<Result<Seen, String>>| matches!(seen, Some(Ok(seen)) if seen.model.about.is_usable(true));
            let created = !complete(&before);
            if created {
                hub_download::run(&call.client, &machine, config, &call.stopping, &summary).await?;
            }
            let seen =
                copy::look(&machine.host, &folder, &name, revision).await.map_err(|error| fail(&error))?;
            let seen = seen.ok_or_else(|| not_there(&summary, &machine, &folder))?;
            (usable(seen, &summary, &machine.host, &name)?.model, None, created || mends)
        }
        None => {
            let detail = "It is not known where the model comes from.";
            return Err(Diagnostic::error(summary, detail).at(Path::of("source")).into());
        }
    };
    state.created = Attr::Known(created);
    show(&mut state, &found, checksum);
    if !mends || !planned.path.is_unknown() {
        state.path = planned.path.known().cloned().map_or(state.path, Attr::Known);
    }
    machine.host.models_changed();
    if state.revision.is_unknown() {
        state.revision = Attr::Null;
    }
    Ok(state)
}

fn usable(seen: Result<Seen, String>, summary: &str, host: &Host, name: &str) -> Result<Seen, Diagnostics> {
    let seen = seen.map_err(|problem| not_complete(summary, host, name, &problem))?;
    match (&seen.model.about.problem, seen.model.about.is_usable(false)) {
        (Some(problem), false) => Err(not_complete(summary, host, name, problem).into()),
        _ => Ok(seen),
    }
}

fn not_complete(summary: &str, host: &Host, name: &str, problem: &str) -> Diagnostic {
    let detail = format!(
        "Model {name:?} on host {:?} cannot be used: {problem}. Complete it there, or take another source.",
        host.name()
    );
    Diagnostic::error(summary, detail).at(Path::of("source"))
}

fn not_there(summary: &str, machine: &Machine, what: &str) -> Diagnostic {
    let detail = format!(
        "There is no {what} on host {:?}; looked in {}. Give source.path, or add the folder to model_paths of that host.",
        machine.host.name(),
        machine.model_roots().join(", ")
    );
    Diagnostic::error(summary, detail).at(Path::of("source"))
}

/// A model without weights is used by the simulator only.
fn warnings(state: &ModelModel) -> Diagnostics {
    let mut found = Diagnostics::new();
    if state.status == model::WITHOUT_WEIGHTS.into() {
        let detail = format!(
            "Model {:?} has no weights: engine \"mocker\" can simulate it, and no other can serve it.",
            shown(&state.name)
        );
        found.push(Diagnostic::warning("A model without weights", detail).at(Path::of("source")));
    }
    found
}

/// Removes what the resource made, and nothing beside it.
async fn remove(call: &Call<Client>, machine: &Machine, state: &ModelModel) -> Result<(), HostError> {
    let (name, path) = (shown(&state.name), shown(&state.path));
    let folder = hub_paths::folder_of(path);
    let trees = machine.host.trees(&[folder.to_owned()]).await?;
    let Some(tree) = trees.first() else { return Ok(()) };
    if files::layout_of(folder, name) == Layout::Folder {
        let listing = machine.host.small_text(&format!("{folder}/{MANIFEST}")).await?.unwrap_or_default();
        let mut files: Vec<String> = listing
            .lines()
            .filter_map(|line| line.split_once("  "))
            .map(|(_, file)| file.to_owned())
            .collect();
        // What is seen there has no link on the way to it, whatever the list says.
        let seen: BTreeSet<&str> = tree.entries.iter().map(|entry| entry.path.as_str()).collect();
        files.retain(|file| seen.contains(file.as_str()));
        files.push(MANIFEST.to_owned());
        return machine.host.remove_files(folder, &files).await;
    }
    let commit = path.rsplit_once("/snapshots/").map(|(_, commit)| commit);
    let about = ModelOnDisk {
        about: installed::of_cache_folder(tree, name, commit),
        folder: folder.to_owned(),
        files: installed::files(tree, Layout::Cache, commit).unwrap_or_default(),
    };
    let files = about.own_paths(tree);
    match model::source(state) {
        Some(ModelOrigin::Hub) => {
            hub_download::remove(&call.client, machine, state, folder, &files, &call.stopping).await
        }
        _ => machine.host.remove_files(folder, &files).await,
    }
}
