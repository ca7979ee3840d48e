//! A value behind a lock.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A value behind a lock that a panic does not poison: what is kept so is whole between any two statements.
#[derive(Debug, Default)]
pub(crate) struct Locked<T>(Mutex<T>);

impl<T> Locked<T> {
    /// Puts a value behind a lock.
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// The value, for this caller alone until the guard is dropped. Must not be held across an `await`.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
