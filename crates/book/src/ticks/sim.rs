//! [`TickSim`]: two places and what travels between them.

use super::exchange::{Answer, Exchange};
use super::{FeedLatency, FillSize, OrderLatency, QueueModel, TickCancel, TickOrder, TickReject};
use crate::{BookError, OrderBook};
use std::collections::VecDeque;
use tradewind_domain::{Coded, Liquidity, Price, Quantity, Side, Timestamp};

/// One event of a recorded feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickEvent {
    /// When it happened, by the exchange's clock; never before the event before it.
    pub exchange_time: Timestamp,
    /// When it was received; used by [`FeedLatency::Recorded`] only.
    pub received: Timestamp,
    /// What happened.
    pub kind: TickKind,
}

/// What a feed can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TickKind {
    /// A level now shows this size; zero removes it.
    Level {
        /// Bids or asks.
        side: Side,
        /// Which level.
        price: Price,
        /// All that rests there.
        size: Quantity,
    },
    /// A trade.
    Trade {
        /// Who crossed.
        aggressor: Side,
        /// At which price.
        price: Price,
        /// How much.
        size: Quantity,
    },
    /// The book starts anew: levels of a snapshot follow.
    Clear,
}

/// What a simulation assumes.
#[derive(Clone, Debug)]
pub struct TickSetup {
    /// Step between levels.
    pub tick: Price,
    /// Step of sizes.
    pub lot: Quantity,
    /// How late the feed is.
    pub feed_latency: FeedLatency,
    /// How late requests and answers are.
    pub order_latency: OrderLatency,
    /// Where resting orders stand.
    pub queue: QueueModel,
    /// How much a trade past the queue fills.
    pub fill_size: FillSize,
}

/// What we learn of our orders, in the order in which we learn it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickReport {
    /// Which order.
    pub id: u64,
    /// When it happened.
    pub exchange_time: Timestamp,
    /// When we learn it.
    pub local_time: Timestamp,
    /// What it is.
    pub kind: TickReportKind,
}

/// What can become of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TickReportKind {
    /// It is in.
    Accepted,
    /// It never was in.
    Rejected {
        /// Why.
        reason: TickReject,
    },
    /// It traded. The fee is the caller's, by `liquidity`.
    Fill {
        /// Which way.
        side: Side,
        /// At which price.
        price: Price,
        /// How much.
        quantity: Quantity,
        /// What is left of it.
        open: Quantity,
        /// Whether it rested or crossed.
        liquidity: Liquidity,
    },
    /// It is over with something left.
    Cancelled {
        /// What was left.
        open: Quantity,
        /// Why.
        reason: TickCancel,
    },
    /// A cancel found no open order.
    CancelRefused,
}

/// A feed that cannot be replayed; the simulation stands before the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TickError {
    /// An event is earlier than the one before it.
    OutOfOrder {
        /// The one before.
        last: Timestamp,
        /// The event.
        found: Timestamp,
    },
    /// A level or trade that does not fit the book.
    Book(BookError),
}

impl std::fmt::Display for TickError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OutOfOrder { last, found } => write!(f, "an event of {found} follows one of {last}"),
            Self::Book(error) => error.fmt(f),
        }
    }
}
impl std::error::Error for TickError {}
impl Coded for TickError {
    fn code(&self) -> &'static str {
        match self {
            Self::OutOfOrder { .. } => "BOK-07",
            Self::Book(error) => error.code(),
        }
    }
    fn hint(&self) -> &'static str {
        crate::error::hint_of(self.code())
    }
}

/// A feed event on its way here.
#[derive(Clone, Copy, Debug)]
struct Sight {
    at: Timestamp,
    kind: SightKind,
}

/// Side, height on its ladder, size; a trade names the side that was hit.
#[derive(Clone, Copy, Debug)]
enum SightKind {
    Level(Side, i64, i64),
    Trade(Side, i64, i64),
    Clear,
}

/// A request on its way to the exchange.
#[derive(Clone, Copy, Debug)]
enum Request {
    Submit(TickOrder),
    Cancel(u64),
}

/// Replays a recorded feed with our orders in it; see [`crate::ticks`] for what it assumes.
///
/// Events are pulled from an iterator as time goes on, so memory stays flat however long the recording is.
#[derive(Clone, Debug)]
pub struct TickSim<I> {
    events: I,
    next: Option<TickEvent>,
    last: Timestamp,
    now: Timestamp,
    exchange: Exchange,
    view: OrderBook,
    last_trade: Option<(Side, Price, Quantity)>,
    feed_latency: FeedLatency,
    order_latency: OrderLatency,
    sights: VecDeque<Sight>,
    last_sight: Timestamp,
    requests: VecDeque<(Timestamp, Request)>,
    reports: VecDeque<TickReport>,
    last_report: Timestamp,
}

impl<I: Iterator<Item = TickEvent>> TickSim<I> {
    /// Stands before the first event, with empty books.
    ///
    /// # Panics
    /// If tick or lot is not positive.
    pub fn new(setup: TickSetup, mut events: I) -> Self {
        assert!(setup.lot.mantissa() > 0, "a lot is positive");
        let book = OrderBook::new(setup.tick);
        let next = events.next();
        let start = next.map_or(Timestamp::default(), |event| event.exchange_time);
        let past = Timestamp::from_nanos(i64::MIN);
        Self {
            events,
            next,
            last: past,
            now: start,
            exchange: Exchange::new(book.clone(), setup.lot.mantissa(), setup.queue, setup.fill_size),
            view: book,
            last_trade: None,
            feed_latency: setup.feed_latency,
            order_latency: setup.order_latency,
            sights: VecDeque::new(),
            last_sight: past,
            requests: VecDeque::new(),
            reports: VecDeque::new(),
            last_report: past,
        }
    }

