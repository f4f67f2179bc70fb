//! A recorded market for the local exchange: what is in the file, and which listing, purse and pace suit it.

use super::bars::tell_defects;
use crate::output::Failure;
use std::path::Path;
use tradewind_domain::{Bar, Coded, InstrumentSpec, Interval, Symbol, Timestamp, Trade, format_decimal, parse_decimal};
use tradewind_exchange::{SymbolConfig, Tape, TapeSource};
use tradewind_history::{ImportError, ImportOptions, OnDefect, read_bars, read_trades, symbol_of};

/// Decimals of prices and quantities at the exchange.
const DECIMALS: u8 = 8;
/// Bars that strategies see before the first one is played, if the file has twice as many.
const HISTORY_BARS: usize = 500;
/// Bars that a demo sees a second.
const BARS_PER_SECOND: f64 = 8.0;
/// Fewer bars than this are too few for the windows that strategies have by default.
const FEW_BARS: usize = 200;

/// A recorded market, read and looked through.
pub(crate) struct Recording {
    pub(crate) symbol: Symbol,
    /// How long the bars are that a strategy sees.
    pub(crate) interval: Interval,
    tape: Tape,
    bars: usize,
    listing: Option<SymbolConfig>,
    /// The lowest price, with [`DECIMALS`].
    lowest: i64,
}

impl Recording {
    /// Reads a file of bars or of trades. Without a symbol it is of the pair that its name shows, else of BTC/USDT.
    pub(crate) fn open(path: &Path, symbol: Option<&str>) -> Result<Self, Failure> {
        let shown = symbol_of(path).map(|symbol| Symbol { contract: None, ..symbol }.to_string());
        let symbol = symbol.or(shown.as_deref()).unwrap_or("BTC/USDT");
        let symbol: Symbol = symbol.parse().map_err(Failure::from_coded::<tradewind_domain::SymbolError>)?;
        if symbol.contract.is_some() {
            let hint = "the local exchange lists spot pairs: name the tape BASE/QUOTE, such as BTC/USDT";
            return Err(Failure::new("CLI-05", format!("--symbol {symbol} is a contract"), hint));
        }
        let options = ImportOptions {
            instrument: Some(InstrumentSpec::spot(symbol.clone(), "binance")),
            on_defect: OnDefect::Report,
            hash: false,
            ..ImportOptions::default()
        };
        match read_bars(path, &options) {
            Ok(series) if !series.bars.is_empty() => {
                tell_defects(path, &series.defects);
                Self::of_bars(path, symbol, series.interval, series.bars)
            }
            refused => match read_trades(path, &options) {
                Ok(series) if !series.trades.is_empty() => {
                    tell_defects(path, &series.defects);
                    Ok(Self::of_trades(path, symbol, series.trades))
                }
                _ => Err(refused.err().map_or_else(|| too_short(path, 0), |error| unreadable(path, &error))),
            },
        }
    }

    fn of_bars(path: &Path, symbol: Symbol, interval: Interval, bars: Vec<Bar>) -> Result<Self, Failure> {
        let history = HISTORY_BARS.min(bars.len() / 2);
        if bars.len() < 3 {
            return Err(too_short(path, bars.len()));
        }
        let prices = bars.iter().flat_map(|bar| [bar.open, bar.high, bar.low, bar.close]).map(|it| it.mantissa());
        let lowest = prices.clone().min().unwrap_or(0);
        let listing = listing(&symbol, prices, bars.iter().map(|bar| bar.volume.mantissa()));
        let played = bars.len() - history;
        let tape = Tape { source: TapeSource::Bars(bars), ..Tape::bars_file(path, symbol.clone(), history) };
        Ok(Self { symbol, interval, tape, bars: played, listing, lowest })
    }

    fn of_trades(path: &Path, symbol: Symbol, trades: Vec<(Timestamp, Trade)>) -> Self {
        let prices = trades.iter().map(|(_, trade)| trade.price.mantissa());
        let lowest = prices.clone().min().unwrap_or(0);
        let listing = listing(&symbol, prices, trades.iter().map(|(_, trade)| trade.quantity.mantissa()));
        let span = match (trades.first(), trades.last()) {
            (Some((first, _)), Some((last, _))) => last.nanos() - first.nanos(),
            _ => 0,
        };
        let minutes = usize::try_from(span / Interval::MINUTE.nanos()).unwrap_or(0);
        let (interval, bars) = if minutes >= FEW_BARS {
            (Interval::MINUTE, minutes)
        } else {
            let second = Interval::from_seconds(1).unwrap_or(Interval::MINUTE);
            (second, usize::try_from(span / second.nanos()).unwrap_or(0))
        };
        let tape = Tape { source: TapeSource::Trades(trades), ..Tape::trades_file(path, symbol.clone()) };
        Self { symbol, interval, tape, bars, listing, lowest }
    }

