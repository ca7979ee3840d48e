//! The Docker Engine's API: agreeing on a version, and making one call with a deadline and an error that says why.
//!
//! `client` is the client library over any stream; [`translate`] has our words and the Engine's JSON. Here are [`Engine`]
//! and the two [`CallPolicy`]s, for questions and for changes.

mod client;
pub(super) mod translate;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;

use crate::hosts::error::{Cause, engine_cause};
use crate::hosts::transport::Transport;

/// The time that a call may take, and how often it may be tried when the connection breaks.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallPolicy {
    pub deadline: Duration,
    pub attempts: u32,
}

/// Questions: quick, and safe to ask again.
pub(super) const READ: CallPolicy = CallPolicy { deadline: Duration::from_secs(20), attempts: 3 };
/// Changes: the Engine may have to unpack, mount and connect. Never repeated: the first may have been heard.
pub(super) const CHANGE: CallPolicy = CallPolicy { deadline: Duration::from_secs(120), attempts: 1 };

impl CallPolicy {
    /// A change that is expected to take `more` on top, such as the time that a container has to stop.
    pub(super) fn plus(self, more: Duration) -> Self {
        Self { deadline: self.deadline + more, ..self }
    }
}

const PAUSE_BETWEEN_ATTEMPTS: Duration = Duration::from_millis(300);

/// The range of API versions whose answers we know: Docker 20.10 (1.41; 19.03's answers are the same for what we ask)
/// to the newest that the models of the client library describe.
const OLDEST: ApiVersion = ApiVersion(1, 40);
const NEWEST: ApiVersion = ApiVersion(1, 53);

/// An Engine that has answered, with the client that speaks the version of both sides.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    docker: Docker,
}

impl Engine {
    /// Asks the Engine for its version, and agrees on one.
    pub(super) async fn connect(transport: Arc<dyn Transport>) -> Result<Self, Cause> {
        let asking = Self { docker: client::client(Arc::clone(&transport), None)? };
        let answer = asking.call("version", READ, |docker| async move { docker.version().await }).await?;
        let version = ApiVersion::agree(answer.min_api_version.as_deref(), answer.api_version.as_deref())?;
        Ok(Self { docker: client::client(transport, Some(version.to_string()))? })
    }

    /// Makes one call. `subject` names the object it is about, e.g. `container chat-frontend`.
    pub(super) async fn call<T, F>(
        &self,
        subject: &str,
        policy: CallPolicy,
        call: impl Fn(Docker) -> F,
    ) -> Result<T, Cause>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut left = policy.attempts;
        loop {
            left = left.saturating_sub(1);
            let cause = match tokio::time::timeout(policy.deadline, call(self.docker.clone())).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => cause_of(&error, subject),
                Err(_) => Cause::EngineSilent { seconds: policy.deadline.as_secs() },
            };
            if left == 0 || !cause.is_transient() {
                return Err(cause);
            }
            tokio::time::sleep(PAUSE_BETWEEN_ATTEMPTS).await;
        }
    }

    /// For answers that are streams, whose reader sets the time limits.
    pub(super) fn docker(&self) -> &Docker {
        &self.docker
    }
}

/// What a failed call means.
pub(super) fn cause_of(error: &Error, subject: &str) -> Cause {
    match error {
        Error::DockerResponseServerError { status_code, message } => {
            engine_cause(*status_code, message, subject)
        }
        Error::DockerStreamError { error } => engine_cause(500, error, subject),
        error => client::connection_cause(error),
    }
}

/// A version of the Engine's API, `1.41`. Ordered as numbers: 1.9 is older than 1.41.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ApiVersion(u32, u32);

impl ApiVersion {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }

    /// The newest version that both sides speak.
    fn agree(engine_oldest: Option<&str>, engine_newest: Option<&str>) -> Result<Self, Cause> {
        let newest = engine_newest.and_then(Self::parse);
        let oldest = engine_oldest.and_then(Self::parse).unwrap_or(Self(1, 0));
        let agreed = newest.map(|newest| newest.min(NEWEST)).filter(|version| *version >= oldest.max(OLDEST));
        agreed.ok_or_else(|| Cause::ApiVersion {
            engine: format!("{} to {}", engine_oldest.unwrap_or("?"), engine_newest.unwrap_or("?")),
            ours: format!("{OLDEST} to {NEWEST}"),
        })
    }
}

impl std::fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_agree_on_the_newest_version_they_share() {
        let table = [
            (Some("1.12"), Some("1.41"), Some("1.41")),
            (Some("1.44"), Some("1.99"), Some("1.53")),
            (None, Some("1.43"), Some("1.43")),
            (Some("1.12"), Some("1.9"), None),
            (Some("1.60"), Some("1.70"), None),
            (None, None, None),
        ];
        for (oldest, newest, agreed) in table {
            let result = ApiVersion::agree(oldest, newest);
            assert_eq!(
                result.ok().map(|version| version.to_string()).as_deref(),
                agreed,
                "{oldest:?} {newest:?}"
            );
        }
    }
}
