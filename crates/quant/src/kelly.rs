//! How much to stake: the fraction of equity that makes it grow fastest, and how far to stay below it.
//!
//! The growth-optimal stake takes the edge for known. An estimated edge is too large as often as too small, and
//! overbetting costs more than underbetting: hence [`Stake`], which shrinks by the uncertainty of the estimate, takes a
//! fraction and caps.

use crate::error::{QuantError, check_range};
use crate::numeric::count;

/// Kelly's fraction for a bet that wins `payoff` per unit staked with probability `win_rate`, else loses the stake.
///
/// `p - (1 - p) / b`. Negative without an edge: then nothing is staked.
///
/// # Errors
/// [`QuantError::OutOfRange`] for a win rate outside `[0, 1]` or a payoff that is not positive.
///
/// Source: J. L. Kelly, "A New Interpretation of Information Rate", Bell System Technical Journal, 1956.
pub fn of_bets(win_rate: f64, payoff: f64) -> Result<f64, QuantError> {
    check_range("win rate", win_rate, (0.0..=1.0).contains(&win_rate), "between 0 and 1")?;
    check_range("payoff", payoff, payoff > 0.0, "above 0")?;
    Ok(win_rate - (1.0 - win_rate) / payoff)
}

/// Kelly's leverage for returns of this mean (above the risk-free rate) and variance, per period: `mean / variance`.
///
/// Signed: negative asks for a short position. Exact in continuous time, an approximation for small returns.
///
/// # Errors
/// [`QuantError::OutOfRange`] for a variance that is not positive.
///
/// Source: E. O. Thorp, "The Kelly Criterion in Blackjack, Sports Betting, and the Stock Market", 2006.
/// Half of it equals `KellyRatio` of PerformanceAnalytics.
pub fn of_returns(mean: f64, variance: f64) -> Result<f64, QuantError> {
    crate::error::check_one("mean", 0, mean)?;
    check_range("variance", variance, variance > 0.0, "above 0")?;
    Ok(mean / variance)
}

/// What is known of an edge: the full Kelly fraction and how uncertain it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// The growth-optimal fraction as estimated.
    pub fraction: f64,
    /// Its standard error.
    pub standard_error: f64,
}

impl Edge {
    /// From closed trades: how many won of how many, and the mean win over the mean loss.
    ///
    /// The standard error is that of the win rate, `(1 + 1/b) sqrt(p (1 - p) / n)`, with one win and one loss added to
    /// the record so that a spotless one is not taken for certain (Laplace's rule of succession).
    ///
    /// # Errors
    /// [`QuantError::TooFew`] for no trade, else those of [`of_bets`].
    pub fn of_trades(wins: usize, trades: usize, payoff: f64) -> Result<Self, QuantError> {
        if trades == 0 {
            return Err(QuantError::TooFew { what: "trades", needed: 1, got: 0 });
        }
        let fraction = of_bets(count(wins) / count(trades), payoff)?;
        let rate = (count(wins) + 1.0) / (count(trades) + 2.0);
        let deviation = (rate * (1.0 - rate) / (count(trades) + 2.0)).sqrt();
        Ok(Self { fraction, standard_error: (1.0 + 1.0 / payoff) * deviation })
    }

    /// From the mean and variance of `periods` returns: the standard error is that of the mean, `sqrt(v / n) / v`.
    ///
    /// # Errors
    /// [`QuantError::TooFew`] for fewer than two periods, else those of [`of_returns`].
    pub fn of_returns(mean: f64, variance: f64, periods: usize) -> Result<Self, QuantError> {
        if periods < 2 {
            return Err(QuantError::TooFew { what: "periods", needed: 2, got: periods });
        }
        let fraction = of_returns(mean, variance)?;
        Ok(Self { fraction, standard_error: (variance / count(periods)).sqrt() / variance })
    }

    /// The fraction shrunk towards nothing: `f * f^2 / (f^2 + e^2)`.
    ///
    /// Of all multiples of the estimate this one has the least mean squared error around a true fraction f known with
    /// standard error e. At two standard errors 80 % is left, at one a half, and the whole as trades grow without end.
    ///
    /// Motivation: R. Baker and I. McHale, "Optimal Betting Under Parameter Uncertainty: Improving the Kelly
    /// Criterion", Decision Analysis, 2013.
    pub fn shrunk(&self) -> f64 {
        let square = self.fraction * self.fraction;
        let whole = square + self.standard_error * self.standard_error;
        if whole > 0.0 { self.fraction * square / whole } else { 0.0 }
    }
}

/// How much of an edge is staked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stake {
    /// Share of Kelly's fraction: 1 full, 0.5 half (the platform's default), 0.25 quarter.
    pub share: f64,
    /// Whether the fraction is first shrunk by its uncertainty.
    pub shrink: bool,
    /// Largest stake, as a fraction of equity; 0.25 of equity in one position, say.
    pub cap: f64,
    /// Whether a negative fraction may be taken as a short position; else it stakes nothing.
    pub short: bool,
}

impl Stake {
    /// Half Kelly, shrunk, long only, at most a quarter of equity.
    pub const HALF: Self = Self { share: 0.5, shrink: true, cap: 0.25, short: false };
    /// Quarter Kelly, shrunk, long only, at most a quarter of equity.
    pub const QUARTER: Self = Self { share: 0.25, ..Self::HALF };

    /// The signed fraction of equity to stake.
    ///
    /// # Errors
    /// [`QuantError::OutOfRange`] for a share outside `[0, 1]` (more than full Kelly grows slower and risks more) or a
    /// negative cap, [`QuantError::NotFinite`].
    pub fn of(&self, edge: &Edge) -> Result<f64, QuantError> {
        check_range("share of Kelly", self.share, (0.0..=1.0).contains(&self.share), "between 0 and 1")?;
        check_range("cap", self.cap, self.cap >= 0.0, "0 or above")?;
        crate::error::check_finite("edge", &[edge.fraction, edge.standard_error])?;
        let fraction = self.share * if self.shrink { edge.shrunk() } else { edge.fraction };
        let least = if self.short { -self.cap } else { 0.0 };
        Ok(fraction.clamp(least, self.cap))
    }
}
