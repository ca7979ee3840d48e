//! The unix socket that Terraform connects to, and its disappearance.
//!
//! Whoever can open the socket can try to talk to a process that holds SSH keys, so it lies in a directory that only
//! this user may enter. TLS with one pinned client guards it a second time, but debug mode and `TF_DISABLE_PLUGIN_TLS`
//! have no TLS, and there the directory is all there is. Both the file and the directory go away when the guard drops.
//!
//! A host that names a directory gets the socket right in it, without a directory of ours between: such hosts look the
//! file up by its base name on the other side of a mount.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use super::error::StartError;
use super::handshake;

/// Longest socket path in bytes that the kernel takes, without the NUL at its end.
const LONGEST_PATH: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// Short enough for any limit.
const FALLBACK: &str = "/tmp";

/// Removes the socket, and the directory if we made it, when dropped.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    own_directory: Option<PathBuf>,
}

impl SocketFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Nobody is left to tell when this fails.
        let _ = fs::remove_file(&self.path);
        if let Some(directory) = &self.own_directory {
            let _ = fs::remove_dir(directory);
        }
    }
}

/// Where the socket goes: a file in the host's directory, or a file in a new private directory.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    directory: PathBuf,
    private: bool,
    socket: PathBuf,
}

/// Binds the socket. It accepts from here on; connections wait in the kernel until somebody takes them.
/// `asked` is the host's wish, `temporary` the system's directory for temporary files.
pub(super) fn bind(asked: Option<&Path>, temporary: &Path) -> Result<(UnixListener, SocketFile), StartError> {
    let place = place(asked, temporary, &random_name()?)?;
    let failed = |cause| StartError::Socket { path: place.socket.clone(), cause };
    if place.private {
        DirBuilder::new().mode(0o700).create(&place.directory).map_err(failed)?;
    }
    let own_directory = place.private.then(|| place.directory.clone());
    let file = SocketFile { path: place.socket.clone(), own_directory };
    let listener = UnixListener::bind(&place.socket).map_err(failed)?;
    fs::set_permissions(&place.socket, Permissions::from_mode(0o600)).map_err(failed)?;
    Ok((listener, file))
}

fn place(asked: Option<&Path>, temporary: &Path, name: &str) -> Result<Place, StartError> {
    let places = match asked {
        Some(directory) => vec![directly_in(directory, name)],
        None => vec![privately_in(temporary, name), privately_in(Path::new(FALLBACK), name)],
    };
    let tried = places.first().map(|place| place.socket.clone()).unwrap_or_default();
    let usable = |place: &Place| {
        place.socket.as_os_str().len() <= LONGEST_PATH && handshake::can_be_told(&place.socket)
    };
    places.into_iter().find(usable).ok_or(StartError::SocketPath { path: tried, longest: LONGEST_PATH })
}

fn directly_in(directory: &Path, name: &str) -> Place {
    Place { directory: directory.to_owned(), private: false, socket: directory.join(name) }
}

fn privately_in(parent: &Path, name: &str) -> Place {
    let directory = parent.join(name);
    Place { socket: directory.join("socket"), private: true, directory }
}

/// Never met before: `mkdir` and `bind` both refuse a name that exists, so a guess by others costs a start, no more.
fn random_name() -> Result<String, StartError> {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes).map_err(|cause| StartError::Random { cause })?;
    Ok(format!("plugin{:016x}", u64::from_ne_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_fits_the_kernel_and_the_handshake_line() {
        let long = format!("/{}", "x".repeat(90));
        let cases: [(Option<&str>, &str, Option<&str>); 6] = [
            (None, "/var/tmp", Some("/var/tmp/n/socket")),
            (None, &long, Some("/tmp/n/socket")),
            (None, "/var/a|b", Some("/tmp/n/socket")),
            (Some("/run/p"), &long, Some("/run/p/n")),
            (Some("/run/a|b"), "/tmp", None),
            (Some(&"/y".repeat(60)), "/tmp", None),
        ];
        for (asked, temporary, expected) in cases {
            let long_name = "n";
            let temporary = if temporary.len() > 80 {
                format!("{temporary}{}", "z".repeat(20))
            } else {
                temporary.into()
            };
            let found = place(asked.map(Path::new), Path::new(&temporary), long_name);
            assert_eq!(
                found.ok().map(|place| place.socket),
                expected.map(PathBuf::from),
                "{asked:?} {temporary}"
            );
        }
    }

    #[tokio::test]
    async fn socket_and_directory_are_private_and_go_away() {
        let parent = tempfile::tempdir().unwrap();
        let (_listener, file) = bind(None, parent.path()).unwrap();
        let directory = file.path().parent().unwrap().to_owned();
        assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
        drop(file);
        assert!(!directory.exists());
        assert!(parent.path().exists());
    }

    #[tokio::test]
    async fn a_directory_that_the_host_named_stays() {
        let asked = tempfile::tempdir().unwrap();
        let (_listener, file) = bind(Some(asked.path()), Path::new("/nowhere")).unwrap();
        assert_eq!(file.path().parent(), Some(asked.path()));
        drop(file);
        assert_eq!(fs::read_dir(asked.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_directory_that_cannot_be_used_is_named_in_the_error() {
        let error = bind(None, Path::new("/nowhere/at/all")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/at/all") && error.contains("TMPDIR"), "{error}");
    }
}
