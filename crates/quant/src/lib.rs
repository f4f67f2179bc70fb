//! The arithmetic of risk and return: how a record performed, what a portfolio may lose, how large a position should be.
//!
//! # Where it sits
//! Pure arithmetic: no I/O, no clock, no chance but [`Draws`] from a caller's seed, and no other crate of ours. Statistics
//! are `f64`; quantities in books are whole numbers. What decides inside the gate ([`tail_risk`] but for its
//! `modified`, [`impact`], [`liquidity`]) sums in a fixed order and does not ask the platform for `ln` or `exp`.
//!
//! # Start here
//! * A record: push each observation of equity into an [`EquityAccumulator`], then call [`Summary::compute`]. Single
//!   figures are plain functions by family: [`returns`], [`drawdown`], [`ratios`], [`tail`], [`benchmark`], [`trades`],
//!   [`activity`], [`calendar`], [`signal`]. [`catalog()`] lists name, unit, formula and source of every figure.
//! * A portfolio: a [`ReturnWindow`] and exposures into [`tail_risk`]; [`covariance`] for correlations and shrinkage;
//!   [`var_backtest`] asks whether a stated value at risk held.
//! * A position: [`sizing`], [`kelly`], [`impact`], [`liquidity`], [`ruin`].
//!
//! # What always holds
//! * Nothing is NaN or infinite: what cannot be known is `None`. Bad input is a [`QuantError`] with index and value, and
//!   a code of [`CODES`].
//! * Returns are simple, per period, oldest first, as fractions (0.01 is 1 %); losses at risk are positive fractions.
//! * Sums run in input order, so equal input gives equal bits.
//!
//! # Conventions, and whose figures they equal
//! | figure | divisor | risk-free, target | annualised | equals |
//! |---|---|---|---|---|
//! | volatility, tracking error | n - 1 | none | times sqrt(N) | PerformanceAnalytics, empyrical |
//! | Sharpe | n - 1 | per period, subtracted | times sqrt(N) | empyrical; N = 1: PerformanceAnalytics `SharpeRatio` |
//! | Sortino, downside deviation | n, all periods | target per period | times sqrt(N) | empyrical; N = 1: PerformanceAnalytics |
//! | Calmar, Martin | n | none | CAGR by calendar time | PerformanceAnalytics, empyrical, which take N / n periods |
//! | Omega | none | target per period | no | empyrical; PerformanceAnalytics `OmegaSharpeRatio` + 1 |
//! | skewness, kurtosis, normal and modified VaR | n | none | no | PerformanceAnalytics (moment) |
//! | historical VaR, tail ratio | R type 7 quantile | none | no | PerformanceAnalytics, empyrical (sign turned) |
//! | historical CVaR | exact share of the tail | none | no | Riskfolio-Lib |
//! | beta, alpha | n (cancels) | per period | alpha compounds N times | empyrical; beta: PerformanceAnalytics too |
//! | information ratio | n - 1 | none | times sqrt(N) | N = 1: empyrical `excess_sharpe` |
//! | Treynor | n | per period | geometric | PerformanceAnalytics |
//! | probabilistic Sharpe | n - 1, kurtosis not excess | per period | no | the paper's example; PerformanceAnalytics `MinTrackRecord` |
//!
//! `tests/references.rs` compares all of these but tracking error, historical VaR and normal VaR and CVaR: the recorded
//! output has none for the recorded input, so they stand on their definitions and on hand-worked cases.
//!
//! Drawdowns are seen at every observation, not at daily closes alone.

pub mod activity;
pub mod amount;
pub mod benchmark;
pub mod calendar;
pub mod covariance;
pub mod drawdown;
pub mod impact;
pub mod kelly;
pub mod liquidity;
pub mod ratios;
pub mod returns;
pub mod ruin;
pub mod signal;
pub mod sizing;
pub mod tail;
pub mod tail_risk;
pub mod trades;
pub mod var_backtest;

mod accumulator;
mod catalog;
mod chance;
mod error;
mod exact;
mod figures;
mod numeric;
mod period;
mod summary;
mod window;

pub use accumulator::{DailyClose, EquityAccumulator};
pub use catalog::{Statistic, catalog, catalog_of};
pub use chance::Draws;
pub use error::{CODES, QuantError, check_finite};
pub use figures::{Activity, BenchmarkSummary, Breakdown, Distribution, DrawdownSummary, Growth, Ratios};
pub use numeric::quantile_of_sorted;
pub use period::Period;
pub use summary::{Conventions, OrderCounts, SHORTEST_FOR_A_YEAR_DAYS, Summary, SummaryInputs};
pub use trades::{TradeRecord, TradeStatistics};
pub use window::ReturnWindow;
