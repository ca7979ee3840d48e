//! One large file from a host to another, in one stream that can go on where it broke off.
//!
//! The reading side sends a block when it is asked for it, and no sooner: the SSH library hands out what arrives for all
//! channels of a connection from one loop, so bytes that nobody takes would stop everything else that is asked of that
//! host. The writing side is held back by SSH itself.
//!
//! The checksum of what was written is made while it is written. A file that goes on from a former attempt is read once
//! more at both ends, since nobody knows what became of its first part meanwhile.

use std::io::SeekFrom;
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, ReadHalf, WriteHalf};

use super::file::{CopyError, TransferFile, cause_of, hex, join};
use super::progress::Progress;
use super::remote_command;
use super::remote_command::{MOST_WORDS, check_exit, sh};
use super::staging::{Staging, split};
use crate::hosts::error::Cause;
use crate::hosts::error::files::TransferError;
use crate::hosts::files::regular;
use crate::hosts::host::Host;
use crate::hosts::shell::quoted;
use crate::hosts::transport::{CommandExit, Stream};

/// What is asked for and continued from, in bytes.
const BLOCK: u64 = 1 << 20;
/// Blocks in one request.
const REQUEST: u64 = 4;
/// Blocks that are on their way. A stream's buffer holds them all.
const AHEAD: u64 = 16;
const BUFFER: usize = 256 << 10;

/// How fast a disk reads at the very least, in bytes a second: for how long a checksum may take.
const SLOWEST: u64 = 20 << 20;

enum Source {
    There {
        output: ReadHalf<Stream>,
        requests: WriteHalf<Stream>,
        exit: BoxFuture<'static, CommandExit>,
        asked: u64,
    },
    Here(tokio::fs::File),
}

enum Sink {
    There {
        output: ReadHalf<Stream>,
        input: WriteHalf<Stream>,
        exit: BoxFuture<'static, CommandExit>,
    },
    /// For reading as well.
    Here(tokio::fs::File),
}

/// A file between two hosts.
pub(super) struct FileCopy<'a> {
    pub from: &'a Host,
    pub to: &'a Host,
    pub source: String,
    pub staging: &'a Staging,
    /// Path below the files there.
    pub below: &'a str,
    /// The whole path, for messages.
    pub target: String,
    pub size: u64,
    pub progress: &'a Progress,
}

