//! The scripts for another machine's `sh`, and the reading of what they print.
//!
//! What they print is fields that end with NUL: a word that says what follows, and what follows. The last field is
//! `end`, so that an answer which was cut off is not taken for a short one. They need GNU `find` (`-printf`) and `head`
//! (`-z`), and change nothing. Nearly all their time goes into starting programs, so there are few of these for each file.

use super::disks;
use super::limits::{
    DEPTH, MOST_HEADER_BYTES, MOST_IN_FOLDER, MOST_IN_TREE, MOST_TEXT_BYTES, expected_bytes, finish, listing,
};
use crate::hosts::error::Cause;
use crate::hosts::shell::quoted;
use crate::hosts::transport::ShellOutput;
use crate::inventory::files::{Content, Disk, FileEntry, FileKind, FolderListing, Tree};
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

pub(super) fn read_trees(answer: &ShellOutput) -> Result<Vec<Tree>, Cause> {
    let mut fields = Fields::of(answer)?;
    let mut trees: Vec<Tree> = Vec::new();
    while let Some(word) = fields.word()? {
        if word == "root" {
            trees.push(Tree { root: fields.next()?.to_owned(), ..Tree::default() });
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
    trees.iter_mut().for_each(finish);
    Ok(trees)
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
