//! The copy of a model that a host has already, for a deployment that names it as on the Hugging Face hub.
//!
//! A complete copy is mounted read-only and the engine is told that there is no hub: a start that looks for newer files
//! hangs where there is no way out, and downloads twenty gigabytes where there is one. A copy that lacks a file is no copy,
//! so it is judged by what a container will see: only the mounted folder, at the path where it is mounted.
//!
//! Where a model is, is decided once, when its container is first made, and kept. A download that has become complete
//! since then is the same model at the same place, and no reason to replace a container that serves it.

use super::installed;
use super::installed::InstalledModel;
use crate::dynamo::facts::release::Release;
use crate::dynamo::spec::model::{ModelPlace, ModelRef};
use crate::dynamo::terms::{hub_paths, paths};
use crate::inventory::files::{FileEntry, FileKind, Tree};

/// The first usable copy of a named model, in the order of the trees; in each a cache before a plain folder.
pub(crate) fn find(
    model: &ModelRef,
    trees: &[Tree],
    release: &Release,
    needs_weights: bool,
) -> Option<ModelPlace> {
    let ModelRef::HuggingFace(name) = model else { return None };
    trees.iter().find_map(|tree| {
        let folder = hub_paths::cache_folder(name);
        let candidates = [format!("hub/{folder}"), folder, name.clone()];
        candidates.iter().find_map(|below| usable(tree, below, name, release, needs_weights))
    })
}

fn usable(
    tree: &Tree,
    below: &str,
    name: &str,
    release: &Release,
    needs_weights: bool,
) -> Option<ModelPlace> {
    let path = format!("{}/{below}", tree.root.trim_end_matches('/'));
    paths::absolute(&path).ok()?;
    let place = ModelPlace::of_path(&ModelRef::HuggingFace(name.to_owned()), &path)?;
    let seen_as = match &place {
        ModelPlace::Cache(_) => format!("{}/hub/{}", release.hf_home, hub_paths::cache_folder(name)),
        ModelPlace::Folder(path) => path.clone(),
    };
    let there = tree.entries.iter().any(|entry| entry.path == below && entry.kind == FileKind::Folder);
    let part = there.then(|| subtree(tree, below, seen_as))?;
    let found: InstalledModel = match &place {
        ModelPlace::Cache(_) => installed::of_cache_folder(&part, name, None),
        ModelPlace::Folder(_) => installed::of_plain_folder(&part, name),
    };
    (!tree.truncated && found.is_usable(needs_weights)).then_some(place)
}

