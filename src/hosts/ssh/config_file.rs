//! The few words of `~/.ssh/config` that say where a host is and how to get in.
//!
//! The file is read only when a host says `ssh_config = true`. As in ssh, the first value of a keyword counts, files may
//! include others, and `Match` is understood where it asks for nothing but the host's name. Any other `Match` never
//! applies: some start programs, and none is needed to find a host.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Files that include files that include files; as many as ssh reads.
const DEEPEST: usize = 16;

/// The user's SSH configuration, taken apart, with the files that it includes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ConfigFile {
    sections: Vec<Section>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Section {
    /// All have to hold: a file that is included below a `Host` is for that host alone.
    conditions: Vec<Condition>,
    /// Keywords in lower case, with their arguments.
    lines: Vec<(String, Vec<String>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    /// The name that was asked for; `false`: it must not match.
    Alias(Vec<String>, bool),
    /// The name after the `HostName` lines so far.
    HostName(Vec<String>, bool),
    Never,
}

/// What the file says about a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub host_name: Option<String>,
    pub user: Option<String>,
    pub port: Option<u16>,
    /// With `%` tokens: see [`expanded`].
    pub identity_file: Option<String>,
    /// The way to it, first to last.
    pub proxy_jump: Vec<String>,
    pub known_hosts: Vec<String>,
    pub system_known_hosts: Vec<String>,
    /// Name by which the host's key is looked up.
    pub host_key_alias: Option<String>,
    pub revoked_host_keys: Option<String>,
}

impl ConfigFile {
    /// Reads the file and what it includes; what it includes in vain is passed over, as by ssh.
    pub(super) fn read(path: &Path, home: &Path) -> io::Result<Self> {
        let text = String::from_utf8_lossy(&fs::read(path)?).into_owned();
        let include = |name: &str| {
            let texts = included(name, home).into_iter().filter_map(|path| fs::read(path).ok());
            texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
        };
        Ok(Self::parse(&text, &include))
    }

    /// `include` gives the texts of the files that a name in an `Include` stands for.
    pub(super) fn parse(text: &str, include: &dyn Fn(&str) -> Vec<String>) -> Self {
        let mut file = Self::default();
        file.add(text, &[], include, 0);
        file
    }

    fn add(&mut self, text: &str, outer: &[Condition], include: &dyn Fn(&str) -> Vec<String>, depth: usize) {
        // What comes before the first `Host` is for all.
        let mut section = Section { conditions: outer.to_vec(), lines: Vec::new() };
        for line in text.lines() {
            let Some((keyword, arguments)) = words(line) else { continue };
            let conditions = match keyword.as_str() {
                "host" => vec![Condition::Alias(arguments, true)],
                "match" => matching(&arguments),
                "include" => {
                    let again = Section { conditions: section.conditions.clone(), lines: Vec::new() };
                    let before = std::mem::replace(&mut section, again);
                    self.sections.push(before);
                    for text in arguments.iter().flat_map(|name| include(name)) {
                        if depth < DEEPEST {
                            self.add(&text, &section.conditions.clone(), include, depth + 1);
                        }
                    }
                    continue;
                }
                _ => {
                    section.lines.push((keyword, arguments));
                    continue;
                }
            };
            let conditions = outer.iter().cloned().chain(conditions).collect();
            self.sections.push(std::mem::replace(&mut section, Section { conditions, lines: Vec::new() }));
        }
        self.sections.push(section);
    }

