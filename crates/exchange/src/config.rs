//! What a local exchange is made of: symbols, accounts, pace, tape, limits, faults.

use crate::error::ExchangeError;
use crate::faults::Fault;
use std::path::PathBuf;
use std::time::Duration;
use tradewind_book::FillPolicy;
use tradewind_domain::{
    Bar, FeeAsset, InstrumentId, InstrumentSpec, Origin, Price, Quantity, Symbol, Timestamp, Trade,
};

/// How a local exchange is set up. [`ExchangeConfig::default`] is a simulated market of three symbols without accounts.
#[derive(Clone, Debug)]
pub struct ExchangeConfig {
    /// Port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Seed of the simulated market.
    pub seed: u64,
    /// What is listed.
    pub symbols: Vec<SymbolConfig>,
    /// Who may trade.
    pub accounts: Vec<AccountConfig>,
    /// What trading costs.
    pub fees: FeeRates,
    /// How fast market time runs.
    pub pace: Pace,
    /// A recorded market to play instead of the simulated one.
    pub tape: Option<Tape>,
    /// When market time starts. Default: now for a simulated market, the tape's own time for a tape.
    pub start: Option<Timestamp>,
    /// One-minute bars of simulated history before the start.
    pub history_bars: usize,
    /// How finely a simulated market is drawn.
    pub flow: Flow,
    /// Budgets and connection rules.
    pub limits: Limits,
    /// What goes wrong on purpose.
    pub faults: Vec<Fault>,
}

impl Default for ExchangeConfig {
    fn default() -> Self {
        Self {
            port: 0,
            seed: 1,
            symbols: SymbolConfig::defaults(),
            accounts: Vec::new(),
            fees: FeeRates::default(),
            pace: Pace::Realtime { speed: 1.0 },
            tape: None,
            start: None,
            history_bars: 2_880,
            flow: Flow::default(),
            limits: Limits::default(),
            faults: Vec::new(),
        }
    }
}

/// How finely a simulated market is drawn. Coarser is cheaper, and no less a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Length of one step of market time; everything in it happens at its end.
    pub step: Duration,
    /// Orders that makers keep on each side.
    pub levels: usize,
    /// Whether candles of one second are kept.
    pub seconds: bool,
    /// How many times as far from the fair price, and from one another, makers quote.
    pub spread: u32,
    /// How many times as far the fair price moves by chance.
    pub volatility: u32,
    /// Whether everything falls at once, and recovers.
    pub crash: Option<Crash>,
}

impl Default for Flow {
    /// Ten steps a second, 24 levels, an ordinary market.
    fn default() -> Self {
        Self { step: Duration::from_millis(100), levels: 24, seconds: true, spread: 1, volatility: 1, crash: None }
    }
}

/// A fall of every price, in a straight line and back again. Trading is as busy as in a burst meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// How long after the opening the first one begins.
    pub first: Duration,
    /// How long after its beginning the next one begins.
    pub every: Duration,
    /// How deep it goes, in basis points of the price that would be without it; below 10,000.
    pub depth_bps: u32,
    /// How long the fall takes.
    pub fall: Duration,
    /// How long the way back takes.
    pub back: Duration,
}

impl Crash {
    /// What is left of a price so many milliseconds after the opening, as a fraction; `None` while nothing falls.
    #[allow(clippy::cast_precision_loss)] // minutes in milliseconds
    pub(crate) fn part_at(&self, elapsed: i64) -> Option<f64> {
        let millis = |it: Duration| i64::try_from(it.as_millis()).unwrap_or(i64::MAX);
        let since = elapsed - millis(self.first);
        if since < 0 {
            return None;
        }
        let since = since % millis(self.every).max(1);
        let (fall, back) = (millis(self.fall), millis(self.back));
        let reached = match since {
            _ if since < fall => since as f64 / fall as f64,
            _ if since < fall + back => 1.0 - (since - fall) as f64 / back as f64,
            _ => return None,
        };
        Some(1.0 - f64::from(self.depth_bps) / 10_000.0 * reached)
    }
}

/// One listed pair and its filters. Decimal texts, as the venue publishes them.
#[derive(Clone, Debug)]
pub struct SymbolConfig {
    /// The unified symbol, such as `BTC/USDT`.
    pub symbol: Symbol,
    /// Smallest step of a price.
    pub tick: String,
    /// Smallest step of a quantity, and its minimum.
    pub lot: String,
    /// Largest quantity of a limit order.
    pub max_quantity: String,
    /// Largest quantity of a market order.
    pub max_market_quantity: String,
    /// Smallest notional.
    pub min_notional: String,
    /// Largest notional.
    pub max_notional: String,
    /// Where the simulated price begins.
    pub start_price: f64,
    /// Typical size of a simulated order, in base currency.
    pub typical_size: f64,
}

