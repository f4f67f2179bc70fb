//! The pure core: [`State`], [`step`], the order life cycle and the portfolio's books.
//!
//! # Where it sits
//! Floor 3, over the domain and the gate. Knows no tokio, socket, disk, clock or chance: time and identity come
//! in with events, and what should be done about them goes out as [`Command`]s.
//!
//! # Start here
//! [`step`] = [`apply`] then [`decide`]. Recovery uses [`apply`] alone: it folds facts and decides nothing.
//! [`Replay`] uses both and compares what was decided then with what is decided now.
//!
//! # What always holds
//! * Feeding the same events through [`step`] gives the same state and the same commands, bit for bit.
//! * A fill is booked once per (instrument, trade id), whatever order reports arrive in.
//! * Every posting is exact or rounded once to the ledger's scale; cash, cost and profit sum to the last unit.
//! * Of a contract that was settled nothing is held and no order is open.
//! * An order of unknown outcome counts in full until evidence says otherwise.

mod account;
pub mod algo;
mod amend;
mod apply;
mod codec;
mod collar;
mod contingent;
mod decide;
mod digest;
mod error;
mod event;
mod evidence;
mod foreign;
mod funding;
mod governance;
mod keeping;
mod liquidation;
mod parents;
mod portfolio;
mod protect;
mod reconcile;
mod replay;
mod risk;
mod rollout;
mod settlement;
mod state;
mod unwind;

pub use amend::Amend;
pub use apply::apply;
pub use codec::{CodecError, SCHEMA, decode, encode};
pub use collar::{Unfilled, ask_again_at_worst_after, with_worst_price};
pub use decide::{Command, decide, is_asked_for};
pub use digest::TradeDigest;
pub use error::CODES;
pub use event::{Decision, DecisionKind, Drift, Event, EventKind, Forecast, Halt, Intent, Signal, Spoken, Verdict};
pub use evidence::{
    Absence, Answer, Doubt, Evidence, EvidencePolicy, Inquiry, Question, Reads, Stand, Standing, Step, strangers,
};
pub use foreign::{Adoption, ForeignExposure, ForeignOrder, VenueList, VenueTerms};
pub use funding::{Accrual, FUNDING_INTERVAL_NANOS, FUNDING_RATE_E8, funding_payment, funding_times};
pub use governance::{account_limit_values, limit_values, may_govern, set_account_limit, set_limit};
pub use liquidation::{Deleverage, Liquidation};
pub use portfolio::{Holding, Portfolio};
pub use protect::Guarded;
pub use reconcile::{Basis, Findings, Seen, VenueOrder, VenueTrade, compare, moves_balance};
pub use replay::{Divergence, Replay};
pub use risk::{Exemption, RiskAct, RiskBook};
pub use settlement::Settlement;
pub use state::{Counters, KnownDepth, LOGIC_VERSION, Listing, ListingStatus, State, Whole};
pub use unwind::{ExitDue, Tried};

/// Folds one event into `state` and notes in `commands` what should now be done about it.
///
/// Pure: no network, no disk, no chance, and no clock but the event's own.
#[inline]
pub fn step(state: &mut State, event: &Event, commands: &mut Vec<Command>) {
    apply(state, event);
    decide(state, event, commands);
}
