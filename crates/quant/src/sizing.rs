//! Position size from risk: fixed risk per trade, ATR, volatility target, equal contribution.
//!
//! Sizes come as unsigned real quantities of the instrument; rounding them down to its lots is the caller's, who knows
//! the instrument. Prices, equity and stop distances are in the same currency: of an inverse contract, or one with a
//! multiplier, they are what one of it is worth, and what that loses, in the currency that settles it.

use crate::covariance::Symmetric;
use crate::error::{QuantError, check_one, check_range};
use crate::numeric::count;

/// What no size may exceed, whatever a rule says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SizeCaps {
    /// Largest notional as a fraction of equity: 0.25 is a quarter, 3 is a leverage of three.
    pub notional_of_equity: f64,
    /// Largest quantity, such as a share of the book's depth.
    pub quantity: Option<f64>,
}

/// Which of the caps decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoundBy {
    /// The rule itself.
    Rule,
    /// [`SizeCaps::notional_of_equity`].
    Notional,
    /// [`SizeCaps::quantity`].
    Quantity,
}

/// A size and what bounded it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sized {
    /// Quantity to hold, 0 or above, not yet rounded to lots.
    pub quantity: f64,
    /// What bounded it.
    pub bound_by: BoundBy,
}

impl SizeCaps {
    /// The quantity under both caps, at this price and equity.
    ///
    /// # Errors
    /// [`QuantError::OutOfRange`] for a negative quantity or cap, or a price that is not positive; equity of 0 or below
    /// allows nothing.
    pub fn apply(&self, quantity: f64, price: f64, equity: f64) -> Result<Sized, QuantError> {
        check_range("quantity", quantity, quantity >= 0.0, "0 or above")?;
        positive("price", price)?;
        check_one("equity", 0, equity)?;
        check_range("notional cap", self.notional_of_equity, self.notional_of_equity >= 0.0, "0 or above")?;
        let by_notional = self.notional_of_equity * equity.max(0.0) / price;
        check_one("notional cap", 0, by_notional)?;
        let mut sized = Sized { quantity, bound_by: BoundBy::Rule };
        if by_notional < sized.quantity {
            sized = Sized { quantity: by_notional, bound_by: BoundBy::Notional };
        }
        if let Some(most) = self.quantity {
            check_range("quantity cap", most, most >= 0.0, "0 or above")?;
            if most < sized.quantity {
                sized = Sized { quantity: most, bound_by: BoundBy::Quantity };
            }
        }
        Ok(sized)
    }
}

/// Fixed risk: the quantity that loses `risk` of equity if the stop is hit. `equity * risk / |entry - stop|`.
///
/// `risk` is a fraction (0.02 is 2 %). Slippage past the stop is not in it: add it to the distance.
///
/// # Errors
/// [`QuantError::OutOfRange`] for a risk outside `[0, 1]`, a stop at the entry, negative equity.
///
/// Source: R. Vince, "Portfolio Management Formulas", 1990 (fixed fractional trading).
pub fn fixed_risk(equity: f64, risk: f64, entry: f64, stop: f64) -> Result<f64, QuantError> {
    check_one("entry", 0, entry)?;
    check_one("stop", 0, stop)?;
    per_distance(equity, risk, (entry - stop).abs())
}

/// ATR sizing: fixed risk with the stop `multiple` average true ranges away.
///
/// # Errors
/// [`QuantError::OutOfRange`] for an ATR or multiple that is not positive, else those of [`fixed_risk`].
///
/// Source: C. Faith, "Way of the Turtle", 2007 (unit size).
pub fn by_atr(equity: f64, risk: f64, atr: f64, multiple: f64) -> Result<f64, QuantError> {
    positive("ATR", atr)?;
    positive("ATR multiple", multiple)?;
    per_distance(equity, risk, atr * multiple)
}

/// Volatility target: the quantity whose notional varies by `target` of equity. `equity * target / volatility / price`.
///
/// Both volatilities are for the same span: per year, per day.
///
/// # Errors
/// [`QuantError::OutOfRange`] for a volatility or price that is not positive, a negative target or equity.
///
/// Source: A. Moreira and T. Muir, "Volatility-Managed Portfolios", Journal of Finance, 2017.
pub fn volatility_target(equity: f64, target: f64, volatility: f64, price: f64) -> Result<f64, QuantError> {
    check_range("equity", equity, equity >= 0.0, "0 or above")?;
    check_range("target", target, target >= 0.0, "0 or above")?;
    positive("volatility", volatility)?;
    positive("price", price)?;
    finite("quantity", equity * target / volatility / price)
}