    pub(super) fn lookup(&self, alias: &str) -> Found {
        let mut found = Found::default();
        let mut jump: Option<&[String]> = None;
        for section in &self.sections {
            let name = found.host_name.clone().unwrap_or_else(|| alias.to_owned());
            if !section.conditions.iter().all(|condition| condition.holds(alias, &name)) {
                continue;
            }
            for (keyword, arguments) in &section.lines {
                let first = || arguments.first().cloned();
                match keyword.as_str() {
                    "hostname" if found.host_name.is_none() => {
                        found.host_name = first().map(|name| expanded(&name, &[('h', alias)]));
                    }
                    "user" if found.user.is_none() => found.user = first(),
                    "port" if found.port.is_none() => {
                        found.port = first().and_then(|port| port.parse().ok());
                    }
                    "identityfile" if found.identity_file.is_none() => found.identity_file = first(),
                    "proxyjump" if jump.is_none() => jump = Some(arguments),
                    "userknownhostsfile" if found.known_hosts.is_empty() => {
                        found.known_hosts.clone_from(arguments);
                    }
                    "globalknownhostsfile" if found.system_known_hosts.is_empty() => {
                        found.system_known_hosts.clone_from(arguments);
                    }
                    "hostkeyalias" if found.host_key_alias.is_none() => found.host_key_alias = first(),
                    "revokedhostkeys" if found.revoked_host_keys.is_none() => {
                        found.revoked_host_keys = first();
                    }
                    _ => {}
                }
            }
        }
        found.identity_file = found.identity_file.filter(|path| !is_none(path));
        found.revoked_host_keys = found.revoked_host_keys.filter(|path| !is_none(path));
        let jumps = jump.and_then(<[String]>::first).filter(|jump| !is_none(jump));
        found.proxy_jump = jumps.into_iter().flat_map(|jump| jump.split(',')).map(str::to_owned).collect();
        found
    }
}

impl Condition {
    fn holds(&self, alias: &str, name: &str) -> bool {
        match self {
            Self::Alias(patterns, wanted) => matches_any(patterns, alias) == *wanted,
            Self::HostName(patterns, wanted) => matches_any(patterns, name) == *wanted,
            Self::Never => false,
        }
    }
}

fn is_none(text: &str) -> bool {
    text.eq_ignore_ascii_case("none")
}

/// The conditions of a `Match`: `all`, or pairs of a criterion and patterns with commas between.
fn matching(arguments: &[String]) -> Vec<Condition> {
    if matches!(arguments, [all] if all.eq_ignore_ascii_case("all")) {
        return Vec::new();
    }
    let condition = |pair: &[String]| {
        let [criterion, patterns] = pair else { return Condition::Never };
        let patterns = patterns.split(',').map(str::to_owned).collect();
        let criterion = criterion.to_lowercase();
        match (criterion.trim_start_matches('!'), !criterion.starts_with('!')) {
            ("host", wanted) => Condition::HostName(patterns, wanted),
            ("originalhost", wanted) => Condition::Alias(patterns, wanted),
            _ => Condition::Never,
        }
    };
    let conditions: Vec<Condition> = arguments.chunks(2).map(condition).collect();
    if conditions.is_empty() { vec![Condition::Never] } else { conditions }
}

/// `text` with what stands for its tokens: `%h` for the value of `('h', …)`, `%%` for `%`. Others stay as they are.
pub(super) fn expanded(text: &str, tokens: &[(char, &str)]) -> String {
    let (mut out, mut rest) = (String::new(), text.chars());
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('%') => out.push('%'),
            Some(token) => match tokens.iter().find(|(known, _)| *known == token) {
                Some((_, value)) => out.push_str(value),
                None => out.extend(['%', token]),
            },
            None => out.push('%'),
        }
    }
    out
}

/// The files that a name in an `Include` stands for, in order; names without a folder are in `~/.ssh`.
fn included(name: &str, home: &Path) -> Vec<PathBuf> {
    let path = match name.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None => home.join(".ssh").join(name),
    };
    let mut found = vec![PathBuf::new()];
    for part in path.components() {
        let part = part.as_os_str();
        let text = part.to_string_lossy();
        found = match text.contains(['*', '?']) {
            false => found.into_iter().map(|folder| folder.join(part)).collect(),
            true => found.iter().flat_map(|folder| entries(folder, &text)).collect(),
        };
    }
    found
}

/// What lies in a folder under names of that pattern, hidden files aside, sorted.
fn entries(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let taken = names.filter(|name| {
        let name = name.to_string_lossy();
        glob(pattern, &name) && (pattern.starts_with('.') || !name.starts_with('.'))
    });
    let mut paths: Vec<PathBuf> = taken.map(|name| folder.join(name)).collect();
    paths.sort();
    paths
}

