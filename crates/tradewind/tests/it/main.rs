//! The program from outside: real processes, their exit codes, what they print, what they leave on disk.
//!
//! Tests that need recordings look for them under `TRADEWIND_RECORDINGS`, by default `../shared/data`.

#![allow(clippy::unwrap_used, reason = "a test that meets the unexpected fails")]

mod attacks;
mod bad_input;
mod bundles;
mod calendars;
mod contract;
mod damage;
mod data;
mod drop_copy;
mod errors;
mod example;
mod faults;
mod funding;
mod golden;
mod governance;
mod help;
mod interrupted;
#[cfg(not(target_vendor = "apple"))] // there the key chain alone says whom to trust
mod live;
mod log;
mod market;
mod operate;
mod past;
mod risk;
mod sample;
mod settlement;
mod standby;
mod storms;
mod stress;
mod support;
mod the_end;
mod tick_and_lot;
mod ticks;
mod trial;
