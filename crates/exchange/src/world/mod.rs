//! The exchange without sockets: markets, books, orders, balances, in market time.
//!
//! [`World::advance`] moves time, the verbs in [`place`] are what customers do, and [`World::take_events`] hands out
//! what everybody should be told. No clock, no network: the same calls at the same times give the same events.

mod amend;
pub(crate) mod bars;
pub(crate) mod book;
pub(crate) mod candles;
mod disaster;
mod filters;
pub(crate) mod ledger;
mod lists;
pub(crate) mod market;
pub(crate) mod order;
mod place;
mod settle;
pub(crate) mod simulate;
#[cfg(test)]
mod tests;
pub(crate) mod trades;

pub(crate) use filters::max_price;
pub(crate) use lists::{List, NewList};

use crate::binance::answer::Refusal;
use bars::BarTape;
use book::Book;
use candles::{Candle, Span};
use ledger::{Balance, Ledger};
use market::{AggregateTrade, Best, Market, PublicTrade};
use order::{Execution, OwnTrade, Prevention, Row};
use simulate::Simulation;
use std::collections::{BTreeMap, BTreeSet};
use trades::TradeTape;
use tradewind_domain::{Currency, FeeSchedule};

/// Closed orders kept for queries.
const ROWS_KEPT: usize = 100_000;

/// What happened that somebody may want to hear of.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Trade { listing: usize, trade: PublicTrade },
    Aggregate { listing: usize, sum: AggregateTrade },
    Best { listing: usize, update: u64, best: Best },
    Closed { listing: usize, span: Span, candle: Candle },
    Report { row: Box<Row>, execution: Execution },
    Balances { account: usize, changed: Vec<(Currency, Balance)> },
    List { list: List, done: bool },
}

/// Where the market comes from.
pub(crate) enum Source {
    Simulated(Box<Simulation>),
    Bars(Box<BarTape>),
    Trades(Box<TradeTape>),
}

/// Everything that the exchange knows.
pub(crate) struct World {
    pub(crate) markets: Vec<Market>,
    books: Vec<Book>,
    pub(crate) ledger: Ledger,
    pub(crate) fees: FeeSchedule,
    pub(crate) rows: BTreeMap<u64, Row>,
    /// Open orders as (account, id).
    open: BTreeSet<(usize, u64)>,
    /// Names of open orders.
    names: BTreeMap<(usize, usize, String), u64>,
    /// Orders that wait for their trigger, as (listing, id).
    waiting: BTreeSet<(usize, u64)>,
    pub(crate) own_trades: Vec<Vec<OwnTrade>>,
    /// Of each account, oldest first.
    pub(crate) prevented: Vec<Vec<Prevention>>,
    pub(crate) lists: BTreeMap<u64, List>,
    /// Simulated orders that left the book by being filled.
    departed: Vec<(usize, u64)>,
    touched: BTreeSet<(usize, Currency)>,
    events: Vec<Event>,
    now: i64,
    next_order: u64,
    next_list: u64,
    amendments: u64,
    pub(crate) fills: u64,
    pub(crate) source: Option<Source>,
}

impl World {
    /// A world at `now` milliseconds, with its markets begun and its ledger filled.
    pub(crate) fn new(markets: Vec<Market>, ledger: Ledger, fees: FeeSchedule, source: Source, now: i64) -> Self {
        let accounts = ledger.accounts();
        let mut world = Self {
            books: markets.iter().map(|_| Book::default()).collect(),
            markets,
            ledger,
            fees,
            rows: BTreeMap::new(),
            open: BTreeSet::new(),
            names: BTreeMap::new(),
            waiting: BTreeSet::new(),
            own_trades: vec![Vec::new(); accounts],
            prevented: vec![Vec::new(); accounts],
            lists: BTreeMap::new(),
            departed: Vec::new(),
            touched: BTreeSet::new(),
            events: Vec::new(),
            now,
            next_order: 1,
            next_list: 1,
            amendments: 0,
            fills: 0,
            source: None,
        };
        world.open_market(source);
        world
    }

    /// Market time in milliseconds.
    pub(crate) fn now(&self) -> i64 {
        self.now
    }

    /// Moves market time forward, letting everything happen that is due until then. Never moves back.
    ///
    /// Bar tapes move by [`bars`] instead, where time follows the bars.
    pub(crate) fn advance(&mut self, to: i64) {
        match self.source.take() {
            Some(Source::Simulated(mut simulation)) => {
                self.simulate(&mut simulation, to);
                self.source = Some(Source::Simulated(simulation));
                self.set_time(to);
            }
            Some(Source::Trades(mut tape)) => {
                self.play_trades(&mut tape, to);
                self.source = Some(Source::Trades(tape));
                self.set_time(to);
            }
            other => self.source = other,
        }
    }

