//! Folders in which files arrive: made, filled, moved to where they belong in one step, and removed again.
//!
//! What is written here is read by containers of another user, so it is readable by all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::file::{below, cause_of};
use super::{remote_command, small_files};
use crate::hosts::error::{Cause, HostError};
use crate::hosts::host::Host;
use crate::hosts::shell::quoted;

/// For what is quick unless the disk hangs.
const TIMEOUT: Duration = Duration::from_secs(600);

impl Host {
    /// Makes a folder, with those above it, and sees that files can be made there.
    pub async fn make_folder(&self, folder: &str) -> Result<(), HostError> {
        let at = quoted(folder);
        let script = format!("umask 022; mkdir -p -- {at} && cd -- {at} && : >.probe && rm -f .probe");
        let here = folder.to_owned();
        self.put(&format!("make folder {folder}"), &script, &[], move || {
            fs::create_dir_all(&here)?;
            fs::write(Path::new(&here).join(".probe"), b"")?;
            fs::remove_file(Path::new(&here).join(".probe"))
        })
        .await
    }

    /// Unpacks a tar archive of our own making below a folder that is there.
    pub async fn unpack(&self, folder: &str, archive: Vec<u8>) -> Result<(), HostError> {
        let script = format!("umask 022; cd -- {} && tar -xf - --no-same-owner", quoted(folder));
        let (here, bytes) = (folder.to_owned(), archive.clone());
        self.put(&format!("write to {folder}"), &script, &archive, move || {
            let mut archive = tar::Archive::new(bytes.as_slice());
            archive.set_overwrite(true);
            archive.unpack(&here)
        })
        .await
    }

    /// Writes links (path → text of the link) and small texts (path → content) below a folder that is there.
    pub async fn write_small(
        &self,
        folder: &str,
        links: &BTreeMap<String, String>,
        texts: &BTreeMap<String, String>,
    ) -> Result<(), HostError> {
        let wrong = links.keys().chain(texts.keys()).find_map(|path| below(path).err());
        if let Some(error) = wrong {
            return Err(self.error("write links", error.into()));
        }
        let archive = small_files::archive(links, texts);
        let archive = archive.map_err(|error| self.error("write links", cause_of(&error, folder)))?;
        self.unpack(folder, archive).await
    }

    /// A small file's text; `None` where there is none.
    pub async fn small_text(&self, path: &str) -> Result<Option<String>, HostError> {
        let operation = format!("read {path}");
        let script = format!("[ -f {0} ] || exit 0; cat <{0} && printf .", quoted(path));
        if let Some(said) = remote_command::run(self, &script, &[], TIMEOUT).await {
            let said = said.map_err(|cause| self.error(&operation, cause))?;
            return Ok(String::from_utf8_lossy(&said).strip_suffix('.').map(str::to_owned));
        }
        self.is_here(&operation).await?;
        Ok(tokio::fs::read_to_string(path).await.ok())
    }

    /// Makes what is in `from` appear in `to`, on the same disk: as a whole where nothing is there yet, else file by file,
    /// what others refer to (`blobs`) first. `from` is gone then.
    pub async fn move_into(&self, from: &str, to: &str) -> Result<(), HostError> {
        let script = format!(
            "umask 022; from={}; to={}; chmod -R u=rwX,go=rX -- \"$from\" || exit 1\n\
             if [ ! -e \"$to\" ]; then mkdir -p -- \"${{to%/*}}\" && exec mv -T -- \"$from\" \"$to\"; fi\n\
             cd -- \"$from\" || exit 1\n\
             for part in blobs snapshots .; do\n\
               [ -e \"$part\" ] || continue\n\
               find \"$part\" -type d -exec sh -c 'for d do mkdir -p -- \"$0/$d\" || exit 1; done' \"$to\" {{}} + || exit 1\n\
               find \"$part\" ! -type d -exec sh -c 'for f do mv -fT -- \"$f\" \"$0/$f\" || exit 1; done' \"$to\" {{}} + || exit 1\n\
             done\n\
             cd / && rm -rf -- \"$from\"",
            quoted(from),
            quoted(to)
        );
        let (source, target) = (from.to_owned(), to.to_owned());
        let operation = format!("move {from} to {to}");
        let moved =
            self.put(&operation, &script, &[], move || move_here(Path::new(&source), Path::new(&target)));
        let moved = moved.await;
        self.models_changed();
        moved
    }

