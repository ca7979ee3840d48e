//! What lies in folders, as plain data: names, kinds, sizes, and the little of their content that decisions need.
//!
//! Links are recorded and not followed: whoever reads a [`Tree`] follows them within it, so that a link out of the
//! folder, or one in a circle, is a fact to judge and never a way out.

use std::collections::BTreeMap;

/// The kind of an entry of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    File,
    Folder,
    Link,
    /// Socket, pipe, device.
    Other,
}

impl FileKind {
    /// The word for the kind in attributes.
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "folder",
            Self::Link => "link",
            Self::Other => "other",
        }
    }
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Relative to the folder that was looked into. Bytes that are not UTF-8 are U+FFFD.
    pub path: String,
    pub kind: FileKind,
    /// Of the thing itself: for a link, the length of its text.
    pub size_bytes: u64,
    /// Seconds since 1970, UTC.
    pub modified: i64,
    /// The text of a link; empty for everything else.
    pub target: String,
}

/// A folder's own entries, and the room around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderListing {
    /// By name.
    pub entries: Vec<FileEntry>,
    /// There were more entries than are listed.
    pub truncated: bool,
    /// Size of the file system that holds the folder.
    pub size_bytes: u64,
    /// What an ordinary user may still fill of it.
    pub free_bytes: u64,
}

/// A mounted file system that keeps things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Where it is mounted.
    pub mount: String,
    pub device: String,
    /// `ext4`, `xfs`, `nfs4`, …
    pub filesystem: String,
    pub size_bytes: u64,
    /// What an ordinary user may still fill.
    pub free_bytes: u64,
}

/// A tree of folders: everything below one, with what matters of models' small files.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tree {
    /// Absolute path of the folder.
    pub root: String,
    /// By path.
    pub entries: Vec<FileEntry>,
    /// By path, for files whose names say that they matter. A link's content is that of the file it leads to.
    pub contents: BTreeMap<String, Content>,
    /// There was more than is listed.
    pub truncated: bool,
}

/// The content of a file, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// All of it, or its beginning where it is longer than such a file ever is.
    Text(String),
    /// A list of weight files: their names, sorted, and whether the list ends as one should.
    Index { whole: bool, files: Vec<String> },
    /// A safetensors file: how long its header says that it is, in bytes; `None` when the header makes no sense.
    Safetensors { expected_bytes: Option<u64> },
}