impl<'a> FileCopy<'a> {
    pub(super) fn new(
        from: (&'a Host, &str),
        to: (&'a Host, &'a Staging),
        file: &'a TransferFile,
        progress: &'a Progress,
    ) -> Self {
        let (source, target) = (join(from.1, &file.at), join(&to.1.files(), &file.to));
        Self {
            from: from.0,
            to: to.0,
            source,
            staging: to.1,
            below: &file.to,
            target,
            size: file.size_bytes,
            progress,
        }
    }

    /// Copies what is missing of the file, and gives its checksum as it is at the target and, where it was made, at the
    /// source: both in hexadecimal.
    pub(super) async fn run(&self, resume: bool) -> Result<(String, String), CopyError> {
        let have = if resume { self.have().await.map_err(CopyError::Target)? } else { 0 };
        let begin = have.min(self.size) / BLOCK;
        // Whoever opens two sessions opens that of the same host first, so that nobody waits for each other's.
        let (mut source, mut sink) = if self.from.name() <= self.to.name() {
            let source = self.source(begin).await.map_err(CopyError::Source)?;
            (source, self.sink(begin).await.map_err(CopyError::Target)?)
        } else {
            let sink = self.sink(begin).await.map_err(CopyError::Target)?;
            (self.source(begin).await.map_err(CopyError::Source)?, sink)
        };
        self.progress.add(begin * BLOCK);
        let sent = self.pump(&mut source, &mut sink, begin * BLOCK).await?;
        drop(source);
        let written = self.close(sink, begin, &sent).await.map_err(CopyError::Target)?;
        if begin == 0 {
            return Ok((written, sent));
        }
        let read = sha256(self.from, &self.source, self.size).await.map_err(CopyError::Source)?;
        Ok((written, read))
    }

    async fn pump(&self, source: &mut Source, sink: &mut Sink, begin: u64) -> Result<String, CopyError> {
        let (mut hash, mut at) = (Context::new(&SHA256), begin);
        let mut buffer = vec![0; BUFFER];
        while at < self.size {
            let most = usize::try_from(self.size - at).unwrap_or(BUFFER).min(BUFFER);
            let room = buffer.get_mut(..most).unwrap_or_default();
            let read = source
                .read(room, at, self.size)
                .await
                .map_err(|cause| CopyError::Source(self.named(cause)))?;
            let bytes = buffer.get(..read).unwrap_or_default();
            hash.update(bytes);
            let written = match sink {
                Sink::There { input, .. } => input.write_all(bytes).await,
                Sink::Here(file) => file.write_all(bytes).await,
            };
            if let Err(error) = written {
                return Err(CopyError::Target(self.why_not_written(sink, &error).await));
            }
            at += read as u64;
            self.progress.add(read as u64);
        }
        Ok(hex(hash.finish().as_ref()))
    }

    /// An error of the stream says only that the command has ended.
    async fn why_not_written(&self, sink: &mut Sink, error: &std::io::Error) -> Cause {
        match sink {
            Sink::Here(_) => cause_of(error, &self.target),
            Sink::There { exit, .. } => {
                let broken = TransferError::Broken { text: error.to_string() };
                check_exit(&exit.await, &self.target).err().unwrap_or_else(|| broken.into())
            }
        }
    }

    fn named(&self, cause: Cause) -> Cause {
        match cause {
            Cause::Files(error) => match *error {
                TransferError::Command { text } => {
                    TransferError::CutShort { path: self.source.clone(), text }.into()
                }
                other => other.into(),
            },
            other => other,
        }
    }

    async fn source(&self, begin: u64) -> Result<Source, Cause> {
        let file = quoted(&self.source);
        let script = format!(
            "while read -r skip count end; do \
               [ \"$(wc -c <{file})\" -ge \"$end\" ] || {{ echo 'it became shorter' >&2; exit 1; }}; \
               dd if={file} bs={BLOCK} skip=\"$skip\" count=\"$count\" status=none || exit 1; \
             done"
        );
        match self.from.0.transport.exec(&sh(&script)).await {
            Some(running) => {
                let running = running?;
                let (output, requests) = tokio::io::split(running.stream);
                Ok(Source::There { output, requests, exit: running.exit, asked: begin })
            }
            None => {
                let opened = async {
                    let mut file = open_here(&self.source).await?;
                    file.seek(SeekFrom::Start(begin * BLOCK)).await?;
                    Ok(file)
                };
                opened.await.map(Source::Here).map_err(|error: std::io::Error| {
                    TransferError::CutShort { path: self.source.clone(), text: error.to_string() }.into()
                })
            }
        }
    }

    async fn sink(&self, begin: u64) -> Result<Sink, Cause> {
        let (folder, name) = split(self.below);
        if let Some(folder) = self.staging.here(folder) {
            let opened = async {
                let folder = folder?;
                let kept = if begin == 0 { None } else { folder.reopen(name)? };
                let mut file = match kept {
                    Some(file) => tokio::fs::File::from_std(file),
                    None => tokio::fs::File::from_std(folder.create(name)?),
                };
                file.set_len(begin * BLOCK).await?;
                file.seek(SeekFrom::End(0)).await?;
                Ok(file)
            };
            return opened
                .await
                .map(Sink::Here)
                .map_err(|error: std::io::Error| cause_of(&error, &self.target));
        }
        let file = quoted(&format!("./{name}"));
        // A new file, or the one that is there, and never what a link leads to.
        let write = if begin == 0 {
            format!(
                "rm -f -- {file} && set -C && exec 3>{file} && set +C && tee -- /dev/fd/3 | sha256sum && wc -c <{file}"
            )
        } else {
            format!(
                "dd if=/dev/null of={file} bs={BLOCK} seek={begin} oflag=nofollow status=none && \
                 dd of={file} bs={BUFFER} iflag=fullblock oflag=append,nofollow conv=notrunc status=none && \
                 sha256sum <{file} && wc -c <{file}"
            )
        };
        let script = format!("{}{write}", self.staging.enter_files(folder));
        let running = self.to.0.transport.exec(&sh(&script)).await.unwrap_or(Err(Cause::FilesUnseen))?;
        let (output, input) = tokio::io::split(running.stream);
        Ok(Sink::There { output, input, exit: running.exit })
    }

    /// Waits until all is written, and gives the checksum of that.
    async fn close(&self, sink: Sink, begin: u64, sent: &str) -> Result<String, Cause> {
        match sink {
            Sink::Here(mut file) => {
                let done = async {
                    file.flush().await?;
                    file.sync_all().await
                };
                done.await.map_err(|error| cause_of(&error, &self.target))?;
                if begin == 0 {
                    return Ok(sent.to_owned());
                }
                let hashed = hash(file.into_std().await).await;
                hashed.map_err(|error| cause_of(&error, &self.target))
            }
            Sink::There { mut output, mut input, exit } => {
                drop(input.shutdown().await);
                let said = remote_command::read_to_end(&mut output, MOST_WORDS).await?;
                let said = String::from_utf8_lossy(&said);
                let exit = exit.await;
                check_exit(&exit, &self.target)?;
                let mut lines = said.lines();
                let checksum =
                    lines.next().and_then(|line| line.split_whitespace().next()).unwrap_or_default();
                let size = lines.next().and_then(|line| line.trim().parse::<u64>().ok());
                if size == Some(self.size) {
                    return Ok(checksum.to_owned());
                }
                // tee goes on after an error, and only says so.
                let failed = CommandExit { status: Some(1), stderr: exit.stderr };
                check_exit(&failed, &self.target).map(|()| String::new())
            }
        }
    }

    /// How much of it a former attempt has left: in a file that has no other name.
    async fn have(&self) -> Result<u64, Cause> {
        let (folder, name) = split(self.below);
        if let Some(folder) = self.staging.here(folder) {
            let length =
                || Ok(folder?.reopen(name)?.map_or(0, |file| file.metadata().map_or(0, |it| it.len())));
            return length().map_err(|error: std::io::Error| cause_of(&error, &self.target));
        }
        let file = quoted(&format!("./{name}"));
        let script = format!(
            "{}find {file} -maxdepth 0 -type f -links 1 -exec sh -c 'wc -c <\"$1\"' sh {{}} ';' 2>/dev/null; exit 0",
            self.staging.enter_files(folder)
        );
        let said = remote_command::run(self.to, &script, &[], TIMEOUT).await;
        let said = said.unwrap_or(Err(Cause::FilesUnseen))?;
        Ok(String::from_utf8_lossy(&said).trim().parse().unwrap_or(0))
    }
}

const TIMEOUT: Duration = Duration::from_secs(60);

impl Source {
    /// The next bytes. The end before the end is an error.
    async fn read(&mut self, room: &mut [u8], at: u64, size: u64) -> Result<usize, Cause> {
        let read = match self {
            Self::Here(file) => file.read(room).await,
            Self::There { output, requests, asked, .. } => {
                while *asked * BLOCK < size && *asked * BLOCK < at + AHEAD * BLOCK {
                    let rest = (size - *asked * BLOCK).div_ceil(BLOCK);
                    let count = REQUEST.min(rest);
                    let end = ((*asked + count) * BLOCK).min(size);
                    // An error says that the command has ended; reading tells why.
                    drop(requests.write_all(format!("{asked} {count} {end}\n").as_bytes()).await);
                    *asked += count;
                }
                output.read(room).await
            }
        };
        match (read, self) {
            (Ok(0), Self::There { exit, .. }) => {
                check_exit(&exit.await, "")?;
                Err(TransferError::Command { text: "it is shorter than it was".to_owned() }.into())
            }
            (Ok(0), Self::Here(_)) => {
                Err(TransferError::Command { text: "it is shorter than it was".to_owned() }.into())
            }
            (Ok(read), _) => Ok(read),
            (Err(error), _) => Err(TransferError::Broken { text: error.to_string() }.into()),
        }
    }
}

/// Checksum of a file of that size, in hexadecimal.
async fn sha256(host: &Host, path: &str, size: u64) -> Result<String, Cause> {
    let timeout = TIMEOUT + Duration::from_secs(size / SLOWEST);
    if let Some(said) = remote_command::run(host, &format!("sha256sum <{}", quoted(path)), &[], timeout).await
    {
        let said = String::from_utf8_lossy(&said?).into_owned();
        return Ok(said.split_whitespace().next().unwrap_or_default().to_owned());
    }
    let hashed = match open_here(path).await {
        Ok(file) => hash(file.into_std().await).await,
        Err(error) => Err(error),
    };
    hashed.map_err(|error| cause_of(&error, path))
}

/// A regular file of this machine.
async fn open_here(path: &str) -> std::io::Result<tokio::fs::File> {
    let path = Path::new(path).to_owned();
    let opened = tokio::task::spawn_blocking(move || regular::open(&path)).await;
    let opened = opened.unwrap_or_else(|error| Err(std::io::Error::other(error)))?;
    opened.map(tokio::fs::File::from_std).ok_or_else(|| std::io::Error::other("it is no file"))
}

/// Checksum of all that is in a file, in hexadecimal.
async fn hash(mut file: std::fs::File) -> std::io::Result<String> {
    let hashed = tokio::task::spawn_blocking(move || {
        let mut hash = Context::new(&SHA256);
        let mut buffer = vec![0; BUFFER];
        std::io::Seek::rewind(&mut file)?;
        loop {
            match std::io::Read::read(&mut file, &mut buffer)? {
                0 => return Ok(hex(hash.finish().as_ref())),
                read => hash.update(buffer.get(..read).unwrap_or_default()),
            }
        }
    });
    hashed.await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
}
