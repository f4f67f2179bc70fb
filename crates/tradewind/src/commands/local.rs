//! A local exchange with one test account, the node beside it, and its settings.

use super::operate::field;
use super::recording::Recording;
use super::{LEFTOVERS_WITHIN, runtime};
use crate::output::{self, Failure};
use crate::signals::End;
use std::path::PathBuf;
use tradewind_book::FillPolicy;
use tradewind_domain::{Origin, Symbol, parse_decimal};
use tradewind_exchange::{AccountConfig, Exchange, ExchangeConfig, ExchangeHandle, Pace, SymbolConfig};
use tradewind_node::settings::{LimitSettings, NodeMode, Profile, Settings, StrategySettings, VenueSettings};
use tradewind_node::{Node, NodeError, OperatorReply, OperatorRequest, Surroundings};

/// What is said where a signal comes while a node starts.
pub(crate) const NOT_READY: &str = "interrupted before the node was ready";
/// The test account's key. It opens nothing but a local exchange.
pub(crate) const KEY: &str = "tradewind-local-key";
/// The test account's secret.
pub(crate) const SECRET: &str = "tradewind-local-secret";

/// What market a local exchange shows.
pub(crate) struct Market<'a> {
    pub(crate) port: u16,
    pub(crate) seed: u64,
    pub(crate) speed: f64,
    pub(crate) tape: Option<&'a Recording>,
    /// Of the quote currency.
    pub(crate) cash: &'a str,
}

impl Market<'_> {
    /// Where its data come from.
    pub(crate) const fn origin(&self) -> Origin {
        match self.tape {
            Some(tape) => tape.origin(),
            None => Origin::Simulated,
        }
    }

    /// What it is in words: a simulated market, or a recorded one and what of.
    pub(crate) fn name(&self) -> String {
        let origin = format!("{:?}", self.origin()).to_lowercase();
        self.tape.map_or_else(|| format!("{origin} market"), |tape| format!("{origin} market of {}", tape.symbol))
    }

    /// What it assumes about fills; `None` where orders meet a market's own sizes and prices.
    pub(crate) fn fills(&self) -> Option<FillPolicy> {
        self.tape.and_then(Recording::fills)
    }

    /// The same as a sentence for whoever trades on it.
    pub(crate) fn fills_text(&self) -> Option<String> {
        self.fills().map(|fills| format!("the exchange assumes of fills on these bars: {}", fills.describe()))
    }

    /// What the test account holds.
    pub(crate) fn quote(&self) -> String {
        self.tape.map_or_else(|| "USDT".to_owned(), |tape| tape.symbol.quote.to_string())
    }

    /// Opens it on a runtime of its own: the node beside it ends first, and neither slows the other.
    pub(crate) fn start(&self) -> Result<LocalExchange, Failure> {
        if !parse_decimal(self.cash, 8).is_ok_and(|units| units > 0) {
            let message = format!("--cash `{}` is not an amount above zero", self.cash);
            return Err(Failure::new("CLI-05", message, "write 10000 or 2500.50"));
        }
        let config = ExchangeConfig {
            port: self.port,
            seed: self.seed,
            symbols: self.tape.map_or_else(SymbolConfig::defaults, Recording::listings),
            accounts: vec![AccountConfig::hmac(KEY, SECRET, &[(&self.quote(), self.cash)])],
            pace: Pace::Realtime { speed: self.speed },
            tape: self.tape.map(Recording::tape),
            ..ExchangeConfig::default()
        };
        let runtime = runtime(1)?;
        let handle = runtime.block_on(Exchange::start(config))?;
        Ok(LocalExchange { runtime, handle })
    }

    /// Opens it, with a runtime for the node that trades on it.
    pub(crate) fn stage(&self) -> Result<Stage, Failure> {
        Ok(Stage { exchange: self.start()?, runtime: runtime(1)? })
    }

    /// Who a node on it is, and what it is told of the data.
    pub(crate) fn surroundings(&self) -> Surroundings {
        let key = Some((KEY.to_owned(), SECRET.to_owned()));
        Surroundings { origin: self.origin(), key, after_bar: None, settings_file: None }
    }
}

/// A running local exchange, and a runtime for the node beside it.
pub(crate) struct Stage {
    exchange: LocalExchange,
    runtime: tokio::runtime::Runtime,
}

