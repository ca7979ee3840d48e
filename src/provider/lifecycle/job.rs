//! Containers that are made for one job with an image's own programs, and are gone when it is done.
//!
//! Each has a name of its own, and only its maker removes it while it works: another configuration may do the same job at
//! the same time, and a container of somebody else may have any name. One that a killed run left goes on with nobody to hear
//! of it, to its end; what is left then is [`swept`](sweep) by the next job of its kind.

use crate::container::labels::Ownership;
use crate::container::{ContainerSpec, ObservedContainer, Redactions, RunState};
use crate::hosts::{Age, Filter, Host, HostError};
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
/// A container that has not run for this long is no longer looked at by whoever made it: they look every [`LAST_PAUSE`].
const ABANDONED: Duration = Duration::from_secs(10);

/// How a job ended.
pub(crate) enum Ended {
    /// The end of its log.
    Well(String),
    /// Its last words.
    Badly(String),
}

/// Runs a container to its end, and removes it. Its image must be there, and nothing of its name. `stall` is how long
/// nothing may move.
pub(crate) async fn run(
    host: &Host,
    spec: &ContainerSpec,
    stall: Duration,
    stopping: &CancellationToken,
) -> Result<Ended, HostError> {
    let secrets = Redactions::of(&spec.secret_env);
    let id = host.create(spec).await.map_err(|error| error.without(&secrets))?;
    let ended = watched(host, &id, &secrets, stall, stopping).await;
    let removed = host.remove(&id).await;
    let ended = ended?;
    removed.map(|()| ended)
}

/// Removes what runs that were killed left of their jobs for `deployment` under names that begin so. What runs, and what is
/// about to, is somebody's work.
pub(crate) async fn sweep(
    host: &Host,
    deployment: &str,
    begins: &str,
    run: &str,
    stopping: &CancellationToken,
) -> Result<(), HostError> {
    let filter = Filter::Deployment(deployment.to_owned());
    let ended = ended(&host.observe(&filter, Age::Now).await?, begins, run);
    if ended.is_empty() {
        return Ok(());
    }
    tokio::select! {
        () = stopping.cancelled() => return Ok(()),
        () = sleep(ABANDONED) => {}
    }
    let still = self::ended(&host.observe(&filter, Age::Now).await?, begins, run);
    for id in still.iter().filter(|id| ended.contains(id)) {
        host.remove(id).await?;
    }
    Ok(())
}

/// Ids of the containers whose names begin so, of another run than this, that do not run.
fn ended(seen: &[ObservedContainer], begins: &str, run: &str) -> Vec<String> {
    let idle =
        |state: &RunState| matches!(state, RunState::Created | RunState::Exited { .. } | RunState::Dead);
    let of_another = |it: &ObservedContainer| {
        Ownership::from_labels(&it.spec.labels).is_some_and(|owner| owner.run != run)
    };
    let ended =
        seen.iter().filter(|it| it.spec.name.starts_with(begins) && idle(&it.state) && of_another(it));
    ended.map(|it| it.id.clone()).collect()
}

async fn watched(
    host: &Host,
    id: &str,
    secrets: &Redactions,
    stall: Duration,
    stopping: &CancellationToken,
) -> Result<Ended, HostError> {
    host.start(id).await?;
    let (mut last, mut moved, mut pause) = (Instant::now(), String::new(), FIRST_PAUSE);
    loop {
        let state = host.inspect(id).await?.map(|seen| seen.state);
        let log = secrets.apply(&host.logs_tail(id, LINES).await.unwrap_or_default());
        let words = || log.lines().rev().find(|line| !line.starts_with(MOVED)).unwrap_or_default().to_owned();
        match state {
            Some(RunState::Exited { exit_code: 0, .. }) => return Ok(Ended::Well(log)),
            // Somebody may have paused it: it moves on when they let it, or it has stalled.
            Some(RunState::Created | RunState::Running | RunState::Paused) => {}
            Some(RunState::Exited { exit_code, .. }) => {
                return Ok(Ended::Badly(format!("{} (exit code {exit_code})", words())));
            }
            _ => return Ok(Ended::Badly("its container is gone".to_owned())),
        }
        let newest = log.lines().rev().find(|line| line.starts_with(MOVED));
        if let Some(line) = newest.filter(|line| *line != moved) {
            (last, moved) = (Instant::now(), line.to_owned());
            let done = moved.trim_start_matches(MOVED);
            tracing::info!(host = host.name(), container = id, done, "goes on");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_another_run_left_behind_has_ended() {
        let container = |name: &str, run: &str, state: RunState| {
            let owner = Ownership {
                deployment: "dynamo-model".to_owned(),
                component: "model".to_owned(),
                role: None,
                run: run.to_owned(),
                spec: String::new(),
            };
            let labels = if run.is_empty() { Default::default() } else { owner.to_labels() };
            let spec = ContainerSpec { name: name.to_owned(), labels, ..ContainerSpec::default() };
            ObservedContainer {
                id: format!("{name} of {run}"),
                spec,
                image_id: String::new(),
                state,
                health: None,
                restart_count: 0,
                started_at: String::new(),
                ip_address: None,
                networks: Vec::new(),
            }
        };
        let exited = || RunState::Exited { exit_code: 137, oom_killed: false };
        let seen = [
            container("job-1-aaa", "other", exited()),
            container("job-1-bbb", "other", RunState::Created),
            container("job-1-ccc", "other", RunState::Running),
            container("job-1-ddd", "other", RunState::Paused),
            container("job-1-eee", "mine", exited()),
            container("job-1-fff", "", exited()),
            container("job-2-ggg", "other", exited()),
        ];
        assert_eq!(ended(&seen, "job-1-", "mine"), ["job-1-aaa of other", "job-1-bbb of other"]);
    }
}
