//! The scripts for another machine's `sh`, and the reading of what they print.
//!
//! What they print is fields that end with NUL: a word that says what follows, and what follows. The last field is
//! `end`, so that an answer which was cut off is not taken for a short one. They need GNU `find` (`-printf`) and `head`
//! (`-z`), and change nothing. Nearly all their time goes into starting programs, so there are few of these for each file.

use super::disks;
use super::limits::{
    DEPTH, MOST_HEADER_BYTES, MOST_IN_FOLDER, MOST_IN_TREE, MOST_INDEX_BYTES, MOST_TEXT_BYTES,
    expected_bytes, finish, listing,
};
use crate::hosts::error::Cause;
use crate::hosts::shell::quoted;
use crate::hosts::transport::ShellOutput;
use crate::inventory::files::{Content, Disk, FileEntry, FileKind, FolderListing, Tree};
use crate::inventory::relative_path;
use std::collections::HashMap;
use std::str::Split;

/// Exit codes of a script that could not enter its folder.
const NO_SUCH_FOLDER: i32 = 64;
const NOT_A_FOLDER: i32 = 65;
const CLOSED: i32 = 66;

const BEGIN: &str = "LC_ALL=C; export LC_ALL; exec </dev/null\n";
/// The fields of an entry: word, kind, size, time, path, target of a link.
const ENTRY: &str = r"'entry\0%y\0%s\0%T@\0%P\0%l\0'";
const ENTRY_FIELDS: usize = 6;

pub(super) fn folder(path: &str) -> String {
    let (path, fields) = (quoted(path), (MOST_IN_FOLDER + 1) * ENTRY_FIELDS);
    whole(&format!(
        "at={path}\n\
         cd -- \"$at\" 2>/dev/null || {{\n\
           [ -e \"$at\" ] || exit {NO_SUCH_FOLDER}\n\
           [ -d \"$at\" ] || exit {NOT_A_FOLDER}\n\
           exit {CLOSED}\n\
         }}\n\
         [ -r . ] || exit {CLOSED}\n\
         find . -mindepth 1 -maxdepth 1 -printf {ENTRY} | head -z -n {fields}\n\
         printf 'room\\0'; df -kP . | tail -n 1; printf '\\0'\n"
    ))
}

pub(super) fn disks() -> String {
    whole(
        "printf 'mounts\\0'; cat /proc/self/mounts; printf '\\0'\nprintf 'room\\0'; df -akP 2>/dev/null; printf '\\0'\n",
    )
}

pub(super) fn trees(roots: &[String]) -> String {
    let fields = MOST_IN_TREE * ENTRY_FIELDS;
    let looks: String = roots.iter().map(|root| format!("look {}\n", quoted(root))).collect();
    let contents = contents();
    whole(&format!(
        "contents=$(cat <<'CONTENTS'\n{contents}CONTENTS\n)\n\
         look() (\n\
           cd -- \"$1\" 2>/dev/null || exit 0\n\
           printf 'root\\0%s\\0' \"$1\"\n\
           find . -mindepth 1 -maxdepth {DEPTH} -printf {ENTRY} 2>/dev/null | head -z -n {more}\n\
           find . -mindepth 1 -maxdepth {DEPTH} \\( -type f -o -type l \\) \
             \\( -name config.json -o -name '*.index.json' -o -name '*.safetensors' -o -path '*/refs/*' \\) \
             -exec sh -c \"$contents\" sh {{}} + 2>/dev/null\n\
         )\n\
         {looks}",
        more = fields + ENTRY_FIELDS,
    ))
}

