//! The exchange's place: its book, our resting orders in it, and what becomes of our requests.

use super::TickReportKind;
use super::queue::{Place, QueueModel};
use crate::OrderBook;
use tradewind_domain::{Liquidity, Price, Quantity, Side, TimeInForce, Timestamp};

/// An order as a tick strategy sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickOrder {
    /// The caller's name of it, unique among open orders.
    pub id: u64,
    /// Which way.
    pub side: Side,
    /// The worst price; `None` for a market order.
    pub limit: Option<Price>,
    /// Good till cancelled, immediate or cancel, fill or kill, good till a date by the exchange's clock.
    pub time_in_force: TimeInForce,
    /// Rest or be rejected.
    pub post_only: bool,
    /// How much, a positive number of lots.
    pub quantity: Quantity,
}

/// How much of a resting order a trade past its queue fills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FillSize {
    /// What the trade has left, the rest waits for the next trade.
    #[default]
    Partial,
    /// All of it: coarser and kinder, as hftbacktest's exchange without partial fills.
    Whole,
}

/// Why the exchange did not take an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TickReject {
    /// An open order has this id.
    DuplicateId,
    /// Not a positive number of lots.
    Quantity,
    /// The limit lies between two ticks.
    OffTick,
    /// Post only, and it would have crossed.
    WouldCross,
    /// Post only without a limit, or with immediate or cancel or fill or kill.
    Contradiction,
}

/// Why an order ended with something left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TickCancel {
    /// We asked.
    Requested,
    /// Immediate or cancel, or a market order: no more was displayed.
    Immediate,
    /// Fill or kill: not enough was displayed.
    Kill,
    /// Its time was up.
    Expired,
}

#[derive(Clone, Copy, Debug)]
struct Own {
    id: u64,
    number: i64,
    open: i64,
    place: Place,
    until: i64,
}

/// What happened at the exchange, not seen here yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) at: Timestamp,
    pub(super) id: u64,
    pub(super) kind: TickReportKind,
}

#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) book: OrderBook,
    bids: Vec<Own>,
    asks: Vec<Own>,
    /// Tick numbers of our best bid and ask, out of reach without orders.
    best_bid: i64,
    best_ask: i64,
    /// Nanoseconds of the next date that ends an order.
    next_expiry: i64,
    lot: i64,
    queue: QueueModel,
    fill_size: FillSize,
    pub(super) answers: Vec<Answer>,
}

impl Exchange {
    pub(super) fn new(book: OrderBook, lot: i64, queue: QueueModel, fill_size: FillSize) -> Self {
        Self {
            book,
            bids: Vec::new(),
            asks: Vec::new(),
            best_bid: i64::MIN,
            best_ask: i64::MAX,
            next_expiry: i64::MAX,
            lot,
            queue,
            fill_size,
            answers: Vec::new(),
        }
    }

    /// A level now shows `size`.
    #[inline]
    pub(super) fn level(&mut self, side: Side, number: i64, size: i64, at: Timestamp) {
        let old = self.book.set_number(side, number, size);
        // the same side's queue shrinks or grows; the opposite side may stand at our price or beyond
        let (near, through) = match side {
            Side::Buy => (number <= self.best_bid, number >= self.best_ask && size != 0),
            Side::Sell => (number >= self.best_ask, number <= self.best_bid && size != 0),
        };
        if near {
            self.requeue(side, number, old, size);
        }
        if through {
            self.fill_reached(side.opposite(), number, at);
        }
    }

    fn requeue(&mut self, side: Side, number: i64, old: i64, new: i64) {
        let (queue, lot) = (self.queue, self.lot);
        for own in self.own(side).iter_mut().filter(|own| own.number == number) {
            own.place.shown(queue, old / lot, new / lot);
        }
    }

