//! Which models lie in a folder, and whether they are all there. Pure: a [`Tree`] in, models out.
//!
//! Two layouts are known. A Hugging Face cache has `models--ORGANISATION--NAME` folders, in which `refs/main` names a
//! snapshot whose files are links to blobs; it may lie in `hub` below the folder that `HF_HOME` names. A plain folder
//! is a model when its `config.json` describes one.
//!
//! A download that was cut off looks complete in every list of names, and the engine finds out minutes after its
//! start. So each safetensors file is held against its own header, which says how long it has to be, and a link counts
//! only if it ends at a file below the same folder: elsewhere is not mounted into containers.

use crate::dynamo::terms::hub_paths::CACHE_PREFIX;
use crate::inventory::files::{Content, FileEntry, FileKind, Tree};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// How a model lies in its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layout {
    /// A Hugging Face cache: used by its name.
    Cache,
    /// A plain folder: used by its path.
    Folder,
}

impl Layout {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Folder => "folder",
        }
    }
}

/// A model on a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InstalledModel {
    /// `organisation/name`, or the path below the folder that was searched.
    pub name: String,
    pub layout: Layout,
    /// Absolute path of the folder with its `config.json`; of the `models--…` folder while there is no snapshot.
    pub path: String,
    /// Commit; caches only.
    pub revision: Option<String>,
    /// Bytes of its files, each counted once.
    pub size_bytes: u64,
    /// What is missing or broken, as a clause; `None` = complete. See [`InstalledModel::is_usable`].
    pub problem: Option<String>,
    pub architecture: Option<String>,
    pub quantization: Option<String>,
    /// Longest context in tokens.
    pub context_length: Option<u64>,
}

impl InstalledModel {
    /// Whether an engine could load it: complete, or without weights where the engine needs none.
    pub(crate) fn is_usable(&self, needs_weights: bool) -> bool {
        match self.problem.as_deref() {
            None => true,
            Some(NO_WEIGHTS) => !needs_weights,
            Some(_) => false,
        }
    }
}

/// Problem of a model that is complete but for its weights: all of them are missing.
const NO_WEIGHTS: &str = "there are no weights";

/// A tree that is one model's folder in a cache. `revision` is a commit or the name of a reference; `None` = as [`scan`]
/// chooses.
pub(crate) fn of_cache_folder(tree: &Tree, name: &str, revision: Option<&str>) -> InstalledModel {
    Files::new(tree).cached(name.to_owned(), "", revision)
}

/// A tree that is one model's plain folder.
pub(crate) fn of_plain_folder(tree: &Tree, name: &str) -> InstalledModel {
    Files::new(tree).describe(name.to_owned(), Layout::Folder, "", None)
}

/// A file of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelFile {
    /// Path in the model.
    pub name: String,
    /// Path below the root of the tree where its content is, links followed.
    pub at: String,
    pub size_bytes: u64,
}

/// The files of the model that a tree is, as of [`of_cache_folder`] or [`of_plain_folder`], by name. The error is a clause:
/// a file that could not be copied as it is.
pub(crate) fn files(tree: &Tree, layout: Layout, revision: Option<&str>) -> Result<Vec<ModelFile>, String> {
    if tree.truncated {
        return Err("it has too many files".to_owned());
    }
    let files = Files::new(tree);
    let folder = match layout {
        Layout::Folder => String::new(),
        Layout::Cache => files.snapshot("", revision)?.0,
    };
    let below = files.below(&folder).into_iter().filter(|(name, entry)| {
        // What tools keep for themselves is not the model's.
        let hidden = layout == Layout::Folder && name.starts_with('.') && name.contains('/');
        entry.kind != FileKind::Folder && !hidden && *name != MANIFEST
    });
    below.map(|(name, entry)| files.model_file(name, entry)).collect()
}

/// In a plain folder of the provider's making: which files it made, and their checksums, as `sha256sum` writes them.
pub(crate) const MANIFEST: &str = ".dynamo-model.sha256";

