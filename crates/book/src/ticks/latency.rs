//! How late the feed is, and how long an order and its answer are on the way.

use tradewind_domain::Timestamp;

/// How late feed events are seen here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedLatency {
    /// As recorded: each event carries its receive time.
    Recorded,
    /// The same for all, in nanoseconds.
    Constant(i64),
    /// Between samples, by straight line; before the first and after the last, as these.
    Samples(Vec<(Timestamp, i64)>),
}

/// One measured order: when it was sent, and how many nanoseconds each way took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencySample {
    /// When the request left, local time.
    pub sent: Timestamp,
    /// To the exchange.
    pub entry: i64,
    /// Back from it.
    pub response: i64,
}

/// How long a request takes to the exchange, and its answer back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderLatency {
    /// The same for all, in nanoseconds.
    Constant {
        /// To the exchange.
        entry: i64,
        /// Back from it.
        response: i64,
    },
    /// Between samples, by straight line; before the first and after the last, as these.
    Samples(Vec<LatencySample>),
}

impl FeedLatency {
    /// When an event is seen here.
    #[inline]
    pub(super) fn seen_at(&self, exchange_time: Timestamp, recorded: Timestamp) -> Timestamp {
        match self {
            Self::Recorded => recorded,
            Self::Constant(nanos) => exchange_time.plus_nanos(*nanos),
            Self::Samples(samples) => exchange_time.plus_nanos(between(samples, exchange_time, |s| s.0, |s| s.1)),
        }
    }
}

impl OrderLatency {
    /// Nanoseconds from here to the exchange for a request that leaves at `now`.
    pub(super) fn entry(&self, now: Timestamp) -> i64 {
        match self {
            Self::Constant { entry, .. } => *entry,
            Self::Samples(samples) => between(samples, now, |s| s.sent, |s| s.entry),
        }
    }
    /// Nanoseconds back for an answer that leaves the exchange at `now`.
    pub(super) fn response(&self, now: Timestamp) -> i64 {
        match self {
            Self::Constant { response, .. } => *response,
            Self::Samples(samples) => between(samples, now, |s| s.sent, |s| s.response),
        }
    }
}

/// The value at `now` on the line between the neighbouring samples, which are in order of time; zero without samples.
fn between<S>(samples: &[S], now: Timestamp, time: impl Fn(&S) -> Timestamp, value: impl Fn(&S) -> i64) -> i64 {
    let after = samples.partition_point(|sample| time(sample) <= now);
    let (Some(left), right) = (samples.get(after.saturating_sub(1)), samples.get(after)) else { return 0 };
    let Some(right) = right.filter(|_| after > 0) else { return value(left) };
    let (span, gone) = (i128::from(time(right).since(time(left))), i128::from(now.since(time(left))));
    let rise = i128::from(value(right)) - i128::from(value(left));
    value(left) + i64::try_from(rise * gone / span).expect("a point between two values fits like them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_between_samples_lies_on_the_line() {
        let at = Timestamp::from_nanos;
        let sample = |sent, entry, response| LatencySample { sent: at(sent), entry, response };
        let orders = OrderLatency::Samples(vec![sample(100, 10, 1), sample(200, 20, 5), sample(300, 0, 5)]);
        for (now, entry, response) in
            [(0, 10, 1), (100, 10, 1), (150, 15, 3), (199, 19, 4), (200, 20, 5), (250, 10, 5), (999, 0, 5)]
        {
            assert_eq!((orders.entry(at(now)), orders.response(at(now))), (entry, response), "{now}");
        }
        assert_eq!(OrderLatency::Samples(Vec::new()).entry(at(5)), 0);
        let feed = FeedLatency::Samples(vec![(at(0), 10), (at(100), 30)]);
        assert_eq!(feed.seen_at(at(50), at(0)), at(70));
        assert_eq!(FeedLatency::Constant(7).seen_at(at(50), at(0)), at(57));
        assert_eq!(FeedLatency::Recorded.seen_at(at(50), at(51)), at(51));
    }
}
