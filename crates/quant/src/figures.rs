//! The groups of figures that make up a [`crate::Summary`].

use serde::Serialize;

use crate::calendar::{Day, PeriodRow};
use crate::drawdown::Drawdown;
use crate::summary::OrderCounts;

/// Start, end, profit and growth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Growth {
    /// First observation, UTC nanoseconds.
    pub start_ns: Option<i64>,
    /// Last observation, UTC nanoseconds.
    pub end_ns: Option<i64>,
    /// Equity at the start.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub start_equity: Option<f64>,
    /// Equity at the end, open positions marked.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub end_equity: Option<f64>,
    /// End less start.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub net_profit: Option<f64>,
    /// End over start, less 1.
    pub total_return: Option<f64>,
    /// Compound annual growth rate by calendar time.
    pub cagr: Option<f64>,
    /// Number of daily returns behind all yearly figures.
    pub daily_returns: u64,
    /// Annualised volatility of daily returns.
    pub volatility: Option<f64>,
    /// Evenness of growth, R squared.
    pub stability: Option<f64>,
    /// Best daily return.
    pub best_day: Option<f64>,
    /// When that was.
    pub best_day_date: Option<Day>,
    /// Worst daily return.
    pub worst_day: Option<f64>,
    /// When that was.
    pub worst_day_date: Option<Day>,
    /// First moment at which equity was zero or below.
    pub ruined_at_ns: Option<i64>,
}

/// The deepest and the longest drawdown, at the resolution of the observations.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DrawdownSummary {
    /// Depth of the deepest, 0 if equity never fell.
    pub max: Option<f64>,
    /// Its amount in the account's currency.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub max_amount: Option<f64>,
    /// Its peak, trough and recovery.
    pub deepest: Option<Drawdown>,
    /// Days from its peak to its trough.
    pub fall_days: Option<f64>,
    /// Days from its trough back to the peak; missing while the loss stands.
    pub recovery_days: Option<f64>,
    /// The longest from peak to recovery, or to the end.
    pub longest: Option<Drawdown>,
    /// Days from its peak to its recovery, or to the end.
    pub longest_days: Option<f64>,
    /// Ulcer index of the daily closes.
    pub ulcer_index: Option<f64>,
}

/// Return per unit of risk, from daily returns.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ratios {
    /// Annualised Sharpe ratio.
    pub sharpe: Option<f64>,
    /// Annualised Sortino ratio.
    pub sortino: Option<f64>,
    /// CAGR over the deepest drawdown.
    pub calmar: Option<f64>,
    /// Gains over losses around the target.
    pub omega: Option<f64>,
    /// CAGR over the ulcer index.
    pub martin: Option<f64>,
    /// Probability that the true Sharpe ratio beats the benchmark ratio.
    pub probabilistic_sharpe: Option<f64>,
    /// Days of returns needed until that probability is 95 %, if they go on like this.
    pub minimum_track_record: Option<f64>,
}

/// Shape and edges of the daily returns; losses positive.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Distribution {
    /// Skewness.
    pub skewness: Option<f64>,
    /// Plain kurtosis, 3 when normal.
    pub kurtosis: Option<f64>,
    /// Long end over short end.
    pub tail_ratio: Option<f64>,
    /// Historical value at risk, 95 %.
    pub var_95: Option<f64>,
    /// Historical value at risk, 99 %.
    pub var_99: Option<f64>,
    /// Historical expected shortfall, 95 %.
    pub cvar_95: Option<f64>,
    /// Historical expected shortfall, 99 %.
    pub cvar_99: Option<f64>,
    /// Normal value at risk, 95 %.
    pub parametric_var_95: Option<f64>,
    /// Normal value at risk, 99 %.
    pub parametric_var_99: Option<f64>,
    /// Normal expected shortfall, 95 %.
    pub parametric_cvar_95: Option<f64>,
    /// Normal expected shortfall, 99 %.
    pub parametric_cvar_99: Option<f64>,
    /// Modified (Cornish-Fisher) value at risk, 95 %; `None` where [`crate::tail::modified_tail`] has none.
    pub modified_var_95: Option<f64>,
    /// Modified value at risk, 99 %.
    pub modified_var_99: Option<f64>,
    /// Modified expected shortfall, 95 %.
    pub modified_cvar_95: Option<f64>,
    /// Modified expected shortfall, 99 %.
    pub modified_cvar_99: Option<f64>,
}

/// Beside the benchmark, over the days that both have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BenchmarkSummary {
    /// Days that both have.
    pub days: u64,
    /// What the benchmark returned over these days.
    pub total_return: Option<f64>,
    /// Jensen's alpha per year.
    pub alpha: Option<f64>,
    /// Beta.
    pub beta: Option<f64>,
    /// Pearson correlation.
    pub correlation: Option<f64>,
    /// Annualised tracking error.
    pub tracking_error: Option<f64>,
    /// Annualised information ratio.
    pub information_ratio: Option<f64>,
    /// Treynor ratio.
    pub treynor: Option<f64>,
}

/// What was done to earn it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Activity {
    /// Share of the time with a position.
    pub time_in_market: Option<f64>,
    /// Time-weighted gross notional over equity.
    pub mean_leverage: Option<f64>,
    /// Notional bought and sold.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub traded_notional: Option<f64>,
    /// Notional bought and sold per mean equity and year.
    pub turnover: Option<f64>,
    /// Equity that would fill the allowed share of volume.
    #[serde(serialize_with = "crate::amount::optional_money")]
    pub capacity: Option<f64>,
    /// Orders that did not trade.
    pub orders: Option<OrderCounts>,
}

/// By day, week and month.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Breakdown {
    /// One row per UTC day.
    pub day: Vec<PeriodRow>,
    /// One row per ISO week.
    pub week: Vec<PeriodRow>,
    /// One row per calendar month.
    pub month: Vec<PeriodRow>,
}
