//! The one way to a venue: turns a proposal into an [`Approved`] action, or into the [`Refusal`] that says why not.
//!
//! # Where it sits
//! Floor 3, over the domain, governance and risk. Every order of every source passes here before a venue sees it: people,
//! strategies, agents. Knows no venue, no clock, no I/O; what it must know of the world stands in [`View`].
//!
//! # Start here
//! [`review`] is the way in, [`review_pair`] for two orders of which one cancels the other; [`GUARDS`] lists what it asks, in order. [`Limits`] holds the numbers.
//!
//! # What always holds
//! * An [`Approved`] comes from [`review`], [`review_pair`], [`review_cancel`] or [`review_amend`] and from nowhere else.
//! * Of a pair both orders pass every guard, or neither goes.
//! * The halt is asked first, and no setting removes it.
//! * A guard judges the position as it would stand if this order and every open one filled.
//! * A market order leaves with the worst price that its limits allow it, reckoned from the mark that it was judged by.
//! * A missing number refuses: no mark, no rate, no equity means no order.
//!
//! Nobody outside can make, copy or deserialize an approval:
//! ```compile_fail,E0451
//! fn forged(action: tradewind_gate::Action) -> tradewind_gate::Approved {
//!     tradewind_gate::Approved { action, audited: None, resized: None }
//! }
//! ```
//! ```compile_fail,E0599
//! fn twice(approved: tradewind_gate::Approved) -> (tradewind_gate::Approved, tradewind_gate::Approved) {
//!     (approved.clone(), approved)
//! }
//! ```
//! ```compile_fail,E0277
//! let forged: tradewind_gate::Approved = serde_json::from_str("{}").unwrap();
//! ```

mod fit;
mod guards;
mod pair;
mod refusal;
mod view;

pub use refusal::{CODES, GUARDS, Guard, GuardInfo, Refusal};
pub use tradewind_governance::Mode;
pub use tradewind_risk::{Audited, Cap, Correction, Limits, LimitsError};
pub use view::{Books, Mark, Proposal, RiskView, Survey, View};

pub use pair::review_pair;

use tradewind_domain::{
    ClientOrderId, Instrument, InstrumentId, Order, OrderKind, OrderRecord, Quantity, VenueOrderId,
};

/// What may be done at a venue.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Send this order, once.
    Submit(Order),
    /// Send these two together, once: when one of them trades, the venue takes the other off.
    SubmitPair(Box<[Order; 2]>),
    /// Ask for this order to be cancelled; asking twice does no harm.
    Cancel {
        /// Which order.
        client_id: ClientOrderId,
        /// Of what.
        instrument: InstrumentId,
        /// The venue's name of it, if it was ever heard.
        venue_id: Option<VenueOrderId>,
    },
    /// Ask for this order to be made smaller in its place; asking twice does no harm.
    Amend {
        /// Which order.
        client_id: ClientOrderId,
        /// Of what.
        instrument: InstrumentId,
        /// The venue's name of it, if it was ever heard.
        venue_id: Option<VenueOrderId>,
        /// What it is to be in all, executions included.
        quantity: Quantity,
    },
}

impl Action {
    /// The orders that it sends: one, the two of a pair, none for a cancel or an amendment.
    #[must_use]
    pub fn orders(&self) -> &[Order] {
        match self {
            Self::Submit(order) => std::slice::from_ref(order),
            Self::SubmitPair(pair) => pair.as_slice(),
            Self::Cancel { .. } | Self::Amend { .. } => &[],
        }
    }

    /// The orders that it is about, each once: those that it sends, or the one that it cancels or makes smaller.
    pub fn client_ids(&self) -> impl Iterator<Item = ClientOrderId> {
        let cancelled = match self {
            Self::Cancel { client_id, .. } | Self::Amend { client_id, .. } => Some(*client_id),
            Self::Submit(_) | Self::SubmitPair(_) => None,
        };
        self.orders().iter().map(Order::client_id).chain(cancelled)
    }

    /// What is traded.
    #[must_use]
    pub fn instrument(&self) -> InstrumentId {
        match self {
            Self::Submit(order) => order.instrument(),
            Self::SubmitPair(pair) => pair[0].instrument(),
            Self::Cancel { instrument, .. } | Self::Amend { instrument, .. } => *instrument,
        }
    }
}

