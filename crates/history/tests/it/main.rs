//! What the crate promises, at its edge: real recordings read in place, and broken copies of them.
#![allow(clippy::unwrap_used)] // tests may

mod broken;
mod catalog;
mod catalog_ticks;
mod columns;
mod common;
mod equity;
mod funding;
mod holes;
mod made;
mod played;
mod recorded;
mod stream;
mod ticks;
