//! Orders that become other orders over time: parents, and what they propose.
//!
//! A [`Parent`] is a wish with a [`Plan`]: wait for a price, protect what fills, slice over time or volume, show a tip,
//! stand at several prices, take another order's place. It is a pure machine: events fold into it
//! ([`Parents`] holds all of a risk domain), and [`Parent::due`] says what it wants done now: propose a child, cancel
//! one, or change its own state. A child is an order like any other and passes the gate in full.
//!
//! # What always holds
//! * The sum of all that a parent's children may still fill never exceeds what the parent was asked for. A child whose
//!   outcome is unknown counts in full. A fill later than the end of its order is booked, and what stands in its place is
//!   taken back.
//! * A child that is refused or rejected is tried once more, by a new decision at a later moment; then the parent pauses
//!   and says why. One that came too soon after other orders waits a second, and counts as no failure for the first minute.
//! * A parent lives in the journalled state: after a restart it goes on where the events left it.
//! * A cancelled parent proposes nothing more, and its children are cancelled.

mod event;
mod fold;
mod ladder;
mod parent;
mod parents;
mod plan;
mod schedule;
#[cfg(test)]
mod tests;

pub use event::ParentEvent;
pub use parent::{
    BURST, Child, ChildEnd, ChildState, Due, Faults, Look, Parent, ParentEnd, ParentState, PriceSource, RETRY_AFTER,
    Role, ask_again_after,
};
pub(crate) use parent::{CANCEL_LATER_AFTER, RETRY_DOUBLINGS, Refused, Told};
pub(crate) use parents::LIVE_MAX;
pub use parents::{Ask, Parents};
pub(crate) use plan::on_tick;
pub use plan::{Behind, ParentId, ParentWish, Plan, PlanError, Protection, Rung};
pub use schedule::{Participation, Schedule, VolumeSource};
