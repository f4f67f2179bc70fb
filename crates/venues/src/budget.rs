//! How much may be asked of a venue: one budget per network address, with a part kept for cancels and queries.

use std::time::Duration;
use tradewind_domain::Timestamp;

/// Who asks: new exposure leaves half of the budget to everything else, and everything else a quarter to cancels and to
/// looking after orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// May use half: orders that can add to a position.
    Exposure,
    /// May use three quarters: market data, and orders that only reduce.
    Ordinary,
    /// May use everything: cancels, and queries about orders that are out.
    Vital,
}

/// Why a request must wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The interval's budget is used; it starts anew after this time.
    Budget(Duration),
    /// The venue told us to wait.
    Told(Duration),
    /// The venue banned this address.
    Banned(Duration),
}

impl std::fmt::Display for Wait {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Budget(wait) => write!(f, "the budget is used up for {wait:.0?}"),
            Self::Told(wait) => write!(f, "the venue told us to wait {wait:.0?}"),
            Self::Banned(wait) => write!(f, "the venue banned this address for {wait:.0?}"),
        }
    }
}

impl Wait {
    /// The stable code of what it says.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Budget(_) | Self::Told(_) => "VEN-11",
            Self::Banned(_) => "VEN-12",
        }
    }

    /// For how long.
    #[must_use]
    pub const fn duration(self) -> Duration {
        match self {
            Self::Budget(wait) | Self::Told(wait) | Self::Banned(wait) => wait,
        }
    }
}

/// A limit of so much per so long, on intervals that start at whole multiples since 1970.
#[derive(Clone, Copy, Debug)]
struct Window {
    millis: i64,
    limit: u64,
    started: i64,
    used: u64,
}

impl Window {
    const fn start_of(&self, now: Timestamp) -> i64 {
        now.millis().div_euclid(self.millis)
    }
    fn roll(&mut self, now: Timestamp) {
        let start = self.start_of(now);
        if start > self.started {
            self.started = start;
            self.used = 0;
        }
    }
    fn left(&self, now: Timestamp) -> Duration {
        let end = (self.start_of(now) + 1) * self.millis;
        Duration::from_millis(u64::try_from(end - now.millis()).unwrap_or(0))
    }
}

/// How much later than by our best knowledge an interval is taken to end, in nanoseconds: between two readings of the
/// venue's clock ours may go wrong by so much.
const LATE: i64 = 250_000_000;

/// The budget of one network address at one venue. Time comes in as an argument.
#[derive(Clone, Debug)]
pub struct Budget {
    windows: Vec<Window>,
    /// What to add to the time that comes in for the earliest that the venue's clock may show.
    behind: i64,
    wait_until: Timestamp,
    banned_until: Timestamp,
}

impl Budget {
    /// A budget of `limit` per `interval` for each pair.
    ///
    /// # Panics
    /// For an interval below a millisecond.
    #[must_use]
    pub fn new(limits: &[(Duration, u64)]) -> Self {
        let windows = limits
            .iter()
            .map(|(interval, limit)| {
                let millis = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
                assert!(millis > 0, "an interval lasts at least a millisecond");
                Window { millis, limit: *limit, started: i64::MIN, used: 0 }
            })
            .collect();
        let never = Timestamp::from_nanos(i64::MIN);
        Self { windows, behind: 0, wait_until: never, banned_until: never }
    }

    /// The venue's intervals are told by its own clock, which at `now` shows `earliest` or later: whoever thinks a minute
    /// is over while it lasts asks for more than it has left.
    pub const fn align(&mut self, earliest: Timestamp, now: Timestamp) {
        self.behind = earliest.since(now) - LATE;
    }

    /// Replaces the limits, such as by those that the venue lists; what was used stays used.
    pub fn set_limits(&mut self, limits: &[(Duration, u64)]) {
        let fresh = Self::new(limits);
        let old = std::mem::replace(&mut self.windows, fresh.windows);
        for window in &mut self.windows {
            if let Some(same) = old.iter().find(|o| o.millis == window.millis) {
                (window.started, window.used) = (same.started, same.used);
            }
        }
    }

    /// Takes `weight` out of the budget, or says how long to wait.
    ///
    /// # Errors
    /// [`Wait`] if the venue said so, or if the interval's share for this purpose is used.
    pub fn take(&mut self, weight: u64, purpose: Purpose, now: Timestamp) -> Result<(), Wait> {
        if let Some(wait) = self.told(now) {
            return Err(wait);
        }
        let venue = now.plus_nanos(self.behind);
        for window in &mut self.windows {
            window.roll(venue);
            let share = match purpose {
                Purpose::Exposure => window.limit / 2,
                Purpose::Ordinary => window.limit / 4 * 3,
                Purpose::Vital => window.limit,
            };
            if window.used.saturating_add(weight) > share {
                return Err(Wait::Budget(window.left(venue)));
            }
        }
        for window in &mut self.windows {
            window.used = window.used.saturating_add(weight);
        }
        Ok(())
    }

