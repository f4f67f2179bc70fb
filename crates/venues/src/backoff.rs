//! When to connect again: exponential, capped, with jitter so that many clients do not return at once.

use std::time::Duration;

/// Waiting times between attempts.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    attempt: u32,
    chance: u64,
}

impl Backoff {
    /// Starts at `first` and doubles up to `most`; `seed` decides the jitter.
    #[must_use]
    pub const fn new(first: Duration, most: Duration, seed: u64) -> Self {
        Self { first, most, attempt: 0, chance: seed | 1 }
    }

    /// Waits between attempts to connect: within half a minute of a venue's return every stream is up again.
    #[must_use]
    pub const fn of_connections(seed: u64) -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(10), seed)
    }

    /// How long to wait before the next attempt: between half and all of the doubled time.
    pub fn next_wait(&mut self) -> Duration {
        let doubled = self.first.saturating_mul(1_u32.checked_shl(self.attempt).unwrap_or(u32::MAX));
        let whole = doubled.min(self.most);
        self.attempt = self.attempt.saturating_add(1).min(31);
        // xorshift64 (Marsaglia, "Xorshift RNGs", 2003): spreading clients asks for no better chance
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        let part = u32::try_from(self.chance % 1_001).unwrap_or(0);
        whole / 2 + (whole / 2).mul_f64(f64::from(part) / 1_000.0)
    }

    /// Starts over after a connection that lasted.
    pub const fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_never_agree_by_seed() {
        let (first, most) = (Duration::from_millis(100), Duration::from_secs(5));
        let mut waits = Backoff::new(first, most, 7);
        let mut whole = first;
        for _ in 0..40 {
            let wait = waits.next_wait();
            assert!(wait >= whole / 2 && wait <= whole, "{wait:?} of {whole:?}");
            whole = (whole * 2).min(most);
        }
        waits.reset();
        assert!(waits.next_wait() <= first);
        let series = |seed| -> Vec<Duration> {
            let mut waits = Backoff::new(first, most, seed);
            (0..5).map(|_| waits.next_wait()).collect()
        };
        assert_eq!(series(3), series(3));
        assert_ne!(series(3), series(5));
    }
}
