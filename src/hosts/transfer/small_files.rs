//! Many small files at once: one archive there, one archive here, whatever their number.
//!
//! A round trip for each of five thousand files takes longer than their bytes do. A batch is small enough to be held in
//! memory, where each file's checksum is made; the target's own `sha256sum` says whether it has the same.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};

use super::file::{CopyError, TransferFile, below, cause_of, hex, join};
use super::local_folder::LocalFolder;
use super::remote_command;
use super::remote_command::TIMEOUT;
use super::staging::{Staging, split};
use crate::hosts::error::files::TransferError;
use crate::hosts::error::{Cause, HostError};
use crate::hosts::files::regular;
use crate::hosts::host::Host;
use crate::hosts::shell::quoted;

/// What an archive has besides the files themselves, in bytes: the whole, and for each file, whose name may be long.
const ARCHIVE: u64 = 1 << 20;
const ARCHIVE_PER_FILE: u64 = 8 << 10;

/// What becomes a file.
pub(super) enum SmallFile {
    Content(Vec<u8>),
    /// A link with that text.
    Link(String),
}

/// Copies the files, and gives the checksum of each in their order, in hexadecimal.
pub(super) async fn copy(
    from: (&Host, &str),
    to: (&Host, &Staging),
    files: &[TransferFile],
) -> Result<Vec<String>, CopyError> {
    let archive = read(from, files).await.map_err(CopyError::Source)?;
    let (contents, checksums) = unpacked(&archive, from.1, files).map_err(CopyError::Source)?;
    drop(archive);
    write(to, contents).await.map_err(CopyError::Target)?;
    check(to, files, &checksums).await.map_err(CopyError::Target)?;
    Ok(checksums)
}

impl Host {
    /// Writes links (path → text of the link) and small texts (path → content).
    pub(crate) async fn write_small(
        &self,
        staging: &Staging,
        links: &BTreeMap<String, String>,
        texts: &BTreeMap<String, String>,
    ) -> Result<(), HostError> {
        let links = links.iter().map(|(path, text)| (path, SmallFile::Link(text.clone())));
        let texts = texts.iter().map(|(path, text)| (path, SmallFile::Content(text.clone().into_bytes())));
        let files = links.chain(texts).map(|(path, file)| (path.clone(), file)).collect();
        let written = write((self, staging), files).await;
        written.map_err(|cause| self.error(&format!("write to {}", staging.files()), cause))
    }
}

async fn read((host, root): (&Host, &str), files: &[TransferFile]) -> Result<Vec<u8>, Cause> {
    let script = format!("cd -- {} && tar -cf - --no-recursion --null -T -", quoted(root));
    let names: String = files.iter().map(|file| format!("./{}\0", file.at)).collect();
    let most = ARCHIVE + files.iter().map(|file| file.size_bytes + ARCHIVE_PER_FILE).sum::<u64>();
    if let Some(answer) = remote_command::run_for(host, &script, names.as_bytes(), TIMEOUT, most).await {
        return answer.map_err(|cause| gone(cause, root));
    }
    let (here, files) = (root.to_owned(), files.to_vec());
    let packed = tokio::task::spawn_blocking(move || {
        let mut builder = tar::Builder::new(Vec::new());
        for file in &files {
            let path = Path::new(&here).join(&file.at);
            let mut opened = regular::open(&path)?
                .ok_or_else(|| std::io::Error::other(format!("{} is no file", path.display())))?;
            if opened.metadata()?.len() != file.size_bytes {
                return Err(std::io::Error::other(format!(
                    "{} has another size than before",
                    path.display()
                )));
            }
            builder.append_file(&file.at, &mut opened)?;
        }
        builder.into_inner()
    });
    let packed = packed.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    packed.map_err(|error| TransferError::CutShort { path: root.to_owned(), text: error.to_string() }.into())
}

/// What tar cannot read has vanished or is closed.
fn gone(cause: Cause, root: &str) -> Cause {
    match cause {
        Cause::Files(error) => match *error {
            TransferError::Command { text } | TransferError::NotWritable { text, .. } => {
                TransferError::CutShort { path: root.to_owned(), text }.into()
            }
            other => other.into(),
        },
        other => other,
    }
}

