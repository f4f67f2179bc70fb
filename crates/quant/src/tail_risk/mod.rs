//! Value at risk and expected shortfall of a portfolio, fast enough to be asked about every order.
//!
//! # Where it sits
//! [`crate::tail`] describes one record of returns; this module judges positions. The gate asks it what the portfolio
//! would risk *after* an order, so all but [`modified`] use additions, multiplications and square roots in a fixed
//! order: equal input gives equal bits on every machine.
//!
//! # Start here
//! A [`Level`] (confidence and horizon), a [`ReturnWindow`] (assets times periods) and signed exposures. Then
//! * [`Historical`]: what the exposures would have earned in each past period; [`of_outcomes`] where that is known;
//! * [`Parametric`]: normal, from means and covariances; [`normal_of_outcomes`] from a portfolio's own record;
//! * [`simulate`]: draws a window of 10,000 correlated normal periods, which is then judged as history is; [`Shocks`] for
//!   those who ask often about one record;
//! * [`modified`]: normal bent by skewness and kurtosis (Cornish-Fisher).
//!
//! Each answers for the portfolio as it stands, for the portfolio after an order (`after`), and splits the figure among
//! the assets (`contributions`); the parts sum to the whole.
//!
//! # Units
//! Exposures are signed amounts of money, or fractions of equity; the figures come in the same unit. A loss is
//! positive. A negative value at risk means that even the bad end gains.
//!
//! # Conventions
//! | method | quantile | expected shortfall | over h periods |
//! |---|---|---|---|
//! | historical, Monte Carlo | R type 7 (linear between order statistics at `(n - 1) p`) | exact share of the tail | history times sqrt(h); simulation draws h periods at once |
//! | parametric | `-(h m + z s sqrt(h))` | `-h m + s sqrt(h) phi(z) / p` | mean times h, variance times h |
//! | modified | `-(h m + z_cf s sqrt(h))` | Boudt 2008, never below its value at risk | as parametric, with one period's shape |
//!
//! Sources: P. Jorion, "Value at Risk", 3rd edition, 2006; C. Acerbi and D. Tasche, "On the Coherence of Expected
//! Shortfall", 2002; A. McNeil, R. Frey, P. Embrechts, "Quantitative Risk Management", 2005, 6.3 (Euler allocation).
//!
//! # What always holds
//! * Expected shortfall is never below value at risk.
//! * Contributions sum to the figure they split, up to rounding.
//! * NaN, an overflow or a hole in the history refuses with an error; nothing is skipped or filled.

mod historical;
mod mixed;
mod modified;
mod parametric;
mod simulated;

pub use historical::{Historical, of_outcomes};
pub use mixed::Shocks;
pub use modified::modified;
pub use parametric::{Parametric, normal_of_outcomes};
pub use simulated::{DEFAULT_PATHS, simulate};

use crate::error::{QuantError, check_range};
use crate::exact;
#[cfg(doc)]
use crate::window::ReturnWindow;

/// How sure, and over how long: the question that a value at risk answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Share of periods in which the loss stays below the value at risk, such as 0.95.
    confidence: f64,
    /// Number of periods of the returns, such as 1 for one day with daily returns.
    horizon: f64,
    /// `1 - confidence`.
    tail: f64,
    /// Normal quantile of the tail, negative above 50 %.
    z: f64,
    /// `phi(z) / tail`: how many deviations the normal tail lies beyond the mean on average.
    depth: f64,
}

impl Level {
    /// A confidence strictly between 0 and 1, over a positive number of periods.
    ///
    /// # Errors
    /// [`QuantError::OutOfRange`] or [`QuantError::NotFinite`].
    pub fn new(confidence: f64, horizon: f64) -> Result<Self, QuantError> {
        let holds = confidence > 0.0 && confidence < 1.0;
        check_range("confidence", confidence, holds, "strictly between 0 and 1")?;
        check_range("horizon", horizon, horizon > 0.0, "a positive number of periods")?;
        // 1 - 0.95 is 0.050000000000000044; what was meant has at most twelve decimals.
        let tail = ((1.0 - confidence) * 1e12).round() / 1e12;
        check_range("confidence", confidence, tail > 0.0 && tail < 1.0, "at most twelve decimals")?;
        let z = exact::normal_quantile(tail);
        Ok(Self { confidence, horizon, tail, z, depth: exact::normal_density(z) / tail })
    }

    /// 95 % over one period: the platform's default.
    pub fn standard() -> Self {
        Self::new(0.95, 1.0).expect("a confidence of 95 % over one period is in range")
    }

    /// Share of periods in which the loss stays below the value at risk.
    pub fn confidence(&self) -> f64 {
        self.confidence
    }

    /// Number of periods.
    pub fn horizon(&self) -> f64 {
        self.horizon
    }
}

/// A value at risk and the mean loss beyond it; losses positive.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct TailRisk {
    /// Loss that is exceeded with the tail's probability.
    pub var: f64,
    /// Mean loss in that tail; never below `var`.
    pub cvar: f64,
}

impl TailRisk {
    /// Both figures, finite; rounding cannot put the shortfall below the value at risk.
    fn new(var: f64, cvar: f64) -> Result<Self, QuantError> {
        crate::error::check_finite("value at risk", &[var, cvar])?;
        // Plus nothing: the loss of an empty portfolio is 0, not the machine's minus 0.
        Ok(Self { var: var + 0.0, cvar: cvar.max(var) + 0.0 })
    }
}

/// How a figure is split among the assets.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Contributions {
    /// The figures that are split.
    pub total: TailRisk,
    /// By asset: how much the value at risk grows per unit of exposure added.
    pub marginal_var: Vec<f64>,
    /// By asset: exposure times marginal; sums to `total.var`.
    pub component_var: Vec<f64>,
    /// By asset: how much the expected shortfall grows per unit of exposure added.
    pub marginal_cvar: Vec<f64>,
    /// By asset: exposure times marginal; sums to `total.cvar`.
    pub component_cvar: Vec<f64>,
}

impl Contributions {
    fn new(total: TailRisk, exposures: &[f64], marginal_var: Vec<f64>, marginal_cvar: Vec<f64>) -> Self {
        let share = |marginal: &[f64]| exposures.iter().zip(marginal).map(|(e, m)| e * m + 0.0).collect();
        let (component_var, component_cvar) = (share(&marginal_var), share(&marginal_cvar));
        Self { total, marginal_var, component_var, marginal_cvar, component_cvar }
    }
}

/// What an order does to the portfolio's risk.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Change {
    /// Before the order.
    pub before: TailRisk,
    /// With the order filled.
    pub after: TailRisk,
}

impl Change {
    /// Incremental value at risk: after less before; negative for a hedge.
    pub fn incremental_var(&self) -> f64 {
        self.after.var - self.before.var
    }

    /// Incremental expected shortfall: after less before.
    pub fn incremental_cvar(&self) -> f64 {
        self.after.cvar - self.before.cvar
    }
}

/// Checks the exposures that an order changes.
fn check_changes(assets: usize, changes: &[(usize, f64)]) -> Result<(), QuantError> {
    for (index, (asset, change)) in changes.iter().enumerate() {
        if *asset >= assets {
            return Err(QuantError::Shape { what: "assets", expected: asset + 1, got: assets });
        }
        crate::error::check_one("changes", index, *change)?;
    }
    Ok(())
}
