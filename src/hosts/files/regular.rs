//! Files of this machine, opened without waiting for what is none.
//!
//! A pipe that nobody writes to is not even opened until somebody does, a terminal is there for ever, and a device may
//! do something when it is opened. In a folder of models lies whatever somebody put there.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// Opens what ends at a regular file, links followed, for reading; `None` where it is something else. Blocks no longer
/// than a disk does.
pub(in crate::hosts) fn open(path: &Path) -> io::Result<Option<File>> {
    if !std::fs::metadata(path)?.is_file() {
        return Ok(None);
    }
    // It may have become another thing meanwhile.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    Ok(Some(file).filter(|file| file.metadata().is_ok_and(|about| about.is_file())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_a_regular_file_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "text").unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        for (name, target) in
            [("a", "file"), ("b", "pipe"), ("c", "/dev/zero"), ("d", "/dev/ptmx"), ("e", ".")]
        {
            symlink(target, at(name)).unwrap();
        }
        let opened = ["file", "a", "pipe", "b", "c", "d", "e"].map(|name| open(&at(name)).unwrap().is_some());
        assert_eq!(opened, [true, true, false, false, false, false, false]);
        assert!(open(&at("nothing")).is_err());
    }
}
