//! The last words of a container, fit for an error message: no colors, valid text, bounded.

use bollard::query_parameters::LogsOptions;
use futures_util::TryStreamExt;

use super::containers::container;
use super::host::Host;
use crate::hosts::error::HostError;
use crate::plain_text::into_plain_text;

/// What is kept of a tail: the last 64 KiB.
const MOST_BYTES: usize = 64 << 10;

impl Host {
    /// The last `lines` lines of a container's output, both streams as they came.
    pub async fn logs_tail(&self, name: &str, lines: u32) -> Result<String, HostError> {
        let raw = self
            .ask("read the log of", &container(name), |docker| async move {
                let options = LogsOptions {
                    stdout: true,
                    stderr: true,
                    tail: lines.to_string(),
                    ..LogsOptions::default()
                };
                let stream = docker.logs(name, Some(options));
                stream
                    .try_fold(Vec::new(), |mut tail, chunk| async move {
                        tail.extend_from_slice(&chunk.into_bytes());
                        let excess = tail.len().saturating_sub(MOST_BYTES);
                        tail.drain(..excess);
                        Ok(tail)
                    })
                    .await
            })
            .await?;
        Ok(into_plain_text(String::from_utf8_lossy(&raw).into_owned()))
    }
}
