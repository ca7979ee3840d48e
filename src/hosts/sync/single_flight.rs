//! One call for many askers.
//!
//! Terraform reads ten resources at once, and each of them wants the same facts of the same host. The first asker makes
//! the call; those who come meanwhile wait for it and share its result, also when it is an error (ten askers of a host
//! that is switched off wait for one time-out, not for ten in a row). Whoever comes later shares it while it is fresh.
//!
//! Fresh means more than young. A walk of Terraform over hundreds of resources lasts longer than any age that a single
//! asker would call fresh, and yet is one look at the world: while askers follow each other without a pause, they get the
//! same answer, up to a limit. So the cost of a refresh does not grow with its length.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::locked::Locked;

/// The time for which a result is shared.
#[derive(Clone, Copy, Debug)]
pub(in crate::hosts) struct Freshness {
    /// Since the last asker. Whoever comes after a longer pause gets a new result.
    pub pause: Duration,
    /// Since it was made, however many ask.
    pub at_most: Duration,
}

impl Freshness {
    /// The same for whoever asks, whenever.
    pub(in crate::hosts) const fn aged(at_most: Duration) -> Self {
        Self { pause: at_most, at_most }
    }
}

/// The latest result of a call, and when and in which generation it was made.
#[derive(Debug)]
pub(in crate::hosts) struct SingleFlight<T, E> {
    last: Mutex<Option<LastResult<T, E>>>,
}

#[derive(Debug)]
struct LastResult<T, E> {
    at: Instant,
    asked: Instant,
    generation: u64,
    result: Result<T, E>,
}

impl<T, E> Default for SingleFlight<T, E> {
    fn default() -> Self {
        Self { last: Mutex::new(None) }
    }
}

impl<T: Clone, E: Clone> SingleFlight<T, E> {
    /// A shared result that is fresh and not of an earlier `generation` (which the owner counts up with every
    /// change it makes), or that of `call`. An error is shared only with those who asked before it was there.
    pub(in crate::hosts) async fn share<F>(
        &self,
        freshness: Freshness,
        generation: u64,
        call: impl FnOnce() -> F,
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let asked = Instant::now();
        let mut known = self.last.lock().await;
        if let Some(last) = known.as_mut().filter(|last| last.generation >= generation) {
            let young = last.at.elapsed() < freshness.at_most && last.asked.elapsed() < freshness.pause;
            if (last.result.is_ok() && young) || last.at >= asked {
                last.asked = Instant::now();
                return last.result.clone();
            }
        }
        let result = call().await;
        let at = Instant::now();
        *known = Some(LastResult { at, asked: at, generation, result: result.clone() });
        result
    }
}

/// A [`SingleFlight`] for each of several questions.
#[derive(Debug)]
pub(in crate::hosts) struct SingleFlightGroup<T, E>(Locked<HashMap<String, Arc<SingleFlight<T, E>>>>);

impl<T, E> Default for SingleFlightGroup<T, E> {
    fn default() -> Self {
        Self(Locked::default())
    }
}

impl<T, E> SingleFlightGroup<T, E> {
    /// The call that answers `question`.
    pub(in crate::hosts) fn of(&self, question: &str) -> Arc<SingleFlight<T, E>> {
        Arc::clone(self.0.lock().entry(question.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    const LONG: Freshness = Freshness::aged(Duration::from_secs(60));

    async fn ask(
        flight: &SingleFlight<u32, String>,
        generation: u64,
        calls: &AtomicU32,
        fail: bool,
    ) -> Result<u32, String> {
        flight
            .share(LONG, generation, || async {
                tokio::task::yield_now().await;
                let n = calls.fetch_add(1, Ordering::SeqCst);
                if fail { Err(format!("failure {n}")) } else { Ok(n) }
            })
            .await
    }

    #[tokio::test]
    async fn askers_at_the_same_time_share_one_call_and_its_error() {
        for fail in [false, true] {
            let (flight, calls) = (SingleFlight::default(), AtomicU32::new(0));
            let (a, b, c) = tokio::join!(
                ask(&flight, 0, &calls, fail),
                ask(&flight, 0, &calls, fail),
                ask(&flight, 0, &calls, fail)
            );
            assert_eq!(calls.load(Ordering::SeqCst), 1, "fail={fail}");
            assert!(a == b && b == c);
        }
    }

    #[tokio::test]
    async fn a_later_asker_gets_a_fresh_result_but_never_an_old_error() {
        let (flight, calls) = (SingleFlight::default(), AtomicU32::new(0));
        assert!(ask(&flight, 0, &calls, true).await.is_err());
        assert_eq!(ask(&flight, 0, &calls, false).await, Ok(1));
        assert_eq!(ask(&flight, 0, &calls, false).await, Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_walk_shares_one_result_up_to_its_limit_and_a_pause_ends_it() {
        let walk = Freshness { pause: Duration::from_secs(1), at_most: Duration::from_secs(30) };
        let (flight, calls) = (SingleFlight::<u32, String>::default(), AtomicU32::new(0));
        let ask = async || {
            flight.share(walk, 0, || async { Ok(calls.fetch_add(1, Ordering::SeqCst)) }).await.unwrap()
        };
        let mut answers = Vec::new();
        for _ in 0..62 {
            answers.push(ask().await);
            tokio::time::advance(Duration::from_millis(500)).await;
        }
        assert!(answers.iter().take(60).all(|answer| *answer == 0), "{answers:?}");
        assert_eq!(answers.last(), Some(&1), "half a minute is the limit");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(ask().await, 2, "after a pause nobody shares");
    }

    #[tokio::test]
    async fn a_change_makes_the_result_stale() {
        let (flight, calls) = (SingleFlight::default(), AtomicU32::new(0));
        assert_eq!(ask(&flight, 0, &calls, false).await, Ok(0));
        assert_eq!(ask(&flight, 1, &calls, false).await, Ok(1));
        assert_eq!(ask(&flight, 1, &calls, false).await, Ok(1));
    }
}
