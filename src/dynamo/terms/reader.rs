//! Reading fields of a draft one by one, keeping every complaint instead of stopping at the first.
//!
//! A reader keeps two lists, since "wrong" and "not there yet" are different answers: at `validate` only the first
//! counts, and at `apply` both do.

use super::given::Given;
use super::objection::{Field, Objection, Refusal};

#[derive(Default)]
pub(in crate::dynamo) struct Reader {
    /// What is wrong, whatever else becomes known.
    pub objections: Vec<Objection>,
    /// What is needed before anything can be decided.
    pub missing: Vec<Objection>,
}

impl Reader {
    pub(crate) fn object(&mut self, field: Field, refusal: Refusal) {
        self.objections.push(refusal.at(field));
    }

    /// Keeps the complaint, or passes the value on.
    pub(crate) fn keep<T>(&mut self, field: Field, result: Result<T, Refusal>) -> Option<T> {
        result.map_err(|refusal| self.object(field, refusal)).ok()
    }

    /// A field that has a default. `None` when it is unknown or wrong.
    pub(crate) fn or<T, U>(
        &mut self,
        field: Field,
        given: &Given<T>,
        default: U,
        parse: impl FnOnce(&T) -> Result<U, Refusal>,
    ) -> Option<U> {
        match given {
            Given::Absent => Some(default),
            _ => self.needed(field, given, parse),
        }
    }

    /// A field that may be left out. `None` when it is unknown or wrong, `Some(None)` when it is absent.
    pub(crate) fn maybe<T, U>(
        &mut self,
        field: Field,
        given: &Given<T>,
        parse: impl FnOnce(&T) -> Result<U, Refusal>,
    ) -> Option<Option<U>> {
        self.or(field, given, None, |value| parse(value).map(Some))
    }

    /// A field that must be there in the end.
    pub(crate) fn needed<T, U>(
        &mut self,
        field: Field,
        given: &Given<T>,
        parse: impl FnOnce(&T) -> Result<U, Refusal>,
    ) -> Option<U> {
        match given {
            Given::Is(value) => self.keep(field, parse(value)),
            Given::Absent => {
                self.missing.push(Objection::new(field, "is not set", "set it"));
                None
            }
            Given::Unknown => {
                let fix = "let it depend on values that exist before this resource does";
                self.missing.push(Objection::new(field, "is not known when it is needed", fix));
                None
            }
        }
    }
}

/// Reads one of a few words.
pub(in crate::dynamo) fn word<T: Copy>(
    all: &'static [T],
    spell: fn(T) -> &'static str,
) -> impl Fn(&String) -> Result<T, Refusal> {
    move |text| {
        all.iter().copied().find(|value| spell(*value) == text).ok_or_else(|| {
            let words: Vec<_> = all.iter().map(|value| spell(*value)).collect();
            Refusal::new(format!("there is no {text:?}"), format!("use one of {}", words.join(", ")))
        })
    }
}
