//! A Docker Engine that is not what it should be: some questions it answers with what a case wants said, all others it
//! hands on to the real one.

use std::{
    io::{ErrorKind, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::super::harness::Scene;

/// What an answer without an end has in the end, in bytes: a test must not fill the machine.
const FLOOD: u64 = 160 << 20;

/// What is said instead of the real Engine's answer.
#[derive(Clone, Copy)]
pub enum Answer {
    Json(u16, &'static str),
    /// Begins like this and goes on with `x`.
    Flood(u16, &'static str),
}

/// Requests whose first line holds all these words are answered so; the first row that matches counts.
pub type Lies = &'static [(&'static [&'static str], Answer)];

pub struct FalseEngine {
    folder: tempfile::TempDir,
    most_sent: Arc<AtomicU64>,
    lied: Arc<AtomicU64>,
}

impl FalseEngine {
    pub fn start(lies: Lies) -> Self {
        let engine =
            Self { folder: tempfile::tempdir().unwrap(), most_sent: Arc::default(), lied: Arc::default() };
        let listener = UnixListener::bind(engine.socket()).unwrap();
        let (most_sent, lied) = (Arc::clone(&engine.most_sent), Arc::clone(&engine.lied));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (most_sent, lied) = (Arc::clone(&most_sent), Arc::clone(&lied));
                std::thread::spawn(move || {
                    // Whoever hangs up has heard enough.
                    let _ = serve(stream, lies, &most_sent, &lied);
                });
            }
        });
        engine
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    /// Terraform in this scene talks to this Engine.
    pub fn is_the_engine_of(&self, scene: &mut Scene) {
        scene.environment("DOCKER_HOST", &format!("unix://{}", self.socket().display()));
    }

    /// Bytes of the longest answer that somebody took.
    pub fn most_sent(&self) -> u64 {
        self.most_sent.load(Ordering::SeqCst)
    }

    /// How often something false was said.
    pub fn lied(&self) -> u64 {
        self.lied.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: UnixStream, lies: Lies, most_sent: &AtomicU64, lied: &AtomicU64) -> std::io::Result<()> {
    let request = head(&mut stream)?;
    let text = String::from_utf8_lossy(&request).into_owned();
    let first = text.lines().next().unwrap_or_default().to_owned();
    let lie = lies.iter().find(|(words, _)| words.iter().all(|word| first.contains(word)));
    let Some((_, answer)) = lie else { return hand_on(stream, &request) };
    lied.fetch_add(1, Ordering::SeqCst);
    match answer {
        Answer::Json(status, body) => {
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            )
        }
        Answer::Flood(status, begin) => {
            let mut sent = 0;
            let flooded = flood(&mut stream, *status, begin, &mut sent);
            most_sent.fetch_max(sent, Ordering::SeqCst);
            flooded
        }
    }
}

/// A request up to the end of its head, with what came along.
fn head(stream: &mut UnixStream) -> std::io::Result<Vec<u8>> {
    let (mut request, mut buffer) = (Vec::new(), [0; 8192]);
    while !request.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
    Ok(request)
}

fn flood(stream: &mut UnixStream, status: u16, begin: &str, sent: &mut u64) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{begin}\r\n",
        begin.len()
    )?;
    let chunk = [&b"10000\r\n"[..], &vec![b'x'; 1 << 16], b"\r\n"].concat();
    while *sent < FLOOD {
        stream.write_all(&chunk)?;
        *sent += 1 << 16;
    }
    Ok(())
}

fn hand_on(mut stream: UnixStream, request: &[u8]) -> std::io::Result<()> {
    let host = std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".to_owned());
    let mut engine = UnixStream::connect(host.strip_prefix("unix://").unwrap_or(&host))?;
    engine.write_all(request)?;
    let (mut from, mut to) = (stream.try_clone()?, engine.try_clone()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
    let copied = std::io::copy(&mut engine, &mut stream).map(drop);
    let _ = stream.shutdown(std::net::Shutdown::Both);
    copied
}
