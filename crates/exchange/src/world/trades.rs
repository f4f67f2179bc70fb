//! A recorded market of single trades, played through the matching core.
//!
//! A recorded trade says that somebody rested at its price and somebody took. So before each trade the tape rests
//! its size at that price, then takes it: a customer's order at a better price trades first, one at the same price
//! waits behind what the tape had resting there before it came. Depth is unknown to a tape of trades: beside the
//! last price the book shows [`LEVELS`] ticks of the mean size of recent trades on either side.

use super::market::Market;
use super::order::Force;
use super::{Source, World};
use tradewind_domain::{Price, Quantity, Side, Timestamp, Trade};

/// Levels shown on each side.
const LEVELS: i64 = 10;

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
        let unit = trade.quantity.mantissa();
        tape.mean_size = (tape.mean_size * 15 + unit) / 16;
        self.clear_around(tape, passive, trade.price);
        let waiting = self.tape_size(tape, passive, trade.price);
        if waiting < unit {
            self.rest(tape, passive, trade.price, unit - waiting);
        }
        self.market_order(0, trade.aggressor, trade.price, trade.quantity, Force::Ioc);
        self.departed.clear();
        let size = tape.mean_size.max(self.markets[0].rules.instrument.spec.lot.mantissa());
        let tick = self.markets[0].rules.instrument.spec.tick.mantissa();
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

/// Away from the market: down for bids, up for asks.
const fn passive_step(passive: Side) -> i64 {
    match passive {
        Side::Buy => -1,
        Side::Sell => 1,
    }
}
