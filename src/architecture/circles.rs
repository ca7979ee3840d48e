//! The circles that are known, in `circles.txt`: a list that only grows shorter.

use std::collections::BTreeSet;

use super::graph::{Graph, circles, way_round};

pub(super) type Circle = BTreeSet<String>;

/// Circles between files and between folders.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Circles {
    pub files: Vec<Circle>,
    pub folders: Vec<Circle>,
}

const HEAD: &str = "\
# The circles that are known: files, and folders, that import from each other, directly or round about.
# The list only grows shorter (a circle of files has at most 3 in the end, a circle of folders none):
# `UPDATE_CIRCLES=1 cargo test --lib architecture` writes it anew once there is less of them.
";

impl Circles {
    pub(super) fn of(files: &Graph, folders: &Graph) -> Self {
        Self { files: circles(files), folders: circles(folders) }
    }

    pub(super) fn read(text: &str) -> Self {
        let mut read = Self::default();
        let mut of_folders = false;
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let list = if of_folders { &mut read.folders } else { &mut read.files };
            match line.strip_prefix("  ") {
                Some(member) => {
                    if let Some(circle) = list.last_mut() {
                        circle.insert(member.to_owned());
                    }
                }
                None => {
                    of_folders = line.ends_with("folders");
                    let list = if of_folders { &mut read.folders } else { &mut read.files };
                    list.push(Circle::new());
                }
            }
        }
        read
    }

    pub(super) fn written(&self) -> String {
        let mut text = HEAD.to_owned();
        for (kind, circles) in [("files", &self.files), ("folders", &self.folders)] {
            for circle in circles {
                text += &format!("\n{} {kind}\n", circle.len());
                text.extend(circle.iter().map(|member| format!("  {member}\n")));
            }
        }
        text
    }
}

/// What is found beside what is recorded, in words. Empty: the two are the same.
pub(super) fn differences(found: &[Circle], recorded: &[Circle], graph: &Graph) -> Vec<String> {
    let mut wrong = Vec::new();
    for circle in found.iter().filter(|circle| !recorded.iter().any(|it| circle.is_subset(it))) {
        let known = recorded.iter().filter(|it| !it.is_disjoint(circle)).max_by_key(|it| it.len());
        let new: Vec<_> =
            circle.iter().filter(|it| !known.is_some_and(|known| known.contains(*it))).collect();
        let way = new.first().map(|it| way_round(graph, it)).unwrap_or_default();
        wrong.push(match known {
            Some(known) => {
                format!("a known circle of {} has become larger: {new:?} joined it, by\n{way}", known.len())
            }
            None => format!("a new circle: {new:?}, by\n{way}"),
        });
    }
    for circle in recorded {
        let left: Circle = found.iter().filter(|it| it.is_subset(circle)).flatten().cloned().collect();
        let gone: Vec<_> = circle.difference(&left).collect();
        // Members of a larger circle are told above.
        let grown = found.iter().any(|it| !it.is_subset(circle) && !it.is_disjoint(circle));
        if !gone.is_empty() && !grown {
            wrong.push(format!("{gone:?} are in no circle any more: remove them from the list"));
        } else if gone.is_empty() && !found.contains(circle) {
            wrong.push(format!("the circle of {circle:?} has come apart: record its parts instead"));
        }
    }
    wrong
}

/// Whether one list may take the other's place: fewer in circles or as many, and no circle larger than the largest was.
/// Names may be others, for files are moved.
pub(super) fn is_shorter(found: &[Circle], recorded: &[Circle]) -> bool {
    let all = |list: &[Circle]| list.iter().map(BTreeSet::len).sum::<usize>();
    let largest = |list: &[Circle]| list.iter().map(BTreeSet::len).max();
    all(found) <= all(recorded) && largest(found) <= largest(recorded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circle(members: &str) -> Circle {
        members.split(' ').map(str::to_owned).collect()
    }

    fn told(found: &[&str], recorded: &[&str]) -> String {
        let list = |names: &[&str]| names.iter().map(|it| circle(it)).collect::<Vec<_>>();
        differences(&list(found), &list(recorded), &Graph::new()).join("; ")
    }

    #[test]
    fn what_is_written_is_read_again() {
        let circles = Circles { files: vec![circle("a b"), circle("c d e")], folders: vec![circle("x y")] };
        assert_eq!(Circles::read(&circles.written()), circles);
        assert!(circles.written().ends_with("\n3 files\n  c\n  d\n  e\n\n2 folders\n  x\n  y\n"));
    }

    #[test]
    fn more_is_told_and_so_is_less() {
        assert_eq!(told(&["a b", "c d"], &["a b", "c d"]), "");
        assert!(told(&["a b"], &[]).starts_with("a new circle: [\"a\", \"b\"]"));
        assert!(
            told(&["a b c"], &["a b"]).starts_with("a known circle of 2 has become larger: [\"c\"] joined")
        );
        assert_eq!(
            told(&["a b"], &["a b c"]),
            "[\"c\"] are in no circle any more: remove them from the list"
        );
        assert_eq!(
            told(&[], &["a b"]),
            "[\"a\", \"b\"] are in no circle any more: remove them from the list"
        );
        assert!(told(&["a b", "c d"], &["a b c d"]).contains("has come apart"));
    }

    #[test]
    fn a_list_takes_the_place_of_a_longer_one() {
        assert!(is_shorter(&[circle("a b")], &[circle("a b c")]));
        assert!(is_shorter(&[circle("a b"), circle("c d")], &[circle("a b c d")]));
        assert!(is_shorter(&[circle("new names")], &[circle("old names")]));
        assert!(!is_shorter(&[circle("a b c d")], &[circle("a b"), circle("c d")]));
        assert!(!is_shorter(&[circle("a b")], &[]));
    }
}
