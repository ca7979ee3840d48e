//! Which files a model consists of, and what a copy of it has to look like. Pure.
//!
//! A copy keeps what makes a Hugging Face cache one: content under the name of its hash, snapshots as links to it, and
//! references. Where the copy is a plain folder, the same files have their own names and no links.

use super::installed;
use super::installed::{InstalledModel, Layout, ModelFile};
use crate::dynamo::terms::hub_paths;
use crate::inventory::files::{FileKind, Tree};
use std::collections::{BTreeMap, BTreeSet};

/// A model as it lies in its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelOnDisk {
    pub about: InstalledModel,
    /// Folder of the tree: of a cache the model's `models--…`.
    pub folder: String,
    pub files: Vec<ModelFile>,
}

/// A file to be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Path below the source's folder.
    pub at: String,
    /// Path below the copy's folder.
    pub to: String,
    pub size_bytes: u64,
    /// In hexadecimal, where the file's name tells.
    pub sha256: Option<String>,
}

/// What a copy consists of.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct CopyPlan {
    /// Each content once.
    pub files: Vec<Wanted>,
    /// Path below the copy's folder → text of the link.
    pub links: BTreeMap<String, String>,
    /// Small files of our own: path → content.
    pub texts: BTreeMap<String, String>,
}

/// How a folder of that name keeps models: `models--…` is a cache's.
pub(crate) fn layout_of(folder: &str, name: &str) -> Layout {
    let last = folder.trim_end_matches('/').rsplit('/').next().unwrap_or(folder);
    if last == hub_paths::cache_folder(name) { Layout::Cache } else { Layout::Folder }
}

/// Where a model of that name may be below a folder, likeliest first.
pub(crate) fn candidates(root: &str, name: &str) -> Vec<String> {
    let (root, folder) = (root.trim_end_matches('/'), hub_paths::cache_folder(name));
    vec![format!("{root}/hub/{folder}"), format!("{root}/{folder}"), format!("{root}/{name}")]
}

impl ModelOnDisk {
    /// A tree that is one model's folder. The error is a clause.
    pub(crate) fn of(tree: &Tree, name: &str, revision: Option<&str>) -> Result<Self, String> {
        let layout = layout_of(&tree.root, name);
        let about = match layout {
            Layout::Cache => installed::of_cache_folder(tree, name, revision),
            Layout::Folder => installed::of_plain_folder(tree, name),
        };
        let files = installed::files(tree, layout, revision)?;
        Ok(Self { about, folder: tree.root.clone(), files })
    }

    /// Bytes of its files, each content once.
    pub(crate) fn size_bytes(&self) -> u64 {
        let contents: BTreeMap<&str, u64> =
            self.files.iter().map(|file| (file.at.as_str(), file.size_bytes)).collect();
        contents.values().sum()
    }

