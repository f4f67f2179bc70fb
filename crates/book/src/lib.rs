//! Order books: matching by price and time, fills on bars, and fills on ticks with queue and latency.
//!
//! # Where it sits
//! Floor 2, pure logic over [`tradewind_domain`]: no venue, no I/O, no clock, no chance. Time comes in as an argument.
//!
//! # Start here
//! [`BarMatcher`] fills orders on bars, for backtests and for an exchange that replays a bar tape alike.
//! [`MatchingCore`] is a whole market of one instrument, order by order. [`OrderBook`] follows a venue's depth feed,
//! [`CheckedBook`] one that sends checksums, [`QueueBook`] one that names each order.
//! [`TickSim`] puts our orders into a recorded feed, with queue position and latency.
//!
//! # What always holds
//! * The same calls in the same order give the same events.
//! * No order trades past its quantity or past its limit; what one side gives, the other side gets.
//! * Frictions make a price worse or leave it alone, never better.

pub mod bar;
mod checksum;
mod error;
mod ladder;
pub mod matching;
mod order_book;
mod queue_book;
pub mod ticks;

pub use bar::{BarCancel, BarEvent, BarMatcher, BarReject, BarTurn, FillPolicy, Impact};
pub use checksum::{CheckError, CheckedBook, top_checksum};
pub use error::CODES;
pub use matching::{
    CancelReason, DepthLevel, MatchEvent, MatchTrade, MatchingCore, MatchingRules, NewOrder, PreventedMatch,
    RejectReason, ReplaceError, RestingOrder, SelfTrade,
};
pub use order_book::{BookError, OrderBook};
pub use queue_book::{QueueBook, QueueError, QueuedOrder};
pub use ticks::{
    FeedLatency, FillSize, LatencySample, OrderLatency, QueueModel, TickCancel, TickError, TickEvent, TickKind,
    TickOrder, TickReject, TickReport, TickReportKind, TickSetup, TickSim,
};
