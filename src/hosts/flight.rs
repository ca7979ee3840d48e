//! One call for many askers.
//!
//! Terraform reads ten resources at once, and each of them wants the same facts of the same host. The first asker makes
//! the call; those who come meanwhile wait for it and share its result, also when it is an error (ten askers of a host
//! that is switched off wait for one time-out, not for ten in a row). Whoever comes later shares it while it is fresh.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// The latest result of a call, and when and in which generation it was made.
#[derive(Debug)]
pub(super) struct Flight<T, E> {
    landed: Mutex<Option<Landed<T, E>>>,
}

#[derive(Debug)]
struct Landed<T, E> {
    at: Instant,
    generation: u64,
    result: Result<T, E>,
}

impl<T, E> Default for Flight<T, E> {
    fn default() -> Self {
        Self { landed: Mutex::new(None) }
    }
}

impl<T: Clone, E: Clone> Flight<T, E> {
    /// A shared result no older than `max_age` and not of an earlier `generation` (which the owner counts up with every
    /// change it makes), or that of `call`. An error is shared only with those who asked before it landed.
    pub async fn share<F>(&self, max_age: Duration, generation: u64, call: impl FnOnce() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let asked = Instant::now();
        let mut landed = self.landed.lock().await;
        if let Some(last) = landed.as_ref().filter(|last| last.generation >= generation) {
            let fresh = last.result.is_ok() && last.at.elapsed() < max_age;
            if fresh || last.at >= asked {
                return last.result.clone();
            }
        }
        let result = call().await;
        *landed = Some(Landed { at: Instant::now(), generation, result: result.clone() });
        result
    }
}

/// A [`Flight`] for each of several questions.
#[derive(Debug)]
pub(super) struct Flights<T, E>(std::sync::Mutex<HashMap<String, Arc<Flight<T, E>>>>);

impl<T, E> Default for Flights<T, E> {
    fn default() -> Self {
        Self(std::sync::Mutex::default())
    }
}

impl<T, E> Flights<T, E> {
    pub fn of(&self, question: &str) -> Arc<Flight<T, E>> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(flights.entry(question.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    const LONG: Duration = Duration::from_secs(60);

    async fn ask(
        flight: &Flight<u32, String>,
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
            let (flight, calls) = (Flight::default(), AtomicU32::new(0));
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
        let (flight, calls) = (Flight::default(), AtomicU32::new(0));
        assert!(ask(&flight, 0, &calls, true).await.is_err());
        assert_eq!(ask(&flight, 0, &calls, false).await, Ok(1));
        assert_eq!(ask(&flight, 0, &calls, false).await, Ok(1));
    }

    #[tokio::test]
    async fn a_change_makes_the_result_stale() {
        let (flight, calls) = (Flight::default(), AtomicU32::new(0));
        assert_eq!(ask(&flight, 0, &calls, false).await, Ok(0));
        assert_eq!(ask(&flight, 1, &calls, false).await, Ok(1));
        assert_eq!(ask(&flight, 1, &calls, false).await, Ok(1));
    }
}