    /// How long the venue wants to be left in peace; `None` if it does not.
    #[must_use]
    pub fn told(&self, now: Timestamp) -> Option<Wait> {
        let until = |moment: Timestamp| Duration::from_nanos(u64::try_from(moment.since(now)).unwrap_or(0));
        match (self.banned_until > now, self.wait_until > now) {
            (true, _) => Some(Wait::Banned(until(self.banned_until))),
            (_, true) => Some(Wait::Told(until(self.wait_until))),
            _ => None,
        }
    }

    /// Takes note of how much the venue says was used in the current interval. Never lowers what we counted.
    pub fn used(&mut self, interval: Duration, used: u64, now: Timestamp) {
        for window in &mut self.windows {
            if u128::from(window.millis.unsigned_abs()) == interval.as_millis() {
                window.roll(now.plus_nanos(self.behind));
                window.used = window.used.max(used);
            }
        }
    }

    /// The venue told this address to wait; `banned` if it already refuses everything.
    pub fn told_to_wait(&mut self, wait: Duration, banned: bool, now: Timestamp) {
        let until = now.plus_nanos(i64::try_from(wait.as_nanos()).unwrap_or(i64::MAX));
        let moment = if banned { &mut self.banned_until } else { &mut self.wait_until };
        *moment = until.max(*moment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn new_exposure_uses_half_and_a_quarter_is_kept_for_cancels_and_queries() {
        let mut budget = Budget::new(&[(MINUTE, 100)]);
        assert_eq!(budget.take(50, Purpose::Exposure, at(1_000)), Ok(()));
        assert_eq!(budget.take(1, Purpose::Exposure, at(1_000)), Err(Wait::Budget(Duration::from_secs(59))));
        assert_eq!(budget.take(25, Purpose::Ordinary, at(1_000)), Ok(()));
        assert_eq!(budget.take(1, Purpose::Ordinary, at(1_000)), Err(Wait::Budget(Duration::from_secs(59))));
        assert_eq!(budget.take(25, Purpose::Vital, at(2_000)), Ok(()));
        assert_eq!(budget.take(1, Purpose::Vital, at(2_000)), Err(Wait::Budget(Duration::from_secs(58))));
        assert_eq!(budget.take(75, Purpose::Ordinary, at(60_000)), Ok(()), "the next minute starts anew");
    }

    #[test]
    fn an_interval_ends_when_it_ends_at_the_venue() {
        let mut budget = Budget::new(&[(MINUTE, 100)]);
        budget.align(at(29_000), at(0)); // our clock is half a minute behind
        budget.take(75, Purpose::Ordinary, at(10_000)).unwrap();
        assert!(budget.take(75, Purpose::Ordinary, at(31_000)).is_err(), "it may be 500 ms past the minute, or less");
        assert_eq!(budget.take(75, Purpose::Ordinary, at(31_250)), Ok(()), "the venue's next minute");
        budget.align(at(59_000), at(60_000));
        assert!(budget.take(1, Purpose::Ordinary, at(61_100)).is_err(), "it is the same minute still, or again");
    }

    #[test]
    fn what_the_venue_counted_is_believed_when_it_is_more() {
        let mut budget = Budget::new(&[(MINUTE, 100)]);
        budget.take(10, Purpose::Ordinary, at(0)).unwrap();
        budget.used(MINUTE, 74, at(10));
        assert!(budget.take(1, Purpose::Ordinary, at(20)).is_ok());
        budget.used(MINUTE, 3, at(30));
        assert!(budget.take(1, Purpose::Ordinary, at(40)).is_err());
        budget.set_limits(&[(MINUTE, 6_000)]);
        assert!(budget.take(4_400, Purpose::Ordinary, at(50)).is_ok());
        assert!(budget.take(100, Purpose::Ordinary, at(50)).is_err(), "what was used stays used");
    }

    #[test]
    fn a_count_that_is_no_count_uses_the_budget_up_until_the_interval_ends() {
        let mut budget = Budget::new(&[(MINUTE, 100)]);
        budget.used(MINUTE, u64::MAX, at(10));
        assert!(budget.take(1, Purpose::Vital, at(20)).is_err());
        assert_eq!(budget.take(75, Purpose::Ordinary, at(60_000)), Ok(()));
    }

    #[test]
    fn a_ban_stops_everything_until_it_ends() {
        let mut budget = Budget::new(&[(MINUTE, 100)]);
        budget.told_to_wait(Duration::from_secs(5), false, at(0));
        assert_eq!(budget.take(1, Purpose::Vital, at(1_000)), Err(Wait::Told(Duration::from_secs(4))));
        budget.told_to_wait(Duration::from_secs(120), true, at(1_000));
        budget.told_to_wait(Duration::from_secs(1), true, at(1_000));
        assert_eq!(budget.take(1, Purpose::Vital, at(2_000)), Err(Wait::Banned(Duration::from_secs(119))));
        assert_eq!(budget.take(1, Purpose::Vital, at(121_000)), Ok(()));
    }
}
