//! Binance spot: what it says, what that means, its rules, and a connector.
//!
//! [`wire`] follows the venue's documentation, [`convert`] turns it into domain types and back, [`rules`] judges
//! answers and keeps books in step, [`sign`] signs, [`protocol`] is all of it without sockets, [`Connection`] drives it all over real sockets.

mod client;
pub mod convert;
pub mod protocol;
pub mod rules;
pub mod sign;
pub mod wire;

pub use client::{
    AccountFill, AccountState, BinanceConfig, Connection, OrderPath, Subscriptions, listings, market_origin,
};

/// The venue's name in an instrument.
pub const VENUE: &str = "binance";