/// What lies below a folder of a tree, as if it were at `root`.
fn subtree(tree: &Tree, below: &str, root: String) -> Tree {
    let inner = |path: &str| path.strip_prefix(below)?.strip_prefix('/').map(str::to_owned);
    Tree {
        root,
        entries: tree
            .entries
            .iter()
            .filter_map(|entry| Some(FileEntry { path: inner(&entry.path)?, ..entry.clone() }))
            .collect(),
        contents: tree
            .contents
            .iter()
            .filter_map(|(path, content)| Some((inner(path)?, content.clone())))
            .collect(),
        truncated: tree.truncated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::tests::test_release;
    use crate::inventory::files::Content;

    const COMMIT: &str = "89b328c914fa003815bb08639cf07018a1259b81";

    /// Files, and links as `-> target`; folders come by themselves. Weights are one byte long, and say so.
    fn tree(root: &str, files: &[(String, &str)]) -> Tree {
        let mut tree = Tree { root: root.into(), ..Tree::default() };
        let mut folders = std::collections::BTreeSet::new();
        for (path, text) in files {
            folders.extend(path.match_indices('/').map(|(end, _)| path[..end].to_owned()));
            let target = text.strip_prefix("-> ");
            let kind = if target.is_some() { FileKind::Link } else { FileKind::File };
            tree.entries.push(entry(path, kind, target.unwrap_or_default()));
            let content = match text {
                it if path.ends_with(".safetensors") || it.contains("blobs/w") => {
                    Content::Safetensors { expected_bytes: Some(1) }
                }
                it if it.contains("blobs/c") => Content::Text("{\"model_type\":\"qwen3\"}".into()),
                it => Content::Text((*it).to_owned()),
            };
            tree.contents.insert(path.clone(), content);
        }
        tree.entries.extend(folders.iter().map(|path| entry(path, FileKind::Folder, "")));
        tree
    }

    fn entry(path: &str, kind: FileKind, target: &str) -> FileEntry {
        FileEntry { path: path.into(), kind, size_bytes: 1, modified: 0, target: target.into() }
    }

    fn cache(at: &str) -> Vec<(String, &'static str)> {
        let file = |path: &str| format!("{at}models--acme--Tiny/{path}");
        let snapshot = |name: &str| file(&format!("snapshots/{COMMIT}/{name}"));
        vec![
            (file("refs/main"), COMMIT),
            (file("blobs/c"), ""),
            (file("blobs/t"), "{}"),
            (file("blobs/w"), ""),
            (snapshot("config.json"), "-> ../../blobs/c"),
            (snapshot("tokenizer.json"), "-> ../../blobs/t"),
            (snapshot("model.safetensors"), "-> ../../blobs/w"),
        ]
    }

    fn plain(at: &str) -> Vec<(String, &'static str)> {
        vec![
            (format!("{at}acme/Tiny/config.json"), "{\"model_type\":\"qwen3\"}"),
            (format!("{at}acme/Tiny/tokenizer.json"), "{}"),
            (format!("{at}acme/Tiny/model.safetensors"), ""),
        ]
    }

    fn found(trees: &[Tree], needs_weights: bool) -> Option<ModelPlace> {
        let release = test_release::ALL.last().unwrap();
        find(&ModelRef::parse("acme/Tiny").unwrap(), trees, release, needs_weights)
    }

    #[test]
    fn the_first_complete_copy_is_taken() {
        let hub = tree("/hf", &cache("hub/"));
        let flat = tree("/flat/", &cache(""));
        let folder = tree("/data", &plain(""));
        let cached = |path: &str| Some(ModelPlace::Cache(format!("{path}/models--acme--Tiny")));
        assert_eq!(found(&[hub.clone(), flat.clone()], true), cached("/hf/hub"));
        assert_eq!(
            found(&[folder.clone(), hub.clone()], true),
            Some(ModelPlace::Folder("/data/acme/Tiny".into()))
        );
        let without = |tree: &Tree, what: &str| {
            let mut tree = tree.clone();
            tree.entries.retain(|entry| !entry.path.ends_with(what));
            tree
        };
        let cut = without(&hub, "blobs/w");
        assert_eq!(found(&[cut.clone(), flat.clone()], true), cached("/flat"));
        assert_eq!(found(&[cut], false), None, "a link to nothing is no model without weights");
        assert_eq!(found(&[tree("/x", &plain("other/"))], true), None);
        assert_eq!(found(&[Tree { truncated: true, ..hub }], true), None);
        let weightless = without(&folder, "model.safetensors");
        assert_eq!(found(std::slice::from_ref(&weightless), true), None);
        assert!(found(&[weightless], false).is_some());
        let release = test_release::ALL.last().unwrap();
        let path = ModelRef::parse("/data/acme/Tiny").unwrap();
        assert_eq!(find(&path, &[folder], release, true), None, "a path is its own");
    }

    /// Only what is mounted is there, and only at the path where it is mounted.
    #[test]
    fn links_that_a_container_could_not_follow_do_not_count() {
        for target in ["-> ../../store/w", "-> /data/store/w"] {
            let mut files = plain("");
            files[2].1 = target;
            files.push(("store/w".into(), ""));
            assert_eq!(found(&[tree("/data", &files)], true), None, "{target}");
        }
        let mut files = cache("hub/");
        files[6].1 = "-> /hf/hub/models--acme--Tiny/blobs/w";
        assert_eq!(found(&[tree("/hf", &files)], true), None);
    }

    #[test]
    fn what_is_stored_reads_back() {
        let model = ModelRef::parse("acme/Tiny").unwrap();
        for place in [
            ModelPlace::Cache("/hf/hub/models--acme--Tiny".into()),
            ModelPlace::Folder("/data/acme/Tiny".into()),
        ] {
            assert_eq!(ModelPlace::of_path(&model, place.path()), Some(place));
        }
        assert_eq!(ModelPlace::of_path(&ModelRef::parse("/data/x").unwrap(), "/data/x"), None);
    }
}
