//! What the strategy did to earn it: turnover and the capital it could carry.

use crate::error::{QuantError, check_one};
use crate::numeric::{quantile_of_sorted, ratio, sorted};

/// Our share of one bar's market: both notionals in one currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Participation {
    /// What we traded in the bar, not negative.
    pub traded_notional: f64,
    /// What everybody traded in the bar, not negative.
    pub market_notional: f64,
}

/// Annual turnover: notional traded (bought plus sold) / mean equity / years; 2 means that the whole capital was bought
/// and sold once in a year. `None` if the mean equity or the years are zero.
///
/// Source: pyfolio `get_turnover` on gross traded value, per year instead of per day.
pub fn turnover(traded_notional: f64, mean_equity: f64, years: f64) -> Option<f64> {
    ratio(traded_notional, mean_equity * years)
}

/// Estimated capacity: the equity at which 95 % of the bars traded in would still hold our share of volume to `limit`.
///
/// `mean_equity * limit / q95(traded_notional / market_notional)`, over the bars with trades of ours (R type 7
/// quantile). Assumes that order sizes grow with equity, and that prices do not answer: an estimate of room, not of
/// impact. `limit` is a fraction (0.02 is 2 % of a bar's volume). `None` without such bars, or if we traded where the
/// market shows no volume at all in more than 5 % of them.
///
/// Source: this crate's own, after the volume-share limit of R. Almgren et al., "Direct Estimation of Equity Market
/// Impact", Risk, 2005, and of LEAN's capacity estimate.
pub fn capacity(bars: &[Participation], mean_equity: f64, limit: f64) -> Option<f64> {
    let traded = bars.iter().filter(|bar| bar.traded_notional > 0.0);
    // A share of a market without volume is beyond any limit; a huge finite number keeps the ordering.
    let shares: Vec<f64> =
        traded.map(|bar| ratio(bar.traded_notional, bar.market_notional).unwrap_or(f64::MAX)).collect();
    let busy = quantile_of_sorted(&sorted(&shares)?, 0.95)?;
    if busy >= 1e12 { None } else { ratio(mean_equity * limit, busy) }
}

/// Checks that every notional is finite and not negative.
///
/// # Errors
/// [`QuantError::NotFinite`] or [`QuantError::OutOfRange`] with the first offending index and value.
pub fn check_participation(bars: &[Participation]) -> Result<(), QuantError> {
    for (index, bar) in bars.iter().enumerate() {
        let fields = [
            ("participation.traded_notional", bar.traded_notional),
            ("participation.market_notional", bar.market_notional),
        ];
        for (field, value) in fields {
            check_one(field, index, value)?;
            if value < 0.0 {
                return Err(QuantError::OutOfRange { field, index, value, expected: "zero or more" });
            }
        }
    }
    Ok(())
}
