//! From files and disks to rows. Pure.

use super::schema::{DiskModel, EntryModel};
use crate::inventory::files::{Disk, FileEntry, FileKind};
use crate::provider::attributes::convert::{gigabytes, text, timestamp};
use crate::tf_provider::attr::Attr;

/// The row of a file or folder.
pub(super) fn entry(entry: FileEntry) -> EntryModel {
    let FileEntry { path, kind, size_bytes, modified, target } = entry;
    let is = |wanted| kind == wanted;
    EntryModel {
        name: text(path),
        kind: text(kind.word()),
        size_bytes: i64::try_from(size_bytes).ok().filter(|_| is(FileKind::File)).into(),
        modified: text(timestamp(modified)),
        target: Some(target).filter(|_| is(FileKind::Link)).map_or(Attr::Null, Attr::Known),
    }
}

/// The attributes of a disk.
pub(super) fn disk(disk: Disk) -> DiskModel {
    let Disk { mount, device, filesystem, size_bytes, free_bytes } = disk;
    DiskModel {
        mount: text(mount),
        device: text(device),
        filesystem: text(filesystem),
        size_gb: gigabytes(size_bytes),
        free_gb: gigabytes(free_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_have_sizes_and_only_links_have_targets() {
        for (kind, size, target) in [
            (FileKind::File, Some(7), None),
            (FileKind::Folder, None, None),
            (FileKind::Link, None, Some("to")),
        ] {
            let found =
                FileEntry { path: "x".into(), kind, size_bytes: 7, modified: 60, target: "to".into() };
            let row = entry(found);
            assert_eq!(
                (row.size_bytes.known().copied(), row.target.known().map(String::as_str)),
                (size, target)
            );
            assert_eq!(row.modified.known().map(String::as_str), Some("1970-01-01T00:01:00Z"));
        }
    }
}
