//! The parts of a [`super::Report`].

use serde::Serialize;
use std::collections::BTreeMap;
use tradewind_quant::amount::{money, optional_money, price};
use tradewind_quant::{Distribution, DrawdownSummary, Growth, Ratios};

/// Where the bars came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DataSource {
    /// The file, or how the bars were made.
    pub path: String,
    /// How it is written, such as `feather`; empty if that means nothing.
    pub format: String,
    /// Data rows in it.
    pub rows: u64,
    /// SHA-256 of the file, lowercase hex.
    pub sha256: Option<String>,
    /// Which end of a bar the file's times name: `open` or `close`.
    pub stamp: String,
    /// Holes between bars while the market was open.
    pub gaps: u64,
    /// How many bars would fit into them.
    pub missing_bars: u64,
    /// What else is wrong with the file.
    pub defects: u64,
    /// What was done to the bars after they were read.
    pub steps: Vec<String>,
}

/// What the strategy decided, and what the gate did not let pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Decisions {
    /// To buy.
    pub buy: u64,
    /// To sell.
    pub sell: u64,
    /// To do nothing, warm-up included.
    pub hold: u64,
    /// Proposals that the gate refused.
    pub veto: u64,
}

/// What trading cost, in the settlement currency.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CostLines {
    /// The settlement currency.
    pub currency: String,
    /// Fees, less rebates; those of settlement included.
    pub fees: String,
    /// Of the fees, what settling contracts at their end cost; `null` where none was settled.
    pub settlement: Option<String>,
    /// Half the spread: what taking fills paid of it, by the price that the market showed. Like slippage and impact `null`
    /// where a venue filled, which tells no such price.
    pub spread: Option<String>,
    /// Slippage and rounding to the tick: what they paid beyond that price and the spread.
    pub slippage: Option<String>,
    /// Market impact: what they paid beyond all that for their own size.
    pub impact: Option<String>,
    /// Funding paid, by currency; negative when received. Empty where there is none.
    pub funding: BTreeMap<String, String>,
    /// Fees, spread, slippage, impact and the funding of the settlement currency, as far as they are known.
    pub total: String,
    /// Notional bought and sold.
    pub traded_notional: String,
    /// The total in basis points of that notional.
    pub total_bps: Option<f64>,
    /// Maker fee in basis points.
    pub maker_bps: f64,
    /// Taker fee in basis points.
    pub taker_bps: f64,
    /// Executions that rested.
    pub maker_trades: u64,
    /// Executions that crossed.
    pub taker_trades: u64,
}

/// The whole deposit in the market from the first open to the last close.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Benchmark {
    /// What it is, in words.
    pub description: &'static str,
    /// What it is worth at the end.
    pub equity_final: String,
    /// Its growth.
    pub growth: Growth,
    /// Its falls, at the closes of bars.
    pub drawdown: DrawdownSummary,
    /// Its return per unit of risk.
    pub ratios: Ratios,
    /// Shape and edges of its daily returns.
    pub distribution: Distribution,
}

/// One trade from flat to flat.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoundTripRow {
    /// When it was entered, RFC 3339.
    pub opened_at: String,
    /// When it was left, or the end of the run; RFC 3339.
    pub closed_at: String,
    /// Whether it was still open.
    pub open: bool,
    /// The unified symbol.
    pub symbol: String,
    /// `long` or `short`.
    pub direction: &'static str,
    /// What its first execution was said to be for.
    pub entry_tag: String,
    /// What its last execution was said to be for; `reversal`, `stop`, `target`, `expiry` and
    /// `end-of-data` are the engine's words.
    pub exit_tag: String,
    /// Largest quantity held.
    pub quantity: String,
    /// Average entry price, rounded at four decimals beyond the instrument's prices.
    #[serde(serialize_with = "price")]
    pub entry_price: f64,
    /// Average exit price, rounded likewise; what is still open counts at the last close.
    #[serde(serialize_with = "price")]
    pub exit_price: f64,
    /// Profit after fees and funding, in the settlement currency.
    pub profit: String,
    /// Fees, in the settlement currency.
    pub fees: String,
    /// Funding paid while it was open, in the settlement currency; negative when received.
    pub funding: String,
    /// Profit by what was put in, a fraction.
    pub profit_fraction: Option<f64>,
    /// Worst unrealised loss on the way, a fraction of the entry price; zero or negative.
    pub mae: f64,
    /// Best unrealised gain on the way, a fraction of the entry price; zero or positive.
    pub mfe: f64,
    /// Seconds from entry to exit.
    pub seconds: i64,
    /// For drawing: UTC nanoseconds of entry and exit.
    #[serde(skip)]
    pub(crate) at_ns: (i64, i64),
}

/// Some neighbouring bars in one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurveRow {
    /// Open of the first bar, Unix milliseconds.
    pub from_ms: i64,
    /// Close of the last bar, Unix milliseconds.
    pub to_ms: i64,
    /// First price.
    #[serde(serialize_with = "price")]
    pub open: f64,
    /// Highest price.
    #[serde(serialize_with = "price")]
    pub high: f64,
    /// Lowest price.
    #[serde(serialize_with = "price")]
    pub low: f64,
    /// Last price.
    #[serde(serialize_with = "price")]
    pub close: f64,
    /// Equity at the last close.
    #[serde(serialize_with = "money")]
    pub equity: f64,
    /// The deepest fall below the highest equity so far, a fraction in [0, 1].
    pub drawdown: f64,
    /// What buy and hold was worth at the last close.
    #[serde(serialize_with = "optional_money")]
    pub hold: Option<f64>,
}