impl SymbolConfig {
    /// A pair with the given steps; quantities up to 9,000 and notionals from 5 to 9,000,000.
    ///
    /// # Panics
    /// If `symbol` is not a symbol: it is written by a programmer.
    #[must_use]
    pub fn new(symbol: &str, tick: &str, lot: &str, start_price: f64, typical_size: f64) -> Self {
        Self {
            symbol: symbol.parse().expect("a symbol such as BTC/USDT"),
            tick: tick.to_owned(),
            lot: lot.to_owned(),
            max_quantity: "9000".to_owned(),
            max_market_quantity: "1000".to_owned(),
            min_notional: "5".to_owned(),
            max_notional: "9000000".to_owned(),
            start_price,
            typical_size,
        }
    }

    /// BTC/USDT, ETH/USDT and SOL/USDT with the venue's steps.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        vec![
            Self::new("BTC/USDT", "0.01", "0.00001", 60_000.0, 0.05),
            Self::new("ETH/USDT", "0.01", "0.0001", 3_000.0, 0.8),
            Self::new("SOL/USDT", "0.01", "0.001", 150.0, 12.0),
        ]
    }
}

/// One account: its key and what it owns at the start.
#[derive(Clone)]
pub struct AccountConfig {
    /// The public name of its key, sent as `X-MBX-APIKEY`.
    pub api_key: String,
    /// How its requests are signed.
    pub secret: KeySecret,
    /// Asset and decimal amount.
    pub balances: Vec<(String, String)>,
    /// Whether the key may place orders.
    pub may_trade: bool,
    /// Whether the key may withdraw; a careful client refuses such a key.
    pub may_withdraw: bool,
}

impl AccountConfig {
    /// An account with an HMAC key that may trade and not withdraw.
    #[must_use]
    pub fn hmac(api_key: &str, secret: &str, balances: &[(&str, &str)]) -> Self {
        Self {
            api_key: api_key.to_owned(),
            secret: KeySecret::Hmac(secret.to_owned()),
            balances: balances.iter().map(|(asset, amount)| ((*asset).to_owned(), (*amount).to_owned())).collect(),
            may_trade: true,
            may_withdraw: false,
        }
    }

    /// An account with an Ed25519 key that may trade and not withdraw.
    #[must_use]
    pub fn ed25519(api_key: &str, public_key: [u8; 32], balances: &[(&str, &str)]) -> Self {
        Self { secret: KeySecret::Ed25519(public_key), ..Self::hmac(api_key, "", balances) }
    }
}

/// Shows who, never the secret.
impl std::fmt::Debug for AccountConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountConfig")
            .field("api_key", &format_args!("{}…", self.api_key.chars().take(4).collect::<String>()))
            .field("balances", &self.balances)
            .field("may_trade", &self.may_trade)
            .field("may_withdraw", &self.may_withdraw)
            .finish_non_exhaustive()
    }
}

/// What the exchange knows of a key in order to check its signatures.
#[derive(Clone)]
pub enum KeySecret {
    /// The shared secret of an HMAC-SHA-256 key.
    Hmac(String),
    /// The public half of an Ed25519 key.
    Ed25519([u8; 32]),
}

/// Fee rates in basis points and the asset they are taken in.
#[derive(Clone, Copy, Debug)]
pub struct FeeRates {
    /// For resting orders.
    pub maker_bps: u32,
    /// For crossing orders.
    pub taker_bps: u32,
    /// The venue takes it from what is received; `Quote` is for comparing with a back-test that does not.
    pub asset: FeeAsset,
}

impl Default for FeeRates {
    fn default() -> Self {
        Self { maker_bps: 10, taker_bps: 10, asset: FeeAsset::Received }
    }
}

/// How fast market time runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Market time runs `speed` times as fast as the wall clock.
    Realtime {
        /// 1 for real time, 60 for a minute a second.
        speed: f64,
    },
    /// For bar tapes: after each closed bar the exchange waits for `POST /tradewind/v1/step`.
    Lockstep {
        /// How long it waits for a step before it gives up and ends the tape.
        timeout: Duration,
    },
}

impl Pace {
    /// Market seconds per wall second while it runs.
    #[must_use]
    pub const fn speed(&self) -> f64 {
        match self {
            Self::Realtime { speed } => *speed,
            Self::Lockstep { .. } => 1.0,
        }
    }
}

/// A recorded market.
#[derive(Clone, Debug)]
pub struct Tape {
    /// Where the recording is.
    pub source: TapeSource,
    /// Whether a market made it or a simulation; clients are told.
    pub origin: Origin,
    /// Which symbol it is of; it becomes the only one listed, with the steps of the same symbol in
    /// [`ExchangeConfig::symbols`] if it stands there.
    pub symbol: Symbol,
    /// How many of its first bars are history when the exchange opens (bars only).
    pub history_bars: usize,
    /// How many bars or trades are played after that; `None` for all.
    pub limit: Option<usize>,
    /// What is assumed about fills on bars: by default what a back-test assumes, [`FillPolicy::assumed`] of bars with
    /// volumes. A file that gives none caps no fill, whatever the share.
    pub fills: FillPolicy,
}

