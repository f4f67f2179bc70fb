//! What was asked of a venue, in the engine's words: orders in doubt, open orders, executions.
//!
//! How a question is put and how long its answer takes is the host's; what the answer means is the same for all of them.

use std::collections::BTreeSet;
use tradewind_domain::{OrderKind, OrderRecord, Quantity, Timestamp, VenueOrderId};
use tradewind_engine::{Answer, Inquiry, Stand, Standing, State, VenueOrder, VenueTerms, strangers};
use tradewind_venues::binance::convert::{OrderStanding, StandingState};

/// Executions are asked for from this long before the last agreement on: lists may have lagged then.
const OVERLAP: i64 = 60 * 1_000_000_000;
/// Lists about an order are asked for from this long before it was made.
const BEFORE_ORDER: i64 = 1_000_000_000;

/// An order in doubt, and what was learnt on the way about others.
#[derive(Debug)]
pub struct InDoubt {
    /// What the books know of it.
    pub record: OrderRecord,
    /// What is asked about it.
    pub inquiry: Inquiry,
    others: BTreeSet<VenueOrderId>,
}

impl InDoubt {
    /// Nothing was asked yet.
    #[must_use]
    pub const fn new(record: OrderRecord, inquiry: Inquiry) -> Self {
        Self { record, inquiry, others: BTreeSet::new() }
    }

    /// From when on lists must tell of it. They are by the market's time, which a local exchange may play from another
    /// day.
    #[must_use]
    pub fn lists_from(&self) -> Timestamp {
        self.inquiry.not_before().min(self.record.times.created).plus_nanos(-BEFORE_ORDER)
    }

    /// Whether the venue speaks of this order.
    #[must_use]
    pub fn is_it(&self, standing: &OrderStanding) -> bool {
        standing.client_id == Some(self.inquiry.client_id())
            || self.record.venue_id.as_ref() == Some(&standing.venue_id)
    }

    /// What a list says of it.
    pub fn among(&mut self, listed: Vec<OrderStanding>) -> Answer {
        let mut found = None;
        for standing in listed {
            if self.is_it(&standing) {
                found = Some(standing);
            } else {
                self.others.insert(standing.venue_id);
            }
        }
        found.map_or(Answer::Lacks, |standing| Answer::Standing(standing_of(standing)))
    }

    /// What the order that the venue was asked about by its own name says of it.
    pub fn named(&mut self, standing: OrderStanding) -> Answer {
        if self.is_it(&standing) {
            return Answer::Standing(standing_of(standing));
        }
        self.others.insert(standing.venue_id);
        Answer::Another
    }

    /// What the executions since [`Self::lists_from`] say of it: the venue's names of orders, and how much of them.
    #[must_use]
    pub fn traded(&self, traded: &[(VenueOrderId, Quantity)]) -> Answer {
        Answer::Strangers(strangers(&self.record, &self.others, traded))
    }
}

/// How an order stands, as an inquiry reads it.
#[must_use]
pub fn standing_of(standing: OrderStanding) -> Standing {
    Standing {
        venue_id: standing.venue_id,
        stand: match standing.state {
            StandingState::Open => Stand::Open,
            StandingState::Filled => Stand::Filled,
            StandingState::Cancelled => Stand::Cancelled,
            StandingState::Expired => Stand::Expired,
            StandingState::Rejected => Stand::Rejected,
        },
        price: standing.price,
        quantity: standing.quantity,
        filled: standing.filled,
        updated: standing.updated_at,
    }
}

/// How an order stands, as a comparison reads it.
#[must_use]
pub fn venue_order(standing: OrderStanding) -> VenueOrder {
    let (kind, other) = match standing.kind {
        Some(OrderKind::Market | OrderKind::Limit { .. }) => (None, None), // its price says it
        None => (None, Some(standing.kind_text)),
        contingent => (contingent, None),
    };
    VenueOrder {
        client_text: standing.client_text,
        venue_id: standing.venue_id,
        instrument: standing.instrument,
        side: standing.side,
        price: standing.price,
        quantity: standing.quantity,
        filled: standing.filled,
        open: standing.state == StandingState::Open,
        waits: standing.waits,
        terms: VenueTerms { kind, other, list: standing.list },
        updated: standing.updated_at,
    }
}

/// From when on executions are to be asked for: shortly before the last agreement, or before the newest event of a
/// journal that remembers none. A first start asks for none: what happened before is not ours.
#[must_use]
pub fn since(state: &State, now: Timestamp) -> Timestamp {
    match state.whole {
        Some(whole) => whole.through.plus_nanos(-OVERLAP).min(now),
        None if state.intents == 0 => now,
        None => state.now.plus_nanos(-OVERLAP).min(now),
    }
}
