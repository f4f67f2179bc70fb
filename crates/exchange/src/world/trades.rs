//! A recorded market of single trades, played through the matching core.
//!
//! A recorded trade says that somebody rested at its price and somebody took. So before each trade the tape rests
//! its size at that price, then takes it: a customer's order at a better price trades first, one at the same price
//! waits behind what the tape had resting there before it came. Depth is unknown to a tape of trades: beside the
//! last price the book shows [`LEVELS`] ticks of the mean size of recent trades on either side. All that rests is in whole
//! lots, so that customers trade in lots as well; what a recorded trade has beyond them traded between others.

use super::book::Happening;
use super::market::Market;
use super::order::Force;
use super::{Source, World};
use tradewind_domain::{Price, Quantity, Side, Timestamp, Trade};

/// Levels shown on each side.
const LEVELS: i64 = 10;
/// The number of no order: they are counted from one.
const NOBODY: u64 = 0;

/// Trades still to be played.
pub(crate) struct TradeTape {
    trades: Vec<(Timestamp, Trade)>,
    next: usize,
    /// Orders of the tape that rest on the book.
    resting: Vec<(u64, Side, Price)>,
    mean_size: i64,
}

impl TradeTape {
    pub(crate) fn new(trades: Vec<(Timestamp, Trade)>) -> Self {
        let first = trades.first().map_or(0, |(_, trade)| trade.quantity.mantissa());
        Self { trades, next: 0, resting: Vec::new(), mean_size: first }
    }

    /// Takes a trade's size into the mean, a sixteenth of it.
    fn note_size(&mut self, units: i64) {
        let mean = (i128::from(self.mean_size) * 15 + i128::from(units)) / 16;
        self.mean_size = i64::try_from(mean).expect("a mean is no larger than the larger of the two");
    }

    /// Trades played and trades on the tape.
    pub(crate) fn progress(&self) -> (usize, usize) {
        (self.next, self.trades.len())
    }

    /// Where the market stands before the first trade.
    pub(crate) fn begin(&self, market: &mut Market) {
        if let Some((_, trade)) = self.trades.first() {
            market.last = trade.price;
        }
    }
}

impl World {
    /// Plays every trade that happened until `to`.
    pub(super) fn play_trades(&mut self, tape: &mut TradeTape, to: i64) {
        while let Some((at, trade)) = tape.trades.get(tape.next).copied().filter(|(at, _)| at.millis() <= to) {
            tape.next += 1;
            self.set_time(at.millis());
            self.play_trade(tape, &trade);
            self.finish();
        }
    }

    fn play_trade(&mut self, tape: &mut TradeTape, trade: &Trade) {
        let passive = trade.aggressor.opposite();
        let instrument = &self.markets[0].rules.instrument;
        let lots = instrument.whole_lots(trade.quantity);
        tape.note_size(trade.quantity.mantissa());
        let size = instrument.whole_lots(Quantity::from_mantissa(tape.mean_size)).max(instrument.spec.lot).mantissa();
        let tick = instrument.spec.tick.mantissa();
        self.clear_around(tape, passive, trade.price);
        let waiting = self.tape_size(tape, passive, trade.price);
        if waiting < lots.mantissa() {
            self.rest(tape, passive, trade.price, lots.mantissa() - waiting);
        }
        self.take(trade, lots);
        self.departed.clear();
        for level in 0..LEVELS {
            let near = trade.price.mantissa() + passive_step(passive) * tick * level;
            let far = trade.price.mantissa() - passive_step(passive) * tick * (level + 1);
            for (side, price) in [(passive, near), (trade.aggressor, far)] {
                let price = Price::from_mantissa(price);
                if price.mantissa() > 0 && self.tape_size(tape, side, price) == 0 {
                    self.rest(tape, side, price, size);
                }
            }
        }
    }

