//! How much is looked at and read, whichever way it is looked at.

use crate::inventory::DiskSpace;
use crate::inventory::files::{FileEntry, FolderListing, Tree};

/// Entries of one folder that are listed.
pub(super) const MOST_IN_FOLDER: usize = 10_000;
/// Entries below one model folder that are looked at.
pub(super) const MOST_IN_TREE: usize = 200_000;
/// Folders in folders: `hub/models--…/snapshots/COMMIT/folder/file`, and one to spare.
pub(super) const DEPTH: usize = 7;
/// What is read of a file that is small by its nature.
pub(super) const MOST_TEXT_BYTES: u64 = 256 << 10;
/// The longest list of weight files that is read: the models with the most tensors have one of some ten megabytes.
pub(super) const MOST_INDEX_BYTES: u64 = 32 << 20;
/// The longest header that a safetensors file may have.
pub(super) const MOST_HEADER_BYTES: u64 = 100_000_000;

/// A folder's entries, sorted and no more than may be.
pub(super) fn listing(mut entries: Vec<FileEntry>, room: DiskSpace) -> FolderListing {
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let truncated = entries.len() > MOST_IN_FOLDER;
    entries.truncate(MOST_IN_FOLDER);
    FolderListing { entries, truncated, size_bytes: room.size_bytes, free_bytes: room.free_bytes }
}

/// Sorts a tree's entries, and leaves no more than may be.
pub(super) fn finish(tree: &mut Tree) {
    tree.entries.sort_by(|a, b| a.path.cmp(&b.path));
    tree.truncated = tree.entries.len() > MOST_IN_TREE;
    tree.entries.truncate(MOST_IN_TREE);
}

/// Length of a safetensors file: the header's length, the header, and the data up to the `last` offset.
pub(super) fn expected_bytes(header: Option<u64>, last: Option<u64>) -> Option<u64> {
    header?.checked_add(8)?.checked_add(last?)
}
