//! Looking at a host's files: disks, one folder, everything below model folders.
//!
//! The same questions are answered in two ways. Files of this machine are read directly ([`walk`]), since no program is
//! started on Terraform's side. Those of another machine are read by one script for `sh` ([`script`]), whatever their
//! number: a round trip for each of ten thousand files would take minutes. Tests run both over the same folders and
//! compare.
//!
//! `disks` tells which mounts are disks, `limits` how much is looked at.
//!
//! Names may hold anything but NUL, so NUL is what separates them. Links are never followed into folders.

mod disks;
mod limits;
mod script;
mod walk;

use crate::hosts::error::{Cause, HostError};
use crate::hosts::host::Host;
use crate::hosts::sync::single_flight::Freshness;
use crate::hosts::transport::ShellOutput;
use crate::inventory::files::{Disk, FolderListing, Tree};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long a look at all models is shared.
const SHARED_FOR: Freshness = Freshness::aged(Duration::from_secs(60));
impl Host {
    /// The entries of a folder, and the room on its file system. `path` is absolute.
    pub async fn folder(&self, path: &str) -> Result<FolderListing, HostError> {
        let here = path.to_owned();
        let parse = |answer: &ShellOutput| script::read_folder(answer, path);
        self.scan(&format!("list folder {path}"), script::folder(path), parse, move || walk::folder(&here))
            .await
    }

    /// The host's disks, by mount point.
    pub async fn disks(&self) -> Result<Vec<Disk>, HostError> {
        self.scan("list the disks", script::disks(), script::read_disks, walk::disks).await
    }

    /// As [`Host::trees`], shared by all who ask within a minute and between our own changes: a walk over terabytes of
    /// models is not made for every resource.
    pub async fn model_trees(&self, roots: &[String]) -> Result<Arc<Vec<Tree>>, HostError> {
        let generation = self.0.models_changed.load(Ordering::SeqCst);
        let look = || async { self.trees(roots).await.map(Arc::new) };
        self.0.model_trees.of(&roots.join("\0")).share(SHARED_FOR, generation, look).await
    }

    /// Says that we changed what lies in folders of models.
    pub fn models_changed(&self) {
        self.0.models_changed.fetch_add(1, Ordering::SeqCst);
    }

    /// What lies below each of `roots` (absolute), for those that exist.
    pub async fn trees(&self, roots: &[String]) -> Result<Vec<Tree>, HostError> {
        let here = roots.to_vec();
        let walk = move || Ok(here.iter().filter_map(|root| walk::tree(root)).collect());
        self.scan("look for models", script::trees(roots), script::read_trees, walk).await
    }

