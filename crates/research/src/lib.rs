//! Backtests: the real engine and gate over recorded bars, and what came of it.
//!
//! # Where it sits
//! Floor 6, a host like the node: it owns the loop, the engine decides. Fills come from [`tradewind_book`]'s bar
//! matcher, which the local exchange shares, so a tape gives the same fills in a backtest and over the wire.
//!
//! # Start here
//! [`Backtest::new`] takes a [`Plan`]; [`Backtest::feed`] takes one bar at a time; [`Backtest::finish`] gives the
//! [`Outcome`]. [`report`] turns that into a page and into JSON; [`stress`] runs a strategy through made-up markets; [`tail`] says
//! what holdings may lose.
//!
//! # What always holds
//! * A decision on a bar's close fills at the next bar's open, never before.
//! * Memory does not grow with the number of bars.
//! * Equal plans over equal bars give equal event streams.

mod backtest;
mod costs;
mod curve;
mod delivery;
mod error;
mod idle;
mod market;
mod outcomes;
pub mod report;
mod round_trips;
pub mod session;
pub mod stress;
mod tags;
pub mod tail;

pub use backtest::{Backtest, Outcome, Plan, PlanError, Recorder, Silent, Sink};
pub use costs::Costs;
pub use curve::{Curve, Point};
pub use delivery::Delivery;
pub use error::CODES;
pub use idle::Idle;
pub use market::MarketPath;
pub use outcomes::SignalOutcomes;
pub use round_trips::{RoundTrip, RoundTrips};
pub use tags::Tags;
