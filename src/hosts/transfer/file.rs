//! A file to be copied, and what is said of it at either end.

use std::io;

use crate::hosts::error::Cause;
use crate::hosts::error::files::TransferError;
use crate::inventory::relative_path;

/// A file to be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TransferFile {
    /// Path below the source's folder: of a file, not of a link.
    pub(super) at: String,
    /// Path below the target's folder.
    pub(super) to: String,
    pub(super) size_bytes: u64,
    /// In hexadecimal, where it is known beforehand.
    pub(super) sha256: Option<String>,
}

impl TransferFile {
    /// Paths that lead out of their folder are an error: names of a host's files choose nothing but where in it they are.
    pub(crate) fn new(
        at: &str,
        to: &str,
        size_bytes: u64,
        sha256: Option<String>,
    ) -> Result<Self, TransferError> {
        below(at)?;
        below(to)?;
        Ok(Self { at: at.to_owned(), to: to.to_owned(), size_bytes, sha256 })
    }
}

/// An error for what is no path below a folder.
pub(super) fn below(path: &str) -> Result<(), TransferError> {
    if relative_path::is_plain(path) {
        return Ok(());
    }
    Err(TransferError::NotBelow { path: path.to_owned() })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_stays_in_its_folder_at_either_end() {
        assert!(TransferFile::new("blobs/x", "sub/..x", 1, None).is_ok());
        for (at, to, wrong) in
            [("../x", "x", "../x"), ("x", "a/../../x", "a/../../x"), ("x", "/etc/x", "/etc/x")]
        {
            let error = TransferFile::new(at, to, 1, None).unwrap_err();
            assert_eq!(error, TransferError::NotBelow { path: wrong.to_owned() });
        }
    }
}
