//! A model's folder where it lies: a small file of it is read, and what is ours of it is removed.

use std::fs;
use std::io;
use std::io::Read;
use std::path::Path;

use super::file::below;
use super::remote_command;
use super::remote_command::TIMEOUT;
use crate::hosts::error::HostError;
use crate::hosts::files::regular;
use crate::hosts::host::Host;
use crate::hosts::shell::quoted;

/// Longest of the files that are small, in bytes: the checksums of all files of a model.
const MOST_TEXT: u64 = 64 << 20;

impl Host {
    /// A small file's text; `None` where there is none.
    pub async fn small_text(&self, path: &str) -> Result<Option<String>, HostError> {
        let operation = format!("read {path}");
        let script = format!("[ -f {0} ] || exit 0; cat <{0} && printf .", quoted(path));
        if let Some(said) = remote_command::run_for(self, &script, &[], TIMEOUT, MOST_TEXT).await {
            let said = said.map_err(|cause| self.error(&operation, cause))?;
            return Ok(String::from_utf8_lossy(&said).strip_suffix('.').map(str::to_owned));
        }
        let here = path.to_owned();
        self.here(&operation, path, move || read_text(Path::new(&here))).await
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
        let removed = match remote_command::run(self, &script, &input, TIMEOUT).await {
            Some(removed) => removed.map(drop).map_err(|cause| self.error(&operation, cause)),
            None => {
                self.here(&operation, folder, move || {
                    let root = Path::new(&here);
                    files.iter().try_for_each(|file| if_there(fs::remove_file(root.join(file))))?;
                    remove_empty(root)
                })
                .await
            }
        };
        self.models_changed();
        removed
    }
}

fn if_there(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Folders below `root` and itself, deepest first.
fn folders(root: &Path) -> io::Result<Vec<std::path::PathBuf>> {
    let (mut folders, mut open) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            }
        }
        folders.push(folder);
    }
    folders.reverse();
    Ok(folders)
}

fn remove_empty(root: &Path) -> io::Result<()> {
    if !root.is_dir() {
        return Ok(());
    }
    // Children come before their parents, and one that is not empty stays.
    for folder in folders(root)? {
        drop(fs::remove_dir(folder));
    }
    Ok(())
}

fn read_text(path: &Path) -> io::Result<Option<String>> {
    let Ok(Some(file)) = regular::open(path) else { return Ok(None) };
    let mut text = String::new();
    file.take(MOST_TEXT + 1).read_to_string(&mut text)?;
    Ok(Some(text).filter(|text| text.len() as u64 <= MOST_TEXT))
}
