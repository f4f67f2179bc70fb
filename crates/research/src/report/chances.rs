//! The same trades in other orders: how much of a result was luck, and how deep it could have gone.

use super::Report;
use super::text::{count, percent, signed_percent};
use crate::RoundTrip;
use serde::Serialize;
use std::fmt::Write;
use tradewind_quant::ruin::{Resampling, SequenceRisk, Spread, resample_trades, risk_of_ruin};

/// Fewer trades say nothing about their order.
const FEWEST: usize = 20;
/// Sequences that are drawn, and the most draws in all: a report is a matter of a second.
const PATHS: usize = 10_000;
const DRAWS: usize = 20_000_000;
/// A loss of half counts as ruin.
const RUIN: f64 = 0.5;
const SEED: u64 = 1;

/// What sequences drawn with replacement from the closed trades came to: simulated, equal in every report of the run.
///
/// Each trade counts as the part of equity that it won or lost. Drawing forgets the order of the record, so that runs of
/// losses are understated where losses follow losses.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Chances {
    /// Closed trades that are drawn from, and drawn in each sequence.
    pub trades: usize,
    /// Sequences.
    pub paths: usize,
    /// Fall from the start that counts as ruin, as a fraction.
    pub ruin: f64,
    /// Seed of the draws.
    pub seed: u64,
    /// The most that the chance of ruin can be, however long such trades go on; see [`risk_of_ruin`].
    pub ruin_ever: f64,
    /// What they came to, as fractions.
    #[serde(flatten)]
    pub risk: SequenceRisk,
}

impl Chances {
    /// `None` for fewer than 20 closed trades, or where one lost more than there was.
    pub(super) fn of(trips: &[RoundTrip], deposit: f64) -> Option<Self> {
        let mut equity = deposit;
        let part_of_equity = |trip: &RoundTrip| {
            let part = trip.profit / equity;
            equity += trip.profit;
            part
        };
        let returns: Vec<f64> = trips.iter().filter(|trip| !trip.open).map(part_of_equity).collect();
        let trades = returns.len();
        if trades < FEWEST {
            return None;
        }
        let paths = (DRAWS / trades).clamp(200, PATHS);
        let risk = resample_trades(&returns, &Resampling { paths, trades, ruin: RUIN, seed: SEED }).ok()?;
        let ruin_ever = risk_of_ruin(&returns, RUIN).ok()?;
        Some(Self { trades, paths, ruin: RUIN, seed: SEED, ruin_ever, risk })
    }
}

pub(super) fn table(report: &Report, it: &Chances) -> String {
    let mut page = String::from(
        "<table class=costs><thead><tr><th scope=col>In other orders<th scope=col class=num>5 %\
         <th scope=col class=num>Median<th scope=col class=num>95 %<th scope=col class=num>99 %\
         <th scope=col class=num>As it was<tbody>",
    );
    let mut row = |what: &str, spread: &Spread, was: Option<f64>, form: fn(f64, usize) -> String| {
        let _ = write!(page, "<tr><th scope=row>{what}");
        for value in [spread.p05, spread.p50, spread.p95, spread.p99, was.unwrap_or(f64::NAN)] {
            let _ = write!(page, "<td class=num>{}", form(value, 1));
        }
    };
    let was = &report.statistics;
    row("Total return", &it.risk.total_return, was.growth.total_return, signed_percent);
    row("Deepest drawdown", &it.risk.max_drawdown, was.drawdown.max, percent);
    let _ = write!(
        page,
        "</table><p class=note>Simulated: {} sequences of {} trades, drawn from the closed trades with replacement. Ruin, a fall to \
         {} of the start at any time: {} of the sequences; at most {} however long such trades go on (Lundberg's bound).",
        count(it.paths as u64),
        count(it.trades as u64),
        percent(1.0 - it.ruin, 0),
        percent(it.risk.ruin_probability, 2),
        percent(it.ruin_ever, 2),
    );
    page
}
