//! The market's time between two events, and our own.

use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tradewind_domain::{Origin, Timestamp};
use tradewind_journal::clock_shift;

/// Our own time, now.
#[must_use]
pub fn wall() -> Timestamp {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX).saturating_add(clock_shift()))
}

/// By how much a live event's stamp may lie ahead of our own clock, in nanoseconds.
const MOST_AHEAD: i64 = 5_000_000_000;

/// The market's time.
///
/// A live market runs by our own clock. A local exchange may play another day, or faster than ours: there it is the
/// time of the newest event, moved on by the monotonic clock since it was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MarketClock {
    live: bool,
    newest: Option<(Timestamp, Instant)>,
}

impl MarketClock {
    pub(crate) const fn new(origin: Origin) -> Self {
        Self { live: matches!(origin, Origin::Live), newest: None }
    }

    pub(crate) fn note(&mut self, at: Timestamp) {
        if self.newest.is_none_or(|(newest, _)| at > newest) {
            self.newest = Some((at, Instant::now()));
        }
    }

    /// The moment of an event as it is to be taken: of a live market none lies ahead of its receipt by more than the
    /// clocks may differ.
    pub(crate) fn believed(&self, at: Timestamp) -> Timestamp {
        if self.live { at.min(wall().plus_nanos(MOST_AHEAD)) } else { at }
    }

    pub(crate) fn now(&self) -> Timestamp {
        match self.newest {
            Some((at, _)) if self.live => at.max(wall()),
            Some((at, read)) => at.plus_nanos(i64::try_from(read.elapsed().as_nanos()).unwrap_or(i64::MAX)),
            None => wall(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c09_an_event_of_a_live_market_that_is_stamped_in_the_future_counts_from_its_receipt() {
        let hour = 3_600 * 1_000_000_000;
        let live = MarketClock::new(Origin::Live);
        let ahead = live.believed(wall().plus_nanos(hour));
        assert!(ahead.since(wall()) <= MOST_AHEAD, "{ahead}");
        let late = wall().plus_nanos(-hour);
        assert_eq!(live.believed(late), late, "an event may be told late");
        let tomorrow = wall().plus_nanos(24 * hour);
        assert_eq!(MarketClock::new(Origin::Simulated).believed(tomorrow), tomorrow, "a local exchange may run ahead");
    }

    #[test]
    fn a_recorded_market_has_a_time_of_its_own_and_a_live_one_ours() {
        let day = Timestamp::from_millis(1_500_000_000_000);
        let mut recorded = MarketClock::new(Origin::Recorded);
        assert!(recorded.now().since(wall()).abs() < 1_000_000_000, "before anything is known");
        recorded.note(day);
        recorded.note(day.plus_nanos(-1));
        assert!((0..1_000_000_000).contains(&recorded.now().since(day)));
        let mut live = MarketClock::new(Origin::Live);
        live.note(day); // the newest bar may be an hour old
        assert!(live.now().since(wall()).abs() < 1_000_000_000);
    }
}
