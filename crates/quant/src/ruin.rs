//! How bad it may get with the trades one has: risk of ruin, and the same trades in other orders.

use crate::chance::Draws;
use crate::error::{QuantError, check_finite, check_range};
use crate::numeric::{count, quantile_of_sorted, sorted};

/// The most that the chance of ruin can be if trades like those of `returns` are drawn and compounded for ever; ruin is a
/// fall by `ruin`, a fraction of the start.
///
/// `(1 - ruin)^R`, where R > 0 makes the mean of `(1 + r)^-R` one. Exact where every trade moves the logarithm of wealth by
/// one and the same step, up or down: the gambler's ruin `(q / p)^steps`. 1 where wealth does not grow on average, 0
/// where nothing was ever lost.
///
/// # Errors
/// [`QuantError::TooFew`] for no trade; [`QuantError::OutOfRange`] for a return below -1 or a ruin outside (0, 1];
/// [`QuantError::NotFinite`].
///
/// Source: Lundberg's inequality, S. Asmussen and H. Albrecher, "Ruin Probabilities", 2nd edition, 2010, IV; W. Feller, "An
/// Introduction to Probability Theory and Its Applications", volume 1, XIV.2.
pub fn risk_of_ruin(returns: &[f64], ruin: f64) -> Result<f64, QuantError> {
    check(returns, ruin)?;
    if returns.iter().all(|r| *r >= 0.0) {
        return Ok(0.0);
    }
    if returns.iter().map(|r| r.ln_1p()).sum::<f64>() <= 0.0 {
        return Ok(1.0);
    }
    let excess = |power: f64| returns.iter().map(|r| (-power * r.ln_1p()).exp_m1()).sum::<f64>();
    // below its root the function is negative, beyond it positive: it is convex and falls at zero
    let mut high = 1.0;
    while excess(high) <= 0.0 && high < f64::MAX / 2.0 {
        high *= 2.0;
    }
    let mut low = 0.0;
    while high - low > 1e-13 * high {
        let middle = low + (high - low) / 2.0;
        if excess(middle) > 0.0 { high = middle } else { low = middle }
    }
    Ok((1.0 - ruin).powf(low))
}

/// Trades that can be compounded, and a fall that can happen.
fn check(returns: &[f64], ruin: f64) -> Result<(), QuantError> {
    if returns.is_empty() {
        return Err(QuantError::TooFew { what: "trades", needed: 1, got: 0 });
    }
    check_finite("returns", returns)?;
    check_range("ruin", ruin, ruin > 0.0 && ruin <= 1.0, "above 0, at most 1")?;
    match returns.iter().position(|r| *r < -1.0) {
        Some(index) => {
            let expected = "-1 or above: a trade cannot lose more than all";
            Err(QuantError::OutOfRange { field: "returns", index, value: returns[index], expected })
        }
        None => Ok(()),
    }
}

/// How trades are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resampling {
    /// Number of simulated sequences, 10,000 say.
    pub paths: usize,
    /// Trades in each; the length of the record where in doubt.
    pub trades: usize,
    /// Fall from the start that counts as ruin, as a fraction of the start (0.5 is a loss of half).
    pub ruin: f64,
    /// Equal seeds give equal sequences.
    pub seed: u64,
}

/// Quantiles over the simulated sequences (R type 7).
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Spread {
    /// 5 % quantile.
    pub p05: f64,
    /// Median.
    pub p50: f64,
    /// 95 % quantile.
    pub p95: f64,
    /// 99 % quantile.
    pub p99: f64,
}

/// What the simulated sequences came to.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct SequenceRisk {
    /// Share of sequences that fell to ruin at any time.
    pub ruin_probability: f64,
    /// Standard error of that share.
    pub ruin_error: f64,
    /// Total return at the end.
    pub total_return: Spread,
    /// Deepest drawdown, as a positive fraction.
    pub max_drawdown: Spread,
}

/// Draws sequences of trades with replacement from `returns` and compounds each.
///
/// `returns` are those of equity by trade, as fractions: -0.02 lost 2 % of equity. Drawing with replacement forgets any
/// order in the record, so clusters of losses are understated where losses follow losses.
///
/// # Errors
/// [`QuantError::TooFew`] for no trade, path or step; [`QuantError::OutOfRange`] for a return below -1 or a ruin outside
/// (0, 1]; [`QuantError::NotFinite`].
///
/// Source: B. Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics, 1979.
pub fn resample_trades(returns: &[f64], how: &Resampling) -> Result<SequenceRisk, QuantError> {
    for (what, got) in [("paths", how.paths), ("trades in a path", how.trades)] {
        if got == 0 {
            return Err(QuantError::TooFew { what, needed: 1, got });
        }
    }
    check(returns, how.ruin)?;
    let mut draws = Draws::new(how.seed);
    let (mut totals, mut depths, mut ruined) = (Vec::new(), Vec::new(), 0_usize);
    for _ in 0..how.paths {
        let path = Path::draw(returns, how.trades, &mut draws);
        totals.push(path.equity - 1.0);
        depths.push(path.deepest);
        ruined += usize::from(path.lowest <= 1.0 - how.ruin);
    }
    check_finite("simulated equity", &totals)?;
    let share = count(ruined) / count(how.paths);
    Ok(SequenceRisk {
        ruin_probability: share,
        ruin_error: (share * (1.0 - share) / count(how.paths)).sqrt(),
        total_return: spread(&totals),
        max_drawdown: spread(&depths),
    })
}

struct Path {
    equity: f64,
    lowest: f64,
    deepest: f64,
}

impl Path {
    fn draw(returns: &[f64], trades: usize, draws: &mut Draws) -> Self {
        let mut path = Self { equity: 1.0, lowest: 1.0, deepest: 0.0 };
        let mut peak = 1.0_f64;
        for _ in 0..trades {
            path.equity *= 1.0 + returns[draws.below(returns.len())];
            peak = peak.max(path.equity);
            path.lowest = path.lowest.min(path.equity);
            path.deepest = path.deepest.max(1.0 - path.equity / peak);
        }
        path
    }
}

fn spread(values: &[f64]) -> Spread {
    let ordered = sorted(values).expect("checked to be finite");
    let at = |probability| quantile_of_sorted(&ordered, probability).expect("at least one path");
    Spread { p05: at(0.05), p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