    /// A trade of `size` hits resting orders of `side` at `number`.
    #[inline]
    pub(super) fn trade(&mut self, side: Side, number: i64, size: i64, at: Timestamp) {
        let reaches = match side {
            Side::Buy => number <= self.best_bid,
            Side::Sell => number >= self.best_ask,
        };
        if reaches {
            self.trade_ours(side, number, size, at);
        }
    }

    fn trade_ours(&mut self, side: Side, number: i64, size: i64, at: Timestamp) {
        let beyond = if side == Side::Buy { number.saturating_add(1) } else { number.saturating_sub(1) };
        self.fill_reached(side, beyond, at);
        let (lot, whole) = (self.lot, self.fill_size == FillSize::Whole);
        let mut given = 0; // lots that our earlier orders took of this trade
        let mut own = std::mem::take(self.own(side));
        own.retain_mut(|order| {
            if order.number != number {
                return true;
            }
            let past = order.place.traded(size / lot) - given;
            if past <= 0 {
                return true;
            }
            let quantity = if whole { order.open } else { order.open.min(past * lot) };
            given += quantity / lot;
            self.fill_maker(side, order, quantity, at);
            order.open != 0
        });
        *self.own(side) = own;
        self.find_best();
    }

    /// Fills our orders of `side` whose price is `number` or better for the other side.
    fn fill_reached(&mut self, side: Side, number: i64, at: Timestamp) {
        let mut own = std::mem::take(self.own(side));
        own.retain_mut(|order| {
            let reached = if side == Side::Buy { order.number >= number } else { order.number <= number };
            if reached {
                self.fill_maker(side, order, order.open, at);
            }
            !reached
        });
        *self.own(side) = own;
        self.find_best();
    }

    fn fill_maker(&mut self, side: Side, order: &mut Own, quantity: i64, at: Timestamp) {
        order.open -= quantity;
        let open = order.open;
        self.answer(order.id, at, self.fill(side, order.number, quantity, open, Liquidity::Maker));
    }

    const fn fill(&self, side: Side, number: i64, quantity: i64, open: i64, liquidity: Liquidity) -> TickReportKind {
        let (price, quantity) = (self.book.price(number), Quantity::from_mantissa(quantity));
        TickReportKind::Fill { side, price, quantity, open: Quantity::from_mantissa(open), liquidity }
    }

    pub(super) fn submit(&mut self, order: &TickOrder, at: Timestamp) {
        let number = match self.refusal(order) {
            Ok(number) => number,
            Err(reason) => return self.answer(order.id, at, TickReportKind::Rejected { reason }),
        };
        self.answer(order.id, at, TickReportKind::Accepted);
        let open = self.take(order, number, at);
        let cancelled = |reason| TickReportKind::Cancelled { open: Quantity::from_mantissa(open), reason };
        match (open, order.limit, order.time_in_force) {
            (0, _, _) => (),
            (_, _, TimeInForce::Fok) => self.answer(order.id, at, cancelled(TickCancel::Kill)),
            (_, None, _) | (_, _, TimeInForce::Ioc) => self.answer(order.id, at, cancelled(TickCancel::Immediate)),
            (_, Some(_), TimeInForce::Gtc) => self.rest(order, number, open, i64::MAX),
            (_, Some(_), TimeInForce::Gtd(until)) => self.rest(order, number, open, until.nanos()),
        }
    }

    /// The limit's tick number; for a market order, the end of the line.
    fn refusal(&self, order: &TickOrder) -> Result<i64, TickReject> {
        let number = match (order.limit, order.side) {
            (Some(limit), _) => self.book.tick_number(limit).ok_or(TickReject::OffTick)?,
            (None, Side::Buy) => i64::MAX,
            (None, Side::Sell) => i64::MIN,
        };
        let immediate = matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
        let quantity = order.quantity.mantissa();
        if self.bids.iter().chain(&self.asks).any(|own| own.id == order.id) {
            Err(TickReject::DuplicateId)
        } else if quantity <= 0 || quantity % self.lot != 0 {
            Err(TickReject::Quantity)
        } else if order.post_only && (immediate || order.limit.is_none()) {
            Err(TickReject::Contradiction)
        } else if order.post_only && self.meets(order.side, number) {
            Err(TickReject::WouldCross)
        } else {
            Ok(number)
        }
    }

