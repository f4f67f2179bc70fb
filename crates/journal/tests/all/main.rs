//! What the journal promises, tried through its public face on a simulated and on a real disk.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![allow(clippy::cast_possible_truncation, reason = "test payloads are made of low bytes on purpose")]

mod corruption;
mod crash;
mod disk;
mod edges;
mod faults;
mod fixture;
mod properties;
mod refusals;
mod snapshots;
mod support;
mod writing;
