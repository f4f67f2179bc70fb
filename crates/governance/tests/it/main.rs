//! What governance promises, area by area.
#![allow(clippy::unwrap_used)]

mod approvals;
mod audit;
mod changes;
mod keys;
mod policy;
mod rollout;
pub(crate) mod support;
mod words;
