//! Monte Carlo from a record of outcomes: shocks drawn once, mixed anew for every portfolio.

use super::historical::of_outcomes;
use super::{Level, TailRisk};
use crate::chance::Draws;
use crate::error::{QuantError, check_finite};
use crate::numeric::count;

/// Standard normal shocks, one per scenario and period: what does not depend on a portfolio.
///
/// A scenario of a portfolio is `sqrt(h / (n - 1)) sum_t (o_t - mean) x_t`, its outcomes `o` of n periods mixed by the
/// scenario's shocks `x`. Over the shocks its variance is h times the sample variance of the outcomes, and two assets mixed
/// by the same shocks have their sample covariance: scenarios are those that a Cholesky factor of the covariance matrix
/// would give, without the matrix. The mean is taken as zero. Each scenario has its mirror image (antithetic draws).
///
/// Source: C. Benson and P. Zangari, "A General Approach to Calculating VaR without Volatilities and Correlations",
/// RiskMetrics Monitor, second quarter 1997; P. Glasserman, "Monte Carlo Methods in Financial Engineering", 2003, 4.2.
#[derive(Clone, Debug)]
pub struct Shocks {
    periods: usize,
    pairs: usize,
    /// Period by period, one number per pair of scenarios.
    values: Vec<f64>,
}

impl Shocks {
    /// Draws shocks for records of up to `periods` outcomes and twice as many scenarios as `pairs`, from `seed` alone.
    ///
    /// # Errors
    /// [`QuantError::TooFew`] for no period or no pair.
    pub fn draw(periods: usize, pairs: usize, seed: u64) -> Result<Self, QuantError> {
        for (what, got) in [("periods", periods), ("pairs of scenarios", pairs)] {
            if got == 0 {
                return Err(QuantError::TooFew { what, needed: 1, got });
            }
        }
        let mut draws = Draws::new(seed);
        let values = (0..periods * pairs).map(|_| draws.normal()).collect();
        Ok(Self { periods, pairs, values })
    }

    /// What a portfolio with these outcomes, one per period, earns in each scenario over the level's horizon; each scenario of
    /// the first half has its mirror image in the second.
    ///
    /// # Errors
    /// [`QuantError::TooFew`] for fewer than two outcomes, [`QuantError::Shape`] for more than the shocks were drawn for,
    /// [`QuantError::NotFinite`].
    pub fn scenarios(&self, outcomes: &[f64], level: &Level) -> Result<Vec<f64>, QuantError> {
        let got = outcomes.len();
        if got < 2 {
            return Err(QuantError::TooFew { what: "outcomes", needed: 2, got });
        }
        if got > self.periods {
            return Err(QuantError::Shape { what: "outcomes", expected: self.periods, got });
        }
        check_finite("outcomes", outcomes)?;
        let mean = outcomes.iter().sum::<f64>() / count(got);
        let scale = (level.horizon / count(got - 1)).sqrt();
        let mut scenarios = vec![0.0; 2 * self.pairs];
        let (drawn, mirrored) = scenarios.split_at_mut(self.pairs);
        for (outcome, shocks) in outcomes.iter().zip(self.values.chunks_exact(self.pairs)) {
            let weight = scale * (outcome - mean);
            drawn.iter_mut().zip(shocks).for_each(|(sum, shock)| *sum += weight * shock);
        }
        mirrored.iter_mut().zip(&*drawn).for_each(|(mirror, drawn)| *mirror = -drawn);
        Ok(scenarios)
    }

    /// Value at risk and expected shortfall over those scenarios.
    ///
    /// # Errors
    /// Those of [`Shocks::scenarios`]; [`QuantError::NotFinite`] if a scenario overflows.
    pub fn tail_risk(&self, outcomes: &[f64], level: &Level) -> Result<TailRisk, QuantError> {
        of_outcomes(&self.scenarios(outcomes, level)?, &Level { horizon: 1.0, ..*level })
    }
}
