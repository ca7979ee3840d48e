//! Numbers without loss.

/// An exact decimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(bigdecimal::BigDecimal);