    /// Asks the host's shell, or this machine where it is the host.
    async fn scan<T: Send + 'static>(
        &self,
        operation: &str,
        script: String,
        parse: impl Fn(&ShellOutput) -> Result<T, Cause>,
        walk: impl FnOnce() -> Result<T, Cause> + Send + 'static,
    ) -> Result<T, HostError> {
        if let Some(answer) = self.0.transport.shell(&script).await {
            return answer.and_then(|answer| parse(&answer)).map_err(|cause| self.error(operation, cause));
        }
        let info = self.info().await?;
        if !self.0.transport.is_here(info.name.as_deref().unwrap_or_default()) {
            return Err(self.error(operation, Cause::FilesUnseen));
        }
        let walked = tokio::task::spawn_blocking(walk).await;
        let walked = walked.unwrap_or_else(|error| Err(Cause::Script { text: error.to_string() }));
        walked.map_err(|cause| self.error(operation, cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::transport::listening_sockets::ListeningSocket;
    use crate::hosts::transport::{Stream, Transport};
    use crate::inventory::files::{Content, FileKind};
    use std::collections::BTreeMap;
    use std::io::Write;
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use std::process::{Command, Stdio};

    fn sh(script: &str) -> ShellOutput {
        let mut child = Command::new("sh")
            .arg("-s")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        ShellOutput {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// A safetensors file of one tensor that says it has `promised` bytes of data, and has `held`.
    fn safetensors(promised: usize, held: usize) -> Vec<u8> {
        let header = format!(
            r#"{{"__metadata__":{{"format":"pt"}},"a\"data_offsets\":[0,9]":{{"dtype":"U8","shape":[{promised}],"data_offsets":[0,{promised}]}},"b":{{"dtype":"U8","shape":[1],"data_offsets":[0, 1]}}}}"#
        );
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; held]].concat()
    }

    fn write(root: &Path, path: &str, bytes: &[u8]) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Folders with everything that is awkward in them.
    fn playground() -> tempfile::TempDir {
        let folder = tempfile::Builder::new().prefix("it's a \"$HOME\" `x` ").tempdir().unwrap();
        let root = folder.path();
        write(root, "acme/Tiny/config.json", br#"{"model_type":"qwen3"}"#);
        write(root, "acme/Tiny/tokenizer.json", b"{}");
        write(root, "acme/Tiny/model.safetensors", &safetensors(1000, 1000));
        write(root, "cut/model.safetensors", &safetensors(1000, 10));
        write(root, "garbage/a.safetensors", b"abc");
        write(root, "garbage/b.safetensors", &[0xff; 64]);
        write(root, "garbage/c.safetensors", &[0; 64]);
        write(root, "garbage/config.json", b"\0\xff{");
        write(root, "split/model.safetensors.index.json", b"{\"weight_map\":{\"x\":\"b.safetensors\",\"y\":\"a.safetensors\",\n\"z\": \"b.safetensors\"}}\n");
        write(root, "split/pytorch_model.bin.index.json", b"{\"weight_map\":{\"x\":\"b.bin\",");
        write(root, "models--acme--Tiny/refs/main", b"89b328c914fa003815bb08639cf07018a1259b81");
        write(root, "models--acme--Tiny/blobs/aa", &safetensors(5, 5));
        let snapshot = root.join("models--acme--Tiny/snapshots/89b328c914fa003815bb08639cf07018a1259b81");
        std::fs::create_dir_all(&snapshot).unwrap();
        symlink("../../blobs/aa", snapshot.join("model.safetensors")).unwrap();
        symlink("../../blobs/gone", snapshot.join("config.json")).unwrap();
        symlink("/dev/zero", snapshot.join("endless.safetensors")).unwrap();
        symlink("/", root.join("out")).unwrap();
        symlink(".", root.join("circle")).unwrap();
        symlink("config.json", root.join("config.json")).unwrap();
        write(root, "line\nbreak\ttab \\0 *?'\"/config.json", b"{}");
        write(root, "-rf", b"");
        let odd = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"not \xff text");
        std::fs::write(root.join(odd), b"").unwrap();
        write(root, "1/2/3/4/5/6/7/too_deep", b"");
        folder
    }

    #[test]
    fn the_script_and_the_walk_see_the_same_tree() {
        let folder = playground();
        let root = folder.path().to_str().unwrap().to_owned();
        let walked = walk::tree(&root).unwrap();
        let missing = format!("{root}/no such folder");
        let file = format!("{root}/-rf");
        let roots = [missing, root.clone(), file, root];
        let seen = script::read_trees(&sh(&script::trees(&roots))).unwrap();
        assert_eq!(seen, [walked.clone(), walked.clone()]);

        let content = |path: &str| walked.contents.get(path).cloned();
        let expected = |bytes| Some(Content::Safetensors { expected_bytes: bytes });
        assert_eq!(
            content("acme/Tiny/model.safetensors"),
            expected(Some(safetensors(1000, 1000).len() as u64))
        );
        assert_eq!(content("cut/model.safetensors"), expected(Some(safetensors(1000, 1000).len() as u64)));
        for name in ["a", "b", "c"] {
            assert_eq!(content(&format!("garbage/{name}.safetensors")), expected(None), "{name}");
        }
        let linked =
            "models--acme--Tiny/snapshots/89b328c914fa003815bb08639cf07018a1259b81/model.safetensors";
        assert_eq!(content(linked), expected(Some(safetensors(5, 5).len() as u64)));
        assert_eq!(
            content("split/model.safetensors.index.json"),
            Some(Content::Index { whole: true, files: vec!["a.safetensors".into(), "b.safetensors".into()] })
        );
        assert_eq!(
            content("split/pytorch_model.bin.index.json"),
            Some(Content::Index { whole: false, files: vec!["b.bin".into()] })
        );
        assert_eq!(content("line\nbreak\ttab \\0 *?'\"/config.json"), Some(Content::Text("{}".into())));
        let has = |path: &str| walked.entries.iter().any(|entry| entry.path == path);
        assert!(has("1/2/3/4/5/6/7") && !has("1/2/3/4/5/6/7/too_deep"));
        assert!(has("out") && has("circle") && !walked.entries.iter().any(|it| it.path.starts_with("out/")));
    }

    #[test]
    fn the_script_and_the_walk_see_the_same_folder() {
        let folder = playground();
        let root = folder.path().to_str().unwrap();
        let (mut seen, mut walked) =
            (script::read_folder(&sh(&script::folder(root)), root).unwrap(), walk::folder(root).unwrap());
        // Others write to the same disk meanwhile.
        (seen.free_bytes, walked.free_bytes) = (0, 0);
        assert_eq!(seen, walked);
        assert!(walked.size_bytes > 0);
        let link = walked.entries.iter().find(|entry| entry.path == "out").unwrap();
        assert_eq!((link.kind, link.target.as_str()), (FileKind::Link, "/"));
        assert!(walked.entries.iter().any(|entry| entry.path == "not \u{fffd} text"));
    }

    #[test]
    fn a_folder_that_is_none_is_told_apart() {
        let folder = playground();
        let (missing, file) = (folder.path().join("x\ny"), folder.path().join("-rf"));
        for path in [missing.to_str().unwrap(), file.to_str().unwrap(), "/no\0such"] {
            let seen = script::read_folder(&sh(&script::folder(path)), path).unwrap_err();
            assert_eq!(seen, walk::folder(path).unwrap_err());
            let expected = if path.ends_with("-rf") {
                Cause::NotAFolder { path: path.into() }
            } else {
                Cause::NoSuchFolder { path: path.into() }
            };
            assert_eq!(seen, expected);
        }
    }

    #[test]
    fn the_script_and_the_walk_see_the_same_disks() {
        let strip = |disks: Vec<Disk>| -> Vec<Disk> {
            disks.into_iter().map(|disk| Disk { free_bytes: 0, ..disk }).collect()
        };
        let seen = strip(script::read_disks(&sh(&script::disks())).unwrap());
        assert_eq!(seen, strip(walk::disks().unwrap()));
        assert!(!seen.is_empty());
    }

    /// A machine with a shell, and no Engine that could be asked.
    #[derive(Debug)]
    struct Shell;

    #[async_trait::async_trait]
    impl Transport for Shell {
        async fn engine(&self) -> Result<Stream, Cause> {
            Err(Cause::FilesUnseen)
        }
        async fn tcp(&self, _: &str, _: u16) -> std::io::Result<Stream> {
            Err(std::io::ErrorKind::Unsupported.into())
        }
        async fn path_exists(&self, _: &Path, _: &str) -> Option<bool> {
            None
        }
        async fn listening(&self, _: &str) -> Option<Vec<ListeningSocket>> {
            None
        }
        async fn shell(&self, script: &str) -> Option<Result<ShellOutput, Cause>> {
            Some(Ok(sh(script)))
        }
    }

    #[tokio::test]
    async fn where_there_is_a_shell_the_engine_is_not_asked() {
        let host = Host::new("gpu-a", Arc::new(Shell), BTreeMap::new());
        let folder = playground();
        let root = folder.path().to_str().unwrap().to_owned();
        assert_eq!(host.trees(std::slice::from_ref(&root)).await.unwrap().len(), 1);
        assert!(!host.folder(&root).await.unwrap().entries.is_empty());
        assert!(!host.disks().await.unwrap().is_empty());
        let error = host.folder("/no/such/folder").await.unwrap_err().to_string();
        assert!(
            error.starts_with(
                "could not list folder /no/such/folder on host \"gpu-a\": there is no folder /no/such/folder."
            ),
            "{error}"
        );
    }

    #[test]
    fn an_answer_that_was_cut_off_is_no_answer() {
        let folder = playground();
        let root = folder.path().to_str().unwrap();
        let whole = sh(&script::trees(&[root.to_owned()]));
        let cut = |length: usize| ShellOutput {
            stdout: whole.stdout.chars().take(length).collect(),
            ..whole.clone()
        };
        for length in [0, 1, whole.stdout.chars().count() / 2, whole.stdout.chars().count() - 1] {
            assert!(matches!(script::read_trees(&cut(length)), Err(Cause::Script { .. })), "{length}");
        }
        let failed =
            ShellOutput { status: 127, stdout: String::new(), stderr: "sh: find: not found\n".into() };
        assert_eq!(
            script::read_trees(&failed),
            Err(Cause::Script { text: "127: sh: find: not found".into() })
        );
    }
}
