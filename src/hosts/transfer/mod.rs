//! Files in bulk: from a host to another, by way of this process.
//!
//! The hosts need not reach each other and need no program for it beyond `sh`, `tar` and `sha256sum`: each is spoken to
//! over the one connection there is, or is this machine. Large files go as streams, several at once ([`large_files`]); small
//! ones in batches ([`small_files`]). They arrive in a folder of their own and are moved to their place when all are there and
//! checked, so nobody ever sees half a model ([`staging`]).
//!
//! [`remote_command`] runs one command at an end, [`progress`] counts what moves. Begin reading at [`Transfer::run`].
//!
//! What ends a transfer is silence, not its length: a terabyte may take its hours, a cable that was pulled may not. After
//! a cut it goes on where it was, in this run or in the next.

mod file;
mod large_files;
mod progress;
mod remote_command;
mod small_files;
mod staging;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, TryStreamExt};
use tokio_util::sync::CancellationToken;

pub(crate) use crate::hosts::error::files::TransferError;
pub(crate) use file::TransferFile;

use crate::hosts::error::{Cause, HostError};
use crate::hosts::host::Host;
use file::CopyError;
use large_files::FileCopy;
use progress::Progress;

/// From this size on a file has a stream of its own.
const LARGE: u64 = 8 << 20;
/// What a batch holds at the most.
const BATCH_BYTES: u64 = 8 << 20;
const BATCH_FILES: usize = 1000;
/// Work items on their way at once. An SSH server opens ten sessions on a connection unless told otherwise, and others want some.
const AT_ONCE: usize = 4;
/// Before trying again.
const PAUSE: Duration = Duration::from_secs(1);

/// Files of a folder on a host, to a folder on another.
pub(crate) struct Transfer<'a> {
    /// For the log.
    pub what: &'a str,
    pub from: (&'a Host, &'a str),
    /// The folder is there.
    pub to: (&'a Host, &'a str),
    pub files: &'a [TransferFile],
    /// For how long nothing may move.
    pub stall: Duration,
    pub stopping: &'a CancellationToken,
}

enum WorkItem<'a> {
    Stream(&'a TransferFile),
    Batch(Vec<TransferFile>),
}

impl Transfer<'_> {
    /// Copies all of them. The checksums by the files' paths at the target, in hexadecimal.
    pub(crate) async fn run(&self) -> Result<BTreeMap<String, String>, HostError> {
        let progress = Progress::new();
        let total = self.files.iter().map(|file| file.size_bytes).sum();
        let work_items = work_items(self.files);
        let mut sending = Vec::new();
        for item in &work_items {
            sending.push(self.send(item, &progress).boxed());
        }
        let work = futures_util::stream::iter(sending).buffer_unordered(AT_ONCE).try_collect::<Vec<_>>();
        let (from, to) = (self.from.0.name(), self.to.0.name());
        tokio::select! {
            sent = work => Ok(sent?.into_iter().flatten().collect()),
            () = progress.watch(from, to, self.what, total, self.stall) => {
                let error = TransferError::Stalled { seconds: self.stall.as_secs(), text: "no answer".to_owned() };
                Err(self.error(CopyError::Target(error.into())))
            }
            () = self.stopping.cancelled() => Err(self.error(CopyError::Target(TransferError::Stopped.into()))),
        }
    }

    fn error(&self, at: CopyError) -> HostError {
        match at {
            CopyError::Source(cause) => self.from.0.error(&format!("read model {}", self.what), cause),
            CopyError::Target(cause) => self.to.0.error(&format!("write model {}", self.what), cause),
        }
    }

    /// Sends one parcel, again after a cut, until it is there or nothing has moved for too long.
    async fn send(
        &self,
        item: &WorkItem<'_>,
        progress: &Progress,
    ) -> Result<Vec<(String, String)>, HostError> {
        loop {
            let sent = match item {
                WorkItem::Stream(file) => self.stream(file, progress).await,
                WorkItem::Batch(files) => self.batch(files, progress).await,
            };
            let at = match sent {
                Ok(sent) => return Ok(sent),
                Err(at) => at,
            };
            let (CopyError::Source(cause) | CopyError::Target(cause)) = &at;
            if !passes(cause) || progress.silence() >= self.stall {
                return Err(self.error(at));
            }
            tracing::info!(%cause, what = self.what, "the copy goes on after a break");
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn batch(
        &self,
        files: &[TransferFile],
        progress: &Progress,
    ) -> Result<Vec<(String, String)>, CopyError> {
        let checksums = small_files::copy(self.from, self.to, files).await?;
        progress.add(files.iter().map(|file| file.size_bytes).sum());
        Ok(files.iter().map(|file| file.to.clone()).zip(checksums).collect())
    }

    /// What was left by a former attempt and turns out to be something else is sent once more from its beginning.
    async fn stream(
        &self,
        file: &TransferFile,
        progress: &Progress,
    ) -> Result<Vec<(String, String)>, CopyError> {
        let copy = FileCopy::new(self.from, self.to, file, progress);
        let right = |written: &str, read: &str| {
            written == read && file.sha256.as_ref().is_none_or(|known| known == written)
        };
        let (mut written, mut read) = copy.run(true).await?;
        if !right(&written, &read) {
            tracing::info!(file = %copy.target, "its checksum is wrong: it is copied from its beginning");
            (written, read) = copy.run(false).await?;
        }
        match (right(&written, &read), written == read) {
            (true, _) => Ok(vec![(file.to.clone(), written)]),
            (false, true) => Err(CopyError::Source(TransferError::Checksum { path: copy.source }.into())),
            (false, false) => Err(CopyError::Target(TransferError::Checksum { path: copy.target }.into())),
        }
    }
}

/// Whether it may be otherwise in a moment.
fn passes(cause: &Cause) -> bool {
    match cause {
        Cause::Files(error) => error.passes(),
        Cause::Ssh(error) => error.is_unreachable(),
        _ => false,
    }
}

/// Large files first: what is sent last should be short.
fn work_items(files: &[TransferFile]) -> Vec<WorkItem<'_>> {
    let (mut large, small): (Vec<_>, Vec<_>) = files.iter().partition(|file| file.size_bytes >= LARGE);
    large.sort_by_key(|file| std::cmp::Reverse(file.size_bytes));
    let mut work_items: Vec<WorkItem<'_>> = large.into_iter().map(WorkItem::Stream).collect();
    let (mut batch, mut bytes) = (Vec::new(), 0);
    for file in small {
        if !batch.is_empty() && (bytes + file.size_bytes > BATCH_BYTES || batch.len() >= BATCH_FILES) {
            work_items.push(WorkItem::Batch(std::mem::take(&mut batch)));
            bytes = 0;
        }
        bytes += file.size_bytes;
        batch.push(file.clone());
    }
    if !batch.is_empty() {
        work_items.push(WorkItem::Batch(batch));
    }
    work_items
}
