//! One listed pair: its rules, its tape, its candles, and which depth levels changed.

use super::candles::{Candle, Candles};
use crate::config::SymbolConfig;
use crate::error::ExchangeError;
use std::collections::{BTreeSet, VecDeque};
use tradewind_domain::{
    Currency, FeeSchedule, Instrument, InstrumentId, InstrumentSpec, Money, Price, Quantity, Side, parse_decimal,
};

/// Trades kept for `trades` and `aggTrades`.
const TRADES_KEPT: usize = 5_000;
/// Percent-price filter: five times up, a fifth down, over five minutes.
pub(crate) const PERCENT_UP: i64 = 5;
pub(crate) const PERCENT_DOWN: i64 = 5;
pub(crate) const AVERAGE_MINUTES: i64 = 5;
pub(crate) const MAX_OPEN: usize = 200;
pub(crate) const MAX_OPEN_CONTINGENT: usize = 5;

/// A pair and the filters that its orders must pass.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) instrument: Instrument,
    pub(crate) base: Currency,
    pub(crate) quote: Currency,
    pub(crate) max_market_quantity: Quantity,
    pub(crate) max_notional: i128,
}

impl Rules {
    pub(crate) fn new(index: usize, config: &SymbolConfig, fees: FeeSchedule) -> Result<Self, ExchangeError> {
        let bad = |reason: String| ExchangeError::Setting { setting: "symbols", reason };
        let number = |text: &str| parse_decimal(text, 8).map_err(|error| bad(format!("{}: {error}", config.symbol)));
        let spec = InstrumentSpec::spot(config.symbol.clone(), "binance");
        let (base, quote) = (spec.symbol.base, spec.symbol.quote);
        let (tick, lot) = (number(&config.tick)?, number(&config.lot)?);
        if i128::from(tick) * i128::from(lot) % 100_000_000 != 0 {
            let reason = format!("{}: one tick times one lot is finer than eight decimals", config.symbol);
            return Err(bad(reason));
        }
        let id = u32::try_from(index).map_err(|_| bad(format!("{index} symbols are too many")))?;
        let instrument = InstrumentSpec {
            tick: Price::from_mantissa(tick),
            lot: Quantity::from_mantissa(lot),
            min_quantity: Quantity::from_mantissa(lot),
            max_quantity: Quantity::from_mantissa(number(&config.max_quantity)?),
            min_notional: Money { currency: quote, units: i128::from(number(&config.min_notional)?) },
            fees,
            ..spec
        }
        .list(InstrumentId(id))
        .map_err(|error| bad(error.to_string()))?;
        Ok(Self {
            instrument,
            base,
            quote,
            max_market_quantity: Quantity::from_mantissa(number(&config.max_market_quantity)?),
            max_notional: i128::from(number(&config.max_notional)?),
        })
    }

    /// The venue's name of the pair.
    pub(crate) fn name(&self) -> &str {
        &self.instrument.spec.venue_symbol
    }

    /// Price × quantity in `10^-8` of quote; exact on tick and lot.
    pub(crate) fn notional(&self, price: Price, quantity: Quantity) -> i128 {
        i128::from(price.mantissa()) * i128::from(quantity.mantissa()) / 100_000_000
    }
}

/// One trade on the public tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PublicTrade {
    pub(crate) id: i64,
    pub(crate) price: Price,
    pub(crate) quantity: Quantity,
    pub(crate) quote: i128,
    pub(crate) at: i64,
    pub(crate) taker: Side,
}

/// Trades of one taker order at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AggregateTrade {
    pub(crate) id: i64,
    pub(crate) price: Price,
    pub(crate) quantity: Quantity,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) at: i64,
    pub(crate) taker: Side,
}

/// Best bid and ask with their sizes.
pub(crate) type Best = [Option<(Price, Quantity)>; 2];

/// What the public sees of one pair, except the book itself.
#[derive(Debug)]
pub(crate) struct Market {
    pub(crate) rules: Rules,
    pub(crate) trades: VecDeque<PublicTrade>,
    pub(crate) aggregates: VecDeque<AggregateTrade>,
    pub(crate) seconds: Option<Candles>,
    pub(crate) candles: Candles,
    pub(crate) last: Price,
    /// Number of the newest change of the book.
    pub(crate) update: u64,
    /// The number under which best prices were told last.
    told: u64,
    pub(crate) trading: Trading,
    pub(crate) best: Best,
    next_trade: i64,
    next_aggregate: i64,
    next_prevention: u64,
    /// Per cadence: the first change not yet published and the levels it touched.
    pending: [Pending; 2],
}

#[derive(Debug, Default)]
struct Pending {
    first: Option<u64>,
    levels: BTreeSet<(Side, Price)>,
}

/// Whether a pair takes orders, in the venue's words; cancels it always takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Trading {
    #[serde(rename = "TRADING")]
    Open,
    Halt,
    Break,
}

impl Trading {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Open => "TRADING",
            Self::Halt => "HALT",
            Self::Break => "BREAK",
        }
    }
}

