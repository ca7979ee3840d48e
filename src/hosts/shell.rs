//! Words for a POSIX shell.

/// `text` as one word. There is no NUL in a path or a command: what has one becomes a path that does not exist.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\0', "/\u{fffd}/").replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one() {
        for text in ["", "a b", "it's", "'", "$HOME `x` \"\\", "a\nb"] {
            let echo = format!("printf %s {}", quoted(text));
            let output = std::process::Command::new("sh").args(["-c", &echo]).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), text);
        }
        assert_eq!(quoted("/a b/it's"), r"'/a b/it'\''s'");
        assert_eq!(quoted("a\0b"), "'a/\u{fffd}/b'");
    }
}
