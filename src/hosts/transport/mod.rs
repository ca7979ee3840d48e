//! How a host is reached: the one door through which everything else in `hosts` goes.
//!
//! A [`Transport`] opens byte streams and runs commands; what travels in the streams (the Engine's HTTP, a readiness probe's
//! HTTP) is not its business. So the Docker client, the probes and the inventory are the same for the local socket and for
//! SSH. [`local`] is the transport to this machine, and `hosts::ssh` the one to any other. [`engine_address`] is where
//! an Engine listens on its machine, [`listening_sockets`] reads the kernel's table of sockets.

pub(crate) mod engine_address;
pub(crate) mod listening_sockets;
pub(crate) mod local;
pub(crate) mod random;

use std::fmt;
use std::io;
use std::path::Path;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::hosts::error::Cause;
use listening_sockets::ListeningSocket;

/// A two-way byte stream.
pub trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}
/// A [`Duplex`] of any kind.
pub(crate) type Stream = Box<dyn Duplex>;

/// A transport to one host.
///
/// # Guarantees
/// Making one connects to nothing; the first call does. Each stream is independent of the others, and ends when it is
/// dropped.
///
/// # Assumptions
/// Callers give their calls a deadline: a stream itself waits for as long as the other side does.
///
/// # Caveats
/// `None` is no error: it says that this transport cannot see or do that. On this machine no program is started, so there
/// is no shell; and where the Engine's machine is another one, its files and ports cannot be seen.
///
/// # Errors
/// A [`Cause`] says what the user has to do. A connection that was cut is made again by the next call; a refused login is
/// final.
#[async_trait]
pub trait Transport: Send + Sync + fmt::Debug {
    /// A new stream to the Docker Engine.
    async fn engine(&self) -> Result<Stream, Cause>;

    /// A new stream to a TCP port, as seen from the host.
    async fn tcp(&self, address: &str, port: u16) -> io::Result<Stream>;

    /// Whether a path exists on the host; `None` when that cannot be seen from here. `engine_name` is what the Engine
    /// calls its machine.
    async fn path_exists(&self, path: &Path, engine_name: &str) -> Option<bool>;

    /// TCP sockets that listen on the host; `None` when they cannot be seen from here.
    async fn listening(&self, engine_name: &str) -> Option<Vec<ListeningSocket>>;

    /// Runs a POSIX shell script on the host; `None` where no program is started, which is so on this machine.
    async fn shell(&self, _script: &str) -> Option<Result<ShellOutput, Cause>> {
        None
    }

    /// Starts a command for the shell of the user there; `None` where no program is started, which is so on this machine.
    async fn exec(&self, _command: &str) -> Option<Result<RunningCommand, Cause>> {
        None
    }

    /// Ends connections that are kept. What is asked later fails.
    async fn close(&self) {}

    /// Whether the Engine's machine is the one that this process runs on, so that its files and devices are ours to see.
    fn is_here(&self, _engine_name: &str) -> bool {
        false
    }
}

/// A command that runs on a host. Dropping the stream ends it.
pub struct RunningCommand {
    /// Its input and output. Shutting our side down is the end of its input.
    pub stream: Stream,
    /// How it ended; comes when it has.
    pub exit: BoxFuture<'static, CommandExit>,
}

/// The end of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandExit {
    /// `None`: killed, or the connection broke.
    pub status: Option<u32>,
    pub stderr: String,
}

/// The output of a script. Bytes that are not UTF-8 are U+FFFD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellOutput {
    /// Exit status.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}