/// Whether one of the patterns takes `name` and none that begins with `!` does.
pub(super) fn matches_any<S: AsRef<str>>(patterns: &[S], name: &str) -> bool {
    let (mut taken, name) = (false, name.to_lowercase());
    for pattern in patterns {
        let pattern = pattern.as_ref().to_lowercase();
        match pattern.strip_prefix('!') {
            Some(negated) if glob(negated, &name) => return false,
            Some(_) => {}
            None => taken |= glob(&pattern, &name),
        }
    }
    taken
}

/// `*` is any text, `?` any character.
fn glob(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => {
            let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            starts.filter_map(|at| text.get(at..)).any(|text| glob(rest.as_str(), text))
        }
        Some(expected) => {
            let mut text = text.chars();
            let first = text.next();
            first.is_some_and(|it| expected == '?' || expected == it) && glob(rest.as_str(), text.as_str())
        }
    }
}

/// `Keyword arg "arg two" # comment` or `Keyword=arg`; `None` for empty lines and comments.
fn words(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (keyword, rest) = line.split_once(|c: char| c.is_whitespace() || c == '=')?;
    let rest = rest.trim_start().trim_start_matches('=');
    let (mut arguments, mut word, mut quote) = (Vec::new(), None::<String>, None::<char>);
    for c in rest.chars() {
        match (c, quote) {
            (c, Some(end)) if c == end => quote = None,
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            ('#', None) if word.is_none() => break,
            (c, None) if c.is_whitespace() => arguments.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    arguments.extend(word);
    Some((keyword.to_lowercase(), arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> ConfigFile {
        ConfigFile::parse(text, &|_| Vec::new())
    }

    #[test]
    fn the_first_value_counts_and_programs_are_not_run() {
        let file = parse(
            "# all\nUser first\n\nHost gpu-* !gpu-9\n  HostName=%h.example.org\n  Port 2222\n  \
             UserKnownHostsFile \"/a b\" /c\nMatch host gpu-1 exec \"touch /x\"\n  User evil\nMatch\n User evil\nHost *\n  User \
             second\n  Port 23\n  ProxyJump none\n  identityfile %d/.ssh/k\n",
        );
        let found = file.lookup("gpu-1");
        let expected = Found {
            host_name: Some("gpu-1.example.org".into()),
            user: Some("first".into()),
            port: Some(2222),
            identity_file: Some("%d/.ssh/k".into()),
            proxy_jump: Vec::new(),
            known_hosts: vec!["/a b".into(), "/c".into()],
            ..Found::default()
        };
        assert_eq!(found, expected);
        let other = file.lookup("gpu-9");
        assert_eq!((other.host_name, other.port), (None, Some(23)));
        assert_eq!(ConfigFile::default().lookup("x"), Found::default());
    }

    #[test]
    fn matches_that_ask_for_the_name_are_understood() {
        let table = [
            ("Match all", true),
            ("Match host gpu-1", false),
            ("Match host a.example.org,b", true),
            ("Match !host b", true),
            ("Match originalhost gpu-*", true),
            ("Match originalhost gpu-* host b", false),
            ("Match originalhost gpu-* user x", false),
            ("Match final all", false),
            ("Match all host gpu-1", false),
        ];
        for (line, expected) in table {
            let file = parse(&format!("Host gpu-1\n HostName a.example.org\n{line}\n User me\n"));
            assert_eq!(file.lookup("gpu-1").user.is_some(), expected, "{line}");
        }
    }

    #[test]
    fn what_is_included_below_a_host_is_for_that_host() {
        let include = |name: &str| match name {
            "all" => vec!["User all\nHost b\n Port 1\n".to_owned()],
            "mine" => vec!["Port 2\nHost *\n User mine\nInclude mine\n".to_owned()],
            _ => vec![],
        };
        let file =
            ConfigFile::parse("Host a\n Include mine none\n HostName x\nHost *\nInclude all\n", &include);
        let found = |alias: &str| {
            let found = file.lookup(alias);
            (found.host_name, found.user, found.port)
        };
        assert_eq!(found("a"), (Some("x".into()), Some("mine".into()), Some(2)));
        assert_eq!(found("b"), (None, Some("all".into()), Some(1)));
    }

    #[test]
    fn included_files_are_found_as_ssh_finds_them() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".ssh/conf.d");
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in
            [("b.conf", "Host gpu\n Port 2\n"), ("a.conf", "Port 1\n"), (".c.conf", "User x\n")]
        {
            fs::write(folder.join(name), text).unwrap();
        }
        let config = home.path().join(".ssh/config");
        let absolute = folder.join("b.conf").display().to_string();
        for (line, port) in [
            ("conf.d/*.conf", Some(1)),
            ("~/.ssh/*.d/b.conf", Some(2)),
            (absolute.as_str(), Some(2)),
            ("none", None),
        ] {
            fs::write(&config, format!("Include {line}\n")).unwrap();
            let found = ConfigFile::read(&config, home.path()).unwrap().lookup("gpu");
            assert_eq!((found.port, found.user), (port, None), "{line}");
        }
        assert!(ConfigFile::read(&home.path().join("none"), home.path()).is_err());
    }

    #[test]
    fn lines_are_read_as_ssh_reads_them() {
        let table: [(&str, &[&str]); 9] = [
            ("Host a b", &["a", "b"]),
            ("HostName=a", &["a"]),
            ("HostName = a", &["a"]),
            ("Host\ta # and b", &["a"]),
            ("Host a#b", &["a#b"]),
            ("IdentityFile \"/a b/c\"", &["/a b/c"]),
            ("IdentityFile '/a b'/c", &["/a b/c"]),
            ("User \"\"", &[""]),
            ("User \"open", &["open"]),
        ];
        for (line, expected) in table {
            assert_eq!(words(line).unwrap().1, expected, "{line}");
        }
        for line in ["", "  # User x", "User"] {
            assert_eq!(words(line), None, "{line}");
        }
    }

    #[test]
    fn tokens_stand_for_what_they_are_given() {
        let tokens = [('h', "host"), ('d', "/home/a")];
        assert_eq!(expanded("%d/%h-%%h-%C%", &tokens), "/home/a/host-%h-%C%");
    }

    #[test]
    fn jumps_are_a_way() {
        let jumps = |text: &str| parse(text).lookup("x").proxy_jump;
        assert_eq!(jumps("ProxyJump a,me@b:2\nProxyJump c"), ["a", "me@b:2"]);
        assert!(jumps("ProxyJump None\nProxyJump c").is_empty());
    }

    #[test]
    fn words_about_host_keys_are_read() {
        let found = parse(
            "HostKeyAlias a\nHostKeyAlias b\nRevokedHostKeys ~/r\nGlobalKnownHostsFile /a /b\nGlobalKnownHostsFile /c\n",
        )
        .lookup("x");
        assert_eq!(found.host_key_alias.as_deref(), Some("a"));
        assert_eq!(found.revoked_host_keys.as_deref(), Some("~/r"));
        assert_eq!(found.system_known_hosts, ["/a", "/b"]);
        assert_eq!(parse("RevokedHostKeys none").lookup("x").revoked_host_keys, None);
    }

    #[test]
    fn patterns() {
        let table: [(&[&str], &str, bool); 9] = [
            (&["a"], "a", true),
            (&["A"], "a", true),
            (&["a*"], "a", true),
            (&["*.example.org"], "x.example.org", true),
            (&["*.example.org"], "example.org", false),
            (&["g?u"], "gpu", true),
            (&["g?u"], "gu", false),
            (&["*", "!b"], "b", false),
            (&["!b"], "a", false),
        ];
        for (patterns, name, expected) in table {
            assert_eq!(matches_any(patterns, name), expected, "{patterns:?} {name}");
        }
    }
}