/// Risk parity: long-only weights, summing to 1, whose contributions to variance are equal.
///
/// Minimises `x' S x / 2 - sum(ln x) / n` coordinate by coordinate, each step in closed form, until no contribution
/// differs from `1 / n` by more than `tolerance` (1e-9, say).
///
/// # Errors
/// [`QuantError::TooFew`] for no asset, [`QuantError::OutOfRange`] for an asset that does not vary or a tolerance that
/// is not positive, [`QuantError::NotPositiveSemidefinite`], [`QuantError::NotConverged`] after 10,000 rounds.
///
/// Source: T. Griveau-Billion, J.-C. Richard, T. Roncalli, "A Fast Algorithm for Computing High-Dimensional Risk Parity
/// Portfolios", 2013; S. Maillard, T. Roncalli, J. Teiletche, "The Properties of Equally Weighted Risk Contribution
/// Portfolios", Journal of Portfolio Management, 2010.
pub fn risk_parity(covariance: &Symmetric, tolerance: f64) -> Result<Vec<f64>, QuantError> {
    const ROUNDS: usize = 10_000;
    let assets = covariance.size();
    if assets == 0 {
        return Err(QuantError::TooFew { what: "assets", needed: 1, got: 0 });
    }
    positive("tolerance", tolerance)?;
    covariance.cholesky()?;
    for i in 0..assets {
        positive("variance", covariance.at(i, i))?;
    }
    let budget = 1.0 / count(assets);
    let mut x: Vec<f64> = (0..assets).map(|i| (budget / covariance.at(i, i)).sqrt()).collect();
    let mut gap = f64::INFINITY;
    for _ in 0..ROUNDS {
        for i in 0..assets {
            let own = covariance.at(i, i);
            let others = crate::covariance::dot(covariance.row(i), &x) - own * x[i];
            x[i] = positive_root(own, others, budget);
        }
        gap = contributions(covariance, &x).iter().fold(0.0, |most: f64, share| most.max((share - budget).abs()));
        if gap <= tolerance {
            return Ok(normalised(&x));
        }
    }
    Err(QuantError::NotConverged { what: "risk parity", iterations: ROUNDS, gap })
}

/// Each asset's share of the portfolio's variance, summing to 1; all 0 for a portfolio that does not vary.
///
/// Panics unless there is one weight per row.
pub fn contributions(covariance: &Symmetric, weights: &[f64]) -> Vec<f64> {
    assert_eq!(covariance.size(), weights.len(), "one weight per asset");
    let with_portfolio = covariance.times(weights);
    let variance = crate::covariance::dot(&with_portfolio, weights);
    let share = |(weight, with): (&f64, &f64)| if variance > 0.0 { weight * with / variance } else { 0.0 };
    weights.iter().zip(&with_portfolio).map(share).collect()
}

/// The positive root of `own x^2 + others x - budget = 0`, without cancellation.
fn positive_root(own: f64, others: f64, budget: f64) -> f64 {
    let root = (others * others + 4.0 * own * budget).sqrt();
    if others > 0.0 { 2.0 * budget / (others + root) } else { (root - others) / (2.0 * own) }
}

fn normalised(values: &[f64]) -> Vec<f64> {
    let whole: f64 = values.iter().sum();
    values.iter().map(|value| value / whole).collect()
}

fn per_distance(equity: f64, risk: f64, distance: f64) -> Result<f64, QuantError> {
    check_range("equity", equity, equity >= 0.0, "0 or above")?;
    check_range("risk", risk, (0.0..=1.0).contains(&risk), "between 0 and 1")?;
    positive("stop distance", distance)?;
    finite("quantity", equity * risk / distance)
}

fn positive(field: &'static str, value: f64) -> Result<(), QuantError> {
    check_range(field, value, value > 0.0, "above 0")
}

fn finite(field: &'static str, value: f64) -> Result<f64, QuantError> {
    check_one(field, 0, value)?;
    Ok(value)
}
