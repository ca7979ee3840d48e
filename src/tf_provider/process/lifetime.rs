//! When work should stop, when the process should leave, and who hears of it.
//!
//! Two tokens, because Terraform means two things. `stopping` is Ctrl-C: work in flight should end early and answer with
//! the state it reached, and the process serves on. `closing` is the end of the process, and implies `stopping`.
//!
//! What ends a process:
//!
//! * the host's `Shutdown`, after its last call. It kills what is still there two seconds later;
//! * SIGTERM. An apply may be in flight and its answer is what keeps the state true, so it gets time to stop and answer;
//! * the death of the parent, seen as a new parent id. A killed Terraform says nothing, and go-plugin's own servers stay
//!   behind as orphans. The kernel could signal it (`PR_SET_PDEATHSIG`), but that fires when the *thread* that started us
//!   ends, which is no death at all in a Go program, and only on Linux; a look each second has neither flaw. The end of the
//!   connection is no such sign: gRPC clients close idle connections and come back.
//!
//! SIGINT and SIGHUP go to the whole process group, Terraform included, and Terraform decides what they mean; a provider
//! that died of them would lose the object it is about to report. In debug mode they end the process, as usual.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, getppid};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Who started the process, and so who ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaunchMode {
    /// Terraform, for one provider configuration.
    Plugin,
    /// A developer, for any number of Terraform commands (`-debug`).
    Debug,
}

/// Why the process leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    Shutdown,
    Terminated,
    Interrupted,
    Orphaned,
}

impl Departure {
    /// How long calls in flight may take to answer.
    pub(super) fn patience(self) -> Duration {
        match self {
            // The host has all its answers.
            Self::Shutdown => Duration::from_millis(150),
            Self::Terminated | Self::Interrupted => Duration::from_secs(20),
            // Nobody reads the answer, but a half-made object may still be undone.
            Self::Orphaned => Duration::from_secs(5),
        }
    }
}

/// How long all close hooks together may take.
const FAREWELL: Duration = Duration::from_millis(250);

/// How often to look for the parent.
const PARENT_CHECK: Duration = Duration::from_secs(1);

type Hook = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The life of this process, as the provider's code sees it. Clones are the same life.
#[derive(Clone)]
pub struct Lifetime(Arc<Inner>);

struct Inner {
    mode: LaunchMode,
    stopping: Mutex<CancellationToken>,
    closing: CancellationToken,
    departure: OnceLock<Departure>,
    hooks: Mutex<Vec<Hook>>,
}

impl Lifetime {
    /// The life of a process that was started in `mode`.
    pub fn new(mode: LaunchMode) -> Self {
        let closing = CancellationToken::new();
        Self(Arc::new(Inner {
            mode,
            stopping: Mutex::new(closing.child_token()),
            closing,
            departure: OnceLock::new(),
            hooks: Mutex::default(),
        }))
    }

    /// The mode in which the process was started.
    pub fn mode(&self) -> LaunchMode {
        self.0.mode
    }

