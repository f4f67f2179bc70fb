//! The venue's clock, as well as we know it. It runs on the monotonic clock: jumps of the wall clock do not move it.

use std::sync::Mutex;
use std::time::{Duration, Instant};
use tradewind_domain::Timestamp;

/// Most that a machine's quartz is off, in nanoseconds per microsecond: 500 parts in a million.
const DRIFT_PPM: i64 = 500;

#[derive(Clone, Copy, Debug)]
struct Reading {
    taken: Instant,
    venue: Timestamp,
    error_nanos: i64,
}

/// Shared by all tasks of a connection.
#[derive(Debug, Default)]
pub(crate) struct VenueClock {
    reading: Mutex<Option<Reading>>,
}

impl VenueClock {
    /// Takes note of one question for the time: asked, answered, and what the venue said in between.
    ///
    /// Of two readings the one with the smaller error counts.
    pub(crate) fn note(&self, asked: Instant, answered: Instant, venue_millis: i64) {
        let half = answered.duration_since(asked) / 2;
        let error_nanos = nanos(half) + 1_000_000; // the answer is cut to milliseconds
        let fresh = Reading { taken: asked + half, venue: Timestamp::from_millis(venue_millis), error_nanos };
        let mut reading = self.reading.lock().expect("no holder of this lock panics");
        let kept = reading.filter(|old| error_at(old, answered) <= error_nanos);
        *reading = Some(kept.unwrap_or(fresh));
    }

    /// Forgets the reading: the venue disagreed.
    pub(crate) fn forget(&self) {
        *self.reading.lock().expect("no holder of this lock panics") = None;
    }

    /// The venue's time now and by how much it may be wrong, in nanoseconds; `None` before the first reading.
    pub(crate) fn now(&self) -> Option<(Timestamp, i64)> {
        let now = Instant::now();
        let reading = (*self.reading.lock().expect("no holder of this lock panics"))?;
        let elapsed = now.saturating_duration_since(reading.taken);
        Some((reading.venue.plus_nanos(nanos(elapsed)), error_at(&reading, now)))
    }
}

fn error_at(reading: &Reading, now: Instant) -> i64 {
    let elapsed = nanos(now.saturating_duration_since(reading.taken));
    reading.error_nanos.saturating_add(elapsed / 1_000_000 * DRIFT_PPM)
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_reading_counts_and_errors_grow_with_age() {
        let clock = VenueClock::default();
        assert!(clock.now().is_none());
        let start = Instant::now();
        clock.note(start, start + Duration::from_millis(400), 1_700_000_000_000);
        let (_, error) = clock.now().unwrap();
        assert!((201_000_000..202_000_000).contains(&error), "{error}");
        clock.note(start, start + Duration::from_millis(10), 1_700_000_005_000);
        let (now, error) = clock.now().unwrap();
        assert!(now.millis() >= 1_700_000_004_990 && error < 7_000_000, "{now} ± {error}");
        clock.note(start, start + Duration::from_millis(800), 1_800_000_000_000);
        assert!(clock.now().unwrap().0.millis() < 1_750_000_000_000, "a worse reading is not taken");
        let old = Reading { taken: start, venue: now, error_nanos: 0 };
        assert_eq!(error_at(&old, start + Duration::from_secs(1_000)), 500_000_000);
        clock.forget();
        assert!(clock.now().is_none());
    }
}
