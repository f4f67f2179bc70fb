//! Times of a file: Unix numbers of a unit told by their size, and dates as text.
//!
//! The rule for numbers: the unit is the one that puts the first row between the years 1980 and 2100. The four spans
//! do not touch, so there is at most one; a later row outside that unit's span is a defect.

use jiff::tz::TimeZone;

const SECOND: i64 = 1_000_000_000;
const FIRST: i64 = 315_532_800; // 1980-01-01
const LAST: i64 = 4_102_444_800; // 2100-01-01

/// The unit of Unix times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Millis,
    Micros,
    Nanos,
}

impl Unit {
    const ALL: [Self; 4] = [Self::Seconds, Self::Millis, Self::Micros, Self::Nanos];

    const fn nanos(self) -> i64 {
        match self {
            Self::Seconds => SECOND,
            Self::Millis => 1_000_000,
            Self::Micros => 1_000,
            Self::Nanos => 1,
        }
    }
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "Unix seconds",
            Self::Millis => "Unix milliseconds",
            Self::Micros => "Unix microseconds",
            Self::Nanos => "Unix nanoseconds",
        }
    }
    /// The unit that puts `count` between 1980 and 2100.
    pub(crate) fn of(count: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.read(count).is_some())
    }
    /// `count` of this unit in nanoseconds; `None` outside 1980 to 2100.
    #[inline]
    pub(crate) fn read(self, count: i64) -> Option<i64> {
        let per_second = match self {
            Self::Seconds => 1,
            Self::Millis => 1_000,
            Self::Micros => 1_000_000,
            Self::Nanos => SECOND,
        };
        (FIRST * per_second <= count && count < LAST * per_second).then(|| count * self.nanos())
    }
}

impl Unit {
    /// Nanoseconds of the decimals behind a number of this unit; decimals below a nanosecond are cut.
    pub(crate) fn fraction(self, decimals: &str) -> i64 {
        let digits = decimals.bytes().chain(std::iter::repeat(b'0')).take(9);
        let billionths = digits.fold(0, |value, byte| value * 10 + i64::from(byte - b'0'));
        billionths / (SECOND / self.nanos())
    }
}

/// A moment as a file states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Nanoseconds since 1970 UTC.
    pub(crate) utc: i64,
    /// Seconds that the file's clock is ahead of UTC.
    pub(crate) offset: i32,
}

impl Stamp {
    pub(crate) const fn local(self) -> i64 {
        self.utc + self.offset as i64 * SECOND
    }
    /// The moment so many nanoseconds later, by the same clock.
    pub(crate) const fn later(self, nanos: i64) -> Self {
        Self { utc: self.utc + nanos, ..self }
    }
}

/// How the times of a file are written.
#[derive(Clone, Debug)]
pub(crate) enum Clock {
    /// Unix time.
    Unix(Unit),
    /// Milliseconds since a midnight (nanoseconds, local).
    SinceMidnight(i64),
    /// Date text; without an offset of its own it is local time of the zone.
    Text,
}

impl Clock {
    /// The clock that the first cell shows.
    pub(crate) fn of(cell: &[u8]) -> Option<Self> {
        match whole_number(cell) {
            Some(count) if cell.len() != 8 => Unit::of(count).map(Self::Unix),
            _ => read_text(cell).map(|_| Self::Text),
        }
    }
    /// Reads a cell; `None` if it is no such time.
    #[inline]
    pub(crate) fn read(&self, cell: &[u8], zone: Option<&TimeZone>) -> Option<Stamp> {
        match self {
            Self::Unix(unit) => unit.read(whole_number(cell)?).map(|utc| Stamp { utc, offset: 0 }),
            Self::SinceMidnight(midnight) => {
                let millis = whole_number(cell).filter(|ms| (0..86_400_000).contains(ms))?;
                Some(localize(midnight + millis * 1_000_000, zone))
            }
            Self::Text => {
                let (local, offset) = read_text(cell)?;
                stamp_of(local, offset, zone)
            }
        }
    }
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Unix(unit) => unit.name(),
            Self::SinceMidnight(_) => "milliseconds since midnight, date from the file's name",
            Self::Text => "date text",
        }
    }
}

