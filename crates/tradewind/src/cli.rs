//! Every command with its options. The help texts are the reference.

use crate::output::Format;
use crate::plans::{BracketArgs, IcebergArgs, ParentArgs, ReplaceArgs, ScaleArgs, TwapArgs, VwapArgs};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use tradewind_governance::Name;
use tradewind_storm::FaultId;

/// What scripts may rely on; printed by `tradewind --help` and in the book.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done; also when Ctrl-C or SIGTERM ended a demo, a node or an exchange in order
  1    failed: `error[CODE]` with a hint stands on stderr
  2    misused: no such command, option or value
  3    checked and found wrong: a defect in data, a damaged journal, a replay that differs
  4    no node is running there
  130  interrupted before there was a result, or by a second Ctrl-C

Data are on stdout, with `-o json` as one JSON value; everything else is on stderr.";

/// A trading platform you can hand to an AI agent and still sleep.
#[derive(Parser)]
#[command(name = "tradewind", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// How results are printed on stdout.
    #[arg(short, long, value_enum, default_value = "text", global = true, help_heading = "Output")]
    pub(crate) output: Format,
    /// Level of the log on stderr.
    #[arg(
        long,
        default_value = "warn",
        global = true,
        value_name = "LEVEL",
        help_heading = "Output",
        value_parser = ["off", "error", "warn", "info", "debug", "trace"]
    )]
    pub(crate) log: String,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Watch it work: a local exchange, a node that trades on it, and a report at the end.
    #[command(
        after_help = "Example:\n  tradewind demo --for 45s --seed 7\n  tradewind demo --tape XRP_ETH-1m.feather --symbol XRP/ETH"
    )]
    Demo(DemoArgs),
    /// Run a strategy over recorded bars and write a report.
    #[command(
        after_help = "Example:\n  tradewind backtest --data BTC_USDT-1h.feather --symbol BTC/USDT --strategy ema-trend"
    )]
    Backtest(Box<BacktestArgs>),
    /// Trade play money until stopped: on a local exchange, or on the venue of a settings file.
    #[command(
        after_help = "Example:\n  tradewind paper --data-dir my-paper\n  tradewind paper --config tradewind.toml"
    )]
    Paper(PaperArgs),
    /// Trade real money by a settings file. Asks for everything that `tradewind doctor` lists.
    #[command(after_help = "Example:\n  tradewind live --config tradewind.toml")]
    Live {
        /// The settings file; its mode must be "live".
        #[arg(long)]
        config: PathBuf,
        /// While another process trades with this data directory or key, wait until it ends and then take over.
        #[arg(long)]
        standby: bool,
    },
    /// Run the local exchange alone, for other programs.
    #[command(
        after_help = "Example:\n  tradewind exchange --port 9090 --speed 60\n  tradewind exchange --tape BTC_USDT-1m.feather --symbol BTC/USDT"
    )]
    Exchange(ExchangeArgs),
    /// Place, cancel and list orders of a running node, through its gate.
    #[command(subcommand)]
    Order(Box<OrderCommand>),
    /// List and close positions of a running node, through its gate.
    #[command(subcommand)]
    Position(PositionCommand),
    /// Cancel every order and close every position of a running node.
    #[command(after_help = "Example:\n  tradewind flatten --data-dir my-paper")]
    Flatten(NodeArgs),
    /// Take over what other hands did on the account: their orders, their executions, differences of balances.
    #[command(
        after_help = "Examples:\n  tradewind adopt --data-dir my-paper\n  tradewind adopt --order typed-by-hand --data-dir my-paper\n  tradewind adopt --balances --data-dir my-paper"
    )]
    Adopt(AdoptArgs),
    /// Stop every new order of a running node; exits stay possible.
    #[command(after_help = "Example:\n  tradewind halt --reason \"looks wrong\" --data-dir my-paper")]
    Halt(ReasonArgs),
    /// Allow trading again after a halt.
    #[command(after_help = "Example:\n  tradewind resume --reason \"checked the feed\" --data-dir my-paper")]
    Resume(ReasonArgs),
    /// End a running node in order.
    #[command(after_help = "Example:\n  tradewind stop --data-dir my-paper")]
    Stop(NodeArgs),
    /// Show a running node: positions, orders, limits, latency.
    #[command(after_help = "Example:\n  tradewind status --data-dir my-paper -o json")]
    Status(NodeArgs),
    /// Decide again everything that a journal remembers, and compare.
    #[command(after_help = "Example:\n  tradewind replay my-paper -o json")]
    Replay {
        /// A data directory.
        dir: PathBuf,
    },
    /// Verify, show, back up and thin out a journal.
    #[command(subcommand)]
    Journal(JournalCommand),
    /// List, approve and reject orders that wait for people.
    #[command(subcommand)]
    Proposals(ProposalsCommand),
    /// Show limits and kill switches; change a limit, downwards at once, upwards with a second person.
    #[command(subcommand)]
    Limits(LimitsCommand),
    /// Verify the signed audit trail of a data directory, and export causes and effects.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Check, import and list market data.
    #[command(subcommand)]
    Data(DataCommand),
    /// List strategies, show their parameters, begin your own.
    #[command(subcommand)]
    Strategy(StrategyCommand),
    /// Show why a strategy does what it does: each signal, its weight, its distance to the threshold.
    #[command(
        after_help = "Example:\n  tradewind diagnose --data BTC_USDT-1h.feather --symbol BTC/USDT --strategy vote --last 5"
    )]
    Diagnose(DiagnoseArgs),
    /// Run a strategy through hundreds of made-up markets with crashes and blow-offs, and see where it breaks.
    #[command(
        after_help = "Examples:\n  tradewind stress --strategy breakout --scenarios 200\n  tradewind stress --strategy breakout --seed 137 --scenarios 1 --report worst.html"
    )]
    Stress(StressArgs),
    /// Trade through seeded storms of faults in simulated time, and judge what came of it.
    #[command(
        after_help = "Examples:\n  tradewind storm --seed 7 --hours 0.5 -o json\n  tradewind storm --seeds 1..2001 --jobs 2\n  tradewind storm --seed 7 --faults A01,A03,G02"
    )]
    Storm(StormArgs),
    /// Check this machine, a settings file and its keys, and say what live mode still needs.
    #[command(after_help = "Example:\n  tradewind doctor --config tradewind.toml")]
    Doctor {
        /// The settings file to check.
        #[arg(long)]
        config: Option<PathBuf>,
        /// The data directory to check; that of the settings without.
        #[arg(long)]
        data_dir: Option<PathBuf>,
    },
    /// Show, check and begin settings files.
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// How long, such as 45s or 2m.
    #[arg(long = "for", default_value = "45s", value_parser = duration)]
    pub(crate) duration: std::time::Duration,
    /// Seed of the simulated market.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// Where journal and report go.
    #[arg(long, default_value = "tradewind-demo")]
    pub(crate) data_dir: PathBuf,
    /// Play a recorded market instead of the simulated one: a file of bars or trades.
    #[arg(long)]
    pub(crate) tape: Option<PathBuf>,
    /// What the tape is of, such as XRP/ETH; without it BTC/USDT.
    #[arg(long, requires = "tape")]
    pub(crate) symbol: Option<String>,
    /// Market seconds per second; without it 120, and eight bars a second on a tape.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) speed: Option<f64>,
}

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
    /// Slippage of a taking fill in basis points.
    #[arg(long, default_value = "2", allow_negative_numbers = true)]
    pub(crate) slippage_bps: String,
    /// Most of a bar's volume that fills may take, in percent; `none` for no cap. Without it 10, and none where the
    /// file gives no volume.
    #[arg(long)]
    pub(crate) volume_share: Option<String>,
    /// Market impact: `none`, `linear:BPS` or `root:BPS`, in basis points at the whole volume of a bar.
    #[arg(long, default_value = "none")]
    pub(crate) impact: String,
    /// Limits of the gate: research, conservative, moderate, demo or open.
    #[arg(long, default_value = "research")]
    pub(crate) limits: String,
    /// Where the report goes; a name from symbol and strategy without.
    #[arg(long)]
    pub(crate) report: Option<PathBuf>,
    /// Write no report.
    #[arg(long)]
    pub(crate) no_report: bool,
    /// Write every event as a line of JSON here.
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
    /// Limits of the gate: research, conservative, moderate, demo or open.
    #[arg(long, default_value = "research")]
    pub(crate) limits: String,
    /// How many scenarios run side by side.
    #[arg(long, default_value_t = 1)]
    pub(crate) jobs: usize,
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

