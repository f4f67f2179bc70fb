//! Options of what works on recorded bars: backtests, stress, diagnosis, data, strategies.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use tradewind_domain::Interval;
use tradewind_history::StampEnd;

/// Who decides, and how.
#[derive(Args)]
pub(crate) struct StrategyArgs {
    /// A registered strategy, see `tradewind strategy list`.
    #[arg(id = "strategy", long = "strategy", default_value = "ema-trend")]
    pub(crate) name: String,
    /// A parameter of the strategy as NAME=VALUE; may be repeated.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) parameters: Vec<String>,
    /// A TOML file with the strategy's parameters.
    #[arg(long)]
    pub(crate) parameters_file: Option<PathBuf>,
    /// A rule that sizes its trades, see `tradewind strategy sizing`; its own weights without.
    #[arg(long, value_name = "RULE")]
    pub(crate) sizing: Option<String>,
    /// A parameter of the sizing rule as NAME=VALUE; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", requires = "sizing")]
    pub(crate) size: Vec<String>,
    /// Distance from the close at which a trade is given up, in percent above 0 and below 100, where the strategy says none
    /// itself.
    #[arg(long, value_name = "PERCENT")]
    pub(crate) stop: Option<String>,
    /// Distance from the close at which a trade is content, in percent above 0 and below 100, where the strategy says none
    /// itself.
    #[arg(long, value_name = "PERCENT")]
    pub(crate) target: Option<String>,
}

/// Which end of a bar the times of a file name.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Stamp {
    /// When it began.
    Open,
    /// When it ended.
    Close,
}

impl From<Stamp> for StampEnd {
    fn from(stamp: Stamp) -> Self {
        match stamp {
            Stamp::Open => Self::Open,
            Stamp::Close => Self::Close,
        }
    }
}

/// How the times of a file are meant.
#[derive(Args)]
pub(crate) struct TimeArgs {
    /// Which end of a bar the file's times name; a file of the catalog knows it.
    #[arg(long, value_enum, default_value = "open", value_name = "END")]
    pub(crate) stamp: Stamp,
    /// How long each bar is, such as 1h; without it the commonest step between two rows. A file of the catalog knows it.
    #[arg(long)]
    pub(crate) interval: Option<Interval>,
}

#[derive(Args)]
pub(crate) struct BarsArgs {
    /// A file of bars: CSV, CSV.gz, zip, Feather or Parquet.
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// What the bars are of.
    #[arg(long)]
    pub(crate) symbol: String,
    #[command(flatten)]
    pub(crate) times: TimeArgs,
    #[command(flatten)]
    pub(crate) strategy: StrategyArgs,
    /// First bar to use, such as 2024-01-01.
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// Bars from here on are left out.
    #[arg(long)]
    pub(crate) until: Option<String>,
    /// Split and dividend factors of an equity, in LEAN's format.
    #[arg(long)]
    pub(crate) factors: Option<PathBuf>,
    /// Go on in spite of defects in the file; each is in the report.
    #[arg(long)]
    pub(crate) accept_defects: bool,
    /// The file was made by a simulation, not by a market.
    #[arg(long)]
    pub(crate) simulated: bool,
    /// Opening cash in the quote currency.
    #[arg(long, default_value = "10000", allow_negative_numbers = true)]
    pub(crate) deposit: String,
    /// Smallest step of an order's price, whatever the rows say. Without it one unit of the finest decimal that any price of
    /// the file has, those of later rows included.
    #[arg(long, value_name = "PRICE", allow_negative_numbers = true)]
    pub(crate) tick: Option<String>,
    /// Smallest step of an order's quantity, and the smallest order, whatever the rows say. Without it one unit of the finest
    /// decimal that any volume of the file has, those of later rows included.
    #[arg(long, value_name = "SIZE", allow_negative_numbers = true)]
    pub(crate) lot: Option<String>,
}

/// What is assumed about fills on bars. What is not given is as [`tradewind_book::FillPolicy::assumed`] has it.
#[derive(Args)]
pub(crate) struct FillArgs {
    /// Half the spread in basis points, which a taking fill on bars pays beside slippage: bars of trades show no quotes.
    /// Without it none.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) half_spread_bps: Option<String>,
    /// Slippage of a taking fill on bars in basis points. Without it 2.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) slippage_bps: Option<String>,
    /// Most of a bar's volume that fills may take, in percent; `none` for no cap. Without it 10, and none where the
    /// file gives no volume.
    #[arg(long)]
    pub(crate) volume_share: Option<String>,
    /// Market impact on bars: `none`, `linear:BPS` or `root:BPS`, in basis points at the whole volume of a bar. Without
    /// it none.
    #[arg(long)]
    pub(crate) impact: Option<String>,
    /// How far a bar must go to fill a limit. Without it a touch is enough.
    #[arg(long, value_enum, value_name = "HOW")]
    pub(crate) limit_fill: Option<LimitFill>,
}

/// How far a bar must go to fill a limit.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum LimitFill {
    /// To its price.
    Touch,
    /// Beyond its price.
    Through,
}

