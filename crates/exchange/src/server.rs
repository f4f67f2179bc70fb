//! Putting it together: markets, accounts, sockets.

use crate::binance::door::Key;
use crate::config::{ExchangeConfig, FeeRates, Pace, SymbolConfig, Tape, TapeSource};
use crate::error::ExchangeError;
use crate::faults::Faults;
use crate::shell::shared::{Parts, Shared, lock};
use crate::shell::{api_ws, control, driver, market_ws, rest};
use crate::tape;
use crate::world::bars::{BarTape, candle_of};
use crate::world::ledger::{FIRST_CUSTOMER, Ledger};
use crate::world::market::{Market, Rules};
use crate::world::simulate::Simulation;
use crate::world::trades::TradeTape;
use crate::world::{Source, World};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderValue;
use axum::response::Response;
use axum::routing::{any, get, post};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tradewind_book::FillPolicy;
use tradewind_domain::{Bar, Currency, FeeSchedule, Origin, format_decimal, parse_decimal};

/// One-minute candles that a simulated market keeps.
const CANDLES_KEPT: usize = 50_000;
/// The largest size and price of a recorded trade, at eight decimals: what customers have resting at the same price is
/// added to the size, and ten ticks to the price.
const MOST_OF_A_TRADE: i64 = i64::MAX / 2;

/// The local exchange.
#[derive(Debug)]
pub struct Exchange;

/// A running exchange. Dropping it stops the exchange without waiting for its connections.
pub struct ExchangeHandle {
    address: SocketAddr,
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for ExchangeHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExchangeHandle").field("url", &self.url()).finish_non_exhaustive()
    }
}

impl Exchange {
    /// Opens the market and listens on 127.0.0.1. Must run inside a tokio runtime.
    ///
    /// # Errors
    /// [`ExchangeError`] if the port is taken, the tape cannot be read or a setting contradicts itself.
    pub async fn start(config: ExchangeConfig) -> Result<ExchangeHandle, ExchangeError> {
        check_pace(&config)?;
        let listener = listen(config.port).await?;
        let address = listener.local_addr().map_err(|source| ExchangeError::Listen { port: config.port, source })?;
        let parts = build(&config)?;
        let bars = parts.world.is_bars();
        let shared = Arc::new(Shared::new(parts));
        let mut tasks = vec![tokio::spawn(serve(listener, Arc::clone(&shared)))];
        tasks.push(tokio::spawn(driver::publish(Arc::clone(&shared))));
        match config.pace {
            Pace::Realtime { speed } if bars => {
                tasks.push(tokio::spawn(driver::play_bars(Arc::clone(&shared), speed)));
            }
            Pace::Realtime { .. } => {}
            Pace::Lockstep { .. } => tasks.push(tokio::spawn(driver::watch_steps(Arc::clone(&shared)))),
        }
        Ok(ExchangeHandle { address, shared, tasks })
    }
}

impl ExchangeHandle {
    /// Where it listens, such as `http://127.0.0.1:8080`. WebSockets are under the same address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the tape has been played to its end; for ever on a simulated market.
    pub async fn done(&self) {
        let mut done = self.shared.done.subscribe();
        // the sender lives as long as `shared`, so waiting cannot fail
        let _ = done.wait_for(|done| *done).await;
    }

    /// Closes every connection and stops.
    pub async fn shutdown(mut self) {
        self.shared.stop.send_replace(true);
        lock(&self.shared.hub).close_all();
        for task in self.tasks.drain(..) {
            let grace = std::time::Duration::from_secs(1);
            let abort = task.abort_handle();
            if tokio::time::timeout(grace, task).await.is_err() {
                abort.abort();
            }
        }
    }
}

