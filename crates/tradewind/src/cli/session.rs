//! Options of what trades until it is stopped: the demo, a node, the local exchange.

use super::{FillArgs, Stamp, duration};
use clap::Args;
use std::path::PathBuf;
use tradewind_domain::Interval;

/// A recorded market in the place of the simulated one.
#[derive(Args)]
pub(crate) struct TapeArgs {
    /// Play a recorded market instead of the simulated one: a file of bars or trades.
    #[arg(long)]
    pub(crate) tape: Option<PathBuf>,
    /// What the tape is of, such as XRP/ETH; without it what the file or its name says.
    #[arg(long, requires = "tape")]
    pub(crate) symbol: Option<String>,
    /// Which end of a bar the tape's times name; a file of the catalog knows it.
    #[arg(long, value_enum, default_value = "open", value_name = "END", requires = "tape")]
    pub(crate) stamp: Stamp,
    /// How long each bar of the tape is, such as 1h; without it the commonest step between two rows. A file of the catalog
    /// knows it, and a tape of trades has none.
    #[arg(long, requires = "tape")]
    pub(crate) interval: Option<Interval>,
    #[command(flatten)]
    pub(crate) fills: FillArgs,
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
    #[command(flatten)]
    pub(crate) recorded: TapeArgs,
    /// Market seconds per second; without it 120, and eight bars a second on a tape.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) speed: Option<f64>,
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
    #[command(flatten)]
    pub(crate) recorded: TapeArgs,
    /// Opening balance of the test account in the quote currency.
    #[arg(long, default_value = "10000", allow_negative_numbers = true)]
    pub(crate) cash: String,
}

#[derive(Args)]
pub(crate) struct DropCopyArgs {
    /// The settings file of the node, or one like it whose key may only read.
    #[arg(long)]
    pub(crate) config: PathBuf,
    /// The node's data directory; that of the settings without.
    #[arg(long)]
    pub(crate) data_dir: Option<PathBuf>,
    /// How often both sides are read.
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub(crate) every: std::time::Duration,
    /// How far back executions are compared.
    #[arg(long, default_value = "24h", value_parser = duration)]
    pub(crate) since: std::time::Duration,
    /// Throw the kill switch of the data directory when a difference is certain.
    #[arg(long)]
    pub(crate) halt: bool,
    /// End as soon as it is certain whether both sides tell the same.
    #[arg(long)]
    pub(crate) once: bool,
}
