//! The folder in which a copy arrives, beside where it belongs.
//!
//! Others may have something to say in the folder that holds it: users of a shared disk, containers that have it mounted.
//! So its name is new in each run and cannot be guessed, it is made where nothing was and open to nobody else, what a
//! former run left is found again only where it is still so, and whatever is done in it begins by entering it and seeing
//! that it is the same folder as before. From there every folder is entered by itself and no link is followed; what is
//! written is written to a new file, or to one that has no other name.
//!
//! What is in it lies in `files`, with the modes that it has in the end, and appears in its place in one step. Two runs
//! that copy the same model at once take the folder from each other: one of them ends with an error.

use std::collections::BTreeSet;
use std::io;

use super::file::cause_of;
use super::local_folder::LocalFolder;
use super::remote_command;
use super::remote_command::CHANGED;
use crate::hosts::error::files::TransferError;
use crate::hosts::error::{Cause, HostError};
use crate::hosts::host::Host;
use crate::hosts::shell::quoted;

/// Below the folder of a run: what becomes the copy.
const FILES: &str = "files";
/// Hexadecimal digits at the end of its name.
const DIGITS: usize = 16;

/// A folder that is ours for this run.
#[derive(Debug)]
pub(crate) struct Staging {
    /// Absolute path of the folder that holds it and, in the end, the copy.
    parent: String,
    name: String,
    /// What the copy is called.
    last: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// Device and inode, as `stat` prints them.
    There {
        identity: String,
    },
    Here(LocalFolder),
}

impl Staging {
    /// Where the files lie until they are moved: for looks, and for the log.
    pub(crate) fn files(&self) -> String {
        format!("{}/{}/{FILES}", self.parent, self.name)
    }

    /// Its own path.
    pub(crate) fn folder(&self) -> String {
        format!("{}/{}", self.parent, self.name)
    }

    /// The folder that holds it.
    pub(crate) fn parent(&self) -> &str {
        if self.parent.is_empty() { "/" } else { &self.parent }
    }

    /// The begin of every script: goes into a folder at a plain path below, which is made where it is missing. `into` does
    /// the same from there.
    pub(super) fn enter(&self, path: &str) -> String {
        let identity = match &self.place {
            Place::There { identity } => identity.as_str(),
            Place::Here(_) => "",
        };
        let folder = self.folder();
        format!(
            "umask 022\n\
             changed() {{ echo \"$PWD: somebody changed what is in it\" >&2; exit {CHANGED}; }}\n\
             into() {{\n\
               rest=$1\n\
               while [ -n \"$rest\" ]; do\n\
                 case $rest in */*) part=${{rest%%/*}} rest=${{rest#*/}} ;; *) part=$rest rest= ;; esac\n\
                 here=$(pwd -P)\n\
                 # Another command of ours may make it at the same time.\n\
                 [ -e \"./$part\" ] || [ -L \"./$part\" ] || mkdir -- \"./$part\" 2>/dev/null || \
                   [ -d \"./$part\" ] || mkdir -- \"./$part\" || exit 1\n\
                 cd -P -- \"./$part\" && [ \"$(pwd -P)\" = \"${{here%/}}/$part\" ] || changed\n\
               done\n\
             }}\n\
             cd -P -- {} && [ \"$(stat -c %d:%i .)\" = {} ] || changed\n\
             into {}\n",
            quoted(&folder),
            quoted(identity),
            quoted(path)
        )
    }

    /// As [`Staging::enter`], of a folder of the files.
    pub(super) fn enter_files(&self, folder: &str) -> String {
        self.enter(&in_files(folder))
    }

    /// The same on this machine; `None` where it is on another.
    pub(super) fn here(&self, folder: &str) -> Option<io::Result<LocalFolder>> {
        match &self.place {
            Place::Here(staging) => Some(staging.made_below(&in_files(folder))),
            Place::There { .. } => None,
        }
    }
}

fn in_files(folder: &str) -> String {
    if folder.is_empty() { FILES.to_owned() } else { format!("{FILES}/{folder}") }
}

/// The folder of a plain path, which is empty for the top, and the name there.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The begin of the names of all runs that copy to a folder of that name.
fn prefix(last: &str) -> String {
    format!(".dynamo-transfer-{last}-")
}