/// Every model in the tree, by name.
pub(crate) fn scan(tree: &Tree) -> Vec<InstalledModel> {
    let files = Files::new(tree);
    let caches = files.folders().filter(|path| cache_name(path).is_some());
    let name = |path: &str| cache_name(path).unwrap_or(path).replace("--", "/");
    let mut found: Vec<InstalledModel> = caches.map(|path| files.cached(name(path), path, None)).collect();
    let mut inside: Vec<&str> = Vec::new();
    // By path, so that a model's folder comes before the folders in it.
    for folder in std::iter::once("").chain(files.folders()) {
        let in_model = inside.iter().any(|model| is_below(folder, model));
        if !in_model && !folder.split('/').any(is_not_searched) && files.is_model(folder) {
            inside.push(folder);
            found.push(files.plain(folder));
        }
    }
    found.sort();
    found
}

/// The text of the `config.json` of a model that [`scan`] found in the tree.
pub(crate) fn config<'a>(tree: &'a Tree, model: &InstalledModel) -> Option<&'a str> {
    let files = Files::new(tree);
    files.text(&join(files.below_root(&model.path).unwrap_or_default(), "config.json"))
}

/// Bytes of its weights as an engine loads them: safetensors, which often lie beside the same weights in other formats.
/// `None` where there are none, or only parts of them.
pub(crate) fn weights_bytes(tree: &Tree, model: &InstalledModel) -> Option<u64> {
    if model.problem.is_some() {
        return None;
    }
    let files = Files::new(tree);
    let folder = files.below_root(&model.path).unwrap_or_default();
    let sum = |begin: &str| {
        let names =
            files.names(folder).filter(|name| name.starts_with(begin) && name.ends_with(".safetensors"));
        names.filter_map(|name| files.file(&join(folder, name))).map(|file| file.size_bytes).sum::<u64>()
    };
    [sum("model"), sum("consolidated")].into_iter().find(|bytes| *bytes > 0)
}

/// `acme--Tiny` of `models--acme--Tiny` or `hub/models--acme--Tiny`.
fn cache_name(path: &str) -> Option<&str> {
    let name = path.strip_prefix("hub/").unwrap_or(path).strip_prefix(CACHE_PREFIX);
    name.filter(|name| !name.is_empty() && !name.contains('/'))
}

fn is_not_searched(part: &str) -> bool {
    part.starts_with(CACHE_PREFIX) || part.starts_with('.')
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// A tree with its paths looked up quickly.
struct Files<'a> {
    tree: &'a Tree,
    by_path: BTreeMap<&'a str, &'a FileEntry>,
}

/// Links that are followed for one path; as many as Linux does.
const MOST_LINKS: usize = 40;

impl<'a> Files<'a> {
    fn new(tree: &'a Tree) -> Self {
        Self { tree, by_path: tree.entries.iter().map(|entry| (entry.path.as_str(), entry)).collect() }
    }

