//! A model from another host: what is missing is copied, checked, and moved to its place.

use super::model;
use super::model::sha256;
use super::schema::ModelModel;
use crate::dynamo::models::files;
use crate::dynamo::models::files::{CopyPlan, ModelOnDisk};
use crate::dynamo::models::installed::{Layout, MANIFEST};
use crate::dynamo::terms::hub_paths;
use crate::hosts::transfer::{Staging, Transfer, TransferError, TransferFile};
use crate::hosts::{Cause, Host, HostError};
use crate::inventory::files::{FileKind, Tree};
use crate::provider::attributes::host_errors;
use crate::provider::machine::Machine;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};
use crate::tf_provider::provider::shown;
use crate::tf_provider::value::Path;
use std::collections::BTreeMap;
use tokio_util::sync::CancellationToken;

/// What is kept free on the target's disk, in bytes.
const SPARE: u64 = 64 << 20;

/// A model that was looked at, and the tree that its folder is.
pub(crate) struct Seen {
    pub tree: Tree,
    pub model: ModelOnDisk,
}

/// The outcome of a copy.
pub(crate) struct Copied {
    pub model: ModelOnDisk,
    pub checksum: Option<String>,
    /// `false`: all of it was there.
    pub created: bool,
}

/// Looks at one folder; `None` where there is none.
pub(crate) async fn look(
    host: &Host,
    folder: &str,
    name: &str,
    revision: Option<&str>,
) -> Result<Option<Result<Seen, String>>, HostError> {
    let trees = host.trees(&[folder.to_owned()]).await?;
    let Some(tree) = trees.into_iter().next() else { return Ok(None) };
    Ok(Some(ModelOnDisk::of(&tree, folder, name, revision).map(|model| Seen { tree, model })))
}

/// The model of that name at a path: the folder itself, or a cache or folder of models that has it.
pub(crate) async fn find(
    host: &Host,
    roots: &[String],
    name: &str,
    revision: Option<&str>,
) -> Result<Option<Result<Seen, String>>, HostError> {
    let mut folders: Vec<String> = Vec::new();
    for root in roots {
        folders.extend(files::candidates(root, name));
    }
    let mut problem = None;
    for folder in folders {
        match look(host, &folder, name, revision).await? {
            Some(Ok(seen)) if seen.model.about.is_usable(false) => return Ok(Some(Ok(seen))),
            Some(Ok(seen)) => {
                problem = Some(format!("{folder}: {}", seen.model.about.problem.unwrap_or_default()))
            }
            Some(Err(text)) => problem = Some(format!("{folder}: {text}")),
            None => {}
        }
    }
    Ok(problem.map(Err))
}

/// The model at a path that a user wrote, which may be the model's own folder; otherwise as [`find`].
pub(crate) async fn at_path(
    host: &Host,
    path: &str,
    name: &str,
    revision: Option<&str>,
) -> Result<Option<Result<Seen, String>>, HostError> {
    let own = look(host, hub_paths::folder_of(path), name, revision).await?;
    match own {
        None => Ok(None),
        Some(Ok(seen)) if seen.model.about.is_usable(false) => Ok(Some(Ok(seen))),
        Some(other) => {
            Ok(find(host, &[path.to_owned()], name, revision).await?.filter(Result::is_ok).or(Some(other)))
        }
    }
}

/// A copy that has to be made.
pub(crate) struct Fetch<'a> {
    pub from: &'a Host,
    pub to: &'a Machine,
    pub source: Seen,
    pub wanted: &'a ModelModel,
    /// The copy is this resource's own, and is to be repaired.
    pub mends: bool,
    pub summary: &'a str,
    pub stopping: &'a CancellationToken,
}

