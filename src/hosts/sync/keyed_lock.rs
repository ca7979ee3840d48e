//! A lock for each key, for work on the same thing that must not run side by side: Terraform makes ten things at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::OwnedMutexGuard;

use super::locked::Locked;

/// Locks by key. A key that was never locked costs nothing.
#[derive(Debug)]
pub(crate) struct KeyedLock<K>(Locked<BTreeMap<K, Arc<tokio::sync::Mutex<()>>>>);

impl<K> Default for KeyedLock<K> {
    fn default() -> Self {
        Self(Locked::new(BTreeMap::new()))
    }
}

impl<K: Ord> KeyedLock<K> {
    /// Waits until nobody else has the key's lock. It is free again when the guard is dropped.
    pub(crate) async fn lock(&self, key: K) -> OwnedMutexGuard<()> {
        let lock = Arc::clone(self.0.lock().entry(key).or_default());
        lock.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn only_those_wait_who_want_the_same_of_the_same_host() {
        let locks = KeyedLock::default();
        let first = locks.lock(("a", "chat")).await;
        assert!(locks.lock(("a", "chat")).now_or_never().is_none());
        assert!(locks.lock(("b", "chat")).now_or_never().is_some());
        assert!(locks.lock(("a", "other")).now_or_never().is_some());
        drop(first);
        assert!(locks.lock(("a", "chat")).now_or_never().is_some());
    }
}
