//! Normal returns: the risk of a portfolio from means and covariances.

use super::{Change, Contributions, Level, TailRisk, check_changes};
use crate::covariance::{Moments, dot};
use crate::error::{QuantError, check_finite};
use crate::numeric::count;

/// Normal value at risk and expected shortfall of a portfolio with these outcomes, one per period, its mean taken as zero.
///
/// The sample deviation (`n - 1` below) is what the sample covariances of the assets give for the portfolio, so this equals
/// [`Parametric`] over [`Moments::sample`] with means of zero. A mean that few periods cannot tell from zero, scaled up to a long
/// horizon, would be most of the figure: RiskMetrics leaves it out for days, and so does this.
///
/// Source: RiskMetrics Technical Document, 4th edition, 1996, section 5.3.
///
/// # Errors
/// [`QuantError::TooFew`] for fewer than two outcomes, [`QuantError::NotFinite`].
pub fn normal_of_outcomes(outcomes: &[f64], level: &Level) -> Result<TailRisk, QuantError> {
    let got = outcomes.len();
    if got < 2 {
        return Err(QuantError::TooFew { what: "outcomes", needed: 2, got });
    }
    check_finite("outcomes", outcomes)?;
    let mean = outcomes.iter().sum::<f64>() / count(got);
    let squares = outcomes.iter().fold(0.0, |sum, outcome| sum + (outcome - mean) * (outcome - mean));
    figures(0.0, (squares / count(got - 1)).sqrt(), level)
}

/// A portfolio held against means and covariances, with its own mean and variance at hand.
///
/// Making one costs assets squared; a question about an order in one asset costs nothing that grows with the portfolio.
#[derive(Clone, Debug)]
pub struct Parametric<'a> {
    moments: &'a Moments,
    exposures: Vec<f64>,
    /// Covariance matrix times exposures: the covariance of each asset with the portfolio.
    with_portfolio: Vec<f64>,
    mean: f64,
    variance: f64,
    /// What the variance would be if nothing correlated: the size against which rounding is judged.
    gross: f64,
}

impl<'a> Parametric<'a> {
    /// Holds `exposures`, one per asset of the moments, signed.
    ///
    /// # Errors
    /// [`QuantError::Shape`], [`QuantError::NotFinite`] for an exposure, a mean or a variance that overflows;
    /// [`QuantError::NotPositiveSemidefinite`] where the portfolio's variance comes out negative beyond rounding.
    pub fn new(moments: &'a Moments, exposures: &[f64]) -> Result<Self, QuantError> {
        let assets = moments.means.len();
        if moments.covariance.size() != assets {
            return Err(QuantError::Shape { what: "covariance", expected: assets, got: moments.covariance.size() });
        }
        if exposures.len() != assets {
            return Err(QuantError::Shape { what: "exposures", expected: assets, got: exposures.len() });
        }
        check_finite("exposures", exposures)?;
        check_finite("means", &moments.means)?;
        let with_portfolio = moments.covariance.times(exposures);
        let (mean, variance) = (dot(&moments.means, exposures), dot(&with_portfolio, exposures));
        check_finite("portfolio mean and variance", &[mean, variance])?;
        let own = |(i, exposure): (usize, &f64)| exposure * exposure * moments.covariance.at(i, i);
        let gross = exposures.iter().enumerate().map(own).fold(0.0, |sum, own| sum + own);
        deviation(variance, gross)?;
        Ok(Self { moments, exposures: exposures.to_vec(), with_portfolio, mean, variance, gross })
    }

    /// Value at risk and expected shortfall.
    ///
    /// # Errors
    /// [`QuantError::NotFinite`] if the scaled figure overflows.
    pub fn tail_risk(&self, level: &Level) -> Result<TailRisk, QuantError> {
        figures(self.mean, deviation(self.variance, self.gross)?, level)
    }

    /// The same before and after `changes` of exposure, such as the order's signed notional in its asset.
    ///
    /// # Errors
    /// [`QuantError::Shape`] for an asset that the moments do not hold, [`QuantError::NotFinite`].
    pub fn after(&self, changes: &[(usize, f64)], level: &Level) -> Result<Change, QuantError> {
        check_changes(self.exposures.len(), changes)?;
        let (mut mean, mut variance, mut gross) = (self.mean, self.variance, self.gross);
        for (place, (asset, change)) in changes.iter().enumerate() {
            // (e + d)' S (e + d) = e' S e + 2 d' S e + d' S d, one change at a time.
            let earlier = changes[..place]
                .iter()
                .fold(0.0, |sum, (other, by)| sum + by * self.moments.covariance.at(*asset, *other));
            let own = self.moments.covariance.at(*asset, *asset);
            variance += change * (2.0 * (self.with_portfolio[*asset] + earlier) + change * own);
            mean += change * self.moments.means[*asset];
            gross += change * change * own;
        }
        check_finite("portfolio mean and variance", &[mean, variance])?;
        Ok(Change { before: self.tail_risk(level)?, after: figures(mean, deviation(variance, gross)?, level)? })
    }

    /// Splits both figures among the assets by their share of the portfolio's mean and variance.
    ///
    /// Source: M. Garman, "Taking VaR to Pieces", Risk, 1997.
    ///
    /// # Errors
    /// Those of [`Parametric::tail_risk`].
    pub fn contributions(&self, level: &Level) -> Result<Contributions, QuantError> {
        let total = self.tail_risk(level)?;
        let deviation = deviation(self.variance, self.gross)?;
        let root = level.horizon.sqrt();
        let marginal = |depth: f64| {
            let both = self.moments.means.iter().zip(&self.with_portfolio);
            let risk = |with: &f64| if deviation > 0.0 { depth * root * with / deviation } else { 0.0 };
            both.map(|(mean, with)| risk(with) - level.horizon * mean).collect()
        };
        Ok(Contributions::new(total, &self.exposures, marginal(-level.z), marginal(level.depth)))
    }
}

fn figures(mean: f64, deviation: f64, level: &Level) -> Result<TailRisk, QuantError> {
    let (spread, drift) = (deviation * level.horizon.sqrt(), level.horizon * mean);
    TailRisk::new(-level.z * spread - drift, level.depth * spread - drift)
}

/// Square root of a variance that may be below zero by rounding: a hedge that cancels all.
fn deviation(variance: f64, gross: f64) -> Result<f64, QuantError> {
    if variance < -1e-9 * gross {
        return Err(QuantError::NotPositiveSemidefinite { row: 0, pivot: variance });
    }
    Ok(variance.max(0.0).sqrt())
}
