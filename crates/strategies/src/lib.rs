//! Deciders that ship with the product, and the trait for your own.
//!
//! # Where it sits
//! Floor 4: a strategy sees bars and its own position, and says what it wants to hold and why. It knows no
//! venue, sends no order, and cannot widen its own limits: the gate judges what it proposes.
//!
//! # Start here
//! [`Strategy`] is the trait; [`Desk`] runs one strategy on one instrument, in a backtest and live alike.
//! [`registry`] builds those that ship by name; [`sizing`] says how large a trade is; [`diagnose`] says why one of them does what it does. [`template`]
//! writes a crate for a strategy of your own.
//!
//! # What always holds
//! * What is said on a bar depends on that bar and earlier ones only.
//! * Every hold has a reason, like every trade.
//! * What is bought with cash is never sold short.

mod breakout;
mod desk;
pub mod diagnose;
mod ema_trend;
mod error;
mod hindsight;
mod managed;
mod mean_reversion;
mod parameters;
pub mod registry;
mod rehearsal;
mod seen;
pub mod sizing;
mod strategy;
pub mod template;
mod volatility_target;
mod vote;

pub use breakout::{Breakout, BreakoutParams};
pub use desk::{Desk, Outcome};
pub use ema_trend::{EmaTrend, EmaTrendParams};
pub use error::{CODES, StrategyError};
pub use managed::{Ends, Managed};
pub use mean_reversion::{MeanReversion, MeanReversionParams};
pub use parameters::{Parameter, Range};
pub use rehearsal::{Rehearsal, Scene};
pub use sizing::Sizing;
pub use strategy::{Expectation, Market, Opinion, Strategy, Target};
pub use volatility_target::{VolatilityTarget, VolatilityTargetParams};
pub use vote::{Vote, VoteParams};