/// A time of a market's: between 1824 and 2115. The distance of two such times, and a bar or a zone's offset beyond one, are
/// nanoseconds that can be counted.
pub(crate) fn in_range(nanos: i64) -> Option<i64> {
    (-4_600_000_000_000_000_000..=4_600_000_000_000_000_000).contains(&nanos).then_some(nanos)
}

/// Local nanoseconds of `zone` (UTC without one) as a moment; in the repeated hour of autumn the earlier one.
pub(crate) fn localize(local: i64, zone: Option<&TimeZone>) -> Stamp {
    let Some(zone) = zone else { return Stamp { utc: local, offset: 0 } };
    let offset = jiff::Timestamp::from_nanosecond(i128::from(local))
        .ok()
        .and_then(|moment| {
            let civil = jiff::tz::Offset::UTC.to_datetime(moment);
            zone.to_ambiguous_timestamp(civil).compatible().ok().map(|at| zone.to_offset(at).seconds())
        })
        .unwrap_or(0);
    Stamp { utc: local - i64::from(offset) * SECOND, offset }
}

/// A whole number; `1704067200.0` counts as one, since some writers keep every number as a float.
#[inline]
pub(crate) fn whole_number(cell: &[u8]) -> Option<i64> {
    let digits = match cell.iter().position(|b| *b == b'.') {
        Some(dot) if cell[dot + 1..].iter().all(|b| *b == b'0') => &cell[..dot],
        Some(_) => return None,
        None => cell,
    };
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    digits.iter().try_fold(0_i64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 { None } else { value.checked_mul(10)?.checked_add(i64::from(digit)) }
    })
}

/// Reads date text: local nanoseconds, and the offset in seconds if the text states one.
///
/// `2024-01-31`, `2024/01/31`, `2024.01.31`, `20240131`, `31.01.2024`, then optionally a blank or `T` and `13`,
/// `01-PM`, `13:00`, `13:00:59`, `130059`, with decimals (also `130059123`), then optionally `Z`, `UTC`, `+02:00`,
/// `-0500`. Dates with slashes and the year last are refused, see [`year_last`]: month and day cannot be told apart.
pub(crate) fn read_text(cell: &[u8]) -> Option<(i64, Option<i32>)> {
    let (days, rest) = read_date(cell)?;
    let midnight = days * 86_400 * SECOND;
    let rest = match rest {
        [] => return Some((midnight, None)),
        [b' ' | b'T', rest @ ..] => rest,
        _ => return None,
    };
    let (nanos, rest) = read_clock(rest)?;
    Some((midnight + nanos, read_offset(rest)?))
}

/// Reads a date and a time of day that stand in two cells, as [`read_text`] reads one behind the other.
pub(crate) fn read_in_two(date: &[u8], time_of_day: &[u8], zone: Option<&TimeZone>) -> Option<Stamp> {
    let (days, []) = read_date(date)? else { return None };
    let (nanos, rest) = read_clock(time_of_day)?;
    stamp_of(days * 86_400 * SECOND + nanos, read_offset(rest)?, zone)
}

/// The moment that a text names: by the offset that it states, or else by the clock of `zone`.
#[inline]
fn stamp_of(local: i64, offset: Option<i32>, zone: Option<&TimeZone>) -> Option<Stamp> {
    in_range(local)?;
    Some(match offset {
        Some(offset) => Stamp { utc: local - i64::from(offset) * SECOND, offset },
        None => localize(local, zone),
    })
}

