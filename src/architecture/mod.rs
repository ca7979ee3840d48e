//! The arrows of the map in `lib.rs`, held by a test: which module may name which, which crates the pure ones may not, which
//! floor of a folder stands on which, and how much of what should not be is left.
//!
//! In one crate every module sees every other, so direction is a habit unless something checks it.

use circles::{Circles, differences, is_shorter};
use graph::{Graph, between_folders, folder};
use imports::{Modules, Product};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

mod circles;
mod graph;
mod imports;

/// Path below `src/` → what may follow `crate::` there. A name allows everything below it; each module may name itself. The
/// longest prefix decides, so that a file can be bound tighter (or, by name, looser) than its folder.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("inventory", &[]),
    ("container", &["inventory"]),
    ("plain_text.rs", &[]),
    ("tf_provider", &["model", "plain_text"]), // the macro `model!`
    ("dynamo", &["container", "inventory"]),
    ("reconcile", &["container", "inventory", "hosts"]),
    // The pure half knows no host.
    ("reconcile/diff.rs", &["container", "inventory"]),
    ("reconcile/order.rs", &["container"]),
    ("hosts", &["container", "inventory", "plain_text"]),
    ("provider", &["container", "dynamo", "hosts", "inventory", "model", "reconcile", "tf_provider"]),
    ("docs", &["provider", "tf_provider", "model"]),
];

/// Crates and modules by which a pure module would talk.
const TALKING: &[&str] =
    &["tokio::", "bollard::", "hyper::", "std::fs", "std::env", "std::net::Tcp", "std::process"];
const PURE: &[&str] =
    &["inventory", "container", "plain_text.rs", "dynamo", "reconcile/diff.rs", "reconcile/order.rs"];

/// Folder → its floors, from the ground up: each file or folder in it imports only from those before it. The folder's own
/// `mod.rs` is the roof, which nothing below imports from, unless it is listed as `mod`.
const FLOORS: &[(&str, &[&str])] = &[
    ("container", &["secret", "spec", "observed", "names", "labels", "image_defaults", "spelling"]),
    (
        "hosts",
        &[
            "sync",
            "shell",
            "registry_auth",
            "error",
            "transport",
            "docker",
            "host",
            "http",
            "images",
            "containers",
            "container_files",
            "logs",
            "usage",
            "networks",
            "volumes",
            "snapshot",
            "inventory",
            "machine",
            "registry",
            "gpu",
            "files",
            "transfer",
            "ssh",
        ],
    ),
    (
        "dynamo",
        &[
            "terms",
            "facts",
            "spec",
            "check",
            "models",
            "gpus",
            "blueprint",
            "readiness",
            "decide",
            "openwebui",
        ],
    ),
    (
        "provider",
        &[
            "attributes",
            "config",
            "machine",
            "allocation",
            "session",
            "plan_checks",
            "lifecycle",
            "deployment",
            "worker",
            "openwebui",
            "models",
            "data_sources",
            "functions",
            "render",
        ],
    ),
    ("reconcile", &["diff", "order", "effects", "failure", "ledger", "wait", "assembly", "run", "execute"]),
];

/// So many sources side by side can still be looked over.
const SIDE_BY_SIDE: usize = 16;
/// Folders that have more, and how many. The numbers only become smaller.
const CROWDED: &[(&str, usize)] = &[];

/// Names that more than one public type has, and how many do. The numbers only become smaller.
const SHARED_NAMES: &[(&str, usize)] = &[];

/// Folders whose `mod.rs` does not say yet what they are. The list only becomes shorter.
const SILENT: &[&str] = &[];

/// The code below `src/`.
struct Code {
    /// Every source's text, by its path there.
    texts: BTreeMap<String, String>,
    /// Those of the product that no module declares.
    undeclared: Vec<String>,
    products: BTreeMap<String, Product>,
    files: Graph,
    folders: Graph,
}

static CODE: LazyLock<Code> = LazyLock::new(|| {
    let root = root();
    let mut found = Vec::new();
    sources(&root, &mut found);
    let texts = found.into_iter().map(|file| {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(&file).unwrap())
    });
    Code::of(texts.collect())
});

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

impl Code {
    fn of(texts: BTreeMap<String, String>) -> Self {
        let modules = Modules::of(&texts);
        let declared = modules.files();
        let undeclared =
            texts.keys().filter(|it| *it != "main.rs" && !declared.contains(it.as_str())).cloned().collect();
        let products = modules.products(&texts);
        let mut files = Graph::new();
        for (from, product) in &products {
            for path in &product.named {
                if let Some(to) = modules.file_of(path).filter(|to| to != from) {
                    let arrows = files.entry(from.clone()).or_default();
                    arrows.entry(to.to_owned()).or_insert_with(|| path.join("::"));
                }
            }
        }
        let folders = between_folders(&files);
        Self { texts, undeclared, products, files, folders }
    }
}

fn rule(name: &str) -> Option<&'static (&'static str, &'static [&'static str])> {
    let fits =
        |prefix: &str| name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    MAY_NAME.iter().filter(|(prefix, _)| fits(prefix)).max_by_key(|(prefix, _)| prefix.len())
}

