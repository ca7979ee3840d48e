//! Two hosts with a shell each, which are this machine's; what is between them can be made to break.

use crate::hosts::transfer::*;
use crate::hosts::transport::listening_sockets::ListeningSocket;
use crate::hosts::transport::{CommandExit, RunningCommand, Stream, Transport};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio_util::sync::CancellationToken;

/// A machine with a shell. Its first `breaks` streams that write break off after some bytes; where it `hangs`, they stay
/// open, and nothing moves any more.
#[derive(Debug, Default)]
struct Shell {
    breaks: AtomicU32,
    hangs: bool,
}

#[async_trait::async_trait]
impl Transport for Shell {
    async fn engine(&self) -> Result<Stream, Cause> {
        Err(Cause::FilesUnseen)
    }
    async fn tcp(&self, _: &str, _: u16) -> std::io::Result<Stream> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
    async fn path_exists(&self, _: &Path, _: &str) -> Option<bool> {
        None
    }
    async fn listening(&self, _: &str) -> Option<Vec<ListeningSocket>> {
        None
    }
    async fn exec(&self, command: &str) -> Option<Result<RunningCommand, Cause>> {
        let mut child = tokio::process::Command::new("sh")
            .args(["-c", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (ours, theirs) = tokio::io::duplex(24 << 20);
        let (mut from_us, mut to_us) = tokio::io::split(theirs);
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let left = self.breaks.load(Ordering::SeqCst);
        let broken = left > 0 && command.contains("tee ");
        if broken {
            self.breaks.store(left - 1, Ordering::SeqCst);
        }
        let hangs = self.hangs;
        let most = if broken { TAKEN } else { u64::MAX };
        tokio::spawn(async move {
            use tokio::io::AsyncReadExt;
            drop(tokio::io::copy(&mut (&mut from_us).take(most), &mut stdin).await);
            if broken && hangs {
                std::future::pending::<()>().await;
            }
        });
        let exit = async move {
            use tokio::io::AsyncWriteExt;
            drop(tokio::io::copy(&mut stdout, &mut to_us).await);
            drop(to_us.shutdown().await);
            let output = child.wait_with_output().await.unwrap();
            let status = output.status.code().and_then(|code| u32::try_from(code).ok()).filter(|_| !broken);
            CommandExit { status, stderr: String::from_utf8_lossy(&output.stderr).into_owned() }
        };
        let exit = tokio::spawn(exit);
        Some(Ok(RunningCommand {
            stream: Box::new(ours),
            exit: Box::pin(async move { exit.await.unwrap() }),
        }))
    }
}

fn host(name: &str, breaks: u32) -> Host {
    Host::new(name, Arc::new(Shell { breaks: AtomicU32::new(breaks), hangs: false }), BTreeMap::new())
}

/// What arrives before a stream breaks off or hangs, in bytes.
const TAKEN: u64 = 9 << 20;

/// Takes so much, and then no more.
fn hanging() -> Host {
    Host::new("b", Arc::new(Shell { breaks: AtomicU32::new(1), hangs: true }), BTreeMap::new())
}

/// Content of which no two megabytes are alike.
fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect()
}

struct Pair {
    folder: tempfile::TempDir,
    files: Vec<TransferFile>,
}

impl Pair {
    fn new(files: &[(&str, &str, usize)]) -> Self {
        let folder = tempfile::Builder::new().prefix("it's $a ").tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("to")).unwrap();
        let mut list = Vec::new();
        for (at, to, size) in files {
            let path = folder.path().join("from").join(at);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content(*size)).unwrap();
            let size_bytes = *size as u64;
            list.push(TransferFile { at: (*at).into(), to: (*to).into(), size_bytes, sha256: None });
        }
        Self { folder, files: list }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    async fn run(&self, to: &Host) -> Result<BTreeMap<String, String>, HostError> {
        self.run_until(to, Duration::from_secs(20), &CancellationToken::new()).await
    }

    async fn run_until(
        &self,
        to: &Host,
        stall: Duration,
        stopping: &CancellationToken,
    ) -> Result<BTreeMap<String, String>, HostError> {
        let from_host = host("a", 0);
        let (from, target) = (self.path("from"), self.path("to"));
        let transfer = Transfer {
            what: "acme/Tiny",
            from: (&from_host, &from),
            to: (to, &target),
            files: &self.files,
            stall,
            stopping,
        };
        transfer.run().await
    }

    fn arrived(&self, checksums: &BTreeMap<String, String>) {
        assert_eq!(checksums.len(), self.files.len());
        for file in &self.files {
            let read = std::fs::read(Path::new(&self.path("to")).join(&file.to)).unwrap();
            assert!(read == content(file.size_bytes as usize), "{}", file.to);
            let checksum = file::hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &read).as_ref());
            assert_eq!(checksums[&file.to], checksum);
        }
    }
}

const LONG: &str = "a folder/with a name that is longer than the hundred bytes which an archive's header has for it, by far, and then some more/model-00001.json";

#[tokio::test]
async fn small_and_large_files_arrive_under_their_names() {
    let pair = Pair::new(&[
        ("blobs/x", "blobs/x", (20 << 20) + 17),
        ("blobs/exact", "deep/er/exact", 16 << 20),
        ("empty", "empty", 0),
        ("-rf", "-rf", 3),
        ("it's", "sub/it's \"$HOME\"", 5),
        (LONG, LONG, 100_000),
    ]);
    pair.arrived(&pair.run(&host("b", 0)).await.unwrap());
    // Once more: what is there is recognized, or written again.
    pair.arrived(&pair.run(&host("b", 0)).await.unwrap());
}

