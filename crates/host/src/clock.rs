//! [`MarketClock`]: what time it is between two events.

use tradewind_domain::{Origin, Timestamp};

/// By how much a live event's stamp may lie ahead of the market's time, in nanoseconds.
const MOST_AHEAD: i64 = 5_000_000_000;

/// The market's time, carried on by the monotonic clock: what this machine takes the date for does not move it.
///
/// An event that is stamped an hour ahead makes every window that is counted from it an hour longer: a proposal waits,
/// a parent does not end, a price that is new looks stale. A machine's date may be wrong by that much at any moment, the
/// venue's is not. So a live market runs by its venue's clock as it was read last. A local exchange may play another
/// day, or faster than ours: there it is the time of the newest event, once there is one.
///
/// All moments are given in nanoseconds of one monotonic clock. While a machine is suspended that clock stands still,
/// and so does the market's time until the venue's is read again; no order leaves before that.
#[derive(Clone, Copy, Debug)]
pub struct MarketClock {
    live: bool,
    /// A time, and the moment at which it was that time.
    known: (Timestamp, i64),
    /// Whether an event told it.
    by_event: bool,
}

impl MarketClock {
    /// Of a market whose events are `origin`, at `moment`, when nothing better is known than that it is `at`.
    #[must_use]
    pub const fn new(origin: Origin, at: Timestamp, moment: i64) -> Self {
        Self { live: matches!(origin, Origin::Live), known: (at, moment), by_event: false }
    }

    /// The venue's clock showed `at`.
    pub const fn venue_says(&mut self, at: Timestamp, moment: i64) {
        if self.live || !self.by_event {
            self.known = (at, moment);
        }
    }

    /// An event of the market happened at `at`, and is read now.
    pub fn note(&mut self, at: Timestamp, moment: i64) {
        if !self.live && (!self.by_event || at > self.known.0) {
            (self.known, self.by_event) = ((at, moment), true);
        }
    }

    /// The moment of an event as it is to be taken: of a live market none lies ahead of its receipt by more than the
    /// clocks may differ.
    #[must_use]
    pub fn believed(&self, at: Timestamp, moment: i64) -> Timestamp {
        if self.live { at.min(self.at(moment).plus_nanos(MOST_AHEAD)) } else { at }
    }

    /// The time at `moment`.
    #[must_use]
    pub fn at(&self, moment: i64) -> Timestamp {
        let (at, then) = self.known;
        at.plus_nanos(moment.saturating_sub(then).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;
    const DAY: Timestamp = Timestamp::from_millis(1_500_000_000_000);

    #[test]
    fn c09_an_event_of_a_live_market_that_is_stamped_in_the_future_counts_from_its_receipt() {
        let live = MarketClock::new(Origin::Live, DAY, 0);
        let hour = DAY.plus_nanos(3_600 * SECOND);
        assert_eq!(live.believed(hour, SECOND).since(DAY), SECOND + MOST_AHEAD);
        let late = DAY.plus_nanos(-3_600 * SECOND);
        assert_eq!(live.believed(late, SECOND), late, "an event may be told late");
        assert_eq!(MarketClock::new(Origin::Simulated, DAY, 0).believed(hour, 0), hour, "an exchange may run ahead");
    }

    #[test]
    fn f01_a_live_market_runs_by_its_venue_and_not_by_this_machines_date() {
        let wrong = DAY.plus_nanos(3_600 * SECOND);
        let mut live = MarketClock::new(Origin::Live, wrong, 0);
        live.venue_says(DAY, SECOND);
        assert_eq!(live.at(3 * SECOND).since(DAY), 2 * SECOND);
        live.note(wrong, 3 * SECOND);
        assert_eq!(live.at(3 * SECOND).since(DAY), 2 * SECOND, "nor by what an event says");
        live.venue_says(DAY.plus_nanos(600 * SECOND), 4 * SECOND);
        assert_eq!(live.at(4 * SECOND).since(DAY), 600 * SECOND, "suspended meanwhile, and read again");
        assert_eq!(live.at(0).since(DAY), 600 * SECOND, "never before what is known");
    }

    #[test]
    fn a_recorded_market_has_a_time_of_its_own() {
        let mut recorded = MarketClock::new(Origin::Recorded, DAY.plus_nanos(SECOND), 0);
        recorded.venue_says(DAY.plus_nanos(9 * SECOND), 0);
        assert_eq!(recorded.at(SECOND).since(DAY), 10 * SECOND, "before anything happened in it");
        recorded.note(DAY, SECOND);
        recorded.note(DAY.plus_nanos(-1), 2 * SECOND);
        recorded.venue_says(DAY.plus_nanos(90 * SECOND), 2 * SECOND);
        assert_eq!(recorded.at(2 * SECOND).since(DAY), SECOND);
    }
}
