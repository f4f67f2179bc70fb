//! Events: everything that may influence a decision, in one order.

mod read;

use crate::{Absence, Adoption, ForeignOrder};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use tradewind_domain::{
    AccountId, Bar, ClientOrderId, Depth, Fill, Incarnation, Instrument, InstrumentId, Money, Order, OrderKind, Origin,
    PortfolioId, Price, Quantity, Quote, Sequence, Source, Timestamp, Trade, TradeId, VenueOrderId,
};
use tradewind_gate::{Limits, Mode, Proposal, Refusal};
use tradewind_governance::{Act, IdempotencyKey, Name};

/// One event of a risk domain, with its place, its times and its cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the journal, from 1, without gaps.
    pub sequence: Sequence,
    /// When it happened, by who reports it.
    pub at: Timestamp,
    /// When we read it.
    pub received: Timestamp,
    /// Who says it.
    pub source: Source,
    /// Which portfolio it concerns.
    pub portfolio: PortfolioId,
    /// Which account at a venue it concerns.
    pub account: AccountId,
    /// The event that led to this one.
    pub cause: Option<Sequence>,
    /// The event that the whole chain began with.
    pub correlation: Option<Sequence>,
    /// Which person says it, and under which key, where persons are named or a key is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spoken: Option<Box<Spoken>>,
    /// What happened.
    #[serde(deserialize_with = "read::kind")]
    pub kind: EventKind,
}

/// Who asks, and under which key: it stands in the request itself, whatever is recorded around it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spoken {
    /// The person's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Name>,
    /// The key of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<IdempotencyKey>,
}