impl Drop for ExchangeHandle {
    fn drop(&mut self) {
        self.shared.stop.send_replace(true);
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn check_pace(config: &ExchangeConfig) -> Result<(), ExchangeError> {
    let bad = |reason: String| Err(ExchangeError::Setting { setting: "pace", reason });
    let on_bars =
        config.tape.as_ref().is_some_and(|tape| matches!(tape.source, TapeSource::BarsFile(_) | TapeSource::Bars(_)));
    match config.pace {
        Pace::Realtime { speed } if !(speed.is_finite() && speed > 0.0 && speed <= 1e6) => {
            bad(format!("speed {speed} is not above 0 and at most a million"))
        }
        Pace::Lockstep { .. } if !on_bars => bad("lockstep needs a tape of bars".to_owned()),
        _ => Ok(()),
    }
}

async fn listen(port: u16) -> Result<TcpListener, ExchangeError> {
    TcpListener::bind(("127.0.0.1", port)).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => ExchangeError::PortInUse { port, source },
        _ => ExchangeError::Listen { port, source },
    })
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut stop = shared.stop.subscribe();
    let origin = HeaderValue::from_static(shared.origin);
    let mark = move |mut response: Response| {
        response.headers_mut().insert("x-tradewind-origin", origin.clone());
        std::future::ready(response)
    };
    let app = Router::new()
        .route("/ws", any(market_ws::plain))
        .route("/ws/{*streams}", any(market_ws::raw))
        .route("/stream", any(market_ws::combined))
        .route("/ws-api/v3", any(api_ws::open))
        .route("/tradewind/v1/status", get(control::status))
        .route("/tradewind/v1/step", post(control::step))
        .route("/tradewind/v1/faults", post(control::faults))
        .route("/tradewind/v1/adjust", post(control::adjust))
        .route("/tradewind/v1/disaster", post(control::disaster))
        .fallback(rest::answer)
        .layer(DefaultBodyLimit::max(64 * 1024))
        .layer(axum::middleware::map_response(mark))
        .with_state(shared)
        .into_make_service_with_connect_info::<SocketAddr>();
    let stopped = async move {
        let _ = stop.wait_for(|stop| *stop).await; // an error means that everything is gone: stop as well
    };
    if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(stopped).await {
        tracing::error!(%error, "the exchange stopped listening");
    }
}

// --- building the world

pub(crate) fn build(config: &ExchangeConfig) -> Result<Parts, ExchangeError> {
    let fees = schedule(config.fees)?;
    let (markets, source, now, origin) = match &config.tape {
        None => simulated(config, fees)?,
        Some(tape) => recorded(config, tape, fees)?,
    };
    let mut ledger = Ledger::new(config.accounts.len());
    let mut keys = BTreeMap::new();
    for (index, account) in config.accounts.iter().enumerate() {
        let bad = |reason: String| ExchangeError::Setting { setting: "accounts", reason };
        let number = FIRST_CUSTOMER + index;
        for (asset, amount) in &account.balances {
            let currency = Currency::new(asset).map_err(bad)?;
            let units = parse_decimal(amount, 8).map_err(|error| bad(format!("{asset}: {error}")))?;
            ledger.deposit(number, currency, i128::from(units));
        }
        let key = Key {
            account: number,
            secret: account.secret.clone(),
            may_trade: account.may_trade,
            may_withdraw: account.may_withdraw,
        };
        if keys.insert(account.api_key.clone(), key).is_some() {
            return Err(bad(format!("the key {}… stands twice", account.api_key.chars().take(4).collect::<String>())));
        }
    }
    Ok(Parts {
        world: World::new(markets, ledger, fees, source, now),
        keys,
        limits: config.limits,
        faults: Faults::new(config.faults.clone()),
        pace: config.pace,
        seed: config.seed,
        origin,
    })
}

fn schedule(fees: FeeRates) -> Result<FeeSchedule, ExchangeError> {
    let centi = |bps: u32| {
        i32::try_from(bps).ok().filter(|bps| *bps <= 1_000).map(|bps| bps * 100).ok_or_else(|| ExchangeError::Setting {
            setting: "fees",
            reason: format!("{bps} bps is more than ten per cent"),
        })
    };
    Ok(FeeSchedule {
        maker_centi_bps: centi(fees.maker_bps)?,
        taker_centi_bps: centi(fees.taker_bps)?,
        asset: fees.asset,
    })
}

