//! Binance spot.

pub mod sign;
pub mod wire;
