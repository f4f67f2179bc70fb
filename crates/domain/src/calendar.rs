//! When an instrument trades.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// The trading hours of an instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Calendar {
    /// Round the clock, every day.
    Continuous,
    /// A daily session in an exchange's own zone, on the given weekdays; holidays come as halts.
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
        })
    }

    /// Whether the market is open at `moment`. An unknown zone is never open.
    #[must_use]
    pub fn is_open(&self, moment: Timestamp) -> bool {
        let hours = match self {
            Self::Continuous => return true,
            Self::Sessions(hours) => hours,
        };
        let Ok(utc) = jiff::Timestamp::from_nanosecond(i128::from(moment.nanos())) else { return false };
        let Ok(local) = utc.in_tz(&hours.zone) else { return false };
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        let weekday = usize::from(local.weekday().to_monday_zero_offset().unsigned_abs());
        hours.weekdays[weekday] && (hours.open_minute..hours.close_minute).contains(&minute)
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
                    weekdays: [true; 7]
                }),
                "2024-02-29T08:00:00Z"
            ),
            "an unknown zone is never open"
        );
    }
}
