//! A recorded market of bars: the back-test's own matcher behind the venue's protocol.
//!
//! One bar is played in four moves: the open (orders that arrived before meet it), the extreme nearer to the open,
//! the other one, and the close, where fills inside the bar are told, then the closed candle. In lockstep a caller may
//! stop after the open, to protect what it bought there, and before the candle, so that it has heard of every fill before
//! it decides on that. What fills inside a bar is the matcher's decision about the whole bar, taken as its first extreme is
//! told; a cancel of such an order comes too late, and an order that arrives later waits for the next bar. One that arrives
//! between the open and that extreme meets the open as well if orders waited that the bar may reach, and else the next; its
//! fill is told at the close. An order that arrives after a close and before the next open fills at that open. The book at
//! the close is told before the candle, as at a venue that trades on: at any pace, who decides on the candle knows the book
//! of that moment.
//! Depth is unknown to a tape of bars: the book shows one tick on either side of the last price, with the volume of
//! the last bar. The public tape prints a quarter of the volume at open, extremes and close.

use super::book::Incoming;
use super::candles::Candle;
use super::order::{Execution, Force, Kind, Status};
use super::{Source, World};
use std::collections::BTreeSet;
use tradewind_book::{BarEvent, BarMatcher, BarTurn, FillPolicy};
use tradewind_domain::{
    Bar, ClientOrderId, Instrument, Liquidity, OcoGroup, Order, OrderKind, OrderRequest, PortfolioId, Price, Quantity,
    Side, TimeInForce, Timestamp,
};

/// How far the bar being played is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Not opened yet.
    Waiting,
    /// Opened.
    Open,
    /// All its trades and fills were told, its candle was not.
    Filled,
}

/// Bars still to be played, and the orders that wait for them.
pub(crate) struct BarTape {
    matcher: BarMatcher,
    instrument: Instrument,
    bars: Vec<Bar>,
    next: usize,
    stage: Stage,
    /// What the bar being played still has to give at its first extreme.
    turn: Option<BarTurn>,
    /// What happens inside the bar being played, to be told at its close.
    held: Vec<BarEvent>,
    /// Orders whose end is already decided inside the bar being played.
    decided: BTreeSet<u64>,
    last_volume: Quantity,
}

impl BarTape {
    pub(crate) fn new(instrument: Instrument, fills: FillPolicy, bars: Vec<Bar>, last_volume: Quantity) -> Self {
        Self {
            matcher: BarMatcher::new(instrument.clone(), fills),
            instrument,
            bars,
            next: 0,
            stage: Stage::Waiting,
            turn: None,
            held: Vec::new(),
            decided: BTreeSet::new(),
            last_volume,
        }
    }

    /// What is assumed about fills.
    pub(crate) const fn fills(&self) -> FillPolicy {
        *self.matcher.policy()
    }

    /// Bars played and bars on the tape.
    pub(crate) fn progress(&self) -> (usize, usize) {
        (self.next, self.bars.len())
    }

    /// What one side of the book shows.
    pub(crate) fn shown(&self, side: Side, last: Price) -> (Price, Quantity) {
        let tick = self.instrument.spec.tick.mantissa();
        let price = match side {
            Side::Buy => self.instrument.tick_down(Price::from_mantissa(last.mantissa() - tick)),
            Side::Sell => self.instrument.tick_up(Price::from_mantissa(last.mantissa() + tick)),
        };
        (price, self.instrument.whole_lots(self.last_volume).max(self.instrument.spec.lot))
    }

    fn cancel(&mut self, id: u64) -> bool {
        self.matcher.cancel(ClientOrderId::from_u128(u128::from(id)))
    }

    fn submit(&mut self, incoming: &Incoming, stop: Option<Price>, list: Option<u64>, at: i64) {
        let kind = match (incoming.limit, stop) {
            (None, None) => OrderKind::Market,
            (Some(price), None) => OrderKind::Limit { price },
            (None, Some(trigger)) => OrderKind::Stop { trigger },
            (Some(price), Some(trigger)) => OrderKind::StopLimit { trigger, price },
        };
        let time_in_force = match incoming.force {
            _ if incoming.limit.is_none() => TimeInForce::Gtc,
            Force::Gtc => TimeInForce::Gtc,
            Force::Ioc => TimeInForce::Ioc,
            Force::Fok => TimeInForce::Fok,
        };
        let request = OrderRequest {
            kind,
            time_in_force,
            post_only: incoming.post_only,
            oco: list.map(OcoGroup),
            ..OrderRequest::market(self.instrument.id, incoming.side, incoming.quantity)
        };
        let name = ClientOrderId::from_u128(u128::from(incoming.id));
        let order = Order::new(&self.instrument, PortfolioId(0), name, request, None)
            .expect("the filters admit nothing that the instrument refuses");
        self.matcher.submit(&order, Timestamp::from_millis(at));
    }
}

