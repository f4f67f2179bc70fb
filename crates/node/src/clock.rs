//! The market's time between two events, and our own.

use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tradewind_domain::{Origin, Timestamp};
use tradewind_host::MarketClock;
use tradewind_journal::clock_shift;

/// Our own time, now.
#[must_use]
pub fn wall() -> Timestamp {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX).saturating_add(clock_shift()))
}

/// The market's time on this machine's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    began: Instant,
    market: MarketClock,
}

impl Clock {
    /// Begins by what the venue's clock shows, or by our own where that is not known.
    pub(crate) fn new(origin: Origin, venue: Option<Timestamp>) -> Self {
        Self { began: Instant::now(), market: MarketClock::new(origin, venue.unwrap_or_else(wall), 0) }
    }

    /// Nanoseconds since it began.
    pub(crate) fn monotonic(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_nanos()).unwrap_or(i64::MAX)
    }
    pub(crate) fn venue_says(&mut self, at: Timestamp) {
        self.market.venue_says(at, self.monotonic());
    }
    pub(crate) fn note(&mut self, at: Timestamp) {
        self.market.note(at, self.monotonic());
    }
    pub(crate) fn believed(&self, at: Timestamp) -> Timestamp {
        self.market.believed(at, self.monotonic())
    }
    pub(crate) fn now(&self) -> Timestamp {
        self.market.at(self.monotonic())
    }
}
