//! Our orders against a recorded feed of depth and trades, with queue position and latency.
//!
//! # The model
//! There are two places. At the exchange the recorded events happen and our requests arrive; here we see the feed and
//! the exchange's answers, each as late as its latency says. [`TickSim`] keeps both, and a strategy sees only here.
//!
//! # The rules
//! * The recording does not react to us: what we take stays displayed, what we rest is not displayed. This flatters
//!   large orders; keep them small against the displayed size.
//! * A resting order fills when the queue ahead of it has traded ([`QueueModel`]), whole when the tape trades beyond
//!   its price or the opposite side is displayed at or through it, always at its own price, as a maker.
//! * An order that arrives through the opposite best takes level by level what is displayed, as a taker; a post-only
//!   one is rejected.
//! * Of two own orders at one price, the earlier one fills first, and one trade's volume is not given twice.

mod exchange;
mod latency;
mod queue;
mod sim;
#[cfg(test)]
mod tests;

pub use exchange::{FillSize, TickCancel, TickOrder, TickReject};
pub use latency::{FeedLatency, LatencySample, OrderLatency};
pub use queue::QueueModel;
pub use sim::{TickError, TickEvent, TickKind, TickReport, TickReportKind, TickSetup, TickSim};
