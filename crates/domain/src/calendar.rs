//! When an instrument trades.

use crate::holidays::DayKind;
use crate::schedule::{local_date, moment};
use crate::{HolidayRule, Timestamp};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far ahead an opening or a close is looked for: no exchange is closed for longer.
const DAYS_AHEAD: usize = 60;

const MINUTES_A_DAY: u16 = 1_440;

const DAY: i64 = 86_400_000_000_000;

const MONDAY_TO_FRIDAY: [bool; 7] = [true, true, true, true, true, false, false];

/// The trading hours of an instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Calendar {
    /// Round the clock, every day.
    Continuous,
    /// A daily session in an exchange's own zone, on the given weekdays, but for holidays and half days.
    Sessions(SessionHours),
}

/// A daily session, which belongs to the day on which it closes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionHours {
    /// IANA name of the exchange's zone, such as `America/New_York`.
    pub zone: String,
    /// Local opening, minutes after midnight. Where it is not before the closing it is that of the evening before: with
    /// 17:00 and 16:00 the session of a Monday opens on the Sunday.
    pub open_minute: u16,
    /// Local closing, minutes after midnight, exclusive.
    pub close_minute: u16,
    /// Trading days, Monday first.
    pub weekdays: [bool; 7],
    /// By which rule some of them are holidays or half days.
    #[serde(default, skip_serializing_if = "HolidayRule::is_none")]
    pub holidays: HolidayRule,
    /// Days unlike the others by their local date, such as `2024-11-28`: the minute at which they close early, or `None`
    /// for a holiday. They go before the rule. Whoever lists the instrument fills it from what the exchange publishes;
    /// nothing is guessed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other_days: BTreeMap<String, Option<u16>>,
}

impl Calendar {
    /// The regular session of the stock exchanges of New York: 09:30 to 16:00, Monday to Friday, with their holidays and
    /// half days.
    #[must_use]
    pub fn new_york_stocks() -> Self {
        Self::week("America/New_York", (9 * 60 + 30, 16 * 60), HolidayRule::NewYorkStocks)
    }

    /// The week of foreign exchange: from Sunday 17:00 to Friday 17:00 in New York, but for Christmas and New Year.
    ///
    /// What a dealer leaves out beside them is theirs to list.
    #[must_use]
    pub fn foreign_exchange() -> Self {
        Self::week("America/New_York", (17 * 60, 17 * 60), HolidayRule::ForeignExchange)
    }

    /// The nights and days of CME Globex: from 17:00 of the evening before to 16:00 in Chicago, Monday to Friday, which
    /// leaves an hour a day without trading.
    #[must_use]
    pub fn cme_globex() -> Self {
        Self::week("America/Chicago", (17 * 60, 16 * 60), HolidayRule::CmeGlobex)
    }

    /// [`Self::cme_globex`] for futures on share indices, which halt at noon on most holidays of the United States.
    #[must_use]
    pub fn cme_equity_index() -> Self {
        Self::week("America/Chicago", (17 * 60, 16 * 60), HolidayRule::CmeEquityIndex)
    }

    fn week(zone: &str, (open_minute, close_minute): (u16, u16), holidays: HolidayRule) -> Self {
        Self::Sessions(SessionHours {
            zone: zone.to_owned(),
            open_minute,
            close_minute,
            weekdays: MONDAY_TO_FRIDAY,
            holidays,
            other_days: BTreeMap::new(),
        })
    }

    /// Whether the market is open at `moment`. An unknown zone is never open.
    #[must_use]
    pub fn is_open(&self, moment: Timestamp) -> bool {
        match self {
            Self::Continuous => true,
            Self::Sessions(hours) => hours.local(moment).is_some_and(|local| hours.is_open(local)),
        }
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

    /// When it closes next, after `moment`: the end of the session under way, or of the next one. `None` as for
    /// [`Self::next_open`], and where nothing follows that close within 60 days.
    #[must_use]
    pub fn next_close(&self, moment: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Continuous => None,
            Self::Sessions(hours) => hours.next_close(moment),
        }
    }

    /// When the sessions open and close that lie in the time from `from` until `until` or reach into it, oldest first. One
    /// may open as the other closes. There are none of a market that never closes, nor in an unknown zone.
    pub fn sessions(&self, from: Timestamp, until: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let hours = match self {
            Self::Continuous => None,
            Self::Sessions(hours) => Some(hours),
        };
        // two days before and two behind: a session of the evening before, in a zone away from UTC
        let days = usize::try_from(until.since(from).max(0) / DAY + 5).unwrap_or(usize::MAX);
        let around = hours.and_then(|hours| hours.sessions_from(from, days)).into_iter().flatten();
        around.skip_while(move |(_, closes)| *closes <= from).take_while(move |(opens, _)| *opens < until)
    }

