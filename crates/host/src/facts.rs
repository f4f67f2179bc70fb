//! What a venue's report is to the engine.

use tradewind_domain::{ClientOrderId, OrderKind, OrderRecord, Price, Quantity, Timestamp};
use tradewind_engine::{Amend, EventKind, State};
use tradewind_venues::VenueReport;

/// A venue's report as an event, with its time; `None` for what changes nothing here.
#[must_use]
pub fn fact_of(report: VenueReport) -> Option<(Timestamp, EventKind)> {
    Some(match report {
        VenueReport::Accepted { client_id, venue_id, at, .. } => (at, EventKind::Accepted { client_id, venue_id }),
        VenueReport::Rejected { client_id, code, reason, definitive, at } => {
            let reason = format!("{code}: {reason}");
            let kind = if definitive {
                EventKind::Rejected { client_id, reason: reason.into() }
            } else {
                EventKind::AnswerLost { client_id, reason }
            };
            (at, kind)
        }
        VenueReport::Filled { fill, at, .. } => (at, EventKind::Filled(fill)),
        VenueReport::Cancelled { client_id, at, .. } => {
            (at, EventKind::Cancelled { client_id, reason: "on request".into() })
        }
        VenueReport::Expired { client_id, reason, at, .. } => {
            (at, EventKind::Cancelled { client_id, reason: reason.into() })
        }
        VenueReport::Amended { .. } | VenueReport::Foreign(_) => return None,
    })
}

/// The order whose end `report` tells, and how much of it was executed by the venue's count.
#[must_use]
pub const fn end_of(report: &VenueReport) -> Option<(ClientOrderId, Quantity)> {
    match report {
        VenueReport::Cancelled { client_id, cumulative, .. } | VenueReport::Expired { client_id, cumulative, .. } => {
            Some((*client_id, *cumulative))
        }
        _ => None,
    }
}

/// Whether the end of an order is told before all of its executions were booked: some are still on their way, or lost.
///
/// Such an end is not recorded. Until the venue's lists have told the executions the order counts in full, and the
/// inquiry that finds them tells its end as well.
#[must_use]
pub fn is_told_too_early(record: &OrderRecord, executed: Quantity) -> bool {
    record.state.is_open() && record.filled < executed
}

/// What follows from the terms at which the venue works an order: nothing where they are what was meant, the end of an
/// amendment that was asked for, or else other terms, which count because they are the venue's.
///
/// Terms that the venue worked before it executed all of them are not taken over: the end of the order tells them.
#[must_use]
pub fn fact_of_terms(
    state: &State,
    client_id: ClientOrderId,
    price: Option<Price>,
    quantity: Quantity,
) -> Option<EventKind> {
    let record = state.open.get(&client_id)?;
    let order = &record.order;
    // an order that we make of another, such as a touched or a trailing one, has its own terms at the venue
    let meant = order.terms().kind;
    let priced = matches!(meant, OrderKind::Limit { .. } | OrderKind::StopLimit { .. });
    let same_price = !priced || price.is_none() || price == meant.limit();
    if same_price && quantity == order.quantity() || quantity <= record.filled {
        return None;
    }
    if same_price && state.amending.get(&client_id) == Some(&quantity) {
        return Some(EventKind::Amend { client_id, said: Amend::Confirmed { quantity } });
    }
    Some(EventKind::Reworked { client_id, price, quantity })
}
