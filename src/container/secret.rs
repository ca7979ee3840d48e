//! Texts that must not be shown, the variables of a container that are such texts, and how they are kept out of texts that
//! are shown.
//!
//! A secret variable is an ordinary one to the process that reads it, and to the Engine, which shows it to whoever may ask.
//! What makes it secret is on our side: it is in a map of its own whose values print as a placeholder, so that no
//! comparison, no log line and no drift can say one by mistake; and a label of the container lists the names (never a
//! value), so that a container that is looked at comes apart in the same way.
//!
//! Whether a container has the right values can be told in two ways. Without a version the values are compared, by whoever
//! has them: the configuration is there at plan and at apply, and the container says what it has, so nothing needs to be
//! stored to see a difference. With a version only names and version count: that is for values that are others in each run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use zeroize::{ZeroizeOnDrop, Zeroizing};

/// Text that must not be shown: it prints as a placeholder, and its memory is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl ZeroizeOnDrop for Secret {}

impl Secret {
    /// Makes a text secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for those who need it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PLACEHOLDER)
    }
}

#[cfg(test)]
impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::new)
    }
}

/// What stands where a secret would.
pub const PLACEHOLDER: &str = "(secret)";

/// The secret variables of a container.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SecretEnv {
    /// By the names of the variables.
    pub values: BTreeMap<String, Secret>,
    /// With one, values are not compared: another version stands for other values. Never without values.
    pub version: Option<String>,
}

impl SecretEnv {
    /// The variables that a container which has `found` would need anew to be as this says.
    pub fn changed<'a>(&'a self, found: &'a Self) -> impl Iterator<Item = &'a str> {
        let names: BTreeSet<&String> = self.values.keys().chain(found.values.keys()).collect();
        let differs = |name: &&String| match (self.values.get(*name), found.values.get(*name)) {
            (Some(wanted), Some(found)) => self.version.is_none() && wanted != found,
            _ => true,
        };
        names.into_iter().filter(differs).map(String::as_str)
    }

    /// The names, as a label lists them.
    pub fn names_text(&self) -> String {
        self.values.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Takes the variables that a label names out of `env`.
    pub fn taken(names: &str, version: Option<String>, env: &mut BTreeMap<String, String>) -> Self {
        let take = |name: &str| env.remove_entry(name).map(|(name, value)| (name, Secret::new(value)));
        let values: BTreeMap<String, Secret> = names.split(' ').filter_map(take).collect();
        let version = version.filter(|_| !values.is_empty());
        Self { values, version }
    }
}

/// Texts that must not be in another one, whoever wrote them into it: an engine that prints its environment when it dies,
/// or a daemon that quotes what it was asked.
#[derive(Clone, Default)]
pub struct Redactions(Vec<Zeroizing<String>>);

impl Redactions {
    /// Shorter values are left alone: they are no secrets, and would blacken half of the text.
    const SHORTEST: usize = 4;
    /// A line of a value that has several is a secret by itself: only the end of a log is seen. What is shorter is more
    /// likely a bracket.
    const SHORTEST_LINE: usize = 8;

    /// The values of `env`.
    pub fn of(env: &SecretEnv) -> Self {
        Self::default().and(env.values.values().map(Secret::reveal))
    }

    /// Also these, as they are, line by line, and as JSON and other quoted text have them.
    pub fn and<'a>(mut self, values: impl IntoIterator<Item = &'a str>) -> Self {
        for value in values.into_iter().filter(|value| value.trim().len() >= Self::SHORTEST) {
            let quoted = serde_json::Value::from(value).to_string();
            let quoted = quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"')).map(str::to_owned);
            let lines = value.lines().map(str::trim).filter(|line| line.len() >= Self::SHORTEST_LINE);
            self.0.extend(lines.map(str::to_owned).map(Zeroizing::new));
            let whole = [value.to_owned(), value.trim().to_owned()].into_iter().chain(quoted);
            self.0.extend(whole.map(Zeroizing::new));
        }
        // A value that contains another must go first.
        self.0.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        self.0.dedup();
        self
    }