impl FillArgs {
    /// The first option that was given, by its name.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let options = [
            ("--half-spread-bps", self.half_spread_bps.is_some()),
            ("--slippage-bps", self.slippage_bps.is_some()),
            ("--volume-share", self.volume_share.is_some()),
            ("--impact", self.impact.is_some()),
            ("--limit-fill", self.limit_fill.is_some()),
        ];
        options.into_iter().find(|(_, is_given)| *is_given).map(|(name, _)| name)
    }
}

#[derive(Args)]
pub(crate) struct BacktestArgs {
    #[command(flatten)]
    pub(crate) bars: BarsArgs,
    /// Fee of a taking fill in basis points.
    #[arg(long, default_value = "10", allow_negative_numbers = true)]
    pub(crate) fee_bps: String,
    /// Fee of a resting fill in basis points.
    #[arg(long, default_value = "10", allow_negative_numbers = true)]
    pub(crate) maker_fee_bps: String,
    /// What fees are taken in: `quote`, or `received` as on Binance spot.
    #[arg(long, default_value = "quote")]
    pub(crate) fee_asset: String,
    #[command(flatten)]
    pub(crate) fills: FillArgs,
    /// Funding rates of a perpetual contract, in freqtrade's layout. Each is paid at the close of the bar before it, by what
    /// is held then; buy and hold is reckoned without.
    #[arg(long)]
    pub(crate) funding: Option<PathBuf>,
    /// Price at which a contract that ends within the data is settled; for an option, that of its underlying. Without it a
    /// future whose bars reach the end of its last day (24:00 UTC) is settled at the last close, and an option not at all.
    #[arg(long, value_name = "PRICE", allow_negative_numbers = true)]
    pub(crate) settlement: Option<String>,
    /// Fee of that settlement in basis points of what is settled.
    #[arg(long, default_value = "0", allow_negative_numbers = true)]
    pub(crate) delivery_fee_bps: String,
    /// Limits of the gate: research, conservative, moderate, demo or open.
    #[arg(long, default_value = "research")]
    pub(crate) limits: String,
    /// Where the report goes, never over a file that is read; a name from symbol and strategy without.
    #[arg(long)]
    pub(crate) report: Option<PathBuf>,
    /// Write no report.
    #[arg(long)]
    pub(crate) no_report: bool,
    /// Write every event as a line of JSON here, never over a file that is read nor over the report.
    #[arg(long)]
    pub(crate) events: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct StressArgs {
    #[command(flatten)]
    pub(crate) strategy: StrategyArgs,
    /// Seed of the first scenario; the next ones count up from it.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many scenarios.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) scenarios: u32,
    /// Bars of each scenario, an hour long each.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub(crate) bars: u32,
    /// Standard deviation of a bar's return in percent.
    #[arg(long, default_value_t = 1.0, value_parser = volatility)]
    pub(crate) volatility: f64,
    /// How likely a crash or a blow-off begins at a bar, from 0 to 1.
    #[arg(long, default_value_t = 0.02, value_parser = probability)]
    pub(crate) events: f64,
    /// Fee of every fill in basis points.
    #[arg(long, default_value = "10", allow_negative_numbers = true)]
    pub(crate) fee_bps: String,
    /// Slippage of a taking fill in basis points.
    #[arg(long, default_value = "2", allow_negative_numbers = true)]
    pub(crate) slippage_bps: String,
    /// Smallest step of an order's price.
    #[arg(long, value_name = "PRICE", default_value = "0.0001", allow_negative_numbers = true)]
    pub(crate) tick: String,
    /// Smallest step of an order's quantity, and the smallest order.
    #[arg(long, value_name = "SIZE", default_value = "0.0001", allow_negative_numbers = true)]
    pub(crate) lot: String,
    /// Limits of the gate: research, conservative, moderate, demo or open.
    #[arg(long, default_value = "research")]
    pub(crate) limits: String,
    /// How many scenarios run side by side.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: u16,
    /// Write the page of one scenario here: with `--scenarios 1`, as of a backtest.
    #[arg(long)]
    pub(crate) report: Option<PathBuf>,
}

fn volatility(text: &str) -> Result<f64, String> {
    let percent: f64 = text.parse().map_err(|_| format!("`{text}` is not a number of percent"))?;
    if percent > 0.0 && percent <= 20.0 { Ok(percent) } else { Err("above 0 and up to 20 percent".to_owned()) }
}

fn probability(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err("from 0 to 1".to_owned()) }
}

/// An amount of what a file of bars prices.
#[derive(Clone, Debug)]
pub(crate) struct Holding {
    pub(crate) file: PathBuf,
    /// Of money; negative where it is owed.
    pub(crate) amount: f64,
}

fn holding(text: &str) -> Result<Holding, String> {
    let (file, amount) = text.rsplit_once('=').ok_or("write FILE=AMOUNT, such as BTC_USDT-1h.feather=6000")?;
    let number = amount.parse().ok().filter(|it: &f64| it.is_finite() && *it != 0.0);
    Ok(Holding { file: file.into(), amount: number.ok_or_else(|| format!("`{amount}` is not an amount"))? })
}