#[derive(Args)]
pub(crate) struct StormArgs {
    /// What the market, the proposers and the faults are drawn from.
    #[arg(long, default_value_t = 1, conflicts_with = "seeds")]
    pub(crate) seed: u64,
    /// Many storms: from this seed on, up to that one, such as 1..2001.
    #[arg(long, value_name = "FROM..TO", value_parser = seeds)]
    pub(crate) seeds: Option<std::ops::Range<u64>>,
    /// Simulated hours of each storm.
    #[arg(long, default_value = "0.5", value_parser = hours)]
    pub(crate) hours: f64,
    /// Only these faults, such as A01,B04; every one without.
    #[arg(long, value_delimiter = ',', value_parser = fault)]
    pub(crate) faults: Vec<FaultId>,
    /// No faults at all.
    #[arg(long, conflicts_with = "faults")]
    pub(crate) calm: bool,
    /// Only these places of the drawn plan, as a failing storm names them.
    #[arg(long, value_delimiter = ',')]
    pub(crate) keep: Option<Vec<usize>>,
    /// How many storms run side by side.
    #[arg(long, default_value_t = 1)]
    pub(crate) jobs: usize,
    /// Do not look for the smallest plan that still fails.
    #[arg(long)]
    pub(crate) no_shrink: bool,
    /// List every fault that a storm knows, and do nothing else.
    #[arg(long)]
    pub(crate) list: bool,
}