/// For files whose names are its arguments. A header's tensors end with `}`, so that is where awk's records end. Only what ends at a regular file is opened: a pipe would wait for ever.
fn contents() -> String {
    format!(
        r#"largest='BEGIN {{ RS = "}}" }}
match($0, /"data_offsets":[ \t\r\n]*\[[0-9]+,[ \t\r\n]*[0-9]+\]/) {{
  split(substr($0, RSTART, RLENGTH), ends, ",")
  end = ends[2] + 0
  if (!found || end > most) {{ most = end; found = 1 }}
}}
END {{ if (found) printf "%.0f", most }}'
for file do
  [ -f "$file" ] && [ -r "$file" ] || continue
  case $file in
  *.safetensors)
    length=$(od -An -N8 -tu8 -- "$file")
    length=${{length##* }} last=
    if [ "${{#length}}" -le 9 ] && [ "${{length:-{MOST_HEADER_BYTES}0}}" -le {MOST_HEADER_BYTES} ]; then
      last=$(head -c "$((length + 8))" -- "$file" | awk "$largest")
    fi
    printf 'safetensors\0%s\0%s\0%s\0' "$file" "$length" "$last" ;;
  *.index.json)
    [ "$(wc -c <"$file")" -le {MOST_INDEX_BYTES} ] || {{ printf 'index\0%s\0\0\0' "$file"; continue; }}
    printf 'index\0%s\0%s\0' "$file" "$(tail -c 64 -- "$file" | tr -d '\0 \t\r\n' | tail -c 1)"
    grep -ao -e '"[^"\\]*\.safetensors"' -e '"[^"\\]*\.bin"' -- "$file" | tr -d '"' | sort -u
    printf '\0' ;;
  *)
    printf 'text\0%s\0' "$file"
    head -c {MOST_TEXT_BYTES} -- "$file" | tr -d '\0'
    printf '\0' ;;
  esac
done
"#
    )
}

/// In a function, so that a shell which reads its script while it runs has read all of it before anything runs.
fn whole(script: &str) -> String {
    format!("main() {{\n{BEGIN}{script}printf 'end\\0'\n}}\nmain\n")
}

pub(super) fn read_folder(answer: &ShellOutput, path: &str) -> Result<FolderListing, Cause> {
    let path = path.to_owned();
    match answer.status {
        NO_SUCH_FOLDER => return Err(Cause::NoSuchFolder { path }),
        NOT_A_FOLDER => return Err(Cause::NotAFolder { path }),
        CLOSED => return Err(Cause::FolderClosed { path }),
        _ => {}
    }
    let mut fields = Fields::of(answer)?;
    let (mut entries, mut room) = (Vec::new(), None);
    while let Some(word) = fields.word()? {
        match word {
            "entry" => entries.push(fields.entry()?),
            "room" => room = disks::parse_room(fields.next()?.trim_end()).map(|(_, room)| room),
            _ => return Err(odd(word)),
        }
    }
    let room = room.ok_or_else(|| odd("no room"))?;
    for entry in &entries {
        if !relative_path::is_plain(&entry.path) || entry.path.contains('/') {
            return Err(not_below(&entry.path, &path));
        }
    }
    Ok(listing(entries, room))
}

pub(super) fn read_disks(answer: &ShellOutput) -> Result<Vec<Disk>, Cause> {
    let mut fields = Fields::of(answer)?;
    let (mut mounts, mut rooms) = ("", "");
    while let Some(word) = fields.word()? {
        match word {
            "mounts" => mounts = fields.next()?,
            "room" => rooms = fields.next()?,
            _ => return Err(odd(word)),
        }
    }
    let rooms: Vec<_> = rooms.lines().filter_map(disks::parse_room).collect();
    // What was mounted last lies on top.
    Ok(disks::list(mounts, |mount| rooms.iter().rev().find(|(at, _)| at == mount).map(|(_, room)| *room)))
}

/// The answer to [`trees`] of the same `roots`. A tree's root is always one of them: what a host prints chooses no path.
pub(super) fn read_trees(answer: &ShellOutput, roots: &[String]) -> Result<Vec<Tree>, Cause> {
    let mut fields = Fields::of(answer)?;
    let (mut trees, mut asked): (Vec<Tree>, _) = (Vec::new(), roots.iter());
    while let Some(word) = fields.word()? {
        if word == "root" {
            let said = fields.next()?;
            // They come in the order in which they were asked for; those that do not exist are left out.
            let root = asked.find(|root| *root == said).ok_or_else(|| Cause::OddListing {
                text: format!("it looked into {said:?}, which was not asked for"),
            })?;
            trees.push(Tree { root: root.clone(), ..Tree::default() });
            continue;
        }
        let tree = trees.last_mut().ok_or_else(|| odd(word))?;
        if word == "entry" {
            tree.entries.push(fields.entry()?);
            continue;
        }
        let path = fields.next()?.trim_start_matches("./").to_owned();
        let content = match word {
            "text" => Content::Text(fields.next()?.to_owned()),
            "index" => Content::Index {
                whole: fields.next()? == "}",
                files: fields.next()?.lines().map(str::to_owned).collect(),
            },
            "safetensors" => {
                let (length, last): (Option<u64>, Option<u64>) = (fields.number()?, fields.number()?);
                Content::Safetensors { expected_bytes: expected_bytes(length, last) }
            }
            _ => return Err(odd(word)),
        };
        tree.contents.insert(path, content);
    }
    for tree in &mut trees {
        check(tree)?;
        finish(tree);
    }
    Ok(trees)
}

