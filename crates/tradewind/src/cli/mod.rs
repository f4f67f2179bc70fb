//! Every command with its options. The help texts are the reference.

mod exits;
mod governance;
mod orders;
mod records;
mod research;
mod session;
mod storm;
#[cfg(test)]
mod tests;

pub(crate) use exits::Checking;
pub(crate) use governance::{LimitsCommand, ProposalsCommand, StageCommand};
pub(crate) use orders::{AdoptArgs, OcoArgs, OrderCommand, PlaceArgs, PositionCommand};
pub(crate) use records::{AuditCommand, JournalCommand};
pub(crate) use research::{
    BacktestArgs, BarsArgs, DataCommand, DiagnoseArgs, FillArgs, Holding, LimitFill, RiskArgs, Stamp, StrategyArgs,
    StrategyCommand, StressArgs, TimeArgs,
};
pub(crate) use session::{DemoArgs, DropCopyArgs, ExchangeArgs, PaperArgs, TapeArgs};
pub(crate) use storm::StormArgs;

use crate::output::Format;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use tradewind_node::DataDir;

/// What the help of the program shows first: a market of its own, and orders on it.
const BEGIN: &str = "Examples:\n  tradewind demo --for 45s\n  tradewind paper --data-dir my-paper\n  tradewind status --data-dir my-paper";

