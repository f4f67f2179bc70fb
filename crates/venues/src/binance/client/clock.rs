//! The venue's clock, shared by all tasks of a connection.
//!
//! It runs on the monotonic clock, which stands still while the machine is suspended; the venue's does not. A wall clock
//! that went another way than the monotonic one since the last look is therefore a reason not to trust what is known:
//! it is measured anew, and until then no order leaves.

use crate::binance::protocol::ClockEstimate;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};
use tradewind_domain::Timestamp;
use tradewind_journal::clock_shift;

/// Most that wall clock and monotonic clock may part between two looks.
const PARTED: Duration = Duration::from_secs(1);

/// Shared by all tasks of a connection.
#[derive(Debug)]
pub(crate) struct VenueClock {
    began: Instant,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    estimate: ClockEstimate,
    /// The last look at both clocks.
    looked: (Instant, SystemTime),
}

impl Default for VenueClock {
    fn default() -> Self {
        let began = Instant::now();
        let known = Known { estimate: ClockEstimate::default(), looked: (began, SystemTime::now()) };
        Self { began, known: Mutex::new(known) }
    }
}

impl VenueClock {
    /// Takes note of one question for the time: asked, answered, and what the venue said in between.
    pub(crate) fn note(&self, asked: Instant, answered: Instant, venue_millis: i64) {
        let (asked, answered) = (self.since_began(asked), self.since_began(answered));
        self.known.lock().expect("no holder of this lock panics").estimate.note(asked, answered, venue_millis);
    }

    /// Forgets the reading: the venue disagreed.
    pub(crate) fn forget(&self) {
        self.known.lock().expect("no holder of this lock panics").estimate.forget();
    }

    /// The venue's time now and by how much it may be wrong, in nanoseconds; `None` before the first reading, and after
    /// a jump of this machine's clocks until the next one.
    pub(crate) fn now(&self) -> Option<(Timestamp, i64)> {
        self.at(Instant::now(), wall())
    }

    fn at(&self, now: Instant, wall: SystemTime) -> Option<(Timestamp, i64)> {
        let mut known = self.known.lock().expect("no holder of this lock panics");
        if parted(known.looked, now, wall) {
            known.estimate.forget();
        }
        known.looked = (now, wall);
        known.estimate.at(self.since_began(now))
    }

    fn since_began(&self, moment: Instant) -> i64 {
        i64::try_from(moment.saturating_duration_since(self.began).as_nanos()).unwrap_or(i64::MAX)
    }
}

/// This machine's wall clock.
fn wall() -> SystemTime {
    let shift = clock_shift();
    let by = Duration::from_nanos(shift.unsigned_abs());
    if shift < 0 { SystemTime::now() - by } else { SystemTime::now() + by }
}

fn parted((then, was): (Instant, SystemTime), now: Instant, wall: SystemTime) -> bool {
    let elapsed = now.saturating_duration_since(then);
    match wall.duration_since(was) {
        Ok(by_wall) => by_wall.abs_diff(elapsed) > PARTED,
        Err(back) => back.duration() + elapsed > PARTED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is known after the monotonic clock ran `monotonic` and the wall clock `wall` milliseconds.
    fn is_known_after(monotonic: u64, wall: i64) -> bool {
        let clock = VenueClock::default();
        let (start, was) = clock.known.lock().unwrap().looked;
        clock.note(start, start, 1_700_000_000_000);
        let by = Duration::from_millis(wall.unsigned_abs());
        let wall = if wall < 0 { was - by } else { was + by };
        clock.at(start + Duration::from_millis(monotonic), wall).is_some()
    }

    #[test]
    fn f01_f05_a_jump_of_the_wall_clock_or_a_suspension_asks_for_a_new_reading() {
        assert!(is_known_after(200, 200) && is_known_after(60_000, 60_900), "as it should be, and slewed");
        assert!(!is_known_after(200, 3_600_200), "an hour forward");
        assert!(!is_known_after(200, -3_600_000), "an hour back");
        assert!(!is_known_after(200, 600_200), "suspended for ten minutes");
        assert!(!is_known_after(60_000, 10_000), "it lost fifty seconds");
    }

    #[test]
    fn f01_after_a_jump_the_next_reading_counts_again() {
        let clock = VenueClock::default();
        let (start, was) = clock.known.lock().unwrap().looked;
        let second = Duration::from_secs(1);
        clock.note(start, start, 1_700_000_000_000);
        assert!(clock.at(start + second, was + 100 * second).is_none());
        assert!(clock.at(start + 2 * second, was + 101 * second).is_none(), "it stays forgotten");
        clock.note(start + 2 * second, start + 2 * second, 1_700_000_100_000);
        let (now, _) = clock.at(start + 3 * second, was + 102 * second).unwrap();
        assert!(now.millis() >= 1_700_000_101_000, "{now}");
    }
}
