//! Parts of the core one at a time: what each of them promises to whoever uses it.

#![allow(clippy::unwrap_used)] // a test may

#[path = "../faults/judge.rs"]
#[allow(dead_code)] // shared with the faults
mod judge;
#[path = "../faults/stage.rs"]
#[allow(dead_code)]
mod stage;

mod again;
mod books;
mod boundaries;
mod brackets;
mod collars;
mod compared;
mod conservation;
mod digest;
mod governed;
mod guards;
mod kept;
mod late;
mod limits;
mod liquidations;
mod near;
mod orders;
mod parents;
mod plans;
mod settlements;
mod snapshots;
mod stands;
mod state;
mod unwind;
mod waiting;
