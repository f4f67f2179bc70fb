//! The venue's clock, shared by all tasks of a connection.

use crate::binance::protocol::ClockEstimate;
use std::sync::Mutex;
use std::time::Instant;
use tradewind_domain::Timestamp;

/// Shared by all tasks of a connection.
#[derive(Debug)]
pub(crate) struct VenueClock {
    began: Instant,
    estimate: Mutex<ClockEstimate>,
}

impl Default for VenueClock {
    fn default() -> Self {
        Self { began: Instant::now(), estimate: Mutex::default() }
    }
}

impl VenueClock {
    /// Takes note of one question for the time: asked, answered, and what the venue said in between.
    pub(crate) fn note(&self, asked: Instant, answered: Instant, venue_millis: i64) {
        let (asked, answered) = (self.since_began(asked), self.since_began(answered));
        self.estimate.lock().expect("no holder of this lock panics").note(asked, answered, venue_millis);
    }

    /// Forgets the reading: the venue disagreed.
    pub(crate) fn forget(&self) {
        self.estimate.lock().expect("no holder of this lock panics").forget();
    }

    /// The venue's time now and by how much it may be wrong, in nanoseconds; `None` before the first reading.
    pub(crate) fn now(&self) -> Option<(Timestamp, i64)> {
        let now = self.since_began(Instant::now());
        self.estimate.lock().expect("no holder of this lock panics").at(now)
    }

    fn since_began(&self, moment: Instant) -> i64 {
        i64::try_from(moment.saturating_duration_since(self.began).as_nanos()).unwrap_or(i64::MAX)
    }
}
