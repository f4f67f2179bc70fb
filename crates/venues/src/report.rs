//! What a connection tells the rest of the program, in no venue's words.

use tradewind_domain::{
    Bar, ClientOrderId, Currency, Fill, InstrumentId, Money, Price, Quantity, Quote, Side, Timestamp, Trade,
    VenueOrderId,
};

/// When something happened and when we read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamps {
    /// When the venue says it happened; `None` where the venue does not say.
    pub event: Option<Timestamp>,
    /// When its frame was read.
    pub received: Timestamp,
}

/// What a venue said about an order. Repetitions and disorder are possible: trade ids decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VenueReport {
    /// It is on the venue's book, or waits for its trigger there.
    Accepted {
        /// Which.
        client_id: ClientOrderId,
        /// The venue's name of it.
        venue_id: VenueOrderId,
        /// The limit price that the venue works it at: compare with what was meant.
        price: Option<Price>,
        /// The quantity that the venue works: compare with what was meant.
        quantity: Quantity,
        /// When, by the venue's clock.
        at: Timestamp,
    },
    /// The venue said no.
    Rejected {
        /// Which.
        client_id: ClientOrderId,
        /// The venue's code.
        code: String,
        /// The venue's text.
        reason: String,
        /// Whether it certainly does not live; otherwise its outcome is unknown.
        definitive: bool,
        /// When, by the venue's clock.
        at: Timestamp,
    },
    /// A part of it, or all, was executed.
    Filled {
        /// The execution.
        fill: Fill,
        /// The venue's name of the order.
        venue_id: VenueOrderId,
        /// All that was executed so far, by the venue's count.
        cumulative: Quantity,
        /// When, by the venue's clock.
        at: Timestamp,
    },
    /// It is off the book on request.
    Cancelled {
        /// Which.
        client_id: ClientOrderId,
        /// The venue's name of it.
        venue_id: VenueOrderId,
        /// All that was executed of it.
        cumulative: Quantity,
        /// When, by the venue's clock.
        at: Timestamp,
    },
    /// It is off the book by its own terms, by the venue, or to prevent a trade with ourselves.
    Expired {
        /// Which.
        client_id: ClientOrderId,
        /// The venue's name of it.
        venue_id: VenueOrderId,
        /// All that was executed of it.
        cumulative: Quantity,
        /// The venue's word for why.
        reason: String,
        /// When, by the venue's clock.
        at: Timestamp,
    },
    /// The venue changed its quantity.
    Amended {
        /// Which.
        client_id: ClientOrderId,
        /// The venue's name of it.
        venue_id: VenueOrderId,
        /// What it is now.
        quantity: Quantity,
        /// When, by the venue's clock.
        at: Timestamp,
    },
    /// An order that is not ours by its id: placed by hand or by another program.
    Foreign(ForeignReport),
}

impl VenueReport {
    /// Puts another moment in the place of the venue's.
    pub(crate) fn happened_at(&mut self, moment: Timestamp) {
        match self {
            Self::Accepted { at, .. }
            | Self::Rejected { at, .. }
            | Self::Cancelled { at, .. }
            | Self::Expired { at, .. }
            | Self::Filled { at, .. }
            | Self::Amended { at, .. } => *at = moment,
            Self::Foreign(foreign) => foreign.at = moment,
        }
    }
}

/// What happened to an order that another placed on the same account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignReport {
    /// Its client id, as text.
    pub client_id: String,
    /// The venue's name of it.
    pub venue_id: VenueOrderId,
    /// Of what.
    pub instrument: InstrumentId,
    /// Which way.
    pub side: Side,
    /// The venue's word for what happened, such as `TRADE`.
    pub what: String,
    /// Quantity and price of the execution, if this is one.
    pub executed: Option<(Quantity, Price)>,
    /// When, by the venue's clock.
    pub at: Timestamp,
}

/// One asset of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetBalance {
    /// Which.
    pub currency: Currency,
    /// What can be used.
    pub free: Money,
    /// What open orders hold.
    pub locked: Money,
}

/// One side's levels: price and quantity.
pub type Levels = Vec<(Price, Quantity)>;

/// A part of an order book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookLevels {
    /// Of what.
    pub instrument: InstrumentId,
    /// The last update that is in it.
    pub update_id: u64,
    /// Bids, best first in a snapshot.
    pub bids: Levels,
    /// Asks, best first in a snapshot.
    pub asks: Levels,
}

/// A step of an order book. Zero as a quantity takes the level away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BookChange {
    /// Replaces all that was known.
    Snapshot(BookLevels),
    /// New quantities of some levels.
    Diff(BookLevels),
    /// Messages were lost: what is known must not be used until the next snapshot.
    Lost {
        /// Of what.
        instrument: InstrumentId,
    },
}

/// How the venue lists an instrument from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relisting {
    /// By these rules, such as another smallest notional or other steps; told before what it means for trading.
    Rules(Box<tradewind_domain::InstrumentSpec>),
    /// As usual.
    Trading,
    /// It takes no orders for now; the venue's word for it. Cancels it takes.
    Paused(String),
    /// No more.
    Gone,
    /// With other steps of price or quantity than ours: what is different. Our orders would be refused.
    OtherSteps(String),
}

/// Which of the connection's streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Public market data.
    Market,
    /// Orders and account.
    User,
}

/// What a connection reports while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VenueEvent {
    /// Best bid and ask.
    Quote {
        /// The quote.
        quote: Quote,
        /// When.
        stamps: Stamps,
    },
    /// A trade of the public tape.
    Trade {
        /// The trade.
        trade: Trade,
        /// When.
        stamps: Stamps,
    },
    /// A bar that grows, or one that is closed.
    Bar {
        /// The bar.
        bar: Bar,
        /// Whether it is final.
        closed: bool,
        /// When.
        stamps: Stamps,
    },
    /// A step of an order book.
    Book {
        /// The step.
        change: BookChange,
        /// When.
        stamps: Stamps,
    },
    /// What happened to an order.
    Report {
        /// The report.
        report: VenueReport,
        /// When.
        stamps: Stamps,
    },
    /// Assets whose balance may have changed, with their new balance.
    Balances {
        /// The assets.
        balances: Vec<AssetBalance>,
        /// When.
        stamps: Stamps,
    },
    /// A deposit, a withdrawal or a transfer.
    Transferred {
        /// By how much, signed.
        delta: Money,
        /// When the venue booked it, as it says: with the amount and the time of the event its only name.
        cleared: Timestamp,
        /// When.
        stamps: Stamps,
    },
    /// The stream is connected and subscribed.
    Up {
        /// Which.
        stream: Stream,
        /// Since when.
        at: Timestamp,
    },
    /// The stream is down and is being connected anew.
    Down {
        /// Which.
        stream: Stream,
        /// Why, for people.
        why: String,
        /// Since when.
        at: Timestamp,
    },
    /// The user stream was away, or told something that cannot be read: what happened must be read by query, from `since`
    /// on.
    UserStreamGap {
        /// When it was last known to be whole.
        since: Timestamp,
    },
    /// The venue lists an instrument otherwise than before.
    Relisted {
        /// Which.
        instrument: InstrumentId,
        /// How.
        how: Relisting,
        /// When it was seen.
        at: Timestamp,
    },
    /// The reader was too slow, and this many trades and unfinished bars were left out.
    Skipped {
        /// How many.
        count: u64,
    },
    /// A message that could not be used. It was left out; the stream goes on.
    Fault {
        /// The code, such as `VEN-21`.
        code: &'static str,
        /// What was wrong, with the offending value.
        message: String,
        /// When.
        at: Timestamp,
    },
}