impl Fetch<'_> {
    fn name(&self) -> &str {
        shown(&self.wanted.name)
    }

    fn host(&self) -> &Host {
        &self.to.host
    }

    /// Layout and folder of the copy.
    fn target(&self) -> (Layout, String) {
        let given = self.wanted.path.known().map(|path| hub_paths::folder_of(path));
        let given = given.map(|path| path.trim_end_matches('/').to_owned());
        match (given, self.source.model.about.layout) {
            (Some(folder), _) => (files::layout_of(&folder, self.name()), folder),
            (None, Layout::Folder) => (Layout::Folder, self.source.model.folder.clone()),
            (None, Layout::Cache) => {
                let hub = format!("{}/hub", self.to.cache_folder());
                (
                    Layout::Cache,
                    format!("{hub}/{}", crate::dynamo::terms::hub_paths::cache_folder(self.name())),
                )
            }
        }
    }

    /// Copies the model, and checks the copy.
    pub(crate) async fn run(&self) -> Result<Copied, Diagnostics> {
        let fail = |error: &HostError| Diagnostics::from(host_errors::diagnostic(self.summary, error, None));
        let (layout, folder) = self.target();
        let commit = self.source.model.about.revision.clone();
        let there =
            look(self.host(), &folder, self.name(), commit.as_deref()).await.map_err(|error| fail(&error))?;
        let mut tree = None;
        match there {
            Some(Ok(seen)) if seen.model.is_like(&self.source.model) && seen.model.about.is_usable(false) => {
                return Ok(Copied { model: seen.model, checksum: None, created: self.mends });
            }
            Some(Ok(seen)) => tree = Some(seen.tree),
            Some(Err(_)) => {
                let trees =
                    self.host().trees(std::slice::from_ref(&folder)).await.map_err(|error| fail(&error))?;
                tree = trees.into_iter().next();
            }
            None => {}
        }
        if layout == Layout::Folder
            && !self.mends
            && tree.as_ref().is_some_and(|tree| !tree.entries.is_empty())
        {
            return Err(self.in_the_way(&folder));
        }
        let reference = self.wanted.revision.known().map_or("main", String::as_str);
        let already = tree.as_ref().filter(|_| layout == Layout::Cache);
        let plan = self.source.model.copy(layout, reference, already);
        let checksums = self.bring(&folder, &plan, layout).await.map_err(|error| fail(&error))?;
        let copied =
            look(self.host(), &folder, self.name(), commit.as_deref()).await.map_err(|error| fail(&error))?;
        match copied {
            Some(Ok(seen)) if seen.model.is_like(&self.source.model) => {
                Ok(Copied { model: seen.model, checksum: checksums, created: true })
            }
            _ => {
                let detail = format!(
                    "{folder} on host {:?} is not what it was copied from: somebody changed one of them meanwhile. Apply again.",
                    self.host().name()
                );
                Err(Diagnostic::error(self.summary, detail).into())
            }
        }
    }

    fn in_the_way(&self, folder: &str) -> Diagnostics {
        let detail = format!(
            "Folder {folder} on host {:?} is not empty, and what is in it is not this model. Choose another path, or remove it.",
            self.host().name()
        );
        Diagnostic::error(self.summary, detail).at(Path::of("path")).into()
    }

    /// Copies into a folder beside the target, and moves that there. Gives the checksum of a plain folder.
    async fn bring(
        &self,
        folder: &str,
        plan: &CopyPlan,
        layout: Layout,
    ) -> Result<Option<String>, HostError> {
        let host = self.host();
        let staging = host.stage(folder).await?;
        self.has_room(&staging, plan).await?;
        let files = plan
            .files
            .iter()
            .map(|file| TransferFile::new(&file.at, &file.to, file.size_bytes, file.sha256.clone()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| HostError {
                host: self.from.name().to_owned(),
                operation: format!("read model {}", self.name()),
                cause: error.into(),
            })?;
        let transfer = Transfer {
            what: self.name(),
            from: (self.from, &self.source.model.folder),
            to: (host, &staging),
            files: &files,
            stall: model::stall(self.wanted),
            stopping: self.stopping,
        };
        let checksums = transfer.run().await?;
        let mut texts = plan.texts.clone();
        let mut checksum = None;
        if layout == Layout::Folder {
            let listing: String = checksums.iter().map(|(path, sum)| format!("{sum}  {path}\n")).collect();
            checksum = Some(sha256(&listing));
            texts.insert(MANIFEST.to_owned(), listing);
        }
        host.write_small(&staging, &plan.links, &texts).await?;
        let files = plan.files.iter().map(|file| &file.to);
        let paths: Vec<&String> = files.chain(plan.links.keys()).chain(texts.keys()).collect();
        host.move_into_place(staging, paths.into_iter().map(String::as_str)).await?;
        Ok(checksum)
    }

    async fn has_room(&self, staging: &Staging, plan: &CopyPlan) -> Result<(), HostError> {
        let host = self.host();
        let kept = host.trees(&[staging.files()]).await?;
        let kept: BTreeMap<&str, u64> = kept
            .iter()
            .flat_map(|tree| &tree.entries)
            .filter(|entry| entry.kind == FileKind::File)
            .map(|entry| (entry.path.as_str(), entry.size_bytes))
            .collect();
        let missing = |file: &files::Wanted| {
            file.size_bytes.saturating_sub(kept.get(file.to.as_str()).copied().unwrap_or_default())
        };
        let needed: u64 = plan.files.iter().map(missing).sum::<u64>() + SPARE;
        let free = host.folder(&staging.folder()).await?.free_bytes;
        if needed <= free {
            return Ok(());
        }
        let path = staging.parent().to_owned();
        Err(HostError {
            host: host.name().to_owned(),
            operation: format!("copy model {}", self.name()),
            cause: Cause::Files(Box::new(TransferError::NoRoom {
                path,
                needed_bytes: needed,
                free_bytes: free,
            })),
        })
    }
}