/// The one gate through which names of another machine's files come in: each is that of something below the root, is
/// listed once, and lies in what is a folder. Whoever joins a name to a folder later relies on this.
fn check(tree: &mut Tree) -> Result<(), Cause> {
    let mut kinds: HashMap<&str, FileKind> = HashMap::new();
    for entry in &tree.entries {
        let path = entry.path.as_str();
        if !relative_path::is_plain(path) {
            return Err(not_below(path, &tree.root));
        }
        // Names that are not UTF-8 may look alike; no model's file has one.
        if kinds.insert(path, entry.kind).is_some() && !path.contains('\u{fffd}') {
            let text = format!("{path:?} is twice in {}", tree.root);
            return Err(Cause::OddListing { text });
        }
        let parent = path.rsplit_once('/').map(|(parent, _)| parent);
        let inside = parent.filter(|parent| !parent.contains('\u{fffd}')).and_then(|it| kinds.get(it));
        if inside.is_some_and(|kind| *kind != FileKind::Folder) {
            let text = format!("{path:?} in {} lies in what is no folder", tree.root);
            return Err(Cause::OddListing { text });
        }
    }
    if let Some(path) = tree.contents.keys().find(|path| !relative_path::is_plain(path)) {
        return Err(not_below(path, &tree.root));
    }
    // What was made after the list was, or lies beyond the end of a list that is too long, is not known to be there.
    let is_listed = |path: &str| matches!(kinds.get(path), Some(FileKind::File | FileKind::Link));
    let listed: Vec<bool> = tree.contents.keys().map(|path| is_listed(path)).collect();
    let mut listed = listed.into_iter();
    tree.contents.retain(|_, _| listed.next() == Some(true));
    Ok(())
}

fn not_below(path: &str, root: &str) -> Cause {
    Cause::OddListing { text: format!("it lists {path:?}, which is no path below {root}") }
}

fn odd(what: &str) -> Cause {
    Cause::Script { text: format!("an unexpected answer: {what:?}") }
}

/// The fields that a script printed.
struct Fields<'a>(Split<'a, char>);

impl<'a> Fields<'a> {
    fn of(answer: &'a ShellOutput) -> Result<Self, Cause> {
        let ended = answer.stdout == "end\0" || answer.stdout.ends_with("\0end\0");
        if answer.status == 0 && ended {
            return Ok(Self(answer.stdout.split('\0')));
        }
        let said = answer.stderr.trim();
        let text = if answer.status != 0 || !said.is_empty() {
            format!("{}: {said}", answer.status)
        } else {
            "its answer was cut off".to_owned()
        };
        Err(Cause::Script { text })
    }

