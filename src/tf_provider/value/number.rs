//! Numbers without loss.
//!
//! Terraform counts in 512-bit floats and writes what a user wrote: `0.1` comes to us as the text "0.1" because no
//! `f64` is 0.1, and it has to go back as the same number or Terraform calls the plan inconsistent. So a number here
//! is an exact decimal. It is kept normalized (no trailing zeros in the digits), which makes equality, order and hash
//! those of the number and not of its spelling: `1.0`, `1` and `10e-1` are one value.
//!
//! A decimal has one danger: twelve characters can name a number of a billion digits. [`Number::MAX_DIGITS`] bounds
//! both sides of the point; every finite `f64` fits, and so does whatever Terraform can compute with.

use bigdecimal::BigDecimal;
use std::fmt;
use std::str::FromStr;

/// An exact, finite decimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(BigDecimal);

/// Why something is no [`Number`]. Worded to follow "got"; it never quotes the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    #[error("text that is not a decimal number")]
    NotDecimal,
    #[error("a number of more than {} digits before or after the point", Number::MAX_DIGITS)]
    TooLong,
}

impl Number {
    /// Most decimal digits before the point, and most after it. The smallest `f64` needs 1074 after the point.
    pub const MAX_DIGITS: u64 = 2048;

    /// Longest text, and furthest exponent, that is looked at: room for zeros which normalizing takes away.
    const MAX_SPELLING: u64 = 4 * Self::MAX_DIGITS;

    /// The number that `float` is exactly: 0.1 gives 0.1000000000000000055511151231257827…; `None` for NaN and the
    /// infinities. For the decimal that a person would write for a float, parse the float's text instead.
    pub fn from_f64(float: f64) -> Option<Self> {
        BigDecimal::try_from(float).ok().and_then(|decimal| Self::bounded(decimal).ok())
    }

    /// `None` if it has a fraction or is out of range.
    pub fn to_i64(&self) -> Option<i64> {
        self.to_string().parse().ok()
    }

    /// `None` if it is negative, has a fraction or is out of range.
    pub fn to_u64(&self) -> Option<u64> {
        self.to_string().parse().ok()
    }

    /// The nearest float; `None` beyond the largest finite one.
    pub fn to_f64(&self) -> Option<f64> {
        self.to_string().parse().ok().filter(|float: &f64| float.is_finite())
    }

    /// Normalizes. Looks at the exponent first, since all arithmetic on a huge one is slow or runs out of memory.
    fn bounded(decimal: BigDecimal) -> Result<Self, NumberError> {
        if decimal.fractional_digit_count().unsigned_abs() > Self::MAX_SPELLING {
            return Err(NumberError::TooLong);
        }
        let decimal = decimal.normalized();
        let after = decimal.fractional_digit_count();
        let before = i64::try_from(decimal.digits()).unwrap_or(i64::MAX).saturating_sub(after);
        let within = |digits: i64| u64::try_from(digits).unwrap_or(0) <= Self::MAX_DIGITS;
        if within(before) && within(after) { Ok(Self(decimal)) } else { Err(NumberError::TooLong) }
    }
}

impl From<i64> for Number {
    fn from(whole: i64) -> Self {
        Self(BigDecimal::from(whole).normalized())
    }
}

impl From<u64> for Number {
    fn from(whole: u64) -> Self {
        Self(BigDecimal::from(whole).normalized())
    }
}

/// Digits with an optional sign, point and exponent: `-12`, `.5`, `1e100`. No separators, no hexadecimal, no `inf`.
impl FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        if text.len() as u64 > Self::MAX_SPELLING {
            return Err(NumberError::TooLong);
        }
        if !is_decimal(text) {
            return Err(NumberError::NotDecimal);
        }
        // The grammar is settled, so what the parser still refuses is an exponent that fits no integer.
        BigDecimal::from_str(text).map_err(|_| NumberError::TooLong).and_then(Self::bounded)
    }
}

/// The parser of `bigdecimal` takes underscores and other liberties; Terraform's grammar is this one.
fn is_decimal(text: &str) -> bool {
    fn unsigned(part: &str) -> &str {
        part.strip_prefix(['+', '-']).unwrap_or(part)
    }
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (mantissa, exponent) = (unsigned(mantissa), unsigned(exponent));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let lacks_digits = exponent.is_empty() || whole.is_empty() && fraction.is_empty();
    !lacks_digits && digits(whole) && digits(fraction) && digits(exponent)
}

