//! How far a transfer is, and whether it still moves.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Between two lines in the log.
const REPORT: Duration = Duration::from_secs(5);

pub(in crate::hosts::transfer) struct Progress {
    moved: AtomicU64,
    last: Mutex<Instant>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { moved: AtomicU64::new(0), last: Mutex::new(Instant::now()) }
    }

    /// So many bytes more are where they belong.
    pub(super) fn add(&self, bytes: u64) {
        self.moved.fetch_add(bytes, Ordering::Relaxed);
        *self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now();
    }

    /// Time since anything moved.
    pub(super) fn silence(&self) -> Duration {
        self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner).elapsed()
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
