//! The exchange over real sockets: every answer is read with the client's wire types, which recordings pin down.

mod common;
mod faults;
mod rest;
mod sockets;
mod tape;