    /// Whether its holidays are known at `moment`: those of the stock exchanges of New York are from 1998 on.
    #[must_use]
    pub fn is_known_at(&self, moment: Timestamp) -> bool {
        match self {
            Self::Continuous => true,
            Self::Sessions(hours) => moment >= hours.holidays.known_from(),
        }
    }

    /// What contradicts itself in it, if anything does.
    pub(crate) fn fault(&self) -> Option<String> {
        match self {
            Self::Continuous => None,
            Self::Sessions(hours) => hours.fault(),
        }
    }

    /// Days a year with trading in them, for annualisation, counted by days of UTC as daily returns are: 365 round the
    /// clock, 252 for sessions within a day, 312 for those of the evening before, which begin a week on Sunday.
    #[must_use]
    pub const fn days_per_year(&self) -> f64 {
        match self {
            Self::Continuous => 365.0,
            Self::Sessions(hours) if hours.opens_the_evening_before() => 312.0,
            Self::Sessions(_) => 252.0,
        }
    }
}

impl SessionHours {
    const fn opens_the_evening_before(&self) -> bool {
        self.open_minute >= self.close_minute
    }

    /// What a clock and a calendar in its zone show at `at`.
    fn local(&self, at: Timestamp) -> Option<DateTime> {
        let utc = jiff::Timestamp::from_nanosecond(i128::from(at.nanos())).ok()?;
        Some(TimeZone::get(&self.zone).ok()?.to_datetime(utc))
    }

    fn is_open(&self, local: DateTime) -> bool {
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        let before_close = self.closing_of(local.date()).is_some_and(|close| minute < close);
        if !self.opens_the_evening_before() {
            return before_close && minute >= self.open_minute;
        }
        let is_trading_day = |date| self.closing_of(date).is_some();
        before_close || (minute >= self.open_minute && local.date().tomorrow().is_ok_and(is_trading_day))
    }

    fn next_open(&self, at: Timestamp) -> Option<Timestamp> {
        let mut closed = None;
        for (opens, closes) in self.sessions_from(at, DAYS_AHEAD + 2)? {
            if opens > at && closed != Some(opens) {
                return Some(opens);
            }
            closed = Some(closes);
        }
        None
    }

    fn next_close(&self, at: Timestamp) -> Option<Timestamp> {
        let mut last = None;
        for (opens, closes) in self.sessions_from(at, DAYS_AHEAD + 2)? {
            if let Some(closed) = last
                && closed > at
                && closed != opens
            {
                return Some(closed);
            }
            last = Some(closes);
        }
        None
    }

    /// When its sessions of so many `days` open and close, oldest first, from the day before `at` on. One may open as the
    /// other closes.
    fn sessions_from(&self, at: Timestamp, days: usize) -> Option<impl Iterator<Item = (Timestamp, Timestamp)>> {
        let zone = TimeZone::get(&self.zone).ok()?;
        let first = local_date(&zone, at)?.yesterday().ok()?;
        let dates = std::iter::successors(Some(first), |date| date.tomorrow().ok()).take(days);
        Some(dates.filter_map(move |date| self.session(&zone, date)))
    }

    /// When the session of `date` opens and closes, if there is one.
    fn session(&self, zone: &TimeZone, date: Date) -> Option<(Timestamp, Timestamp)> {
        let closes = at_minute(zone, date, self.closing_of(date)?)?;
        let opens_on = if self.opens_the_evening_before() { date.yesterday().ok()? } else { date };
        Some((at_minute(zone, opens_on, self.open_minute)?, closes))
    }