fn confidence(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    if value > 0.0 && value < 100.0 { Ok(value) } else { Err("between 0 and 100".to_owned()) }
}

#[derive(Args)]
pub(crate) struct RiskArgs {
    /// What is held: a file of bars and the amount of money in it, negative where it is owed. All in one currency.
    #[arg(long, required = true, value_name = "FILE=AMOUNT", value_parser = holding)]
    pub(crate) hold: Vec<Holding>,
    /// An order that is thought of, as `--hold` has it: what it would add to what may be lost. May be given several times.
    #[arg(long, value_name = "FILE=AMOUNT", value_parser = holding)]
    pub(crate) add: Vec<Holding>,
    #[command(flatten)]
    pub(crate) times: TimeArgs,
    /// Percent of the time in which no more is lost.
    #[arg(long, default_value_t = 95.0, value_parser = confidence)]
    pub(crate) confidence: f64,
    /// Over how many bars.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) horizon: u16,
    /// Bars from which a figure of the past is reckoned when it is tried against the bar after them.
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u16).range(20..))]
    pub(crate) window: u16,
    /// Seed of the simulation.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Go on in spite of defects in a file.
    #[arg(long)]
    pub(crate) accept_defects: bool,
}

#[derive(Args)]
pub(crate) struct DiagnoseArgs {
    #[command(flatten)]
    pub(crate) bars: BarsArgs,
    /// How many of the last decisions to show.
    #[arg(long, default_value_t = 3)]
    pub(crate) last: usize,
}

#[derive(Subcommand)]
pub(crate) enum DataCommand {
    /// List the defects of a file; exit 3 if there is one.
    ///
    /// The first thousand of each code are listed, and all are counted. What the file holds is told by its columns or messages. Books are played, and a crossed one is named.
    #[command(
        after_help = "Examples:\n  tradewind data check BTC_USDT-1h.feather\n  tradewind data check incremental_book_L2.csv.gz --symbol BTC/USD"
    )]
    Check {
        /// A file of bars, trades, quotes, depth (L2), orders (L3) or funding rates.
        file: PathBuf,
        /// What it is of, if its name does not tell.
        #[arg(long)]
        symbol: Option<String>,
        #[command(flatten)]
        times: TimeArgs,
    },
    /// Store a file in the catalog.
    ///
    /// A file of raw messages holds several kinds; each is stored.
    #[command(
        after_help = "Examples:\n  tradewind data import BTC_USDT-1h.feather --symbol BTC/USDT --catalog market-data\n  tradewind data import btcusdt-quotes.parquet --symbol BTC/USDT"
    )]
    Import {
        /// A file of bars, trades, quotes, depth (L2) or orders (L3).
        file: PathBuf,
        /// What it is of.
        #[arg(long)]
        symbol: Option<String>,
        #[command(flatten)]
        times: TimeArgs,
        /// The catalog's folder.
        #[arg(long, default_value = "market-data")]
        catalog: PathBuf,
        /// Split and dividend factors of an equity, in LEAN's format.
        #[arg(long)]
        factors: Option<PathBuf>,
        /// Store it in spite of defects.
        #[arg(long)]
        accept_defects: bool,
        /// Store it even if that takes rows, volumes or decimals away, or other prices stand there: adjusted ones, or
        /// unadjusted.
        #[arg(long)]
        replace: bool,
    },
    /// List what the catalog holds; exit 3 if a file of it is damaged.
    ///
    /// What cannot be read is named on stderr, with its code, beside what can.
    #[command(after_help = "Example:\n  tradewind data list --catalog market-data")]
    List {
        /// The catalog's folder.
        #[arg(long, default_value = "market-data")]
        catalog: PathBuf,
    },
}

#[derive(Subcommand)]
pub(crate) enum StrategyCommand {
    /// List the strategies that ship.
    #[command(after_help = "Example:\n  tradewind strategy list")]
    List,
    /// Show a strategy's parameters with defaults and ranges, as TOML.
    #[command(after_help = "Example:\n  tradewind strategy show vote > vote.toml")]
    Show {
        /// Its name.
        name: String,
    },
    /// Show the rules that size trades, with their parameters.
    #[command(
        after_help = "Example:\n  tradewind strategy sizing\n  tradewind backtest --data BTC_USDT-1h.feather --symbol BTC/USDT \\\n    --sizing fixed-risk --size risk=0.01 --stop 2"
    )]
    Sizing,
    /// Begin a strategy of your own: a crate with a test, parameters and a backtest.
    #[command(after_help = "Example:\n  tradewind strategy new my-idea --tradewind ../tradewind")]
    New {
        /// Its name: lowercase letters, digits and dashes.
        name: String,
        /// Where the tradewind sources are.
        #[arg(long, default_value = ".")]
        tradewind: PathBuf,
        /// Where the new folder goes.
        #[arg(long, default_value = ".")]
        dir: PathBuf,
    },
}
