//! Files and folders that are put into a container before it runs.
//!
//! The Engine unpacks a tar archive into a container that was created and not started, with its volumes in place, and gives
//! what it unpacks the owner and mode that the archive says. That serves two ends:
//!
//! * What a process must know and nobody else may see. An environment variable is shown to everybody who may look at
//!   containers, and a file of the host would have to be put there first and taken away again.
//! * Folders for a container's volumes. The Engine makes the missing source of a bind by itself, as root and closed to
//!   everybody else, and Dynamo's images run as somebody else. A chown would need a shell and a password on the host. So a
//!   folder that was missing gets its owner by way of the container that it is for, on any host and from any image.

use std::io;

use bollard::body_full;
use bollard::query_parameters::UploadToContainerOptionsBuilder;
use hyper::body::Bytes;
use tar::{Builder, EntryType, Header};

use super::containers::container;
use super::host::Host;
use crate::container::{ContainerSpec, Mount, MountSource};
use crate::hosts::docker::CHANGE;
use crate::hosts::error::{Cause, HostError};

/// User and group of Dynamo's images.
const FOLDER_OWNER: (u64, u64) = (1000, 0);
/// Both may write, and what is made inside belongs to the group.
const FOLDER_MODE: u32 = 0o2775;
/// Root alone reads it.
const FILE_MODE: u32 = 0o400;

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
        if mount.read_only {
            return Ok(());
        }
        let subject = format!("the folder at {} of {}", mount.target, container(&spec.name));
        self.upload("give", &subject, id, above, folder_archive(name)).await
    }

    /// Puts `content` into `path` of a container, readable by its root alone. The folder must be there, and neither path nor
    /// content is a secret to who may use Docker on the host.
    pub async fn put_file(&self, name: &str, path: &str, content: &str) -> Result<(), HostError> {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let archive = file_archive(file, content.as_bytes());
        self.upload("put a file into", &container(name), name, folder, archive).await
    }

    /// Unpacks an archive in a folder of a container.
    async fn upload(
        &self,
        verb: &str,
        subject: &str,
        container: &str,
        folder: &str,
        archive: io::Result<Vec<u8>>,
    ) -> Result<(), HostError> {
        let folder = if folder.is_empty() { "/" } else { folder };
        let archive = archive.map_err(|error| {
            let text = format!("no archive for it can be made ({error})");
            self.error(&format!("{verb} {subject}"), Cause::Connection { text })
        })?;
        let archive = Bytes::from(archive);
        self.change(verb, subject, CHANGE, |docker| {
            let options = UploadToContainerOptionsBuilder::new().path(folder).build();
            let body = body_full(archive.clone());
            async move { docker.upload_to_container(container, Some(options), body).await }
        })
        .await
    }
}

/// A tar archive with one folder and nothing else.
fn folder_archive(name: &str) -> io::Result<Vec<u8>> {
    let mut header = Header::new_gnu();
    let (user, group) = FOLDER_OWNER;
    header.set_entry_type(EntryType::Directory);
    header.set_mode(FOLDER_MODE);
    header.set_uid(user);
    header.set_gid(group);
    header.set_mtime(std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs()));
    archive(header, &format!("{name}/"), &[])
}

/// A tar archive with one file of root's.
fn file_archive(name: &str, content: &[u8]) -> io::Result<Vec<u8>> {
    let mut header = Header::new_gnu();
    header.set_mode(FILE_MODE);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    archive(header, name, content)
}

fn archive(mut header: Header, path: &str, content: &[u8]) -> io::Result<Vec<u8>> {
    header.set_size(content.len() as u64);
    let mut builder = Builder::new(Vec::new());
    builder.append_data(&mut header, path, content)?;
    builder.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    fn tar(arguments: &[&str], archive: &[u8]) -> Vec<u8> {
        let mut tar = Command::new("tar");
        let mut child = tar.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(archive).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        output.stdout
    }

    fn listed(archive: &[u8]) -> String {
        let arguments = ["--numeric-owner", "--quoting-style=literal", "-tvf", "-"];
        String::from_utf8(tar(&arguments, archive)).unwrap()
    }

    /// Another program reads what was written.
    #[test]
    fn a_folder_has_its_owner_and_mode() {
        for name in ["x", "a b", &"ä".repeat(49), &"long".repeat(50)] {
            let listed = listed(&folder_archive(name).unwrap());
            assert_eq!(listed.lines().count(), 1, "{listed}");
            assert!(
                listed.starts_with("drwxrwsr-x 1000/0 ") && listed.trim_end().ends_with(&format!(" {name}/")),
                "{listed}"
            );
        }
    }

    #[test]
    fn a_file_is_for_root_alone() {
        for content in ["", "hunter2", &"x".repeat(512), &"y".repeat(513)] {
            let archive = file_archive("secret", content.as_bytes()).unwrap();
            let listed = listed(&archive);
            assert!(listed.starts_with("-r-------- 0/0 ") && listed.ends_with("secret\n"), "{listed}");
            assert_eq!(tar(&["-xOf", "-"], &archive), content.as_bytes());
        }
    }
}
