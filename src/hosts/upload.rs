//! A small file into a container that does not run yet: for what its process must know and nobody else may see.
//!
//! An environment variable is shown to everybody who may look at containers, and a file of the host would have to be put
//! there first and taken away again. The Engine takes files as a tar archive, of which one header is all that is needed.

use bollard::body_full;
use bollard::query_parameters::UploadToContainerOptionsBuilder;
use hyper::body::Bytes;

use super::containers::container;
use super::{Host, HostError};
use crate::hosts::docker::CHANGE;

/// Bytes of a record in a tar archive.
const RECORD: usize = 512;

impl Host {
    /// Puts `content` into `path` of a container, readable by its root alone. The folder must be there, and neither path nor
    /// content is a secret to who may use Docker on the host.
    pub async fn put_file(&self, name: &str, path: &str, content: &str) -> Result<(), HostError> {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let archive = Bytes::from(archive(file, content.as_bytes()));
        let folder = if folder.is_empty() { "/" } else { folder };
        self.change("put a file into", &container(name), CHANGE, |docker| {
            let options = UploadToContainerOptionsBuilder::default().path(folder).build();
            let body = body_full(archive.clone());
            async move { docker.upload_to_container(name, Some(options), body).await }
        })
        .await
    }
}

/// A tar archive with one file of root's, mode 0400.
fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; RECORD];
    let mut put = |at: usize, bytes: &[u8]| {
        for (place, byte) in header.iter_mut().skip(at).zip(bytes) {
            *place = *byte;
        }
    };
    put(0, name.as_bytes());
    put(100, b"0000400\0"); // mode
    put(108, b"0000000\0"); // owner
    put(116, b"0000000\0"); // group
    put(124, format!("{:011o}\0", content.len()).as_bytes());
    put(136, b"00000000000\0"); // time
    put(148, b"        "); // the checksum counts itself as spaces
    put(156, b"0"); // an ordinary file
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    for (place, byte) in header.iter_mut().skip(148).zip(format!("{sum:06o}\0 ").bytes()) {
        *place = byte;
    }
    let mut archive = header.to_vec();
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(RECORD) + 2 * RECORD, 0);
    archive
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tar_itself_reads_what_is_written() {
        for content in ["", "hunter2", &"x".repeat(RECORD), &"y".repeat(RECORD + 1)] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("archive.tar");
            std::fs::write(&file, archive("secret", content.as_bytes())).unwrap();
            let listed = std::process::Command::new("tar").arg("-tvf").arg(&file).output().unwrap();
            let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
            assert!(listed.starts_with("-r--------") && listed.ends_with("secret\n"), "{listed}");
            let read = std::process::Command::new("tar").arg("-xOf").arg(&file).output().unwrap();
            assert!(read.status.success());
            assert_eq!(read.stdout, content.as_bytes());
        }
    }
}
