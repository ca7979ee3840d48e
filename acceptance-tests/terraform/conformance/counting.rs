//! The Docker Engine behind a socket that counts requests.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};

/// Where the Engine listens when nothing is said.
const SOCKET: &str = "/var/run/docker.sock";

/// Ends the first line of every request.
const MARK: &[u8] = b" HTTP/1.1\r\n";

pub struct CountingEngine {
    folder: tempfile::TempDir,
    requests: Arc<AtomicUsize>,
}

impl CountingEngine {
    /// Listens until the runtime ends. The Engine behind it has to be one at a unix socket.
    pub async fn start() -> Self {
        let engine = std::env::var("DOCKER_HOST").unwrap_or_else(|_| format!("unix://{SOCKET}"));
        let engine = PathBuf::from(engine.strip_prefix("unix://").expect("DOCKER_HOST is no unix socket"));
        let folder = tempfile::Builder::new().prefix("counting").tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("engine.sock")).unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (from_client, mut to_client) = client.into_split();
                let (mut from_engine, to_engine) = UnixStream::connect(&engine).await.unwrap().into_split();
                tokio::spawn(count(from_client, to_engine, Arc::clone(&counter)));
                tokio::spawn(async move { tokio::io::copy(&mut from_engine, &mut to_client).await });
            }
        });
        Self { folder, requests }
    }

    /// As `DOCKER_HOST` has it.
    pub fn address(&self) -> String {
        format!("unix://{}", self.folder.path().join("engine.sock").display())
    }

    /// Since the start.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

/// Passes on what comes. A request may be cut anywhere, so the end of one piece is looked at again with the next.
async fn count(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, counter: Arc<AtomicUsize>) {
    let (mut piece, mut window) = ([0; 4096], Vec::new());
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        window.extend_from_slice(&piece[..length]);
        let found = window.windows(MARK.len()).filter(|bytes| *bytes == MARK).count();
        counter.fetch_add(found, Ordering::SeqCst);
        window.drain(..window.len().saturating_sub(MARK.len() - 1));
        if to.write_all(&piece[..length]).await.is_err() {
            break;
        }
    }
}