    fn meets(&self, side: Side, number: i64) -> bool {
        match side {
            Side::Buy => self.book.best_number(Side::Sell).is_some_and(|ask| ask <= number),
            Side::Sell => self.book.best_number(Side::Buy).is_some_and(|bid| bid >= number),
        }
    }

    /// Takes what is displayed up to `number`; returns what is left of the order.
    fn take(&mut self, order: &TickOrder, number: i64, at: Timestamp) -> i64 {
        let within = |level: &(i64, i64)| match order.side {
            Side::Buy => level.0 <= number,
            Side::Sell => level.0 >= number,
        };
        let mut open = order.quantity.mantissa();
        if !self.meets(order.side, number) {
            return open;
        }
        let lot = self.lot;
        let levels = || {
            let displayed = self.book.numbers(order.side.opposite()).take_while(within);
            displayed.map(|(level, size)| (level, size - size % lot))
        };
        let enough = || levels().map(|(_, size)| i128::from(size)).sum::<i128>() >= i128::from(open);
        if order.time_in_force == TimeInForce::Fok && !enough() {
            return open;
        }
        let mut fills = Vec::new();
        for (level, size) in levels() {
            let quantity = open.min(size);
            open -= quantity;
            if quantity != 0 {
                fills.push(self.fill(order.side, level, quantity, open, Liquidity::Taker));
            }
            if open == 0 {
                break;
            }
        }
        self.answers.extend(fills.into_iter().map(|kind| Answer { at, id: order.id, kind }));
        open
    }

    fn rest(&mut self, order: &TickOrder, number: i64, open: i64, until: i64) {
        let place = Place::last_of(self.book.size_number(order.side, number) / self.lot);
        self.own(order.side).push(Own { id: order.id, number, open, place, until });
        self.find_best();
    }

    pub(super) fn cancel(&mut self, id: u64, at: Timestamp) {
        let side = if self.bids.iter().any(|own| own.id == id) { Side::Buy } else { Side::Sell };
        let kind = match self.own(side).iter().position(|own| own.id == id) {
            None => TickReportKind::CancelRefused,
            Some(index) => {
                let open = Quantity::from_mantissa(self.own(side).remove(index).open);
                TickReportKind::Cancelled { open, reason: TickCancel::Requested }
            }
        };
        self.answer(id, at, kind);
        self.find_best();
    }

    /// Ends orders whose date is at or before `at`.
    #[inline]
    pub(super) fn expire(&mut self, at: Timestamp) {
        if at.nanos() >= self.next_expiry {
            self.expire_some(at);
        }
    }

    #[cold]
    fn expire_some(&mut self, at: Timestamp) {
        for side in [Side::Buy, Side::Sell] {
            let mut own = std::mem::take(self.own(side));
            own.retain(|order| {
                if order.until <= at.nanos() {
                    let open = Quantity::from_mantissa(order.open);
                    let kind = TickReportKind::Cancelled { open, reason: TickCancel::Expired };
                    self.answer(order.id, Timestamp::from_nanos(order.until), kind);
                }
                order.until > at.nanos()
            });
            *self.own(side) = own;
        }
        self.find_best();
    }

    fn answer(&mut self, id: u64, at: Timestamp, kind: TickReportKind) {
        self.answers.push(Answer { at, id, kind });
    }

    const fn own(&mut self, side: Side) -> &mut Vec<Own> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    fn find_best(&mut self) {
        self.best_bid = self.bids.iter().map(|own| own.number).max().unwrap_or(i64::MIN);
        self.best_ask = self.asks.iter().map(|own| own.number).min().unwrap_or(i64::MAX);
        self.next_expiry = self.bids.iter().chain(&self.asks).map(|own| own.until).min().unwrap_or(i64::MAX);
    }
}
