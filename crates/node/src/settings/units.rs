//! Values that carry their unit in the file.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use tradewind_domain::{LEDGER_DECIMALS, format_decimal, parse_decimal};

/// A part of something in basis points, written as `"2.5%"`; at most 100 %, except where a profile says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent(u32);

impl Percent {
    /// That many basis points; more than 100 % counts as 100 %.
    #[must_use]
    pub const fn from_bps(bps: u32) -> Self {
        Self(if bps > 10_000 { 10_000 } else { bps })
    }
    /// In basis points.
    #[must_use]
    pub const fn bps(self) -> u32 {
        self.0
    }
}

/// An amount of the base currency, written as decimal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(i64);

impl Amount {
    /// In ledger units.
    #[must_use]
    pub const fn units(self) -> i64 {
        self.0
    }
}

/// A span of time, written as `"500ms"`, `"5s"`, `"2m"`, `"1h"` or `"90d"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(i64);

impl Seconds {
    /// A span of `millis` milliseconds.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * 1_000_000)
    }
    /// In nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }
    /// As a duration.
    #[must_use]
    pub const fn duration(self) -> std::time::Duration {
        std::time::Duration::from_nanos(self.0.unsigned_abs())
    }
}

/// Reads text through `parse`, naming `what` is expected when it is no text at all.
fn text<'de, D, T>(deserializer: D, what: &'static str, parse: fn(&str) -> Result<T, String>) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
{
    struct Reader<T>(&'static str, fn(&str) -> Result<T, String>);
    impl<T> de::Visitor<'_> for Reader<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            (self.1)(text).map_err(E::custom)
        }
    }
    deserializer.deserialize_str(Reader(what, parse))
}

fn percent(text: &str) -> Result<Percent, String> {
    let remedy = || format!("`{text}` is not a percentage: write it with its unit, such as \"2.5%\"");
    let number = text.strip_suffix('%').ok_or_else(remedy)?;
    let bps = parse_decimal(number.trim(), 2).map_err(|_| remedy())?;
    match u32::try_from(bps) {
        Ok(bps) if bps <= 10_000 => Ok(Percent(bps)),
        Ok(_) => Err(format!("`{text}` is more than 100%")),
        Err(_) => Err(format!("`{text}` is negative")),
    }
}

fn amount(text: &str) -> Result<Amount, String> {
    parse_decimal(text, LEDGER_DECIMALS).map(Amount).map_err(|error| error.to_string())
}

fn seconds(text: &str) -> Result<Seconds, String> {
    const MILLI: i64 = 1_000_000;
    let remedy = || format!("`{text}` is not a duration: write it with its unit, such as \"500ms\", \"5s\" or \"2m\"");
    let (number, unit) = [
        ("ms", MILLI),
        ("s", 1_000 * MILLI),
        ("m", 60_000 * MILLI),
        ("h", 3_600_000 * MILLI),
        ("d", 86_400_000 * MILLI),
    ]
    .into_iter()
    .find_map(|(unit, nanos)| text.strip_suffix(unit).map(|number| (number, nanos)))
    .ok_or_else(remedy)?;
    let millis = parse_decimal(number.trim(), 3).map_err(|_| remedy())?;
    match millis.checked_mul(unit / 1_000) {
        Some(nanos) if nanos > 0 => Ok(Seconds(nanos)),
        Some(_) => Err(format!("`{text}` is not positive")),
        None => Err(format!("`{text}` is too long")),
    }
}

impl std::str::FromStr for Percent {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        percent(text)
    }
}
impl std::str::FromStr for Amount {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        amount(text)
    }
}
impl std::str::FromStr for Seconds {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        seconds(text)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a percentage with its unit, such as \"2.5%\"", percent)
    }
}
impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a decimal number as text, such as \"1000\"", amount)
    }
}
impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a duration with its unit, such as \"5s\"", seconds)
    }
}
impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}%", format_decimal(self.0.into(), 2)))
    }
}
impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_decimal(self.0.into(), LEDGER_DECIMALS))
    }
}
impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let units = [("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000)];
        match units.into_iter().find(|(_, nanos)| self.0 % nanos == 0) {
            Some((unit, nanos)) => serializer.collect_str(&format_args!("{}{unit}", self.0 / nanos)),
            None => serializer.collect_str(&format_args!("{}ms", format_decimal(self.0.into(), 6))),
        }
    }
}
