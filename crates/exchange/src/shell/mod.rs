//! The thin shell: sockets, clocks and tasks around the world and the protocol.

pub(crate) mod api_ws;
mod connection;
pub(crate) mod control;
pub(crate) mod driver;
pub(crate) mod market_ws;
pub(crate) mod rest;
pub(crate) mod shared;