fn hours(text: &str) -> Result<f64, String> {
    let hours: f64 = text.parse().map_err(|_| format!("`{text}` is not a number of hours"))?;
    if hours > 0.0 && hours <= 10_000.0 { Ok(hours) } else { Err("from a moment up to 10000 hours".to_owned()) }
}

fn fault(name: &str) -> Result<FaultId, String> {
    FaultId::named(name).ok_or_else(|| format!("there is no fault `{name}`; see `tradewind storm --list`"))
}

/// A range of seeds such as `1..2001`, the last one excluded.
fn seeds(text: &str) -> Result<std::ops::Range<u64>, String> {
    let wrong = || format!("`{text}` is not a range such as 1..2001");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let range = from.parse().map_err(|_| wrong())?..to.parse().map_err(|_| wrong())?;
    if range.is_empty() { Err(format!("`{text}` holds no seed")) } else { Ok(range) }
}

#[derive(Args)]
pub(crate) struct DiagnoseArgs {
    #[command(flatten)]
    pub(crate) bars: BarsArgs,
    /// How many of the last decisions to show.
    #[arg(long, default_value_t = 3)]
    pub(crate) last: usize,
}

#[derive(Args)]
pub(crate) struct PaperArgs {
    /// A settings file with a venue; without one a local exchange is started.
    #[arg(long)]
    pub(crate) config: Option<PathBuf>,
    /// Where journal and control socket live.
    #[arg(long)]
    pub(crate) data_dir: Option<PathBuf>,
    /// Seed of the local exchange's market.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Market seconds per second of the local exchange.
    #[arg(long, default_value_t = 1.0, allow_negative_numbers = true)]
    pub(crate) speed: f64,
    /// Stop after this long, such as 10m.
    #[arg(long = "for", value_parser = duration)]
    pub(crate) duration: Option<std::time::Duration>,
    /// While another process trades with this data directory or key, wait until it ends and then take over.
    #[arg(long)]
    pub(crate) standby: bool,
}

