//! Folders that are made for a container's volumes.
//!
//! The Engine makes the missing source of a bind by itself, as root and closed to everybody else, and Dynamo's images run
//! as somebody else. A chown would need a shell and a password on the host; but the Engine unpacks an archive into a
//! container that was made and not started, with its volumes in place, and gives what it unpacks the owner that the
//! archive says. So a folder that was missing gets its owner by way of the container that it is for, on any host and from
//! any image.

use bollard::query_parameters::UploadToContainerOptionsBuilder;

use super::containers::container;
use super::{Host, HostError};
use crate::container::{ContainerSpec, Mount, MountSource};
use crate::hosts::docker::CHANGE;

/// User and group of Dynamo's images.
const OWNER: (u32, u32) = (1000, 0);
/// Both may write, and what is made inside belongs to the group.
const MODE: u32 = 0o2775;

/// A record of an archive.
const RECORD: usize = 512;
/// The longest name in a record, with the slash of a folder and the end of a text.
const LONGEST_NAME: usize = 98;

impl Host {
    /// The mounts of `spec` whose folders are to be made and are missing. Where the host's files cannot be seen from here
    /// there are none: the Engine makes them all the same, and they stay root's.
    pub(super) async fn missing_folders<'a>(
        &self,
        spec: &'a ContainerSpec,
    ) -> Result<Vec<&'a Mount>, HostError> {
        let mut missing = Vec::new();
        for mount in &spec.mounts {
            if let MountSource::HostPath(path) = &mount.source
                && spec.make_folders.contains(path)
                && self.path_exists(path).await? == Some(false)
            {
                missing.push(mount);
            }
        }
        Ok(missing)
    }

    /// Gives the folder behind a mount to the user of Dynamo's images. The container `id` was made and not started yet.
    pub(super) async fn give_folder(
        &self,
        id: &str,
        spec: &ContainerSpec,
        mount: &Mount,
    ) -> Result<(), HostError> {
        let Some((above, name)) = mount.target.rsplit_once('/') else { return Ok(()) };
        // Nobody writes through a mount that is read-only, the Engine included.
        if mount.read_only || name.len() > LONGEST_NAME {
            return Ok(());
        }
        let above = if above.is_empty() { "/" } else { above };
        let archive = folder_archive(name);
        let subject = format!("the folder at {} of {}", mount.target, container(&spec.name));
        self.change("give", &subject, CHANGE, |docker| {
            let options = UploadToContainerOptionsBuilder::new().path(above).build();
            let body = bollard::body_full(archive.clone().into());
            async move { docker.upload_to_container(id, Some(options), body).await }
        })
        .await
    }
}

/// An archive (`tar`) with one folder and nothing else.
fn folder_archive(name: &str) -> Vec<u8> {
    let (user, group) = OWNER;
    let seconds = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
    let fields = [
        padded(&format!("{name}/"), 100),
        padded(&format!("{MODE:07o}"), 8),
        padded(&format!("{user:07o}"), 8),
        padded(&format!("{group:07o}"), 8),
        padded(&format!("{:011o}", 0), 12),
        padded(&format!("{seconds:011o}"), 12),
        // The sum is taken with spaces in its own place.
        b"        ".to_vec(),
        b"5".to_vec(),
        padded("", 100),
        b"ustar\x0000".to_vec(),
    ];
    let mut record = fields.concat();
    record.resize(RECORD, 0);
    let sum: u32 = record.iter().map(|byte| u32::from(*byte)).sum();
    let before: usize = fields.iter().take(6).map(Vec::len).sum();
    record.splice(before..before + 8, format!("{sum:06o}\0 ").into_bytes());
    // Two empty records are the end.
    record.resize(3 * RECORD, 0);
    record
}

fn padded(text: &str, length: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(length, 0);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    /// Another program reads what was written.
    #[test]
    fn the_archive_is_one() {
        for name in ["x", "a b", &"ä".repeat(LONGEST_NAME / 2)] {
            let archive = folder_archive(name);
            assert_eq!(archive.len(), 3 * RECORD);
            let mut tar = Command::new("tar");
            let tar = tar.args(["--numeric-owner", "--quoting-style=literal", "-tvf", "-"]);
            let mut child = tar.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), &archive).unwrap();
            let said = child.wait_with_output().unwrap();
            let said = String::from_utf8(said.stdout).unwrap();
            assert!(
                said.starts_with("drwxrwsr-x 1000/0 ") && said.trim_end().ends_with(&format!(" {name}/")),
                "{said}"
            );
        }
    }
}