    /// Names and sizes agree.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let list = |model: &Self| -> BTreeSet<(String, u64)> {
            model.files.iter().map(|file| (file.name.clone(), file.size_bytes)).collect()
        };
        list(self) == list(other)
    }

    /// The hash by which the cache names a file's content.
    fn blob<'a>(&self, file: &'a ModelFile) -> Option<&'a str> {
        file.at.strip_prefix("blobs/").filter(|_| self.about.layout == Layout::Cache)
    }

    /// One line per file: hash and name. `None` where the names do not tell the hashes.
    pub(crate) fn listing(&self) -> Option<String> {
        let mut lines = self
            .files
            .iter()
            .map(|file| self.blob(file).map(|blob| format!("{blob}  {}\n", file.name)))
            .collect::<Option<Vec<_>>>()?;
        lines.sort();
        Some(lines.concat())
    }

    /// What a copy in that layout takes, without what `there` has already. `reference`: the name of the revision.
    pub(crate) fn copy(&self, layout: Layout, reference: &str, there: Option<&Tree>) -> CopyPlan {
        let have: BTreeSet<(&str, u64)> = there
            .into_iter()
            .flat_map(|tree| &tree.entries)
            .filter(|entry| entry.kind == FileKind::File)
            .map(|entry| (entry.path.as_str(), entry.size_bytes))
            .collect();
        let (mut plan, mut seen) = (CopyPlan::default(), BTreeSet::new());
        let commit = self.about.revision.clone().unwrap_or_default();
        for file in &self.files {
            let to = match layout {
                Layout::Cache => file.at.clone(),
                Layout::Folder => file.name.clone(),
            };
            let sha256 = self.blob(file).filter(|blob| blob.len() == 64).map(str::to_owned);
            if layout == Layout::Cache && self.blob(file).is_some() {
                let up = "../".repeat(2 + file.name.matches('/').count());
                plan.links.insert(format!("snapshots/{commit}/{}", file.name), format!("{up}{}", file.at));
            }
            if seen.insert(to.clone()) && !have.contains(&(to.as_str(), file.size_bytes)) {
                plan.files.push(Wanted { at: file.at.clone(), to, size_bytes: file.size_bytes, sha256 });
            }
        }
        if layout == Layout::Cache && reference != commit {
            plan.texts.insert(format!("refs/{reference}"), commit);
        }
        plan
    }

    /// Paths below the folder that belong to this revision and to no other: what goes when it is removed.
    pub(crate) fn own_paths(&self, tree: &Tree) -> Vec<String> {
        let Some(commit) = &self.about.revision else { return Vec::new() };
        let snapshot = format!("snapshots/{commit}/");
        let is_ours = |path: &str| path.starts_with(&snapshot);
        let others: BTreeSet<&str> = tree
            .entries
            .iter()
            .filter(|entry| entry.kind == FileKind::Link && !is_ours(&entry.path))
            .filter_map(|entry| entry.target.rsplit('/').next())
            .collect();
        let blobs = self
            .files
            .iter()
            .filter(|file| !file.at.rsplit('/').next().is_some_and(|it| others.contains(it)));
        let mut paths: BTreeSet<String> = blobs.map(|file| file.at.clone()).collect();
        let entries =
            tree.entries.iter().filter(|entry| entry.kind != FileKind::Folder && is_ours(&entry.path));
        paths.extend(entries.map(|entry| entry.path.clone()));
        let names = |text: &str| text.trim() == commit;
        let references = tree.contents.iter().filter(|(path, content)| {
            path.starts_with("refs/")
                && matches!(content, crate::inventory::files::Content::Text(text) if names(text))
        });
        paths.extend(references.map(|(path, _)| path.clone()));
        paths.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::terms::hub_paths::folder_of;
    use crate::inventory::files::{Content, FileEntry};

    const COMMIT: &str = "89b328c914fa003815bb08639cf07018a1259b81";
    const OTHER: &str = "0000000000000000000000000000000000000000";

    fn tree(root: &str, files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree { root: root.into(), ..Tree::default() };
        for (path, text) in files {
            for (end, _) in path.match_indices('/') {
                let entry = entry(&path[..end], FileKind::Folder, 0, "");
                if !tree.entries.contains(&entry) {
                    tree.entries.push(entry);
                }
            }
            let target = text.strip_prefix("-> ");
            let kind = if target.is_some() { FileKind::Link } else { FileKind::File };
            tree.entries.push(entry(path, kind, text.len() as u64, target.unwrap_or_default()));
            tree.contents.insert((*path).to_owned(), Content::Text((*text).to_owned()));
        }
        tree
    }

    fn entry(path: &str, kind: FileKind, size_bytes: u64, target: &str) -> FileEntry {
        FileEntry { path: path.into(), kind, size_bytes, modified: 0, target: target.into() }
    }

    fn cache() -> Tree {
        let big = "b".repeat(64);
        let at = |commit: &str, name: &str| format!("snapshots/{commit}/{name}");
        let files = [
            ("blobs/aa".to_owned(), "{}".to_owned()),
            (format!("blobs/{big}"), "weights".to_owned()),
            ("blobs/old".to_owned(), "old".to_owned()),
            ("refs/main".to_owned(), COMMIT.to_owned()),
            ("refs/old".to_owned(), OTHER.to_owned()),
            (at(COMMIT, "config.json"), "-> ../../blobs/aa".to_owned()),
            (at(COMMIT, "sub/a.bin"), format!("-> ../../../blobs/{big}")),
            (at(COMMIT, "sub/b.bin"), format!("-> ../../../blobs/{big}")),
            (at(OTHER, "config.json"), "-> ../../blobs/aa".to_owned()),
            (at(OTHER, "old.bin"), "-> ../../blobs/old".to_owned()),
        ];
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        tree("/hf/hub/models--acme--Tiny", &files)
    }

    fn model() -> ModelOnDisk {
        ModelOnDisk::of(&cache(), "acme/Tiny", None).unwrap()
    }

    #[test]
    fn a_cache_is_copied_as_one() {
        let big = "b".repeat(64);
        let plan = model().copy(Layout::Cache, "main", None);
        let files: Vec<(&str, bool)> =
            plan.files.iter().map(|file| (file.to.as_str(), file.sha256.is_some())).collect();
        assert_eq!(files, [("blobs/aa", false), (&*format!("blobs/{big}"), true)]);
        assert_eq!(plan.links[&format!("snapshots/{COMMIT}/sub/b.bin")], format!("../../../blobs/{big}"));
        assert_eq!(plan.links.len(), 3);
        assert_eq!(plan.texts, [("refs/main".to_owned(), COMMIT.to_owned())].into());
        assert!(model().copy(Layout::Cache, COMMIT, None).texts.is_empty());
        let rest = model().copy(Layout::Cache, "main", Some(&cache()));
        assert_eq!((rest.files.len(), rest.links.len()), (0, 3));
        assert_eq!(model().size_bytes(), 9, "a content that has two names counts once");
    }

    #[test]
    fn a_cache_is_copied_into_a_plain_folder() {
        let plan = model().copy(Layout::Folder, "main", None);
        let names: Vec<&str> = plan.files.iter().map(|file| file.to.as_str()).collect();
        assert_eq!(names, ["config.json", "sub/a.bin", "sub/b.bin"]);
        assert!(plan.links.is_empty() && plan.texts.is_empty());
    }

    #[test]
    fn what_another_revision_uses_stays() {
        let big = "b".repeat(64);
        let own = model().own_paths(&cache());
        let at = |name: &str| format!("snapshots/{COMMIT}/{name}");
        assert_eq!(
            own,
            [format!("blobs/{big}"), "refs/main".into(), at("config.json"), at("sub/a.bin"), at("sub/b.bin")]
        );
    }

    #[test]
    fn a_revision_may_be_named_and_may_be_missing() {
        for (revision, found) in
            [(Some("old"), Some(OTHER)), (Some(OTHER), Some(OTHER)), (Some("gone"), None)]
        {
            let model = ModelOnDisk::of(&cache(), "acme/Tiny", revision).ok();
            assert_eq!(model.and_then(|it| it.about.revision).as_deref(), found);
        }
    }

    #[test]
    fn files_that_cannot_be_copied_are_refused() {
        for (path, text, word) in [
            ("x.bin", "-> /etc/passwd", "link"),
            ("x.bin", "-> ../outside", "link"),
            ("x.bin", "-> sub", "link"),
            ("line\nbreak", "", "character"),
            ("back\\slash", "", "character"),
            ("not \u{fffd} text", "", "character"),
        ] {
            let tree = tree("/m", &[("config.json", "{}"), ("sub/y", ""), (path, text)]);
            let error = ModelOnDisk::of(&tree, "acme/Tiny", None).unwrap_err();
            assert!(error.contains(word), "{path:?}: {error}");
        }
        let kept = tree("/m", &[("config.json", "{}"), (".cache/x", ""), (installed::MANIFEST, "")]);
        assert_eq!(ModelOnDisk::of(&kept, "acme/Tiny", None).unwrap().files.len(), 1);
    }

    #[test]
    fn paths_of_models() {
        assert_eq!(layout_of("/hf/hub/models--acme--Tiny", "acme/Tiny"), Layout::Cache);
        assert_eq!(layout_of("/hf/hub/models--acme--Other", "acme/Tiny"), Layout::Folder);
        assert_eq!(folder_of("/hf/hub/models--a--b/snapshots/c"), "/hf/hub/models--a--b");
        for plain in ["/data/b", "/data/snapshots/b"] {
            assert_eq!(folder_of(plain), plain);
        }
    }
}
