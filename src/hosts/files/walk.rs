//! This machine's files, read directly. Blocks: call it where that is allowed.

use super::disks;
use super::limits::{
    DEPTH, MOST_HEADER_BYTES, MOST_IN_FOLDER, MOST_IN_TREE, MOST_INDEX_BYTES, MOST_TEXT_BYTES,
    expected_bytes, finish, listing,
};
use super::regular;
use crate::hosts::error::Cause;
use crate::inventory::DiskSpace;
use crate::inventory::files::{Content, Disk, FileEntry, FileKind, FolderListing, Tree};
use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

pub(super) fn folder(path: &str) -> Result<FolderListing, Cause> {
    let failed = |error: io::Error| {
        let path = path.to_owned();
        match error.kind() {
            ErrorKind::NotADirectory => Cause::NotAFolder { path },
            ErrorKind::PermissionDenied => Cause::FolderClosed { path },
            _ => Cause::NoSuchFolder { path },
        }
    };
    let folder = Path::new(path);
    let found = std::fs::read_dir(folder).map_err(failed)?;
    let entries = found.flatten().take(MOST_IN_FOLDER + 1).filter_map(|it| entry(folder, &it.path()));
    let entries = entries.collect();
    Ok(listing(entries, room(folder).map_err(failed)?))
}

fn room(path: &Path) -> io::Result<DiskSpace> {
    let room = rustix::fs::statvfs(path)?;
    let bytes = |blocks: u64| blocks.saturating_mul(room.f_frsize);
    Ok(DiskSpace { size_bytes: bytes(room.f_blocks), free_bytes: bytes(room.f_bavail) })
}

pub(super) fn disks() -> Result<Vec<Disk>, Cause> {
    let mounts = std::fs::read_to_string("/proc/self/mounts");
    let mounts = mounts.map_err(|error| Cause::Script { text: format!("/proc/self/mounts: {error}") })?;
    Ok(disks::list(&mounts, |mount| room(Path::new(mount)).ok()))
}

/// `None` where there is no folder that may be entered.
pub(super) fn tree(root: &str) -> Option<Tree> {
    let base = Path::new(root);
    let mut tree = Tree { root: root.to_owned(), ..Tree::default() };
    std::fs::read_dir(base).ok()?;
    let mut open = vec![(base.to_owned(), 1)];
    while let Some((folder, depth)) = open.pop() {
        for found in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = found.path();
            let Some(entry) = entry(base, &path) else { continue };
            if tree.entries.len() > MOST_IN_TREE {
                finish(&mut tree);
                return Some(tree);
            }
            if entry.kind == FileKind::Folder && depth < DEPTH {
                open.push((path, depth + 1));
            } else if let Some(content) = content(&entry, &path) {
                tree.contents.insert(entry.path.clone(), content);
            }
            tree.entries.push(entry);
        }
    }
    finish(&mut tree);
    Some(tree)
}

/// `None` when it vanished meanwhile.
fn entry(base: &Path, path: &Path) -> Option<FileEntry> {
    let about = std::fs::symlink_metadata(path).ok()?;
    let target = std::fs::read_link(path).unwrap_or_default();
    Some(FileEntry {
        path: path.strip_prefix(base).ok()?.to_string_lossy().into_owned(),
        kind: kind(&about),
        size_bytes: about.size(),
        modified: about.mtime(),
        target: target.to_string_lossy().into_owned(),
    })
}

fn kind(about: &Metadata) -> FileKind {
    match about.file_type() {
        it if it.is_symlink() => FileKind::Link,
        it if it.is_dir() => FileKind::Folder,
        it if it.is_file() => FileKind::File,
        _ => FileKind::Other,
    }
}

/// What matters of a file, if it is one.
fn content(entry: &FileEntry, path: &Path) -> Option<Content> {
    let name = path.file_name()?.to_string_lossy();
    let read: fn(File) -> io::Result<Content> = match name.as_ref() {
        name if name.ends_with(".safetensors") => safetensors,
        name if name.ends_with(".index.json") => index,
        "config.json" => text,
        _ if is_reference(&entry.path) => text,
        _ => return None,
    };
    read(regular::open(path).ok()??).ok()
}

/// A file in a folder `refs`, which is at the top or below.
fn is_reference(path: &str) -> bool {
    path.strip_prefix("refs/").or_else(|| path.rsplit_once("/refs/").map(|(_, name)| name)).is_some()
}

fn text(file: File) -> io::Result<Content> {
    let mut bytes = Vec::new();
    file.take(MOST_TEXT_BYTES).read_to_end(&mut bytes)?;
    bytes.retain(|byte| *byte != 0);
    Ok(Content::Text(String::from_utf8_lossy(&bytes).into_owned()))
}

fn index(file: File) -> io::Result<Content> {
    let mut bytes = Vec::new();
    file.take(MOST_INDEX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_INDEX_BYTES {
        return Ok(Content::Index { whole: false, files: Vec::new() });
    }
    let text = String::from_utf8_lossy(&bytes);
    // The odd parts between quotes are the strings; there are no escapes in names of files.
    let words = text.lines().flat_map(|line| line.split('"'));
    let files: BTreeSet<&str> =
        words.filter(|word| word.ends_with(".safetensors") || word.ends_with(".bin")).collect();
    Ok(Content::Index {
        whole: text.trim_end_matches(['\0', ' ', '\t', '\r', '\n']).ends_with('}'),
        files: files.into_iter().map(str::to_owned).collect(),
    })
}

fn safetensors(mut file: File) -> io::Result<Content> {
    let mut length = [0; 8];
    let length = file.read_exact(&mut length).map(|()| u64::from_le_bytes(length)).ok();
    let mut header = Vec::new();
    if let Some(length) = length.filter(|length| *length <= MOST_HEADER_BYTES) {
        file.take(length).read_to_end(&mut header)?;
    }
    Ok(Content::Safetensors { expected_bytes: expected_bytes(length, last_offset(&header)) })
}

/// The largest end in `"data_offsets":[begin,end]`. A quote in a tensor's name is written `\"`, so it is not mistaken.
fn last_offset(header: &[u8]) -> Option<u64> {
    const KEY: &str = "\"data_offsets\":";
    let header = std::str::from_utf8(header).ok()?;
    let ends = header.split(KEY).skip(1).filter_map(|rest| {
        let (begin, rest) = rest.trim_start().strip_prefix('[')?.split_once(',')?;
        let (end, _) = rest.trim_start().split_once(']')?;
        begin.parse::<u64>().ok().and_then(|_| end.parse().ok())
    });
    ends.max()
}