    /// `text` with a placeholder wherever one of the secret texts stands.
    pub fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, value| text.replace(value.as_str(), PLACEHOLDER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroize as _;

    fn env(pairs: &[(&str, &str)], version: Option<&str>) -> SecretEnv {
        let values = pairs.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
        SecretEnv { values, version: version.map(str::to_owned) }
    }

    #[test]
    fn nothing_prints_a_value() {
        let secrets = env(&[("HF_TOKEN", "canary")], Some("1"));
        let text = format!("{secrets:?} {:?}", Secret::new("canary"));
        assert!(text.contains("HF_TOKEN") && !text.contains("canary"), "{text}");
    }

    #[test]
    fn a_secret_overwrites_its_memory() {
        fn when_dropped<T: ZeroizeOnDrop>(_: &T) {}
        let mut secret = Secret::new("canary");
        when_dropped(&secret);
        when_dropped(&secret.0);
        secret.0.zeroize();
        assert_eq!(secret.reveal(), "");
    }

    #[test]
    fn values_count_unless_there_is_a_version() {
        let (a1, a2, ab) = ([("A", "1")], [("A", "2")], [("A", "1"), ("B", "1")]);
        let table: [(SecretEnv, SecretEnv, &[&str]); 7] = [
            (env(&a1, None), env(&a1, None), &[]),
            (env(&a1, None), env(&a2, None), &["A"]),
            (env(&a1, None), env(&a2, Some("1")), &["A"]),
            (env(&a1, Some("1")), env(&a2, Some("1")), &[]),
            (env(&ab, Some("1")), env(&a2, Some("1")), &["B"]),
            (env(&a1, None), env(&ab, None), &["B"]),
            (env(&[], None), env(&a1, None), &["A"]),
        ];
        for (wanted, found, changed) in table {
            assert_eq!(wanted.changed(&found).collect::<Vec<_>>(), changed, "{wanted:?} {found:?}");
        }
    }

    #[test]
    fn a_container_comes_apart_as_it_was_put_together() {
        let secrets = env(&[("A", "1"), ("B", "2")], Some("7"));
        let mut all = BTreeMap::from([("A", "1"), ("B", "2"), ("C", "3")].map(|(k, v)| (k.into(), v.into())));
        assert_eq!(SecretEnv::taken(&secrets.names_text(), Some("7".into()), &mut all), secrets);
        assert_eq!(all.into_keys().collect::<Vec<_>>(), ["C"]);
        let mut none = BTreeMap::new();
        assert_eq!(SecretEnv::taken("A B", Some("7".into()), &mut none), SecretEnv::default());
    }

    #[test]
    fn a_text_keeps_no_part_of_a_value() {
        let key = "-----BEGIN KEY-----\nAAAAB3NzaC1yc2E\nZZZZZZZZ\n-----END KEY-----\n";
        let secrets = env(&[("K", key), ("T", "tok\"en"), ("LONG", "tok\"en-and-more"), ("S", "abc")], None);
        let redactions = Redactions::of(&secrets);
        for (text, shown) in [
            ("AAAAB3NzaC1yc2E\nZZZZZZZZ\n-----END KEY-----", "(secret)\n(secret)\n(secret)"),
            (r#"K=-----BEGIN KEY-----\nAAAAB3NzaC1yc2E\nZZZZZZZZ\n-----END KEY-----\n."#, "K=(secret)."),
            ("T=tok\"en.", "T=(secret)."),
            (r#"{"T": "tok\"en"}"#, r#"{"T": "(secret)"}"#),
            ("LONG=tok\"en-and-more", "LONG=(secret)"),
            ("abc of the alphabet", "abc of the alphabet"),
        ] {
            assert_eq!(redactions.apply(text), shown);
        }
        assert_eq!(Redactions::default().apply("as it is"), "as it is");
    }
}
