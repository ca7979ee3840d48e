//! One command on the host, with all its input at hand.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::hosts::error::Cause;
use crate::hosts::error::files::TransferError;
use crate::hosts::host::Host;
use crate::hosts::shell::quoted;
use crate::hosts::transport::CommandExit;

/// What is read of an answer, in bytes: a batch of files is smaller.
const MOST_OUTPUT: u64 = 256 << 20;

/// A script as a command.
pub(super) fn sh(script: &str) -> String {
    format!("sh -c {}", quoted(script))
}

/// Runs a script to its end; `None` where no program is started.
pub(super) async fn run(
    host: &Host,
    script: &str,
    input: &[u8],
    timeout: Duration,
) -> Option<Result<Vec<u8>, Cause>> {
    let running = match host.0.transport.exec(&sh(script)).await? {
        Ok(running) => running,
        Err(cause) => return Some(Err(cause)),
    };
    let work = async {
        let (mut output, mut stdin) = tokio::io::split(running.stream);
        let mut answer = Vec::new();
        let send = async {
            // A command that does not read its input to the end has its reasons, and an exit status.
            drop(stdin.write_all(input).await);
            drop(stdin.shutdown().await);
        };
        let receive = async { drop((&mut output).take(MOST_OUTPUT).read_to_end(&mut answer).await) };
        tokio::join!(send, receive);
        check_exit(&running.exit.await, "").map(|()| answer)
    };
    let slow = || TransferError::Stalled { seconds: timeout.as_secs(), text: "a command".to_owned() };
    Some(tokio::time::timeout(timeout, work).await.unwrap_or_else(|_| Err(slow().into())))
}

/// What a command's end means. `path` is what it worked on.
pub(super) fn check_exit(exit: &CommandExit, path: &str) -> Result<(), Cause> {
    let text = exit.stderr.trim().chars().take(400).collect::<String>();
    match exit.status {
        Some(0) => Ok(()),
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
        assert!(matches!(end(Some(2), "tar: x: not found"), Cause::Files(error) if !error.passes()));
    }
}