#[derive(Args)]
pub(crate) struct ExchangeArgs {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// Seed of the simulated market.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Market seconds per second.
    #[arg(long, default_value_t = 1.0, allow_negative_numbers = true)]
    pub(crate) speed: f64,
    /// Play this recorded file of bars or trades.
    #[arg(long)]
    pub(crate) tape: Option<PathBuf>,
    /// What the tape is of, such as XRP/ETH; without it BTC/USDT.
    #[arg(long, requires = "tape")]
    pub(crate) symbol: Option<String>,
    /// Opening balance of the test account in the quote currency.
    #[arg(long, default_value = "10000", allow_negative_numbers = true)]
    pub(crate) cash: String,
}

#[derive(Args)]
pub(crate) struct NodeArgs {
    /// The data directory of the running node.
    #[arg(long, default_value = "tradewind-data")]
    pub(crate) data_dir: PathBuf,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
}

/// Who asks, where the settings name operators.
#[derive(Args)]
pub(crate) struct WhoArgs {
    /// Who you are, by your name under `[[operators]]`.
    #[arg(long = "as", value_name = "NAME", requires = "token_file", help_heading = "Identity")]
    pub(crate) by: Option<String>,
    /// The file that holds your token.
    #[arg(long, value_name = "FILE", requires = "by", help_heading = "Identity")]
    pub(crate) token_file: Option<PathBuf>,
}

/// What to adopt.
#[derive(Args)]
pub(crate) struct AdoptArgs {
    /// Only this order, by its sender's name of it or by the venue's.
    #[arg(long, conflicts_with = "balances")]
    pub(crate) order: Option<String>,
    /// Only the differences of balances: the venue's word is taken.
    #[arg(long)]
    pub(crate) balances: bool,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
}

#[derive(Args)]
pub(crate) struct ReasonArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Only this: venue:NAME, account:NUMBER or source:NAME; everything without.
    #[arg(long)]
    pub(crate) scope: Option<String>,
    /// Why, for the record.
    #[arg(long, default_value = "by the operator")]
    pub(crate) reason: String,
}

