//! Beside a benchmark: alpha, beta, tracking error, information ratio, Treynor ratio.
//!
//! `returns` and `benchmark` are simple returns of the *same* periods; slices of different length answer `None`.
//! `risk_free` is a return per period.

use crate::calendar::DailyReturn;
use crate::numeric::{covariance, finite, mean, ratio, sample_deviation, varying_deviation};
use crate::returns::annualised_return;

/// Beta: `cov(r, b) / var(b)`. A constant risk-free rate cancels out.
///
/// `None` for fewer than two periods, or a benchmark that does not move.
///
/// Source: W. F. Sharpe, "Capital Asset Prices", The Journal of Finance, 1964. Equals `beta` of empyrical and `SFM.beta`
/// of PerformanceAnalytics.
pub fn beta(returns: &[f64], benchmark: &[f64]) -> Option<f64> {
    varying_deviation(benchmark)?;
    ratio(covariance(returns, benchmark)?, covariance(benchmark, benchmark)?)
}

/// Jensen's alpha per year: `(1 + mean(r - rf - beta (b - rf)))^N - 1`.
///
/// `None` where [`beta`] is. Source: M. C. Jensen, "The Performance of Mutual Funds in the Period 1945-1964", The Journal
/// of Finance, 1968. Compounded to a year as `alpha` of empyrical does it.
pub fn alpha(returns: &[f64], benchmark: &[f64], risk_free: f64, periods_per_year: f64) -> Option<f64> {
    let beta = beta(returns, benchmark)?;
    let per_period = mean(returns)? - risk_free - beta * (mean(benchmark)? - risk_free);
    finite((1.0 + per_period).powf(periods_per_year) - 1.0)
}

/// Pearson correlation of both records, in [-1, 1]; `None` for fewer than two periods or a side that does not move.
pub fn correlation(returns: &[f64], benchmark: &[f64]) -> Option<f64> {
    varying_deviation(returns)?;
    varying_deviation(benchmark)?;
    let scale = covariance(returns, returns)?.sqrt() * covariance(benchmark, benchmark)?.sqrt();
    ratio(covariance(returns, benchmark)?, scale).map(|value| value.clamp(-1.0, 1.0))
}

/// Annualised tracking error: `sd(r - b) * sqrt(N)`, sample deviation. `None` for fewer than two periods.
///
/// Source: R. Grinold and R. Kahn, "Active Portfolio Management", 2nd edition, 1999, ch. 5. Equals `TrackingError` of
/// PerformanceAnalytics.
pub fn tracking_error(returns: &[f64], benchmark: &[f64], periods_per_year: f64) -> Option<f64> {
    finite(sample_deviation(&active(returns, benchmark)?)? * periods_per_year.sqrt())
}

/// Annualised information ratio: `mean(r - b) / sd(r - b) * sqrt(N)`.
///
/// `None` for fewer than two periods, or a constant difference.
///
/// Source: Grinold and Kahn 1999, ch. 5 (arithmetic). With N = 1 it equals `excess_sharpe` of empyrical;
/// PerformanceAnalytics divides geometric figures instead.
pub fn information_ratio(returns: &[f64], benchmark: &[f64], periods_per_year: f64) -> Option<f64> {
    let active = active(returns, benchmark)?;
    finite(mean(&active)? / varying_deviation(&active)? * periods_per_year.sqrt())
}

/// Treynor ratio: annualised geometric excess return / beta. `None` where beta is missing or zero.
///
/// Source: J. L. Treynor, "How to Rate Management of Investment Funds", Harvard Business Review, 1965. Equals
/// `TreynorRatio` of PerformanceAnalytics.
pub fn treynor_ratio(returns: &[f64], benchmark: &[f64], risk_free: f64, periods_per_year: f64) -> Option<f64> {
    let excess: Vec<f64> = returns.iter().map(|r| r - risk_free).collect();
    ratio(annualised_return(&excess, periods_per_year)?, beta(returns, benchmark)?)
}

/// Difference of both records, period by period; `None` if their lengths differ.
fn active(returns: &[f64], benchmark: &[f64]) -> Option<Vec<f64>> {
    (returns.len() == benchmark.len()).then(|| returns.iter().zip(benchmark).map(|(r, b)| r - b).collect())
}

/// Joins two records by day, oldest first: one pair for each day that both have.
///
/// From the second common day on, days that only one side has are compounded into that side's next common day, so that
/// both always span the same time. Both inputs ascend by day.
pub fn join_days(ours: &[DailyReturn], theirs: &[DailyReturn]) -> (Vec<f64>, Vec<f64>) {
    let (mut mine, mut other) = (Vec::new(), Vec::new());
    let (mut my_wealth, mut other_wealth) = (1.0, 1.0);
    let mut rest = theirs.iter().peekable();
    for our in ours {
        my_wealth *= 1.0 + our.value;
        while let Some(earlier) = rest.next_if(|their| their.day < our.day) {
            other_wealth *= 1.0 + earlier.value;
        }
        let Some(their) = rest.next_if(|their| their.day == our.day) else { continue };
        other_wealth *= 1.0 + their.value;
        if mine.is_empty() {
            (my_wealth, other_wealth) = (1.0 + our.value, 1.0 + their.value);
        }
        mine.push(my_wealth - 1.0);
        other.push(other_wealth - 1.0);
        (my_wealth, other_wealth) = (1.0, 1.0);
    }
    (mine, other)
}
