//! What Terraform shows the user: errors and warnings, at a path where one argument is at fault.
//!
//! The grammar: the summary is a short sentence without a full stop ("Unable to start deployment \"chat\""); the detail
//! says what was tried, on which host, what came back, and what to do. A chain of causes is joined once, here.

use crate::plain_text::into_plain_text;
use crate::tf_provider::value::{Path, PathError};
use std::error::Error;
use std::fmt;

/// The severity of a diagnostic: an error ends the operation, a warning does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// A diagnostic: what Terraform shows to the user, at an attribute where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    pub summary: String,
    pub detail: String,
    /// `None` = the whole block.
    pub path: Option<Path>,
}

impl Diagnostic {
    /// An error. The summary is a verb and an object, the detail whole sentences. Both texts become plain here: they quote hosts,
    /// programs and files, and are read in a terminal.
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        let (summary, detail) = (into_plain_text(summary.into()), into_plain_text(detail.into()));
        Self { severity: Severity::Error, summary, detail, path: None }
    }

    /// A warning.
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(summary, detail) }
    }

    /// The one place where a chain of causes becomes text: each cause on the line of its effect, after a colon.
    pub fn from_error(summary: impl Into<String>, error: &(dyn Error + 'static)) -> Self {
        Self::error(summary, chain(error))
    }

    /// The diagnostic at an attribute.
    pub fn at(mut self, path: Path) -> Self {
        self.path = Some(path);
        self
    }
}

/// For a terminal, on one line: `error: docker.volume[0].host_path: Invalid path: …`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let path = self.path.as_ref().filter(|path| !path.0.is_empty());
        let place = path.map(|path| format!("{path}: ")).unwrap_or_default();
        write!(f, "{word}: {place}{}: {}", self.summary, self.detail)
    }
}

/// `outer: inner: innermost`, without repeating a cause that its effect already quotes.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

/// Diagnostics of one call, in order of discovery.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// No diagnostics.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds all of another list.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// `Err` with everything collected so far if there is an error among it.
    pub fn into_result(self) -> Result<Self, Self> {
        if self.has_errors() { Err(self) } else { Ok(self) }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

/// A value that does not fit its attribute.
impl From<PathError> for Diagnostic {
    fn from(error: PathError) -> Self {
        let subject = if error.path.0.is_empty() {
            "Invalid value".to_owned()
        } else {
            format!("Invalid value for {}", error.path)
        };
        Self::error(subject, format!("{}.", error.message)).at(error.path)
    }
}

impl From<PathError> for Diagnostics {
    fn from(error: PathError) -> Self {
        Diagnostic::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("starting container \"w1\"")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn the_chain_is_joined_once() {
        let error = Outer(std::io::Error::other("no space left on device"));
        let diagnostic = Diagnostic::from_error("Unable to start", &error);
        assert_eq!(diagnostic.detail, "starting container \"w1\": no space left on device");
    }

    #[test]
    fn words_of_others_are_plain_text() {
        let evil = "\u{1b}]0;title\u{7}no \u{9b}31mroom\u{202e}\r";
        for diagnostic in [Diagnostic::error(evil, evil), Diagnostic::warning(evil, evil)] {
            assert_eq!((diagnostic.summary.as_str(), diagnostic.detail.as_str()), ("no room", "no room"));
        }
    }

    #[test]
    fn warnings_alone_are_no_error() {
        let mut diagnostics = Diagnostics::from(Diagnostic::warning("a", "b"));
        assert!(diagnostics.clone().into_result().is_ok());
        diagnostics.push(Diagnostic::error("c", "d").at(Path::of("x")));
        assert!(diagnostics.into_result().is_err());
    }
}
