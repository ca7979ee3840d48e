//! Facts about hosts in the spelling of Terraform's attributes.

use crate::dynamo::terms::amount::GIB;
use crate::tf_provider::attr::{Attr, Nested, NestedList};
use crate::tf_provider::value::Number;

/// Words for the attribute `host` of every data source.
pub(crate) const HOST: &str = "Entry of the provider's `hosts`. Left out: the only one.";

/// `units / unit` as a decimal with six digits after the point at most.
pub(crate) fn ratio(units: u64, unit: u64) -> Option<Number> {
    let millionths = u128::from(units) * 1_000_000 / u128::from(unit);
    format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000).parse().ok()
}

/// A number of bytes in GB (2³⁰ bytes).
pub(crate) fn gigabytes(bytes: u64) -> Attr<Number> {
    ratio(bytes, GIB).into()
}

/// A known text.
pub(crate) fn text(text: impl Into<String>) -> Attr<String> {
    Attr::Known(text.into())
}

/// A known list of nested objects, each of them known.
pub(crate) fn list<M>(items: impl IntoIterator<Item = M>) -> Attr<NestedList<M>> {
    Attr::Known(NestedList(items.into_iter().map(|item| Attr::Known(Nested(item))).collect()))
}

const DAY: i64 = 24 * 3600;

/// Seconds since 1970 in RFC 3339, UTC.
pub(crate) fn timestamp(seconds: i64) -> String {
    let (year, month, day) = date(seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// Days since 1970 as year, month and day. Years are counted from March, so that the leap day is the last of a year, and
/// in eras of 400 years, which all have the same number of days.
fn date(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    let days = days + 719_468; // from 1 March of the year 0
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        let table = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ];
        for (seconds, text) in table {
            assert_eq!(timestamp(seconds), text);
        }
    }

    #[test]
    fn sizes_are_decimals_without_rounding_errors() {
        for (bytes, shown) in [(0, "0"), (GIB, "1"), (GIB / 2 * 3, "1.5"), (1, "0")] {
            assert_eq!(gigabytes(bytes).known().unwrap().to_string(), shown);
        }
    }
}
