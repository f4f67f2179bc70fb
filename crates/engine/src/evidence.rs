//! What became of an order whose outcome is unknown: which questions lead to evidence, and when silence is proof.
//!
//! An [`Inquiry`] is one such question from beginning to end. It knows no clock and asks nobody itself: a host asks
//! [`Inquiry::next`] what to do, does it, and says what came of it with [`Inquiry::answered`]. A host on real sockets
//! and a simulated one therefore reach the same conclusions. Nothing here ever sends an order again.

mod absence;
mod inquiry;

pub use absence::{Absence, Reads};
pub use inquiry::{Inquiry, strangers};

use crate::EventKind;
use tradewind_domain::{Fill, OrderRecord, Price, Quantity, Timestamp, VenueOrderId};

const SECOND: i64 = 1_000_000_000;

/// How much of a venue's silence proves that an order never came. Durations are nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvidencePolicy {
    /// Where the numbers come from.
    pub source: &'static str,
    /// How long after the fence the venue may still be busy with a request that it took in time.
    pub backend_timeout: i64,
    /// The widest send window that the venue takes: bounds the fence of an intent that recorded none.
    pub widest_window: i64,
    /// How often the order and the open orders must have been asked for in vain after that.
    pub reads: u32,
    /// Over at least this long.
    pub spread: i64,
    /// How often the history and the trades must both lack it, for the spread to be enough.
    pub agreed: u32,
    /// With fewer of those agreements: how long the order must stay unfound.
    pub settle: i64,
    /// First wait between two questions; each wait doubles.
    pub first_wait: i64,
    /// Longest wait between two questions.
    pub longest_wait: i64,
    /// An outcome unknown for longer raises an alarm, once.
    pub alarm_after: i64,
}

impl EvidencePolicy {
    /// Binance spot. A client id is unique among open orders only (class C), so nothing may be sent again.
    pub const BINANCE_SPOT: Self = Self {
        source: "binance-spot-api-docs, errors.md (-1007: 10 s timeout of the backend) and rest-api.md (recvWindow at \
                 most 60 s); live orders were reported missing for up to 10 minutes (Mike-Mercer/Binance-REST-Test)",
        backend_timeout: 10 * SECOND,
        widest_window: 60 * SECOND,
        reads: 3,
        spread: 60 * SECOND,
        agreed: 2,
        settle: 15 * 60 * SECOND,
        first_wait: SECOND / 10,
        longest_wait: 2 * SECOND,
        alarm_after: 30 * SECOND,
    };

    /// Our own exchange on this machine: its matching engine answers within the request, and its lists never lag.
    pub const LOCAL: Self = Self {
        source: "the local exchange carries a request out while it is answered",
        backend_timeout: SECOND,
        widest_window: 60 * SECOND,
        reads: 3,
        spread: 2 * SECOND,
        agreed: 2,
        settle: 30 * SECOND,
        first_wait: SECOND / 10,
        longest_wait: SECOND,
        alarm_after: 30 * SECOND,
    };

    /// How long after a round of questions the next one follows.
    const fn round_wait(&self) -> i64 {
        let gaps = if self.reads > 1 { self.reads as i64 - 1 } else { 1 };
        let even = (self.spread + gaps - 1) / gaps;
        if even > self.first_wait { even } else { self.first_wait }
    }
}

/// What is not known of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Whether the venue has it.
    Order,
    /// Whether the venue took its cancel.
    Cancel,
    /// Whether the venue made it smaller.
    Amend,
}

/// A question to the venue, always about the order of the inquiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// How does the order with our client id stand?
    Order,
    /// Is it among the open orders of its instrument?
    OpenOrders,
    /// Is it among all orders of its instrument that were placed since [`Inquiry::not_before`]?
    History,
    /// Did anything that cannot be named trade in its instrument since [`Inquiry::not_before`]?
    Trades,
    /// Whose is the order that the venue calls so?
    Name(VenueOrderId),
    /// Which executions does the order that the venue calls so have, all of them?
    Fills(VenueOrderId),
}

/// What the venue said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The order, found under our client id.
    Standing(Standing),
    /// A whole answer, every page of it, without our order.
    Lacks,
    /// To [`Question::Trades`]: executions of orders that the asker cannot name.
    Strangers(Vec<VenueOrderId>),
    /// To [`Question::Name`]: it is another's.
    Another,
    /// To [`Question::Fills`]: every execution, with its time.
    Fills(Vec<(Timestamp, Fill)>),
    /// No usable answer came; the venue may have named a wait in nanoseconds.
    Failed {
        /// The earliest next question, from now on.
        retry_after: Option<i64>,
    },
}