/// Whether a file of the module `own` may name this path of the crate.
fn allowed(path: &[String], own: &str, allowed: &[&str]) -> bool {
    let path = path.join("::");
    let begins =
        |prefix: &str| path == prefix || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with("::"));
    begins(own) || allowed.iter().any(|prefix| begins(prefix))
}

/// The file or folder, directly in `folder`, that a file is or is in.
fn entry<'a>(folder: &str, file: &'a str) -> Option<&'a str> {
    let inside = file.strip_prefix(folder)?.strip_prefix('/')?;
    let first = inside.split('/').next()?;
    Some(first.strip_suffix(".rs").unwrap_or(first))
}

fn wrong_floors(
    folder: &str,
    floors: &[&str],
    files: impl Iterator<Item = impl AsRef<str>>,
    graph: &Graph,
) -> Vec<String> {
    let floor = |entry: &str| floors.iter().position(|it| *it == entry);
    let mut wrong = Vec::new();
    let mut present = BTreeSet::new();
    for file in files {
        let file = file.as_ref();
        let Some(from) = entry(folder, file) else { continue };
        present.insert(from.to_owned());
        for (to, path) in graph.get(file).into_iter().flatten() {
            let Some(below) = entry(folder, to) else { continue };
            let is_down = match (floor(from), floor(below)) {
                (Some(from), Some(to)) => to <= from,
                (None, _) => true, // the roof, or told of below
                (Some(_), None) => false,
            };
            if !is_down {
                wrong
                    .push(format!("{file} names {path}: {folder}/{below} is no floor below {folder}/{from}"));
            }
        }
    }
    let no_floor = present.iter().filter(|it| *it != "mod" && floor(it).is_none());
    wrong.extend(no_floor.map(|it| format!("{folder}/{it} has no floor: give it one in FLOORS")));
    let empty = floors.iter().filter(|it| !present.contains(**it));
    wrong.extend(empty.map(|it| format!("{folder}/{it} does not exist: remove it from FLOORS")));
    wrong
}

/// What is counted beside what is recorded: a number may neither be larger, nor smaller without being written down.
fn wrong_numbers(found: &BTreeMap<String, usize>, recorded: &[(&str, usize)], list: &str) -> Vec<String> {
    let known: BTreeMap<&str, usize> = recorded.iter().copied().collect();
    let more = found.iter().filter_map(|(name, count)| match known.get(name.as_str()) {
        Some(known) if count == known => None,
        Some(known) if count < known => {
            Some(format!("{name}: {count}, no longer {known}: lower it in {list}"))
        }
        Some(known) => Some(format!("{name}: {count}, and {known} at most")),
        None => Some(format!("{name}: {count}, and there may be none")),
    });
    let gone = known.keys().filter(|name| !found.contains_key(**name));
    more.chain(gone.map(|name| format!("{name}: none any more: remove it from {list}"))).collect()
}

#[test]
fn every_file_is_declared() {
    assert_eq!(CODE.undeclared, Vec::<String>::new());
}

