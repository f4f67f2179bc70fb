//! How long things take, kept in a histogram of fixed size.

use serde::Serialize;

const BUCKETS: usize = 40 * 4;

/// Durations in buckets that grow by a quarter of a power of two: at most 19 % off, from 1 ns to 18 minutes.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: [u64; BUCKETS],
    total: u64,
    worst: u64,
}

/// What a histogram says, in microseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quantiles {
    /// How many durations were measured.
    pub count: u64,
    /// Half of them were shorter; upper edge of the bucket.
    pub p50_us: Option<f64>,
    /// 99 of 100 were shorter.
    pub p99_us: Option<f64>,
    /// The longest, exactly.
    pub max_us: Option<f64>,
    /// The histogram itself: every bucket that holds something, shortest first.
    pub buckets: Vec<Bucket>,
}

/// Durations of about one length.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bucket {
    /// They were shorter than this, and not shorter than the edge of the bucket below.
    pub below_us: f64,
    /// How many.
    pub count: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; BUCKETS], total: 0, worst: 0 }
    }
}

impl Histogram {
    /// Notes a duration in nanoseconds; a negative one, from two clocks, counts as none.
    pub fn note(&mut self, nanos: i64) {
        let nanos = nanos.max(1).unsigned_abs();
        self.counts[bucket(nanos)] += 1;
        self.total += 1;
        self.worst = self.worst.max(nanos);
    }

    /// The quantiles so far.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn quantiles(&self) -> Quantiles {
        let at = |part: f64| {
            let rank = (self.total as f64 * part).ceil().max(1.0);
            let mut seen = 0;
            let place = self.counts.iter().position(|count| {
                seen += count;
                seen as f64 >= rank
            })?;
            Some((upper_edge(place).min(self.worst as f64)) / 1e3)
        };
        let max_us = (self.total > 0).then_some(self.worst as f64 / 1e3);
        let held = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        let buckets = held.map(|(place, count)| Bucket { below_us: upper_edge(place) / 1e3, count: *count }).collect();
        Quantiles { count: self.total, p50_us: at(0.50), p99_us: at(0.99), max_us, buckets }
    }
}

fn bucket(nanos: u64) -> usize {
    let power = nanos.ilog2();
    let quarter = if power >= 2 { (nanos >> (power - 2)) & 3 } else { 0 };
    (power as usize * 4 + usize::try_from(quarter).unwrap_or(0)).min(BUCKETS - 1)
}

#[allow(clippy::cast_precision_loss)]
fn upper_edge(place: usize) -> f64 {
    let (power, quarter) = (place / 4, place % 4);
    2_f64.powi(i32::try_from(power).unwrap_or(i32::MAX)) * (1.0 + (quarter as f64 + 1.0) / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_bucket() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantiles().p50_us, None);
        (1..=1_000_i64).for_each(|micros| histogram.note(micros * 1_000));
        let got = histogram.quantiles();
        assert!((500.0..=500.0 * 1.25).contains(&got.p50_us.unwrap()), "{got:?}");
        assert!((990.0..=1_000.0).contains(&got.p99_us.unwrap()), "{got:?}");
        assert_eq!((got.count, got.max_us), (1_000, Some(1_000.0)));
        assert_eq!(got.buckets.iter().map(|bucket| bucket.count).sum::<u64>(), 1_000);
        assert!(got.buckets.is_sorted_by(|one, next| one.below_us < next.below_us), "{got:?}");
        let below = |bound: f64| got.buckets.iter().filter(|it| it.below_us <= bound).map(|it| it.count).sum::<u64>();
        assert_eq!((below(524.288), below(1_048.576)), (524, 1_000), "2^19 and 2^20 nanoseconds are edges");
    }
}