/// An action that passed every check.
///
/// Only this crate makes one (no `Clone`, `From`, `Default` or `Deserialize`). The journal turns it into a
/// `Permit` once its intent is synced, and a driver takes nothing else.
#[derive(Debug, PartialEq, Eq)]
pub struct Approved {
    action: Action,
    audited: Option<Box<Audited>>,
    resized: Option<Box<Correction>>,
}

impl Approved {
    /// What was approved.
    #[must_use]
    pub const fn action(&self) -> &Action {
        &self.action
    }

    /// The plan of the order as it may be traded, and what was put right in it; `None` where none was judged.
    #[must_use]
    pub fn audited(&self) -> Option<&Audited> {
        self.audited.as_deref()
    }

    /// Both sizes of an order that was made smaller than it was proposed, and why; `None` where it was not.
    #[must_use]
    pub fn resized(&self) -> Option<&Correction> {
        self.resized.as_deref()
    }
}

/// Judges `proposal` in the light of `view`; the order will be called `client_id`.
///
/// Where the limit `impact_mode` says so, an order that would move the price too far is made smaller first, and judged as that.
///
/// # Errors
/// The first guard that refuses, with its value, its limit and how to clear it.
pub fn review(view: &View<'_>, proposal: &Proposal, client_id: ClientOrderId) -> Result<Approved, Box<Refusal>> {
    let (fitted, resized) = fit::fit(view, proposal).unzip();
    let (order, audited) = judge(view, fitted.as_ref().unwrap_or(proposal), client_id)?;
    Ok(Approved { action: Action::Submit(order), audited, resized: resized.map(Box::new) })
}

/// Judges only where the trade of `proposal` ends, as the plan of an order that becomes several others: each of them is
/// judged in full when it is due, the plan once, with all of them. `None` where no limit calls for it.
///
/// # Errors
/// The first rule that refuses the plan.
pub fn review_plan(view: &View<'_>, proposal: &Proposal) -> Result<Option<Box<Audited>>, Box<Refusal>> {
    guards::plan(view, proposal)
}

/// An order that passed every guard, with its plan as it may be traded.
type Judged = (Order, Option<Box<Audited>>);

/// Every guard on one proposal.
fn judge(view: &View<'_>, proposal: &Proposal, client_id: ClientOrderId) -> Result<Judged, Box<Refusal>> {
    guards::halt(view, proposal)?;
    guards::mode(view, proposal)?;
    guards::policy(view)?;
    let order = guards::order(view, proposal, client_id)?;
    guards::date(view, proposal)?;
    guards::session(view, proposal)?;
    guards::data(view, proposal)?;
    let worst = guards::worst(view, proposal);
    guards::restricted(view, proposal)?;
    guards::unknown(view, proposal)?;
    guards::reduce_only(view, proposal)?;
    guards::size(view, proposal)?;
    guards::position(view, proposal)?;
    guards::funds(view, proposal, worst)?;
    guards::losses(view, proposal)?;
    let audited = guards::risk(view, proposal, worst)?;
    guards::approval(view)?; // last: nobody is asked about an order that could not go
    Ok((order.no_worse_than(worst), audited))
}

/// Approves a cancel: taking an order off the book adds no exposure, so a halt does not stop it.
#[must_use]
pub const fn review_cancel(
    client_id: ClientOrderId,
    instrument: InstrumentId,
    venue_id: Option<VenueOrderId>,
) -> Approved {
    Approved { action: Action::Cancel { client_id, instrument, venue_id }, audited: None, resized: None }
}

/// Approves making an open limit order smaller, to `quantity` in all: it only takes away, so a halt does not stop it.
///
/// # Errors
/// Why the order cannot be made smaller in its place.
pub fn review_amend(record: &OrderRecord, it: &Instrument, quantity: Quantity) -> Result<Approved, &'static str> {
    let order = &record.order;
    if !matches!(order.kind(), OrderKind::Limit { .. }) || order.request().oco.is_some() {
        return Err("only a limit order that stands alone is made smaller in its place");
    }
    if order.client_id().is_foreign() {
        return Err("the venue knows it by another hand's name");
    }
    if quantity >= order.quantity() {
        return Err("an order keeps its place only if it becomes smaller");
    }
    if quantity <= record.filled {
        return Err("so much is executed already: cancel the rest");
    }
    if it.whole_lots(quantity) != quantity || quantity < it.spec.min_quantity {
        return Err("the quantity is not one of whole lots, or too small");
    }
    let (client_id, instrument, venue_id) = (order.client_id(), order.instrument(), record.venue_id.clone());
    Ok(Approved { action: Action::Amend { client_id, instrument, venue_id, quantity }, audited: None, resized: None })
}
