//! Words of others as plain text: what a host, an Engine or a program says, without what a terminal would obey.
//!
//! An error quotes what came back, and it is read in a terminal or in the log of CI. Escape sequences there set titles,
//! hide lines and fill the clipboard; bidirectional controls turn text around, so that a name reads as another one.

use std::borrow::Cow;
use std::str::Chars;

/// Parameters of a control sequence, or characters of a title, that are believed to belong together. A sequence that has
/// no end must not swallow the text behind it.
const MOST_OF_A_SEQUENCE: usize = 256;

const ESCAPE: char = '\u{1b}';
const BELL: char = '\u{7}';
/// The one-byte form of `ESC \`.
const STRING_TERMINATOR: char = '\u{9c}';

/// The text without control sequences, control characters (lines and tabs stay) and bidirectional controls. Separators of
/// lines and paragraphs, which only some programs take for the end of a line, become blanks.
pub fn plain_text(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unruly) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            ESCAPE => match rest.next() {
                Some('[') => skip_control_sequence(&mut rest),
                Some(']' | 'P' | 'X' | '^' | '_') => skip_string(&mut rest),
                _ => {}
            },
            '\u{9b}' => skip_control_sequence(&mut rest),
            '\u{9d}' | '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}' => skip_string(&mut rest),
            '\u{2028}' | '\u{2029}' => plain.push(' '),
            c if is_unruly(c) => {}
            c => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

/// As [`plain_text`]; a text that is plain already is not copied.
pub fn into_plain_text(text: String) -> String {
    match plain_text(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(plain) => plain,
    }
}

fn is_unruly(c: char) -> bool {
    let bidirectional =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let separator = matches!(c, '\u{2028}' | '\u{2029}');
    bidirectional || separator || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// Skips parameters and the letter that ends them, as in `31m`.
fn skip_control_sequence(rest: &mut Chars<'_>) {
    for _ in 0..=MOST_OF_A_SEQUENCE {
        let mut ahead = rest.clone();
        match ahead.next() {
            Some('\u{20}'..='\u{3f}') => *rest = ahead,
            Some('\u{40}'..='\u{7e}') => {
                *rest = ahead;
                return;
            }
            _ => return,
        }
    }
}

/// Skips a title, a link or the like up to its end; nothing where it has none.
fn skip_string(rest: &mut Chars<'_>) {
    let mut ahead = rest.clone();
    for _ in 0..=MOST_OF_A_SEQUENCE {
        let ended = match ahead.next() {
            Some(BELL | STRING_TERMINATOR) => true,
            Some(ESCAPE) if ahead.next() == Some('\\') => true,
            Some(ESCAPE) | None => return,
            Some(_) => false,
        };
        if ended {
            *rest = ahead;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_sequences_go_and_text_stays() {
        let long = "x".repeat(1000);
        let table = [
            ("\u{1b}[2m2026\u{1b}[0m \u{1b}[32m INFO\u{1b}[0m up\n", "2026  INFO up\n"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{1b}]8;;http://x\u{1b}\\link", "link"),
            ("\u{1b}Pq\u{9c}a\u{1b}^b\u{1b}\\c\u{1b}_d\u{7}e\u{1b}Xf\u{9c}g", "aceg"),
            ("\u{9b}31mred\u{9d}0;title\u{7}.\u{90}a\u{9c}.\u{9f}b\u{1b}\\", "red.."),
            ("\u{1b}cafter \u{1b}(Breset", "after Breset"),
            ("a\r\nb\tc\u{0}\u{8}\u{7f}\u{85}", "a\nb\tc"),
            ("bad \u{fffd} byte, é, 你好, 🦀", "bad \u{fffd} byte, é, 你好, 🦀"),
            ("ends in \u{1b}[", "ends in "),
            ("ends in \u{1b}", "ends in "),
            ("\u{1b}[31é", "é"),
            ("\u{1b}]0;no end", "0;no end"),
            ("\u{1b}]0;cut \u{1b}[1mshort\u{7}", "0;cut short"),
            ("user\u{202e}txt.exe\u{2066}\u{200f}\u{61c}", "usertxt.exe"),
            ("one\u{2028}two\u{2029}three", "one two three"),
        ];
        for (raw, plain) in table {
            assert_eq!(plain_text(raw), plain, "{raw:?}");
            assert_eq!(plain_text(plain), plain, "twice: {raw:?}");
        }
        assert_eq!(plain_text(&format!("\u{1b}]{long}\u{7}")), long);
        assert!(plain_text(&format!("\u{1b}[{}m!", "1".repeat(1000))).ends_with("1m!"));
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(plain_text("as\tit is\n"), Cow::Borrowed(_)));
        assert_eq!(into_plain_text("as it is".to_owned()), "as it is");
    }

    proptest::proptest! {
        #[test]
        fn nothing_unruly_is_left(text in "(\\PC|[\\x00-\\x1f\\u{80}-\\u{9f}\\u{2028}-\\u{202e}])*") {
            let plain = plain_text(&text);
            proptest::prop_assert!(!plain.contains(is_unruly), "{:?}", plain);
        }
    }
}