#[derive(Subcommand)]
pub(crate) enum OrderCommand {
    /// Propose an order.
    #[command(
        after_help = "Examples:\n  tradewind order place --symbol BTC/USDT --side buy --quantity 0.01 --price 60000\n  tradewind order place --symbol BTC/USDT --side buy --quantity 0.01 --kind touched --trigger 60000\n  tradewind order place --symbol BTC/USDT --side sell --quantity 0.01 --kind trailing --offset 1.5% --activation 66000"
    )]
    Place(PlaceArgs),
    /// Propose a target and a stop together: when one trades, the other is taken off.
    ///
    /// To sell, the target stands above the market and the stop below it; to buy, the other way round. Both go to the
    /// venue as one request, are held against the same funds, and neither is placed without the other.
    #[command(
        after_help = "Example:\n  tradewind order oco BTC/USDT --side sell --quantity 0.01 --target 66000 --stop 61000 --stop-limit 60900"
    )]
    Oco(OcoArgs),
    /// Propose an entry; what fills of it is protected by a target and a stop.
    ///
    /// The pair goes to the venue as soon as some of the entry has filled, for as much as can be sold of it. Cancelled
    /// before it fills, it leaves nothing behind; cancelled later, it enters no more and keeps protecting what it has.
    #[command(
        after_help = "Example:\n  tradewind order bracket BTC/USDT --side buy --quantity 0.01 --price 63000 --target 66000 --stop 61000"
    )]
    Bracket(BracketArgs),
    /// Propose even slices over time.
    #[command(after_help = "Example:\n  tradewind order twap BTC/USDT --side buy --quantity 0.5 --over 4h --slices 48")]
    Twap(TwapArgs),
    /// Propose slices along a volume curve, or a fixed part of the volume that trades.
    #[command(
        after_help = "Examples:\n  tradewind order vwap BTC/USDT --side sell --quantity 2 --over 4h --rate 5\n  tradewind order vwap BTC/USDT --side sell --quantity 2 --over 4h --curve 9,5,3,4,8"
    )]
    Vwap(VwapArgs),
    /// Propose a resting order of which only a tip is shown.
    #[command(
        after_help = "Example:\n  tradewind order iceberg BTC/USDT --side buy --quantity 5 --price 63000 --display 0.25"
    )]
    Iceberg(IcebergArgs),
    /// Propose several limit orders from one price to another, to scale in or out.
    #[command(
        after_help = "Example:\n  tradewind order scale BTC/USDT --side buy --quantity 1 --from 63000 --to 60000 --orders 4"
    )]
    Scale(ScaleArgs),
    /// Give an open order new terms.
    ///
    /// The old order is cancelled, and its successor is proposed when it can no longer fill, for what is then left: the
    /// two never come to more than the larger of both quantities. A smaller quantity alone keeps the order's name and its
    /// turn in the queue, where the venue can.
    #[command(after_help = "Example:\n  tradewind order replace 018bcfe56800… --price 62900 --quantity 0.02")]
    Replace(ReplaceArgs),
    /// List brackets, schedules, icebergs, ladders, replacements and orders that wait, living ones first.
    #[command(after_help = "Example:\n  tradewind order parents -o json")]
    Parents(NodeArgs),
    /// Let a bracket, schedule or ladder propose nothing for now; its orders stay.
    #[command(after_help = "Example:\n  tradewind order pause p7")]
    Pause(ParentArgs),
    /// Let it go on after a pause.
    #[command(after_help = "Example:\n  tradewind order continue p7")]
    Continue(ParentArgs),
    /// End it and cancel its orders; a bracket keeps protecting what it holds.
    #[command(after_help = "Example:\n  tradewind order end p7")]
    End(ParentArgs),
    /// End it and cancel all of its orders, the protection of a bracket as well.
    #[command(after_help = "Example:\n  tradewind order abandon p7 --reason \"closed by hand\"")]
    Abandon(ParentArgs),
    /// Cancel an order.
    #[command(after_help = "Example:\n  tradewind order cancel 018bcfe56800…")]
    Cancel {
        /// The order's name, 32 hex digits.
        client_id: String,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// List orders, open ones first.
    #[command(after_help = "Example:\n  tradewind order list -o json")]
    List(NodeArgs),
}

#[derive(Args)]
pub(crate) struct PlaceArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// A name for this request: sent again, it gives the same result and places nothing twice, for a day.
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// What to trade.
    #[arg(long)]
    pub(crate) symbol: String,
    /// buy or sell.
    #[arg(long)]
    pub(crate) side: String,
    /// How much, in the base asset.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) quantity: String,
    /// Limit price; a market order without.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) price: Option<String>,
    /// Trigger price of a stop.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) trigger: Option<String>,
    /// What kind it is, where the prices do not say so: `touched` wakes when the market comes to the trigger in its
    /// favour, `trailing` is a stop that follows the market.
    #[arg(long, value_parser = ["touched", "mit", "lit", "trailing"])]
    pub(crate) kind: Option<String>,
    /// How far a trailing stop follows: a distance in price, such as 150, or a part of it, such as 1.5%.
    #[arg(long, required_if_eq("kind", "trailing"))]
    pub(crate) offset: Option<String>,
    /// From which price on a trailing stop follows; at once without.
    #[arg(long, requires = "offset")]
    pub(crate) activation: Option<String>,
    /// gtc, ioc, fok, or a moment such as 2026-12-31T23:59:00Z.
    #[arg(long)]
    pub(crate) time_in_force: Option<String>,
    /// Rest on the book or be rejected.
    #[arg(long)]
    pub(crate) post_only: bool,
    /// May only shrink a position.
    #[arg(long)]
    pub(crate) reduce_only: bool,
    /// Which portfolio, by name.
    #[arg(long)]
    pub(crate) portfolio: Option<String>,
    /// Where to give up: a stop at the venue for what fills.
    #[arg(long, allow_negative_numbers = true, help_heading = "Plan of the trade")]
    pub(crate) stop: Option<String>,
    /// Where to be content: a limit order beside the stop.
    #[arg(long, allow_negative_numbers = true, help_heading = "Plan of the trade")]
    pub(crate) target: Option<String>,
    /// How sure you are, such as 65%; the limit `confidence` asks for a least.
    #[arg(long, allow_negative_numbers = true, help_heading = "Plan of the trade")]
    pub(crate) confidence: Option<String>,
    /// Average true range: a stop on the wrong side is moved to one and a half of it, and that is recorded.
    #[arg(long, allow_negative_numbers = true, requires = "stop", help_heading = "Plan of the trade")]
    pub(crate) atr: Option<String>,
}

