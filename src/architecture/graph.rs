//! Who imports from whom, and the circles in it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One name → the names it imports from, each with a path by which it does.
pub(super) type Graph = BTreeMap<String, BTreeMap<String, String>>;

/// The folder of a file, a room of its own beside the folders in it. The crate's root is none: it only declares.
pub(super) fn folder(file: &str) -> Option<&str> {
    file.rsplit_once('/').map(|(folder, _)| folder)
}

/// The arrows between the folders of the files.
pub(super) fn between_folders(files: &Graph) -> Graph {
    let mut folders = Graph::new();
    for (from, targets) in files {
        for (to, path) in targets {
            if let (Some(one), Some(other)) = (folder(from), folder(to))
                && one != other
            {
                let example = || format!("{from}: {path}");
                folders.entry(one.to_owned()).or_default().entry(other.to_owned()).or_insert_with(example);
            }
        }
    }
    folders
}

/// Those that import from each other, directly or round about: the strongly connected components of more than one.
pub(super) fn circles(graph: &Graph) -> Vec<BTreeSet<String>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        graph.keys().map(|it| (it.as_str(), reachable(graph, it))).collect();
    let reaches = |from: &str, to: &str| reached.get(from).is_some_and(|it| it.contains(to));
    let mut found: BTreeSet<BTreeSet<String>> = BTreeSet::new();
    for (one, others) in &reached {
        let mut circle: BTreeSet<String> =
            others.iter().filter(|other| reaches(other, one)).map(|it| (*it).to_owned()).collect();
        circle.insert((*one).to_owned());
        if circle.len() > 1 {
            found.insert(circle);
        }
    }
    found.into_iter().collect()
}

fn reachable<'a>(graph: &'a Graph, from: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&str> = vec![from];
    while let Some(it) = next.pop() {
        for to in graph.get(it).into_iter().flat_map(BTreeMap::keys) {
            if found.insert(to.as_str()) {
                next.push(to);
            }
        }
    }
    found
}

/// The shortest way from one back to itself, an arrow a line.
pub(super) fn way_round(graph: &Graph, from: &str) -> String {
    let mut came: BTreeMap<&str, &str> = BTreeMap::new();
    let mut next = VecDeque::from([from]);
    while let Some(it) = next.pop_front() {
        for to in graph.get(it).into_iter().flat_map(BTreeMap::keys) {
            if came.contains_key(to.as_str()) {
                continue;
            }
            came.insert(to, it);
            if to != from {
                next.push_back(to);
                continue;
            }
            let mut arrows = Vec::new();
            let mut at = from;
            while let Some(before) = came.get(at) {
                let path = graph.get(*before).and_then(|it| it.get(at)).map_or("", String::as_str);
                arrows.push(format!("    {before} → {at} ({path})"));
                at = before;
                if at == from {
                    break;
                }
            }
            arrows.reverse();
            return arrows.join("\n");
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(arrows: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::new();
        for (from, to) in arrows {
            graph.entry((*from).to_owned()).or_default().insert((*to).to_owned(), format!("crate::{to}"));
        }
        graph
    }

    fn found(arrows: &[(&str, &str)]) -> Vec<String> {
        let circles = circles(&graph(arrows));
        circles.into_iter().map(|it| it.into_iter().collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn circles_are_found_apart() {
        assert_eq!(found(&[("a", "b"), ("b", "c"), ("a", "c")]), Vec::<String>::new());
        assert_eq!(
            found(&[("a", "b"), ("b", "a"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "c")]),
            ["a b", "c d e"]
        );
        // Two rings that share one are one circle.
        assert_eq!(found(&[("a", "b"), ("b", "a"), ("b", "c"), ("c", "b"), ("x", "a")]), ["a b c"]);
        assert_eq!(found(&[("a", "a")]), Vec::<String>::new());
    }

    #[test]
    fn the_way_round_is_the_shortest() {
        let graph = graph(&[("a", "b"), ("b", "c"), ("c", "a"), ("b", "x"), ("x", "y"), ("y", "a")]);
        assert_eq!(
            way_round(&graph, "a"),
            "    a → b (crate::b)\n    b → c (crate::c)\n    c → a (crate::a)"
        );
        assert_eq!(way_round(&graph, "z"), "");
    }

    #[test]
    fn a_folder_and_the_one_in_it_can_make_a_circle() {
        let files = graph(&[("a/mod.rs", "a/b/c.rs"), ("a/b/c.rs", "a/d.rs"), ("a/d.rs", "lib.rs")]);
        assert_eq!(circles(&files), Vec::<BTreeSet<String>>::new());
        let folders = between_folders(&files);
        assert_eq!(circles(&folders), [BTreeSet::from(["a".to_owned(), "a/b".to_owned()])]);
    }
}
