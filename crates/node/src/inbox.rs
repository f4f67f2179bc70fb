//! What comes into the engine's thread, and what leaves it.

use crate::clock::wall;
use crate::liquidity::SeenBook;
use crate::operate::{OperatorReply, OperatorRequest};
use tokio::sync::oneshot;
use tradewind_domain::{
    Bar, ClientOrderId, InstrumentId, InstrumentSpec, OrderRecord, Origin, PortfolioId, Price, Quantity, Source,
    Timestamp,
};
use tradewind_engine::{Basis, EventKind, Findings, Seen};
use tradewind_venues::binance::convert::ConvertError;

/// What comes into the engine's thread.
pub(crate) enum Input {
    /// A fact of the outside world.
    Fact(Fact),
    /// A closed bar, to be shown to the desks.
    Bar { bar: Bar, received: Timestamp, origin: Origin },
    /// A person acts.
    Operator(Box<OperatorRequest>, oneshot::Sender<OperatorReply>),
    /// A request was handed to the socket at this moment.
    BytesOut { received: Timestamp, decided: Timestamp, sent: Timestamp },
    /// What rests in a book, for the status.
    Book(InstrumentId, Box<SeenBook>),
    /// Something the status should show.
    Notice(String),
    /// The settings file says something else than what runs.
    Drifted(String),
    /// What is known of this order?
    Order(ClientOrderId, oneshot::Sender<Option<Box<OrderRecord>>>),
    /// The venue works an order at these terms.
    Terms { client_id: ClientOrderId, price: Option<Price>, quantity: Quantity },
    /// What is known before the venue is asked, the market's time, and from when on executions are to be asked for.
    Basis(oneshot::Sender<(Basis, Timestamp, Timestamp)>),
    /// Compare what the venue said with the books, and record what follows.
    Compare(Box<Comparison>, oneshot::Sender<Box<Findings>>),
    /// The venue lists an instrument by these rules.
    Rules(InstrumentId, Box<InstrumentSpec>),
    /// Somebody wrote the file `HALTED`.
    HaltFile,
    /// SIGUSR1 came: sends are stopped already.
    HaltSignal,
    /// A second passed.
    Tick,
    /// Stop trading and end.
    Stop(oneshot::Sender<()>),
}

/// What the venue said, and what was known before.
pub(crate) struct Comparison {
    pub(crate) basis: Basis,
    pub(crate) seen: Seen,
    /// What cannot be read of the balances among it.
    pub(crate) unread: Vec<ConvertError>,
    /// Whether to record what follows even where orders stay without a name.
    pub(crate) last: bool,
}

/// A fact of the outside world, with its times.
pub(crate) struct Fact {
    /// When it happened, by who reports it; `None` for what carries no time of the market: it happens now.
    pub(crate) at: Option<Timestamp>,
    pub(crate) received: Timestamp,
    pub(crate) source: Source,
    pub(crate) portfolio: PortfolioId,
    pub(crate) kind: EventKind,
}

impl Fact {
    pub(crate) fn of_venue(at: Option<Timestamp>, kind: EventKind) -> Self {
        Self { at, received: wall(), source: Source::Venue, portfolio: PortfolioId(0), kind }
    }
}

/// How far a node is, for whoever paces a tape: told whenever it changed and no order is without its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Close time of the last bar that was decided on.
    pub through: Option<Timestamp>,
    /// Fills booked so far.
    pub fills: u64,
    /// Orders that may still fill.
    pub open_orders: usize,
}
