//! What goes through even when the disk is full.

use crate::draft::Draft;
use tradewind_domain::Source;
use tradewind_engine::EventKind;
use tradewind_engine::algo::ParentEvent;

/// Whether an event may be left out on a full disk, as if it had never come: what would lead to new orders.
///
/// What follows from an event that was recorded, what the venue and the program itself say, cancels, halts, exits and
/// everything else that a person says goes on, in the room that the journal keeps back.
pub(crate) fn may_wait(draft: &Draft) -> bool {
    if draft.cause.is_some() && draft.source == Source::Host {
        return false; // a decision is the cause of a proposal, and does not make it vital
    }
    match (&draft.kind, draft.source) {
        (EventKind::CancelProposed { .. } | EventKind::Halted(_), _) => false,
        (EventKind::Proposed(proposal), Source::Operator) => !proposal.request.reduce_only,
        (EventKind::ProposedPair { .. }, Source::Operator) => true,
        (EventKind::Parent(parent), Source::Operator) => matches!(**parent, ParentEvent::Wished { .. }),
        (_, Source::Market | Source::Timer | Source::Strategy(_) | Source::Agent(_)) => true,
        (_, Source::Operator | Source::Venue | Source::Host) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;
    use tradewind_domain::{
        ClientOrderId, InstrumentId, OrderRequest, PortfolioId, Quantity, Side, Timestamp, VenueOrderId,
    };
    use tradewind_engine::Halt;
    use tradewind_gate::Proposal;

    fn check(source: Source, kind: EventKind, waits: bool) {
        let now = Timestamp::from_millis(1);
        let draft = Draft { source, ..Draft::of_host(now, now, PortfolioId(0), kind) };
        assert_eq!(may_wait(&draft), waits, "{source:?}: {:?}", draft.kind);
        assert_eq!(may_wait(&Draft { cause: Some(7), ..draft.clone() }), waits, "a decision makes nothing vital");
        let of_engine = Draft { cause: Some(7), source: Source::Host, ..draft };
        assert!(!may_wait(&of_engine), "what the engine makes of an event always goes on");
    }

    fn proposal(source: Source, reduce_only: bool) -> EventKind {
        let order = OrderRequest::market(InstrumentId(0), Side::Sell, Quantity::from_mantissa(1));
        let request = OrderRequest { reduce_only, ..order };
        EventKind::Proposed(Proposal {
            plan: None,
            source,
            portfolio: PortfolioId(0),
            request,
            reason: Cow::Borrowed("a test"),
        })
    }

    #[test]
    fn g04_new_orders_wait_for_room_and_cancels_halts_exits_and_the_venues_word_do_not() {
        let client_id = ClientOrderId::from_u128(1);
        let halt = || EventKind::Halted(Halt { reason: "enough".to_owned() });
        for source in [Source::Strategy(0), Source::Agent(1), Source::Operator] {
            check(source, proposal(source, false), true);
            check(source, EventKind::CancelProposed { client_id }, false);
            check(source, halt(), false);
        }
        check(Source::Operator, proposal(Source::Operator, true), false);
        check(Source::Strategy(0), proposal(Source::Strategy(0), true), true);
        check(Source::Timer, EventKind::Timer, true);
        let venue_id = VenueOrderId("1".into());
        check(Source::Venue, EventKind::Accepted { client_id, venue_id }, false);
        check(Source::Operator, EventKind::Resumed { reason: "on".to_owned() }, false);
        check(Source::Host, EventKind::Stopped, false);
    }
}