    /// The recorded trade. What it takes of the tape's own orders at one price, one right after another, is told as one
    /// trade: the recording knows how much was taken, and not who rested.
    fn take(&mut self, trade: &Trade, lots: Quantity) {
        let incoming = self.market_incoming(trade.aggressor, trade.price, lots, Force::Ioc);
        let mut told: Vec<Happening> = Vec::new();
        let met = if lots.is_zero() { Vec::new() } else { self.books[0].submit(&incoming, self.now) };
        for happening in met.into_iter().chain(between_others(trade, lots)) {
            let both = told.last().and_then(|before| self.joined(*before, happening));
            if both.is_some() {
                told.pop();
            }
            told.push(both.unwrap_or(happening));
        }
        self.settle(0, &incoming, told);
        self.wake();
    }

    /// Two fills at one price as one, where no customer rested for either.
    fn joined(&self, before: Happening, next: Happening) -> Option<Happening> {
        let Happening::Fill { maker: first, price, quantity, .. } = before else { return None };
        let Happening::Fill { maker, price: at, quantity: more, maker_done } = next else { return None };
        let are_the_tapes = price == at && !self.rows.contains_key(&first) && !self.rows.contains_key(&maker);
        are_the_tapes.then_some(Happening::Fill { maker, price, quantity: quantity + more, maker_done })
    }

    /// Withdraws what the tape has resting where the recorded trade proves nothing rested, and what is far away.
    fn clear_around(&mut self, tape: &mut TradeTape, passive: Side, price: Price) {
        let tick = self.markets[0].rules.instrument.spec.tick.mantissa();
        let reach = tick * (LEVELS + 2);
        let books = &self.books;
        tape.resting.retain(|(id, ..)| books[0].place_of(*id).is_some());
        let gone = tape.resting.extract_if(.., |(_, side, at)| {
            let better = match *side {
                Side::Buy => *at > price,
                Side::Sell => *at < price,
            };
            let wrong = better || (*side != passive && *at == price);
            wrong || (at.mantissa() - price.mantissa()).abs() > reach
        });
        let gone: Vec<_> = gone.collect();
        for (id, side, at) in gone {
            if self.books[0].cancel(id) {
                self.markets[0].touch(side, at);
            }
        }
    }

    fn tape_size(&self, tape: &TradeTape, side: Side, price: Price) -> i64 {
        let here = tape.resting.iter().filter(|(_, at_side, at)| (*at_side, *at) == (side, price));
        here.map(|(id, ..)| self.books[0].remaining(*id).mantissa()).sum()
    }

    fn rest(&mut self, tape: &mut TradeTape, side: Side, price: Price, size: i64) {
        let (id, _) = self.market_order(0, side, price, Quantity::from_mantissa(size), Force::Gtc);
        if self.books[0].place_of(id).is_some() {
            tape.resting.push((id, side, price));
        }
    }

    /// Whether a tape has been played to its end.
    pub(crate) fn tape_ended(&self) -> bool {
        match &self.source {
            Some(Source::Bars(tape)) => tape.progress().0 == tape.progress().1,
            Some(Source::Trades(tape)) => tape.progress().0 == tape.progress().1,
            Some(Source::Simulated(_)) | None => false,
        }
    }

    /// Played and whole length of a tape; `None` for a simulated market.
    pub(crate) fn progress(&self) -> Option<(usize, usize)> {
        match &self.source {
            Some(Source::Bars(tape)) => Some(tape.progress()),
            Some(Source::Trades(tape)) => Some(tape.progress()),
            Some(Source::Simulated(_)) | None => None,
        }
    }
}

/// What a recorded trade has beyond whole lots: it trades with nobody's order on the book.
fn between_others(trade: &Trade, lots: Quantity) -> Option<Happening> {
    let quantity = trade.quantity - lots;
    (!quantity.is_zero()).then_some(Happening::Fill { maker: NOBODY, price: trade.price, quantity, maker_done: false })
}

/// Away from the market: down for bids, up for asks.
const fn passive_step(passive: Side) -> i64 {
    match passive {
        Side::Buy => -1,
        Side::Sell => 1,
    }
}
