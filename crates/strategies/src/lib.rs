//! Deciders that ship with the product, and the trait for your own.
//!
//! # Where it sits
//! Floor 4: a strategy sees bars and its own position, and says what it wants to hold and why. It knows no
//! venue, sends no order, and cannot widen its own limits: the gate judges what it proposes.
//!
//! # Start here
//! [`Strategy`] is the trait; [`Desk`] runs one strategy on one instrument, in a backtest and live alike.
//!
//! # What always holds
//! * What is said on a bar depends on that bar and earlier ones only.
//! * Every hold has a reason, like every trade.

mod desk;
mod ema_trend;
mod strategy;

pub use desk::{Desk, Outcome};
pub use ema_trend::{EmaTrend, EmaTrendParams};
pub use strategy::{Market, Opinion, Strategy, Target};