fn read_date(cell: &[u8]) -> Option<(i64, &[u8])> {
    if let [d1, d2, b'.', m1, m2, b'.', rest @ ..] = cell {
        let (year, rest) = digits(rest, 4)?;
        return Some((days(year, number(&[*m1, *m2])?, number(&[*d1, *d2])?)?, rest));
    }
    let (year, rest) = digits(cell, 4)?;
    match rest {
        [mark @ (b'-' | b'/' | b'.'), rest @ ..] => {
            let (month, rest) = digits(rest, 2)?;
            let rest = rest.strip_prefix(std::slice::from_ref(mark))?;
            let (day, rest) = digits(rest, 2)?;
            Some((days(year, month, day)?, rest))
        }
        rest => {
            let (month, rest) = digits(rest, 2)?;
            let (day, rest) = digits(rest, 2)?;
            Some((days(year, month, day)?, rest))
        }
    }
}

/// What comes first in a date that ends with its year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum YearLast {
    Day,
    Month,
    /// Either may.
    Open,
}

/// What comes first in a date such as `13/02/2020` or `2-13-2020`, a time of day behind it or not. `None` for any other text:
/// dates with dots are read, and of those the day comes first.
pub(crate) fn year_last(cell: &[u8]) -> Option<YearLast> {
    let (first, rest) = up_to_two_digits(cell)?;
    let [mark @ (b'/' | b'-'), rest @ ..] = rest else { return None };
    let (second, rest) = up_to_two_digits(rest)?;
    let (year, rest) = digits(rest.strip_prefix(std::slice::from_ref(mark))?, 4)?;
    if !matches!(rest, [] | [b' ' | b'T', ..]) {
        return None;
    }
    match (days(year, second, first).is_some(), days(year, first, second).is_some()) {
        (true, true) => Some(YearLast::Open),
        (true, false) => Some(YearLast::Day),
        (false, true) => Some(YearLast::Month),
        (false, false) => None,
    }
}

fn up_to_two_digits(text: &[u8]) -> Option<(i64, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if (1..=2).contains(&count) { digits(text, count) } else { None }
}

fn read_clock(text: &[u8]) -> Option<(i64, &[u8])> {
    let (hour, rest) = digits(text, 2)?;
    if let [b'-', half @ (b'A' | b'P' | b'a' | b'p'), b'M' | b'm', rest @ ..] = rest {
        if !(1..=12).contains(&hour) {
            return None;
        }
        let hour = hour % 12 + if half.eq_ignore_ascii_case(&b'p') { 12 } else { 0 };
        return Some((hour * 3_600 * SECOND, rest));
    }
    let (minute, second, rest) = match rest {
        [b':', rest @ ..] => {
            let (minute, rest) = digits(rest, 2)?;
            match rest {
                [b':', rest @ ..] => digits(rest, 2).map(|(second, rest)| (minute, second, rest))?,
                rest => (minute, 0, rest),
            }
        }
        [b'0'..=b'9', ..] => {
            let (minute, rest) = digits(rest, 2)?;
            digits(rest, 2).map(|(second, rest)| (minute, second, rest))?
        }
        rest => (0, 0, rest),
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction, rest) = read_fraction(rest)?;
    Some(((hour * 3_600 + minute * 60 + second) * SECOND + fraction, rest))
}

fn read_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let text = text.strip_prefix(b".").or_else(|| text.strip_prefix(b",")).unwrap_or(text);
    let count = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if count > 9 {
        return None;
    }
    let value = text[..count].iter().fold(0_i64, |value, byte| value * 10 + i64::from(byte - b'0'));
    Some((value * 10_i64.pow(9 - u32::try_from(count).ok()?), &text[count..]))
}

fn read_offset(text: &[u8]) -> Option<Option<i32>> {
    match text.trim_ascii() {
        [] => Some(None),
        b"Z" | b"UTC" | b"GMT" => Some(Some(0)),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let (hours, rest) = digits(rest, 2)?;
            let rest = rest.strip_prefix(b":").unwrap_or(rest);
            let (minutes, rest) = if rest.is_empty() { (0, rest) } else { digits(rest, 2)? };
            if !rest.is_empty() || hours > 15 || minutes > 59 {
                return None;
            }
            let seconds = i32::try_from(hours * 3_600 + minutes * 60).ok()?;
            Some(Some(if *sign == b'-' { -seconds } else { seconds }))
        }
        _ => None,
    }
}

