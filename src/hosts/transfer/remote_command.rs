//! One command on the host, with all its input at hand.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use crate::hosts::error::Cause;
use crate::hosts::error::files::TransferError;
use crate::hosts::host::Host;
use crate::hosts::shell::quoted;
use crate::hosts::transport::CommandExit;

/// For what is quick unless the disk or the line is slow.
pub(super) const TIMEOUT: Duration = Duration::from_secs(600);
/// Exit status of a script that found another folder than was left to it.
pub(super) const CHANGED: u32 = 67;
/// Longest answer of a command that says a few words, in bytes.
pub(super) const MOST_WORDS: u64 = 1 << 20;

/// A script as a command.
pub(super) fn sh(script: &str) -> String {
    format!("sh -c {}", quoted(script))
}

/// Runs a script that says a few words to its end; `None` where no program is started.
pub(super) async fn run(
    host: &Host,
    script: &str,
    input: &[u8],
    timeout: Duration,
) -> Option<Result<Vec<u8>, Cause>> {
    run_for(host, script, input, timeout, MOST_WORDS).await
}

/// As [`run`], of a script whose answer has no more than so many bytes.
pub(super) async fn run_for(
    host: &Host,
    script: &str,
    input: &[u8],
    timeout: Duration,
    most: u64,
) -> Option<Result<Vec<u8>, Cause>> {
    let running = match host.0.transport.exec(&sh(script)).await? {
        Ok(running) => running,
        Err(cause) => return Some(Err(cause)),
    };
    let work = async {
        let (mut output, mut stdin) = tokio::io::split(running.stream);
        let send = async {
            // A command that does not read its input to the end has its reasons, and an exit status.
            drop(stdin.write_all(input).await);
            drop(stdin.shutdown().await);
            Ok::<(), Cause>(())
        };
        let receive = read_to_end(&mut output, most);
        // Who has read too much ends both: the command may wait for us to read, and not read itself.
        let ((), answer) = tokio::try_join!(send, receive)?;
        check_exit(&running.exit.await, "").map(|()| answer)
    };
    let slow = || TransferError::Stalled { seconds: timeout.as_secs(), text: "a command".to_owned() };
    Some(tokio::time::timeout(timeout, work).await.unwrap_or_else(|_| Err(slow().into())))
}

/// All that comes, which is an error where it is more than `most` bytes. What breaks off is told by the command's end.
pub(super) async fn read_to_end(from: impl AsyncRead + Unpin, most: u64) -> Result<Vec<u8>, Cause> {
    let mut bytes = Vec::new();
    drop(from.take(most + 1).read_to_end(&mut bytes).await);
    if bytes.len() as u64 > most {
        return Err(Cause::AnswerTooLong { mebibytes: most.div_ceil(1 << 20) });
    }
    Ok(bytes)
}

/// What a command's end means. `path` is what it worked on.
pub(super) fn check_exit(exit: &CommandExit, path: &str) -> Result<(), Cause> {
    let text = exit.stderr.trim().chars().take(400).collect::<String>();
    match exit.status {
        Some(0) => Ok(()),
        Some(CHANGED) => Err(TransferError::FolderChanged { text }.into()),
        None => Err(TransferError::Broken { text: "its end was not heard".to_owned() }.into()),
        Some(_) if text.contains("No space left") => Err(Cause::NoSpace { text }),
        Some(_) if text.contains("Permission denied") || text.contains("Read-only file system") => {
            let named = text.split('\'').nth(1).or_else(|| text.split('‘').nth(1)).unwrap_or(path);
            let path = named.split('’').next().unwrap_or(named).to_owned();
            Err(TransferError::NotWritable { path, text }.into())
        }
        Some(status) => Err(TransferError::Command { text: format!("{status}: {text}") }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_command_says_what_to_do() {
        let end = |status, stderr: &str| {
            check_exit(&CommandExit { status, stderr: stderr.to_owned() }, "/x").unwrap_err()
        };
        assert!(check_exit(&CommandExit { status: Some(0), stderr: "tar: warning".into() }, "/x").is_ok());
        assert!(matches!(end(Some(1), "tee: /x: No space left on device"), Cause::NoSpace { .. }));
        let denied = end(Some(1), "mkdir: cannot create directory '/data': Permission denied").to_string();
        assert!(denied.starts_with("this user may not write to /data "), "{denied}");
        assert!(matches!(end(None, ""), Cause::Files(error) if error.passes()));
        let changed = end(Some(CHANGED), "/data/x: somebody changed what is in it").to_string();
        assert!(changed.contains("/data/x"), "{changed}");
        assert!(matches!(end(Some(2), "tar: x: not found"), Cause::Files(error) if !error.passes()));
    }

    #[tokio::test]
    async fn an_answer_without_an_end_is_not_read() {
        let error = read_to_end(tokio::io::repeat(b'x'), 3 << 20).await.unwrap_err();
        assert_eq!(error, Cause::AnswerTooLong { mebibytes: 3 });
        assert!(error.to_string().contains("longer than 3 MiB"), "{error}");
        assert_eq!(read_to_end(&b"abc"[..], 3).await, Ok(b"abc".to_vec()));
        assert!(read_to_end(&b"abcd"[..], 3).await.is_err());
    }
}
