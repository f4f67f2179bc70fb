//! Equity over time: what was lost today, this week, and from the peak.

use serde::{Deserialize, Serialize};
use tradewind_domain::Timestamp;

/// The reference points that losses are measured from, in ledger units of one portfolio's base currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Equity {
    day: i64,
    week: i64,
    now: i128,
    day_start: i128,
    week_start: i128,
    peak: i128,
    known: bool,
}

/// What was lost, in basis points of the reference point; a gain is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Since UTC midnight.
    pub day_bps: i64,
    /// Since Monday, UTC.
    pub week_bps: i64,
    /// From the highest equity since the last reset.
    pub peak_bps: i64,
}

impl Equity {
    /// Takes in the equity at `at`; true when a UTC day began.
    pub(crate) fn push(&mut self, equity: i128, at: Timestamp) -> bool {
        let day = at.utc_day();
        let week = (day + 3).div_euclid(7); // 1970-01-01 was a Thursday
        let rolled = self.known && day > self.day;
        if !self.known {
            *self = Self { day, week, now: equity, day_start: equity, week_start: equity, peak: equity, known: true };
        }
        if day > self.day {
            (self.day, self.day_start) = (day, self.now);
        }
        if week > self.week {
            (self.week, self.week_start) = (week, self.now);
        }
        self.now = equity;
        self.peak = self.peak.max(equity);
        rolled
    }

    /// Money from outside is neither profit nor loss: every reference point moves with it.
    pub(crate) fn deposit(&mut self, units: i128) {
        if self.known {
            for point in [&mut self.now, &mut self.day_start, &mut self.week_start, &mut self.peak] {
                *point += units;
            }
        }
    }

    /// A person accepts the loss of the day: it is measured anew from here.
    pub(crate) fn rebase_day(&mut self) {
        self.day_start = self.now;
    }
    /// As [`Self::rebase_day`] for the week.
    pub(crate) fn rebase_week(&mut self) {
        self.week_start = self.now;
    }
    /// As [`Self::rebase_day`] for the peak.
    pub(crate) fn rebase_peak(&mut self) {
        self.peak = self.now;
    }

    /// Equity that today's loss is measured from; `None` before any was seen.
    #[must_use]
    pub fn day_start(&self) -> Option<i128> {
        self.known.then_some(self.day_start)
    }
    /// Equity that the drawdown is measured from; `None` before any was seen.
    #[must_use]
    pub fn peak(&self) -> Option<i128> {
        self.known.then_some(self.peak)
    }

    /// What was lost. Where the reference point is not positive everything is, but for what began with nothing and owes
    /// nothing.
    #[must_use]
    pub fn losses(&self) -> Losses {
        let part = |from: i128| {
            if !self.known {
                return 0;
            }
            if from <= 0 {
                return if from == 0 && self.now >= 0 { 0 } else { 10_000 };
            }
            let bps = (from - self.now).max(0).saturating_mul(10_000) / from;
            i64::try_from(bps).unwrap_or(i64::MAX)
        };
        Losses { day_bps: part(self.day_start), week_bps: part(self.week_start), peak_bps: part(self.peak) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn each_loss_is_measured_from_its_own_point() {
        let mut equity = Equity::default();
        assert_eq!(equity.losses(), Losses::default());
        let losses = |equity: &Equity| {
            let Losses { day_bps, week_bps, peak_bps } = equity.losses();
            (day_bps, week_bps, peak_bps)
        };
        let at = |day: i64| Timestamp::from_millis(day * DAY); // day 4 was a Monday
        assert!(!equity.push(1_000, at(9)));
        equity.push(2_000, at(9));
        equity.push(1_800, at(9));
        assert_eq!(losses(&equity), (0, 0, 1_000));
        assert!(equity.push(1_710, at(10)), "a day began");
        assert_eq!(losses(&equity), (500, 0, 1_450), "measured from 1,800, the last word of the day before");
        equity.push(1_710, at(11));
        assert_eq!(losses(&equity), (0, 0, 1_450), "day 11 was a Monday: day and week begin anew");
        equity.deposit(1_000);
        assert_eq!(equity.losses().day_bps, 0);
        equity.push(2_168, at(11));
        assert_eq!(losses(&equity), (2_000, 2_000, 2_773));
        equity.rebase_day();
        equity.rebase_week();
        assert_eq!(losses(&equity), (0, 0, 2_773));
        equity.rebase_peak();
        assert_eq!(losses(&equity), (0, 0, 0));
    }

    #[test]
    fn what_began_with_nothing_has_lost_nothing_until_it_owes() {
        let mut equity = Equity::default();
        let everything = Losses { day_bps: 10_000, week_bps: 10_000, peak_bps: 10_000 };
        equity.push(0, Timestamp::from_millis(0));
        assert_eq!(equity.losses(), Losses::default());
        assert_eq!((equity.day_start(), equity.peak()), (Some(0), Some(0)));
        equity.push(-1, Timestamp::from_millis(1));
        assert_eq!(equity.losses(), everything);
        equity.push(-1, Timestamp::from_millis(DAY));
        assert_eq!(equity.losses(), everything, "a day that begins with a debt");
    }
}
