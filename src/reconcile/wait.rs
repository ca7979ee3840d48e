//! Waiting until a container works, while watching that it lives.
//!
//! "Works" is the caller's [`Probe`]. "Lives" is watched here, because a container that has died will never answer and
//! its own last words say why: an exit is a failure even with code 0 (Dynamo's processes exit so when discovery refuses
//! them), and so is being restarted by the Engine, which would otherwise look like a slow start for ever.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::effects::Effects;
use super::failure::Failure;
use crate::container::{ObservedContainer, Redactions, RunState};
use crate::hosts::{Cause, HostError};

/// A probe of whether a container does its work. It is asked again and again, and must not block for longer than a few
/// seconds.
#[async_trait]
pub(crate) trait Probe: Send + Sync {
    async fn probe(&self, container: &ObservedContainer) -> ProbeAnswer;
}

/// The answer of a [`Probe`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProbeAnswer {
    Ready,
    /// What is missing, as a clause: "the model is not listed yet".
    NotYet(String),
}

/// The time of a call: until when to wait, and who may end the wait earlier.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    pub started: Instant,
    pub deadline: Instant,
    pub cancel: CancellationToken,
}

impl Clock {
    /// Sleeps, but not beyond the deadline or a cancellation.
    async fn sleep(&self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep_until((Instant::now() + pause).min(self.deadline)) => {}
            () = self.cancel.cancelled() => {}
        }
    }

    /// The probe's answer, if it comes in time.
    async fn ask(&self, probe: &dyn Probe, container: &ObservedContainer) -> Option<ProbeAnswer> {
        tokio::select! {
            readiness = probe.probe(container) => Some(readiness),
            () = tokio::time::sleep_until(self.deadline) => None,
            () = self.cancel.cancelled() => None,
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Lines of a dead container's log that go into the error.
const LAST_LINES: u32 = 20;

/// The container that is waited for.
pub(super) struct WaitTarget<'a> {
    /// What the container is called now: a name or an id.
    pub container: &'a str,
    /// The name under which the user knows it.
    pub name: &'a str,
    pub probe: &'a dyn Probe,
    /// How often it had been restarted before the wait: only a restart while waiting is a death.
    pub restarts: u32,
}

/// Waits until the container is ready, has died, or there is no more time.
pub(super) async fn wait_ready(
    effects: &dyn Effects,
    waited: &WaitTarget<'_>,
    clock: &Clock,
) -> Result<(), Failure> {
    let (host, name) = (effects.host().to_owned(), waited.name.to_owned());
    let mut pause = FIRST_PAUSE;
    let mut last = "its probe did not answer".to_owned();
    loop {
        let seen = effects.inspect(waited.container).await?.ok_or_else(|| vanished(&host, &name))?;
        still_lives(effects, waited, &seen).await?;
        match clock.ask(waited.probe, &seen).await {
            Some(ProbeAnswer::Ready) => return alive(effects, waited).await,
            Some(ProbeAnswer::NotYet(why)) => last = why,
            None => {}
        }
        if clock.cancel.is_cancelled() {
            return Err(Failure::Cancelled { host, doing: format!("waiting for container {name}") });
        }
        if Instant::now() >= clock.deadline {
            let logs = last_words(effects, waited, &seen).await;
            let seconds = (clock.deadline - clock.started).as_secs();
            let last = last.trim_end_matches('.').to_owned();
            return Err(Failure::NotReady { host, name, seconds, last, logs });
        }
        clock.sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// What answered in the place of a container that is dead by now was somebody else.
async fn alive(effects: &dyn Effects, waited: &WaitTarget<'_>) -> Result<(), Failure> {
    let seen = effects.inspect(waited.container).await?;
    let seen = seen.ok_or_else(|| vanished(effects.host(), waited.name))?;
    still_lives(effects, waited, &seen).await
}

/// The error for a container that has died.
async fn still_lives(
    effects: &dyn Effects,
    waited: &WaitTarget<'_>,
    seen: &ObservedContainer,
) -> Result<(), Failure> {
    let Some(Death { exit_code, oom_killed }) = death(seen, waited.restarts) else { return Ok(()) };
    Err(Failure::Died {
        host: effects.host().to_owned(),
        name: waited.name.to_owned(),
        exit_code,
        oom_killed,
        restarts: seen.restart_count,
        logs: last_words(effects, waited, seen).await,
    })
}

struct Death {
    exit_code: Option<i64>,
    oom_killed: bool,
}

fn death(seen: &ObservedContainer, restarts: u32) -> Option<Death> {
    match seen.state {
        RunState::Exited { exit_code, oom_killed } => Some(Death { exit_code: Some(exit_code), oom_killed }),
        RunState::Restarting { exit_code } => Some(Death { exit_code: Some(exit_code), oom_killed: false }),
        RunState::Dead | RunState::Removing => Some(Death { exit_code: None, oom_killed: false }),
        RunState::Running if seen.restart_count > restarts => {
            Some(Death { exit_code: None, oom_killed: false })
        }
        RunState::Created | RunState::Running | RunState::Paused => None,
    }
}

/// Somebody removed it under our eyes.
fn vanished(host: &str, name: &str) -> Failure {
    let what = format!("container {name}");
    HostError { host: host.to_owned(), operation: format!("watch {what}"), cause: Cause::NotFound { what } }
        .into()
}

/// Without the secrets that the container has: where a version stands for them, those are not the ones that are wanted.
async fn last_words(effects: &dyn Effects, waited: &WaitTarget<'_>, seen: &ObservedContainer) -> String {
    match effects.logs_tail(waited.container, LAST_LINES).await {
        Ok(logs) => Redactions::of(&seen.spec.secret_env).apply(&logs),
        Err(error) => format!("(unknown: {error})"),
    }
}