impl World {
    fn bar_tape(&mut self) -> Option<&mut BarTape> {
        match self.source.as_mut() {
            Some(Source::Bars(tape)) => Some(tape),
            _ => None,
        }
    }

    pub(super) fn submit_to_bars(&mut self, incoming: &Incoming) {
        let row = &self.rows[&incoming.id];
        let stop = row.kind.is_contingent().then_some(row.stop);
        let (list, now) = (row.list, self.now);
        if let Some(tape) = self.bar_tape() {
            tape.submit(incoming, stop, list, now);
        }
    }

    /// Takes an order off the tape; false if a fill inside the current bar is already decided.
    pub(super) fn cancel_on_bars(&mut self, id: u64) -> bool {
        self.bar_tape().is_some_and(|tape| !tape.decided.contains(&id) && tape.cancel(id))
    }

    /// Opens the next bar: waiting orders meet it. Returns its length in milliseconds, `None` at the end of the tape.
    pub(crate) fn open_bar(&mut self) -> Option<i64> {
        let tape = self.bar_tape()?;
        let bar = *tape.bars.get(tape.next)?;
        tape.stage = Stage::Open;
        let mut at_open = Vec::new();
        tape.turn = tape.matcher.on_open(&bar, &mut at_open);
        self.now = self.now.max(bar.open_time.millis());
        // the flat candle since the last close makes way: a recording may have a hole in between
        self.markets[0].candles.replace_current(Candle::flat(bar.open_time.millis(), bar.open));
        self.print_quarter(&bar, bar.open, Side::Buy, false);
        self.apply(at_open);
        self.tell_balances();
        self.tell_best();
        Some(bar.interval.nanos() / 1_000_000)
    }

    /// Prints an extreme of the bar being played: first the one nearer to the open, then the other. With the first it is
    /// decided what fills inside the bar.
    pub(crate) fn print_extreme(&mut self, second: bool) {
        let Some(bar) = self.current_bar() else { return };
        self.decide_inside(&bar);
        let low_first = bar.open.mantissa() - bar.low.mantissa() < bar.high.mantissa() - bar.open.mantissa();
        let (price, taker) = if low_first == second { (bar.high, Side::Buy) } else { (bar.low, Side::Sell) };
        let part = if second { 2 } else { 1 };
        self.now = self.now.max(bar.open_time.millis() + bar.interval.nanos() / 4_000_000 * part);
        self.print_quarter(&bar, price, taker, false);
        self.tell_best();
    }

    fn decide_inside(&mut self, bar: &Bar) {
        let Some(tape) = self.bar_tape() else { return };
        let Some(turn) = tape.turn.take() else { return };
        tape.matcher.on_inside(bar, turn, &mut tape.held);
        tape.decided = tape.held.iter().map(id_of).collect();
    }

    /// Tells the last trades of the bar being played, what filled inside it and the book at its close; all but its closed
    /// candle.
    pub(crate) fn fill_bar(&mut self) {
        let Some(bar) = self.current_bar() else { return };
        self.now = self.now.max(bar.close_time().millis() - 1);
        self.print_quarter(&bar, bar.close, Side::Sell, true);
        self.now = bar.close_time().millis();
        let held = self.bar_tape().map(|tape| {
            tape.stage = Stage::Filled;
            tape.last_volume = bar.volume;
            tape.decided.clear();
            std::mem::take(&mut tape.held)
        });
        self.apply(held.unwrap_or_default());
        self.markets[0].last = bar.close;
        self.tell_balances();
        self.tell_best();
    }

    /// Tells the closed candle of the bar whose fills were told.
    pub(crate) fn close_bar(&mut self) {
        let Some(bar) = self.bar_at(Stage::Filled) else { return };
        if let Some(tape) = self.bar_tape() {
            tape.next += 1;
            tape.stage = Stage::Waiting;
        }
        let candle = candle_of(&bar, |price, quantity| self.markets[0].rules.notional(price, quantity));
        let market = &mut self.markets[0];
        let printed = market.candles.current().copied().unwrap_or(candle);
        market.candles.replace_current(Candle {
            taker_buy: printed.taker_buy,
            taker_buy_quote: printed.taker_buy_quote,
            quote_volume: printed.quote_volume,
            first_trade: printed.first_trade,
            last_trade: printed.last_trade,
            ..candle
        });
        if let Some(candle) = market.candles.finish() {
            // the venue always shows a candle that grows: the next one, flat until its bar opens
            market.candles.begin(bar.close_time().millis(), bar.close);
            self.tell_closed(0, &candle);
        }
    }

    /// Whether a bar was opened and its fills inside were not told.
    pub(crate) fn bar_is_open(&self) -> bool {
        self.bar_at(Stage::Open).is_some()
    }

