//! A file to be copied, and what is said of it at either end.

use std::io;

use crate::hosts::error::Cause;
use crate::hosts::error::files::TransferError;

/// A file to be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TransferFile {
    /// Path below the source's folder: of a file, not of a link.
    pub at: String,
    /// Path below the target's folder.
    pub to: String,
    pub size_bytes: u64,
    /// In hexadecimal, where it is known beforehand.
    pub sha256: Option<String>,
}

/// An error of a copy, by the end that it is of.
pub(super) enum CopyError {
    Source(Cause),
    Target(Cause),
}

/// What an error of this machine's file system means.
pub(super) fn cause_of(error: &io::Error, path: &str) -> Cause {
    let (path, text) = (path.to_owned(), error.to_string());
    match error.kind() {
        io::ErrorKind::StorageFull => Cause::NoSpace { text },
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            TransferError::NotWritable { path, text }.into()
        }
        _ => TransferError::CutShort { path, text }.into(),
    }
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A path below a folder.
pub(super) fn join(folder: &str, path: &str) -> String {
    format!("{}/{path}", folder.trim_end_matches('/'))
}