type Played = (Vec<Market>, Source, i64);
type Built = (Vec<Market>, Source, i64, &'static str);

fn simulated(config: &ExchangeConfig, fees: FeeSchedule) -> Result<Built, ExchangeError> {
    if config.symbols.is_empty() {
        return Err(ExchangeError::Setting { setting: "symbols", reason: "none is listed".to_owned() });
    }
    let kept = CANDLES_KEPT.max(config.history_bars + 1_440);
    let mut markets = Vec::new();
    for (index, symbol) in config.symbols.iter().enumerate() {
        let mut market = Market::new(Rules::new(index, symbol, fees)?, 60_000, kept);
        if !config.flow.seconds {
            market.seconds = None;
        }
        markets.push(market);
    }
    let starts: Vec<(f64, f64)> =
        config.symbols.iter().map(|symbol| (symbol.start_price, symbol.typical_size)).collect();
    let start = config.start.map_or_else(wall_millis, |start| start.millis());
    let simulation = Simulation::new(config.seed, &mut markets, &starts, config.history_bars, start, config.flow);
    Ok((markets, Source::Simulated(Box::new(simulation)), start, "simulated"))
}

fn wall_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn recorded(config: &ExchangeConfig, tape: &Tape, fees: FeeSchedule) -> Result<Built, ExchangeError> {
    let listed = config.symbols.iter().find(|listed| listed.symbol == tape.symbol).cloned();
    let symbol = listed.unwrap_or_else(|| SymbolConfig {
        symbol: tape.symbol.clone(),
        ..SymbolConfig::new("BTC/USDT", "0.01", "0.00001", 0.0, 0.0)
    });
    let rules = Rules::new(0, &symbol, fees)?;
    let (markets, source, now) = match &tape.source {
        TapeSource::BarsFile(path) => {
            let series = tape::read_bars(path, &tape.symbol)?;
            let share = tape.fills.volume_share_bps.filter(|_| series.source.has_volume());
            let fills = FillPolicy { volume_share_bps: share, ..tape.fills };
            bar_market(tape, fills, rules, series.bars)
        }
        TapeSource::Bars(bars) => bar_market(tape, tape.fills, rules, bars.clone()),
        TapeSource::TradesFile(path) => trade_market(config, tape, rules, tape::read_trades(path, &tape.symbol)?),
        TapeSource::Trades(trades) => trade_market(config, tape, rules, trades.clone()),
    }?;
    let origin = if tape.origin == Origin::Simulated { "simulated" } else { "recorded" };
    Ok((markets, source, now, origin))
}

fn bar_market(tape: &Tape, fills: FillPolicy, rules: Rules, mut bars: Vec<Bar>) -> Result<Played, ExchangeError> {
    let count = bars.len();
    if count <= tape.history_bars {
        return Err(ExchangeError::TapeTooShort { tape: tape.describe(), rows: count, history: tape.history_bars });
    }
    let mut played = bars.split_off(tape.history_bars);
    played.truncate(tape.limit.unwrap_or(usize::MAX));
    let base = played[0].interval.nanos() / 1_000_000;
    let mut market = Market::new(rules, base, count);
    market.seconds = None;
    for bar in &bars {
        let candle = candle_of(bar, |price, quantity| market.rules.notional(price, quantity));
        market.last = bar.close;
        market.candles.push(candle);
    }
    if bars.is_empty() {
        market.last = played[0].open;
    }
    let now = bars.last().map_or(played[0].open_time, Bar::close_time).millis();
    market.candles.begin(now, market.last);
    let last_volume = bars.last().map(|bar| bar.volume).unwrap_or_default();
    let source = BarTape::new(market.rules.instrument.clone(), fills, played, last_volume);
    Ok((vec![market], Source::Bars(Box::new(source)), now))
}

fn trade_market(
    config: &ExchangeConfig,
    tape: &Tape,
    rules: Rules,
    mut trades: Vec<(tradewind_domain::Timestamp, tradewind_domain::Trade)>,
) -> Result<Played, ExchangeError> {
    trades.truncate(tape.limit.unwrap_or(usize::MAX));
    let Some((first, _)) = trades.first().copied() else {
        return Err(ExchangeError::TapeTooShort { tape: tape.describe(), rows: 0, history: 0 });
    };
    if let Some((_, it)) =
        trades.iter().find(|(_, it)| it.price.mantissa().max(it.quantity.mantissa()) > MOST_OF_A_TRADE)
    {
        let numbers = [it.quantity.mantissa(), it.price.mantissa(), MOST_OF_A_TRADE];
        let [quantity, price, most] = numbers.map(|mantissa| format_decimal(mantissa.into(), 8));
        let reason =
            format!("{} holds a trade of {quantity} at {price}: no more than {most} is played", tape.describe());
        return Err(ExchangeError::Setting { setting: "tape", reason });
    }
    let mut market = Market::new(rules, 60_000, CANDLES_KEPT);
    let source = TradeTape::new(trades);
    source.begin(&mut market);
    let now = config.start.unwrap_or(first).millis();
    Ok((vec![market], Source::Trades(Box::new(source)), now))
}
