//! Many small files at once: one archive there, one archive here, whatever their number.
//!
//! A round trip for each of five thousand files takes longer than their bytes do. A batch is small enough to be held in
//! memory, where each file's checksum is made; the target's own `sha256sum` says whether it has the same.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};

use super::file::{CopyError, TransferFile, hex, join};
use super::remote_command;
use crate::hosts::error::Cause;
use crate::hosts::error::files::TransferError;
use crate::hosts::host::Host;
use crate::hosts::shell::quoted;

/// For a batch to be read, or written, on the slowest of disks and lines.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Copies the files, and gives the checksum of each in their order, in hexadecimal.
pub(super) async fn copy(
    from: (&Host, &str),
    to: (&Host, &str),
    files: &[TransferFile],
) -> Result<Vec<String>, CopyError> {
    let archive = read(from, files).await.map_err(CopyError::Source)?;
    let (archive, checksums) = repacked(&archive, from.1, files).map_err(CopyError::Source)?;
    to.0.unpack(to.1, archive).await.map_err(|error| CopyError::Target(error.cause))?;
    check(to, files, &checksums).await.map_err(CopyError::Target)?;
    Ok(checksums)
}

async fn read((host, root): (&Host, &str), files: &[TransferFile]) -> Result<Vec<u8>, Cause> {
    let script = format!("cd -- {} && tar -cf - --no-recursion --null -T -", quoted(root));
    let names: String = files.iter().map(|file| format!("./{}\0", file.at)).collect();
    if let Some(answer) = remote_command::run(host, &script, names.as_bytes(), TIMEOUT).await {
        return answer.map_err(|cause| gone(cause, root));
    }
    let (here, files) = (root.to_owned(), files.to_vec());
    let packed = tokio::task::spawn_blocking(move || {
        let mut builder = tar::Builder::new(Vec::new());
        for file in &files {
            builder.append_path_with_name(Path::new(&here).join(&file.at), &file.at)?;
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

/// The archive with the names that the files have at the target, and their checksums.
fn repacked(archive: &[u8], root: &str, files: &[TransferFile]) -> Result<(Vec<u8>, Vec<String>), Cause> {
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
    let mut builder = tar::Builder::new(Vec::new());
    let mut checksums = Vec::new();
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
        let mut header = tar::Header::new_gnu();
        header.set_size(file.size_bytes);
        header.set_mode(0o644);
        builder.append_data(&mut header, &file.to, content.as_slice()).map_err(broken)?;
        checksums.push(checksum);
    }
    Ok((builder.into_inner().map_err(broken)?, checksums))
}

/// Whether the target has what was sent. This machine's own disk is believed.
async fn check(
    (host, root): (&Host, &str),
    files: &[TransferFile],
    checksums: &[String],
) -> Result<(), Cause> {
    let script = format!("cd -- {} && sha256sum -c --quiet - >&2", quoted(root));
    let list: String =
        files.iter().zip(checksums).map(|(file, checksum)| format!("{checksum}  ./{}\n", file.to)).collect();
    match remote_command::run(host, &script, list.as_bytes(), TIMEOUT).await {
        Some(Err(Cause::Files(error))) if matches!(*error, TransferError::Command { .. }) => {
            Err(TransferError::Checksum { path: root.to_owned() }.into())
        }
        Some(Err(cause)) => Err(cause),
        Some(Ok(_)) | None => Ok(()),
    }
}

/// An archive of links (path → text) and small texts (path → content).
pub(super) fn archive(
    links: &BTreeMap<String, String>,
    texts: &BTreeMap<String, String>,
) -> std::io::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, target) in links {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        header.set_mode(0o777);
        builder.append_link(&mut header, path, target)?;
    }
    for (path, text) in texts {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, text.as_bytes())?;
    }
    builder.into_inner()
}
