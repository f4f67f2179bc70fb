//! Venue protocols: what a venue says, what it means, its rules, and a connector that drives it over real sockets.
//!
//! # Where it sits
//! Floor 5: an edge. Speaks to one outside world, the venue. Takes from inside nothing but a permit of the journal
//! over an approval of the gate; knows neither engine nor where orders come from.
//!
//! # Start here
//! [`binance::wire`] is the venue's own language, [`binance::sign`] its signatures.
//!
//! # What always holds
//! * Venue and domain words meet in one place, `convert`.
//! * Secrets are wrapped: no `Debug`, error or log shows them.

pub mod binance;
mod error;
mod secrets;

pub use error::CODES;
pub use secrets::{ApiKey, ApiSecret, SecretError, SecretSource};