/// Plain canonical decimal as Terraform prints it: no exponent, no trailing zeros, no plus sign.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_plain_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::hash::{BuildHasher, RandomState};

    fn number(text: &str) -> Number {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn prints_plain_decimals() {
        for (text, plain) in [
            ("0", "0"),
            ("-0", "0"),
            ("-0.000", "0"),
            ("0e8000", "0"),
            ("-1", "-1"),
            ("+7", "7"),
            ("007", "7"),
            ("1.0", "1"),
            (".5", "0.5"),
            ("-.5", "-0.5"),
            ("5.", "5"),
            ("1.50", "1.5"),
            ("1e2", "100"),
            ("1E+2", "100"),
            ("100e-2", "1"),
            ("1e-3", "0.001"),
            ("9007199254740993", "9007199254740993"),
            ("9223372036854775808", "9223372036854775808"),
            ("12345678901234567890.5", "12345678901234567890.5"),
            ("1e100", &format!("1{}", "0".repeat(100))),
            ("1e-20", "0.00000000000000000001"),
        ] {
            assert_eq!(number(text).to_string(), plain, "{text}");
            assert_eq!(number(plain), number(text), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_decimal() {
        for text in [
            "", " ", "-", "+", ".", "-.", "e", "e5", ".e5", "1e", "1e+", "1e1.5", "1 ", " 1", "1_000",
            "0x10", "--1", "+-1", "1.2.3", "1.-2", "1.+2", "inf", "NaN", "Infinity", "٣", "1e2e3", "1,5",
        ] {
            assert_eq!(text.parse::<Number>(), Err(NumberError::NotDecimal), "{text:?}");
        }
    }

    #[test]
    fn refuses_absurd_sizes_without_computing_them() {
        let bound = usize::try_from(Number::MAX_DIGITS).unwrap();
        for text in [
            "1e999999999".to_owned(),
            "-1e999999999".to_owned(),
            "1e-999999999".to_owned(),
            "0e999999999".to_owned(),
            "1e9223372036854775807".to_owned(),
            "1e-9223372036854775808".to_owned(),
            "1.5e-9223372036854775808".to_owned(),
            format!("1e{}", "9".repeat(60)),
            "9".repeat(5_000_000),
            format!("0.{}", "0".repeat(5_000_000)),
            "9".repeat(bound + 1),
            format!("1e{bound}"),
            format!("1e-{}", bound + 1),
        ] {
            assert_eq!(text.parse::<Number>(), Err(NumberError::TooLong), "{:.30}", text);
        }
        assert_eq!(number(&format!("1e{}", bound - 1)).to_string().len(), bound);
        assert_eq!(number(&format!("1e-{bound}")).to_string().len(), bound + 2);
    }

    #[test]
    fn compares_numbers_not_spellings() {
        let hash = RandomState::new();
        for (left, right) in [("1.0", "1"), ("1e2", "100"), ("0.10", "1e-1"), ("-0", "0")] {
            assert_eq!(number(left), number(right));
            assert_eq!(hash.hash_one(number(left)), hash.hash_one(number(right)), "{left} {right}");
        }
        assert_eq!(Number::from(100_u64), number("1e2"));
        let ascending =
            ["-1e100", "-2", "-1.5", "0", "1e-100", "0.1", "2", "10", "9007199254740993", "1e100"];
        for pair in ascending.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn converts_only_what_fits() {
        for (text, i64, u64, f64) in [
            ("0", Some(0), Some(0), Some(0.0)),
            ("-1", Some(-1), None, Some(-1.0)),
            ("1.5", None, None, Some(1.5)),
            ("1e3", Some(1000), Some(1000), Some(1000.0)),
            ("9223372036854775807", Some(i64::MAX), Some(i64::MAX as u64), Some(9.223372036854776e18)),
            ("-9223372036854775808", Some(i64::MIN), None, Some(-9.223372036854776e18)),
            ("9223372036854775808", None, Some(1 << 63), Some(9.223372036854776e18)),
            ("18446744073709551616", None, None, Some(1.8446744073709552e19)),
            ("1e308", None, None, Some(1e308)),
            ("1e309", None, None, None),
            ("1e-2000", None, None, Some(0.0)),
        ] {
            let number = number(text);
            assert_eq!((number.to_i64(), number.to_u64(), number.to_f64()), (i64, u64, f64), "{text}");
        }
    }

    #[test]
    fn floats_are_exact() {
        let tenth = Number::from_f64(0.1).unwrap();
        assert_eq!(tenth.to_string(), "0.1000000000000000055511151231257827021181583404541015625");
        assert_ne!(tenth, number("0.1"));
        assert_eq!(Number::from_f64(-2.5), Some(number("-2.5")));
        assert_eq!(Number::from_f64(-0.0), Some(number("0")));
        for float in [f64::MIN, f64::MAX, f64::MIN_POSITIVE, f64::from_bits(1)] {
            assert_eq!(Number::from_f64(float).and_then(|number| number.to_f64()), Some(float));
        }
        for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Number::from_f64(float), None);
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_survive(whole: i64, unsigned: u64) {
            prop_assert_eq!(Number::from(whole).to_i64(), Some(whole));
            prop_assert_eq!(Number::from(whole).to_string(), whole.to_string());
            prop_assert_eq!(Number::from(unsigned).to_u64(), Some(unsigned));
        }

        #[test]
        fn every_finite_float_survives(bits: u64) {
            let float = f64::from_bits(bits);
            prop_assert_eq!(Number::from_f64(float).and_then(|n| n.to_f64()), Some(float).filter(|f| f.is_finite()));
        }

        #[test]
        fn any_text_is_a_number_or_an_error(text in "[-+.eE0-9_]{0,12}") {
            if let Ok(number) = text.parse::<Number>() {
                prop_assert_eq!(number.to_string().parse(), Ok(number));
            }
        }
    }
}
