//! How far a transfer is, and whether it still moves.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::hosts::sync::locked::Locked;

/// Between two lines in the log.
const REPORT: Duration = Duration::from_secs(5);

pub(super) struct Progress {
    moved: AtomicU64,
    last: Locked<Instant>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { moved: AtomicU64::new(0), last: Locked::new(Instant::now()) }
    }

    /// So many bytes more are where they belong.
    pub(super) fn add(&self, bytes: u64) {
        self.moved.fetch_add(bytes, Ordering::Relaxed);
        *self.last.lock() = Instant::now();
    }

    /// Time since anything moved.
    pub(super) fn silence(&self) -> Duration {
        self.last.lock().elapsed()
    }

    /// Says every few seconds how far it is. Ends when nothing has moved for `stall`.
    pub(super) async fn watch(&self, from: &str, to: &str, what: &str, total: u64, stall: Duration) {
        let mut before = 0;
        loop {
            tokio::time::sleep(REPORT.min(stall)).await;
            let moved = self.moved.load(Ordering::Relaxed);
            let rate = moved.saturating_sub(before) / REPORT.as_secs().max(1) / 1_000_000;
            tracing::info!(from, to, what, moved, total, megabytes_per_second = rate, "copying");
            before = moved;
            if self.silence() >= stall {
                return;
            }
        }
    }
}