fn digits(text: &[u8], count: usize) -> Option<(i64, &[u8])> {
    Some((number(text.get(..count)?)?, &text[count..]))
}

fn number(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

/// Days since 1970-01-01; `None` for a date that does not exist or lies outside 1900 to 2199.
///
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1900..2200).contains(&year) || day < 1 || day > length {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::Timestamp;

    #[test]
    fn date_texts_of_many_layouts_are_read() {
        for (text, want) in [
            ("2024-01-31", "2024-01-31T00:00:00Z"),
            ("20240131", "2024-01-31T00:00:00Z"),
            ("2024/01/31", "2024-01-31T00:00:00Z"),
            ("2024.01.31 07:05", "2024-01-31T07:05:00Z"),
            ("31.01.2024 07:05:01", "2024-01-31T07:05:01Z"),
            ("2019-07-04 01-PM", "2019-07-04T13:00:00Z"),
            ("2019-07-04 12-AM", "2019-07-04T00:00:00Z"),
            ("19980102 09:00", "1998-01-02T09:00:00Z"),
            ("20200101 170000065", "2020-01-01T17:00:00.065Z"),
            ("2024-01-31T13:00:00.5Z", "2024-01-31T13:00:00.5Z"),
            ("2024-01-31 13:00:00+02:00", "2024-01-31T11:00:00Z"),
            ("2024-01-31 13:00:00-0500", "2024-01-31T18:00:00Z"),
            ("2024-02-29 13:00:00 UTC", "2024-02-29T13:00:00Z"),
        ] {
            let stamp = Clock::Text.read(text.as_bytes(), None).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(Timestamp::from_nanos(stamp.utc).to_string(), want, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "today",
            "01/02/2024",
            "2023-02-29",
            "2024-13-01",
            "2024-01-31 25:00",
            "2024-01-31 1",
            "2019-07-04 13-PM",
        ] {
            assert_eq!(read_text(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn dates_that_end_with_their_year_are_told_by_what_must_be_a_day() {
        for (text, want) in [
            ("13/02/2020", Some(YearLast::Day)),
            ("2-13-2020", Some(YearLast::Month)),
            ("01/02/2020 10:00", Some(YearLast::Open)),
            ("29/02/2020", Some(YearLast::Day)),
            ("29/02/2021", None),
            ("13/13/2020", None),
            ("13/02-2020", None),
            ("13/02/20200", None),
            ("13.02.2020", None),
            ("2020-02-13", None),
            ("123", None),
            ("", None),
        ] {
            assert_eq!(year_last(text.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn the_unit_of_a_number_is_told_by_its_size() {
        for (count, unit) in [
            (1_704_067_200, Some(Unit::Seconds)),
            (1_704_067_200_000, Some(Unit::Millis)),
            (1_704_067_200_000_000, Some(Unit::Micros)),
            (1_704_067_200_000_000_000, Some(Unit::Nanos)),
            (0, None),
            (86_399_000, None),
            (20_000_000_000, None),
        ] {
            assert_eq!(Unit::of(count), unit, "{count}");
        }
    }

    #[test]
    fn local_time_of_a_zone_follows_its_summer_time() {
        let zone = TimeZone::get("America/New_York").unwrap();
        for (text, want) in [("20240102 09:00", "2024-01-02T14:00:00Z"), ("20240702 09:00", "2024-07-02T13:00:00Z")] {
            let stamp = Clock::Text.read(text.as_bytes(), Some(&zone)).unwrap();
            assert_eq!(Timestamp::from_nanos(stamp.utc).to_string(), want);
        }
    }
}