impl Event {
    /// An event of the default portfolio and account, read when it happened, without a cause.
    #[must_use]
    pub const fn new(sequence: Sequence, at: Timestamp, source: Source, kind: EventKind) -> Self {
        Self {
            sequence,
            at,
            received: at,
            source,
            portfolio: PortfolioId(0),
            account: AccountId(0),
            cause: None,
            correlation: None,
            spoken: None,
            kind,
        }
    }
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum EventKind {
    /// The process started. Orders that were open before are of unknown outcome from here on.
    Started {
        /// This run's random identity.
        incarnation: Incarnation,
        /// What it may do.
        mode: Mode,
        /// Which decision logic it runs.
        logic: u32,
    },
    /// The process stopped in order.
    Stopped,
    /// An instrument became known, or its rules changed; its decimals never do.
    Listed(Box<Instrument>),
    /// A portfolio was opened in its base currency; the event names its id.
    Opened {
        /// What equity is counted in.
        base: tradewind_domain::Currency,
        /// Its name.
        name: String,
    },
    /// A portfolio's limits were set.
    LimitsSet(Box<Limits>),
    /// Cash or an asset came in, or, negative, went out.
    Deposited(Money),
    /// Best bid and ask changed.
    Quoted {
        /// The quote.
        #[serde(flatten)]
        quote: Quote,
        /// Where it comes from.
        origin: Origin,
        /// Whether it moves the mark: nobody tells the trades.
        #[serde(default, skip_serializing_if = "is_no")]
        marks: bool,
    },
    /// What rests near the market changed. Recorded where a limit asks for it.
    Deepened {
        /// What rests there.
        #[serde(flatten)]
        depth: Depth,
        /// Where it comes from.
        origin: Origin,
    },
    /// A trade on the public tape.
    Traded {
        /// The trade.
        #[serde(flatten)]
        trade: Trade,
        /// Where it comes from.
        origin: Origin,
    },
    /// A bar closed.
    BarClosed {
        /// The bar.
        #[serde(flatten)]
        bar: Bar,
        /// Where it comes from.
        origin: Origin,
    },
    /// A decider said what it saw and wants; a hold has its reason like a trade.
    Decided(Box<Decision>),
    /// Somebody wishes for an order.
    Proposed(Proposal),
    /// Somebody wishes for two orders of which one cancels the other; they go together or not at all. Without a group
    /// of their own the engine picks one.
    ProposedPair {
        /// Target and stop, in either order.
        pair: Box<[Proposal; 2]>,
    },
    /// The gate's word on a proposal; its cause is the proposal.
    Judged(Verdict),
    /// Somebody wishes for a cancel.
    CancelProposed {
        /// Of which order.
        client_id: ClientOrderId,
    },
    /// Something about making an open order smaller in its place.
    Amend {
        /// Which order.
        client_id: ClientOrderId,
        /// What.
        #[serde(flatten)]
        said: crate::Amend,
    },
    /// The exact bytes that are about to leave, recorded before they do.
    Intended(Intent),
    /// The bytes were handed to the socket.
    Sent {
        /// Which order.
        client_id: ClientOrderId,
    },
    /// Provably no byte left.
    NotSent {
        /// Which order.
        client_id: ClientOrderId,
        /// Why.
        reason: String,
    },
    /// Sent, and the answer was lost.
    AnswerLost {
        /// Which order.
        client_id: ClientOrderId,
        /// How.
        reason: String,
    },
    /// The venue has the order.
    Accepted {
        /// Which order.
        client_id: ClientOrderId,
        /// The venue's name of it.
        venue_id: VenueOrderId,
    },
    /// The venue said no.
    Rejected {
        /// Which order.
        client_id: ClientOrderId,
        /// The venue's code and words.
        reason: Cow<'static, str>,
    },
    /// An execution.
    Filled(Fill),
    /// A stop woke up.
    Triggered {
        /// Which order.
        client_id: ClientOrderId,
    },
    /// A cancel was handed to the socket.
    CancelSent {
        /// Of which order.
        client_id: ClientOrderId,
    },
    /// The venue would not cancel.
    CancelRefused {
        /// Which order.
        client_id: ClientOrderId,
        /// The venue's code and words.
        reason: String,
    },
    /// It is off the book, on request or because the rest could not fill.
    Cancelled {
        /// Which order.
        client_id: ClientOrderId,
        /// Why.
        reason: Cow<'static, str>,
    },
    /// It is off the book by time, or proven absent.
    Expired {
        /// Which order.
        client_id: ClientOrderId,
        /// The proof that it never came, for an order whose outcome was unknown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<Box<Absence>>,
    },
    /// Longs paid shorts, or, with a negative rate, the other way round.
    Funding {
        /// Of what.
        instrument: InstrumentId,
        /// The rate in parts per 10⁸ of notional; positive is paid by longs.
        rate_e8: i64,
        /// At which mark.
        mark: Price,
    },
    /// A contract came to its end: whoever holds it is paid out at one price, and every order in it that is still open has
    /// expired. It does so once: a second word on it changes nothing.
    Settled {
        /// Which.
        instrument: InstrumentId,
        /// How.
        #[serde(flatten)]
        settlement: crate::Settlement,
    },
    /// A venue says how an instrument trades from here on.
    ListingChanged {
        /// Which.
        instrument: InstrumentId,
        /// How.
        status: crate::ListingStatus,
    },
    /// Something about an order that becomes other orders over time.
    Parent(Box<crate::algo::ParentEvent>),
    /// A moment passed.
    Timer,
    /// The kill switch was thrown.
    Halted(Halt),
    /// An operator allows trading again.
    Resumed {
        /// Who and why.
        reason: String,
    },
    /// What the venue says was compared with the books at a start; an empty list is agreement, a difference halts. Only the
    /// first journals hold it: [`Self::Compared`] took its place.
    Reconciled {
        /// Where they differ.
        drifts: Vec<Drift>,
    },
    /// What the venue says was compared with the books while trading, or at the start; no drift is agreement.
    Compared {
        /// Until when executions were compared, by the venue's clock.
        through: Timestamp,
        /// Where they differ. The third time in a row only what reduces is allowed; at the start, the first.
        drifts: Vec<Drift>,
        /// Whether nothing had been traded yet.
        at_start: bool,
    },
    /// The venue does not tell any more what happened in a part of the time that we were away: from here on only what
    /// reduces is allowed, until a person says otherwise.
    GapFound {
        /// Until when the books are whole.
        from: Timestamp,
        /// From when on the venue tells again.
        to: Timestamp,
    },
    /// From here on only what reduces is allowed, until a person says otherwise.
    Restricted {
        /// Why.
        reason: String,
    },
    /// An order of another hand on the account was seen, or changed.
    Foreign(Box<ForeignOrder>),
    /// An execution of an order of another hand.
    ForeignFilled(Fill),
    /// A person takes an order of another hand over; what was executed of it follows as fills.
    Adopted(Box<Adoption>),
    /// A person books what came in or went out by another way than trading, or takes a difference as it is.
    Adjusted {
        /// By how much, signed.
        money: Money,
        /// Why, for the record.
        reason: String,
    },
    /// The venue works an order at other terms than were meant: its word counts.
    Reworked {
        /// Which order.
        client_id: ClientOrderId,
        /// The limit price that it works, if there is one.
        price: Option<Price>,
        /// The quantity that it works.
        quantity: Quantity,
    },
    /// The venue took an execution back: it is booked the other way round, the first booking stays.
    Reversed(Fill),
    /// The balances that the books begin with hold every execution in `instrument` up to this one: none of them is booked.
    Baseline {
        /// Of what.
        instrument: InstrumentId,
        /// The newest execution that the account had in it. The venue counts them up.
        through: TradeId,
    },
    /// A word or a fact of governance: policy, approvals, changes of limits, latches, idempotency keys.
    Governance(Box<Act>),
    /// A word or a fact about the account's limits and breakers.
    Risk(Box<crate::RiskAct>),
    /// The state before this event, as a hash: every 10,000 events and at stop.
    StateHash {
        /// SHA-256 of the state, in hex.
        hash: String,
        /// Which decision logic computed it.
        logic: u32,
    },
}

impl EventKind {
    /// The events that stand for what a decider proposes: a target and a stop of one group in a row are a pair, every
    /// other proposal stands alone.
    pub fn of_proposals(proposals: impl IntoIterator<Item = Proposal>) -> impl Iterator<Item = Self> {
        let mut rest = proposals.into_iter().peekable();
        std::iter::from_fn(move || {
            let first = rest.next()?;
            match rest.next_if(|next| is_pair(&first, next)) {
                Some(second) => Some(Self::ProposedPair { pair: Box::new([first, second]) }),
                None => Some(Self::Proposed(first)),
            }
        })
    }
}

/// Whether two proposals are a target and a stop of one group, side and size, as a venue takes them together.
fn is_pair(one: &Proposal, other: &Proposal) -> bool {
    let is_limit = |it: &Proposal| matches!(it.request.kind, OrderKind::Limit { .. });
    let is_stop = |it: &Proposal| matches!(it.request.kind, OrderKind::Stop { .. } | OrderKind::StopLimit { .. });
    let alike = |it: &Proposal| (it.portfolio, it.request.instrument, it.request.side, it.request.quantity);
    one.request.oco.is_some()
        && one.request.oco == other.request.oco
        && alike(one) == alike(other)
        && (is_limit(one) && is_stop(other) || is_stop(one) && is_limit(other))
}

/// Why trading stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// In words.
    pub reason: String,
}

