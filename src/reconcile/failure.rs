//! How execution fails, and what is left afterwards.
//!
//! A user who reads such an error wants to know two things: why, and in which state the host is now. So a [`ReconcileError`]
//! always carries both: the [`Failure`], and what could not be put back.

use std::fmt;

use crate::container::Redactions;
use crate::hosts::{Cause, HostError};

/// The failure of a call: why something did not come up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(
        "there is already a container {name} on host \"{host}\" ({id}, {state}), made by {}. Import it, remove it, or choose another name.",
        if *ours { "this provider" } else { "somebody else" }
    )]
    NameTaken { host: String, name: String, id: String, state: &'static str, ours: bool },
    #[error(
        "container {name} on host \"{host}\" is being started by another resource of this run. Give the two different names."
    )]
    Busy { host: String, name: String },
    #[error("container {name} on host \"{host}\" {} while starting. {}", death(*exit_code, *oom_killed, *restarts), last_words(logs))]
    Died {
        host: String,
        name: String,
        /// `None` when it runs again, restarted by the Engine.
        exit_code: Option<i64>,
        oom_killed: bool,
        restarts: u32,
        /// Last lines of its log, without secrets.
        logs: String,
    },
    #[error(
        "container {name} on host \"{host}\" runs, but was not ready within {seconds} s: {last}. Raise the timeout if it only needs longer. {}",
        last_words(logs)
    )]
    NotReady { host: String, name: String, seconds: u64, last: String, logs: String },
    #[error("the run was cancelled while {doing} on host \"{host}\"")]
    Cancelled { host: String, doing: String },
}

fn death(exit_code: Option<i64>, oom_killed: bool, restarts: u32) -> String {
    let how = match (oom_killed, exit_code) {
        (true, _) => "was killed because its memory limit was reached".to_owned(),
        (false, Some(0)) => "ended by itself (exit code 0)".to_owned(),
        (false, Some(code)) => format!("ended with exit code {code}"),
        (false, None) => "ended".to_owned(),
    };
    match restarts {
        0 => how,
        n => format!("{how} and was restarted by Docker {n} time(s)"),
    }
}

fn last_words(logs: &str) -> String {
    if logs.trim().is_empty() {
        "It logged nothing.".to_owned()
    } else {
        format!("Its last words:\n{}", logs.trim_end())
    }
}

/// An object on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    /// By name or id.
    Container(String),
    Network(String),
    Volume(String),
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Container(name) => write!(f, "container {name}"),
            Self::Network(name) => write!(f, "network {name}"),
            Self::Volume(name) => write!(f, "volume {name}"),
        }
    }
}

/// An object that this call created and that is still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leftover {
    pub object: Object,
    /// Why it could not be removed; `None` = it was kept on purpose, since it does the work now.
    pub why: Option<HostError>,
}

/// The container that was to be replaced, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PreviousContainer {
    /// Stopped, and started again.
    RunsAgain { name: String },
    /// Stopped, and would not start again.
    StaysStopped { name: String, why: Box<HostError> },
}

/// A failure and its aftermath.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReconcileError {
    pub failure: Box<Failure>,
    /// Something had been made before the failure. What is not in `left` was removed again.
    pub had_made: bool,
    pub left: Vec<Leftover>,
    pub previous: Option<PreviousContainer>,
}

impl Failure {
    /// The same, with nothing in it that must not be shown.
    fn without(self, secrets: &Redactions) -> Self {
        match self {
            Self::Host(error) => Self::Host(error.without(secrets)),
            Self::Died { host, name, exit_code, oom_killed, restarts, logs } => {
                Self::Died { host, name, exit_code, oom_killed, restarts, logs: secrets.apply(&logs) }
            }
            Self::NotReady { host, name, seconds, last, logs } => {
                let (last, logs) = (secrets.apply(&last), secrets.apply(&logs));
                Self::NotReady { host, name, seconds, last, logs }
            }
            other @ (Self::NameTaken { .. } | Self::Busy { .. } | Self::Cancelled { .. }) => other,
        }
    }
}

impl ReconcileError {
    /// Whether somebody else took a port between the look at the host and the start: another Terraform, for example. Docker
    /// says so of what it publishes; on the host's own network it is the last words of the process.
    pub(crate) fn is_port_taken(&self) -> bool {
        match self.failure.as_ref() {
            Failure::Host(error) => matches!(error.cause, Cause::PortTaken { .. }),
            Failure::Died { logs, .. } => logs.to_ascii_lowercase().contains("already in use"),
            Failure::NameTaken { .. }
            | Failure::Busy { .. }
            | Failure::NotReady { .. }
            | Failure::Cancelled { .. } => false,
        }
    }

    /// The same, with nothing in it that must not be shown: neither what a container said nor what the Engine did.
    pub(super) fn without(self, secrets: &Redactions) -> Self {
        let left = self.left.into_iter();
        let left =
            left.map(|left| Leftover { why: left.why.map(|why| why.without(secrets)), ..left }).collect();
        let previous = self.previous.map(|previous| match previous {
            PreviousContainer::StaysStopped { name, why } => {
                PreviousContainer::StaysStopped { name, why: Box::new(why.without(secrets)) }
            }
            runs @ PreviousContainer::RunsAgain { .. } => runs,
        });
        Self { failure: Box::new(self.failure.without(secrets)), left, previous, ..self }
    }
}

impl From<Failure> for ReconcileError {
    fn from(failure: Failure) -> Self {
        Self { failure: Box::new(failure), had_made: false, left: Vec::new(), previous: None }
    }
}

impl From<HostError> for ReconcileError {
    fn from(error: HostError) -> Self {
        Failure::from(error).into()
    }
}

impl std::error::Error for ReconcileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.failure.as_ref())
    }
}

impl fmt::Display for ReconcileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.failure)?;
        if self.had_made && self.left.is_empty() {
            write!(f, "\nWhat this run had made was removed again.")?;
        }
        for left in &self.left {
            match &left.why {
                Some(why) => write!(f, "\nStill there: {}, because this run {why}", left.object)?,
                None => write!(f, "\nStill there, since it does the work now: {}.", left.object)?,
            }
        }
        match &self.previous {
            None => Ok(()),
            Some(PreviousContainer::RunsAgain { name }) => {
                write!(f, "\nThe previous container {name} runs again.")
            }
            Some(PreviousContainer::StaysStopped { name, why }) => {
                write!(f, "\nThe previous container {name} is stopped, because this run {why}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_race_is_told_from_other_deaths() {
        let died = |logs: &str| {
            ReconcileError::from(Failure::Died {
                host: "local".into(),
                name: "chat-etcd".into(),
                exit_code: Some(1),
                oom_killed: false,
                restarts: 0,
                logs: logs.into(),
            })
        };
        // As etcd, the frontend and a worker say it.
        for words in [
            "listen tcp 127.0.0.1:2379: bind: address already in use",
            "Failed to start HTTP server: port 8000 already in use",
            "Address already in use (os error 98)",
        ] {
            assert!(died(words).is_port_taken(), "{words}");
        }
        assert!(!died("no such model").is_port_taken());
    }
}