    fn folders(&self) -> impl Iterator<Item = &'a str> {
        self.tree
            .entries
            .iter()
            .filter(|entry| entry.kind == FileKind::Folder)
            .map(|entry| entry.path.as_str())
    }

    /// The file or folder at `path`, links followed; `None` where nothing is, or elsewhere than below the root.
    fn resolve(&self, path: &str) -> Option<&'a FileEntry> {
        let mut links = 0;
        let mut todo: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut at: Vec<String> = Vec::new();
        while let Some(part) = todo.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    at.pop()?;
                    continue;
                }
                _ => at.push(part),
            }
            let entry = self.by_path.get(at.join("/").as_str())?;
            if entry.kind == FileKind::Link {
                links += 1;
                let inside = self.below_root(&entry.target);
                if links > MOST_LINKS || (entry.target.starts_with('/') && inside.is_none()) {
                    return None;
                }
                at.pop();
                if inside.is_some() {
                    at.clear();
                }
                let target = inside.unwrap_or(&entry.target);
                todo.extend(target.split('/').rev().map(str::to_owned));
            }
        }
        self.by_path.get(at.join("/").as_str()).copied()
    }

    /// An absolute path as one below the root.
    fn below_root<'t>(&self, path: &'t str) -> Option<&'t str> {
        path.strip_prefix(self.tree.root.trim_end_matches('/'))?
            .strip_prefix('/')
            .filter(|_| path.starts_with('/'))
    }

    fn model_file(&self, name: &str, entry: &FileEntry) -> Result<ModelFile, String> {
        let plain = |text: &str| !text.chars().any(|c| c.is_control() || matches!(c, '\\' | '\u{fffd}'));
        let found = match entry.kind {
            FileKind::Other => return Err(format!("{name:?} is neither a file nor a folder")),
            _ => self.file(&entry.path),
        };
        let found = found.ok_or_else(|| {
            format!("{name:?} is a link to nothing, to a folder, or out of the model's folder")
        })?;
        if !plain(name) || !plain(&found.path) {
            return Err(format!("{name:?} has a character in its name that no model's file has"));
        }
        Ok(ModelFile { name: name.to_owned(), at: found.path.clone(), size_bytes: found.size_bytes })
    }

    fn file(&self, path: &str) -> Option<&'a FileEntry> {
        self.resolve(path).filter(|entry| entry.kind == FileKind::File)
    }

    fn content(&self, path: &str) -> Option<&'a Content> {
        self.file(path).and_then(|_| self.tree.contents.get(path))
    }

    fn text(&self, path: &str) -> Option<&'a str> {
        match self.content(path)? {
            Content::Text(text) => Some(text),
            Content::Index { .. } | Content::Safetensors { .. } => None,
        }
    }

    fn config(&self, folder: &str) -> Option<serde_json::Value> {
        let config = serde_json::from_str(self.text(&join(folder, "config.json"))?).ok()?;
        serde_json::Value::is_object(&config).then_some(config)
    }

    fn is_model(&self, folder: &str) -> bool {
        let config = self.config(folder);
        config.is_some_and(|it| it.get("model_type").is_some() || it.get("architectures").is_some())
    }

    /// Names of files directly in `folder`, whether or not they lead anywhere.
    fn names(&self, folder: &str) -> impl Iterator<Item = &'a str> {
        let below = self.below(folder).into_iter();
        below
            .filter(|(name, entry)| !name.contains('/') && entry.kind != FileKind::Folder)
            .map(|(name, _)| name)
    }

    /// Everything below `folder`, each with its path there.
    fn below(&self, folder: &str) -> Vec<(&'a str, &'a FileEntry)> {
        let prefix = join(folder, "");
        let from = self.by_path.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded));
        from.map_while(|(path, entry)| Some((path.strip_prefix(&prefix)?, *entry))).collect()
    }

    fn plain(&self, folder: &str) -> InstalledModel {
        let root = self.tree.root.trim_end_matches('/');
        let own_name = || root.rsplit('/').next().unwrap_or(root).to_owned();
        let name = if folder.is_empty() { own_name() } else { folder.to_owned() };
        self.describe(name, Layout::Folder, folder, None)
    }

    fn cached(&self, name: String, folder: &str, revision: Option<&str>) -> InstalledModel {
        match self.snapshot(folder, revision) {
            Ok((snapshot, revision)) => self.describe(name, Layout::Cache, &snapshot, Some(revision)),
            Err(problem) => InstalledModel {
                name,
                layout: Layout::Cache,
                path: self.absolute(folder),
                revision: None,
                size_bytes: 0,
                problem: Some(problem.to_owned()),
                architecture: None,
                quantization: None,
                context_length: None,
            },
        }
    }

    /// The snapshot that is used: of the revision that was asked for, else the one that `refs/main` names, else the only
    /// one.
    fn snapshot(&self, folder: &str, revision: Option<&str>) -> Result<(String, String), &'static str> {
        let snapshots = join(folder, "snapshots");
        let path = |revision: &str| join(&snapshots, revision);
        let there = |commit: &str| {
            let found = self.resolve(&path(commit)).filter(|entry| entry.kind == FileKind::Folder);
            found.map(|_| (path(commit), commit.to_owned()))
        };
        let named = |reference: &str| {
            let text = self.text(&join(folder, &format!("refs/{reference}")));
            text.map(str::trim).filter(|it| is_commit(it))
        };
        if let Some(revision) = revision {
            let commit = if is_commit(revision) { Some(revision) } else { named(revision) };
            return commit.and_then(there).ok_or("nothing of that revision is there");
        }
        if let Some(main) = named("main") {
            return there(main).ok_or("nothing of its main revision is there");
        }
        let below = self.below(&snapshots).into_iter();
        let mut revisions =
            below.filter(|(name, entry)| !name.contains('/') && entry.kind == FileKind::Folder);
        match (revisions.next(), revisions.next()) {
            (Some((only, _)), None) => Ok((path(only), only.to_owned())),
            (None, _) => Err("no revision of it is there"),
            (Some(_), Some(_)) => Err("several revisions are there, and none is called main"),
        }
    }

    fn absolute(&self, path: &str) -> String {
        join(self.tree.root.trim_end_matches('/'), path).trim_end_matches('/').to_owned()
    }

    fn describe(
        &self,
        name: String,
        layout: Layout,
        folder: &str,
        revision: Option<String>,
    ) -> InstalledModel {
        let config = self.config(folder).unwrap_or_default();
        InstalledModel {
            name,
            layout,
            path: self.absolute(folder),
            revision,
            size_bytes: self.size(folder),
            problem: self.problem(folder),
            architecture: architecture(&config),
            quantization: quantization(&config),
            context_length: context_length(&config),
        }
    }

    /// A file that two names lead to counts once.
    fn size(&self, folder: &str) -> u64 {
        let mut counted = BTreeSet::new();
        let files = self.below(folder).into_iter().filter_map(|(_, entry)| self.file(&entry.path));
        files.filter(|file| counted.insert(&file.path)).map(|file| file.size_bytes).sum()
    }

    fn problem(&self, folder: &str) -> Option<String> {
        if self.config(folder).is_none() {
            return Some("config.json is missing or not JSON".to_owned());
        }
        let here = |name: &str| self.file(&join(folder, name)).is_some();
        if !TOKENIZERS.iter().any(|name| here(name)) {
            return Some(format!("there is no {}", TOKENIZERS.join(" or ")));
        }
        let needed = match self.indexed(folder) {
            Some(Content::Index { whole: true, files }) => files.clone(),
            Some(_) => return Some("the list of its weight files is cut off".to_owned()),
            None => self.names(folder).filter(|name| is_weights(name)).map(str::to_owned).collect(),
        };
        if needed.is_empty() {
            return Some(NO_WEIGHTS.to_owned());
        }
        needed.iter().find_map(|name| self.weights_problem(&join(folder, name), name))
    }

    fn indexed(&self, folder: &str) -> Option<&'a Content> {
        INDEXES.iter().find_map(|name| self.content(&join(folder, name)))
    }

    fn weights_problem(&self, path: &str, name: &str) -> Option<String> {
        let Some(file) = self.file(path) else { return Some(format!("{name} is missing")) };
        match self.content(path) {
            Some(Content::Safetensors { expected_bytes: Some(expected) }) if *expected == file.size_bytes => {
                None
            }
            Some(Content::Safetensors { expected_bytes: Some(expected) }) => {
                Some(format!("{name} has {} of {expected} bytes", file.size_bytes))
            }
            Some(Content::Safetensors { expected_bytes: None }) => {
                Some(format!("{name} has no valid header"))
            }
            // Other formats do not tell how long they are.
            Some(Content::Text(_) | Content::Index { .. }) | None => None,
        }
    }
}

