//! How much of the time a node could have taken on new exposure, and what kept it from it.

use crate::storm::Storm;
use serde::Serialize;

/// Where the simulated time of a storm went, in milliseconds, without the calm after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The process ran, its account stream was whole, and nothing was halted or restricted.
    pub safe_ms: u64,
    /// No process ran, or its machine was suspended.
    pub process_down_ms: u64,
    /// The account stream was down, or not yet noticed to be.
    pub stream_down_ms: u64,
    /// Halted, or only what reduces was allowed.
    pub held_ms: u64,
    /// The venue itself was away: not counted in [`Self::share`].
    pub venue_away_ms: u64,
}

impl Standing {
    /// The part of the time in which trading was safe, from 0 to 1, while the venue was there; `None` where there was no
    /// such time.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // for people
    pub fn share(&self) -> Option<f64> {
        let there = self.safe_ms + self.process_down_ms + self.stream_down_ms + self.held_ms;
        (there > 0).then(|| self.safe_ms as f64 / there as f64)
    }

    pub(crate) fn add(&mut self, more: &Self) {
        self.safe_ms += more.safe_ms;
        self.process_down_ms += more.process_down_ms;
        self.stream_down_ms += more.stream_down_ms;
        self.held_ms += more.held_ms;
        self.venue_away_ms += more.venue_away_ms;
    }
}

/// The same in nanoseconds: events stand closer together than milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Stood {
    safe: i64,
    process_down: i64,
    stream_down: i64,
    held: i64,
    venue_away: i64,
}

impl Stood {
    pub(crate) fn in_millis(&self) -> Standing {
        let millis = |nanos: i64| u64::try_from(nanos / 1_000_000).unwrap_or(0);
        Standing {
            safe_ms: millis(self.safe),
            process_down_ms: millis(self.process_down),
            stream_down_ms: millis(self.stream_down),
            held_ms: millis(self.held),
            venue_away_ms: millis(self.venue_away),
        }
    }
}

impl Storm {
    /// Time goes on to `time`: what the node was until then is noted.
    pub(crate) fn stand_until(&mut self, time: i64) {
        let from = self.now;
        let passed = time.min(self.calm_from) - from;
        if passed <= 0 {
            return;
        }
        let stood = match self.node.process.as_ref() {
            _ if from < self.link.away_until => &mut self.stood.venue_away,
            None => &mut self.stood.process_down,
            Some(_) if from < self.frozen_until => &mut self.stood.process_down,
            Some(it) if !it.session.up || !self.link.alive(it.session.id, from) => &mut self.stood.stream_down,
            Some(it) if it.host.state.halted.is_some() || it.host.state.reduce_only.is_some() => &mut self.stood.held,
            Some(_) => &mut self.stood.safe,
        };
        *stood += passed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Orders, run_all, run_one};

    const HOUR: i64 = 3_600_000_000_000;

    #[test]
    fn the_share_leaves_out_the_time_without_a_venue() {
        let it = Standing { safe_ms: 960, process_down_ms: 20, stream_down_ms: 15, held_ms: 5, venue_away_ms: 9_000 };
        assert!(it.share().is_some_and(|share| (share - 0.96).abs() < 1e-12));
    }

    #[test]
    fn there_is_no_share_of_a_time_in_which_nothing_ran_or_no_venue_was_there() {
        let away = Standing { venue_away_ms: 9_000, ..Standing::default() };
        assert_eq!([Standing::default().share(), away.share()], [None, None]);
        let none = run_all(&Orders { seeds: 1..3, horizon: HOUR, jobs: 1, ..Orders::default() }, || true, |_, _| ());
        assert_eq!((none.seeds, none.safe_share), (0, None));
        let said = serde_json::to_value(&none).expect("a summary is plain data");
        assert!(said.get("safe_share").is_some_and(serde_json::Value::is_null), "{said}");
    }

    #[test]
    fn all_time_stands_somewhere_and_each_trouble_where_it_belongs() {
        let at = |allowed: &[&str]| {
            let allowed = allowed.iter().map(|name| crate::FaultId::named(name).expect("a fault")).collect();
            let orders = Orders { seeds: 1..2, horizon: HOUR, allowed, ..Orders::default() };
            let it = run_one(&orders, 1).standing;
            let all = it.safe_ms + it.process_down_ms + it.stream_down_ms + it.held_ms + it.venue_away_ms;
            assert!(all.abs_diff(3_600_000) < 10, "{it:?}");
            it
        };
        let calm = at(&[]);
        assert!(calm.share().is_some_and(|share| share > 0.999), "{calm:?}");
        let (killed, cut, away) = (at(&["G13"]), at(&["D05"]), at(&["E09"]));
        assert!(killed.process_down_ms > 20_000 && killed.process_down_ms > 10 * killed.stream_down_ms, "{killed:?}");
        assert!(cut.stream_down_ms > 20_000 && cut.process_down_ms == 0, "{cut:?}");
        assert!(away.venue_away_ms > 60_000 && away.process_down_ms == 0, "{away:?}");
    }
}
