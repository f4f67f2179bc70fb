//! Market orders that found no more at their worst price: what is said of them, and which are asked for again.
//!
//! A person, a strategy and an entry are told. What is there to reduce is asked for again with a fresh price: parents do so
//! themselves, a person's wish to be flat is followed until it is so, and what the engine itself proposed is kept here.

use crate::algo::{Ask, ParentEvent, RETRY_AFTER, RETRY_DOUBLINGS};
use crate::unwind::Tried;
use crate::{Command, Event, EventKind, State, Verdict};
use serde::{Deserialize, Serialize};
use tradewind_domain::{InstrumentId, OrderRecord, OrderRequest, PortfolioId, Quantity, Sequence, Side, Source};
use tradewind_gate::{Limits, Proposal};

/// Why what was left is proposed; no other proposal of the engine's own says so.
const ASKED_AGAIN: &str = "what the last order did not find at its worst price is asked for again";

/// What is left of an order with which the engine itself wanted to reduce.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfilled {
    /// Of which portfolio.
    pub portfolio: PortfolioId,
    /// In what.
    pub instrument: InstrumentId,
    /// Which way.
    pub side: Side,
    /// How much was left.
    pub quantity: Quantity,
    /// Since when, and how often it was asked for again.
    pub tried: Tried,
    /// The proposal with which it last was: what guards were asked to close for that is not left any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Sequence>,
}

impl Unfilled {
    fn is_of(&self, portfolio: PortfolioId, request: &OrderRequest) -> bool {
        (self.portfolio, self.instrument, self.side) == (portfolio, request.instrument, request.side)
    }

    /// How much of it there is still to reduce, in whole lots.
    fn left(&self, state: &State) -> Quantity {
        let held = state.portfolio(self.portfolio).position(self.instrument).quantity();
        let against = held.mantissa().saturating_mul(-self.side.sign());
        state.listing(self.instrument).instrument.whole_lots(Quantity::from_mantissa(against).min(self.quantity))
    }

    fn is_due(&self, state: &State) -> bool {
        let wait = ask_again_at_worst_after(&state.portfolio(self.portfolio).limits);
        state.now.since(self.tried.at) >= wait << self.tried.times.min(RETRY_DOUBLINGS)
    }
}

/// How long to wait, in nanoseconds, before what a worst price left open is asked for again: a second, or until the same
/// order is no duplicate any more.
#[must_use]
pub fn ask_again_at_worst_after(limits: &Limits) -> i64 {
    RETRY_AFTER.max(limits.controls.and_then(|it| it.duplicate_window_nanos).unwrap_or(0))
}

/// What a venue tells of an order, with the worst price in its words where that ended it.
#[must_use]
pub fn with_worst_price(state: &State, kind: EventKind) -> EventKind {
    let EventKind::Cancelled { client_id, reason } = kind else { return kind };
    let record = state.open.get(&client_id).filter(|record| record.ends_at_worst());
    let Some((record, worst)) = record.and_then(|record| Some((record, record.order.worst()?))) else {
        return EventKind::Cancelled { client_id, reason };
    };
    let worst = state.listing(record.order.instrument()).instrument.price_text(worst);
    let reason = format!("{reason}: a market order that goes no further than {worst}").into();
    EventKind::Cancelled { client_id, reason }
}

/// Keeps what is left of an order of the engine's own, about to end at its worst price.
pub(crate) fn note_end(state: &mut State, record: &OrderRecord) {
    let (order, request) = (&record.order, record.order.request());
    let own = order.source() == Some(Source::Host) && request.reduce_only;
    if !own || state.parents.parent_of(order.client_id()).is_some() {
        return;
    }
    let quantity = order.quantity() - record.filled;
    state.unfilled.retain(|it| !it.is_of(order.portfolio(), request));
    state.unfilled.push(Unfilled {
        portfolio: order.portfolio(),
        instrument: order.instrument(),
        side: order.side(),
        quantity,
        tried: Tried { at: state.now, times: 0 },
        proposal: None,
    });
}

/// Folds what follows from what was left.
pub(crate) fn apply(state: &mut State, event: &Event) {
    if state.unfilled.is_empty() {
        return;
    }
    match &event.kind {
        EventKind::Proposed(proposal) if proposal.source == Source::Host && proposal.reason == ASKED_AGAIN => {
            let now = state.now;
            let asked = |it: &&mut Unfilled| it.is_of(proposal.portfolio, &proposal.request);
            for it in state.unfilled.iter_mut().filter(asked) {
                it.tried = Tried { at: now, times: it.tried.times.saturating_add(1) };
                it.proposal = Some(event.sequence);
            }
        }
        EventKind::Parent(said) => {
            let ParentEvent::Asked { ask: Ask::Leave { quantity, .. }, .. } = &**said else { return };
            let meant = |it: &&mut Unfilled| event.cause.is_some() && it.proposal == event.cause;
            state.unfilled.iter_mut().filter(meant).for_each(|it| it.quantity -= *quantity);
            state.unfilled.retain(|it| it.quantity > Quantity::ZERO);
        }
        EventKind::Judged(Verdict::Approved(order)) if order.source() == Some(Source::Host) => {
            state.unfilled.retain(|it| !it.is_of(order.portfolio(), order.request()));
        }
        EventKind::Timer => {
            let all = std::mem::take(&mut state.unfilled);
            state.unfilled = all.into_iter().filter(|it| it.left(state) > Quantity::ZERO).collect();
        }
        _ => (),
    }
}

/// Proposes the first of what was left whose time has come.
///
/// One order at a time: what is judged next must know of the one before.
pub(crate) fn ask_again(state: &State, commands: &mut Vec<Command>) {
    if commands.iter().any(crate::decide::leads_to_an_order) {
        return;
    }
    let due = |it: &&Unfilled| {
        let listing = state.listing(it.instrument);
        it.is_due(state) && !listing.instrument.is_dust(it.left(state), listing.mark.map(|mark| mark.price))
    };
    let Some(it) = state.unfilled.iter().find(due) else { return };
    let request = OrderRequest { reduce_only: true, ..OrderRequest::market(it.instrument, it.side, it.left(state)) };
    let reason = ASKED_AGAIN.into();
    let proposal = Proposal { plan: None, source: Source::Host, portfolio: it.portfolio, request, reason };
    commands.push(Command::Record(EventKind::Proposed(proposal), it.portfolio));
}
