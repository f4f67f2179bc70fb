//! What was earned per unit of risk.
//!
//! `returns` holds one simple return per period, oldest first, as fractions; `risk_free` and `target` are returns
//! *per period* too (see [`crate::returns::rate_per_period`]); `periods_per_year` annualises.

use crate::numeric::{count, finite, mean, normal_cdf, normal_quantile, ratio, varying_deviation};
use crate::tail::{kurtosis, skewness};

/// Annualised Sharpe ratio: `mean(r - rf) / sd(r - rf) * sqrt(N)`, sample deviation (`n - 1` below).
///
/// `None` for fewer than two returns, or when they do not vary.
///
/// Source: W. F. Sharpe, "The Sharpe Ratio", The Journal of Portfolio Management, 1994. Equals `sharpe_ratio` of
/// empyrical; with N = 1, `SharpeRatio(FUN = "StdDev")` of PerformanceAnalytics.
pub fn sharpe_ratio(returns: &[f64], risk_free: f64, periods_per_year: f64) -> Option<f64> {
    let excess = less(returns, risk_free);
    finite(mean(&excess)? / varying_deviation(&excess)? * periods_per_year.sqrt())
}

/// Downside deviation per period: `sqrt(mean(min(r - target, 0)^2))`, over all `n` periods, not the losing ones alone.
///
/// `None` for no returns. Source: F. Sortino and R. van der Meer, "Downside Risk", The Journal of Portfolio Management,
/// 1991. Equals `DownsideDeviation` of PerformanceAnalytics and, times `sqrt(N)`, `downside_risk` of empyrical.
pub fn downside_deviation(returns: &[f64], target: f64) -> Option<f64> {
    let squares = returns.iter().map(|r| if *r > target { 0.0 } else { (r - target).powi(2) });
    finite(ratio(squares.sum(), count(returns.len()))?.sqrt())
}

/// Annualised Sortino ratio: `mean(r - target) / downside deviation * sqrt(N)`.
///
/// `None` for no returns, or when none falls below the target.
///
/// Source: Sortino and van der Meer 1991. Equals `sortino_ratio` of empyrical; with N = 1, `SortinoRatio` of
/// PerformanceAnalytics.
pub fn sortino_ratio(returns: &[f64], target: f64, periods_per_year: f64) -> Option<f64> {
    let downside = downside_deviation(returns, target)?;
    ratio(mean(&less(returns, target))? * periods_per_year.sqrt(), downside)
}

/// Omega ratio: `sum(max(r - target, 0)) / sum(max(target - r, 0))`, 1 where gains and losses around the target balance.
///
/// `None` for no returns, or when none falls below the target.
///
/// Source: C. Keating and W. Shadwick, "A Universal Performance Measure", 2002. Equals `omega_ratio` of empyrical, and
/// `OmegaSharpeRatio` of PerformanceAnalytics plus 1.
pub fn omega_ratio(returns: &[f64], target: f64) -> Option<f64> {
    let excess = less(returns, target);
    let gains: f64 = excess.iter().filter(|r| **r > 0.0).sum();
    let losses: f64 = excess.iter().filter(|r| **r < 0.0).sum();
    mean(&excess)?;
    ratio(gains, -losses)
}

/// Probability in [0, 1] that the true Sharpe ratio exceeds `benchmark_sharpe`, given the record seen.
///
/// `Phi((SR - SR*) sqrt(n - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2))`, where SR is the Sharpe ratio *per period*,
/// g3 the skewness and g4 the plain (not excess) kurtosis. `benchmark_sharpe` is per period too; an annual one is
/// divided by `sqrt(N)`. `None` for fewer than two returns, none that vary, or a negative variance estimate.
///
/// Source: D. H. Bailey and M. Lopez de Prado, "The Sharpe Ratio Efficient Frontier", Journal of Risk, 2012, eq. 8.
pub fn probabilistic_sharpe(returns: &[f64], risk_free: f64, benchmark_sharpe: f64) -> Option<f64> {
    let record = SharpeRecord::of(returns, risk_free)?;
    record.probability_above(benchmark_sharpe, count(returns.len()))
}

/// The three figures from which the confidence in a Sharpe ratio follows. All per period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SharpeRecord {
    /// Sharpe ratio per period, not annualised.
    pub sharpe: f64,
    /// Skewness; 0 for a normal distribution.
    pub skewness: f64,
    /// Plain kurtosis; 3 for a normal distribution.
    pub kurtosis: f64,
}

impl SharpeRecord {
    /// The figures of one record of returns; `None` where one of them is missing.
    pub fn of(returns: &[f64], risk_free: f64) -> Option<Self> {
        let sharpe = sharpe_ratio(returns, risk_free, 1.0)?;
        Some(Self { sharpe, skewness: skewness(returns)?, kurtosis: kurtosis(returns)? })
    }

    /// Variance of the estimated ratio, times `n - 1`; `None` when the moments make it negative or zero.
    fn variance(&self) -> Option<f64> {
        let variance = 1.0 - self.skewness * self.sharpe + (self.kurtosis - 1.0) / 4.0 * self.sharpe * self.sharpe;
        finite(variance).filter(|value| *value > 0.0)
    }

    /// Probability that the true ratio exceeds `benchmark_sharpe` after `observations` periods (Bailey and Lopez de
    /// Prado 2012, eq. 8). `None` for one observation or fewer.
    pub fn probability_above(&self, benchmark_sharpe: f64, observations: f64) -> Option<f64> {
        if observations <= 1.0 {
            return None;
        }
        let distance = (self.sharpe - benchmark_sharpe) * (observations - 1.0).sqrt() / self.variance()?.sqrt();
        Some(normal_cdf(finite(distance)?))
    }

    /// Periods needed until the ratio beats `benchmark_sharpe` with probability `confidence`:
    /// `1 + variance * (z / (SR - SR*))^2`. `None` if it does not exceed the benchmark at all.
    ///
    /// Source: Bailey and Lopez de Prado 2012, eq. 11. Equals `MinTrackRecord` of PerformanceAnalytics.
    pub fn minimum_track_record(&self, benchmark_sharpe: f64, confidence: f64) -> Option<f64> {
        let lead = self.sharpe - benchmark_sharpe;
        if lead <= 0.0 {
            return None;
        }
        finite(1.0 + self.variance()? * (normal_quantile(confidence)? / lead).powi(2))
    }
}

/// Every value less a constant.
fn less(returns: &[f64], constant: f64) -> Vec<f64> {
    returns.iter().map(|r| r - constant).collect()
}
