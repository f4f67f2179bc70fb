//! The exchange over real sockets: every answer is read with the client's wire types, which recordings pin down.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;
mod connector;
mod faults;
mod prevention;
mod rest;
mod sockets;
mod tape;
