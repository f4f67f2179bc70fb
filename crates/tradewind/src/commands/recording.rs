//! A recorded market for the local exchange: what is in the file, and which listing, purse and pace suit it.

use super::backtest::fill_policy;
use super::bars::symbol as symbol_of;
use crate::cli::{FillArgs, TapeArgs};
use crate::output::{self, Failure};
use std::path::Path;
use tradewind_book::FillPolicy;
use tradewind_domain::{
    Bar, Coded, InstrumentSpec, Interval, Origin, Price, Quantity, Symbol, Timestamp, Trade, format_decimal,
    parse_decimal, pow10, round_div,
};
use tradewind_exchange::{SymbolConfig, Tape, TapeSource};
use tradewind_history::{Defects, ImportError, ImportOptions, OnDefect, StampEnd, read_bars, read_trades, validate};

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
    /// Whether it says how much was traded.
    has_volume: bool,
    listing: Option<SymbolConfig>,
    /// The lowest price, with [`DECIMALS`].
    lowest: i64,
}

impl Recording {
    /// The recorded market that was asked for, if one was.
    pub(crate) fn of(args: &TapeArgs) -> Result<Option<Self>, Failure> {
        let Some(path) = args.tape.as_deref() else {
            return args.fills.given().map_or(Ok(None), |option| Err(assumes_nothing(option, "a simulated market")));
        };
        let times = (args.stamp.into(), args.interval);
        Self::open(path, args.symbol.as_deref(), times)?.filled_by(&args.fills).map(Some)
    }

    /// Reads a file of bars or of trades. Without a symbol it is of what the file says, or its name; of a contract the
    /// pair is played that it prices. The times are which end of a bar the file's name, and how long each is if that is said.
    fn open(
        path: &Path,
        symbol: Option<&str>,
        (stamp, interval): (StampEnd, Option<Interval>),
    ) -> Result<Self, Failure> {
        let stated = symbol.map(symbol_of).transpose()?;
        if let Some(symbol) = stated.as_ref().filter(|symbol| symbol.contract.is_some()) {
            let hint = "the local exchange lists spot pairs: name the tape BASE/QUOTE, such as BTC/USDT, or leave the option \
                        out for a file of the catalog";
            return Err(Failure::new("CLI-05", format!("--symbol {symbol} is a contract"), hint));
        }
        let options = ImportOptions {
            symbol: stated,
            stamp,
            interval,
            on_defect: OnDefect::Report,
            hash: false,
            ..ImportOptions::default()
        };
        let pair = |spec: &InstrumentSpec| Symbol { contract: None, ..spec.symbol.clone() };
        match read_bars(path, &options) {
            Ok(series) if !series.bars.is_empty() => {
                refuse_errors(path, &series.defects, series.source.rows)?;
                refuse_errors(path, &validate(&series), series.source.rows)?; // the catalog keeps what somebody accepted
                let (symbol, spec) = (pair(&series.instrument), &series.instrument);
                let bars = series.bars.iter().map(|bar| bar_at_exchange(bar, spec)).collect::<Option<_>>();
                let bars = bars.ok_or_else(|| too_large(path))?;
                let has_volume = series.source.has_volume();
                let recording = Self::of_bars(path, symbol, series.interval, bars)?.made_by(series.source.origin);
                Ok(Self { has_volume, ..recording })
            }
            bars => match read_trades(path, &options) {
                Ok(series) if !series.trades.is_empty() => {
                    if let Some(interval) = interval {
                        return Err(of_no_bars(path, interval));
                    }
                    refuse_errors(path, &series.defects, series.source.rows)?;
                    let (symbol, spec) = (pair(&series.instrument), &series.instrument);
                    let trades = series.trades.iter().map(|(at, it)| Some((*at, trade_at_exchange(it, spec)?)));
                    let trades = trades.collect::<Option<_>>().ok_or_else(|| too_large(path))?;
                    Ok(Self::of_trades(path, symbol, trades).made_by(series.source.origin))
                }
                trades => Err(refused(path, &options, bars.err(), trades.err())),
            },
        }
    }

    fn of_bars(path: &Path, symbol: Symbol, interval: Interval, bars: Vec<Bar>) -> Result<Self, Failure> {
        let history = HISTORY_BARS.min(bars.len() / 2);
        if bars.len() < 3 {
            return Err(too_short(path, bars.len()));
        }
        tell_off_grid(path, interval, &bars[history..])?;
        let prices = bars.iter().flat_map(|bar| [bar.open, bar.high, bar.low, bar.close]).map(|it| it.mantissa());
        let lowest = prices.clone().min().unwrap_or(0);
        let listing = listing(&symbol, prices, bars.iter().map(|bar| bar.volume.mantissa()));
        let played = bars.len() - history;
        let tape = Tape { source: TapeSource::Bars(bars), ..Tape::bars_file(path, symbol.clone(), history) };
        Ok(Self { symbol, interval, tape, bars: played, has_volume: true, listing, lowest })
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
        Self { symbol, interval, tape, bars, has_volume: true, listing, lowest }
    }

