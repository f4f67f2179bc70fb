//! The loop around the engine: append, step, judge, intend, permit, hand over. No network, no clock, no task.
//!
//! # Where it sits
//! Floor 6, below the hosts that have an outside: `node` runs it over a real disk and real sockets, `storm` over
//! simulated ones. What those two would otherwise each write, and could write differently, stands here once.
//!
//! # Start here
//! [`Host::record`] takes one event and does everything that follows from it. [`Outside`] is all that a host must
//! provide. [`recover`] makes the state that a [`Host`] begins with.
//!
//! # What always holds
//! * An event is appended before it is applied, and synced, with all its causes, before a request leaves on its account.
//! * A request is handed over at most once, with the journal's permit; where the outside has no room it is not sent,
//!   and that is an event.
//! * On a full disk new orders stop; cancels, halts, exits and the venue's word go on in the room that is kept back.
//! * Any other error of the journal ends the run: nothing leaves that is not remembered.

mod asked;
mod clock;
mod closing;
mod draft;
mod endings;
mod facts;
mod fees;
mod host;
mod may_say;
mod outside;
mod recover;
mod send;
mod vital;

pub use asked::{InDoubt, since, standing_of, venue_order};
pub use clock::MarketClock;
pub use draft::Draft;
pub use endings::Endings;
pub use facts::{end_of, fact_of, fact_of_terms, is_told_too_early};
pub use fees::Fees;
pub use host::Host;
pub use outside::{Gone, Outgoing, Outside};
pub use recover::{RecoverError, Recovered, oldest_snapshot_state, recover, snapshot_state, snapshot_state_of};
pub use send::{Asks, RESERVED_FOR_CANCELS, not_sent};

/// The host's places where a test may end the process; see [`tradewind_journal::failpoint`].
pub const FAILPOINTS: &[&str] = &[
    "host.event.applied",
    "host.send.prepared",
    "host.send.permitted",
    "host.send.noted",
    "host.send.handed-over",
    "host.hash.recorded",
    "host.snapshot.begun",
];