/// A trading platform you can hand to an AI agent and still sleep.
#[derive(Parser)]
#[command(
    name = "tradewind",
    version,
    arg_required_else_help = true,
    after_help = format!("{BEGIN}\n\n{}", exits::explained()),
    mut_subcommands = exits::named
)]
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
    /// Hold the venue's executions against a node's journal, from a process of its own.
    ///
    /// It asks the node nothing: it reads executions, fees and balances from the venue, reckons positions itself, and reads
    /// the journal beside its writer. A key that may only read will do. What is found in three looks in a row is certain:
    /// then it says so, ends with 3, and with --halt throws the kill switch by its file.
    #[command(
        after_help = "Examples:\n  tradewind drop-copy --config tradewind.toml --halt\n  tradewind drop-copy --config tradewind.toml --once -o json"
    )]
    DropCopy(DropCopyArgs),
    /// Run the local exchange alone, for other programs.
    #[command(
        after_help = "Example:\n  tradewind exchange --port 9090 --speed 60\n  tradewind exchange --tape BTC_USDT-1m.feather --symbol BTC/USDT"
    )]
    Exchange(ExchangeArgs),
    /// Place, cancel and list orders of a running node, through its gate.
    #[command(
        subcommand,
        after_help = "Example:\n  tradewind order place --symbol BTC/USDT --side buy --quantity 0.01 --data-dir my-paper\n  tradewind order list --data-dir my-paper"
    )]
    Order(Box<OrderCommand>),
    /// List and close positions of a running node, through its gate.
    #[command(subcommand, after_help = "Example:\n  tradewind position close BTC/USDT --data-dir my-paper")]
    Position(PositionCommand),
    /// Cancel every order and close every position of a running node.
    ///
    /// Strategies go on: they may enter again at their next bar. To stay flat `tradewind halt` first, then flatten.
    #[command(after_help = "Example:\n  tradewind flatten --data-dir my-paper")]
    Flatten(NodeArgs),
    /// Take over what other hands did on the account: their orders, their executions, differences of balances.
    ///
    /// A stop, a take-profit or a list of the venue is adopted as what it is. An order of a kind that there is not here is
    /// left, and named.
    #[command(
        after_help = "Examples:\n  tradewind adopt --data-dir my-paper\n  tradewind adopt --order typed-by-hand --data-dir my-paper\n  tradewind adopt --balances --data-dir my-paper"
    )]
    Adopt(AdoptArgs),
    /// Stop every new order of a running node; exits stay possible.
    ///
    /// What also halts a running node, without this program: a file HALTED in its data directory, within a second (what
    /// stands in it is the reason), and the signal SIGUSR1, at once.
    ///
    /// With --kill-key the call is signed: it needs neither a name nor the node's user, counts for 60 seconds and once. It
    /// only halts; `tradewind resume` takes a person with the role `risk`.
    #[command(
        after_help = "Examples:\n  tradewind halt --reason \"looks wrong\" --data-dir my-paper\n  tradewind halt --kill-key kill.key --reason \"watchdog\" --data-dir my-paper"
    )]
    Halt(HaltArgs),
    /// Allow trading again after a halt. What stays on is named; --scope clears one of those.
    #[command(after_help = "Example:\n  tradewind resume --reason \"checked the feed\" --data-dir my-paper")]
    Resume(ReasonArgs),
    /// End a running node in order. Where operators are named it takes a name; SIGTERM ends it too.
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
    #[command(subcommand, after_help = "Example:\n  tradewind journal verify my-paper")]
    Journal(JournalCommand),
    /// List, approve and reject orders that wait for people.
    #[command(subcommand, after_help = "Example:\n  tradewind proposals list --data-dir my-paper")]
    Proposals(ProposalsCommand),
    /// Show limits and kill switches; change a limit, downwards at once, upwards with a second person.
    #[command(subcommand, after_help = "Example:\n  tradewind limits show --data-dir my-paper")]
    Limits(LimitsCommand),
    /// Verify the signed audit trail of a data directory, and export causes and effects.
    #[command(subcommand, after_help = "Example:\n  tradewind audit verify my-paper")]
    Audit(AuditCommand),
    /// Check, import and list market data.
    #[command(subcommand, after_help = "Example:\n  tradewind data check BTC_USDT-1h.feather")]
    Data(DataCommand),
    /// List strategies, show their parameters, begin your own.
    #[command(subcommand, after_help = "Example:\n  tradewind strategy list\n  tradewind strategy show vote")]
    Strategy(StrategyCommand),
    /// Show why a strategy does what it does: each signal, its weight, its distance to the threshold.
    #[command(
        after_help = "Example:\n  tradewind diagnose --data BTC_USDT-1h.feather --symbol BTC/USDT --strategy vote --last 5"
    )]
    Diagnose(DiagnoseArgs),
    /// Say what holdings may lose: value at risk by four methods, whose part it is, and whether it would have held.
    #[command(
        after_help = "Examples:\n  tradewind risk --hold BTC_USDT-1h.feather=6000 --hold ETH_USDT-1h.feather=4000\n  tradewind risk --hold BTC_USDT-1h.feather=-2500 --confidence 99 --horizon 24 -o json"
    )]
    Risk(RiskArgs),
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
    ///
    /// With --trade it tries a trade instead: a node on a local exchange buys the least that can be sold again, and
    /// closes it. That needs no keys and no settings, and takes less than ten seconds.
    #[command(after_help = "Examples:\n  tradewind doctor --config tradewind.toml\n  tradewind doctor --trade -o json")]
    Doctor {
        /// The settings file to check.
        #[arg(long)]
        config: Option<PathBuf>,
        /// The data directory to check; that of the settings without. With --trade, where the journal stays.
        #[arg(long)]
        data_dir: Option<PathBuf>,
        /// Place, fill and close one order on a simulated market.
        #[arg(long, conflicts_with = "config")]
        trade: bool,
    },
    /// Show, check and begin settings files.
    #[command(
        subcommand,
        after_help = "Example:\n  tradewind config template > tradewind.toml\n  tradewind config check tradewind.toml"
    )]
    Config(ConfigCommand),
}

impl Command {
    /// Whether its next start goes on from the journal of this one, wherever that ends. Without a settings file a node
    /// trades on a simulated market, which begins anew.
    pub(crate) const fn recovers(&self) -> bool {
        match self {
            Self::Live { .. } => true,
            Self::Paper(args) => args.config.is_some(),
            _ => false,
        }
    }
}

#[derive(Args)]
pub(crate) struct NodeArgs {
    /// The data directory of the running node.
    #[arg(long, default_value = DataDir::DEFAULT)]
    pub(crate) data_dir: PathBuf,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
}

/// What goes with a request for orders.
#[derive(Args)]
pub(crate) struct RequestArgs {
    /// A name for this request: sent again, it gives the same result and places nothing twice, for a day.
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// The decision that the order follows, by the name under which you keep it; recorded with the order.
    #[arg(long, value_name = "ID")]
    pub(crate) decision: Option<String>,
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

#[derive(Args)]
pub(crate) struct HaltArgs {
    #[command(flatten)]
    pub(crate) why: ReasonArgs,
    /// The file of the key that `governance.kill_key` names: signs the call.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scope", "by"])]
    pub(crate) kill_key: Option<PathBuf>,
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
