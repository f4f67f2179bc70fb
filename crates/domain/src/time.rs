//! Time: UTC nanoseconds, and the length of a bar.

use crate::Coded;
use crate::error::hint_of;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A moment: nanoseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `nanos` nanoseconds after 1970 began.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }
    /// The moment `millis` milliseconds after 1970 began; saturates in the year 2262.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }
    /// Nanoseconds since 1970 began.
    #[must_use]
    #[inline]
    pub const fn nanos(self) -> i64 {
        self.0
    }
    /// Whole milliseconds since 1970 began.
    #[must_use]
    #[inline]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    /// The moment `nanos` later; saturates.
    #[must_use]
    #[inline]
    pub const fn plus_nanos(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }
    /// Nanoseconds from `earlier` to here, negative if it was later.
    #[must_use]
    #[inline]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
    /// Days since 1970-01-01, by UTC midnight.
    #[must_use]
    #[inline]
    pub const fn utc_day(self) -> i64 {
        self.0.div_euclid(86_400_000_000_000)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, such as `2026-05-16T18:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(moment) => write!(f, "{moment}"),
            Err(_) => write!(f, "{} ns", self.0),
        }
    }
}

/// The length of a bar: a whole number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    seconds: u32,
}

/// The text is not a bar length.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an interval")]
pub struct IntervalError(pub String);

impl Coded for IntervalError {
    fn code(&self) -> &'static str {
        "DOM-13"
    }
    fn hint(&self) -> &'static str {
        hint_of("DOM-13")
    }
}

impl Interval {
    /// One minute.
    pub const MINUTE: Self = Self { seconds: 60 };
    /// One hour.
    pub const HOUR: Self = Self { seconds: 3_600 };
    /// One day.
    pub const DAY: Self = Self { seconds: 86_400 };

    /// A bar of `seconds`.
    ///
    /// # Errors
    /// [`IntervalError`] for zero.
    pub fn from_seconds(seconds: u32) -> Result<Self, IntervalError> {
        if seconds == 0 { Err(IntervalError("0s".to_owned())) } else { Ok(Self { seconds }) }
    }
    /// Its length in seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.seconds
    }
    /// Its length in nanoseconds.
    #[must_use]
    #[inline]
    pub const fn nanos(self) -> i64 {
        self.seconds as i64 * 1_000_000_000
    }
    /// The open time of the bar that `moment` falls into, counted from 1970 (weeks from Monday 1970-01-05).
    #[must_use]
    pub fn floor(self, moment: Timestamp) -> Timestamp {
        let monday = if self.seconds.is_multiple_of(604_800) { 4 * 86_400_000_000_000 } else { 0 };
        let nanos = moment.nanos() - monday;
        Timestamp::from_nanos(nanos - nanos.rem_euclid(self.nanos()) + monday)
    }
    /// How many such bars a year of `days` trading days of round-the-clock trading holds.
    #[must_use]
    pub fn per_year(self, days: f64) -> f64 {
        days * 86_400.0 / f64::from(self.seconds)
    }
}

impl FromStr for Interval {
    type Err = IntervalError;
    fn from_str(text: &str) -> Result<Self, IntervalError> {
        let unknown = || IntervalError(text.to_owned());
        let unit_at = text.len().checked_sub(1).filter(|at| text.is_char_boundary(*at)).ok_or_else(unknown)?;
        let (count, unit) = text.split_at(unit_at);
        let unit: u32 = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 604_800,
            _ => return Err(unknown()),
        };
        let count: u32 = count.parse().map_err(|_| unknown())?;
        count.checked_mul(unit).filter(|s| *s > 0).map(|seconds| Self { seconds }).ok_or_else(unknown)
    }
}
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = [(604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m")]
            .into_iter()
            .find(|(unit, _)| self.seconds.is_multiple_of(*unit))
            .unwrap_or((1, "s"));
        write!(f, "{}{name}", self.seconds / unit)
    }
}
impl Serialize for Interval {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_read_and_written() {
        for text in ["1s", "1m", "15m", "1h", "4h", "1d", "1w", "90s"] {
            assert_eq!(text.parse::<Interval>().unwrap().to_string(), text);
        }
        for text in ["", "m", "0m", "1x", "-1m", "1.5h", "99999999w", "5€"] {
            assert_eq!(text.parse::<Interval>().unwrap_err().code(), "DOM-13", "{text}");
        }
    }

    #[test]
    fn bars_open_on_the_grid() {
        let moment = Timestamp::from_millis(1_704_070_861_234); // 2024-01-01T01:01:01.234Z, a Monday
        assert_eq!(Interval::MINUTE.floor(moment).to_string(), "2024-01-01T01:01:00Z");
        assert_eq!("1w".parse::<Interval>().unwrap().floor(moment).to_string(), "2024-01-01T00:00:00Z");
        assert_eq!(Interval::HOUR.floor(Timestamp::from_nanos(-1)).to_string(), "1969-12-31T23:00:00Z");
    }
}
