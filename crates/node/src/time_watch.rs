//! Watches time itself: jumps of the wall clock, a machine that was suspended, a venue clock that is known too badly.

use tradewind_domain::Timestamp;

/// A wall clock that runs ahead of, or behind, the monotonic clock by more than this between two looks has jumped.
const JUMP: i64 = 1_000_000_000;
/// Looks are a second apart; where they are further apart than this, the process did not run.
const STILL: i64 = 5_000_000_000;

/// Compares the wall clock with the monotonic one, look by look.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TimeWatch {
    /// The last look: nanoseconds of the monotonic clock, and the wall clock.
    last: Option<(i64, Timestamp)>,
    is_uncertain: bool,
}

impl TimeWatch {
    /// By how many nanoseconds the wall clock has jumped since the last look; `None` if it ran as it should. A machine
    /// that was suspended looks like a jump forward: its monotonic clock stood still.
    pub(crate) fn jump(&mut self, monotonic: i64, wall: Timestamp) -> Option<i64> {
        let (then, was) = self.last.replace((monotonic, wall))?;
        let off = wall.since(was) - monotonic.saturating_sub(then);
        (off.abs() > JUMP).then_some(off)
    }

    /// For how many nanoseconds nobody has looked, if that is too long: this process was stopped, or starved, or waited
    /// for the disk. What it believes of the market is that old. Asked before [`Self::jump`].
    pub(crate) fn stood_still(&self, monotonic: i64) -> Option<i64> {
        let (then, _) = self.last?;
        let gap = monotonic.saturating_sub(then);
        (gap > STILL).then_some(gap)
    }

    /// What to say when the venue's clock became uncertain, or certain again; `error` in nanoseconds, `None` if it is
    /// not known at all.
    pub(crate) fn uncertainty(&mut self, error: Option<i64>, most: i64) -> Option<String> {
        let uncertain = error.is_none_or(|error| error > most);
        if uncertain == self.is_uncertain {
            return None;
        }
        self.is_uncertain = uncertain;
        let most = most / 1_000_000;
        Some(match error {
            None => "alarm: the venue's clock is not known: no orders leave until it is measured".to_owned(),
            Some(error) if uncertain => {
                let error = error / 1_000_000;
                format!("alarm: the venue's clock is known to {error} ms only, {most} ms are allowed: no orders leave")
            }
            Some(error) => format!("the venue's clock is known to {} ms again: orders leave", error / 1_000_000),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn f01_f05_jumps_and_suspensions_are_seen_and_slow_drift_is_not() {
        let mut watch = TimeWatch::default();
        let wall = |seconds: i64| Timestamp::from_nanos(seconds * SECOND);
        assert_eq!(watch.jump(0, wall(1_000)), None, "nothing to compare with");
        assert_eq!(watch.jump(SECOND, wall(1_001)), None);
        assert_eq!(watch.jump(2 * SECOND, wall(1_002).plus_nanos(500_000)), None, "500 ppm");
        assert_eq!(watch.jump(3 * SECOND, wall(4_603)), Some(3_600 * SECOND - 500_000), "an hour forward");
        assert_eq!(watch.jump(4 * SECOND, wall(4_604)), None, "said once");
        assert_eq!(watch.jump(5 * SECOND, wall(4_600)), Some(-5 * SECOND), "five seconds back");
        assert_eq!(watch.jump(6 * SECOND, wall(5_201)), Some(600 * SECOND), "suspended for ten minutes");
    }

    #[test]
    fn f05_a_process_that_did_not_run_for_a_while_is_seen() {
        let mut watch = TimeWatch::default();
        let wall = |seconds: i64| Timestamp::from_nanos(seconds * SECOND);
        assert_eq!(watch.stood_still(90 * SECOND), None, "nothing to compare with");
        watch.jump(0, wall(1_000));
        assert_eq!(watch.stood_still(5 * SECOND), None, "busy");
        assert_eq!(watch.stood_still(601 * SECOND), Some(601 * SECOND));
        assert_eq!(watch.jump(601 * SECOND, wall(1_601)), None, "both clocks went on");
        assert_eq!(watch.stood_still(602 * SECOND), None, "said once");
    }

    #[test]
    fn f01_an_uncertain_clock_is_told_once_and_so_is_its_return() {
        let mut watch = TimeWatch::default();
        let most = 250_000_000;
        assert_eq!(watch.uncertainty(Some(most), most), None);
        let text = watch.uncertainty(Some(251_000_000), most).unwrap();
        assert!(text.contains("251 ms only, 250 ms are allowed"), "{text}");
        assert_eq!(watch.uncertainty(None, most), None, "it is still uncertain");
        assert!(watch.uncertainty(Some(9_000_000), most).unwrap().contains("9 ms again"));
        assert!(watch.uncertainty(None, most).unwrap().contains("not known"));
    }
}
