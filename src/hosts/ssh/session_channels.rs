//! How many commands may run at once over one connection.
//!
//! sshd counts sessions per connection (`MaxSessions`, ten unless changed) and refuses one too many without saying so.
//! Forwarded channels do not count. So sessions wait for one of eight places, and each refusal takes a place away for
//! good: after a few, as many are left as the server has.

use std::sync::Arc;
use std::time::Duration;

use russh::client::{Handle, Msg};
use russh::{Channel, Error};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::host_key::HostKeyCheck;
use crate::hosts::error::ssh::SshError;
use crate::hosts::sync::locked::Locked;

const PERMITS: usize = 8;
/// With one place left a refusal means that the server has not yet noticed the end of the last session, or that it opens
/// none at all.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(20),
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
];

/// Session channels of one connection, and how many more may be open.
pub(super) struct SessionChannels {
    permits: Arc<Semaphore>,
    /// Held by whoever gives up a place, so that the last one is never given up.
    left: Locked<usize>,
}

impl Default for SessionChannels {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(PERMITS)), left: Locked::new(PERMITS) }
    }
}

impl SessionChannels {
    /// A session channel, and the place that it takes until the permit is dropped.
    pub(super) async fn open(
        &self,
        handle: &Handle<HostKeyCheck>,
    ) -> Result<(Channel<Msg>, OwnedSemaphorePermit), SshError> {
        let mut pauses = PAUSES.iter();
        loop {
            let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| SshError::Closed)?;
            let error = match handle.channel_open_session().await {
                Ok(channel) => return Ok((channel, permit)),
                Err(error) => error,
            };
            if !matches!(error, Error::ChannelOpenFailure(_)) {
                return Err(SshError::SessionRefused { text: error.to_string() });
            }
            if self.give_up_one() {
                permit.forget();
                continue;
            }
            match pauses.next() {
                Some(pause) => tokio::time::sleep(*pause).await,
                None => return Err(SshError::SessionRefused { text: error.to_string() }),
            }
        }
    }

    /// Whether there was one to spare.
    fn give_up_one(&self) -> bool {
        let mut left = self.left.lock();
        let spare = *left > 1;
        if spare {
            *left -= 1;
            tracing::debug!(permits = *left, "the server opens fewer sessions at once than we tried");
        }
        spare
    }

    #[cfg(test)]
    pub(super) fn left(&self) -> usize {
        *self.left.lock()
    }
}
