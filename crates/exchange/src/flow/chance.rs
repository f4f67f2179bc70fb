//! Chance by seed, without any function whose last digit differs between machines.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// A stream of chance.
#[derive(Clone, Debug)]
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    /// The `stream`-th independent stream of `seed`.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// Uniform in `0.0..1.0`.
    #[allow(clippy::cast_precision_loss)] // 53 bits fit
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Nearly standard normal: twelve uniforms less six (Irwin–Hall), made of sixteen bits each.
    pub(crate) fn normal(&mut self) -> f64 {
        let mut sum = 0_u64;
        for _ in 0..3 {
            let bits = self.0.next_u64();
            sum += (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48);
        }
        #[allow(clippy::cast_precision_loss)] // twenty bits fit
        let sum = sum as f64;
        sum / 65_536.0 - 6.0
    }

    /// A whole number in `0..count`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        let wide = u128::from(self.0.next_u64()) * count as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// How often something happens that happens `mean` times on average, for means below one.
    pub(crate) fn rare(&mut self, mean: f64) -> usize {
        usize::from(self.happens(mean * 0.75)) + usize::from(self.happens(mean * 0.25))
    }

    /// A positive size with mean about one and a heavy tail, at most ten.
    pub(crate) fn size(&mut self) -> f64 {
        let u = self.uniform().max(1e-6);
        (0.25 / (u * u.sqrt()).sqrt()).min(10.0) // u to the power of -3/4
    }
}