    fn made_by(self, origin: Origin) -> Self {
        Self { tape: Tape { origin, ..self.tape }, ..self }
    }

    /// The same, with what `args` assume about fills on bars.
    fn filled_by(self, args: &FillArgs) -> Result<Self, Failure> {
        if !self.is_of_bars() {
            return args.given().map_or(Ok(self), |option| Err(assumes_nothing(option, "a tape of trades")));
        }
        let fills = fill_policy(args, self.has_volume)?;
        self.tell_starved(fills);
        Ok(Self { tape: Tape { fills, ..self.tape }, ..self })
    }

    /// Says on stderr where no bar traded as much as an order needs.
    fn tell_starved(&self, fills: FillPolicy) {
        let TapeSource::Bars(bars) = &self.tape.source else { return };
        let listed = self.listings().into_iter().find(|it| it.symbol == self.symbol);
        let lot = listed.and_then(|it| parse_decimal(&it.lot, DECIMALS).ok());
        let most = bars.iter().map(|bar| bar.volume.mantissa()).max();
        let (Some(share), Some(lot), Some(most)) = (fills.volume_share_bps, lot, most) else { return };
        if i128::from(most) * i128::from(share) < i128::from(lot) * 10_000 {
            let [most, lot] = [most, lot].map(|it| format_decimal(it.into(), DECIMALS));
            output::note(&format!(
                "no bar trades enough: {} of the largest volume, {most}, is less than a lot of {lot}; see --volume-share",
                format_args!("{} %", f64::from(share) / 100.0),
            ));
        }
    }

    /// Says on stderr where nobody with `cash`, an amount of the quote currency, can buy a lot.
    pub(crate) fn tell_dear(&self, cash: i128) {
        if let Some(text) = self.dear(cash) {
            output::note(&text);
        }
    }

    fn dear(&self, cash: i128) -> Option<String> {
        let listed = self.listings().into_iter().find(|it| it.symbol == self.symbol)?;
        let lot = parse_decimal(&listed.lot, DECIMALS).ok()?;
        let cost = i128::from(lot) * i128::from(self.lowest) / pow10(DECIMALS.into());
        let [cost_text, cash_text] = [cost, cash].map(|units| format_decimal(units, DECIMALS));
        let (symbol, quote) = (&self.symbol, self.symbol.quote);
        (cost > cash).then(|| {
            format!(
                "no strategy can buy a lot: {} of {symbol} costs {cost_text} {quote} at the lowest price, and each strategy \
                 has {cash_text}",
                listed.lot,
            )
        })
    }

    const fn is_of_bars(&self) -> bool {
        matches!(self.tape.source, TapeSource::BarsFile(_) | TapeSource::Bars(_))
    }

    /// What is assumed about fills; `None` for trades, which orders meet as they were.
    pub(crate) fn fills(&self) -> Option<FillPolicy> {
        self.is_of_bars().then_some(self.tape.fills)
    }