    /// Cancelled when work in flight should end early. Take it once at the start of each piece of work.
    pub fn stopping(&self) -> CancellationToken {
        self.0.stopping.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Cancelled when the process is about to end.
    pub fn closing(&self) -> CancellationToken {
        self.0.closing.clone()
    }

    /// What `StopProvider` does.
    pub fn stop(&self) {
        self.stopping().cancel();
    }

    /// What `ConfigureProvider` does first. A process in debug mode outlives the command that was stopped, and the next
    /// command's work must not find itself stopped. In the other mode there is no next command: a stop is for good.
    pub fn begin_session(&self) {
        if self.0.mode == LaunchMode::Debug {
            let mut stopping = self.0.stopping.lock().unwrap_or_else(PoisonError::into_inner);
            if stopping.is_cancelled() {
                *stopping = self.0.closing.child_token();
            }
        }
    }

    /// Ends the process. The first reason counts.
    pub fn close(&self, departure: Departure) {
        if self.0.departure.set(departure).is_ok() {
            tracing::debug!(?departure, "closing");
        }
        self.0.closing.cancel();
    }

    /// `farewell` runs when the process leaves, after calls in flight have answered or run out of patience. All hooks
    /// together get a quarter of a second: enough to close connections, too little to start work.
    pub fn on_close(&self, farewell: impl Future<Output = ()> + Send + 'static) {
        self.0.hooks.lock().unwrap_or_else(PoisonError::into_inner).push(Box::pin(farewell));
    }

    /// Waits for the reason to leave.
    pub(super) async fn departure(&self) -> Departure {
        self.0.closing.cancelled().await;
        self.0.departure.get().copied().unwrap_or(Departure::Shutdown)
    }

    /// Runs the close hooks beside each other. One that panics or hangs does not keep the others.
    pub(super) async fn say_farewell(&self) {
        let hooks = std::mem::take(&mut *self.0.hooks.lock().unwrap_or_else(PoisonError::into_inner));
        let mut running: JoinSet<()> = hooks.into_iter().collect();
        let all = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(FAREWELL, all).await.is_err() {
            tracing::warn!("connections were still open when the process ended");
        }
    }

    /// Watches signals and, where Terraform is the parent, the parent. `parent` is the id it had at the start.
    pub(super) fn watch(&self, parent: Option<Pid>) -> io::Result<()> {
        for (kind, meaning) in meanings(self.0.mode) {
            tokio::spawn(heed(signal(kind)?, meaning, self.clone()));
        }
        if self.0.mode == LaunchMode::Plugin {
            let lifetime = self.clone();
            tokio::spawn(async move {
                while getppid() == parent {
                    tokio::time::sleep(PARENT_CHECK).await;
                }
                lifetime.close(Departure::Orphaned);
            });
        }
        Ok(())
    }
}

/// What each signal means; `None` is to go on.
fn meanings(mode: LaunchMode) -> [(SignalKind, Option<Departure>); 3] {
    let from_group = match mode {
        LaunchMode::Plugin => None,
        LaunchMode::Debug => Some(Departure::Interrupted),
    };
    [
        (SignalKind::interrupt(), from_group),
        (SignalKind::hangup(), from_group),
        (SignalKind::terminate(), Some(Departure::Terminated)),
    ]
}

async fn heed(mut signal: Signal, meaning: Option<Departure>, lifetime: Lifetime) {
    while signal.recv().await.is_some() {
        match meaning {
            Some(departure) => lifetime.close(departure),
            None => tracing::debug!("a signal to the process group is Terraform's to act on"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn closing_implies_stopping_but_not_the_reverse() {
        let lifetime = Lifetime::new(LaunchMode::Plugin);
        lifetime.stop();
        assert!(lifetime.stopping().is_cancelled() && !lifetime.closing().is_cancelled());

        let lifetime = Lifetime::new(LaunchMode::Plugin);
        let work = lifetime.stopping();
        lifetime.close(Departure::Orphaned);
        lifetime.close(Departure::Shutdown);
        assert!(work.is_cancelled());
        assert_eq!(lifetime.departure().await, Departure::Orphaned);
    }

    #[test]
    fn only_debug_mode_forgets_a_stop() {
        for (mode, forgotten) in [(LaunchMode::Plugin, false), (LaunchMode::Debug, true)] {
            let lifetime = Lifetime::new(mode);
            let old = lifetime.stopping();
            lifetime.stop();
            lifetime.begin_session();
            assert!(old.is_cancelled());
            assert_eq!(!lifetime.stopping().is_cancelled(), forgotten, "{mode:?}");
            lifetime.close(Departure::Terminated);
            lifetime.begin_session();
            assert!(lifetime.stopping().is_cancelled());
        }
    }

    #[tokio::test]
    async fn a_hook_that_panics_or_hangs_does_not_keep_the_others() {
        let lifetime = Lifetime::new(LaunchMode::Plugin);
        let done = CancellationToken::new();
        lifetime.on_close(async { panic!("one") });
        lifetime.on_close(std::future::pending());
        let told = done.clone();
        lifetime.on_close(async move { told.cancel() });
        lifetime.say_farewell().await;
        assert!(done.is_cancelled());
    }

    #[test]
    fn signals_to_the_group_end_only_a_debug_process() {
        let ends = |mode| meanings(mode).map(|(_, meaning)| meaning.is_some());
        assert_eq!(ends(LaunchMode::Plugin), [false, false, true]);
        assert_eq!(ends(LaunchMode::Debug), [true, true, true]);
    }
}
