//! A local exchange with one test account, and settings for a node that trades on it.

use crate::output::Failure;
use std::path::{Path, PathBuf};
use tradewind_domain::{Origin, Symbol};
use tradewind_exchange::{AccountConfig, Exchange, ExchangeConfig, ExchangeHandle, Pace, Tape};
use tradewind_node::settings::{LimitSettings, NodeMode, Profile, Seconds, Settings, StrategySettings, VenueSettings};

/// The test account's key. It opens nothing but a local exchange.
pub(crate) const KEY: &str = "tradewind-local-key";
/// The test account's secret.
pub(crate) const SECRET: &str = "tradewind-local-secret";

/// What market a local exchange shows.
pub(crate) struct Market<'a> {
    pub(crate) port: u16,
    pub(crate) seed: u64,
    pub(crate) speed: f64,
    pub(crate) tape: Option<(&'a Path, Symbol)>,
    pub(crate) cash: &'a str,
}

impl Market<'_> {
    /// Where its data come from.
    pub(crate) const fn origin(&self) -> Origin {
        if self.tape.is_some() { Origin::Recorded } else { Origin::Simulated }
    }

    pub(crate) async fn start(&self) -> Result<ExchangeHandle, Failure> {
        let config = ExchangeConfig {
            port: self.port,
            seed: self.seed,
            accounts: vec![AccountConfig::hmac(KEY, SECRET, &[("USDT", self.cash)])],
            pace: Pace::Realtime { speed: self.speed },
            tape: self.tape.as_ref().map(|(path, symbol)| tape(path, symbol.clone())),
            ..ExchangeConfig::default()
        };
        Ok(Exchange::start(config).await?)
    }
}

/// Bars or trades, as the file's own check finds.
fn tape(path: &Path, symbol: Symbol) -> Tape {
    let options = tradewind_history::ImportOptions { symbol: Some(symbol.clone()), ..Default::default() };
    let is_trades =
        tradewind_history::read_bars(path, &options).is_err() && tradewind_history::read_trades(path, &options).is_ok();
    if is_trades { Tape::trades_file(path, symbol) } else { Tape::bars_file(path, symbol, 500) }
}

/// Settings of a paper node on the exchange at `url`.
pub(crate) fn settings(url: &str, data_dir: PathBuf, symbols: Vec<Symbol>, strategies: &[&str]) -> Settings {
    let sockets = url.replacen("http", "ws", 1);
    Settings {
        mode: NodeMode::Paper,
        data_dir,
        symbols,
        venue: VenueSettings {
            rest_url: url.to_owned(),
            stream_url: sockets.clone(),
            ws_api_url: format!("{sockets}/ws-api/v3"),
            ..VenueSettings::default()
        },
        strategy: strategies
            .iter()
            .map(|name| StrategySettings {
                name: (*name).to_owned(),
                symbols: Vec::new(),
                parameters: toml::Table::new(),
            })
            .collect(),
        limits: LimitSettings {
            profile: Profile::Research,
            stale_after: Some(Seconds::from_millis(10_000_000)),
            ..LimitSettings::default()
        },
        ..Settings::default()
    }
}

/// A market that begins anew cannot go on with an earlier run's journal: that one is moved aside, never removed.
pub(crate) fn set_aside(data_dir: &Path) -> Result<Option<PathBuf>, Failure> {
    let journal = tradewind_node::journal_dir(data_dir);
    if !journal.exists() {
        return Ok(None);
    }
    if tradewind_node::request(data_dir, &tradewind_node::OperatorRequest::Status).is_ok() {
        let hint = "stop it with `tradewind stop`, or use another --data-dir";
        return Err(Failure::new("JRN-01", format!("a node is running on {}", data_dir.display()), hint));
    }
    let name = tradewind_node::wall().to_string().replace(':', "-");
    let target = data_dir.join("earlier").join(name);
    std::fs::create_dir_all(&target).map_err(|error| Failure::file(&target, &error))?;
    std::fs::rename(&journal, target.join("journal")).map_err(|error| Failure::file(&journal, &error))?;
    Ok(Some(target))
}