impl Stage {
    pub(crate) const fn exchange(&self) -> &LocalExchange {
        &self.exchange
    }

    /// Carries out the work of a node from its start to its end.
    pub(crate) fn play<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Ends the node's connections, then the exchange.
    pub(crate) fn close(self) {
        self.runtime.shutdown_timeout(LEFTOVERS_WITHIN);
        self.exchange.shutdown();
    }
}

/// A running local exchange.
pub(crate) struct LocalExchange {
    runtime: tokio::runtime::Runtime,
    handle: ExchangeHandle,
}

impl LocalExchange {
    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        self.handle.url()
    }

    /// Waits until a tape has been played to its end; for ever on a simulated market.
    pub(crate) async fn done(&self) {
        self.handle.done().await;
    }

    /// Says goodbye to its clients and ends. Not to be called inside a runtime.
    pub(crate) fn shutdown(self) {
        self.runtime.block_on(self.handle.shutdown());
        self.runtime.shutdown_timeout(LEFTOVERS_WITHIN);
    }
}

/// Starts a node, unless a signal comes first: then what the start began ends with it.
pub(crate) async fn start(
    end: &mut End,
    settings: Settings,
    surroundings: Surroundings,
) -> Result<Result<Node, NodeError>, Failure> {
    let started = Box::pin(Node::start(settings, surroundings));
    end.unless_asked(started, NOT_READY).await
}

/// Says on stderr what keeps a node that has just started from trading.
pub(crate) async fn note_what_holds(node: &Node) {
    let Ok(OperatorReply::Done { data }) = node.request(OperatorRequest::Status).await else { return };
    let held = [("halted", "trading is halted"), ("restricted", "only what reduces is allowed")];
    for (key, words) in held {
        if let Some(reason) = data[key].as_str() {
            output::note(&format!("{words}: {reason}; `tradewind resume --reason ...` ends it"));
        }
    }
    for it in data["holds"].as_array().into_iter().flatten().filter(|it| it["covers"] != "everything") {
        let [covers, effect, why, clear] = ["covers", "effect", "why", "clear"].map(|name| field(it, name));
        output::note(&format!("{covers}: {effect}: {why}; to clear: {clear}"));
    }
}

/// How long the simulated market may show no new price: it quotes seldom, but closes a bar each minute.
const QUIET_NANOS: i64 = 120_000_000_000;

/// The limits of a node on a market at so many times its speed: it is quiet for longer by its own clock.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a second more or less in hours")]
fn limits(speed: f64) -> LimitSettings {
    let limits = LimitSettings::of(Profile::Demo);
    match limits.resolve().stale_after_nanos {
        Some(nanos) => limits.with("stale_after", ((nanos as f64 * speed) as i64).max(QUIET_NANOS)),
        None => limits,
    }
}

/// Settings of a paper node on the exchange at `url`, whose market runs at so many times its speed.
pub(crate) fn settings(
    url: &str,
    speed: f64,
    data_dir: PathBuf,
    symbols: Vec<Symbol>,
    strategies: &[&str],
) -> Settings {
    let sockets = url.replacen("http", "ws", 1);
    Settings {
        mode: NodeMode::Paper,
        data_dir,
        base_currency: symbols.first().map_or(Settings::default().base_currency, |symbol: &Symbol| symbol.quote),
        symbols,
        venue: VenueSettings {
            rest_url: url.to_owned(),
            stream_url: sockets.clone(),
            ws_api_url: format!("{sockets}/ws-api/v3"),
            ..VenueSettings::default()
        },
        strategy: strategies.iter().map(|name| StrategySettings::named(name)).collect(),
        limits: limits(speed),
        ..Settings::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_stale_after_the_profile_s_time_at_the_market_s_speed() {
        let stale_after = |speed| limits(speed).resolve().stale_after_nanos.unwrap();
        let own = LimitSettings::of(Profile::Demo).resolve().stale_after_nanos.unwrap();
        assert_eq!([stale_after(0.5), stale_after(1.0)], [QUIET_NANOS, QUIET_NANOS], "quotes come seldom");
        assert_eq!([stale_after(120.0), stale_after(1e6)], [own * 120, own * 1_000_000]);
    }
}