    /// Whether the fills of a bar were told and its candle was not.
    pub(crate) fn bar_is_filled(&self) -> bool {
        self.bar_at(Stage::Filled).is_some()
    }

    fn current_bar(&self) -> Option<Bar> {
        self.bar_at(Stage::Open)
    }

    fn bar_at(&self, stage: Stage) -> Option<Bar> {
        match &self.source {
            Some(Source::Bars(tape)) if tape.stage == stage => tape.bars.get(tape.next).copied(),
            _ => None,
        }
    }

    /// Prints a quarter of the bar's volume, or with `rest` what the other quarters left.
    fn print_quarter(&mut self, bar: &Bar, price: Price, taker: Side, rest: bool) {
        let volume = bar.volume.mantissa();
        let quantity = Quantity::from_mantissa(if rest { volume - volume / 4 * 3 } else { volume / 4 });
        self.markets[0].last = price;
        if quantity.is_zero() {
            return;
        }
        let trade = self.markets[0].trade(price, quantity, taker, self.now);
        self.events.push(super::Event::Trade { listing: 0, trade });
        let sums = self.markets[0].aggregate(&[trade]);
        self.events.extend(sums.into_iter().map(|sum| super::Event::Aggregate { listing: 0, sum }));
    }

    fn apply(&mut self, events: Vec<BarEvent>) {
        for event in events {
            let id = id_of(&event);
            match event {
                BarEvent::Triggered { .. } => {
                    let now = self.now;
                    if let Some(row) = self.rows.get_mut(&id) {
                        (row.working, row.updated) = (Some(now), now);
                    }
                }
                BarEvent::Fill { price, quantity, liquidity, .. } => self.fill_on_bar(id, price, quantity, liquidity),
                BarEvent::Cancelled { .. } | BarEvent::Rejected { .. } => {
                    if self.rows.get(&id).is_some_and(|row| row.status.is_open()) {
                        self.close(id, Status::Expired, Execution::Expired);
                        self.close_siblings(id);
                    }
                }
            }
        }
    }

    /// A fill that the matcher decided, cut to what the account can pay for: the price of a market order was not
    /// known when its funds were set aside.
    fn fill_on_bar(&mut self, id: u64, price: Price, quantity: Quantity, liquidity: Liquidity) {
        if !self.rows.get(&id).is_some_and(|row| row.status.is_open()) {
            return;
        }
        self.close_siblings(id); // first: the funds of a list may be held by the other order
        let Some(row) = self.rows.get(&id).cloned() else { return };
        let affordable = if row.side == Side::Buy { self.affordable(&row, price, quantity) } else { quantity };
        if affordable > Quantity::ZERO {
            let trade = self.markets[0].reserve_trade();
            self.fill(id, trade, price, affordable, liquidity);
        }
        if affordable < quantity {
            self.cancel_on_bars(id);
            self.close(id, Status::Expired, Execution::Expired);
        }
    }

    fn affordable(&self, row: &super::order::Row, price: Price, quantity: Quantity) -> Quantity {
        let rules = &self.markets[0].rules;
        let funds = self.ledger.balance(row.account, rules.quote).free + row.locked;
        let cost = |quantity: Quantity| {
            let cost = rules.notional(price, quantity);
            cost + self.quote_fee(rules.quote, cost, Liquidity::Taker)
        };
        if cost(quantity) <= funds {
            return quantity;
        }
        let lots = funds * i128::from(quantity.mantissa()) / cost(quantity).max(1);
        let lots = Quantity::from_mantissa(i64::try_from(lots).unwrap_or(0));
        let fits = rules.instrument.whole_lots(lots);
        if cost(fits) <= funds { fits } else { fits - rules.instrument.spec.lot }
    }
}

/// A bar as a candle; its one "trade" says only that something traded.
pub(crate) fn candle_of(bar: &Bar, notional: impl Fn(Price, Quantity) -> i128) -> Candle {
    let mut candle = Candle::flat(bar.open_time.millis(), bar.open);
    (candle.high, candle.low, candle.close) = (bar.high, bar.low, bar.close);
    candle.volume = i128::from(bar.volume.mantissa());
    candle.quote_volume = notional(bar.close, bar.volume);
    candle.trades = 4;
    candle
}

fn id_of(event: &BarEvent) -> u64 {
    let (BarEvent::Triggered { client_id, .. }
    | BarEvent::Fill { client_id, .. }
    | BarEvent::Cancelled { client_id, .. }
    | BarEvent::Rejected { client_id, .. }) = event;
    u64::try_from(client_id.as_u128()).unwrap_or(0)
}

/// Whether the matcher of bars knows an order type.
pub(crate) const fn knows(kind: Kind) -> bool {
    !matches!(kind, Kind::TakeProfit | Kind::TakeProfitLimit)
}
