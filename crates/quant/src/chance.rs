//! Numbers that look like chance and are a function of their seed: what a simulation draws from.

use crate::exact;

/// A counter-based generator: the n-th number depends on the seed and n alone, on every machine.
///
/// Not for secrets. Source: G. L. Steele, D. Lea, C. H. Flood, "Fast Splittable Pseudorandom Number Generators",
/// OOPSLA 2014 (SplitMix64).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draws {
    counter: u64,
}

impl Draws {
    /// Starts at the first number of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { counter: seed }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.counter;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number strictly between 0 and 1, the middle of one of 2^53 equal cells.
    #[expect(clippy::cast_precision_loss, reason = "53 bits and a half fit, rounded once")]
    pub fn uniform(&mut self) -> f64 {
        // 52 bits and the half of a cell are 53 bits: exact, and never 0 or 1.
        ((self.bits() >> 12) as f64 + 0.5) / 4_503_599_627_370_496.0
    }

    /// A standard normal number: the quantile of [`Draws::uniform`], so each takes exactly one draw.
    pub fn normal(&mut self) -> f64 {
        exact::normal_quantile(self.uniform())
    }

    /// A whole number below `bound` (0 for a bound of 0); the bias is below `bound / 2^64`.
    #[expect(clippy::cast_possible_truncation, reason = "the product's upper half is below the bound")]
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_those_of_the_published_generator() {
        let mut draws = Draws::new(1_234_567);
        let first: Vec<u64> = (0..5).map(|_| draws.bits()).collect();
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821
            ]
        );
    }

    #[test]
    fn normal_numbers_have_the_moments_of_their_distribution() {
        let mut draws = Draws::new(7);
        let values: Vec<f64> = (0..200_000).map(|_| draws.normal()).collect();
        let moment = |power: i32| values.iter().map(|z| z.powi(power)).sum::<f64>() / 200_000.0;
        // Four standard errors: sqrt(var(z^k) / n) * 4.
        for (power, expected, tolerance) in [(1, 0.0, 0.009), (2, 1.0, 0.013), (3, 0.0, 0.035), (4, 3.0, 0.088)] {
            assert!((moment(power) - expected).abs() < tolerance, "moment {power}: {}", moment(power));
        }
    }

    #[test]
    fn whole_numbers_stay_below_their_bound_and_reach_each_value() {
        let mut draws = Draws::new(3);
        let mut seen = [0; 7];
        for _ in 0..7_000 {
            seen[draws.below(7)] += 1;
        }
        assert!(seen.iter().all(|times| (800..1_200).contains(times)), "{seen:?}");
        assert_eq!(draws.below(0), 0);
    }
}