    /// Whether a market made it or a simulation.
    pub(crate) const fn origin(&self) -> Origin {
        self.tape.origin
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

/// A bar of `spec` with the decimals of the exchange; what is finer is rounded. `None` past 64 bits.
fn bar_at_exchange(bar: &Bar, spec: &InstrumentSpec) -> Option<Bar> {
    let price = |price| price_at_exchange(price, spec);
    Some(Bar {
        open: price(bar.open)?,
        high: price(bar.high)?,
        low: price(bar.low)?,
        close: price(bar.close)?,
        volume: quantity_at_exchange(bar.volume, spec)?,
        ..*bar
    })
}

/// A trade of `spec`, likewise.
fn trade_at_exchange(trade: &Trade, spec: &InstrumentSpec) -> Option<Trade> {
    let price = price_at_exchange(trade.price, spec)?;
    Some(Trade { price, quantity: quantity_at_exchange(trade.quantity, spec)?, ..*trade })
}

fn price_at_exchange(price: Price, spec: &InstrumentSpec) -> Option<Price> {
    scaled(price.mantissa(), spec.price_decimals).map(Price::from_mantissa)
}

fn quantity_at_exchange(quantity: Quantity, spec: &InstrumentSpec) -> Option<Quantity> {
    scaled(quantity.mantissa(), spec.quantity_decimals).map(Quantity::from_mantissa)
}

fn scaled(mantissa: i64, decimals: u8) -> Option<i64> {
    let scaled = if decimals <= DECIMALS {
        i128::from(mantissa) * pow10(u32::from(DECIMALS - decimals))
    } else {
        round_div(i128::from(mantissa), pow10(u32::from(decimals - DECIMALS)))
    };
    i64::try_from(scaled).ok()
}

/// Refuses bars that no candle of the exchange ends with: nobody would ever be shown one. Of a few it says so.
fn tell_off_grid(path: &Path, interval: Interval, played: &[Bar]) -> Result<(), Failure> {
    let off = || played.iter().filter(|bar| interval.floor(bar.open_time) != bar.open_time);
    let Some(first) = off().next().map(|bar| bar.open_time) else { return Ok(()) };
    let (count, all) = (off().count(), played.len());
    let what = format!("{count} of {all} bars of {interval} do not open on a whole {interval}, the first at {first}");
    if count < all {
        output::note(&format!("{}: {what}: no strategy sees them", path.display()));
        return Ok(());
    }
    let hint = "an exchange shows bars of the clock alone; `tradewind backtest` takes these as they are";
    Err(Failure { hint: hint.to_owned(), ..unplayable(path, what) })
}

/// Why `option` is refused where orders meet the sizes and prices of `market` itself.
fn assumes_nothing(option: &str, market: &str) -> Failure {
    let message = format!("{option}: {market} shows what orders meet, only bars leave it to be assumed");
    Failure::new("CLI-05", message, "leave the option out, or name a file of bars with --tape")
}

/// Why an interval is refused for a tape of trades: nothing of it is as long as that.
fn of_no_bars(path: &Path, interval: Interval) -> Failure {
    let message = format!("--interval {interval}: {} holds trades, and only bars have a length", path.display());
    Failure::new("CLI-05", message, "leave the option out, or name a file of bars with --tape")
}

fn unplayable(path: &Path, reason: String) -> Failure {
    Failure::from_coded(tradewind_exchange::ExchangeError::TapeUnreadable { path: path.to_owned(), reason })
}

fn too_large(path: &Path) -> Failure {
    unplayable(path, "a number is too large for eight decimals".to_owned())
}

/// Refuses a file with errors by the first of them, as a back-test does: whoever is shown such a market must refuse it.
fn refuse_errors(path: &Path, defects: &Defects, rows: u64) -> Result<(), Failure> {
    Ok(ImportError::refuse(path, defects, rows)?)
}

/// Why a file is neither of `bars` nor of `trades`. Where nobody says what it is of, that is what has to be said.
fn refused(path: &Path, options: &ImportOptions, bars: Option<ImportError>, trades: Option<ImportError>) -> Failure {
    if let Some(unnamed) = [&bars, &trades].into_iter().flatten().find(|error| error.code() == "HIS-25") {
        return Failure::new(unnamed.code(), unnamed.to_string(), "state it, such as --symbol XRP/ETH");
    }
    let is_stated = options.symbol.is_some() || options.stamp == StampEnd::Close || options.interval.is_some();
    let failure = |error: ImportError| {
        let failure = unreadable(path, &error);
        let hint =
            "leave the option out: a file of the catalog knows what it is of, when its bars open and how long they are";
        let hint = hint.to_owned();
        if is_stated && error.code() == "HIS-35" { Failure { hint, ..failure } } else { failure }
    };
    bars.map_or_else(|| too_short(path, 0), failure)
}

fn unreadable(path: &Path, error: &ImportError) -> Failure {
    let failure = unplayable(path, format!("{} {error}", error.code()));
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
    let tick = step(prices)?;
    // what a lot costs at one tick is an amount of the exchange as well
    let lot = step(quantities).unwrap_or(1_000).max(10_i64.pow(DECIMALS.into()) / tick);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;
    use tradewind_history::Catalog;

    const MINUTE: i64 = 60_000;
    const START: i64 = 1_700_006_400_000;

    /// A file of 20 bars, `step` milliseconds apart from `offset` on, with `row` behind each time.
    fn file(dir: &Path, (step, offset): (i64, i64), row: &str) -> std::path::PathBuf {
        let mut text = String::from("time,open,high,low,close");
        text.push_str(if row.split(',').count() > 4 { ",volume\n" } else { "\n" });
        (0..20).for_each(|bar| writeln!(text, "{},{row}", START + offset + bar * step).unwrap());
        let path = dir.join("EUR_USD.csv");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A file of minutes with that `row`, and what the catalog keeps of it as bars of `symbol`.
    fn stored(dir: &Path, symbol: &str, row: &str) -> (std::path::PathBuf, std::path::PathBuf) {
        let plain = file(dir, (MINUTE, 0), row);
        let options = ImportOptions { symbol: symbol.parse().ok(), ..ImportOptions::default() };
        let stored = Catalog::open(dir).unwrap().store(&read_bars(&plain, &options).unwrap()).unwrap();
        (plain, stored)
    }

    fn starts(recording: &Recording) {
        let market = super::super::local::Market {
            port: 0,
            seed: 1,
            speed: 60.0,
            tape: Some(recording),
            cash: recording.cash(),
        };
        market.start().map_err(|failure| failure.message).unwrap().shutdown();
    }

    #[test]
    fn a_lot_is_as_coarse_as_the_tick_wants_it() {
        let dir = tempfile::tempdir().unwrap();
        for (row, tick, lot) in [
            ("1.08711,1.08722,1.08701,1.08713", "0.00001", "0.001"),
            ("1.08711,1.08722,1.08701,1.08713,1234.56789012", "0.00001", "0.001"),
            ("1.08711,1.08722,1.08701,1.08713,7.450000047683716", "0.00001", "0.001"),
            ("1.5,1.5,1.5,1.5,20", "0.1", "1"),
        ] {
            let recording = Recording::open(&file(dir.path(), (MINUTE, 0), row), None, (StampEnd::Open, None)).unwrap();
            let listing = recording.listing.clone().unwrap();
            assert_eq!((listing.tick.as_str(), listing.lot.as_str()), (tick, lot), "{row}");
            starts(&recording);
        }
    }

    #[test]
    fn a_pair_of_which_nobody_can_buy_a_lot_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = file(dir.path(), (MINUTE, 0), "700000,700001,699999,700000,20");
        let recording = Recording::open(&path, None, (StampEnd::Open, None)).unwrap();
        let coins = |count: i128| count * pow10(DECIMALS.into());
        let told = recording.dear(coins(8_000)).unwrap();
        assert!(told.contains("1 of EUR/USD costs 699999 USD") && told.contains("each strategy has 8000"), "{told}");
        assert_eq!(recording.dear(coins(699_999)), None);
    }

    #[test]
    fn a_file_of_the_catalog_is_played_at_its_own_prices() {
        let dir = tempfile::tempdir().unwrap();
        let (plain, stored) = stored(dir.path(), "EUR/USD", "1.08711,1.08722,1.08701,1.08713,12.5");
        let open = |path: &Path| Recording::open(path, None, (StampEnd::Open, None)).unwrap();
        let (kept, plain) = (open(&stored), open(&plain));
        assert_eq!(kept.symbol.to_string(), "EUR/USD", "the file knows what it is of");
        let steps = |it: &Recording| it.listing.as_ref().map(|listing| (listing.tick.clone(), listing.lot.clone()));
        assert_eq!((kept.lowest, steps(&kept)), (108_701_000, steps(&plain)));
        starts(&kept);
    }

    /// Its pair is played, which is not the symbol that the file says.
    #[test]
    fn of_a_contract_of_the_catalog_no_symbol_is_stated() {
        let dir = tempfile::tempdir().unwrap();
        let (_, stored) = stored(dir.path(), "BTC/USDT:USDT", "1.5,1.5,1.5,1.5,20");
        let open = |symbol: Option<&str>| Recording::open(&stored, symbol, (StampEnd::Open, None));
        for (symbol, code) in [("BTC/USDT", "EXC-03"), ("BTC/USDT:USDT", "CLI-05")] {
            let failure = open(Some(symbol)).err().unwrap();
            assert_eq!(failure.code, code, "{}", failure.message);
            assert!(failure.hint.contains("leave the option out"), "{}", failure.hint);
        }
        assert_eq!(open(None).map_err(|failure| failure.message).unwrap().symbol.to_string(), "BTC/USDT");
    }

    #[test]
    fn how_long_bars_are_is_told_by_their_times_unless_it_is_stated() {
        let dir = tempfile::tempdir().unwrap();
        let path = file(dir.path(), (60 * MINUTE, 0), "1.5,1.5,1.5,1.5,20");
        let open = |stated: &str| Recording::open(&path, None, (StampEnd::Open, stated.parse().ok()));
        for (stated, interval) in [("", "1h"), ("1h", "1h"), ("30m", "30m")] {
            let recording = open(stated).map_err(|failure| failure.message).unwrap();
            assert_eq!(recording.interval.to_string(), interval, "{stated}");
            starts(&recording);
        }
        assert_eq!(open("4h").err().unwrap().code, "HIS-15");
    }

    #[test]
    fn bars_beside_the_clock_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let row = "1.5,1.5,1.5,1.5,20";
        for (step, offset, sound) in [(MINUTE, 0, true), (MINUTE, 30_000, false), (60 * MINUTE, 15 * MINUTE, false)] {
            let opened = Recording::open(&file(dir.path(), (step, offset), row), None, (StampEnd::Open, None));
            match opened.err() {
                None => assert!(sound),
                Some(failure) => {
                    assert!(!sound && failure.message.contains("do not open on a whole"), "{}", failure.message);
                    assert_eq!(failure.code, "EXC-03");
                }
            }
        }
    }
}