#[test]
fn modules_name_only_what_the_map_allows() {
    let mut wrong = Vec::new();
    for (name, product) in &CODE.products {
        let own = name.split('/').next().unwrap_or_default().trim_end_matches(".rs");
        if own == "lib" {
            continue;
        }
        let Some((_, rule)) = rule(name) else {
            wrong.push(format!("{name}: no rule for it; add its module to MAY_NAME"));
            continue;
        };
        for path in &product.named {
            if let Some(("crate", path)) = path.split_first().map(|(first, rest)| (first.as_str(), rest))
                && !allowed(path, own, rule)
            {
                wrong.push(format!("{name} names crate::{}", path.join("::")));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn pure_modules_do_not_talk() {
    let mut wrong = Vec::new();
    for (name, product) in &CODE.products {
        if PURE.iter().any(|prefix| name == prefix || name.starts_with(&format!("{prefix}/"))) {
            let named = product.named.iter().map(|path| path.join("::"));
            let talking = named.filter(|path| TALKING.iter().any(|it| format!("{path}::").starts_with(it)));
            wrong.extend(talking.map(|path| format!("{name} uses {path}")));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn floors_stand_on_those_below() {
    let wrong: Vec<String> = FLOORS
        .iter()
        .flat_map(|(folder, floors)| wrong_floors(folder, floors, CODE.products.keys(), &CODE.files))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn circles_only_become_fewer() {
    let file = root().join("architecture/circles.txt");
    let found = Circles::of(&CODE.files, &CODE.folders);
    let text = fs::read_to_string(&file).ok();
    let recorded = Circles::read(text.as_deref().unwrap_or_default());
    let mut wrong = differences(&found.files, &recorded.files, &CODE.files);
    wrong.extend(differences(&found.folders, &recorded.folders, &CODE.folders));
    if wrong.is_empty() {
        return;
    }
    let shorter = is_shorter(&found.files, &recorded.files) && is_shorter(&found.folders, &recorded.folders);
    // Whoever begins the list anew has removed it first, which a review sees.
    let may_write = shorter || text.is_none();
    if may_write && std::env::var_os("UPDATE_CIRCLES").is_some() {
        fs::write(&file, found.written()).unwrap();
        return;
    }
    let help = match may_write {
        true => "UPDATE_CIRCLES=1 writes the list anew: there is no more of them than before",
        false => "there is more of them than before: cut one of the arrows",
    };
    panic!("{}\n{help}", wrong.join("\n"));
}

#[test]
fn folders_can_be_looked_over() {
    let mut counts = BTreeMap::new();
    for folder in CODE.texts.keys().filter_map(|file| folder(file)) {
        *counts.entry(folder.to_owned()).or_insert(0) += 1;
    }
    counts.retain(|_, count| *count > SIDE_BY_SIDE);
    let wrong = wrong_numbers(&counts, CROWDED, "CROWDED");
    assert!(wrong.is_empty(), "sources side by side in a folder:\n{}", wrong.join("\n"));
}

#[test]
fn a_name_means_one_type() {
    let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (file, product) in &CODE.products {
        for name in &product.types {
            files.entry(name).or_default().push(file);
        }
    }
    files.retain(|_, files| files.len() > 1);
    let counts = files.iter().map(|(name, files)| ((*name).to_owned(), files.len())).collect();
    let wrong = wrong_numbers(&counts, SHARED_NAMES, "SHARED_NAMES");
    let where_they_are = wrong.iter().map(|line| {
        let name = line.split(':').next().unwrap_or_default();
        format!("{line} {:?}", files.get(name).map(Vec::as_slice).unwrap_or_default())
    });
    let told = where_they_are.collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "public types of one name:\n{told}");
}

#[test]
fn a_folder_says_what_it_is() {
    let mut wrong = Vec::new();
    let mut silent = BTreeSet::new();
    for (name, text) in &CODE.texts {
        if let Some(folder) = name.strip_suffix("/mod.rs").filter(|_| !text.starts_with("//!")) {
            silent.insert(folder);
        }
    }
    let known: BTreeSet<&str> = SILENT.iter().copied().collect();
    wrong
        .extend(silent.difference(&known).map(|it| format!("{it}/mod.rs does not begin with a //! comment")));
    wrong.extend(
        known.difference(&silent).map(|it| format!("{it} is not silent any more: remove it from SILENT")),
    );
    assert_eq!(wrong, Vec::<String>::new());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split("::").map(str::to_owned).collect()
    }

    #[test]
    fn a_wrong_arrow_is_seen() {
        assert!(!allowed(&path("hosts::Host"), "dynamo", &["container", "inventory"]));
        assert!(allowed(&path("container::labels::PREFIX"), "dynamo", &["container", "inventory"]));
        assert!(!allowed(&path("hosts::Host"), "reconcile", &["container", "hosts::error"]));
        assert!(!allowed(&path("container_of_worms"), "dynamo", &["container"]));
        assert_eq!(rule("reconcile/order.rs").map(|(prefix, _)| *prefix), Some("reconcile/order.rs"));
        assert_eq!(rule("reconcile/effects.rs").map(|(prefix, _)| *prefix), Some("reconcile"));
    }

    fn code(texts: &[(&str, &str)]) -> Code {
        Code::of(texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
    }

    #[test]
    fn an_arrow_up_is_seen() {
        let code = code(&[
            ("lib.rs", "mod a;"),
            ("a/mod.rs", "mod ground; mod first; mod top; pub use top::X;"),
            ("a/ground.rs", "use super::first::Y;"),
            ("a/first/mod.rs", "use super::ground; mod inner;"),
            ("a/first/inner.rs", "use super::super::X; use super::Y;"),
            ("a/top.rs", ""),
            ("a/lost.rs", ""),
        ]);
        assert_eq!(code.undeclared, ["a/lost.rs"]);
        let wrong = |floors: &[&str]| wrong_floors("a", floors, code.products.keys(), &code.files);
        assert_eq!(
            wrong(&["ground", "first", "gone"]),
            [
                "a/first/inner.rs names crate::a::X: a/mod is no floor below a/first",
                "a/ground.rs names crate::a::first::Y: a/first is no floor below a/ground",
                "a/top has no floor: give it one in FLOORS",
                "a/gone does not exist: remove it from FLOORS",
            ]
        );
        let circles = Circles::of(&code.files, &code.folders);
        assert_eq!(circles.files.len(), 1);
        assert_eq!(circles.folders.len(), 1);
    }

    #[test]
    fn a_number_is_neither_larger_nor_smaller_than_recorded() {
        let found = BTreeMap::from([("a".to_owned(), 3), ("b".to_owned(), 2)]);
        assert_eq!(wrong_numbers(&found, &[("a", 3), ("b", 2)], "LIST"), Vec::<String>::new());
        assert_eq!(
            wrong_numbers(&found, &[("a", 4), ("c", 2)], "LIST"),
            [
                "a: 3, no longer 4: lower it in LIST",
                "b: 2, and there may be none",
                "c: none any more: remove it from LIST",
            ]
        );
        assert_eq!(wrong_numbers(&found, &[("a", 2), ("b", 2)], "LIST"), ["a: 3, and 2 at most"]);
    }
}
