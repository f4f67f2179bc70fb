//! The venue's clock, as well as we know it. It runs on a monotonic clock: jumps of the wall clock do not move it.

use tradewind_domain::Timestamp;

/// Most that a machine's quartz is off, in nanoseconds per microsecond: 500 parts in a million.
const DRIFT_PPM: i64 = 500;

#[derive(Clone, Copy, Debug)]
struct Reading {
    taken: i64,
    venue: Timestamp,
    error: i64,
}

/// What the venue's clock shows, by the best reading so far. Monotonic moments are nanoseconds since any fixed start.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClockEstimate {
    reading: Option<Reading>,
}

impl ClockEstimate {
    /// Takes note of one question for the time: asked, answered, and what the venue said in between.
    ///
    /// Of two readings the one with the smaller error counts.
    pub fn note(&mut self, asked: i64, answered: i64, venue_millis: i64) {
        let half = (answered - asked) / 2;
        let error = half + 1_000_000; // the answer is cut to milliseconds
        let fresh = Reading { taken: asked + half, venue: Timestamp::from_millis(venue_millis), error };
        let kept = self.reading.filter(|old| error_at(old, answered) <= error);
        self.reading = Some(kept.unwrap_or(fresh));
    }

    /// Forgets the reading: the venue disagreed.
    pub const fn forget(&mut self) {
        self.reading = None;
    }

    /// The venue's time at `now` and by how much it may be wrong, in nanoseconds; `None` before the first reading.
    #[must_use]
    pub fn at(&self, now: i64) -> Option<(Timestamp, i64)> {
        let reading = self.reading?;
        let elapsed = now.saturating_sub(reading.taken).max(0);
        Some((reading.venue.plus_nanos(elapsed), error_at(&reading, now)))
    }
}

fn error_at(reading: &Reading, now: i64) -> i64 {
    let elapsed = now.saturating_sub(reading.taken).max(0);
    reading.error.saturating_add(elapsed / 1_000_000 * DRIFT_PPM)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: i64 = 1_000_000;

    #[test]
    fn the_better_reading_counts_and_errors_grow_with_age() {
        let mut clock = ClockEstimate::default();
        assert!(clock.at(0).is_none());
        clock.note(0, 400 * MILLI, 1_700_000_000_000);
        let (_, error) = clock.at(400 * MILLI).unwrap();
        assert!((201_000_000..202_000_000).contains(&error), "{error}");
        clock.note(0, 10 * MILLI, 1_700_000_005_000);
        let (now, error) = clock.at(10 * MILLI).unwrap();
        assert!(now.millis() >= 1_700_000_004_990 && error < 7_000_000, "{now} ± {error}");
        clock.note(0, 800 * MILLI, 1_800_000_000_000);
        assert!(clock.at(800 * MILLI).unwrap().0.millis() < 1_750_000_000_000, "a worse reading is not taken");
        let old = Reading { taken: 0, venue: now, error: 0 };
        assert_eq!(error_at(&old, 1_000_000 * MILLI), 500_000_000);
        clock.forget();
        assert!(clock.at(0).is_none());
    }
}
