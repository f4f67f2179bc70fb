//! How often something happened lately.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use tradewind_domain::Timestamp;

/// No window keeps more moments than this: no limit on a count is greater ([`Window::counts_to`]).
const KEPT: usize = 1_024;

/// The moments of one kind of event within a fixed span, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Window(VecDeque<Timestamp>);

impl Window {
    /// Adds a moment, which is not before the last one, and forgets what left the span.
    pub(crate) fn push(&mut self, at: Timestamp, span: i64) {
        while self.0.front().is_some_and(|first| at.since(*first) >= span) || self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(at);
    }

    /// How many moments lie less than `span` before `now`.
    pub(crate) fn count(&self, now: Timestamp, span: i64) -> i64 {
        let outside = self.0.partition_point(|at| now.since(*at) >= span);
        i64::try_from(self.0.len() - outside).unwrap_or(i64::MAX)
    }

    /// Whether so many moments are ever counted.
    pub(crate) fn counts_to(count: i64) -> bool {
        usize::try_from(count).is_ok_and(|count| count <= KEPT)
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_moment_counts_until_its_span_is_over() {
        let mut window = Window::default();
        window.push(Timestamp::from_millis(0), 1_000_000_000);
        window.push(Timestamp::from_millis(999), 1_000_000_000);
        let count = |millis| window.count(Timestamp::from_millis(millis), 1_000_000_000);
        assert_eq!((count(999), count(1_000), count(1_998), count(1_999)), (2, 1, 1, 0));
    }

    proptest! {
        /// The window counts as the obvious list does, and stays small.
        #[test]
        fn counts_as_a_list_does(steps in prop::collection::vec(0_i64..400, 1..1_500)) {
            let (mut window, mut all, mut now) = (Window::default(), Vec::new(), 0);
            for step in steps {
                now += step;
                window.push(Timestamp::from_nanos(now), 1_000);
                all.push(now);
                let obvious = all.iter().filter(|at| now - **at < 1_000).count().min(KEPT);
                prop_assert_eq!(window.count(Timestamp::from_nanos(now), 1_000), i64::try_from(obvious).unwrap());
            }
            prop_assert!(window.0.len() <= KEPT);
        }
    }
}
