//! When an instrument trades.

use crate::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far ahead an opening is looked for: no exchange is closed for longer.
const DAYS_AHEAD: usize = 60;

/// The trading hours of an instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Calendar {
    /// Round the clock, every day.
    Continuous,
    /// A daily session in an exchange's own zone, on the given weekdays, but for the days that are listed as others.
    Sessions(SessionHours),
}

/// A daily session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionHours {
    /// IANA name of the exchange's zone, such as `America/New_York`.
    pub zone: String,
    /// Local opening, minutes after midnight.
    pub open_minute: u16,
    /// Local closing, minutes after midnight, exclusive; later than the opening.
    pub close_minute: u16,
    /// Trading days, Monday first.
    pub weekdays: [bool; 7],
    /// Days unlike the others by their local date, such as `2024-11-28`: the minute at which they close early, or `None`
    /// for a holiday. Whoever lists the instrument fills it from what the exchange publishes; nothing is guessed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other_days: BTreeMap<String, Option<u16>>,
}

impl SessionHours {
    /// Local opening and closing of `date`, minutes after midnight; `None` where it is no trading day.
    fn of(&self, date: Date) -> Option<(u16, u16)> {
        if !self.weekdays[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())] {
            return None;
        }
        let close = self.other_days.get(&date.to_string()).copied().unwrap_or(Some(self.close_minute))?;
        Some((self.open_minute, close))
    }

    fn next_open(&self, moment: Timestamp) -> Option<Timestamp> {
        let zone = TimeZone::get(&self.zone).ok()?;
        let mut date = zone.to_datetime(utc(moment)?).date();
        for _ in 0..DAYS_AHEAD {
            if let Some((open, _)) = self.of(date) {
                let time = Time::new(hour(open / 60)?, hour(open % 60)?, 0, 0).ok()?;
                let opens = zone.to_ambiguous_zoned(date.to_datetime(time)).compatible().ok()?.timestamp();
                let opens = Timestamp::from_nanos(i64::try_from(opens.as_nanosecond()).ok()?);
                if opens > moment {
                    return Some(opens);
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    /// What contradicts itself in these hours, if anything does.
    fn fault(&self) -> Option<String> {
        let (open, close) = (self.open_minute, self.close_minute);
        let other = |(date, early): (&String, &Option<u16>)| {
            let is_date = date.parse::<Date>().is_ok_and(|it| it.to_string() == *date);
            (!is_date || early.is_some_and(|early| early <= open || early > close)).then(|| date.clone())
        };
        if TimeZone::get(&self.zone).is_err() {
            return Some(format!("there is no zone `{}`", self.zone.escape_debug()));
        }
        if open >= close || close > 1_440 {
            return Some(format!("it opens at minute {open} and closes at minute {close} of a day"));
        }
        let unfit = self.other_days.iter().find_map(other)?;
        Some(format!("`{}` is no date such as 2024-11-28, or closes outside the session", unfit.escape_debug()))
    }
}

fn utc(moment: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_nanosecond(i128::from(moment.nanos())).ok()
}

fn hour(number: u16) -> Option<i8> {
    i8::try_from(number).ok()
}

impl Calendar {
    /// The regular session of the stock exchanges of New York: 09:30 to 16:00, Monday to Friday.
    #[must_use]
    pub fn new_york_stocks() -> Self {
        Self::Sessions(SessionHours {
            zone: "America/New_York".to_owned(),
            open_minute: 9 * 60 + 30,
            close_minute: 16 * 60,
            weekdays: [true, true, true, true, true, false, false],
            other_days: BTreeMap::new(),
        })
    }

    /// Whether the market is open at `moment`. An unknown zone is never open.
    #[must_use]
    pub fn is_open(&self, moment: Timestamp) -> bool {
        let hours = match self {
            Self::Continuous => return true,
            Self::Sessions(hours) => hours,
        };
        let Some(Ok(local)) = utc(moment).map(|utc| utc.in_tz(&hours.zone)) else { return false };
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        hours.of(local.date()).is_some_and(|(open, close)| (open..close).contains(&minute))
    }

    /// When it opens next, after `moment`; `None` for a market that never closes, an unknown zone, and a calendar without
    /// a trading day in the 60 days to come.
    #[must_use]
    pub fn next_open(&self, moment: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Continuous => None,
            Self::Sessions(hours) => hours.next_open(moment),
        }
    }

    /// What contradicts itself in it, if anything does.
    pub(crate) fn fault(&self) -> Option<String> {
        match self {
            Self::Continuous => None,
            Self::Sessions(hours) => hours.fault(),
        }
    }

    /// Trading days a year for annualisation: 365 round the clock, 252 for sessions.
    #[must_use]
    pub const fn days_per_year(&self) -> f64 {
        match self {
            Self::Continuous => 365.0,
            Self::Sessions(_) => 252.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f04_a_session_follows_its_zone_over_summer_time() {
        let open = |text: &str| {
            let moment: jiff::Timestamp = text.parse().unwrap();
            let nanos = i64::try_from(moment.as_nanosecond()).unwrap();
            Calendar::new_york_stocks().is_open(Timestamp::from_nanos(nanos))
        };
        assert!(!open("2024-01-08T14:29:59Z")); // winter: 09:29:59
        assert!(open("2024-01-08T14:30:00Z"));
        assert!(open("2024-07-08T13:30:00Z")); // summer: 09:30
        assert!(open("2024-07-08T19:59:59Z"));
        assert!(!open("2024-07-08T20:00:00Z"));
        assert!(!open("2024-07-06T15:00:00Z")); // Saturday
    }

    #[test]
    fn f04_sessions_keep_their_local_hours_on_both_sides_of_each_change_of_the_clocks() {
        let open = |calendar: &Calendar, text: &str| {
            let moment: jiff::Timestamp = text.parse().unwrap();
            calendar.is_open(Timestamp::from_nanos(i64::try_from(moment.as_nanosecond()).unwrap()))
        };
        let new_york = Calendar::new_york_stocks();
        // Friday before and Monday after 2024-03-10, Friday before and Monday after 2024-11-03
        for (opens, closes) in [
            ("2024-03-08T14:30:00Z", "2024-03-08T21:00:00Z"),
            ("2024-03-11T13:30:00Z", "2024-03-11T20:00:00Z"),
            ("2024-11-01T13:30:00Z", "2024-11-01T20:00:00Z"),
            ("2024-11-04T14:30:00Z", "2024-11-04T21:00:00Z"),
        ] {
            assert!(open(&new_york, opens) && !open(&new_york, closes), "{opens}");
        }
        let london = Calendar::Sessions(SessionHours {
            zone: "Europe/London".to_owned(),
            open_minute: 8 * 60,
            close_minute: 16 * 60 + 30,
            weekdays: [true, true, true, true, true, false, false],
            other_days: BTreeMap::new(),
        });
        // around 2024-03-31 and 2024-10-27, and a leap day
        for (opens, closes) in [
            ("2024-02-29T08:00:00Z", "2024-02-29T16:30:00Z"),
            ("2024-03-28T08:00:00Z", "2024-03-28T16:30:00Z"),
            ("2024-04-02T07:00:00Z", "2024-04-02T15:30:00Z"),
            ("2024-10-25T07:00:00Z", "2024-10-25T15:30:00Z"),
            ("2024-10-28T08:00:00Z", "2024-10-28T16:30:00Z"),
        ] {
            assert!(open(&london, opens) && !open(&london, closes), "{opens}");
        }
        assert!(
            !open(
                &Calendar::Sessions(SessionHours {
                    zone: "Nowhere/Land".to_owned(),
                    open_minute: 0,
                    close_minute: 1_439,
                    weekdays: [true; 7],
                    other_days: BTreeMap::new(),
                }),
                "2024-02-29T08:00:00Z"
            ),
            "an unknown zone is never open"
        );
    }

    /// New York with Thanksgiving of 2024 and the half day after it.
    fn thanksgiving() -> SessionHours {
        let Calendar::Sessions(mut hours) = Calendar::new_york_stocks() else { unreachable!() };
        hours.other_days = [("2024-11-28".to_owned(), None), ("2024-11-29".to_owned(), Some(13 * 60))].into();
        hours
    }

    #[test]
    fn f04_the_next_opening_follows_the_zone_over_weekends_holidays_and_both_changes_of_the_clocks() {
        let calendar = Calendar::Sessions(thanksgiving());
        let at = |text: &str| {
            let moment: jiff::Timestamp = text.parse().unwrap();
            Timestamp::from_nanos(i64::try_from(moment.as_nanosecond()).unwrap())
        };
        for (moment, is_open, opens) in [
            ("2024-03-08T14:29:59Z", false, "2024-03-08T14:30:00Z"), // Friday before the clocks go forward
            ("2024-03-08T14:30:00Z", true, "2024-03-11T13:30:00Z"),
            ("2024-03-10T12:00:00Z", false, "2024-03-11T13:30:00Z"), // the Sunday itself
            ("2024-11-01T20:00:00Z", false, "2024-11-04T14:30:00Z"), // Friday's close before they go back
            ("2024-11-27T21:00:00Z", false, "2024-11-29T14:30:00Z"), // the eve of Thanksgiving
            ("2024-11-28T16:00:00Z", false, "2024-11-29T14:30:00Z"),
            ("2024-11-29T17:59:59Z", true, "2024-12-02T14:30:00Z"), // a half day: 13:00 in New York
            ("2024-11-29T18:00:00Z", false, "2024-12-02T14:30:00Z"),
        ] {
            assert_eq!(calendar.is_open(at(moment)), is_open, "{moment}");
            assert_eq!(calendar.next_open(at(moment)), Some(at(opens)), "{moment}");
        }
        assert_eq!(Calendar::Continuous.next_open(at("2024-03-10T12:00:00Z")), None);
        let never = Calendar::Sessions(SessionHours { weekdays: [false; 7], ..thanksgiving() });
        assert_eq!(never.next_open(at("2024-03-10T12:00:00Z")), None);
    }

    #[test]
    fn hours_that_contradict_themselves_are_told() {
        let fault = |change: fn(&mut SessionHours)| {
            let mut hours = thanksgiving();
            change(&mut hours);
            Calendar::Sessions(hours).fault()
        };
        assert_eq!(fault(|_| ()), None);
        for (change, told) in [
            ((|it| it.zone = "Nowhere/Land".to_owned()) as fn(&mut SessionHours), "Nowhere/Land"),
            (|it| it.close_minute = it.open_minute, "570"),
            (|it| it.close_minute = 1_441, "1441"),
            (|it| _ = it.other_days.insert("2024-02-30".to_owned(), None), "2024-02-30"),
            (|it| _ = it.other_days.insert("2024-12-24".to_owned(), Some(9 * 60)), "2024-12-24"),
        ] {
            assert!(fault(change).unwrap().contains(told), "{told}");
        }
    }
}