#[derive(Args)]
pub(crate) struct OcoArgs {
    /// What to trade.
    pub(crate) symbol: String,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// A name for this request: sent again, it gives the same result and places nothing twice, for a day.
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// buy or sell, both of them.
    #[arg(long)]
    pub(crate) side: String,
    /// How much, in the base asset; only one of the two trades.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) quantity: String,
    /// Limit price of the target.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) target: String,
    /// Trigger price of the stop.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) stop: String,
    /// Limit price of the stop once it is triggered; a market order without.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) stop_limit: Option<String>,
    /// May only shrink a position.
    #[arg(long)]
    pub(crate) reduce_only: bool,
    /// Which portfolio, by name.
    #[arg(long)]
    pub(crate) portfolio: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum PositionCommand {
    /// List positions.
    #[command(after_help = "Example:\n  tradewind position list")]
    List(NodeArgs),
    /// Close what is held of a symbol.
    #[command(after_help = "Example:\n  tradewind position close BTC/USDT")]
    Close {
        /// Unified symbol.
        symbol: String,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Let a position stand without a stop until it is closed, with your name and reason on record.
    #[command(
        after_help = "Example:\n  tradewind position exempt BTC/USDT --reason \"a hedge of coins held elsewhere\""
    )]
    Exempt {
        /// Unified symbol.
        symbol: String,
        #[command(flatten)]
        node: NodeArgs,
        /// Why, for the record.
        #[arg(long)]
        reason: String,
        /// Which portfolio, by name.
        #[arg(long)]
        portfolio: Option<String>,
        /// Take an exemption back.
        #[arg(long)]
        end: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum ProposalsCommand {
    /// List proposals, newest first.
    #[command(after_help = "Example:\n  tradewind proposals list --data-dir my-paper")]
    List(NodeArgs),
    /// Show one: the order as it is, what it is worth now, and the hash that an approval is bound to.
    #[command(after_help = "Example:\n  tradewind proposals show 42 --data-dir my-paper")]
    Show {
        /// Its number.
        id: u64,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Approve one. Without --hash it is shown first, and what was shown is approved.
    #[command(
        after_help = "Example:\n  tradewind proposals approve 42 --as ben --token-file ben.token --data-dir my-paper"
    )]
    Approve {
        /// Its number.
        id: u64,
        /// The hash that you saw.
        #[arg(long)]
        hash: Option<String>,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Reject one, send it back, or withdraw your own.
    #[command(after_help = "Example:\n  tradewind proposals reject 42 --reason \"too large\" --data-dir my-paper")]
    Reject {
        /// Its number.
        id: u64,
        /// Why.
        #[arg(long, default_value = "rejected by the operator")]
        reason: String,
        /// A changed one would do.
        #[arg(long)]
        changes: bool,
        #[command(flatten)]
        node: NodeArgs,
    },
}

#[derive(Subcommand)]
pub(crate) enum LimitsCommand {
    /// Show limits, changes that wait for a second person, and kill switches that are on.
    #[command(after_help = "Example:\n  tradewind limits show --data-dir my-paper")]
    Show(NodeArgs),
    /// Change a limit of the running node. It outlives a restart.
    #[command(
        after_help = "Example:\n  tradewind limits set max_order 5% --reason \"smaller for the weekend\" --data-dir my-paper"
    )]
    Set {
        /// Its name in the settings, such as max_order or leverage: `tradewind config reference limits` lists all.
        name: String,
        /// As in the settings, such as 5%; `none` for no limit.
        #[arg(allow_negative_numbers = true)]
        value: String,
        /// Which portfolio, by name; all without.
        #[arg(long)]
        portfolio: Option<String>,
        /// A limit of the account, which holds for all portfolios together, such as gross.
        #[arg(long, conflicts_with = "portfolio")]
        account: bool,
        /// Why, for the record.
        #[arg(long, default_value = "by the operator")]
        reason: String,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Show and move the staged roll-out: little money first, more once the record says so.
    #[command(subcommand)]
    Stage(StageCommand),
    /// Approve a change that another person asked for.
    #[command(after_help = "Example:\n  tradewind limits approve 57 --as ben --token-file ben.token")]
    Approve {
        /// Its number.
        id: u64,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Reject a change, or take your own back.
    #[command(after_help = "Example:\n  tradewind limits reject 57 --as ben --token-file ben.token")]
    Reject {
        /// Its number.
        id: u64,
        #[command(flatten)]
        node: NodeArgs,
    },
}

#[derive(Subcommand)]
pub(crate) enum StageCommand {
    /// Show the stage, what was seen since it began, and what the next one wants to have seen.
    #[command(after_help = "Example:\n  tradewind limits stage show --data-dir my-paper")]
    Show(NodeArgs),
    /// Ask for the next stage: every criterion must be met, and a second person approves with `limits approve`.
    #[command(
        after_help = "Example:\n  tradewind limits stage advance --reason \"seven good days\" --as anna --token-file anna.token"
    )]
    Advance(StageArgs),
    /// Go back to an earlier stage, at once.
    #[command(
        after_help = "Example:\n  tradewind limits stage demote --to 100 --reason \"slippage\" --data-dir my-paper"
    )]
    Demote {
        /// Its name; the stage before this one without.
        #[arg(long)]
        to: Option<String>,
        #[command(flatten)]
        args: StageArgs,
    },
    /// Begin the same stage again: what was seen until now counts no more.
    #[command(
        after_help = "Example:\n  tradewind limits stage repeat --reason \"after the drill\" --data-dir my-paper"
    )]
    Repeat(StageArgs),
}

