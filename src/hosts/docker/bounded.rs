//! A stream of which no more than so much is read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::hosts::error::Cause;
use crate::hosts::transport::Stream;

/// Fails with [`Cause::AnswerTooLong`] at the first byte beyond what may come.
pub(super) struct Bounded {
    stream: Stream,
    left: u64,
    most: u64,
}

impl Bounded {
    pub(super) fn new(stream: Stream, most: u64) -> Self {
        Self { stream, left: most, most }
    }
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let read = (buffer.filled().len() - before) as u64;
        match self.left.checked_sub(read) {
            Some(left) => {
                self.left = left;
                polled
            }
            None => {
                buffer.set_filled(before);
                let cause = Cause::AnswerTooLong { mebibytes: self.most.div_ceil(1 << 20) };
                Poll::Ready(Err(io::Error::other(cause)))
            }
        }
    }
}

impl AsyncWrite for Bounded {
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn the_first_byte_too_many_is_an_error() {
        for (most, fits) in [(5, true), (6, true), (4, false), (0, false)] {
            let (ours, theirs) = tokio::io::duplex(64);
            let (_, mut said) = tokio::io::split(theirs);
            tokio::io::AsyncWriteExt::write_all(&mut said, b"hello").await.unwrap();
            tokio::io::AsyncWriteExt::shutdown(&mut said).await.unwrap();
            let read = Bounded::new(Box::new(ours), most).read_to_end(&mut Vec::new()).await;
            assert_eq!(read.is_ok(), fits, "{most}");
            if let Err(error) = read {
                let cause = error.get_ref().and_then(|it| it.downcast_ref::<Cause>()).unwrap();
                assert!(matches!(cause, Cause::AnswerTooLong { .. }), "{cause:?}");
            }
        }
    }
}
