//! A channel as a plain two-way stream.
//!
//! A task carries bytes between the channel and a buffer of our own. The SSH library hands out messages of all channels
//! from one loop, which stops for everybody when one reader is slow; the buffer keeps a reader who is busy elsewhere (a
//! log that is followed while something else is asked) from stopping the others. The task also keeps what a plain stream
//! has no words for: what the command said on stderr, and how it ended.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, WriteHalf};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Bytes that a channel may be ahead of its reader. Who reads more than that in one go has it sent piece by piece.
/// It is what one channel of a host takes of memory at the most: four parcels of a copy and a few questions at once.
const SLACK: usize = 24 << 20;
/// What is read of our side at once, in bytes: a few of SSH's packets.
const CHUNK: usize = 256 << 10;
/// What is kept of stderr, in bytes.
pub(super) const MOST_STDERR: usize = 16 << 10;

/// After our end was dropped, how long the other side has to close the channel by itself. A command ends when its input
/// does, and the server counts it as a session until then; closing at once would free our place too early.
const GRACE: Duration = Duration::from_secs(1);

/// Our end of a channel. Shutting it down tells the other side that we have said all (it may go on); dropping it ends the
/// channel.
pub(super) struct ChannelIo {
    stream: DuplexStream,
    _open: DropGuard,
}

/// The end of a command, with the bytes that it wrote to stderr.
#[derive(Debug, Default)]
pub(super) struct RawExit {
    /// `None`: killed, or cut off.
    pub status: Option<u32>,
    pub stderr: Vec<u8>,
}

impl RawExit {
    /// Keeps the beginning of what is said on stderr.
    pub(super) fn hear(&mut self, data: &[u8]) {
        let room = MOST_STDERR.saturating_sub(self.stderr.len());
        self.stderr.extend(data.iter().take(room));
    }
}

/// Starts carrying. `permit` is given back when the channel is closed; `heard` is what was already heard of the command.
pub(super) fn carry(
    channel: Channel<Msg>,
    permit: Option<OwnedSemaphorePermit>,
    heard: RawExit,
) -> (ChannelIo, oneshot::Receiver<RawExit>) {
    let (stream, theirs) = tokio::io::duplex(SLACK);
    let (dropped, (told, ending)) = (CancellationToken::new(), oneshot::channel());
    let open = dropped.clone().drop_guard();
    tokio::spawn(async move {
        let (mut from_us, to_us) = tokio::io::split(theirs);
        let (mut messages, to_them) = channel.split();
        let mut ended = heard;
        let sending = async {
            // An error says that the channel is closed; the receiving side hears that too.
            let mut from_us = tokio::io::BufReader::with_capacity(CHUNK, &mut from_us);
            drop(tokio::io::copy_buf(&mut from_us, &mut to_them.make_writer()).await);
            drop(to_them.eof().await);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = receive(&mut messages, to_us, &mut ended) => {}
            () = sending => {}
            () = async { dropped.cancelled().await; tokio::time::sleep(GRACE).await } => {}
        }
        drop(to_them.close().await);
        drop(told.send(ended));
        drop(permit);
    });
    (ChannelIo { stream, _open: open }, ending)
}

/// Until the other side closes the channel. What comes when nobody reads any more is thrown away.
async fn receive(messages: &mut ChannelReadHalf, mut to_us: WriteHalf<DuplexStream>, ended: &mut RawExit) {
    while let Some(message) = messages.wait().await {
        match message {
            ChannelMsg::Data { data } => drop(to_us.write_all(&data).await),
            ChannelMsg::Eof => drop(to_us.shutdown().await),
            ChannelMsg::ExtendedData { data, ext: 1 } => ended.hear(&data),
            ChannelMsg::ExitStatus { exit_status } => ended.status = Some(exit_status),
            ChannelMsg::Close => return,
            _ => {}
        }
    }
}

impl AsyncRead for ChannelIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for ChannelIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
