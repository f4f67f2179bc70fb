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
    fn a_session_follows_its_zone_over_summer_time() {
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
}
