//! The arrows of the map in `lib.rs`, held by a test: which module may name which, and which crates the pure ones may not.
//!
//! In one crate every module sees every other, so direction is a habit unless something checks it. The longest prefix
//! decides, so that a file can be bound tighter (or, by name, looser) than its folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Path below `src/` → what may follow `crate::` there. A name allows everything below it; each module may name itself.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("inventory", &[]),
    ("container", &["inventory"]),
    ("tf_provider", &["model"]), // the macro `model!`
    ("dynamo", &["container", "inventory"]),
    ("reconcile", &["container", "inventory", "hosts"]),
    // The pure half compares in the spelling in which `hosts` reports; those two functions are pure as well.
    ("reconcile/diff.rs", &["container", "inventory", "hosts::canonical", "hosts::subtract_image_defaults"]),
    ("reconcile/order.rs", &["container"]),
    ("hosts", &["container", "inventory"]),
    ("provider", &["container", "dynamo", "hosts", "inventory", "model", "reconcile", "tf_provider"]),
    ("docs", &["provider", "tf_provider", "model"]),
];

/// Crates and modules by which a pure module would talk.
const TALKING: &[&str] =
    &["tokio::", "bollard::", "hyper::", "std::fs", "std::env", "std::net::Tcp", "std::process"];
const PURE: &[&str] = &["inventory", "container", "dynamo", "reconcile/diff.rs", "reconcile/order.rs"];

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

/// Every source below `src/`, by its path there. What follows `#[cfg(test)]` on a module at the end is left out: a test may
/// build worlds out of anything.
fn code() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let named = files.into_iter().map(|file| {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
        (name, code)
    });
    named.filter(|(name, _)| !is_test(name)).collect()
}

/// Files that only tests compile.
const TEST_FILES: &[&str] = &[
    "architecture.rs",
    "every_combination.rs",
    "combinations.rs",
    "tests.rs",
    "golden.rs",
    "properties.rs",
    "render.rs",
    "script.rs",
    "test_release.rs",
    "walk.rs",
];

fn is_test(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let of_docs = name.starts_with("docs/") && file == "render.rs";
    (TEST_FILES.contains(&file) && !of_docs) || file.ends_with("_tests.rs")
}

fn rule(name: &str) -> Option<&'static (&'static str, &'static [&'static str])> {
    let fits =
        |prefix: &str| name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    MAY_NAME.iter().filter(|(prefix, _)| fits(prefix)).max_by_key(|(prefix, _)| prefix.len())
}

/// What stands after each `crate::`, up to the first character that is not part of a path.
fn named_paths(code: &str) -> Vec<String> {
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '{';
    text.split("crate::").skip(1).map(|rest| rest.chars().take_while(|c| is_path(*c)).collect()).collect()
}

fn allowed(path: &str, own: &str, allowed: &[&str]) -> bool {
    let begins =
        |prefix: &str| path == prefix || path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with("::"));
    // `hosts::{a, b}` names both, so a rule about single functions has to see them one by one.
    let braces = allowed.iter().any(|it| it.contains("::"))
        && path
            .split_once("::{")
            .is_some_and(|(module, _)| allowed.iter().any(|it| it.starts_with(&format!("{module}::"))));
    begins(own) || braces || allowed.iter().any(|prefix| begins(prefix))
}

#[test]
fn modules_name_only_what_the_map_allows() {
    let mut wrong = Vec::new();
    for (name, code) in code() {
        let own = name.split('/').next().unwrap_or_default().trim_end_matches(".rs");
        if ["lib", "main"].contains(&own) {
            continue;
        }
        let Some((_, rule)) = rule(&name) else {
            wrong.push(format!("{name}: no rule for it; add its module to MAY_NAME"));
            continue;
        };
        for path in named_paths(&code) {
            if path.starts_with('{') {
                wrong.push(format!("{name}: braces right after crate:: hide what is named"));
            } else if !allowed(&path, own, rule) {
                wrong.push(format!("{name} names crate::{path}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn pure_modules_do_not_talk() {
    let mut wrong = Vec::new();
    for (name, code) in code() {
        let pure = PURE.iter().any(|prefix| name == *prefix || name.starts_with(&format!("{prefix}/")));
        for word in TALKING.iter().filter(|word| pure && code.contains(**word)) {
            wrong.push(format!("{name} uses {word}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_wrong_arrow_is_seen() {
    let paths =
        named_paths("use crate::hosts::Host;\n// crate::docs\nlet x = crate::container::labels::PREFIX;");
    assert_eq!(paths, ["hosts::Host", "container::labels::PREFIX"]);
    assert!(!allowed("hosts::Host", "dynamo", &["container", "inventory"]));
    assert!(allowed("container::labels::PREFIX", "dynamo", &["container", "inventory"]));
    assert!(!allowed("hosts::Host", "reconcile", &["container", "hosts::canonical"]));
    assert!(!allowed("container_of_worms", "dynamo", &["container"]));
    assert_eq!(rule("reconcile/order.rs").map(|(prefix, _)| *prefix), Some("reconcile/order.rs"));
    assert_eq!(rule("reconcile/effects.rs").map(|(prefix, _)| *prefix), Some("reconcile"));
}