    /// What the exchange plays.
    pub(crate) fn tape(&self) -> Tape {
        self.tape.clone()
    }

    /// What the exchange lists: its own steps for pairs that it knows, where the recording's prices are many of them;
    /// those that the recording shows for others.
    pub(crate) fn listings(&self) -> Vec<SymbolConfig> {
        let mut listed = SymbolConfig::defaults();
        let suits = |it: &SymbolConfig| it.symbol == self.symbol && self.is_coarse_enough(&it.tick);
        if let Some(listing) = self.listing.clone().filter(|_| !listed.iter().any(suits)) {
            listed.retain(|it| it.symbol != self.symbol);
            listed.push(listing);
        }
        listed
    }

    /// Whether every price of the recording is at least a hundred steps of `tick`.
    fn is_coarse_enough(&self, tick: &str) -> bool {
        parse_decimal(tick, DECIMALS).is_ok_and(|tick| i128::from(self.lowest) >= 100 * i128::from(tick))
    }

    /// An amount of the quote currency worth tens of thousands of dollars, more or less.
    pub(crate) fn cash(&self) -> &'static str {
        purse(&self.symbol).0
    }

    /// Market seconds per second at which a person can follow it.
    pub(crate) fn speed(&self) -> f64 {
        (f64::from(self.interval.seconds()) * BARS_PER_SECOND).min(1e6)
    }

    /// Whether it is over before the windows of the strategies are full.
    pub(crate) const fn is_short(&self) -> bool {
        self.bars < FEW_BARS && matches!(self.tape.source, TapeSource::Trades(_))
    }
}

fn unreadable(path: &Path, error: &ImportError) -> Failure {
    let failure = Failure::from_coded(tradewind_exchange::ExchangeError::TapeUnreadable {
        path: path.to_owned(),
        reason: format!("{} {error}", error.code()),
    });
    Failure { hint: error.hint().to_owned(), ..failure }
}

fn too_short(path: &Path, rows: usize) -> Failure {
    Failure::from_coded(tradewind_exchange::ExchangeError::TapeTooShort {
        tape: path.display().to_string(),
        rows,
        history: 0,
    })
}

/// Cash and smallest notional in the quote currency.
fn purse(symbol: &Symbol) -> (&'static str, &'static str) {
    match symbol.quote.code() {
        "BTC" => ("0.5", "0.0001"),
        "ETH" => ("10", "0.001"),
        "BNB" => ("50", "0.01"),
        "JPY" => ("5000000", "500"),
        _ => ("30000", "5"),
    }
}

/// The steps that the numbers of a recording lie on. `None` if there is no number but zero.
fn listing(
    symbol: &Symbol,
    prices: impl Iterator<Item = i64>,
    quantities: impl Iterator<Item = i64>,
) -> Option<SymbolConfig> {
    let (tick, lot) = (step(prices)?, step(quantities).unwrap_or(1_000));
    let text = |mantissa: i64| format_decimal(mantissa.into(), DECIMALS);
    let (_, min_notional) = purse(symbol);
    Some(SymbolConfig {
        symbol: symbol.clone(),
        tick: text(tick),
        lot: text(lot),
        max_quantity: "1000000000".to_owned(),
        max_market_quantity: "1000000000".to_owned(),
        min_notional: min_notional.to_owned(),
        ..SymbolConfig::new("BTC/USDT", "0.01", "0.00001", 0.0, 0.0)
    })
}

/// The largest power of ten of which every number is a multiple, at most one whole unit.
fn step(mantissas: impl Iterator<Item = i64>) -> Option<i64> {
    let mut step = 10_i64.pow(DECIMALS.into());
    let mut any = false;
    for mantissa in mantissas.filter(|mantissa| *mantissa != 0) {
        any = true;
        while mantissa % step != 0 {
            step /= 10;
        }
    }
    any.then_some(step)
}
