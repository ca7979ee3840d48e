//! The last words of a container, fit for an error message: no colors, valid text, bounded.

use bollard::query_parameters::LogsOptions;
use futures_util::TryStreamExt;

use super::containers::container;
use super::host::Host;
use crate::hosts::error::HostError;

/// What is kept of a tail: the last 64 KiB.
const MOST_BYTES: usize = 64 << 10;

impl Host {
    /// The last `lines` lines of a container's output, both streams as they came.
    pub async fn logs_tail(&self, name: &str, lines: u32) -> Result<String, HostError> {
        let raw = self
            .ask("read the log of", &container(name), |docker| async move {
                let options = LogsOptions {
                    stdout: true,
                    stderr: true,
                    tail: lines.to_string(),
                    ..LogsOptions::default()
                };
                let stream = docker.logs(name, Some(options));
                stream
                    .try_fold(Vec::new(), |mut tail, chunk| async move {
                        tail.extend_from_slice(&chunk.into_bytes());
                        let excess = tail.len().saturating_sub(MOST_BYTES);
                        tail.drain(..excess);
                        Ok(tail)
                    })
                    .await
            })
            .await?;
        Ok(plain(&raw))
    }
}

/// Text without terminal control sequences. Bytes that are not UTF-8 become U+FFFD.
fn plain(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut rest),
            '\n' | '\t' => plain.push(c),
            c if c.is_control() => {}
            c => plain.push(c),
        }
    }
    plain
}

/// Skips what follows an ESC: `[` parameters and a final letter, `]` a title up to BEL or ESC, or a single character.
fn skip_sequence(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match rest.next() {
        Some('[') => {
            rest.find(|c| ('\u{40}'..='\u{7e}').contains(c));
        }
        Some(']') => {
            while let Some(c) = rest.next() {
                if c == '\u{7}' || (c == '\u{1b}' && rest.next_if_eq(&'\\').is_some()) {
                    break;
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_sequences_go_and_text_stays() {
        let table: [(&[u8], &str); 6] = [
            (b"\x1b[2m2026\x1b[0m \x1b[32m INFO\x1b[0m up\n", "2026  INFO up\n"),
            (b"\x1b]0;title\x07text", "text"),
            (b"\x1b]8;;http://x\x1b\\link", "link"),
            (b"a\r\nb\tc\x00", "a\nb\tc"),
            (b"bad \xff byte", "bad \u{fffd} byte"),
            (b"ends in \x1b[", "ends in "),
        ];
        for (raw, text) in table {
            assert_eq!(plain(raw), text);
        }
    }
}
