//! Governance in the order path: who is asked, what is released, what a day's caps and kill switches stop.

#![allow(clippy::unwrap_used)]

mod approvals;
mod behind;
mod decisions;
mod limits;
mod pairs;
mod parents;
mod policy;
mod rollout;
mod speakers;
mod stage;
mod switches;
