//! Events as journal records: one JSON text each, readable alone.
//!
//! Prices and quantities are whole numbers of an instrument's decimals; the record carries those decimals, so
//! nothing else is needed to read it. Money is decimal text with its currency.

use crate::{Event, EventKind, State};
use serde::{Deserialize, Serialize};
use tradewind_domain::{Coded, InstrumentId};

/// Version of the record's shape; the second brought [`EventKind::Settled`]. Readers take every older one and refuse a
/// newer one. A record has the oldest that tells it, so that a journal without anything new is read by older programs.
pub const SCHEMA: u16 = 2;

#[derive(Serialize)]
struct Record<'a> {
    v: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    decimals: Option<[u8; 2]>,
    event: &'a Event,
}

#[derive(Deserialize)]
struct Version {
    v: u16,
}

#[derive(Deserialize)]
struct Owned {
    event: Event,
}

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Written by a newer program.
    #[error("the record has schema {found}, this program reads up to {SCHEMA}")]
    Newer {
        /// The version found.
        found: u16,
    },
    /// Not a record of ours.
    #[error("the record `{start}` cannot be read")]
    Malformed {
        /// Its first characters.
        start: String,
        /// What the parser found.
        #[source]
        source: serde_json::Error,
    },
}

impl Coded for CodecError {
    fn code(&self) -> &'static str {
        match self {
            Self::Newer { .. } => "ENG-01",
            Self::Malformed { .. } => "ENG-02",
        }
    }
    fn hint(&self) -> &'static str {
        crate::error::hint_of(self.code())
    }
}

/// Writes an event as a record; `state` knows the decimals of its instrument.
///
/// # Panics
/// Never: events have text keys only.
#[must_use]
pub fn encode(event: &Event, state: &State) -> Vec<u8> {
    let decimals = instrument_of(&event.kind, state).and_then(|id| state.listings.get(id.index())).map(|listing| {
        let spec = &listing.instrument.spec;
        [spec.price_decimals, spec.quantity_decimals]
    });
    let v = schema_of(&event.kind);
    serde_json::to_vec(&Record { v, decimals, event }).expect("events have text keys only")
}

/// Reads a record.
///
/// # Errors
/// [`CodecError::Newer`] for a newer schema, [`CodecError::Malformed`] for anything else.
pub fn decode(record: &[u8]) -> Result<Event, CodecError> {
    let malformed = |source| CodecError::Malformed {
        start: String::from_utf8_lossy(&record[..record.len().min(80)]).into_owned(),
        source,
    };
    match serde_json::from_slice::<Owned>(record) {
        Ok(owned) if record.starts_with(b"{\"v\":1,") => Ok(owned.event),
        other => {
            let version: Version = serde_json::from_slice(record).map_err(malformed)?;
            if version.v > SCHEMA {
                return Err(CodecError::Newer { found: version.v });
            }
            other.map(|owned| owned.event).map_err(malformed)
        }
    }
}

/// The oldest version in which a record of `kind` can be read.
const fn schema_of(kind: &EventKind) -> u16 {
    if matches!(kind, EventKind::Settled { .. }) { 2 } else { 1 }
}

fn instrument_of(kind: &EventKind, state: &State) -> Option<InstrumentId> {
    let of_order = |id| state.order(id).map(|record| record.order.instrument());
    match kind {
        EventKind::Quoted { quote, .. } => Some(quote.instrument),
        EventKind::Deepened { depth, .. } => Some(depth.instrument),
        EventKind::Traded { trade, .. } => Some(trade.instrument),
        EventKind::BarClosed { bar, .. } => Some(bar.instrument),
        EventKind::Decided(decision) => Some(decision.instrument),
        EventKind::Proposed(proposal) => Some(proposal.request.instrument),
        EventKind::ProposedPair { pair } => Some(pair[0].request.instrument),
        EventKind::Filled(fill) | EventKind::ForeignFilled(fill) | EventKind::Reversed(fill) => Some(fill.instrument),
        EventKind::Foreign(order) => Some(order.instrument),
        EventKind::Adopted(adoption) => Some(adoption.order.instrument()),
        EventKind::Reworked { client_id, .. } | EventKind::Amend { client_id, .. } => of_order(*client_id),
        EventKind::Judged(crate::Verdict::AmendApproved { client_id, .. }) => of_order(*client_id),
        EventKind::Funding { instrument, .. } | EventKind::Settled { instrument, .. } => Some(*instrument),
        EventKind::Judged(crate::Verdict::Approved(order)) => Some(order.instrument()),
        EventKind::ListingChanged { instrument, .. } | EventKind::Baseline { instrument, .. } => Some(*instrument),
        EventKind::Parent(said) => said.concerns().map(|(instrument, _)| instrument),
        EventKind::Intended(intent) => of_order(intent.client_id),
        EventKind::CancelProposed { client_id } | EventKind::Sent { client_id } => of_order(*client_id),
        EventKind::Started { .. }
        | EventKind::Stopped
        | EventKind::Listed(_)
        | EventKind::Opened { .. }
        | EventKind::LimitsSet(_)
        | EventKind::Deposited(_)
        | EventKind::Judged(_)
        | EventKind::NotSent { .. }
        | EventKind::AnswerLost { .. }
        | EventKind::Accepted { .. }
        | EventKind::Rejected { .. }
        | EventKind::Triggered { .. }
        | EventKind::CancelSent { .. }
        | EventKind::CancelRefused { .. }
        | EventKind::Cancelled { .. }
        | EventKind::Expired { .. }
        | EventKind::Timer
        | EventKind::Halted(_)
        | EventKind::Resumed { .. }
        | EventKind::Reconciled { .. }
        | EventKind::Compared { .. }
        | EventKind::GapFound { .. }
        | EventKind::Restricted { .. }
        | EventKind::Adjusted { .. }
        | EventKind::Governance(_)
        | EventKind::Risk(_)
        | EventKind::StateHash { .. } => None,
    }
}
