//! What came of a backtest, for people and for programs: one page of HTML, and the same as JSON.
//!
//! [`Report::build`] takes the [`Outcome`]; `serde_json` writes it, [`html()`] draws it. Every price, size and amount of
//! money is decimal text; other statistics are numbers, and what cannot be known is `null`, never NaN.

mod assumptions;
mod attribution;
mod build;
mod chances;
mod charts;
mod error;
mod groups;
mod marks;
mod page;
mod parts;
mod periods;
mod plot;
mod scale;
mod signals;
mod tables;
mod text;
mod tiles;

pub use attribution::{Attribution, Share};
pub use chances::Chances;
pub use error::ReportError;
pub use groups::{Group, Groups};
pub use page::html;
pub use parts::{Benchmark, CostLines, CurveRow, DataSource, Decisions, RoundTripRow};

use crate::{Outcome, SignalOutcomes};
use build::ledger;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use tradewind_book::FillPolicy;
use tradewind_domain::{Interval, Origin};
use tradewind_gate::Limits;
use tradewind_quant::{Conventions, Period, Statistic, Summary};

const DAY_NS: i64 = 86_400_000_000_000;

/// What the report says beside what the run itself knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    /// Where the bars came from.
    pub data: DataSource,
    /// The strategy's parameters as they stood, by name.
    pub parameters: BTreeMap<String, String>,
    /// How yearly figures are formed; `None` follows the instrument's calendar, without one the days that the data show. How
    /// many days a return spans is told by the bars.
    pub conventions: Option<Conventions>,
    /// Whatever else the reader should know.
    pub notes: Vec<String>,
}

/// A finished backtest in figures. Its fields are the keys of the JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The unified symbol.
    pub symbol: String,
    /// Where it trades.
    pub venue: String,
    /// Who decided.
    pub strategy: String,
    /// With which parameters.
    pub parameters: BTreeMap<String, String>,
    /// Length of a bar; `null` without bars.
    pub interval: Option<Interval>,
    /// Open of the first bar, RFC 3339.
    pub start: Option<String>,
    /// Close of the last bar, RFC 3339.
    pub end: Option<String>,
    /// `recorded` from a market, or `simulated`.
    pub origin: Origin,
    /// Bars fed.
    pub bars: u64,
    /// Executions. An order that fills in three parts counts three times; see [`Self::round_trips`].
    pub trades: u64,
    /// Trades from flat to flat, closed ones only; the statistics of trades are over these.
    pub round_trips: u64,
    /// Decisions of the strategy, and how many the gate vetoed.
    pub decisions: Decisions,
    /// Orders that the gate approved.
    pub orders: u64,
    /// Orders that the venue rejected.
    pub rejected: u64,
    /// Orders that ended by time.
    pub timed_out: u64,
    /// What equity is counted in.
    pub currency: String,
    /// Opening cash.
    pub deposit: String,
    /// Equity at the end, an open position valued at the last close.
    pub equity_final: String,
    /// Fees in the settlement currency; one taken in the asset is counted at its fill's price.
    pub fees: String,
    /// Fees as they were taken, by currency.
    pub fees_by_currency: BTreeMap<String, String>,
    /// What trading cost, line by line.
    pub costs: CostLines,
    /// Where the profit of the trades came from.
    pub attribution: Attribution,
    /// The trades by entry, by exit and by instrument.
    pub groups: Groups,
    /// The closed trades in other orders; `null` for fewer than 20.
    pub chances: Option<Chances>,
    /// What is assumed about fills, as settings.
    pub fill_policy: Option<FillPolicy>,
    /// What is assumed about fills, in words.
    pub fill_policy_text: String,
    /// What the gate allowed.
    pub limits: Limits,
    /// Where the bars came from.
    pub data: DataSource,
    /// What became of the strategy's signals, each version by itself; see [`SignalOutcomes`].
    pub signals: Vec<SignalOutcomes>,
    /// Every statistic.
    pub statistics: Summary,
    /// Name, unit, formula and source of each statistic, in the words of what one return spans.
    pub catalog: Cow<'static, [Statistic]>,
    /// Buy and hold; `null` if the first price was not above zero.
    pub benchmark: Option<Benchmark>,
    /// Every trade from flat to flat, oldest first, with the open one at the end.
    pub round_trip_list: Vec<RoundTripRow>,
    /// Price, equity and drawdown for drawing, at most 2,000 rows.
    pub curve: Vec<CurveRow>,
    /// What the reader should know.
    pub notes: Vec<String>,
    /// SHA-256 over every execution.
    pub trade_hash: String,
    /// SHA-256 of the engine's state at the end.
    pub state_hash: String,
    /// Version of the program.
    pub version: &'static str,
    /// Version of the decision logic.
    pub logic: u32,
}

impl Report {
    /// Puts the report of `outcome` together.
    ///
    /// A run without bars or trades is no error: what cannot be known is `None`.
    ///
    /// # Errors
    /// [`ReportError`] for conventions out of range or numbers that statistics cannot use.
    pub fn build(outcome: &Outcome, meta: Meta) -> Result<Self, ReportError> {
        build::report(outcome, meta)
    }

    /// What one return spans.
    fn period(&self) -> Period {
        period_of(self.interval)
    }

    /// Whether the run is too short for yearly figures to be shown first: less than 90 days.
    fn is_short(&self) -> bool {
        let growth = &self.statistics.growth;
        growth.start_ns.zip(growth.end_ns).is_some_and(|(start, end)| end.saturating_sub(start) < 90 * DAY_NS)
    }
}

/// What one return of a run on bars of `interval` spans.
fn period_of(interval: Option<Interval>) -> Period {
    interval.map_or(Period::DAY, |interval| Period::of_bars(interval.seconds()))
}
