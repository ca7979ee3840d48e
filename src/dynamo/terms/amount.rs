//! Numbers that users write: fractions of a CPU, gigabytes, a temperature.
//!
//! Terraform's numbers are decimals of any size, and a float would turn `0.1` into something else between two plans.
//! An [`Amount`] is a decimal with 18 digits after the point, which is finer than anything counted here (a nano-CPU
//! has 9, a byte of a gigabyte 10), compares exactly, and is as cheap as an integer.

use std::fmt;
use std::str::FromStr;

use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive};

const DIGITS: u32 = 18;
const ONE: i128 = 10_i128.pow(DIGITS);
/// Beyond every limit checked anywhere; what is larger is counted as this.
const MOST: i128 = 10_i128.pow(19) * ONE;

/// Bytes in a gigabyte as this provider counts them, and as `docker run --memory 1g` does.
pub(crate) const GIB: u64 = 1 << 30;
/// Nano-CPUs in a CPU, as the Engine counts them.
pub(crate) const NANO: u64 = 1_000_000_000;

/// A decimal, exact to 18 digits after the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(i128);

impl Amount {
    pub const ZERO: Self = Self(0);

    pub const fn from_int(whole: u32) -> Self {
        Self(whole as i128 * ONE)
    }

    /// `thousandths` / 1000.
    pub const fn from_milli(thousandths: u32) -> Self {
        Self(thousandths as i128 * (ONE / 1000))
    }

    /// Digits beyond the 18th are cut off; beyond ±10¹⁹ the number is counted as ±10¹⁹.
    pub fn from_decimal(number: &BigDecimal) -> Self {
        let digits = i64::try_from(number.digits()).unwrap_or(i64::MAX);
        let magnitude = digits.saturating_sub(number.fractional_digit_count());
        // Looked at before any arithmetic: 1e999999999 is a number in Terraform.
        if magnitude > 20 {
            return Self(if number.sign() == bigdecimal::num_bigint::Sign::Minus { -MOST } else { MOST });
        }
        if magnitude < -i64::from(DIGITS) {
            return Self::ZERO;
        }
        let scaled = number.with_scale_round(i64::from(DIGITS), RoundingMode::Down);
        let (units, _) = scaled.into_bigint_and_exponent();
        Self(units.to_i128().unwrap_or(MOST).clamp(-MOST, MOST))
    }

    /// This times `factor`, rounded down; `None` when negative or more than a `u64` holds.
    pub fn times(self, factor: u64) -> Option<u64> {
        let whole = (self.0 / ONE).checked_mul(i128::from(factor))?;
        // The fraction is below 10¹⁸ and a u64 below 2 × 10¹⁹, so their product fits.
        let part = (self.0 % ONE).checked_mul(i128::from(factor))? / ONE;
        u64::try_from(whole.checked_add(part)?).ok()
    }
}

impl FromStr for Amount {
    type Err = bigdecimal::ParseBigDecimalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        BigDecimal::from_str(text).map(|number| Self::from_decimal(&number))
    }
}

/// Plain decimal notation without trailing zeros, as argparse and users read it.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let units = self.0.unsigned_abs();
        let (whole, part) = (units / ONE.unsigned_abs(), units % ONE.unsigned_abs());
        let fraction = format!("{part:018}");
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{sign}{whole}"),
            digits => write!(f, "{sign}{whole}.{digits}"),
        }
    }
}

#[cfg(test)]
impl<'de> serde::Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(from)?;
        number.to_string().parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn prints_as_written() {
        for text in ["0", "8", "0.1", "1.5", "-2.25", "0.000000000000000001", "1000000"] {
            assert_eq!(amount(text).to_string(), text);
        }
        assert_eq!(amount("1e3").to_string(), "1000");
        assert_eq!(amount("2.50").to_string(), "2.5");
    }

    #[test]
    fn multiplies_exactly_and_rounds_down() {
        assert_eq!(amount("0.1").times(1_000_000_000), Some(100_000_000));
        assert_eq!(amount("1.5").times(GIB), Some(1_610_612_736));
        assert_eq!(amount("0.3333333333333333333333").times(10), Some(3));
        assert_eq!(amount("-1").times(2), None);
        assert_eq!(amount("17179869184").times(GIB), None);
        assert_eq!(amount("0.5").times(u64::MAX), Some(u64::MAX / 2));
    }

    #[test]
    fn absurd_exponents_are_cut_and_not_computed() {
        assert_eq!(amount("1e999999999"), Amount(MOST));
        assert_eq!(amount("-1e999999999"), Amount(-MOST));
        assert_eq!(amount("1e-999999999"), Amount::ZERO);
    }
}
