//! What a venue's report is to the engine.

use tradewind_domain::Timestamp;
use tradewind_engine::EventKind;
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
