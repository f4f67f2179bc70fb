//! The parameters of the rules.

use crate::StrategyError;
use crate::parameters::{BARS, PART_OF_EQUITY, Parameter, Range, parameter};
use serde::{Deserialize, Serialize};
use tradewind_quant::kelly::Edge;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FixedRisk {
    pub(super) risk: f64,
}

impl FixedRisk {
    pub(super) const NAME: &'static str = "fixed-risk";
    pub(super) const PARAMETERS: &'static [Parameter] = &[parameter(
        "risk",
        "0.01",
        Range::Real(0.0001, 1.0),
        "part of equity that a trade loses at its stop; 0.01 is 1 %",
    )];
}

impl Default for FixedRisk {
    fn default() -> Self {
        Self { risk: 0.01 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TrueRange {
    pub(super) risk: f64,
    pub(super) period: usize,
    pub(super) multiple: f64,
}

impl TrueRange {
    pub(super) const NAME: &'static str = "atr";
    pub(super) const PARAMETERS: &'static [Parameter] = &[
        parameter("risk", "0.01", Range::Real(0.0001, 1.0), "part of equity that such a move loses; 0.01 is 1 %"),
        parameter("period", "14", BARS, "bars of the average true range"),
        parameter("multiple", "2.0", Range::Real(0.1, 100.0), "average true ranges that the move is long"),
    ];
}

impl Default for TrueRange {
    fn default() -> Self {
        Self { risk: 0.01, period: 14, multiple: 2.0 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TargetVolatility {
    pub(super) target: f64,
    pub(super) period: usize,
    pub(super) days_per_year: f64,
}

impl TargetVolatility {
    pub(super) const NAME: &'static str = "volatility-target";
    pub(super) const PARAMETERS: &'static [Parameter] = &[
        parameter(
            "target",
            "0.2",
            Range::Real(0.001, 10.0),
            "volatility a year that the position aims at; 0.2 is 20 %",
        ),
        parameter("period", "60", BARS, "returns from which volatility is measured"),
        parameter("days_per_year", "365.0", Range::Real(1.0, 366.0), "days a year on which the market trades"),
    ];
}

impl Default for TargetVolatility {
    fn default() -> Self {
        Self { target: 0.2, period: 60, days_per_year: 365.0 }
    }
}

/// A record of trades and how much of its edge is staked. The record has no default: nobody knows it beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kelly {
    #[serde(default)]
    pub(super) wins: u32,
    #[serde(default)]
    pub(super) trades: u32,
    #[serde(default)]
    pub(super) payoff: f64,
    #[serde(default = "half")]
    pub(super) share: f64,
    #[serde(default = "yes")]
    pub(super) shrink: bool,
    #[serde(default = "quarter")]
    pub(super) cap: f64,
}

const fn half() -> f64 {
    0.5
}
const fn yes() -> bool {
    true
}
const fn quarter() -> f64 {
    0.25
}

impl Kelly {
    pub(super) const NAME: &'static str = "kelly";
    pub(super) const PARAMETERS: &'static [Parameter] = &[
        parameter("wins", "0", Range::Whole(0, 1_000_000), "closed trades of the record that won"),
        parameter("trades", "0", Range::Whole(1, 1_000_000), "closed trades of the record: must be given"),
        parameter("payoff", "0.0", Range::Real(0.01, 1000.0), "its mean win over its mean loss: must be given"),
        parameter("share", "0.5", Range::Real(0.0, 1.0), "share of Kelly's fraction: 0.5 is half Kelly"),
        parameter(
            "shrink",
            "true",
            Range::Switch,
            "whether the fraction is first shrunk by how uncertain the record is",
        ),
        parameter("cap", "0.25", PART_OF_EQUITY, "largest part of equity to stake"),
    ];

    /// What the record says.
    pub(super) fn edge(&self) -> Result<Edge, StrategyError> {
        if self.wins > self.trades {
            return Err(StrategyError::Conflict {
                strategy: Self::NAME,
                rule: "wins must not be more than trades",
                first: f64::from(self.wins),
                second: f64::from(self.trades),
            });
        }
        let whole = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        Ok(Edge::of_trades(whole(self.wins), whole(self.trades), self.payoff).expect("the ranges are the edge's"))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RiskParity {
    pub(super) gross: f64,
    pub(super) period: usize,
}

impl RiskParity {
    pub(super) const NAME: &'static str = "risk-parity";
    pub(super) const PARAMETERS: &'static [Parameter] = &[
        parameter("gross", "0.95", PART_OF_EQUITY, "part of equity that all markets of the strategy may hold together"),
        parameter("period", "120", Range::Whole(20, 10_000), "common bars from which the markets' risk is measured"),
    ];
}

impl Default for RiskParity {
    fn default() -> Self {
        Self { gross: 0.95, period: 120 }
    }
}