/// How often depth changes are published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cadence {
    Fast,
    Slow,
}

/// Changed levels of the book between two publications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) levels: BTreeSet<(Side, Price)>,
}

impl Market {
    pub(crate) fn new(rules: Rules, base: i64, kept: usize) -> Self {
        let seconds = (base == 60_000).then(|| Candles::new(1_000, 3_600));
        Self {
            rules,
            trades: VecDeque::new(),
            aggregates: VecDeque::new(),
            seconds,
            candles: Candles::new(base, kept),
            last: Price::default(),
            update: 1,
            told: 0,
            trading: Trading::Open,
            best: [None; 2],
            next_trade: 1,
            next_aggregate: 1,
            next_prevention: 0,
            pending: [Pending::default(), Pending::default()],
        }
    }

    /// Counts the changes of the book from the beginning, as after a restart.
    pub(crate) fn begin_anew(&mut self) {
        self.update = 1;
        self.best = [None; 2];
        self.pending = [Pending::default(), Pending::default()];
    }

    /// Opens the first candles.
    pub(crate) fn begin(&mut self, now: i64, price: Price) {
        self.last = price;
        self.candles.begin(now, price);
        if let Some(seconds) = self.seconds.as_mut() {
            seconds.begin(now, price);
        }
    }

    /// Closes the one-second candles that ended.
    pub(crate) fn roll_seconds(&mut self, now: i64) -> Vec<Candle> {
        self.seconds.as_mut().map(|seconds| seconds.roll(now)).unwrap_or_default()
    }

    /// Notes one trade on the tape and in the candles.
    pub(crate) fn trade(&mut self, price: Price, quantity: Quantity, taker: Side, at: i64) -> PublicTrade {
        let quote = self.rules.notional(price, quantity);
        let trade = PublicTrade { id: self.next_trade, price, quantity, quote, at, taker };
        self.next_trade += 1;
        self.last = price;
        self.candles.add(price, quantity, quote, taker, trade.id);
        if let Some(seconds) = self.seconds.as_mut() {
            seconds.add(price, quantity, quote, taker, trade.id);
        }
        push_bounded(&mut self.trades, trade);
        trade
    }

    /// A trade id for a fill that the public tape does not print.
    pub(crate) fn reserve_trade(&mut self) -> i64 {
        self.next_trade += 1;
        self.next_trade - 1
    }

    /// A number for two orders that did not trade with each other.
    pub(crate) fn number_prevention(&mut self) -> u64 {
        self.next_prevention += 1;
        self.next_prevention - 1
    }

    /// Sums up the trades of one taker order: one aggregate per price.
    pub(crate) fn aggregate(&mut self, trades: &[PublicTrade]) -> Vec<AggregateTrade> {
        let mut sums: Vec<AggregateTrade> = Vec::new();
        for trade in trades {
            match sums.last_mut().filter(|sum| sum.price == trade.price) {
                Some(sum) => {
                    sum.quantity += trade.quantity;
                    sum.last = trade.id;
                }
                None => {
                    sums.push(AggregateTrade {
                        id: self.next_aggregate,
                        price: trade.price,
                        quantity: trade.quantity,
                        first: trade.id,
                        last: trade.id,
                        at: trade.at,
                        taker: trade.taker,
                    });
                    self.next_aggregate += 1;
                }
            }
        }
        for sum in &sums {
            push_bounded(&mut self.aggregates, *sum);
        }
        sums
    }

    /// Notes that a level of the book changed.
    pub(crate) fn touch(&mut self, side: Side, price: Price) {
        self.update += 1;
        for pending in &mut self.pending {
            pending.first.get_or_insert(self.update);
            pending.levels.insert((side, price));
        }
    }

    /// The number under which best prices are told now. A tape of bars has no levels that change, and yet no two of
    /// its best prices may have the same one.
    pub(crate) fn number_best(&mut self) -> u64 {
        if self.update == self.told {
            self.update += 1;
        }
        self.told = self.update;
        self.told
    }

    /// Takes the changes since the last publication of this cadence.
    pub(crate) fn changes(&mut self, cadence: Cadence) -> Option<Changes> {
        let pending = std::mem::take(&mut self.pending[usize::from(cadence == Cadence::Slow)]);
        pending.first.map(|first| Changes { first, last: self.update, levels: pending.levels })
    }

    /// Volume-weighted average price of the last minutes; the last price if nothing traded.
    pub(crate) fn average(&self, minutes: i64, now: i64) -> Price {
        let (mut base, mut quote) = (0_i128, 0_i128);
        for candle in self.candles.since(now - minutes * 60_000) {
            base += candle.volume;
            quote += candle.quote_volume;
        }
        let average = quote.checked_mul(100_000_000).and_then(|quote| quote.checked_div(base));
        let average = average.and_then(|mean| i64::try_from(mean).ok());
        average.map_or(self.last, Price::from_mantissa)
    }
}

fn push_bounded<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() == TRADES_KEPT {
        list.pop_front();
    }
    list.push_back(item);
}
