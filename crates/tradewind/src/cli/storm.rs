//! Options of storms.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use tradewind_storm::{Bundle, FaultId};

#[derive(Args)]
pub(crate) struct StormArgs {
    /// What the market, the proposers and the faults are drawn from.
    #[arg(
        long,
        default_value_t = 1,
        conflicts_with = "seeds",
        value_parser = clap::value_parser!(u64).range(..u64::MAX)
    )]
    pub(crate) seed: u64,
    /// Many storms: from this seed on, up to that one, such as 1..2001.
    #[arg(long, value_name = "FROM..TO", value_parser = seeds)]
    pub(crate) seeds: Option<std::ops::Range<u64>>,
    /// Simulated hours of each storm.
    #[arg(long, default_value = "0.5", value_parser = hours)]
    pub(crate) hours: f64,
    /// What market and venue are like all the while; of the faults, only those of --faults strike beside it.
    #[arg(long, value_parser = bundles())]
    pub(crate) bundle: Option<Bundle>,
    /// Only these faults, such as A01,B04; every one without.
    #[arg(long, value_delimiter = ',', value_parser = fault)]
    pub(crate) faults: Vec<FaultId>,
    /// Only what a node meets on any day: a kill an hour, a broken connection in ten minutes, a venue that is away once a
    /// day. `safe_share` says how much of the time it could trade.
    #[arg(long, conflicts_with_all = ["faults", "calm"])]
    pub(crate) everyday: bool,
    /// No faults at all.
    #[arg(long, conflicts_with = "faults")]
    pub(crate) calm: bool,
    /// Only these places of the drawn plan, as a failing storm names them; it must have each.
    #[arg(long, value_delimiter = ',')]
    pub(crate) keep: Option<Vec<usize>>,
    /// How many storms run side by side.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) jobs: u16,
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

fn bundles() -> impl TypedValueParser<Value = Bundle> {
    PossibleValuesParser::new(Bundle::ALL.map(Bundle::name))
        .map(|name| Bundle::named(&name).expect("clap lets the names of bundles through"))
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
