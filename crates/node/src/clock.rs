//! The venue's time between two events, and our own.

use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tradewind_domain::Timestamp;

/// Our own time, now.
#[must_use]
pub fn wall() -> Timestamp {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
}

/// The market's time: that of the newest event, moved on by the monotonic clock since it was read.
///
/// A local exchange may run its market faster than ours, so our own clock does not serve.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MarketClock {
    newest: Option<(Timestamp, Instant)>,
}

impl MarketClock {
    pub(crate) fn note(&mut self, at: Timestamp) {
        if self.newest.is_none_or(|(newest, _)| at > newest) {
            self.newest = Some((at, Instant::now()));
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        match self.newest {
            Some((at, read)) => at.plus_nanos(i64::try_from(read.elapsed().as_nanos()).unwrap_or(i64::MAX)),
            None => wall(),
        }
    }
}