    fn next(&mut self) -> Result<&'a str, Cause> {
        self.0.next().ok_or_else(|| odd("a field is missing"))
    }

    /// The word that says what follows; `None` at the end.
    fn word(&mut self) -> Result<Option<&'a str>, Cause> {
        self.next().map(|word| Some(word).filter(|word| *word != "end"))
    }

    /// `None` where the script found none.
    fn number(&mut self) -> Result<Option<u64>, Cause> {
        self.next().map(|text| text.parse().ok())
    }

    fn entry(&mut self) -> Result<FileEntry, Cause> {
        let kind = match self.next()? {
            "f" => FileKind::File,
            "d" => FileKind::Folder,
            "l" => FileKind::Link,
            _ => FileKind::Other,
        };
        let (size_bytes, modified) = (self.number()?.unwrap_or_default(), self.next()?);
        let modified =
            modified.split('.').next().and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
        let (path, target) = (self.next()?.to_owned(), self.next()?.to_owned());
        Ok(FileEntry { path, kind, size_bytes, modified, target })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(stdout: &str) -> ShellOutput {
        ShellOutput { status: 0, stdout: format!("{stdout}end\0"), stderr: String::new() }
    }

    fn entry(kind: char, path: &str) -> String {
        format!("entry\0{kind}\x001\x000.5\0{path}\0\0")
    }

    /// What came of an answer with these entries and the text of this file.
    fn seen(entries: &[(char, &str)], text: Option<&str>) -> Result<Tree, Cause> {
        let entries: String = entries.iter().map(|(kind, path)| entry(*kind, path)).collect();
        let text = text.map(|path| format!("text\0{path}\0hello\0")).unwrap_or_default();
        let answer = said(&format!("root\0/data\0{entries}{text}"));
        read_trees(&answer, &["/data".to_owned()]).map(|mut trees| trees.remove(0))
    }

    #[test]
    fn a_name_that_leads_elsewhere_fails_the_look() {
        for path in ["..", "../x", "a/../x", "a/..", "/etc/x", "a//b", "a/", ".", "./a", "a/./b", ""] {
            let error = seen(&[('d', "a"), ('f', path)], None).unwrap_err();
            assert!(
                matches!(&error, Cause::OddListing { text } if text.contains("no path below")),
                "{path:?}"
            );
            assert!(error.to_string().contains(&format!("{path:?}")), "{error}");
            let listing = said(&format!("{}room\0/dev/vda 10 7 3 70% /\0", entry('f', path)));
            assert!(matches!(read_folder(&listing, "/data"), Err(Cause::OddListing { .. })), "{path:?}");
        }
        for path in ["../x", "a/../x", "/etc/x"] {
            assert!(matches!(seen(&[('f', "x")], Some(path)), Err(Cause::OddListing { .. })), "{path:?}");
        }
        let inner = said(&format!("{}room\0/dev/vda 10 7 3 70% /\0", entry('f', "a/b")));
        assert!(matches!(read_folder(&inner, "/data"), Err(Cause::OddListing { .. })));
    }

    #[test]
    fn what_cannot_be_fails_the_look() {
        for entries in [
            &[('f', "a"), ('f', "a")][..],
            &[('d', "a"), ('l', "a")],
            &[('f', "a"), ('f', "a/b")],
            &[('l', "a"), ('f', "a/b")],
        ] {
            assert!(matches!(seen(entries, None), Err(Cause::OddListing { .. })), "{entries:?}");
        }
        // Two names that are no text look alike.
        let alike = [('d', "a\u{fffd}"), ('f', "a\u{fffd}"), ('f', "a\u{fffd}/b")];
        assert_eq!(seen(&alike, None).unwrap().entries.len(), 3);
    }

    #[test]
    fn only_what_is_listed_has_a_content() {
        let entries = [('d', "refs"), ('f', "refs/main"), ('l', "config.json")];
        for (path, kept) in
            [("./refs/main", true), ("config.json", true), ("refs", false), ("refs/other", false)]
        {
            assert_eq!(seen(&entries, Some(path)).unwrap().contents.len(), usize::from(kept), "{path}");
        }
    }

    #[test]
    fn only_what_was_asked_for_is_a_root() {
        let roots = ["/a", "/b", "/a"].map(str::to_owned);
        for (printed, right) in [
            (&["/a", "/b", "/a"][..], true),
            (&["/b"], true),
            (&["/a", "/a"], true),
            (&[], true),
            (&["/b", "/b"], false),
            (&["/a", "/a", "/b"], false),
            (&["/etc"], false),
            (&["/a/"], false),
            (&[""], false),
        ] {
            let answer: String = printed.iter().map(|root| format!("root\0{root}\0")).collect();
            let trees = read_trees(&said(&answer), &roots);
            assert_eq!(trees.is_ok(), right, "{printed:?}: {trees:?}");
        }
        let error = read_trees(&said("root\0/etc\0"), &roots).unwrap_err();
        assert!(error.to_string().contains("\"/etc\""), "{error}");
    }
}