/// One of them is needed: the frontend tokenizes.
const TOKENIZERS: [&str; 2] = ["tokenizer.json", "tokenizer.model"];
/// Lists of weight files that were split.
const INDEXES: [&str; 2] = ["model.safetensors.index.json", "pytorch_model.bin.index.json"];

/// Weight files that need no list: beginning and end of the name.
const WEIGHTS: [(&str, &str); 4] = [
    ("model", "model.safetensors"),
    ("consolidated", ".safetensors"),
    ("pytorch_model", ".bin"),
    ("", ".gguf"),
];

fn is_weights(name: &str) -> bool {
    WEIGHTS.iter().any(|(begin, end)| name.starts_with(begin) && name.ends_with(end))
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn architecture(config: &serde_json::Value) -> Option<String> {
    let first = config.get("architectures").and_then(|it| it.get(0));
    first.or_else(|| config.get("model_type"))?.as_str().map(str::to_owned)
}

fn quantization(config: &serde_json::Value) -> Option<String> {
    let quantization = part(config, "quantization_config")?;
    let word = quantization.get("quant_method").or_else(|| quantization.get("quant_algo"))?;
    word.as_str().map(str::to_owned)
}

fn context_length(config: &serde_json::Value) -> Option<u64> {
    part(config, "max_position_embeddings")?.as_u64()
}

/// Models that see and hear keep their language model's configuration one level down.
fn part<'c>(config: &'c serde_json::Value, key: &str) -> Option<&'c serde_json::Value> {
    config.get(key).or_else(|| config.get("text_config")?.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "89b328c914fa003815bb08639cf07018a1259b81";
    const CONFIG: &str = r#"{"architectures":["Qwen3ForCausalLM"],"model_type":"qwen3","max_position_embeddings":40960,
        "quantization_config":{"quant_method":"fp8"}}"#;

    /// Files and links (`-> target`) by path; folders come by themselves. Weights are `expects N`, an index is a list
    /// of names.
    fn tree(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree { root: "/data/models".into(), ..Tree::default() };
        let mut folders = BTreeSet::new();
        for (path, text) in files {
            folders.extend(path.match_indices('/').map(|(end, _)| path[..end].to_owned()));
            let target = text.strip_prefix("-> ");
            let kind = if target.is_some() { FileKind::Link } else { FileKind::File };
            tree.entries.push(FileEntry {
                target: target.unwrap_or_default().into(),
                ..entry(path, kind, text.len())
            });
        }
        tree.entries.extend(folders.iter().map(|path| entry(path, FileKind::Folder, 4096)));
        tree.entries.sort_by(|a, b| a.path.cmp(&b.path));
        let contents = files.iter().map(|(path, text)| {
            // A link's content is that of the file it leads to.
            let end = Files::new(&tree).file(path).map(|it| it.path.clone()).unwrap_or_default();
            let text = files.iter().find(|(path, _)| *path == end).map_or(*text, |(_, text)| *text);
            ((*path).to_owned(), content(path, text))
        });
        Tree { contents: contents.collect(), ..tree.clone() }
    }

    fn entry(path: &str, kind: FileKind, size: usize) -> FileEntry {
        FileEntry { path: path.into(), kind, size_bytes: size as u64, modified: 0, target: String::new() }
    }

    fn content(path: &str, text: &str) -> Content {
        if path.ends_with(".safetensors") {
            Content::Safetensors {
                expected_bytes: text.strip_prefix("expects ").and_then(|it| it.parse().ok()),
            }
        } else if path.ends_with(".index.json") {
            let files = text.trim_end_matches('…').split(' ').map(str::to_owned).collect();
            Content::Index { whole: !text.ends_with('…'), files }
        } else {
            Content::Text(text.into())
        }
    }

    fn only(files: &[(&str, &str)]) -> InstalledModel {
        let found = scan(&tree(files));
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    }

    /// "expects 10" is ten bytes long.
    const WEIGHTS: &str = "expects 10";

    #[test]
    fn a_plain_folder_is_described_by_its_config() {
        let files = [
            ("acme/Tiny/config.json", CONFIG),
            ("acme/Tiny/tokenizer.json", "{}"),
            ("acme/Tiny/model.safetensors", WEIGHTS),
        ];
        assert_eq!(
            only(&files),
            InstalledModel {
                name: "acme/Tiny".into(),
                layout: Layout::Folder,
                path: "/data/models/acme/Tiny".into(),
                revision: None,
                size_bytes: (CONFIG.len() + 2 + 10) as u64,
                problem: None,
                architecture: Some("Qwen3ForCausalLM".into()),
                quantization: Some("fp8".into()),
                context_length: Some(40_960),
            }
        );
    }

    /// A cache as the hub's clients make it.
    fn cache(at: &str) -> Vec<(String, &'static str)> {
        let file = |path: &str| format!("{at}models--acme--Tiny/{path}");
        let snapshot = |name: &str| file(&format!("snapshots/{COMMIT}/{name}"));
        vec![
            (file("refs/main"), COMMIT),
            (snapshot("config.json"), "-> ../../blobs/aa"),
            (snapshot("tokenizer.json"), "-> ../../blobs/bb"),
            (snapshot("model.safetensors"), "-> ../../blobs/cc"),
            (file("blobs/aa"), CONFIG),
            (file("blobs/bb"), "{}"),
            (file("blobs/cc"), WEIGHTS),
            (file("blobs/dd.incomplete"), "xxx"),
        ]
    }

    fn borrowed<'a>(files: &'a [(String, &'static str)]) -> Vec<(&'a str, &'static str)> {
        files.iter().map(|(path, text)| (path.as_str(), *text)).collect()
    }

    #[test]
    fn a_cache_is_read_through_its_links_in_both_places() {
        for at in ["", "hub/"] {
            let model = only(&borrowed(&cache(at)));
            assert_eq!(
                (model.name.as_str(), model.layout, &model.problem),
                ("acme/Tiny", Layout::Cache, &None)
            );
            assert_eq!(model.revision.as_deref(), Some(COMMIT));
            assert_eq!(model.path, format!("/data/models/{at}models--acme--Tiny/snapshots/{COMMIT}"));
            assert_eq!(model.size_bytes, (CONFIG.len() + 2 + 10) as u64);
        }
    }

    #[test]
    fn what_is_missing_in_a_cache_is_said() {
        let other = "0000000000000000000000000000000000000000";
        let second = format!("models--acme--Tiny/snapshots/{other}/config.json");
        type Change<'a> = Box<dyn Fn(&mut Vec<(String, &'static str)>) + 'a>;
        let table: [(Change<'_>, Option<&str>); 6] = [
            (
                Box::new(|files| files.retain(|(path, _)| !path.ends_with("blobs/cc"))),
                Some("model.safetensors is missing"),
            ),
            (
                Box::new(|files| files.retain(|(path, _)| !path.ends_with("blobs/aa"))),
                Some("config.json is missing or not JSON"),
            ),
            (
                Box::new(|files| files.retain(|(path, _)| !path.contains("snapshots/"))),
                Some("nothing of its main revision is there"),
            ),
            (
                Box::new(|files| files.retain(|(path, _)| path.contains("blobs/"))),
                Some("no revision of it is there"),
            ),
            (Box::new(|files| files.retain(|(path, _)| !path.contains("refs/"))), None),
            (
                Box::new(|files| {
                    files.retain(|(path, _)| !path.contains("refs/"));
                    files.push((second.clone(), CONFIG));
                }),
                Some("several revisions are there, and none is called main"),
            ),
        ];
        for (change, problem) in table {
            let mut files = cache("");
            change(&mut files);
            assert_eq!(only(&borrowed(&files)).problem.as_deref(), problem);
        }
    }

    #[test]
    fn what_is_missing_in_a_folder_is_said() {
        const INDEX: (&str, &str) = ("m/model.safetensors.index.json", "a.safetensors b.safetensors");
        let base = [("m/config.json", CONFIG), ("m/tokenizer.json", "{}")];
        type Row = (&'static [(&'static str, &'static str)], Option<&'static str>);
        let table: [Row; 12] = [
            (&[], Some("there are no weights")),
            (&[("m/model.safetensors", WEIGHTS)], None),
            (&[("m/model.safetensors", "expects 99")], Some("model.safetensors has 10 of 99 bytes")),
            (&[("m/model.safetensors", "garbage")], Some("model.safetensors has no valid header")),
            (&[("m/model-00001-of-00002.safetensors", WEIGHTS)], Some("there are no weights")),
            (&[INDEX, ("m/a.safetensors", WEIGHTS)], Some("b.safetensors is missing")),
            (&[INDEX, ("m/a.safetensors", WEIGHTS), ("m/b.safetensors", WEIGHTS)], None),
            (
                &[("m/model.safetensors.index.json", "a.safetensors…")],
                Some("the list of its weight files is cut off"),
            ),
            (&[("m/x.Q4_K_M.gguf", "")], None),
            (&[("m/model.safetensors", "-> /etc/passwd")], Some("model.safetensors is missing")),
            (&[("m/model.safetensors", "-> ../../../outside")], Some("model.safetensors is missing")),
            (
                &[("m/model.safetensors", "-> loop"), ("m/loop", "-> model.safetensors")],
                Some("model.safetensors is missing"),
            ),
        ];
        for (more, problem) in table {
            let model = only(&[&base, more].concat());
            assert_eq!(model.problem.as_deref(), problem, "{more:?}");
        }
        assert_eq!(
            only(&base[..1]).problem.as_deref(),
            Some("there is no tokenizer.json or tokenizer.model")
        );
    }

    #[test]
    fn links_are_followed_below_the_root_however_they_are_written() {
        for link in [
            "-> ../store/w",
            "-> ./../m/../store//w",
            "-> /data/models/store/w",
            "-> ../way/w",
            "-> ../absolute/w",
        ] {
            let files = [
                ("m/config.json", CONFIG),
                ("m/tokenizer.json", "{}"),
                ("m/model.safetensors", link),
                ("store/w", WEIGHTS),
                ("way", "-> store"),
                ("absolute", "-> /data/models/store"),
            ];
            assert_eq!(only(&files).problem, None, "{link}");
        }
    }

    #[test]
    fn what_only_looks_like_a_model_is_none() {
        let model = [("m/config.json", CONFIG), ("m/tokenizer.json", "{}"), ("m/model.safetensors", WEIGHTS)];
        let others = [
            ("app/config.json", r#"{"port":80}"#),
            ("list/config.json", "[1]"),
            ("broken/config.json", "{"),
            (".hidden/x/config.json", CONFIG),
            ("m/1_Pooling/config.json", CONFIG),
            ("line\nbreak\t/config.json", "no"),
        ];
        assert_eq!(only(&[&model[..], &others].concat()).name, "m");
    }

    #[test]
    fn the_searched_folder_may_be_the_model_and_configurations_nest() {
        let nested = r#"{"model_type":"llava","text_config":{"max_position_embeddings":8192,
            "quantization_config":{"quant_algo":"NVFP4"}}}"#;
        let model =
            only(&[("config.json", nested), ("tokenizer.model", ""), ("consolidated.safetensors", WEIGHTS)]);
        assert_eq!(
            (model.name.as_str(), model.path.as_str(), model.problem),
            ("models", "/data/models", None)
        );
        assert_eq!(model.architecture.as_deref(), Some("llava"));
        assert_eq!((model.quantization.as_deref(), model.context_length), (Some("NVFP4"), Some(8192)));
    }
}
