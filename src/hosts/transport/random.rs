//! Random tokens: names that nothing has yet, and words that nobody on the other side can know beforehand.

use std::fmt::Write as _;

/// `BYTES` random bytes, in hexadecimal.
pub(in crate::hosts) fn token<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    let mut text = String::with_capacity(2 * BYTES);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tokens_are_alike() {
        let (one, other) = (token::<16>().unwrap(), token::<16>().unwrap());
        assert_eq!((one.len(), other.len()), (32, 32));
        assert_ne!(one, other);
        assert!(one.chars().all(|c| c.is_ascii_hexdigit()));
    }
}
