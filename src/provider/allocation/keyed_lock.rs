//! Turns at what a host has of a name: its servers of a deployment, its files of a model. Terraform makes things side by side.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// Who has which turn.
#[derive(Default)]
pub(crate) struct OneAtATime(Mutex<BTreeMap<(String, String), Line>>);

/// Whoever has it locked is at work.
type Line = Arc<tokio::sync::Mutex<()>>;

impl OneAtATime {
    /// Waits until nobody else is at work on that of the host. The turn ends when the result is dropped.
    pub(crate) async fn turn(&self, host: &str, name: &str) -> OwnedMutexGuard<()> {
        let line = {
            let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(lines.entry((host.to_owned(), name.to_owned())).or_default())
        };
        line.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn only_those_wait_who_want_the_same_of_the_same_host() {
        let turns = OneAtATime::default();
        let first = turns.turn("a", "chat").await;
        assert!(turns.turn("a", "chat").now_or_never().is_none());
        assert!(turns.turn("b", "chat").now_or_never().is_some());
        assert!(turns.turn("a", "other").now_or_never().is_some());
        drop(first);
        assert!(turns.turn("a", "chat").now_or_never().is_some());
    }
}
