//! The past as the model: what today's exposures would have earned in each period of the window.

use super::{Change, Contributions, Level, TailRisk, check_changes};
use crate::error::{QuantError, check_finite};
use crate::numeric::count;
use crate::window::ReturnWindow;

/// Value at risk and expected shortfall of a record of outcomes, one per period: for those who sum their own.
///
/// Select and sum, no sort: the same figures as [`crate::tail::value_at_risk`] and
/// [`crate::tail::expected_shortfall`] up to the last bits, scaled by the square root of the level's horizon.
///
/// # Errors
/// [`QuantError::TooFew`] for no outcome, [`QuantError::NotFinite`].
pub fn of_outcomes(outcomes: &[f64], level: &Level) -> Result<TailRisk, QuantError> {
    if outcomes.is_empty() {
        return Err(QuantError::TooFew { what: "outcomes", needed: 1, got: 0 });
    }
    check_finite("outcomes", outcomes)?;
    Tail::of(outcomes, level).figures(level)
}

/// A portfolio held against a window of returns, with its outcome in each period at hand.
///
/// Making one costs assets times periods; a question about an order costs periods alone.
#[derive(Clone, Debug)]
pub struct Historical<'a> {
    window: &'a ReturnWindow,
    exposures: Vec<f64>,
    outcomes: Vec<f64>,
}

impl<'a> Historical<'a> {
    /// Holds `exposures`, one per asset of the window, signed.
    ///
    /// # Errors
    /// Those of [`ReturnWindow::outcomes`].
    pub fn new(window: &'a ReturnWindow, exposures: &[f64]) -> Result<Self, QuantError> {
        let outcomes = window.outcomes(exposures)?;
        Ok(Self { window, exposures: exposures.to_vec(), outcomes })
    }

    /// What the exposures earned in each period, oldest first.
    pub fn outcomes(&self) -> &[f64] {
        &self.outcomes
    }

    /// Value at risk and expected shortfall.
    ///
    /// # Errors
    /// [`QuantError::NotFinite`] if the scaled figure overflows.
    pub fn tail_risk(&self, level: &Level) -> Result<TailRisk, QuantError> {
        Tail::of(&self.outcomes, level).figures(level)
    }

    /// The same before and after `changes` of exposure, such as the order's signed notional in its asset.
    ///
    /// Several changes may meet one asset (a spread's legs, orders that are still open).
    ///
    /// # Errors
    /// [`QuantError::Shape`] for an asset that the window does not hold, [`QuantError::NotFinite`].
    pub fn after(&self, changes: &[(usize, f64)], level: &Level) -> Result<Change, QuantError> {
        check_changes(self.window.assets(), changes)?;
        let mut outcomes = self.outcomes.clone();
        for (asset, change) in changes {
            self.window.add(&mut outcomes, *asset, *change);
        }
        check_finite("outcomes", &outcomes)?;
        Ok(Change { before: self.tail_risk(level)?, after: Tail::of(&outcomes, level).figures(level)? })
    }

    /// Splits both figures among the assets by what each earned in the very periods that make the figure.
    ///
    /// The value at risk lies in one period or between two, so its split is exact but nervous: it jumps when another
    /// period takes over. The split of the expected shortfall averages over the tail and is the calmer guide.
    ///
    /// Source: D. Tasche, "Risk Contributions and Performance Measurement", 1999 (conditional expectations).
    ///
    /// # Errors
    /// Those of [`Historical::tail_risk`].
    pub fn contributions(&self, level: &Level) -> Result<Contributions, QuantError> {
        let tail = Tail::of(&self.outcomes, level);
        let total = tail.figures(level)?;
        let scale = level.horizon.sqrt();
        let (quantile, shortfall) = tail.weights(&self.outcomes);
        let marginal = |weights: &[(usize, f64)], asset: usize| {
            let returns = self.window.asset(asset);
            -scale * weights.iter().fold(0.0, |sum, (period, weight)| sum + weight * returns[*period])
        };
        let of = |weights: &[(usize, f64)]| (0..self.window.assets()).map(|i| marginal(weights, i)).collect();
        Ok(Contributions::new(total, &self.exposures, of(&quantile), of(&shortfall)))
    }
}

/// Periods, each with the weight that it has in a figure.
type Weighted = Vec<(usize, f64)>;

/// The order statistics that both figures are made of.
struct Tail {
    /// Outcome below the quantile, and the one above it.
    below: f64,
    above: f64,
    /// How far the quantile lies between them.
    between: f64,
    /// The worst outcomes that count whole, and the share of the next one.
    whole: usize,
    rest: f64,
    /// The next one.
    edge: f64,
    /// Mean outcome of the tail.
    mean: f64,
}

impl Tail {
    /// One pass to select, one to sum; the sum runs in time order, so it does not depend on how the selection works.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= place < len, floored on purpose")]
    fn of(outcomes: &[f64], level: &Level) -> Self {
        let n = outcomes.len();
        let place = level.tail * count(n - 1);
        let (lower, between) = (place.floor() as usize, place.fract());
        let share = level.tail * count(n);
        let share = if (share - share.round()).abs() < 1e-9 { share.round() } else { share };
        let (whole, rest) = (share.floor() as usize, share.fract());
        let mut chosen = outcomes.to_vec();
        let (_, below, upper) = chosen.select_nth_unstable_by(lower, f64::total_cmp);
        let below = *below;
        let above = upper.iter().copied().fold(f64::INFINITY, f64::min);
        let above = if upper.is_empty() { below } else { above };
        // `share - tail` is the place of the quantile, so the edge of the tail is one of its two neighbours.
        let edge = if whole <= lower { below } else { above };
        let (mut sum, mut worse) = (0.0, 0_usize);
        for outcome in outcomes.iter().filter(|outcome| **outcome < edge) {
            sum += outcome;
            worse += 1;
        }
        let equal = count(whole) - count(worse) + rest;
        Self { below, above, between, whole, rest, edge, mean: (sum + equal * edge) / share }
    }

    fn figures(&self, level: &Level) -> Result<TailRisk, QuantError> {
        let scale = level.horizon.sqrt();
        let quantile = self.below + (self.above - self.below) * self.between;
        TailRisk::new(-scale * quantile, -scale * self.mean)
    }

    /// Which periods make the quantile and the mean, with their weights; the oldest first among equals.
    fn weights(&self, outcomes: &[f64]) -> (Weighted, Weighted) {
        let mut worst: Vec<usize> = (0..outcomes.len()).filter(|t| outcomes[*t] <= self.above.max(self.edge)).collect();
        worst.sort_by(|a, b| outcomes[*a].total_cmp(&outcomes[*b])); // stable: time decides among equals
        let lower = worst.iter().filter(|t| outcomes[**t] < self.below).count();
        let upper = worst.iter().filter(|t| outcomes[**t] < self.above).count();
        let quantile = vec![(worst[lower], 1.0 - self.between), (worst[upper], self.between)];
        let share = count(self.whole) + self.rest;
        let whole = worst[..self.whole].iter().map(|t| (*t, 1.0 / share));
        let shortfall = whole.chain((self.rest > 0.0).then(|| (worst[self.whole], self.rest / share))).collect();
        (quantile, shortfall)
    }
}
