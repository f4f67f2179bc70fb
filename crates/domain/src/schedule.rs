//! When a job of the calendar is due: a time of day in a zone, once a day, whatever the clocks do there.

use crate::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most slots that are given at once: whoever was away for longer catches up step by step.
const SLOTS_MAX: usize = 1_000;

/// A time of day in a zone, on some days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// IANA name of the zone, such as `Europe/London`; the host's own zone never matters.
    pub zone: String,
    /// Local minutes after midnight, below 1,440.
    pub minute: u16,
    /// On which days.
    pub days: ScheduleDays,
}

/// The days of a [`Schedule`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleDays {
    /// On these days of the week, Monday first.
    Weekly([bool; 7]),
    /// On this day of each month, counted from 1; in a shorter month on its last day.
    Monthly(u8),
    /// On this day of this month, counted from 1; a 29 February falls on the 28th in other years.
    Yearly(u8, u8),
}

impl Schedule {
    /// Every day at `minute` after local midnight.
    #[must_use]
    pub fn daily(zone: &str, minute: u16) -> Self {
        Self { zone: zone.to_owned(), minute, days: ScheduleDays::Weekly([true; 7]) }
    }

    /// The moments at which it is due, after `after` and not after `through`, oldest first; at most 1,000 of them, and
    /// none for a zone or a time of day that does not exist.
    ///
    /// Each local day has one moment at most: a time that the clocks skip is due as long after the skip began as it
    /// lies in it (02:30 becomes 03:30), and of a time that comes twice the first counts.
    #[must_use]
    pub fn slots(&self, after: Timestamp, through: Timestamp) -> Vec<Timestamp> {
        let mut slots = Vec::new();
        let (Ok(zone), Some(time)) = (TimeZone::get(&self.zone), self.time()) else { return slots };
        // a slot may lie on another UTC day than its local one
        let (Some(mut date), Some(last)) = (local_date(&zone, after), local_date(&zone, through)) else { return slots };
        while date <= last && slots.len() < SLOTS_MAX {
            if self.falls_on(date)
                && let Some(slot) = moment(&zone, date, time)
                && slot > after
                && slot <= through
            {
                slots.push(slot);
            }
            let Ok(next) = date.tomorrow() else { break };
            date = next;
        }
        slots
    }

    fn time(&self) -> Option<Time> {
        let hour = i8::try_from(self.minute / 60).ok()?;
        Time::new(hour, i8::try_from(self.minute % 60).ok()?, 0, 0).ok()
    }

    fn falls_on(&self, date: Date) -> bool {
        let last = date.days_in_month();
        let day = |wanted: u8| date.day() == i8::try_from(wanted).unwrap_or(i8::MAX).min(last);
        match self.days {
            ScheduleDays::Weekly(days) => days[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())],
            ScheduleDays::Monthly(wanted) => day(wanted),
            ScheduleDays::Yearly(month, wanted) => date.month().unsigned_abs() == month && day(wanted),
        }
    }
}

/// The date that a calendar in `zone` shows at `moment`.
pub(crate) fn local_date(zone: &TimeZone, moment: Timestamp) -> Option<Date> {
    let utc = jiff::Timestamp::from_nanosecond(i128::from(moment.nanos())).ok()?;
    Some(zone.to_datetime(utc).date())
}

/// The moment at which a clock in `zone` shows `time` on `date`; see [`Schedule::slots`] for times that the clocks skip or
/// repeat.
pub(crate) fn moment(zone: &TimeZone, date: Date, time: Time) -> Option<Timestamp> {
    let zoned = zone.to_ambiguous_zoned(date.to_datetime(time)).compatible().ok()?;
    i64::try_from(zoned.timestamp().as_nanosecond()).ok().map(Timestamp::from_nanos)
}

/// Which slots of which jobs were given out: each at most once, over restarts and clocks that go back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FiredSlots(BTreeMap<String, Timestamp>);

impl FiredSlots {
    /// The slots of `job` that are due at `now` and were not given out yet, oldest first.
    ///
    /// A job that is met for the first time begins at `now`: what lay before is not made up for.
    pub fn due(&mut self, job: &str, schedule: &Schedule, now: Timestamp) -> Vec<Timestamp> {
        let Some(last) = self.0.get_mut(job) else {
            self.0.insert(job.to_owned(), now);
            return Vec::new();
        };
        let slots = schedule.slots(*last, now);
        if let Some(newest) = slots.last() {
            *last = *newest;
        }
        slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        let moment: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_nanos(i64::try_from(moment.as_nanosecond()).unwrap())
    }

    /// The slots between two moments, as text.
    fn check(schedule: &Schedule, after: &str, through: &str, want: &[&str]) {
        let slots: Vec<String> = schedule.slots(at(after), at(through)).iter().map(ToString::to_string).collect();
        assert_eq!(slots, want, "{schedule:?}");
    }

    const HALF_PAST_ONE: u16 = 90;
    const HALF_PAST_TWO: u16 = 150;

