//! Storms: the real engine, gate, journal, codec and matching core in one thread and in virtual time, while network,
//! disk, clock, venue and process fail by plan.
//!
//! # Where it sits
//! Floor 6, beside `node`. Both run the same loop (`tradewind-host`); what a node has of sockets, disks and clocks is
//! simulated here. The venue is `tradewind-exchange` in process, spoken to with the bytes of `tradewind-venues`.
//!
//! # Start here
//! [`Storm::new`] takes a seed and a [`Plan`]; [`Storm::run`] gives a [`Report`]. [`run_all`] runs many. [`FAULTS`] is
//! the catalogue of what can go wrong once, [`KNOBS`] the table of what goes wrong all the time. [`Scenario`] sets one
//! fault up for a test.
//!
//! # What always holds
//! * The same seed and plan give the same hash on every machine.
//! * Invariants are checked after every event, by books that the engine does not keep.
//! * The [`Judge`] knows the venue's history and the callers' words, and none of our code.
//! * A storm ends only when all is quiet: everything known, and venue and books agreed.

mod approvals;
mod batch;
mod bundle;
mod chance;
mod chaos;
mod climate;
mod clockwork;
mod connection;
mod ending;
mod faults;
mod hearing;
mod inquire;
mod invariants;
mod judge;
mod larger;
mod leaving;
mod life;
mod link;
mod mishaps;
mod node;
mod operator;
mod orders;
mod people;
mod plan;
mod queue;
mod report;
mod scenario;
mod setup;
mod standing;
mod storm;
mod strike;
mod sweep;
mod venue;
mod wire;

pub use batch::{Orders, replay_line, run_all, run_one, shrink};
pub use bundle::{Bundle, KNOBS, Knob, KnobInfo};
pub use chance::Chance;
pub use climate::Acted;
pub use faults::{FAULTS, FaultId, FaultInfo, Place, all_faults};
pub use judge::{Judge, Sent, Verdict};
pub use plan::{Plan, Planned, When};
pub use report::{Report, Summary, Tally};
pub use scenario::{Outcome, Scenario};
pub use standing::Standing;
pub use storm::Storm;