    /// Removes files below a folder, by their paths there, and the folders that are empty then, the folder itself as well.
    /// What is gone already is fine.
    pub async fn remove_files(&self, folder: &str, files: &[String]) -> Result<(), HostError> {
        let operation = format!("remove files below {folder}");
        if let Some(error) = files.iter().find_map(|file| below(file).err()) {
            return Err(self.error(&operation, error.into()));
        }
        let at = quoted(folder);
        let script = format!(
            "[ -d {at} ] || exit 0; cd -- {at} && xargs -0 -r rm -f -- && cd / && find {at} -depth -type d -empty -delete"
        );
        let input = files.iter().map(|file| format!("./{file}\0")).collect::<String>().into_bytes();
        let (here, files) = (folder.to_owned(), files.to_vec());
        let removed = self.put(&operation, &script, &input, move || {
            let root = Path::new(&here);
            files.iter().try_for_each(|file| if_there(fs::remove_file(root.join(file))))?;
            remove_empty(root)
        });
        let removed = removed.await;
        self.models_changed();
        removed
    }

    /// Changes something by a script, or here by a function.
    async fn put(
        &self,
        operation: &str,
        script: &str,
        input: &[u8],
        here: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> Result<(), HostError> {
        if let Some(done) = remote_command::run(self, script, input, TIMEOUT).await {
            return done.map(drop).map_err(|cause| self.error(operation, cause));
        }
        self.is_here(operation).await?;
        let done = tokio::task::spawn_blocking(here).await;
        let done = done.unwrap_or_else(|error| Err(io::Error::other(error)));
        done.map_err(|error| self.error(operation, cause_of(&error, operation)))
    }

    /// An error where files can be neither seen nor changed from here.
    async fn is_here(&self, operation: &str) -> Result<(), HostError> {
        let info = self.info().await?;
        if self.0.transport.is_here(info.name.as_deref().unwrap_or_default()) {
            return Ok(());
        }
        Err(self.error(operation, Cause::FilesUnseen))
    }
}

fn if_there(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Folders and other things below `root`, deepest first.
fn all_below(root: &Path) -> io::Result<(Vec<std::path::PathBuf>, Vec<std::path::PathBuf>)> {
    let (mut folders, mut others, mut open) = (Vec::new(), Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() { open.push(entry.path()) } else { others.push(entry.path()) }
        }
        folders.push(folder);
    }
    folders.reverse();
    Ok((folders, others))
}

fn remove_empty(root: &Path) -> io::Result<()> {
    if !root.is_dir() {
        return Ok(());
    }
    // Children come before their parents, and one that is not empty stays.
    for folder in all_below(root)?.0 {
        drop(fs::remove_dir(folder));
    }
    Ok(())
}

fn move_here(from: &Path, to: &Path) -> io::Result<()> {
    let (folders, others) = all_below(from)?;
    for folder in &folders {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    }
    for file in others.iter().filter(|file| !file.is_symlink()) {
        fs::set_permissions(file, fs::Permissions::from_mode(0o644))?;
    }
    if !to.exists() {
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        return fs::rename(from, to);
    }
    let inner = |path: &Path| path.strip_prefix(from).map(Path::to_owned).unwrap_or_default();
    let rank = |path: &Path| {
        ["blobs", "snapshots"].iter().position(|part| inner(path).starts_with(part)).unwrap_or(2)
    };
    let mut files: BTreeSet<(usize, &Path)> = BTreeSet::new();
    files.extend(others.iter().map(|file| (rank(file), file.as_path())));
    for (_, file) in files {
        let target = to.join(inner(file));
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::rename(file, target)?;
    }
    fs::remove_dir_all(from)
}
