//! The venue's clock, shared by all tasks of a connection.

use crate::binance::protocol::ClockEstimate;
use crate::socket::wall_clock;
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
        let mut estimate = ClockEstimate::default();
        estimate.look(0, wall_clock());
        Self { began: Instant::now(), estimate: Mutex::new(estimate) }
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

    /// The venue's time now and by how much it may be wrong, in nanoseconds; `None` before the first reading, and after
    /// a jump of this machine's clocks until the next one.
    pub(crate) fn now(&self) -> Option<(Timestamp, i64)> {
        let now = self.since_began(Instant::now());
        let mut estimate = self.estimate.lock().expect("no holder of this lock panics");
        estimate.look(now, wall_clock());
        estimate.at(now)
    }

    fn since_began(&self, moment: Instant) -> i64 {
        i64::try_from(moment.saturating_duration_since(self.began).as_nanos()).unwrap_or(i64::MAX)
    }
}
