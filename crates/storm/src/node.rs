//! The node's process: what lives and dies with it.

use crate::inquire::Asked;
use crate::invariants::Watchdog;
use crate::orders::Pending;
use crate::sweep::Sweeping;
use crate::wire::Wire;
use std::collections::BTreeMap;
use std::time::Duration;
use tradewind_domain::{ClientOrderId, InstrumentId, Timestamp};
use tradewind_engine::{Doubt, Inquiry, Question};
use tradewind_host::{Host, MarketClock};
use tradewind_journal::SimStorage;
use tradewind_strategies::Desk;
use tradewind_venues::Budget;

/// From when until when the venue takes a request.
pub(crate) type Window = (Timestamp, Timestamp);

/// Why a question was asked.
#[derive(Clone, Debug)]
pub(crate) enum Ticket {
    /// What time is it? Asked at this moment of the monotonic clock.
    Clock(i64),
    /// About an order in doubt.
    Inquiry(ClientOrderId, Question),
    /// A part of a sweep.
    Sweep(u64, crate::sweep::Part),
}

/// The connection that carries orders out, and answers and the user stream in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Session {
    /// Its number; 0 before the first one.
    pub(crate) id: u64,
    /// Whether the node believes that it is up.
    pub(crate) up: bool,
    /// Since when the user stream is whole, by the monotonic clock.
    pub(crate) since: i64,
    /// When something was last heard on it.
    pub(crate) heard: i64,
    /// The number of the subscription that is out.
    pub(crate) subscribing: i64,
    /// Attempts in a row that failed.
    pub(crate) failures: u32,
}

/// What dies with the process.
pub(crate) struct Process {
    pub(crate) host: Host<SimStorage, Wire>,
    pub(crate) desks: Vec<Desk>,
    pub(crate) session: Session,
    pub(crate) pending: BTreeMap<i64, Pending>,
    pub(crate) next_id: i64,
    pub(crate) inquiries: BTreeMap<ClientOrderId, Asked>,
    /// Doubts that wait until the venue's clock is known.
    pub(crate) put_off: Vec<(ClientOrderId, Doubt, Option<Window>)>,
    pub(crate) tickets: BTreeMap<u64, Ticket>,
    pub(crate) sweep: Option<Sweeping>,
    pub(crate) weight: Budget,
    pub(crate) orders: Budget,
    /// When this process began, in true time, and how fast its quartz is, in parts per million.
    pub(crate) began: i64,
    pub(crate) drift_ppm: i64,
    pub(crate) market: MarketClock,
    pub(crate) restricted_since: Option<i64>,
    pub(crate) clock_refusals: u32,
    /// When the clock is read next, and when the next connection is tried.
    pub(crate) clock_due: i64,
    pub(crate) connect_due: i64,
    /// The newest closed bar of each instrument, by its open time.
    pub(crate) last_bars: BTreeMap<InstrumentId, Timestamp>,
}

/// What outlives a process: the disk, and what the storm remembers of earlier lives.
pub(crate) struct Node {
    pub(crate) storage: SimStorage,
    pub(crate) process: Option<Process>,
    /// Which life it is in; events of an earlier one mean nothing.
    pub(crate) life: u64,
    pub(crate) next_session: u64,
    pub(crate) next_ticket: u64,
    /// By how much the wall clock is off, in nanoseconds.
    pub(crate) wall_off: i64,
    /// The watchdog between two lives.
    pub(crate) watchdog: Option<Watchdog>,
    pub(crate) crashes: u64,
}

impl Node {
    pub(crate) fn new() -> Self {
        Self {
            storage: SimStorage::new(),
            process: None,
            life: 0,
            next_session: 0,
            next_ticket: 0,
            wall_off: 0,
            watchdog: Some(Watchdog::default()),
            crashes: 0,
        }
    }
}

impl Process {
    /// The monotonic clock at `now`, true time.
    pub(crate) const fn monotonic(&self, now: i64) -> i64 {
        let elapsed = now - self.began;
        elapsed + elapsed / 1_000_000 * self.drift_ppm
    }

    /// What budgets run on: the wall clock at the beginning, moved on by the monotonic clock.
    pub(crate) const fn budget_time(&self, now: i64) -> Timestamp {
        Timestamp::from_nanos(self.began + self.monotonic(now))
    }

    /// The venue's clock was read: the market and the venue's budgets run by it.
    pub(crate) fn read_venue_time(&mut self, now: i64) {
        let (moment, ours) = (self.monotonic(now), self.budget_time(now));
        if let Some((venue, error)) = self.host.outside.clock.at(moment) {
            self.market.venue_says(venue, moment);
            self.weight.align(venue.plus_nanos(-error), ours);
            self.orders.align(venue.plus_nanos(-error), ours);
        }
    }

    /// The market's time, as a node of a live market tells it, and never before an event that was recorded.
    pub(crate) fn market_time(&self, now: i64) -> Timestamp {
        self.market.at(self.monotonic(now)).max(self.host.state.now)
    }
}

/// What the venue's exchange information allows, less nothing: the node keeps a quarter of it for cancels and questions.
pub(crate) fn budgets() -> (Budget, Budget) {
    let minute = Duration::from_secs(60);
    (Budget::new(&[(minute, 6_000)]), Budget::new(&[(Duration::from_secs(10), 100), (minute * 1_440, 200_000)]))
}

/// An inquiry's clock: the venue's time as it was known once, moved on by the monotonic clock alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steady {
    pub(crate) began: i64,
    pub(crate) venue: Timestamp,
    pub(crate) error: i64,
}

impl Steady {
    pub(crate) const fn at(&self, monotonic: i64) -> Timestamp {
        let elapsed = if monotonic > self.began { monotonic - self.began } else { 0 };
        self.venue.plus_nanos(elapsed)
    }
    pub(crate) const fn error(&self, monotonic: i64) -> i64 {
        self.error + (monotonic - self.began) / 1_000_000 * 500
    }
    /// How long it is from `monotonic` until `moment`, in nanoseconds.
    pub(crate) const fn until(&self, moment: Timestamp, monotonic: i64) -> i64 {
        moment.since(self.at(monotonic))
    }
}

/// Keeps an inquiry informed of stream and clock.
pub(crate) fn inform(inquiry: &mut Inquiry, clock: Steady, session: Session, monotonic: i64) {
    if session.up {
        inquiry.stream_is_whole(clock.at(session.since));
    } else {
        inquiry.stream_broke();
    }
    inquiry.clock_may_err(clock.error(monotonic));
}