    /// The time here; at first that of the first event.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }
    /// The book as seen here.
    #[must_use]
    pub const fn book(&self) -> &OrderBook {
        &self.view
    }
    /// The latest trade seen here: who crossed, price, size.
    #[must_use]
    pub const fn last_trade(&self) -> Option<(Side, Price, Quantity)> {
        self.last_trade
    }
    /// Whether the recording is at its end.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.next.is_none()
    }

    /// Sends an order now. What became of it comes as reports.
    pub fn submit(&mut self, order: TickOrder) {
        self.send(Request::Submit(order));
    }

    /// Sends a cancel now. The order may fill before it arrives.
    pub fn cancel(&mut self, id: u64) {
        self.send(Request::Cancel(id));
    }

    fn send(&mut self, request: Request) {
        let arrival = self.now.plus_nanos(self.order_latency.entry(self.now));
        let at = self.requests.partition_point(|(other, _)| *other <= arrival);
        self.requests.insert(at, (arrival, request));
    }

    /// Lets time pass until `until` (not at all if that is past) and appends what we learn of our orders to `out`;
    /// `false` once the recording is at its end.
    ///
    /// # Errors
    /// [`TickError`] for an event that cannot be replayed.
    pub fn advance(&mut self, until: Timestamp, out: &mut Vec<TickReport>) -> Result<bool, TickError> {
        let until = until.max(self.now);
        if let Some(mut event) = self.next {
            while event.exchange_time <= until {
                self.replay(&event)?;
                self.next = self.events.next();
                let Some(next) = self.next else { break };
                event = next;
            }
        }
        self.serve(until);
        self.exchange.expire(until);
        self.post();
        self.now = until;
        while let Some(sight) = self.sights.front().copied().filter(|sight| sight.at <= until) {
            self.sights.pop_front();
            self.see(sight.kind);
        }
        while let Some(report) = self.reports.front().copied().filter(|report| report.local_time <= until) {
            self.reports.pop_front();
            out.push(report);
        }
        Ok(self.next.is_some())
    }

    /// One event at the exchange, after the requests that arrive before it.
    #[inline]
    fn replay(&mut self, event: &TickEvent) -> Result<(), TickError> {
        let at = event.exchange_time;
        if at < self.last {
            return Err(TickError::OutOfOrder { last: self.last, found: at });
        }
        let kind = self.read(&event.kind).map_err(TickError::Book)?;
        self.last = at;
        if !self.requests.is_empty() {
            self.serve(at);
        }
        self.exchange.expire(at);
        match kind {
            SightKind::Level(side, height, size) => self.exchange.level(side, height, size, at),
            SightKind::Trade(hit, height, size) => self.exchange.trade(hit, height, size, at),
            SightKind::Clear => self.exchange.book.clear(),
        }
        if !self.exchange.answers.is_empty() {
            self.post();
        }
        let seen = self.feed_latency.seen_at(at, event.received).max(self.last_sight);
        self.last_sight = seen; // one connection: nothing overtakes
        self.sights.push_back(Sight { at: seen, kind });
        Ok(())
    }

    #[inline]
    fn read(&self, kind: &TickKind) -> Result<SightKind, BookError> {
        let height = |side, price| self.view.height(side, price).ok_or(BookError::OffTick(price));
        let amount =
            |size: Quantity| if size < Quantity::ZERO { Err(BookError::Negative(size)) } else { Ok(size.mantissa()) };
        Ok(match *kind {
            TickKind::Level { side, price, size } => SightKind::Level(side, height(side, price)?, amount(size)?),
            TickKind::Trade { aggressor, price, size } => {
                let hit = aggressor.opposite();
                SightKind::Trade(hit, height(hit, price)?, amount(size)?)
            }
            TickKind::Clear => SightKind::Clear,
        })
    }

    /// Requests that arrive by `by`.
    fn serve(&mut self, by: Timestamp) {
        while let Some((at, request)) = self.requests.front().copied().filter(|(at, _)| *at <= by) {
            self.requests.pop_front();
            self.exchange.expire(at);
            match request {
                Request::Submit(order) => self.exchange.submit(&order, at),
                Request::Cancel(id) => self.exchange.cancel(id, at),
            }
        }
    }

    /// Sends the exchange's answers on their way here.
    fn post(&mut self) {
        for Answer { at, id, kind } in self.exchange.answers.drain(..) {
            let local_time = at.plus_nanos(self.order_latency.response(at)).max(self.last_report);
            self.last_report = local_time;
            self.reports.push_back(TickReport { id, exchange_time: at, local_time, kind });
        }
    }

    #[inline]
    fn see(&mut self, kind: SightKind) {
        match kind {
            SightKind::Level(side, height, size) => _ = self.view.set_height(side, height, size),
            SightKind::Trade(hit, height, size) => {
                let price = self.view.price(hit, height);
                self.last_trade = Some((hit.opposite(), price, Quantity::from_mantissa(size)));
            }
            SightKind::Clear => self.view.clear(),
        }
    }
}