#[tokio::test]
async fn after_a_break_it_goes_on_where_it_was() {
    let pair = Pair::new(&[("x", "x", 40 << 20)]);
    pair.arrived(&pair.run(&host("b", 1)).await.unwrap());
}

#[tokio::test]
async fn silence_ends_it_and_the_next_run_goes_on() {
    let pair = Pair::new(&[("x", "x", 40 << 20)]);
    let stall = Duration::from_millis(500);
    let error = pair.run_until(&hanging(), stall, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.host, "b");
    assert!(error.to_string().contains("nothing moved for"), "{error}");
    pair.arrived(&pair.run(&host("b", 0)).await.unwrap());
}

#[tokio::test]
async fn it_stops_when_it_is_told_to_and_the_next_run_goes_on() {
    let pair = Pair::new(&[("x", "x", 40 << 20), ("small", "small", 10)]);
    let (to, stopping, half) = (hanging(), CancellationToken::new(), Path::new(&pair.path("to")).join("x"));
    let stop = async {
        // All that will ever move: a command that still wrote would write into the next run's file.
        while std::fs::metadata(&half).map_or(0, |about| about.len()) < TAKEN {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stopping.cancel();
    };
    let long = Duration::from_secs(600);
    let (exit, ()) = tokio::join!(pair.run_until(&to, long, &stopping), stop);
    let error = exit.unwrap_err();
    assert!(error.to_string().contains("it was stopped"), "{error}");
    pair.arrived(&pair.run(&host("b", 0)).await.unwrap());
}

#[tokio::test]
async fn what_a_former_attempt_left_is_checked() {
    let pair = Pair::new(&[("x", "x", 12 << 20)]);
    let left = Path::new(&pair.path("to")).join("x");
    for bytes in [content(5 << 20), vec![7; 5 << 20], vec![7; 12 << 20], vec![7; 30 << 20]] {
        std::fs::write(&left, bytes).unwrap();
        pair.arrived(&pair.run(&host("b", 0)).await.unwrap());
    }
}

#[tokio::test]
async fn what_is_not_what_its_name_says_is_an_error_of_the_source() {
    for size in [10, 10 << 20] {
        let mut pair = Pair::new(&[("x", "x", size)]);
        pair.files[0].sha256 = Some("0".repeat(64));
        let error = pair.run(&host("b", 0)).await.unwrap_err();
        assert_eq!(error.host, "a");
        assert!(error.to_string().contains("not what its checksum says"), "{error}");
    }
}

#[tokio::test]
async fn a_source_that_went_or_shrank_is_an_error_with_its_path() {
    for (size, gone) in [(10, true), (10, false), (10 << 20, true), (10 << 20, false)] {
        let pair = Pair::new(&[("x", "x", size)]);
        let source = Path::new(&pair.path("from")).join("x");
        if gone {
            std::fs::remove_file(&source).unwrap()
        } else {
            std::fs::write(&source, b"less").unwrap()
        }
        let error = pair.run(&host("b", 0)).await.unwrap_err();
        assert_eq!(error.host, "a", "{error}");
        assert!(error.to_string().contains("could not be read to its end"), "{error}");
    }
}

#[tokio::test]
async fn what_has_arrived_appears_at_once_or_beside_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let there = host("b", 0);
    let fill = |name: &str, file: &str, text: &str| {
        let file = Path::new(&path(name)).join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    };
    fill("temp", "blobs/a", "new");
    there.move_into(&path("temp"), &path("above/final")).await.unwrap();
    fill("temp", "blobs/b", "b");
    fill("temp", "blobs/a", "newer");
    fill("temp", "refs/main", "c");
    fill("above/final", "blobs/other", "stays");
    there.move_into(&path("temp"), &path("above/final")).await.unwrap();
    let read = |file: &str| std::fs::read_to_string(Path::new(&path("above/final")).join(file)).unwrap();
    assert_eq!(
        [read("blobs/a"), read("blobs/b"), read("blobs/other"), read("refs/main")],
        ["newer", "b", "stays", "c"]
    );
    assert!(!Path::new(&path("temp")).exists());

    let ours = ["blobs/a", "blobs/b", "refs/main", "gone already"].map(str::to_owned);
    there.remove_files(&path("above/final"), &ours).await.unwrap();
    assert_eq!(read("blobs/other"), "stays");
    there.remove_files(&path("above/final"), &["blobs/other".to_owned()]).await.unwrap();
    assert!(!Path::new(&path("above/final")).exists());
    there.remove_files(&path("above/final"), &ours).await.unwrap();
}

#[test]
fn batches_are_bounded_and_streams_come_first() {
    let file = |size_bytes| TransferFile { at: "x".into(), to: "x".into(), size_bytes, sha256: None };
    let files = [file(5 << 20), file(LARGE), file(5 << 20), file(LARGE + 1), file(1)];
    let sizes: Vec<Vec<u64>> = work_items(&files)
        .iter()
        .map(|item| match item {
            WorkItem::Stream(file) => vec![file.size_bytes],
            WorkItem::Batch(files) => files.iter().map(|file| file.size_bytes).collect(),
        })
        .collect();
    assert_eq!(sizes, [vec![LARGE + 1], vec![LARGE], vec![5 << 20], vec![5 << 20, 1]]);
    assert_eq!(work_items(&vec![file(0); BATCH_FILES + 1]).len(), 2);
}