    /// Local closing of the session of `date`, minutes after midnight; `None` where it is no trading day.
    fn closing_of(&self, date: Date) -> Option<u16> {
        if !self.weekdays[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())] {
            return None;
        }
        if let Some(listed) = self.other_days.get(&date.to_string()) {
            return *listed;
        }
        match self.holidays.on(date) {
            DayKind::Usual => Some(self.close_minute),
            DayKind::HalfDay { close_minute } => {
                let close = close_minute.min(self.close_minute);
                (self.opens_the_evening_before() || close > self.open_minute).then_some(close)
            }
            DayKind::Holiday => None,
        }
    }

    /// What contradicts itself in these hours, if anything does.
    fn fault(&self) -> Option<String> {
        let (open, close) = (self.open_minute, self.close_minute);
        let earliest = if self.opens_the_evening_before() { 0 } else { open };
        let other = |(date, early): (&String, &Option<u16>)| {
            let is_date = date.parse::<Date>().is_ok_and(|it| it.to_string() == *date);
            (!is_date || early.is_some_and(|early| early <= earliest || early > close)).then(|| date.clone())
        };
        if TimeZone::get(&self.zone).is_err() {
            return Some(format!("there is no zone `{}`", self.zone.escape_debug()));
        }
        if open >= MINUTES_A_DAY || close == 0 || close > MINUTES_A_DAY {
            return Some(format!("it opens at minute {open} and closes at minute {close} of a day"));
        }
        let unfit = self.other_days.iter().find_map(other)?;
        Some(format!("`{}` is no date such as 2024-11-28, or closes outside the session", unfit.escape_debug()))
    }
}

