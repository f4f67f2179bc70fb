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
    /// Where it rests, as the book's ladder of its side counts: the higher the better.
    height: i64,
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
    /// Our bids, our asks, each in order of arrival.
    own: [Vec<Own>; 2],
    /// Heights of our best and worst order of each side, out of reach without orders.
    best: [i64; 2],
    worst: [i64; 2],
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
            own: [Vec::new(), Vec::new()],
            best: [i64::MIN; 2],
            worst: [i64::MAX; 2],
            next_expiry: i64::MAX,
            lot,
            queue,
            fill_size,
            answers: Vec::new(),
        }
    }

    /// A level now shows `size`.
    #[inline]
    pub(super) fn level(&mut self, side: Side, height: i64, size: i64, at: Timestamp) {
        let old = self.book.set_height(side, height, size);
        let (ours, theirs) = (side as usize, side.opposite() as usize);
        if self.worst[ours] <= height && height <= self.best[ours] {
            self.requeue(side, height, old, size);
        }
        // displayed at our price or through it
        if height >= !self.best[theirs] && size != 0 {
            self.fill_reached(side.opposite(), !height, at);
        }
    }

    fn requeue(&mut self, side: Side, height: i64, old: i64, new: i64) {
        let (queue, lot) = (self.queue, self.lot);
        for own in self.own[side as usize].iter_mut().filter(|own| own.height == height) {
            own.place.shown(queue, old / lot, new / lot);
        }
    }

    /// A trade of `size` hits resting orders of `side` at `height`.
    #[inline]
    pub(super) fn trade(&mut self, side: Side, height: i64, size: i64, at: Timestamp) {
        if height <= self.best[side as usize] {
            self.trade_ours(side, height, size, at);
        }
    }

    fn trade_ours(&mut self, side: Side, height: i64, size: i64, at: Timestamp) {
        if height < self.best[side as usize] {
            self.fill_reached(side, height + 1, at);
        }
        let (lot, whole) = (self.lot, self.fill_size == FillSize::Whole);
        let mut given = 0; // lots that our earlier orders took of this trade
        let mut own = std::mem::take(&mut self.own[side as usize]);
        own.retain_mut(|order| {
            if order.height != height {
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
        self.own[side as usize] = own;
        if given != 0 {
            self.find_best();
        }
    }

    /// Fills our orders of `side` at `height` and better.
    fn fill_reached(&mut self, side: Side, height: i64, at: Timestamp) {
        let mut own = std::mem::take(&mut self.own[side as usize]);
        own.retain_mut(|order| {
            let reached = order.height >= height;
            if reached {
                self.fill_maker(side, order, order.open, at);
            }
            !reached
        });
        self.own[side as usize] = own;
        self.find_best();
    }

    fn fill_maker(&mut self, side: Side, order: &mut Own, quantity: i64, at: Timestamp) {
        order.open -= quantity;
        let open = order.open;
        self.answer(order.id, at, self.fill(side, order.height, quantity, open, Liquidity::Maker));
    }

    /// A fill of an order of `side` at `height`, as the ladder of that side counts.
    const fn fill(&self, side: Side, height: i64, quantity: i64, open: i64, liquidity: Liquidity) -> TickReportKind {
        let (price, quantity) = (self.book.price(side, height), Quantity::from_mantissa(quantity));
        TickReportKind::Fill { side, price, quantity, open: Quantity::from_mantissa(open), liquidity }
    }

    pub(super) fn submit(&mut self, order: &TickOrder, at: Timestamp) {
        let height = match self.refusal(order) {
            Ok(height) => height,
            Err(reason) => return self.answer(order.id, at, TickReportKind::Rejected { reason }),
        };
        self.answer(order.id, at, TickReportKind::Accepted);
        let open = self.take(order, height, at);
        let cancelled = |reason| TickReportKind::Cancelled { open: Quantity::from_mantissa(open), reason };
        match (open, order.limit, order.time_in_force) {
            (0, _, _) => (),
            (_, _, TimeInForce::Fok) => self.answer(order.id, at, cancelled(TickCancel::Kill)),
            (_, None, _) | (_, _, TimeInForce::Ioc) => self.answer(order.id, at, cancelled(TickCancel::Immediate)),
            (_, Some(_), TimeInForce::Gtc) => self.rest(order, height, open, i64::MAX),
            (_, Some(_), TimeInForce::Gtd(until)) => self.rest(order, height, open, until.nanos()),
        }
    }

    /// The limit's height; for a market order, above all others.
    fn refusal(&self, order: &TickOrder) -> Result<i64, TickReject> {
        let height = match order.limit {
            Some(limit) => self.book.height(order.side, limit).ok_or(TickReject::OffTick)?,
            None => i64::MAX,
        };
        let immediate = matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
        let quantity = order.quantity.mantissa();
        if self.own.iter().flatten().any(|own| own.id == order.id) {
            Err(TickReject::DuplicateId)
        } else if quantity <= 0 || quantity % self.lot != 0 {
            Err(TickReject::Quantity)
        } else if order.post_only && (immediate || order.limit.is_none()) {
            Err(TickReject::Contradiction)
        } else if order.post_only && self.crosses(order.side, height) {
            Err(TickReject::WouldCross)
        } else {
            Ok(height)
        }
    }

    fn crosses(&self, side: Side, height: i64) -> bool {
        self.book.best_height(side.opposite()).is_some_and(|best| !best <= height)
    }

    /// Takes what is displayed up to the limit's height; returns what is left of the order.
    fn take(&mut self, order: &TickOrder, height: i64, at: Timestamp) -> i64 {
        let mut open = order.quantity.mantissa();
        if !self.crosses(order.side, height) {
            return open;
        }
        let lot = self.lot;
        // whole lots by level, at heights of the order's own side
        let displayed = || {
            let levels = self.book.heights(order.side.opposite()).map(|(theirs, size)| (!theirs, size - size % lot));
            levels.take_while(|(level, _)| *level <= height)
        };
        let enough = || displayed().map(|(_, size)| i128::from(size)).sum::<i128>() >= i128::from(open);
        if order.time_in_force == TimeInForce::Fok && !enough() {
            return open;
        }
        let mut fills = Vec::new();
        for (level, size) in displayed() {
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

    fn rest(&mut self, order: &TickOrder, height: i64, open: i64, until: i64) {
        let place = Place::last_of(self.book.size_height(order.side, height) / self.lot);
        self.own[order.side as usize].push(Own { id: order.id, height, open, place, until });
        self.find_best();
    }

    pub(super) fn cancel(&mut self, id: u64, at: Timestamp) {
        let place = |own: &Vec<Own>| own.iter().position(|own| own.id == id);
        let found = self.own.iter().enumerate().find_map(|(side, own)| place(own).map(|index| (side, index)));
        let kind = match found {
            None => TickReportKind::CancelRefused,
            Some((side, index)) => {
                let open = Quantity::from_mantissa(self.own[side].remove(index).open);
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
        for side in 0..2 {
            let mut own = std::mem::take(&mut self.own[side]);
            own.retain(|order| {
                if order.until <= at.nanos() {
                    let open = Quantity::from_mantissa(order.open);
                    let kind = TickReportKind::Cancelled { open, reason: TickCancel::Expired };
                    self.answer(order.id, Timestamp::from_nanos(order.until), kind);
                }
                order.until > at.nanos()
            });
            self.own[side] = own;
        }
        self.find_best();
    }

    fn answer(&mut self, id: u64, at: Timestamp, kind: TickReportKind) {
        self.answers.push(Answer { at, id, kind });
    }

    fn find_best(&mut self) {
        for (side, own) in self.own.iter().enumerate() {
            self.best[side] = own.iter().map(|own| own.height).max().unwrap_or(i64::MIN);
            self.worst[side] = own.iter().map(|own| own.height).min().unwrap_or(i64::MAX);
        }
        self.next_expiry = self.own.iter().flatten().map(|own| own.until).min().unwrap_or(i64::MAX);
    }
}