/// The gate's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// It is now an order.
    Approved(Order),
    /// It is not.
    Refused(Box<Refusal>),
    /// A cancel may go out.
    CancelApproved {
        /// Of which order.
        client_id: ClientOrderId,
    },
    /// There is nothing to cancel.
    CancelRefused {
        /// Which order was meant.
        client_id: ClientOrderId,
        /// Why not.
        reason: Cow<'static, str>,
    },
    /// An order may be made smaller.
    AmendApproved {
        /// Which order.
        client_id: ClientOrderId,
        /// What it is to be in all, executions included.
        quantity: Quantity,
    },
    /// It may not.
    AmendRefused {
        /// Which order was meant.
        client_id: ClientOrderId,
        /// Why not.
        reason: Cow<'static, str>,
    },
}

/// What is about to leave for a venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Which order.
    pub client_id: ClientOrderId,
    /// SHA-256 of the unsigned body, in hex.
    pub body_sha256: String,
    /// After this moment, in the venue's clock, the venue will not take it.
    pub fence: Timestamp,
    /// Before this moment, in the venue's clock, the venue will not take it; not recorded by older journals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

/// One difference between the venue's word and the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// What differs, such as `balance BTC`.
    pub what: String,
    /// Ours, as decimal text.
    pub ours: String,
    /// The venue's, as decimal text.
    pub venue: String,
}

/// What a decider wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecisionKind {
    /// More.
    Buy,
    /// Less.
    Sell,
    /// Nothing.
    Hold,
}

/// A decider's word on one instrument, with what it saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Of what.
    pub instrument: InstrumentId,
    /// By which strategy or agent.
    pub decider: String,
    /// What it wants.
    pub kind: DecisionKind,
    /// The position it wants to hold, signed; `None` for no opinion.
    pub target: Option<Quantity>,
    /// Why, in words.
    pub reason: Cow<'static, str>,
    /// Why in one short word, such as `cross-up`, where something was proposed: reports gather trades by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Cow<'static, str>>,
    /// What it saw.
    pub signals: Vec<Signal>,
    /// Which version of the decider: the number of its rule and a hash of its parameters, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it expects of the market, where it expects anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
}

/// What a decider expects of the market after a bar. Whether it came so is reckoned afterwards and never told to a decider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// Over how many bars.
    pub horizon_bars: u32,
    /// Above zero a rise, below zero a fall, the larger the stronger, in a unit of the decider's own: decimal text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// How sure it is, in basis points, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence_bps: Option<i64>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
const fn is_no(answer: &bool) -> bool {
    !*answer
}

/// One thing that a decider saw. Values are decimal text: statistics, not money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Its name, such as `ema(10) - ema(20)`.
    pub name: Cow<'static, str>,
    /// Its value.
    pub value: String,
    /// Its weight in the vote; empty for a lone signal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub weight: String,
    /// How far the value is from the threshold that would change the decision; empty if it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub distance: String,
}