/// The moment `minute` minutes after the local midnight of `date`, by the clock on the wall.
fn at_minute(zone: &TimeZone, date: Date, minute: u16) -> Option<Timestamp> {
    let date = if minute < MINUTES_A_DAY { date } else { date.tomorrow().ok()? };
    let hour = i8::try_from(minute / 60 % 24).ok()?;
    moment(zone, date, Time::new(hour, i8::try_from(minute % 60).ok()?, 0, 0).ok()?)
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
        let london = Calendar::week("Europe/London", (8 * 60, 16 * 60 + 30), HolidayRule::None);
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
        let nowhere = Calendar::week("Nowhere/Land", (0, 1_439), HolidayRule::None);
        assert!(!open(&nowhere, "2024-02-29T08:00:00Z"), "an unknown zone is never open");
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

    fn at(text: &str) -> Timestamp {
        let moment: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_nanos(i64::try_from(moment.as_nanosecond()).unwrap())
    }

    /// At each moment whether it is open, when it opens next, and when it closes next.
    fn check(calendar: &Calendar, moments: &[(&str, bool, &str, &str)]) {
        for (moment, is_open, opens, closes) in moments {
            assert_eq!(calendar.is_open(at(moment)), *is_open, "{moment}");
            assert_eq!(calendar.next_open(at(moment)), Some(at(opens)), "the opening after {moment}");
            assert_eq!(calendar.next_close(at(moment)), Some(at(closes)), "the close after {moment}");
        }
    }

    #[test]
    fn shares_of_new_york_rest_on_holidays_and_end_early_on_half_days() {
        check(
            &Calendar::new_york_stocks(),
            &[
                ("2021-12-24T15:00:00Z", false, "2021-12-27T14:30:00Z", "2021-12-27T21:00:00Z"), // for a Saturday
                ("2021-12-31T20:59:59Z", true, "2022-01-03T14:30:00Z", "2021-12-31T21:00:00Z"),  // for none
                ("2024-12-24T17:59:59Z", true, "2024-12-26T14:30:00Z", "2024-12-24T18:00:00Z"),
                ("2024-12-24T18:00:00Z", false, "2024-12-26T14:30:00Z", "2024-12-26T21:00:00Z"),
                ("2025-01-08T21:00:00Z", false, "2025-01-10T14:30:00Z", "2025-01-10T21:00:00Z"), // mourning on the 9th
            ],
        );
    }

    #[test]
    fn the_week_of_currencies_is_one_from_sunday_to_friday_over_both_changes_of_the_clocks() {
        check(
            &Calendar::foreign_exchange(),
            &[
                ("2024-03-08T21:59:59Z", true, "2024-03-10T21:00:00Z", "2024-03-08T22:00:00Z"), // Friday, winter
                ("2024-03-08T22:00:00Z", false, "2024-03-10T21:00:00Z", "2024-03-15T21:00:00Z"),
                ("2024-03-10T20:59:59Z", false, "2024-03-10T21:00:00Z", "2024-03-15T21:00:00Z"), // Sunday, summer
                ("2024-03-10T21:00:00Z", true, "2024-03-17T21:00:00Z", "2024-03-15T21:00:00Z"),
                ("2024-03-13T21:00:00Z", true, "2024-03-17T21:00:00Z", "2024-03-15T21:00:00Z"), // from one day to the next
                ("2024-11-01T20:59:59Z", true, "2024-11-03T22:00:00Z", "2024-11-01T21:00:00Z"),
                ("2024-11-03T21:30:00Z", false, "2024-11-03T22:00:00Z", "2024-11-08T22:00:00Z"),
            ],
        );
    }

    #[test]
    fn currencies_rest_from_the_evening_before_christmas_and_new_year_to_that_of_the_day() {
        check(
            &Calendar::foreign_exchange(),
            &[
                ("2024-12-24T21:59:59Z", true, "2024-12-25T22:00:00Z", "2024-12-24T22:00:00Z"),
                ("2024-12-25T12:00:00Z", false, "2024-12-25T22:00:00Z", "2024-12-27T22:00:00Z"),
                ("2024-12-31T22:30:00Z", false, "2025-01-01T22:00:00Z", "2025-01-03T22:00:00Z"),
                ("2008-12-25T08:59:59Z", true, "2008-12-25T22:00:00Z", "2008-12-25T09:00:00Z"), // until 4:00 then
                ("2013-12-24T18:59:59Z", true, "2013-12-25T22:00:00Z", "2013-12-24T19:00:00Z"), // until 14:00 then
                ("2013-12-24T19:00:00Z", false, "2013-12-25T22:00:00Z", "2013-12-27T22:00:00Z"),
                ("2011-12-25T22:00:00Z", true, "2012-01-01T22:00:00Z", "2011-12-30T22:00:00Z"), // Sundays, not made up for
            ],
        );
    }

    #[test]
    fn globex_opens_on_the_evening_before_and_rests_an_hour_a_day() {
        check(
            &Calendar::cme_globex(),
            &[
                ("2023-12-29T22:00:00Z", false, "2024-01-01T23:00:00Z", "2024-01-02T22:00:00Z"), // over New Year
                ("2024-01-01T22:59:59Z", false, "2024-01-01T23:00:00Z", "2024-01-02T22:00:00Z"),
                ("2024-01-02T21:59:59Z", true, "2024-01-02T23:00:00Z", "2024-01-02T22:00:00Z"),
                ("2024-01-02T22:30:00Z", false, "2024-01-02T23:00:00Z", "2024-01-03T22:00:00Z"), // the hour of maintenance
                ("2024-01-02T23:00:00Z", true, "2024-01-03T23:00:00Z", "2024-01-03T22:00:00Z"),
                ("2024-03-08T22:00:00Z", false, "2024-03-10T22:00:00Z", "2024-03-11T21:00:00Z"), // a change of the clocks
                ("2024-03-28T20:59:59Z", true, "2024-03-31T22:00:00Z", "2024-03-28T21:00:00Z"),  // before Good Friday
                ("2024-12-24T23:30:00Z", false, "2024-12-25T23:00:00Z", "2024-12-26T22:00:00Z"), // Christmas begins
            ],
        );
    }

    #[test]
    fn futures_on_share_indices_halt_on_a_holiday_and_open_that_evening_for_the_next_day() {
        check(
            &Calendar::cme_equity_index(),
            &[
                ("2024-01-15T17:59:59Z", true, "2024-01-15T23:00:00Z", "2024-01-15T18:00:00Z"), // Martin Luther King Day
                ("2024-01-15T18:00:00Z", false, "2024-01-15T23:00:00Z", "2024-01-16T22:00:00Z"),
                ("2024-07-03T17:15:00Z", false, "2024-07-03T22:00:00Z", "2024-07-04T17:00:00Z"), // its eve, summer
                ("2024-07-04T17:00:00Z", false, "2024-07-04T22:00:00Z", "2024-07-05T21:00:00Z"),
                ("2024-11-29T18:14:59Z", true, "2024-12-01T23:00:00Z", "2024-11-29T18:15:00Z"), // into a weekend
                ("2024-11-29T18:15:00Z", false, "2024-12-01T23:00:00Z", "2024-12-02T22:00:00Z"),
                ("2024-12-24T18:15:00Z", false, "2024-12-25T23:00:00Z", "2024-12-26T22:00:00Z"), // over Christmas
                ("2024-03-28T20:59:59Z", true, "2024-03-31T22:00:00Z", "2024-03-28T21:00:00Z"),  // before Good Friday
            ],
        );
    }

    #[test]
    fn sessions_are_told_from_the_one_under_way_to_the_last_that_begins_in_time() {
        let told = |calendar: &Calendar, from: &str, until: &str| {
            let sessions = calendar.sessions(at(from), at(until));
            sessions.map(|(opens, closes)| format!("{opens}..{closes}")).collect::<Vec<_>>()
        };
        let new_york = Calendar::new_york_stocks();
        assert_eq!(
            told(&new_york, "2024-11-27T20:00:00Z", "2024-12-02T14:30:01Z"), // over Thanksgiving and a weekend
            [
                "2024-11-27T14:30:00Z..2024-11-27T21:00:00Z",
                "2024-11-29T14:30:00Z..2024-11-29T18:00:00Z",
                "2024-12-02T14:30:00Z..2024-12-02T21:00:00Z",
            ]
        );
        assert!(told(&new_york, "2024-11-27T21:00:00Z", "2024-11-29T14:30:00Z").is_empty(), "both ends are exclusive");
        assert_eq!(
            told(&Calendar::foreign_exchange(), "2024-11-08T21:59:59Z", "2024-11-11T23:00:00Z"),
            [
                "2024-11-07T22:00:00Z..2024-11-08T22:00:00Z",
                "2024-11-10T22:00:00Z..2024-11-11T22:00:00Z",
                "2024-11-11T22:00:00Z..2024-11-12T22:00:00Z",
            ]
        );
        assert_eq!(told(&Calendar::Continuous, "2024-11-08T00:00:00Z", "2024-11-11T00:00:00Z"), [""; 0]);
        assert_eq!(told(&new_york, "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z").len(), 252);
        assert!(new_york.is_known_at(at("1998-01-01T00:00:00Z")) && !new_york.is_known_at(at("1997-12-31T23:59:59Z")));
        assert!(Calendar::foreign_exchange().is_known_at(at("1990-01-01T00:00:00Z")));
    }

    #[test]
    fn a_listed_day_goes_before_the_rule() {
        let Calendar::Sessions(mut hours) = Calendar::cme_globex() else { unreachable!() };
        let (good_friday, labor_day) = (at("2026-04-03T12:00:00Z"), at("2026-09-07T17:00:00Z"));
        let open = |hours: &SessionHours| {
            let calendar = Calendar::Sessions(hours.clone());
            assert_eq!(calendar.fault(), None);
            [good_friday, labor_day].map(|moment| calendar.is_open(moment))
        };
        assert_eq!(open(&hours), [false, true]);
        hours.other_days =
            [("2026-04-03".to_owned(), Some(8 * 60 + 15)), ("2026-09-07".to_owned(), Some(12 * 60))].into();
        assert_eq!(open(&hours), [true, false]);
    }

    #[test]
    fn a_market_that_never_closes_or_never_opens_has_no_next_close() {
        let monday = at("2024-03-11T12:00:00Z");
        let never = Calendar::Sessions(SessionHours { weekdays: [false; 7], ..thanksgiving() });
        let always = SessionHours { weekdays: [true; 7], open_minute: 0, close_minute: 1_440, ..thanksgiving() };
        let always = Calendar::Sessions(SessionHours { holidays: HolidayRule::None, ..always });
        for calendar in [Calendar::Continuous, never, always] {
            assert_eq!((calendar.next_open(monday), calendar.next_close(monday)), (None, None), "{calendar:?}");
        }
    }

    #[test]
    fn calendars_of_earlier_journals_read_as_they_were_written() {
        const OLD: &str = r#"{"sessions":{"zone":"America/New_York","open_minute":570,"close_minute":960,"weekdays":[true,true,true,true,true,false,false]}}"#;
        const OLD_CURRENCIES: &str = r#"{"sessions":{"zone":"America/New_York","open_minute":1020,"close_minute":1020,"weekdays":[true,true,true,true,true,false,false]}}"#;
        let christmas = at("2024-12-25T16:00:00Z");
        let read = |text: &str| {
            let calendar: Calendar = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&calendar).unwrap(), text);
            (calendar.is_open(christmas), calendar.fault())
        };
        let listed = OLD.replace("]}}", r#"],"other_days":{"2024-12-24":780,"2024-12-25":null}}}"#);
        let ruled = OLD.replace("]}}", r#"],"holidays":"new-york-stocks"}}"#);
        assert_eq!(read(r#""continuous""#), (true, None));
        assert_eq!(read(OLD), (true, None), "nothing was said of holidays");
        assert_eq!(read(OLD_CURRENCIES), (true, None), "nor of those of currencies");
        assert_eq!(read(&listed), (false, None));
        assert_eq!(read(&ruled), (false, None));
        assert_eq!(serde_json::to_string(&Calendar::new_york_stocks()).unwrap(), ruled);
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
            (|it| it.open_minute = 1_440, "1440"),
            (|it| it.close_minute = 0, "minute 0 of"),
            (|it| it.close_minute = 1_441, "1441"),
            (|it| _ = it.other_days.insert("2024-02-30".to_owned(), None), "2024-02-30"),
            (|it| _ = it.other_days.insert("2024-12-24".to_owned(), Some(9 * 60)), "2024-12-24"),
        ] {
            assert!(fault(change).unwrap().contains(told), "{told}");
        }
    }
}
