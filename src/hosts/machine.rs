//! The machine and its Engine, for those who ask what a host is.

use super::host::{Host, WALK};
use super::shell::quoted;
use crate::hosts::error::HostError;
use crate::inventory::{DiskSpace, HostDetails};
use bollard::models::SystemInfo;
use std::path::Path;
use std::sync::Arc;

impl Host {
    /// What the Engine says of itself and its machine, shared by a walk. No change of ours changes it.
    pub(super) async fn info(&self) -> Result<Arc<SystemInfo>, HostError> {
        let ask = || async {
            let info =
                self.ask("ask about", "the Engine", |docker| async move { docker.info().await }).await?;
            Ok(Arc::new(info))
        };
        self.0.info.share(WALK, 0, ask).await
    }

    /// Names of the OCI runtimes and of the log drivers that the Engine has.
    pub async fn offers(&self) -> Result<(Vec<String>, Vec<String>), HostError> {
        let info = self.info().await?;
        let runtimes = info.runtimes.iter().flatten().map(|(name, _)| name.clone()).collect();
        let drivers = info.plugins.as_ref().and_then(|plugins| plugins.log.clone());
        Ok((runtimes, drivers.unwrap_or_default()))
    }

    /// Whether a path exists on the host; `None` where that cannot be seen from here.
    pub async fn path_exists(&self, path: &str) -> Result<Option<bool>, HostError> {
        let info = self.info().await?;
        Ok(self.0.transport.path_exists(Path::new(path), info.name.as_deref().unwrap_or_default()).await)
    }

    /// Asks the Engine twice and the disk once.
    pub async fn machine(&self) -> Result<HostDetails, HostError> {
        let info = self.info().await?.as_ref().clone();
        let version = self
            .ask("ask the version of", "the Engine", |docker| async move { docker.version().await })
            .await?;
        let disk = self.disk(&info).await;
        let mut runtimes: Vec<String> = info.runtimes.unwrap_or_default().into_keys().collect();
        runtimes.sort_unstable();
        let mut cdi_folders = info.cdi_spec_dirs.unwrap_or_default();
        cdi_folders.sort_unstable();
        Ok(HostDetails {
            name: info.name.unwrap_or_default(),
            cpus: info.ncpu.and_then(|cpus| u32::try_from(cpus).ok()).unwrap_or_default(),
            memory_bytes: info.mem_total.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default(),
            docker_version: info.server_version.unwrap_or_default(),
            api_version: version.api_version.unwrap_or_default(),
            runtimes,
            default_runtime: info.default_runtime.unwrap_or_default(),
            cdi_folders,
            root_folder: info.docker_root_dir.unwrap_or_default(),
            disk,
        })
    }

    /// The disk that the Engine's own folder is on. `None` where it cannot be seen, which is no reason to fail.
    async fn disk(&self, info: &SystemInfo) -> Option<DiskSpace> {
        let folder = info.docker_root_dir.clone().filter(|folder| folder.starts_with('/'))?;
        if let Some(answer) = self.0.transport.shell(&format!("df -Pk -- {}", quoted(&folder))).await {
            return read_df(&answer.ok()?.stdout);
        }
        if !self.0.transport.is_here(info.name.as_deref().unwrap_or_default()) {
            return None;
        }
        tokio::task::spawn_blocking(move || stat(Path::new(&folder))).await.ok()?
    }
}

/// The folder itself may be root's alone: then one above it is on the same disk more often than not.
fn stat(folder: &Path) -> Option<DiskSpace> {
    let found = folder.ancestors().find_map(|folder| rustix::fs::statvfs(folder).ok())?;
    Some(DiskSpace {
        size_bytes: found.f_blocks.saturating_mul(found.f_frsize),
        free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
    })
}

/// The last line of `df -Pk`: device, blocks of 1024 bytes, used, free, percent, where mounted.
fn read_df(text: &str) -> Option<DiskSpace> {
    let line = text.lines().last()?;
    let mut numbers = line.split_whitespace().filter_map(|word| word.parse::<u64>().ok());
    let (size, _used, free) = (numbers.next()?, numbers.next()?, numbers.next()?);
    Some(DiskSpace { size_bytes: size.saturating_mul(1024), free_bytes: free.saturating_mul(1024) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn df_is_read() {
        let text = "Filesystem     1024-blocks      Used Available Capacity Mounted on\n\
                    /dev/nvme0n1p1   100000000  40000000  55000000      43% /var/lib/docker\n";
        let disk = DiskSpace { size_bytes: 102_400_000_000, free_bytes: 56_320_000_000 };
        assert_eq!(read_df(text), Some(disk));
        assert_eq!(read_df("df: /x: No such file or directory"), None);
        assert_eq!(read_df(""), None);
    }

    #[test]
    fn the_disk_of_a_folder_that_is_not_there_is_that_of_the_one_above() {
        let disk = stat(Path::new("/nowhere/at/all")).unwrap();
        assert_eq!(Some(disk.size_bytes), stat(Path::new("/")).map(|root| root.size_bytes));
        assert!(disk.size_bytes > 0);
    }
}
