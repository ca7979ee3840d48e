//! The few words of `~/.ssh/config` that say where a host is and how to get in.
//!
//! The file is read only when a host says `ssh_config = true`. As in ssh, the first value of a keyword counts. `Match` and
//! `Include` are passed over: the one may start programs, and neither is needed to find a host.

/// The file, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ConfigFile {
    sections: Vec<Section>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Section {
    /// `None`: a `Match`, which never applies.
    patterns: Option<Vec<String>>,
    /// Keywords in lower case, with their arguments.
    lines: Vec<(String, Vec<String>)>,
}

/// What the file says about a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub host_name: Option<String>,
    pub user: Option<String>,
    pub port: Option<u16>,
    pub identity_file: Option<String>,
    pub proxy_jump: Option<String>,
    pub known_hosts: Vec<String>,
}

impl ConfigFile {
    pub fn parse(text: &str) -> Self {
        // What comes before the first `Host` is for all.
        let mut sections = vec![Section { patterns: Some(vec!["*".to_owned()]), lines: Vec::new() }];
        for line in text.lines() {
            let Some((keyword, arguments)) = words(line) else { continue };
            match keyword.as_str() {
                "host" => sections.push(Section { patterns: Some(arguments), lines: Vec::new() }),
                "match" => sections.push(Section::default()),
                _ => {
                    if let Some(section) = sections.last_mut() {
                        section.lines.push((keyword, arguments));
                    }
                }
            }
        }
        Self { sections }
    }

    pub fn lookup(&self, alias: &str) -> Found {
        let applying = || self.sections.iter().filter(|section| section.applies(alias));
        let first = |keyword: &str| {
            let mut lines = applying().flat_map(|section| &section.lines);
            lines.find(|(known, _)| known == keyword).map(|(_, arguments)| arguments.as_slice())
        };
        let word = |keyword: &str| first(keyword).and_then(|arguments| arguments.first()).cloned();
        Found {
            host_name: word("hostname").map(|name| name.replace("%h", alias)),
            user: word("user"),
            port: word("port").and_then(|port| port.parse().ok()),
            identity_file: word("identityfile").map(|path| path.replace("%d", "~")),
            proxy_jump: word("proxyjump").filter(|jump| jump != "none"),
            known_hosts: first("userknownhostsfile").map(<[String]>::to_vec).unwrap_or_default(),
        }
    }
}

impl Section {
    fn applies(&self, alias: &str) -> bool {
        self.patterns.as_ref().is_some_and(|patterns| matches_any(patterns, alias))
    }
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

/// `Keyword arg "arg two"` or `Keyword=arg`; `None` for empty lines and comments.
fn words(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (keyword, rest) = line.split_once(|c: char| c.is_whitespace() || c == '=')?;
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '=');
    let mut arguments = Vec::new();
    // Every second piece between quotes is quoted.
    for (index, piece) in rest.split('"').enumerate() {
        match index % 2 {
            0 => arguments.extend(piece.split_whitespace().map(str::to_owned)),
            _ => arguments.push(piece.to_owned()),
        }
    }
    Some((keyword.to_lowercase(), arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_counts_and_matches_are_passed_over() {
        let file = ConfigFile::parse(
            "# all\nUser first\n\nHost gpu-* !gpu-9\n  HostName=%h.example.org\n  Port 2222\n  \
             UserKnownHostsFile \"/a b\" /c\nMatch host gpu-1\n  User evil\n  ProxyCommand touch /x\nHost *\n  User \
             second\n  Port 23\n  ProxyJump none\n  identityfile %d/.ssh/k\n",
        );
        let found = file.lookup("gpu-1");
        let expected = Found {
            host_name: Some("gpu-1.example.org".into()),
            user: Some("first".into()),
            port: Some(2222),
            identity_file: Some("~/.ssh/k".into()),
            proxy_jump: None,
            known_hosts: vec!["/a b".into(), "/c".into()],
        };
        assert_eq!(found, expected);
        let other = file.lookup("gpu-9");
        assert_eq!((other.host_name, other.port), (None, Some(23)));
        assert_eq!(ConfigFile::default().lookup("x"), Found::default());
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
