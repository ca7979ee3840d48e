//! From trees of files to rows. Pure.

use super::schema::InstalledModelModel;
use crate::dynamo::models::installed;
use crate::dynamo::models::installed::InstalledModel;
use crate::inventory::files::Tree;
use crate::provider::attributes::convert::{gigabytes, text};
use crate::tf_provider::attr::Attr;
use crate::tf_provider::diagnostics::{Diagnostic, Diagnostics};

/// The models below all folders, by name; one that lies below two of them once.
pub(super) fn models(trees: &[Tree]) -> Vec<InstalledModel> {
    let mut found: Vec<InstalledModel> = trees.iter().flat_map(installed::scan).collect();
    found.sort_by(|a, b| (&a.path, &a.name).cmp(&(&b.path, &b.name)));
    found.dedup_by(|a, b| a.path == b.path);
    found.sort();
    found
}

/// The row of a model that was found.
pub(super) fn row(model: InstalledModel) -> InstalledModelModel {
    InstalledModelModel {
        name: text(model.name),
        layout: text(model.layout.word()),
        path: text(model.path),
        revision: model.revision.into(),
        size_gb: gigabytes(model.size_bytes),
        complete: Attr::Known(model.problem.is_none()),
        problem: model.problem.into(),
        architecture: model.architecture.into(),
        quantization: model.quantization.into(),
        context_length: model.context_length.and_then(|tokens| i64::try_from(tokens).ok()).into(),
    }
}

/// The warnings about folders that were asked for and not seen. A cache that is not there yet is no surprise.
pub(super) fn warnings(host: &str, asked: &[String], trees: &[Tree]) -> Diagnostics {
    let mut found = Diagnostics::new();
    for path in asked.iter().filter(|path| !trees.iter().any(|tree| tree.root == **path)) {
        let detail = format!(
            "Host {host:?} has no folder {path} that may be read, so no models were looked for there. Correct model_paths of \
             the host, or create the folder."
        );
        found.push(Diagnostic::warning("A model path is not there", detail));
    }
    for tree in trees.iter().filter(|tree| tree.truncated) {
        let detail = format!(
            "{} on host {host:?} holds so many files that not all were looked at: models may be missing, or look incomplete. \
             Name the folders of models themselves in model_paths.",
            tree.root
        );
        found.push(Diagnostic::warning("Not all files were looked at", detail));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::files::{Content, FileEntry, FileKind};

    fn tree(root: &str, folder: &str) -> Tree {
        let entry = |path: &str, kind| FileEntry {
            path: path.into(),
            kind,
            size_bytes: 1 << 20,
            modified: 0,
            target: String::new(),
        };
        let config = format!("{folder}/config.json");
        let folders = config.match_indices('/').map(|(end, _)| entry(&config[..end], FileKind::Folder));
        Tree {
            root: root.into(),
            entries: folders.chain([entry(&config, FileKind::File)]).collect(),
            contents: [(config, Content::Text(r#"{"model_type":"qwen3"}"#.into()))].into(),
            truncated: false,
        }
    }

    #[test]
    fn a_model_below_two_searched_folders_is_one() {
        let found = models(&[tree("/data", "b/x"), tree("/data/b", "x"), tree("/data", "a")]);
        let names: Vec<(&str, &str)> = found.iter().map(|it| (it.name.as_str(), it.path.as_str())).collect();
        assert_eq!(names, [("a", "/data/a"), ("b/x", "/data/b/x")]);
        let row = row(found[0].clone());
        assert_eq!(row.complete, Attr::Known(false));
        assert_eq!(
            row.problem.known().map(String::as_str),
            Some("there is no tokenizer.json or tokenizer.model")
        );
        assert_eq!(row.size_gb.known().map(ToString::to_string).as_deref(), Some("0.000976"));
    }

    #[test]
    fn what_was_not_seen_is_said() {
        let asked = ["/data".to_owned(), "/gone".to_owned()];
        let cut = Tree { truncated: true, ..tree("/data", "x") };
        let said: Vec<String> = warnings("gpu-a", &asked, &[cut]).0.into_iter().map(|it| it.detail).collect();
        assert!(said.len() == 2 && said[0].contains("/gone") && said[1].contains("/data"), "{said:?}");
    }
}
