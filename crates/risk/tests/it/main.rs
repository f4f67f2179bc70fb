//! The promises of the crate, at its edge.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_precision_loss)] // a test may

mod books;
mod boundaries;
mod breakers;
mod coins;
mod collars;
mod edges;
mod guards;
mod liquidations;
mod numbers;
mod plans;
mod protections;
mod reach;
mod sizes;
mod tails;
mod usage;
mod world;
