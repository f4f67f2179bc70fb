//! Faults by their number in the catalogue, and what must hold after every event, on the pure engine.
//!
//! A test whose name begins with a letter and two digits is that row of `docs/reliability.md`; one that begins with
//! `invariant` is a rule that holds whatever happens. Every event of every test here passes the judge, a second and much
//! simpler set of books.

#![allow(clippy::unwrap_used)] // a test may

mod a;
mod b;
mod invariants;
mod judge;
mod stage;
