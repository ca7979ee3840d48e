//! A value of a configuration that is absent, not known yet, or known.

/// A field of a draft.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) enum Given<T> {
    /// Not written: the default holds.
    #[default]
    Absent,
    /// Written, but not known yet.
    Unknown,
    Is(T),
}

impl<T> Given<T> {
    /// The value where there is one.
    pub(crate) fn known(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Absent | Self::Unknown => None,
        }
    }

    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub(crate) fn map<U>(&self, change: impl FnOnce(&T) -> U) -> Given<U> {
        match self {
            Self::Absent => Given::Absent,
            Self::Unknown => Given::Unknown,
            Self::Is(value) => Given::Is(change(value)),
        }
    }
}

/// In test files JSON's `null` stands for a value that is not known yet.
#[cfg(test)]
impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Given<T> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Option::<T>::deserialize(from)?.map_or(Self::Unknown, Self::Is))
    }
}