#[derive(Args)]
pub(crate) struct StageArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Why, for the record.
    #[arg(long, default_value = "by the operator")]
    pub(crate) reason: String,
}

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Check every byte of a journal and every record against the signed checkpoints; exit 3 names the first bad one.
    #[command(
        after_help = "Example:\n  tradewind audit verify my-paper --anchor /safe/checkpoints.jsonl --key $(cat /safe/key.pub)"
    )]
    Verify {
        /// A data directory.
        dir: PathBuf,
        /// The public key as 64 hex digits; without it the one in the directory is believed.
        #[arg(long)]
        key: Option<String>,
        /// Checkpoints that were copied elsewhere: the last of them must be in this history.
        #[arg(long)]
        anchor: Option<PathBuf>,
    },
    /// Print what led to each order and what became of it, a row each, as lines of JSON or as CSV.
    #[command(after_help = "Example:\n  tradewind audit export my-paper --csv > trail.csv")]
    Export {
        /// A data directory.
        dir: PathBuf,
        /// CSV for spreadsheets.
        #[arg(long)]
        csv: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum JournalCommand {
    /// Check every byte; exit 3 names the first bad record.
    #[command(after_help = "Example:\n  tradewind journal verify my-paper")]
    Verify {
        /// A data directory, or a journal directory.
        dir: PathBuf,
    },
    /// Print records as lines of JSON; with `-o json` as one array.
    #[command(after_help = "Example:\n  tradewind journal show my-paper --from 100 --limit 20")]
    Show {
        /// A data directory, or a journal directory.
        dir: PathBuf,
        /// First record.
        #[arg(long, default_value_t = 1)]
        from: u64,
        /// How many.
        #[arg(long)]
        limit: Option<u64>,
    },
    /// Copy a journal, also while a node writes it.
    #[command(after_help = "Example:\n  tradewind journal backup my-paper /backups/monday")]
    Backup {
        /// A data directory, or a journal directory.
        dir: PathBuf,
        /// An empty or new directory.
        to: PathBuf,
    },
    /// Remove what lies wholly before the newest snapshot. Not while a node runs.
    ///
    /// Where the directory is signed, a statement of what goes is signed first, so that `audit verify` accepts it and
    /// names it.
    #[command(after_help = "Example:\n  tradewind journal retain my-paper --by anna")]
    Retain {
        /// A data directory, or a journal directory that nobody signs.
        dir: PathBuf,
        /// Who removes, for the statement.
        #[arg(long, value_name = "NAME", default_value = "operator", value_parser = name)]
        by: Name,
        /// The key that signs the directory, if it is not in it.
        #[arg(long, value_name = "FILE")]
        key_file: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
pub(crate) enum DataCommand {
    /// List every defect of a file; exit 3 if there is one.
    #[command(after_help = "Example:\n  tradewind data check BTC_USDT-1h.feather")]
    Check {
        /// A file of bars, trades or funding rates.
        file: PathBuf,
        /// What it is of, if its name does not tell.
        #[arg(long)]
        symbol: Option<String>,
    },
    /// Store a file in the catalog.
    #[command(
        after_help = "Example:\n  tradewind data import BTC_USDT-1h.feather --symbol BTC/USDT --catalog market-data"
    )]
    Import {
        /// A file of bars.
        file: PathBuf,
        /// What it is of.
        #[arg(long)]
        symbol: Option<String>,
        /// The catalog's folder.
        #[arg(long, default_value = "market-data")]
        catalog: PathBuf,
        /// Split and dividend factors of an equity, in LEAN's format.
        #[arg(long)]
        factors: Option<PathBuf>,
        /// Store it in spite of defects.
        #[arg(long)]
        accept_defects: bool,
    },
    /// List what the catalog holds.
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

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the settings in force, defaults included.
    #[command(after_help = "Example:\n  tradewind config show --config tradewind.toml")]
    Show {
        /// The settings file.
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Check a settings file; exit 1 names the line.
    #[command(after_help = "Example:\n  tradewind config check tradewind.toml")]
    Check {
        /// The settings file.
        file: PathBuf,
    },
    /// Print a settings file with every key at its default.
    #[command(after_help = "Example:\n  tradewind config template > tradewind.toml")]
    Template {
        /// Print the reference page of the book instead.
        #[arg(long)]
        reference: bool,
    },
    /// Print a reference page of the book, such as errors, guards or limits.
    #[command(after_help = "Example:\n  tradewind config reference errors")]
    Reference {
        /// Which page.
        #[arg(value_parser = ["errors", "commands", "guards", "limits", "strategies", "statistics"])]
        page: String,
    },
}

/// Reads the name of a person.
fn name(text: &str) -> Result<Name, String> {
    Name::new(text).map_err(|error| error.to_string())
}

/// Reads a span of time with its unit.
pub(crate) fn duration(text: &str) -> Result<std::time::Duration, String> {
    let remedy = || format!("`{text}` is not a duration: write 500ms, 45s, 2m or 1h");
    let (number, millis) = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)]
        .into_iter()
        .find_map(|(unit, millis)| text.strip_suffix(unit).map(|number| (number, millis)))
        .ok_or_else(remedy)?;
    let number: u64 = number.parse().map_err(|_| remedy())?;
    number.checked_mul(millis).filter(|ms| *ms > 0).map(std::time::Duration::from_millis).ok_or_else(remedy)
}
