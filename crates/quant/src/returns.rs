//! What was earned: compounding, growth per year.

use crate::numeric::{count, covariance, finite, ratio, sample_deviation};

/// Nanoseconds of a day; a year has 365.25 of them (the Julian year).
pub(crate) const DAY_NS: i64 = 86_400_000_000_000;

/// Compounds simple returns: `prod(1 + r_t) - 1`, a fraction of the starting capital; 0 for no returns.
///
/// `None` if a return or the product is not finite.
///
/// Source: Bacon 2008, ch. 2. Equals `cum_returns_final` of empyrical and `Return.cumulative` of PerformanceAnalytics.
pub fn total_return(returns: &[f64]) -> Option<f64> {
    finite(returns.iter().fold(1.0, |wealth, r| wealth * (1.0 + r)) - 1.0)
}

/// Geometric return per year of equally spaced returns: `prod(1 + r_t)^(N / n) - 1`.
///
/// `periods_per_year` is N (365 for daily values of a market that never closes, 252 for stocks, 12 for months).
/// `None` for no returns, or when more than everything was lost.
///
/// Source: Bacon 2008, ch. 2. Equals `annual_return` of empyrical and `Return.annualized` of PerformanceAnalytics.
pub fn annualised_return(returns: &[f64], periods_per_year: f64) -> Option<f64> {
    let wealth = 1.0 + total_return(returns)?;
    if wealth < 0.0 || returns.is_empty() {
        return None;
    }
    finite(wealth.powf(periods_per_year / count(returns.len())) - 1.0)
}

/// Compound annual growth rate between two moments: `(end / start)^(365.25 days / elapsed) - 1`.
///
/// Takes calendar time, so it needs no trading-day convention. `None` if no time passed, the start is not
/// positive, the end is negative, or the power overflows (minutes of a large gain, taken for a year).
///
/// Source: CFA Institute, GIPS Standards Handbook (geometric linking).
pub fn cagr(start: (i64, f64), end: (i64, f64)) -> Option<f64> {
    if end.0 <= start.0 || start.1 <= 0.0 || end.1 < 0.0 {
        return None;
    }
    let years = nanoseconds_to_days(end.0.checked_sub(start.0)?) / 365.25;
    finite((end.1 / start.1).powf(1.0 / years) - 1.0)
}

/// Annualised volatility: `sd(r) * sqrt(N)`, sample deviation (`n - 1` below).
///
/// `None` for fewer than two returns. Equals `annual_volatility` of empyrical and `StdDev.annualized` of
/// PerformanceAnalytics. Source: Bacon 2008, ch. 4.
pub fn volatility(returns: &[f64], periods_per_year: f64) -> Option<f64> {
    finite(sample_deviation(returns)? * periods_per_year.sqrt())
}

/// The return per period that compounds to `rate` in a year: `(1 + rate)^(1 / N) - 1`.
///
/// `None` for a rate of -1 or less. Source: Bacon 2008, ch. 2.
pub fn rate_per_period(rate: f64, periods_per_year: f64) -> Option<f64> {
    if rate <= -1.0 || periods_per_year <= 0.0 {
        return None;
    }
    finite((1.0 + rate).powf(1.0 / periods_per_year) - 1.0)
}

/// Stability of the growth: R squared of a straight line through the cumulative log returns, in [0, 1].
///
/// 1 is perfectly even compounding (of a gain or of a loss). `None` for fewer than two returns, a total loss, or
/// no movement at all.
///
/// Source: pyfolio/empyrical, `stability_of_timeseries`; the least-squares line is textbook.
pub fn stability(returns: &[f64]) -> Option<f64> {
    if returns.len() < 2 || returns.iter().any(|r| *r <= -1.0) {
        return None;
    }
    let mut level = 0.0;
    let levels: Vec<f64> = returns.iter().map(|r| (level += r.ln_1p(), level).1).collect();
    let times: Vec<f64> = (0..returns.len()).map(count).collect();
    let shared = covariance(&times, &levels)?;
    ratio(shared * shared, covariance(&times, &times)? * covariance(&levels, &levels)?).map(|r2| r2.clamp(0.0, 1.0))
}

/// A span of nanoseconds in days, exact to a fraction of a microsecond over centuries.
pub(crate) fn nanoseconds_to_days(span_ns: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits of a span resolve about 2^-53 of it")]
    let span = span_ns as f64;
    #[expect(clippy::cast_precision_loss, reason = "a constant below 2^53")]
    let day = DAY_NS as f64;
    span / day
}