    /// Whether the market is a tape of bars.
    pub(crate) fn is_bars(&self) -> bool {
        matches!(self.source, Some(Source::Bars(_)))
    }

    /// Sets the clock and closes the candles that ended.
    pub(crate) fn set_time(&mut self, to: i64) {
        self.now = self.now.max(to);
        for listing in 0..self.markets.len() {
            let market = &mut self.markets[listing];
            let seconds = market.roll_seconds(self.now);
            let closed = market.candles.roll(self.now);
            let second = Span::named("1s").expect("one second is a span");
            self.events.extend(seconds.into_iter().map(|candle| Event::Closed { listing, span: second, candle }));
            for candle in closed {
                self.tell_closed(listing, &candle);
            }
        }
    }

    /// Tells of every candle that ends with this one of the base length.
    fn tell_closed(&mut self, listing: usize, base: &Candle) {
        let market = &self.markets[listing];
        let length = market.candles.base;
        for span in Span::all().into_iter().filter(|span| span.is_made_of(length)) {
            let open = span.open_of(base.open_time);
            if span.next_open(open) != base.open_time + length {
                continue;
            }
            if let Some(candle) = market.candles.fold(span, Some(open), Some(open), 1).pop() {
                self.events.push(Event::Closed { listing, span, candle });
            }
        }
    }

    /// Takes what happened since the last call, oldest first.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The listing of a venue symbol.
    pub(crate) fn listing(&self, name: &str) -> Result<usize, Refusal> {
        self.markets.iter().position(|market| market.rules.name() == name).ok_or_else(Refusal::bad_symbol)
    }

    /// Bids or asks of a pair, best first.
    pub(crate) fn levels(
        &self,
        listing: usize,
        side: tradewind_domain::Side,
        count: usize,
    ) -> Vec<(tradewind_domain::Price, tradewind_domain::Quantity)> {
        match &self.source {
            Some(Source::Bars(tape)) => vec![tape.shown(side, self.markets[listing].last)],
            _ => self.books[listing].levels(side, count),
        }
    }

    /// What rests at one price.
    pub(crate) fn size_at(
        &self,
        listing: usize,
        side: tradewind_domain::Side,
        price: tradewind_domain::Price,
    ) -> tradewind_domain::Quantity {
        match &self.source {
            Some(Source::Bars(tape)) => {
                let (shown, size) = tape.shown(side, self.markets[listing].last);
                if shown == price { size } else { tradewind_domain::Quantity::ZERO }
            }
            _ => self.books[listing].size_at(side, price),
        }
    }

    /// Open orders of an account, oldest first.
    pub(crate) fn open_orders(&self, account: usize) -> impl Iterator<Item = &Row> {
        self.open.range((account, 0)..=(account, u64::MAX)).filter_map(|(_, id)| self.rows.get(id))
    }

    /// Finds an order by its number or by its client's name for it, the newest first.
    pub(crate) fn find(&self, account: usize, listing: usize, id: Option<u64>, name: Option<&str>) -> Option<&Row> {
        let mine = |row: &&Row| row.account == account && row.listing == listing;
        match (id, name) {
            (Some(id), name) => {
                self.rows.get(&id).filter(mine).filter(|row| name.is_none_or(|name| row.client_id == name))
            }
            (None, Some(name)) => match self.names.get(&(account, listing, name.to_owned())) {
                Some(id) => self.rows.get(id),
                None => self.rows.values().rev().filter(mine).find(|row| row.client_id == name),
            },
            (None, None) => None,
        }
    }

    /// Forgets the oldest closed orders when there are too many.
    fn prune(&mut self) {
        while self.rows.len() > ROWS_KEPT {
            let Some(id) = self.rows.values().find(|row| !row.status.is_open()).map(|row| row.id) else { return };
            self.rows.remove(&id);
        }
    }

    /// Tells of every balance that changed since the last call.
    fn tell_balances(&mut self) {
        let mut changed: BTreeMap<usize, Vec<(Currency, Balance)>> = BTreeMap::new();
        for (account, asset) in std::mem::take(&mut self.touched) {
            if account >= ledger::FIRST_CUSTOMER {
                changed.entry(account).or_default().push((asset, self.ledger.balance(account, asset)));
            }
        }
        self.events.extend(changed.into_iter().map(|(account, changed)| Event::Balances { account, changed }));
    }
}