    #[test]
    fn f04_new_york_skips_an_hour_in_march_and_repeats_one_in_november() {
        let daily = Schedule::daily("America/New_York", HALF_PAST_TWO);
        check(
            &daily,
            "2024-03-09T00:00:00Z",
            "2024-03-12T00:00:00Z",
            &["2024-03-09T07:30:00Z", "2024-03-10T07:30:00Z", "2024-03-11T06:30:00Z"], // 02:30 EST, 03:30 EDT, 02:30 EDT
        );
        let daily = Schedule::daily("America/New_York", HALF_PAST_ONE);
        check(
            &daily,
            "2024-11-02T00:00:00Z",
            "2024-11-05T00:00:00Z",
            &["2024-11-02T05:30:00Z", "2024-11-03T05:30:00Z", "2024-11-04T06:30:00Z"], // of two 01:30 the first
        );
    }

    #[test]
    fn f04_london_skips_an_hour_in_march_and_repeats_one_in_october() {
        let daily = Schedule::daily("Europe/London", HALF_PAST_ONE);
        check(
            &daily,
            "2024-03-30T00:00:00Z",
            "2024-04-01T12:00:00Z",
            &["2024-03-30T01:30:00Z", "2024-03-31T01:30:00Z", "2024-04-01T00:30:00Z"], // 01:30 GMT, 02:30 BST, 01:30 BST
        );
        check(
            &daily,
            "2024-10-26T00:00:00Z",
            "2024-10-28T12:00:00Z",
            &["2024-10-26T00:30:00Z", "2024-10-27T00:30:00Z", "2024-10-28T01:30:00Z"],
        );
    }

    #[test]
    fn f04_month_ends_and_leap_days_come_once() {
        let month_end = Schedule { days: ScheduleDays::Monthly(31), ..Schedule::daily("UTC", 0) };
        check(
            &month_end,
            "2024-01-01T00:00:00Z",
            "2024-05-01T00:00:00Z",
            &["2024-01-31T00:00:00Z", "2024-02-29T00:00:00Z", "2024-03-31T00:00:00Z", "2024-04-30T00:00:00Z"],
        );
        check(&month_end, "2023-02-01T00:00:00Z", "2023-03-01T00:00:00Z", &["2023-02-28T00:00:00Z"]);
        let leap = Schedule { days: ScheduleDays::Yearly(2, 29), ..Schedule::daily("UTC", 0) };
        check(&leap, "2023-01-01T00:00:00Z", "2024-12-31T00:00:00Z", &["2023-02-28T00:00:00Z", "2024-02-29T00:00:00Z"]);
        let new_year = Schedule { days: ScheduleDays::Yearly(12, 31), ..Schedule::daily("Asia/Tokyo", 23 * 60 + 59) };
        check(&new_year, "2023-12-30T00:00:00Z", "2024-01-02T00:00:00Z", &["2023-12-31T14:59:00Z"]);
    }

    #[test]
    fn what_does_not_exist_is_never_due() {
        let (after, through) = ("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z");
        check(&Schedule::daily("Nowhere/Land", 0), after, through, &[]);
        check(&Schedule::daily("UTC", 1_440), after, through, &[]);
        check(&Schedule { days: ScheduleDays::Weekly([false; 7]), ..Schedule::daily("UTC", 0) }, after, through, &[]);
    }

    #[test]
    fn f04_a_job_met_for_the_first_time_makes_up_for_nothing_and_a_restart_repeats_nothing() {
        let daily = Schedule::daily("UTC", 0);
        let mut fired = FiredSlots::default();
        assert_eq!(fired.due("report", &daily, at("2024-01-02T12:00:00Z")), []);
        assert_eq!(fired.due("report", &daily, at("2024-01-03T00:00:00Z")), [at("2024-01-03T00:00:00Z")]);
        let mut fired: FiredSlots = serde_json::from_str(&serde_json::to_string(&fired).unwrap()).unwrap();
        assert_eq!(fired.due("report", &daily, at("2024-01-03T00:00:00Z")), []);
        assert_eq!(fired.due("report", &daily, at("2024-01-02T00:00:00Z")), [], "the clock went back");
        assert_eq!(fired.due("report", &daily, at("2024-01-05T09:00:00Z")).len(), 2, "two nights were slept through");
    }

    proptest! {
        /// However often and in whatever order the time is looked at, over both changes of the clocks each local day's
        /// slot is given out exactly once.
        #[test]
        fn f04_every_local_day_fires_exactly_once(
            zone in prop_oneof![Just("America/New_York"), Just("Europe/London"), Just("Australia/Lord_Howe")],
            minute in 0_u16..1_440,
            mut looks in proptest::collection::vec(0_i64..365 * 24 * 60, 1..200),
            back in proptest::collection::vec(0_usize..200, 0..20),
        ) {
            let schedule = Schedule::daily(zone, minute);
            let (start, end) = (at("2024-01-01T00:00:00Z"), at("2024-12-31T00:00:00Z"));
            looks.sort_unstable();
            let mut moments: Vec<_> = looks.iter().map(|it| start.plus_nanos(it * 60_000_000_000).min(end)).collect();
            for place in back {
                if place > 0 && place < moments.len() {
                    moments.swap(place - 1, place); // the clock goes back now and then
                }
            }
            moments.push(end);
            let (mut fired, mut given) = (FiredSlots::default(), Vec::new());
            fired.due("job", &schedule, start);
            for moment in moments {
                given.extend(fired.due("job", &schedule, moment));
            }
            prop_assert!(given.is_sorted() && given.windows(2).all(|pair| pair[0] < pair[1]), "one came twice");
            prop_assert_eq!(given, schedule.slots(start, end));
            let days = schedule.slots(start, end).len();
            prop_assert!((364..=366).contains(&days), "{} days", days);
        }
    }
}