/// The files of an archive by their paths at the target, and their checksums.
fn unpacked(
    archive: &[u8],
    root: &str,
    files: &[TransferFile],
) -> Result<(BTreeMap<String, SmallFile>, Vec<String>), Cause> {
    let odd = |path: &str, text: String| TransferError::CutShort { path: join(root, path), text };
    let mut contents: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let broken = |error: std::io::Error| odd("", error.to_string());
    for entry in tar::Archive::new(archive).entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(broken)?;
        // A second name of the same file travels as a link to the first.
        if let Some(first) = entry.link_name_bytes() {
            let first = String::from_utf8_lossy(&first).trim_start_matches("./").to_owned();
            content = contents.get(&first).cloned().unwrap_or_default();
        }
        contents.insert(name, content);
    }
    let (mut unpacked, mut checksums) = (BTreeMap::new(), Vec::new());
    for file in files {
        let content = contents.get(&file.at).ok_or_else(|| odd(&file.at, "it is gone".to_owned()))?;
        if content.len() as u64 != file.size_bytes {
            let text = format!("it has {} bytes, and had {}", content.len(), file.size_bytes);
            return Err(odd(&file.at, text).into());
        }
        let checksum = hex(digest(&SHA256, content).as_ref());
        if file.sha256.as_ref().is_some_and(|known| *known != checksum) {
            return Err(TransferError::Checksum { path: join(root, &file.at) }.into());
        }
        unpacked.insert(file.to.clone(), SmallFile::Content(content.clone()));
        checksums.push(checksum);
    }
    Ok((unpacked, checksums))
}

/// Writes files by their paths: folder after folder, each of which is entered by itself and gets an archive of mere names,
/// since what unpacks an archive follows links on the way to a name.
pub(super) async fn write(
    (host, staging): (&Host, &Staging),
    files: BTreeMap<String, SmallFile>,
) -> Result<(), Cause> {
    let mut by_folder: BTreeMap<String, Vec<(String, SmallFile)>> = BTreeMap::new();
    for (path, file) in files {
        below(&path)?;
        let (folder, name) = split(&path);
        by_folder.entry(folder.to_owned()).or_default().push((name.to_owned(), file));
    }
    for (folder, files) in by_folder {
        if let Some(at) = staging.here(&folder) {
            let written = tokio::task::spawn_blocking(move || write_here(&at?, &files)).await;
            let written = written.unwrap_or_else(|error| Err(std::io::Error::other(error)));
            written.map_err(|error| cause_of(&error, &staging.files()))?;
            continue;
        }
        let archive = archive(&files).map_err(|error| cause_of(&error, &staging.files()))?;
        let script = format!("{}tar -xf - --no-same-owner", staging.enter_files(&folder));
        let written = remote_command::run(host, &script, &archive, TIMEOUT).await;
        written.unwrap_or(Err(Cause::FilesUnseen))?;
    }
    Ok(())
}

fn write_here(folder: &LocalFolder, files: &[(String, SmallFile)]) -> std::io::Result<()> {
    files.iter().try_for_each(|(name, file)| match file {
        SmallFile::Content(bytes) => folder.create(name)?.write_all(bytes),
        SmallFile::Link(text) => folder.link(name, text),
    })
}

fn archive(files: &[(String, SmallFile)]) -> std::io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, file) in files {
        let mut header = tar::Header::new_gnu();
        match file {
            SmallFile::Content(bytes) => {
                header.set_size(bytes.len() as u64);
                header.set_mode(0o644);
                builder.append_data(&mut header, name, bytes.as_slice())?;
            }
            SmallFile::Link(text) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                header.set_mode(0o777);
                builder.append_link(&mut header, name, text)?;
            }
        }
    }
    builder.into_inner()
}

/// Whether the target has what was sent. This machine's own disk is believed.
async fn check(
    (host, staging): (&Host, &Staging),
    files: &[TransferFile],
    checksums: &[String],
) -> Result<(), Cause> {
    let script = format!("{}sha256sum -c --quiet - >&2", staging.enter_files(""));
    let list: String =
        files.iter().zip(checksums).map(|(file, checksum)| format!("{checksum}  ./{}\n", file.to)).collect();
    if staging.here("").is_some() {
        return Ok(());
    }
    match remote_command::run(host, &script, list.as_bytes(), TIMEOUT).await {
        Some(Err(Cause::Files(error))) if matches!(*error, TransferError::Command { .. }) => {
            Err(TransferError::Checksum { path: staging.files() }.into())
        }
        Some(Err(cause)) => Err(cause),
        Some(Ok(_)) | None => Ok(()),
    }
}
