//! From the listening socket to connections that gRPC can be spoken on.
//!
//! Accepting and greeting are apart: a peer that connects and then says nothing, or says nonsense, holds up only the
//! task that greets it, and that one gives up in the end. The next client is served meanwhile.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

/// How long a peer may take for its TLS handshake.
const GREETING: Duration = Duration::from_secs(10);

/// After an error of `accept` itself, such as too many open files: time for it to pass.
const BREATH: Duration = Duration::from_millis(100);

trait Duplex: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Duplex for T {}

/// A greeted connection, plain or encrypted.
pub(super) struct Connection(Pin<Box<dyn Duplex>>);

/// Accepts until the stream is dropped. With `tls`, only peers that pass its handshake come out of the stream.
pub(super) fn connections(
    listener: UnixListener,
    tls: Option<TlsAcceptor>,
) -> impl Stream<Item = io::Result<Connection>> {
    let (greeted, stream) = mpsc::channel(16);
    tokio::spawn(async move {
        tokio::select! {
            () = greeted.closed() => {}
            never = accept(&listener, tls, &greeted) => match never {},
        }
    });
    ReceiverStream::new(stream)
}

async fn accept(
    listener: &UnixListener,
    tls: Option<TlsAcceptor>,
    greeted: &mpsc::Sender<io::Result<Connection>>,
) -> std::convert::Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (tls, greeted) = (tls.clone(), greeted.clone());
                tokio::spawn(async move {
                    match greet(stream, tls).await {
                        // Nobody listens any more only when the process is about to end.
                        Ok(connection) => drop(greeted.send(Ok(connection)).await),
                        Err(error) => tracing::warn!(%error, "refused a connection to the plugin socket"),
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection to the plugin socket");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

async fn greet(stream: UnixStream, tls: Option<TlsAcceptor>) -> io::Result<Connection> {
    let Some(tls) = tls else { return Ok(Connection(Box::pin(stream))) };
    match tokio::time::timeout(GREETING, tls.accept(stream)).await {
        Ok(stream) => Ok(Connection(Box::pin(stream?))),
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the peer did not finish its TLS handshake")),
    }
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}
