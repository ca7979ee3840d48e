//! Durations as Terraform users write them: `90s`, `30m`, `1h30m`.

use std::time::Duration;

/// Longest first, so that `ms` is not read as minutes.
const UNITS: [(&str, u64); 4] = [("ms", 1), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

/// `None` when the text is no duration, or zero.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = rest.split_at_checked(digits)?;
        let (unit, milliseconds) = UNITS.iter().find(|(unit, _)| tail.starts_with(unit))?;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*milliseconds)?)?;
        rest = tail.strip_prefix(unit)?;
    }
    (total > 0).then(|| Duration::from_millis(total))
}

/// Whether a text is a duration.
pub(crate) fn is_valid(text: &str) -> bool {
    parse(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_terraform_users_write() {
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("1h30m", 5400), ("2h", 7200), ("1h1m1s", 3661)] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse("250ms"), Some(Duration::from_millis(250)));
    }

    #[test]
    fn refuses_everything_else() {
        for text in ["", "0s", "30", "m", "-5m", "1.5h", "5 m", "99999999999999999999h", "3d"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
