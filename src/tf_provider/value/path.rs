//! Where in a value something is. Terraform shows a diagnostic under the argument that its path names.

use std::fmt;

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Attribute(String),
    /// Position in a list or tuple. A set element cannot be named: the path ends at the set.
    Index(i64),
    /// Key of a map.
    Key(String),
}

/// A way down from the root of a resource, data source or provider block.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// The path of the whole object.
    pub fn root() -> Self {
        Self::default()
    }

    /// The path of one attribute or block of the root.
    pub fn of(name: &str) -> Self {
        Self::root().attribute(name)
    }

    /// The path of an attribute below this one.
    pub fn attribute(&self, name: &str) -> Self {
        self.with(Step::Attribute(name.to_owned()))
    }

    /// The path of an element of a list.
    pub fn index(&self, index: usize) -> Self {
        self.with(Step::Index(i64::try_from(index).unwrap_or(i64::MAX)))
    }

    /// The path of an element of a map.
    pub fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

/// As a user would write it: `docker.volume[0].host_path`, `hosts["gpu-a"].port`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if position == 0 => write!(f, "{name}")?,
                Step::Attribute(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

/// Something is wrong with the value at `path`. `message` is a sentence for the user, without a secret in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}{}{message}", if path.0.is_empty() { "" } else { ": " })]
pub struct PathError {
    pub path: Path,
    pub message: String,
}

impl PathError {
    /// An error at a path.
    pub fn new(path: &Path, message: impl Into<String>) -> Self {
        Self { path: path.clone(), message: message.into() }
    }

    /// The fault is here. Code that walks a value says this, and each caller on the way up adds its own
    /// [`step`](Self::under): a walk without a fault never builds a path.
    pub fn here(message: impl Into<String>) -> Self {
        Self::new(&Path::root(), message)
    }

    /// The same fault, seen from one step further up.
    #[must_use]
    pub fn under(mut self, step: Step) -> Self {
        self.path.0.insert(0, step);
        self
    }

    /// The same fault, seen from the root when the walk began at `base`.
    #[must_use]
    pub fn below(mut self, base: &Path) -> Self {
        self.path.0.splice(0..0, base.0.iter().cloned());
        self
    }
}
