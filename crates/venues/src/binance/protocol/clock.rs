//! The venue's clock, as well as we know it. It runs on a monotonic clock: jumps of the wall clock do not move it.
//!
//! That clock stands still while the machine is suspended; the venue's does not. A wall clock that went another way than
//! the monotonic one since the last look is therefore a reason not to trust what is known: it is measured anew, and until
//! then no order leaves.

use tradewind_domain::Timestamp;

/// Most that a machine's quartz is off, in nanoseconds per microsecond: 500 parts in a million.
const DRIFT_PPM: i64 = 500;
/// Most that wall clock and monotonic clock may part between two looks, in nanoseconds.
const PARTED: i64 = 1_000_000_000;

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
    /// The last look at both clocks: monotonic, wall.
    looked: Option<(i64, i64)>,
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

    /// Looks at both clocks of this machine; if they parted since the last look, what was known counts no more.
    pub fn look(&mut self, monotonic: i64, wall: Timestamp) {
        if let Some((then, was)) = self.looked
            && wall.nanos().saturating_sub(was).abs_diff(monotonic.saturating_sub(then)) > PARTED.unsigned_abs()
        {
            self.forget();
        }
        self.looked = Some((monotonic, wall.nanos()));
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

    /// What is known after the monotonic clock ran `monotonic` and the wall clock `wall` milliseconds.
    fn is_known_after(monotonic: i64, wall: i64) -> bool {
        let mut clock = ClockEstimate::default();
        clock.look(0, Timestamp::from_millis(1_600_000_000_000));
        clock.note(0, 0, 1_700_000_000_000);
        clock.look(monotonic * MILLI, Timestamp::from_millis(1_600_000_000_000 + wall));
        clock.at(monotonic * MILLI).is_some()
    }

    #[test]
    fn a_jump_of_the_wall_clock_or_a_suspension_asks_for_a_new_reading() {
        assert!(is_known_after(200, 200) && is_known_after(60_000, 60_900), "as it should be, and slewed");
        assert!(!is_known_after(200, 3_600_200), "an hour forward");
        assert!(!is_known_after(200, -3_600_000), "an hour back");
        assert!(!is_known_after(200, 600_200), "suspended for ten minutes");
        assert!(!is_known_after(60_000, 10_000), "it lost fifty seconds");
    }

    #[test]
    fn after_a_jump_the_next_reading_counts_again() {
        let (mut clock, second) = (ClockEstimate::default(), 1_000 * MILLI);
        let wall = |millis: i64| Timestamp::from_millis(1_600_000_000_000 + millis);
        clock.look(0, wall(0));
        clock.note(0, 0, 1_700_000_000_000);
        clock.look(second, wall(100_000));
        clock.look(2 * second, wall(101_000));
        assert!(clock.at(2 * second).is_none(), "it stays forgotten");
        clock.note(2 * second, 2 * second, 1_700_000_100_000);
        clock.look(3 * second, wall(102_000));
        let (now, _) = clock.at(3 * second).unwrap();
        assert!(now.millis() >= 1_700_000_101_000, "{now}");
    }
}
