//! The stress lab: one strategy in hundreds of made-up markets, and where it breaks.
//!
//! A [`Scenario`] is a function of its seed, so the seed of a bad one is all that is needed to look at it alone. Nothing
//! here is a forecast: it says what a strategy does to an account when a market does its worst.

mod scenario;
mod summary;

pub use scenario::{Climate, Scenario, Weather};
pub use summary::{Spread, Suggestion, Summary, TOLERABLE_DRAWDOWN};

use crate::{Backtest, Outcome, Plan, PlanError};
use serde::Serialize;
use std::collections::BTreeMap;
use tradewind_domain::PortfolioId;
use tradewind_quant::drawdown::DrawdownTracker;

/// What one scenario did to the account.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// The scenario.
    pub seed: u64,
    /// Gain over the deposit, as a fraction.
    pub total_return: f64,
    /// Deepest fall from a peak of the equity at the bars' closes, as a fraction.
    pub max_drawdown: f64,
    /// Executions.
    pub trades: u64,
    /// Fees paid, as a fraction of the deposit.
    pub fees: f64,
    /// Orders that the gate refused.
    pub refused: u64,
    /// How much of the return came in which weather; they sum to it.
    pub by_weather: BTreeMap<Weather, f64>,
}

/// Runs the scenario of `seed` by `plan`, whose origin must be simulated; the whole outcome is for a report.
///
/// # Errors
/// [`PlanError`] if equity cannot be followed: the scenario's own bars are in order.
pub fn run(plan: Plan, climate: Climate, seed: u64) -> Result<(Trial, Outcome), PlanError> {
    let (instrument, deposit) = (plan.instrument.clone(), plan.deposit.to_f64());
    let mut backtest = Backtest::new(plan);
    let mut under_water = DrawdownTracker::new(0, deposit);
    let (mut equity, mut deepest, mut by_weather) = (deposit, 0.0_f64, BTreeMap::new());
    for (bar, weather) in Scenario::new(&instrument, climate, seed) {
        backtest.feed(&bar)?;
        let now = units(backtest.state().portfolio(PortfolioId(0)).equity());
        *by_weather.entry(weather).or_insert(0.0) += (now - equity) / deposit;
        let over = under_water.push(bar.close_time().nanos(), now);
        let depth = over.or(under_water.current()).map_or(0.0, |it| it.depth);
        deepest = deepest.max(depth);
        equity = now;
    }
    let outcome = backtest.finish();
    let trial = Trial {
        seed,
        total_return: (equity - deposit) / deposit,
        max_drawdown: deepest,
        trades: outcome.counters.fills,
        fees: units(outcome.costs.fees) / deposit,
        refused: outcome.counters.veto,
        by_weather,
    };
    Ok((trial, outcome))
}

#[allow(clippy::cast_precision_loss)] // statistics
fn units(units: i128) -> f64 {
    units as f64 / 1e8
}
