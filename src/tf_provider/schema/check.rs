//! Checks of single values: what must hold, in words, and whether it does. The words serve the error and the docs.

use crate::tf_provider::value::{Number, Path, PathError, Value};
use std::sync::Arc;

/// What part of a value a check looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Whole,
    /// Every key of a map.
    EachKey,
    /// Every element of a list or value of a map.
    EachElement,
}

/// A rule for known, non-null values.
#[derive(Clone)]
pub struct Check {
    /// Completes "must …".
    pub must: String,
    scope: Scope,
    holds: Arc<dyn Fn(&Value) -> bool + Send + Sync>,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "must {} ({:?})", self.must, self.scope)
    }
}

impl Check {
    /// A rule of one's own; `must` completes "must …".
    pub fn new(must: impl Into<String>, holds: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Self {
        Self { must: must.into(), scope: Scope::Whole, holds: Arc::new(holds) }
    }

    /// The same rule for every key of a map.
    pub fn each_key(mut self) -> Self {
        self.scope = Scope::EachKey;
        self
    }

    /// The same rule for every element of a list or map.
    pub fn each(mut self) -> Self {
        self.scope = Scope::EachElement;
        self
    }

    /// The rule as a sentence without its full stop, for the docs.
    pub fn sentence(&self) -> String {
        let subject = match self.scope {
            Scope::Whole => "Must",
            Scope::EachKey => "Each key must",
            Scope::EachElement => "Each element must",
        };
        format!("{subject} {}", self.must)
    }

    /// What is wrong with `value`, if anything. With `secret`, the message does not quote the value.
    pub fn errors(&self, value: &Value, path: &Path, secret: bool) -> Vec<PathError> {
        let judge = |value: &Value, path: &Path| {
            let judged = value.is_null() || value.is_unknown() || (self.holds)(value);
            (!judged).then(|| PathError::new(path, self.message(value, secret)))
        };
        match (self.scope, value) {
            (Scope::Whole, value) => judge(value, path).into_iter().collect(),
            (Scope::EachKey, Value::Map(items)) => {
                items.keys().filter_map(|key| judge(&Value::string(key), &path.key(key))).collect()
            }
            (Scope::EachElement, Value::Map(items)) => {
                items.iter().filter_map(|(key, item)| judge(item, &path.key(key))).collect()
            }
            (Scope::EachElement, Value::List(items)) => {
                items.iter().enumerate().filter_map(|(index, item)| judge(item, &path.index(index))).collect()
            }
            (Scope::EachKey | Scope::EachElement, _) => Vec::new(),
        }
    }

    fn message(&self, value: &Value, secret: bool) -> String {
        let subject = if self.scope == Scope::EachKey { "a key must" } else { "must" };
        match (secret, quoted(value)) {
            (false, Some(text)) => format!("{subject} {}, got {text}", self.must),
            (true, _) | (_, None) => format!("{subject} {}", self.must),
        }
    }
}

fn quoted(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(format!("{text:?}")),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// One of a list of words.
pub fn one_of<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Check {
    let words: Vec<String> = words.into_iter().map(|word| word.as_ref().to_owned()).collect();
    let listed = words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ");
    Check::new(format!("be one of {listed}"), move |value| {
        value.as_str().is_some_and(|text| words.iter().any(|word| word == text))
    })
}

/// A number from `low` to `high`, both included.
pub fn between(low: i64, high: i64) -> Check {
    let (from, to) = (Number::from(low), Number::from(high));
    Check::new(format!("be between {low} and {high}"), move |value| {
        value.as_number().is_some_and(|number| *number >= from && *number <= to)
    })
}

/// A number of at least `low`.
pub fn at_least(low: i64) -> Check {
    let from = Number::from(low);
    Check::new(format!("be at least {low}"), move |value| {
        value.as_number().is_some_and(|number| *number >= from)
    })
}

/// A number above zero.
pub fn positive() -> Check {
    let zero = Number::from(0_i64);
    Check::new("be greater than 0", move |value| value.as_number().is_some_and(|number| *number > zero))
}

/// Text that fulfils a rule; `must` completes "must …".
pub fn text(must: impl Into<String>, holds: impl Fn(&str) -> bool + Send + Sync + 'static) -> Check {
    Check::new(must, move |value| value.as_str().is_some_and(&holds))
}

/// Refuses an empty string.
pub fn not_empty() -> Check {
    text("not be empty", |text| !text.is_empty())
}
