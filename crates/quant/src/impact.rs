//! What an order does to the price: a model for sizing.
//!
//! Quantities are whole numbers of the instrument's smallest step and prices whole numbers of its smallest decimal, as
//! in the order itself; basis points are `f64`.

use crate::error::{QuantError, check_range};

/// How much rests on the side that the order would take from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SideDepth {
    best: u64,
    top10: u64,
}

impl SideDepth {
    /// Quantity at the best level, and at the best ten together.
    ///
    /// # Errors
    /// [`QuantError::OutOfRange`] where the ten levels hold less than the first.
    pub fn new(best: u64, top10: u64) -> Result<Self, QuantError> {
        let (one, ten) = (number(best), number(top10));
        check_range("depth of ten levels", ten, best <= top10, "at least that of the best level")?;
        check_range("depth of the best level", one, best > 0 || top10 == 0, "above 0 where there is a book")?;
        Ok(Self { best, top10 })
    }

    /// From levels, best first; those behind the tenth do not count, empty ones neither. Saturates.
    pub fn of(levels: &[BookLevel]) -> Self {
        let mut there = levels.iter().map(|level| level.quantity).filter(|quantity| *quantity > 0);
        let best = there.next().unwrap_or(0);
        Self { best, top10: there.take(9).fold(best, u64::saturating_add) }
    }

    /// Quantity at the best level.
    pub fn best(&self) -> u64 {
        self.best
    }

    /// Quantity at the best ten levels.
    pub fn top10(&self) -> u64 {
        self.top10
    }

    /// Modelled impact of an order of `size` in basis points; never less for a larger size.
    ///
    /// Up to the best level `5 size / L1`; up to ten levels `5 + 20 sqrt((size - L1) / (L10 - L1))`, so 25 at their end;
    /// beyond them, or without a book, 100. Nothing for no size.
    ///
    /// Source: capability GPT-14; the square root is the empirical law of B. Toth et al., "Anomalous Price Impact and
    /// the Critical Nature of Liquidity in Financial Markets", Physical Review X, 2011.
    pub fn impact_bps(&self, size: u64) -> f64 {
        if size == 0 {
            0.0
        } else if size <= self.best {
            5.0 * (number(size) / number(self.best))
        } else if size <= self.top10 {
            5.0 + 20.0 * (number(size - self.best) / number(self.top10 - self.best)).sqrt()
        } else {
            100.0
        }
    }
}

/// What to do with a target whose impact exceeds the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizingMode {
    /// Shrink it until it fits.
    Conservative,
    /// Trade nothing.
    Strict,
    /// Take it as it is while ten levels hold it, above the limit too; else shrink it until it fits.
    Aggressive,
}

/// Limits and manners of [`calculate_impact_aware_size`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImpactRule {
    /// Largest impact in basis points; the platform's default is 15.
    pub limit_bps: f64,
    /// Basis points added to the model for this instrument: what its fills have cost beyond it.
    pub extra_bps: f64,
    /// The instrument's quantity step, in the same whole numbers.
    pub increment: u64,
    /// What to do above the limit.
    pub mode: SizingMode,
}

/// A size and its modelled impact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImpactSize {
    /// A multiple of the increment, at most the target; 0 trades nothing.
    pub size: u64,
    /// Modelled impact of that size with the instrument's extra; 0 for no size.
    pub impact_bps: f64,
}

/// The largest size, up to `target`, whose modelled impact stays within the limit.
///
/// The target is first rounded down to the increment. Without a book the size is 0. In the modes conservative and
/// strict the impact never exceeds the limit; conservative is the largest such multiple of the increment.
///
/// # Errors
/// [`QuantError::OutOfRange`] for a limit or an extra that is negative, or an increment of 0.
pub fn calculate_impact_aware_size(
    target: u64,
    depth: &SideDepth,
    rule: &ImpactRule,
) -> Result<ImpactSize, QuantError> {
    check_range("impact limit", rule.limit_bps, rule.limit_bps >= 0.0, "0 or above")?;
    check_range("extra impact", rule.extra_bps, rule.extra_bps >= 0.0, "0 or above")?;
    check_range("increment", number(rule.increment), rule.increment > 0, "above 0")?;
    let impact = |size: u64| if size == 0 { 0.0 } else { depth.impact_bps(size) + rule.extra_bps };
    let made = |size: u64| ImpactSize { size, impact_bps: impact(size) };
    let steps = if depth.top10 == 0 { 0 } else { target / rule.increment };
    let whole = steps * rule.increment;
    if impact(whole) <= rule.limit_bps {
        return Ok(made(whole));
    }
    match rule.mode {
        SizingMode::Strict => return Ok(made(0)),
        SizingMode::Aggressive if whole <= depth.top10 => return Ok(made(whole)),
        SizingMode::Aggressive | SizingMode::Conservative => {}
    }
    // `fits` steps fit, `too_many` do not: 0 always fits, all were just seen not to.
    let (mut fits, mut too_many) = (0, steps);
    while too_many - fits > 1 {
        let middle = fits + (too_many - fits) / 2;
        if impact(middle * rule.increment) <= rule.limit_bps { fits = middle } else { too_many = middle }
    }
    Ok(made(fits * rule.increment))
}

/// One price of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookLevel {
    /// Whole number of the instrument's smallest price decimal.
    pub price: i64,
    /// Whole number of its smallest quantity step.
    pub quantity: u64,
}

/// Nearest `f64`; order is kept.
#[expect(clippy::cast_precision_loss, reason = "rounding keeps the order of sizes")]
pub(crate) fn number(whole: u64) -> f64 {
    whole as f64
}

/// Nearest `f64`.
#[expect(clippy::cast_precision_loss, reason = "a difference of prices in basis points needs no more")]
pub(crate) fn fraction(whole: i128) -> f64 {
    whole as f64
}