fn is_of_a_run(name: &str, last: &str) -> bool {
    name.strip_prefix(&prefix(last)).is_some_and(|random| {
        random.len() == DIGITS && random.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Finds what a former run left and gives it its new name, or makes it. Prints which folder it is.
///
/// What was made a moment ago may have another owner or another mode where a file system knows only one of them (a share
/// that takes root for nobody, one without modes), and is closed where a default of the folder above opened it.
fn stage_script(parent: &str, last: &str, name: &str) -> String {
    let parent = if parent.is_empty() { "/" } else { parent };
    format!(
        "umask 022; parent={} name={}\n\
         changed() {{ echo \"$parent/$name: it is another folder than the one that was made\" >&2; exit {CHANGED}; }}\n\
         private() {{ case $(stat -c %a \"$1\") in *700) ;; *) return 1 ;; esac; }}\n\
         mkdir -p -- \"$parent\" && cd -P -- \"$parent\" || exit 1\n\
         here=$(pwd -P)\n\
         for old in ./{}????????????????; do\n\
           [ -d \"$old\" ] && [ ! -L \"$old\" ] && [ -O \"$old\" ] && private \"$old\" || continue\n\
           mv -T -- \"$old\" \"./$name\" 2>/dev/null && break\n\
         done\n\
         new=; [ -d \"./$name\" ] || {{ (umask 077; mkdir -- \"$parent/$name\") || exit 1; new=1; }}\n\
         cd -P -- \"./$name\" && [ \"$(pwd -P)\" = \"${{here%/}}/$name\" ] || changed\n\
         if [ -n \"$new\" ]; then\n\
           [ -O . ] || private . || changed\n\
           chmod 700 . 2>/dev/null\n\
         else\n\
           [ -O . ] && private . || changed\n\
         fi\n\
         stat -c %d:%i .\n",
        quoted(parent),
        quoted(name),
        quoted(&prefix(last)),
    )
}

fn stage_here(parent: &str, last: &str, name: &str) -> io::Result<LocalFolder> {
    let parent = if parent.is_empty() { "/" } else { parent };
    std::fs::create_dir_all(parent)?;
    let parent = LocalFolder::open(parent)?;
    let names = parent.names()?.into_iter().filter_map(|name| name.into_string().ok());
    for old in names.filter(|old| is_of_a_run(old, last)) {
        let private = parent.below(&old).and_then(|folder| folder.is_private());
        if matches!(private, Ok(true)) && parent.rename(&old, &parent, name).is_ok() {
            let folder = parent.below(name)?;
            if folder.is_private()? {
                return Ok(folder);
            }
        }
    }
    let folder = parent.make(name, 0o700)?;
    drop(folder.close_to_others());
    Ok(folder)
}

impl Host {
    /// A folder for what is to become `target`, on the same disk, with what a former run left there.
    pub(crate) async fn stage(&self, target: &str) -> Result<Staging, HostError> {
        let operation = format!("make a folder beside {target}");
        let fail = |cause: Cause| self.error(&operation, cause);
        let (parent, last) = target.trim_end_matches('/').rsplit_once('/').unwrap_or(("", target));
        let mut random = [0; DIGITS / 2];
        getrandom::fill(&mut random).map_err(|error| {
            fail(TransferError::Command { text: format!("no random numbers: {error}") }.into())
        })?;
        let name = format!("{}{}", prefix(last), super::file::hex(&random));
        let (parent, last) = (parent.to_owned(), last.to_owned());
        let script = stage_script(&parent, &last, &name);
        if let Some(said) = remote_command::run(self, &script, &[], remote_command::TIMEOUT).await {
            let identity = String::from_utf8_lossy(&said.map_err(fail)?).trim().to_owned();
            return Ok(Staging { parent, name, last, place: Place::There { identity } });
        }
        let (above, beside, new) = (parent.clone(), last.clone(), name.clone());
        let made = self.here(&operation, &parent, move || stage_here(&above, &beside, &new)).await?;
        Ok(Staging { parent, name, last, place: Place::Here(made) })
    }

    /// Makes what has arrived appear in its place: as a whole where nothing is there yet, else file by file, what others refer
    /// to (`blobs`) first. `paths` are those of all files and links. The folder of this run is gone then.
    pub(crate) async fn move_into_place(
        &self,
        staging: Staging,
        paths: impl Iterator<Item = &str>,
    ) -> Result<(), HostError> {
        let rank = |folder: &str| {
            let first = folder.split('/').next().unwrap_or(folder);
            ["blobs", "snapshots"].iter().position(|part| *part == first).unwrap_or(2)
        };
        let folders: BTreeSet<(usize, String)> =
            paths.map(split).map(|(folder, _)| (rank(folder), folder.to_owned())).collect();
        let folders: Vec<String> = folders.into_iter().map(|(_, folder)| folder).collect();
        let operation = format!("move {} to {}/{}", staging.files(), staging.parent, staging.last);
        let moved = match &staging.place {
            Place::There { .. } => {
                let input: String = folders.iter().map(|folder| format!("{folder}\n")).collect();
                let script = move_script(&staging);
                let moved =
                    remote_command::run(self, &script, input.as_bytes(), remote_command::TIMEOUT).await;
                let moved = moved.unwrap_or(Err(Cause::FilesUnseen)).map(drop);
                moved.map_err(|cause| self.error(&operation, cause))
            }
            Place::Here(folder) => {
                let (folder, name, last) = (folder.clone(), staging.name.clone(), staging.last.clone());
                let work = move || move_here(&folder, &name, &last, &folders);
                self.here(&operation, &staging.parent, work).await
            }
        };
        self.models_changed();
        moved
    }

    /// Does something to what lies at a path of this machine, where it is the host.
    pub(super) async fn here<T: Send + 'static>(
        &self,
        operation: &str,
        path: &str,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, HostError> {
        let info = self.info().await?;
        if !self.0.transport.is_here(info.name.as_deref().unwrap_or_default()) {
            return Err(self.error(operation, Cause::FilesUnseen));
        }
        let done = tokio::task::spawn_blocking(work).await;
        let done = done.unwrap_or_else(|error| Err(io::Error::other(error)));
        done.map_err(|error| self.error(operation, cause_of(&error, path)))
    }
}

/// Descriptor 4 is the folder of this run, whatever becomes of its name; `..` is what holds it. Reads folders of the files.
fn move_script(staging: &Staging) -> String {
    format!(
        "{}to=../{} name={}\n\
         exec 4<.\n\
         [ ! -L \"$to\" ] || {{ echo \"$to is a link\" >&2; exit 1; }}\n\
         [ -e ./{FILES} ] || mkdir -- ./{FILES} || exit 1\n\
         if [ ! -e \"$to\" ]; then mv -T -- ./{FILES} \"$to\" || exit 1\n\
         else\n\
           while IFS= read -r folder; do (\n\
             cd -P .. && into {}\n\
             into \"$folder\"\n\
             from=/proc/self/fd/4/{FILES}/$folder\n\
             find \"${{from%/}}/.\" -mindepth 1 -maxdepth 1 ! -type d -exec mv -f -t . -- {{}} +\n\
           ) </dev/null || exit $?\n\
           done\n\
         fi\n\
         own=$(stat -c %d:%i .)\n\
         cd -P .. && [ \"$(stat -c %d:%i \"./$name\")\" = \"$own\" ] && rm -rf -- \"./$name\"\n",
        staging.enter(""),
        quoted(&staging.last),
        quoted(&staging.name),
        quoted(&staging.last),
    )
}

fn move_here(staging: &LocalFolder, name: &str, last: &str, folders: &[String]) -> io::Result<()> {
    let parent = staging.parent()?;
    staging.made_below(FILES)?;
    match parent.kind(last)? {
        None => staging.rename(FILES, &parent, last)?,
        Some(rustix::fs::FileType::Symlink) => {
            return Err(io::Error::other(format!("{last} is a link")));
        }
        Some(_) => {
            for folder in folders {
                let (from, to) = (staging.below(&in_files(folder))?, parent.below(last)?.made_below(folder)?);
                for name in from.names()? {
                    if !from.is_folder(&name)? {
                        from.rename(&name, &to, &name)?;
                    }
                }
            }
        }
    }
    // A folder that somebody put in its place is not ours to remove.
    match parent.below(name).and_then(|found| found.is(staging)) {
        Ok(true) => parent.remove_all(name),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::{Path, PathBuf};

    const OLD: &str = ".dynamo-transfer-big-0123456789abcdef";
    const NEW: &str = ".dynamo-transfer-big-fedcba9876543210";

    #[test]
    fn the_folder_of_a_run_has_a_name_of_its_own() {
        for (name, is) in [
            (OLD, true),
            (".dynamo-transfer-big", false),
            (".dynamo-transfer-big-", false),
            (".dynamo-transfer-big-0123456789abcdeg", false),
            (".dynamo-transfer-big-0123456789ABCDEF", false),
            (".dynamo-transfer-bigger-0123456789abcdef", false),
        ] {
            assert_eq!(is_of_a_run(name, "big"), is, "{name}");
        }
    }

    fn by_script(parent: &Path) -> Option<()> {
        let script = stage_script(parent.to_str().unwrap(), "big", NEW);
        std::process::Command::new("sh").args(["-c", &script]).status().unwrap().success().then_some(())
    }

    fn by_ourselves(parent: &Path) -> Option<()> {
        stage_here(parent.to_str().unwrap(), "big", NEW).ok().map(drop)
    }

    fn closed(path: &PathBuf) {
        fs::create_dir(path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
    }

    /// The script and the function do the same.
    #[test]
    fn only_what_a_former_run_left_is_found_again() {
        type Plant = fn(&Path);
        let table: [(&str, Plant, bool); 6] = [
            ("nothing", |_| {}, false),
            ("a former run's", |at| closed(&at.join(OLD)), true),
            (
                "open to others",
                |at| {
                    closed(&at.join(OLD));
                    fs::set_permissions(at.join(OLD), fs::Permissions::from_mode(0o750)).unwrap();
                },
                false,
            ),
            (
                "a link",
                |at| {
                    closed(&at.join("private"));
                    symlink(at.join("private"), at.join(OLD)).unwrap();
                },
                false,
            ),
            ("a file", |at| fs::write(at.join(OLD), "").unwrap(), false),
            ("another's", |at| closed(&at.join(".dynamo-transfer-bigger-0123456789abcdef")), false),
        ];
        for (what, plant, found) in table {
            for stage in [by_script, by_ourselves] {
                let room = tempfile::tempdir().unwrap();
                plant(room.path());
                let mark = room.path().join(OLD).join("mark");
                if found {
                    fs::write(&mark, "").unwrap();
                }
                stage(room.path()).unwrap();
                let about = fs::symlink_metadata(room.path().join(NEW)).unwrap();
                assert!(about.is_dir() && about.permissions().mode() & 0o777 == 0o700, "{what}");
                assert_eq!(room.path().join(NEW).join("mark").exists(), found, "{what}");
            }
        }
    }

    #[test]
    fn what_is_in_its_place_is_no_folder_of_ours() {
        let room = tempfile::tempdir().unwrap();
        closed(&room.path().join("private"));
        symlink(room.path().join("private"), room.path().join(NEW)).unwrap();
        assert!(by_script(room.path()).is_none() && by_ourselves(room.path()).is_none());
    }

    #[test]
    fn on_this_machine_as_well_nothing_is_followed() {
        let room = tempfile::tempdir().unwrap();
        let at = |name: &str| room.path().join(name);
        let text = |name: &str| fs::read_to_string(at(name)).unwrap();
        closed(&at("private"));
        fs::write(at("private/key"), "keep").unwrap();
        let stage = || stage_here(room.path().to_str().unwrap(), "big", NEW).unwrap();
        let fill = |staging: &LocalFolder, path: &str| {
            let (folder, name) = split(path);
            drop(staging.made_below(&in_files(folder)).unwrap().create(name).unwrap());
        };
        let staging = stage();
        symlink(at("private"), at("big")).unwrap();
        fill(&staging, "sub/key");
        assert!(move_here(&staging, NEW, "big", &["sub".to_owned()]).is_err());
        fs::remove_file(at("big")).unwrap();
        move_here(&staging, NEW, "big", &["sub".to_owned()]).unwrap();
        assert!(at("big/sub/key").exists() && !at(NEW).exists());
        // Into what is there: neither through a link to a folder nor into what a link leads to.
        symlink(at("private"), at("big/out")).unwrap();
        symlink(at("private/key"), at("big/key")).unwrap();
        let staging = stage();
        fill(&staging, "out/key");
        fill(&staging, "key");
        assert!(move_here(&staging, NEW, "big", &["out".to_owned()]).is_err());
        move_here(&staging, NEW, "big", &[String::new()]).unwrap();
        assert_eq!((text("private/key"), text("big/key")), ("keep".to_owned(), String::new()));
        assert!(!at(NEW).exists());
    }
}
