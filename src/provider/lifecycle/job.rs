//! Containers that are made for one job with an image's own programs, and are gone when it is done.
//!
//! One that a killed run left goes on with nobody to hear of it: the next one of that name takes its place.

use crate::container::{ContainerSpec, Redactions, RunState};
use crate::hosts::{Host, HostError};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// The first pause between two looks; each is twice as long as the one before, up to [`LAST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(1);
/// A line of the log that begins so says that the job goes on, and how far it is.
const MOVED: &str = "moved ";
/// Lines of its log that are looked at.
const LINES: u32 = 20;

/// How a job ended.
pub(crate) enum Ended {
    /// The end of its log.
    Well(String),
    /// Its last words.
    Badly(String),
}

/// Runs a container to its end, and removes it. Its image must be there. `stall` is how long nothing may move.
pub(crate) async fn run(
    host: &Host,
    spec: &ContainerSpec,
    stall: Duration,
    stopping: &CancellationToken,
) -> Result<Ended, HostError> {
    host.remove(&spec.name).await?;
    let secrets = Redactions::of(&spec.secret_env);
    host.create(spec).await.map_err(|error| error.without(&secrets))?;
    let ended = watched(host, &spec.name, &secrets, stall, stopping).await;
    let removed = host.remove(&spec.name).await;
    let ended = ended?;
    removed.map(|()| ended)
}

async fn watched(
    host: &Host,
    name: &str,
    secrets: &Redactions,
    stall: Duration,
    stopping: &CancellationToken,
) -> Result<Ended, HostError> {
    host.start(name).await?;
    let (mut last, mut moved, mut pause) = (Instant::now(), String::new(), FIRST_PAUSE);
    loop {
        let state = host.inspect(name).await?.map(|seen| seen.state);
        let log = secrets.apply(&host.logs_tail(name, LINES).await.unwrap_or_default());
        let words = || log.lines().rev().find(|line| !line.starts_with(MOVED)).unwrap_or_default().to_owned();
        match state {
            Some(RunState::Exited { exit_code: 0, .. }) => return Ok(Ended::Well(log)),
            Some(RunState::Created | RunState::Running) => {}
            Some(RunState::Exited { exit_code, .. }) => {
                return Ok(Ended::Badly(format!("{} (exit code {exit_code})", words())));
            }
            _ => return Ok(Ended::Badly("its container is gone".to_owned())),
        }
        let newest = log.lines().rev().find(|line| line.starts_with(MOVED));
        if let Some(line) = newest.filter(|line| *line != moved) {
            (last, moved) = (Instant::now(), line.to_owned());
            let done = moved.trim_start_matches(MOVED);
            tracing::info!(host = host.name(), container = name, done, "goes on");
        }
        if last.elapsed() > stall {
            return Ok(Ended::Badly(format!("nothing has moved for {} s (timeouts.stall)", stall.as_secs())));
        }
        tokio::select! {
            () = stopping.cancelled() => return Ok(Ended::Badly("it was stopped".to_owned())),
            () = sleep(pause) => {}
        }
        pause = (pause * 2).min(LAST_PAUSE);
    }
}
