//! A folder of this machine that is held open: what is done in it is done in that folder, whatever becomes of its name,
//! and no link on the way is followed. Blocks: call it where that is allowed.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawMode};

/// Entering a folder, and nothing but a folder.
const ENTER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const READABLE: RawMode = 0o755;

#[derive(Clone, Debug)]
pub(super) struct LocalFolder(Arc<OwnedFd>);

impl LocalFolder {
    /// The folder at a path that the user chose: links in it are the user's.
    pub(super) fn open(path: &str) -> io::Result<Self> {
        Ok(Self(Arc::new(rustix::fs::open(path, ENTER, Mode::empty())?)))
    }

    /// The folder in which this one lies now.
    pub(super) fn parent(&self) -> io::Result<Self> {
        Ok(Self(Arc::new(rustix::fs::openat(&self.0, "..", ENTER, Mode::empty())?)))
    }

    fn child(&self, name: &str) -> io::Result<Self> {
        Ok(Self(Arc::new(rustix::fs::openat(&self.0, name, ENTER | OFlags::NOFOLLOW, Mode::empty())?)))
    }

    /// Makes a folder that was not there, of that mode.
    pub(super) fn make(&self, name: &str, mode: RawMode) -> io::Result<Self> {
        rustix::fs::mkdirat(&self.0, name, Mode::from_raw_mode(mode))?;
        self.child(name)
    }

    /// The folder at a plain path below; the empty path is the folder itself.
    pub(super) fn below(&self, path: &str) -> io::Result<Self> {
        path.split('/').filter(|name| !name.is_empty()).try_fold(self.clone(), |at, name| at.child(name))
    }

    /// As [`LocalFolder::below`]; what is missing is made.
    pub(super) fn made_below(&self, path: &str) -> io::Result<Self> {
        path.split('/').filter(|name| !name.is_empty()).try_fold(self.clone(), |at, name| {
            match at.child(name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => match at.make(name, READABLE) {
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => at.child(name),
                    made => made,
                },
                found => found,
            }
        })
    }

    /// An empty new file. What has its name is removed, and never written to.
    pub(super) fn create(&self, name: &str) -> io::Result<File> {
        self.remove(name)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.0, name, flags, Mode::from_raw_mode(0o644))?))
    }

    /// A file that was made before, for reading and writing: not a link, not a pipe, and no second name of something else.
    pub(super) fn reopen(&self, name: &str) -> io::Result<Option<File>> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let is_ours = |about: &rustix::fs::Stat| {
            FileType::from_raw_mode(about.st_mode) == FileType::RegularFile && about.st_nlink == 1
        };
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(about) if is_ours(&about) => {}
            _ => return Ok(None),
        }
        let file = rustix::fs::openat(&self.0, name, flags, Mode::empty())?;
        let about = rustix::fs::fstat(&file)?;
        Ok(is_ours(&about).then(|| File::from(file)))
    }

    /// Makes a link with that text; what has its name is removed.
    pub(super) fn link(&self, name: &str, text: &str) -> io::Result<()> {
        self.remove(name)?;
        Ok(rustix::fs::symlinkat(text, &self.0, name)?)
    }

    /// Removes a file or a link; what is not there is fine.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.0, name, AtFlags::empty()) {
            Err(rustix::io::Errno::NOENT) => Ok(()),
            removed => Ok(removed?),
        }
    }

    /// What has that name; `None` where nothing has.
    pub(super) fn kind(&self, name: &str) -> io::Result<Option<FileType>> {
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(about) => Ok(Some(FileType::from_raw_mode(about.st_mode))),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The names in it.
    pub(super) fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.0)? {
            let name = entry?.file_name().to_bytes().to_vec();
            if !matches!(name.as_slice(), b"." | b"..") {
                names.push(OsString::from_vec(name));
            }
        }
        Ok(names)
    }

    /// Gives what has a name here that name, or another, in another folder.
    pub(super) fn rename(
        &self,
        name: impl rustix::path::Arg,
        to: &Self,
        new: impl rustix::path::Arg,
    ) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, name, &to.0, new)?)
    }

    /// Leaves it to its owner, whatever a default of the folder above says.
    pub(super) fn close_to_others(&self) -> io::Result<()> {
        Ok(rustix::fs::fchmod(&self.0, Mode::RWXU)?)
    }

    /// Whether it is this user's, and closed to all others.
    pub(super) fn is_private(&self) -> io::Result<bool> {
        let about = rustix::fs::fstat(&self.0)?;
        Ok(about.st_uid == rustix::process::geteuid().as_raw() && about.st_mode & 0o777 == 0o700)
    }

    /// Whether both are the same folder.
    pub(super) fn is(&self, other: &Self) -> io::Result<bool> {
        let (one, two) = (rustix::fs::fstat(&self.0)?, rustix::fs::fstat(&other.0)?);
        Ok((one.st_dev, one.st_ino) == (two.st_dev, two.st_ino))
    }

    /// Removes a folder in it and all that lies there, by descriptors all the way down.
    pub(super) fn remove_all(&self, name: &str) -> io::Result<()> {
        let folder = self.child(name)?;
        for inner in folder.names()? {
            if folder.is_folder(&inner)? {
                folder.remove_all(&inner.to_string_lossy())?;
            } else {
                rustix::fs::unlinkat(&folder.0, &inner, AtFlags::empty())?;
            }
        }
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Whether what has that name is a folder itself.
    pub(super) fn is_folder(&self, name: &OsString) -> io::Result<bool> {
        let about = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(FileType::from_raw_mode(about.st_mode) == FileType::Directory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::symlink;

    #[test]
    fn no_link_is_followed() {
        let room = tempfile::tempdir().unwrap();
        let at = |name: &str| room.path().join(name);
        let folder = LocalFolder::open(room.path().to_str().unwrap()).unwrap();
        std::fs::create_dir(at("private")).unwrap();
        std::fs::write(at("private/key"), "keep").unwrap();
        symlink(at("private"), at("folder")).unwrap();
        symlink(at("private/key"), at("file")).unwrap();
        std::fs::hard_link(at("private/key"), at("name")).unwrap();
        assert!(folder.below("folder").is_err() && folder.made_below("folder/sub").is_err());
        for name in ["file", "name", "private", "nothing"] {
            assert!(folder.reopen(name).unwrap().is_none(), "{name}");
        }
        for name in ["file", "name"] {
            folder.create(name).unwrap().write_all(b"new").unwrap();
            assert!(folder.reopen(name).unwrap().is_some(), "{name}");
        }
        folder.link("file", "elsewhere").unwrap();
        assert_eq!(std::fs::read_link(at("file")).unwrap().to_str(), Some("elsewhere"));
        folder.made_below("a/b/c").unwrap();
        symlink(at("private"), at("a/b/out")).unwrap();
        folder.remove_all("a").unwrap();
        assert!(!at("a").exists());
        assert_eq!(std::fs::read_to_string(at("private/key")).unwrap(), "keep");
    }
}
