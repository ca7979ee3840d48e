//! The GPUs of a host.
//!
//! Two ways to one record. On this machine NVML, the driver's own library, is asked (`nvml`, and `links` for the NVLinks): it
//! is loaded at run time, and a machine without it simply has no GPUs. Anywhere else one script runs `nvidia-smi`, which is
//! made of the same library (`nvidia_smi`).
//! Neither is a reason to fail: no driver, no GPU and a GPU that fell off the bus are facts, and whoever needs a GPU
//! complains.

mod links;
mod nvidia_smi;
mod nvml;

use std::time::Duration;

use crate::hosts::error::ssh::SshError;
use crate::hosts::error::{Cause, HostError};
use crate::hosts::host::Host;
use crate::hosts::sync::single_flight::Freshness;
use crate::inventory::gpu::GpuSight;

/// How long a look is shared, unless a change of ours ends that: a container that was just removed is no process any
/// more. A look takes the driver a second or more where nothing keeps it awake.
const SHARED_FOR: Freshness = Freshness { pause: Duration::from_secs(5), at_most: Duration::from_secs(30) };
/// A driver that hangs does so for ever.
const TIMEOUT: Duration = Duration::from_secs(30);

const NOT_VISIBLE: &str =
    "the Docker Engine is on another machine than this provider, and nothing leads there but its API";

impl Host {
    /// The GPUs, shared by a walk. An error only where the host could not be asked.
    pub async fn gpus(&self) -> Result<GpuSight, HostError> {
        self.0.gpus.share(SHARED_FOR, self.generation(), || self.read_gpus()).await
    }

    async fn read_gpus(&self) -> Result<GpuSight, HostError> {
        if let Some(answer) = self.0.transport.shell(nvidia_smi::SCRIPT).await {
            let output = answer.map_err(|cause| self.error("look at the GPUs", hung(cause)))?;
            return Ok(nvidia_smi::read(&output.stdout));
        }
        let info = self.info().await?;
        if !self.0.transport.is_here(info.name.as_deref().unwrap_or_default()) {
            return Ok(GpuSight::Unseen(NOT_VISIBLE.to_owned()));
        }
        let read = tokio::task::spawn_blocking(nvml::read);
        match tokio::time::timeout(TIMEOUT, read).await {
            Ok(Ok(sight)) => Ok(sight),
            Ok(Err(_)) | Err(_) => {
                Err(self.error("look at the GPUs", Cause::DriverHangs { seconds: TIMEOUT.as_secs() }))
            }
        }
    }
}

/// A shell that answers nothing for so long waits for `nvidia-smi`.
fn hung(cause: Cause) -> Cause {
    match cause {
        Cause::Ssh(error) => match *error {
            SshError::Slow { seconds, .. } => Cause::DriverHangs { seconds },
            error => error.into(),
        },
        cause => cause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_that_hangs_is_said_to() {
        let said = |error: SshError| format!("{:?}", hung(Cause::from(error)));
        let slow = SshError::Slow { what: "`sh -s`".to_owned(), seconds: 60 };
        assert_eq!(said(slow), "DriverHangs { seconds: 60 }");
        assert!(said(SshError::Closed).contains("Closed"));
    }
}