/// How an order stands at its venue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The venue's name of it.
    pub venue_id: VenueOrderId,
    /// Where it stands.
    pub stand: Stand,
    /// The limit price that the venue works it at, if it has one.
    pub price: Option<Price>,
    /// The quantity that the venue works.
    pub quantity: Quantity,
    /// How much was executed, by the venue's count.
    pub filled: Quantity,
    /// When it last changed, by the venue's clock.
    pub updated: Timestamp,
}

/// Where an order stands at its venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// On the book, or waiting for its trigger.
    Open,
    /// All of it was executed.
    Filled,
    /// Off the book on request.
    Cancelled,
    /// Off the book by its own terms or by the venue.
    Expired,
    /// Never accepted.
    Rejected,
}

/// What to do next about an inquiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask this, then say what came of it.
    Ask(Question),
    /// Nothing before this moment.
    WaitUntil(Timestamp),
    /// It is known.
    Done(Evidence),
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The venue has it, or had it.
    Found {
        /// How it stands.
        standing: Standing,
        /// Every execution of it, with its time.
        fills: Vec<(Timestamp, Fill)>,
    },
    /// It never came, and cannot come any more.
    Absent(Box<Absence>),
}

impl Evidence {
    /// What is to be recorded of `order`, in this order, each with its time by the venue; without one it is true now.
    ///
    /// A fill comes before the word that ends its order. The venue's terms count where they are not what was meant.
    #[must_use]
    pub fn facts(&self, order: &OrderRecord, doubt: Doubt) -> Vec<(Option<Timestamp>, EventKind)> {
        let client_id = order.order.client_id();
        let (standing, fills) = match self {
            Self::Absent(absence) => {
                return vec![(None, EventKind::Expired { client_id, evidence: Some(absence.clone()) })];
            }
            Self::Found { standing, fills } => (standing, fills),
        };
        let mut facts: Vec<_> = fills.iter().map(|(at, fill)| (Some(*at), EventKind::Filled(*fill))).collect();
        facts.sort_by_key(|(at, _)| *at);
        facts.drain(..earlier(order, fills));
        let venue_id = standing.venue_id.clone();
        let word = match standing.stand {
            // the venue worked less than was meant, all of it was executed, and nothing else will tell the end
            Stand::Filled if standing.filled < order.order.quantity() => {
                EventKind::Cancelled { client_id, reason: "by the venue, which worked a smaller order".into() }
            }
            Stand::Open | Stand::Filled => EventKind::Accepted { client_id, venue_id },
            Stand::Cancelled => EventKind::Cancelled { client_id, reason: "on request".into() },
            Stand::Expired => EventKind::Cancelled { client_id, reason: "by the venue".into() },
            Stand::Rejected => EventKind::Rejected { client_id, reason: "by the venue".into() },
        };
        let last = facts.last().and_then(|(at, _)| *at).unwrap_or(standing.updated);
        facts.push((Some(standing.updated.max(last)), word));
        if doubt == Doubt::Cancel && standing.stand == Stand::Open {
            let reason = "the venue still works the order".to_owned();
            facts.push((None, EventKind::CancelRefused { client_id, reason }));
        }
        if doubt == Doubt::Amend && standing.stand == Stand::Open && standing.quantity == order.order.quantity() {
            let reason = "the venue works the order as it was".to_owned();
            facts.push((None, EventKind::Amend { client_id, said: crate::Amend::Refused { reason } }));
        }
        facts
    }
}

/// How many of the first executions came before the books began: they are in the balance that the books began with.
fn earlier(order: &OrderRecord, fills: &[(Timestamp, Fill)]) -> usize {
    let mut sorted: Vec<_> = fills.iter().map(|(at, fill)| (*at, fill.quantity)).collect();
    sorted.sort_by_key(|(at, _)| *at);
    let sums = sorted.iter().scan(Quantity::ZERO, |sum, (_, quantity)| {
        *sum += *quantity;
        Some(*sum)
    });
    sums.take_while(|sum| *sum <= order.earlier).count()
}