/// Where a recorded market comes from.
#[derive(Clone, Debug)]
pub enum TapeSource {
    /// A file of bars that `tradewind-history` can read.
    BarsFile(PathBuf),
    /// A file of trades that `tradewind-history` can read.
    TradesFile(PathBuf),
    /// Bars with prices and quantities at eight decimals, ascending in time.
    Bars(Vec<Bar>),
    /// Trades with prices and quantities at eight decimals, ascending in time.
    Trades(Vec<(Timestamp, Trade)>),
}

impl Tape {
    /// Bars of a file, the first `history_bars` of them as history.
    #[must_use]
    pub fn bars_file(path: impl Into<PathBuf>, symbol: Symbol, history_bars: usize) -> Self {
        Self::new(TapeSource::BarsFile(path.into()), symbol, history_bars)
    }

    /// Trades of a file.
    #[must_use]
    pub fn trades_file(path: impl Into<PathBuf>, symbol: Symbol) -> Self {
        Self::new(TapeSource::TradesFile(path.into()), symbol, 0)
    }

    /// Bars in memory, whose mantissas are at the decimals of `instrument`.
    ///
    /// # Errors
    /// [`ExchangeError::Setting`] if its decimals are finer than eight or a number does not fit.
    pub fn bars(instrument: &InstrumentSpec, bars: &[Bar], history_bars: usize) -> Result<Self, ExchangeError> {
        let (prices, quantities) = (scale(instrument.price_decimals)?, scale(instrument.quantity_decimals)?);
        let price = |price: Price| times(price.mantissa(), prices).map(Price::from_mantissa);
        let rescaled = bars.iter().map(|bar| {
            Ok(Bar {
                instrument: InstrumentId(0),
                open: price(bar.open)?,
                high: price(bar.high)?,
                low: price(bar.low)?,
                close: price(bar.close)?,
                volume: times(bar.volume.mantissa(), quantities).map(Quantity::from_mantissa)?,
                ..*bar
            })
        });
        let bars = rescaled.collect::<Result<Vec<Bar>, ExchangeError>>()?;
        Ok(Self::new(TapeSource::Bars(bars), instrument.symbol.clone(), history_bars))
    }

    /// What to call it in a message.
    pub(crate) fn describe(&self) -> String {
        match &self.source {
            TapeSource::BarsFile(path) | TapeSource::TradesFile(path) => format!("the tape {}", path.display()),
            TapeSource::Bars(_) => "the tape of bars in memory".to_owned(),
            TapeSource::Trades(_) => "the tape of trades in memory".to_owned(),
        }
    }

    const fn new(source: TapeSource, symbol: Symbol, history_bars: usize) -> Self {
        Self { source, origin: Origin::Recorded, symbol, history_bars, limit: None, fills: FillPolicy::assumed(true) }
    }
}

/// What turns a mantissa of `decimals` into one of eight.
fn scale(decimals: u8) -> Result<i64, ExchangeError> {
    let missing = 8_u8.checked_sub(decimals).ok_or_else(|| ExchangeError::Setting {
        setting: "tape",
        reason: format!("{decimals} decimals are finer than the venue's eight"),
    })?;
    Ok(10_i64.pow(u32::from(missing)))
}

fn times(mantissa: i64, factor: i64) -> Result<i64, ExchangeError> {
    mantissa.checked_mul(factor).ok_or_else(|| ExchangeError::Setting {
        setting: "tape",
        reason: format!("{mantissa} times {factor} does not fit 64 bits"),
    })
}

/// Budgets and connection rules; the defaults are the venue's.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Request weight per minute and address.
    pub weight_per_minute: u32,
    /// New orders per ten seconds and account.
    pub orders_per_10s: u32,
    /// New orders per day and account.
    pub orders_per_day: u32,
    /// Refused requests in one minute after which the address is banned.
    pub refusals_before_ban: u32,
    /// How long the first ban lasts.
    pub ban: Duration,
    /// Messages per second a market stream connection may send.
    pub ws_messages_per_second: u32,
    /// Streams per connection.
    pub ws_streams: usize,
    /// Messages waiting for a slow reader before it is disconnected.
    pub ws_queue: usize,
    /// How often a ping is sent.
    pub ws_ping_every: Duration,
    /// How long a pong may take.
    pub ws_pong_within: Duration,
    /// How long a connection may live.
    pub ws_lifetime: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            weight_per_minute: 6_000,
            orders_per_10s: 100,
            orders_per_day: 200_000,
            refusals_before_ban: 10,
            ban: Duration::from_secs(120),
            ws_messages_per_second: 5,
            ws_streams: 1_024,
            ws_queue: 4_096,
            ws_ping_every: Duration::from_secs(20),
            ws_pong_within: Duration::from_secs(60),
            ws_lifetime: Duration::from_secs(24 * 3_600),
        }
    }
}
