//! A whole market of one instrument: who trades with whom, by price and then by time.
//!
//! # The rules
//! * Better prices first; at one price, who came first. Trades happen at the resting order's price.
//! * Stops wake on trade prices: a buy when one reaches its trigger from below, a sell from above. Those that one
//!   order's trades wake act after it is done, in the order of their arrival.
//! * A smaller quantity at the same price keeps its place in the queue; any other change goes to the end.
//! * Where two orders of one owner would trade, the incoming one's [`SelfTrade`] says what each loses instead. That is
//!   no trade: it prints no price, wakes no stop and ends no other order of a group.
//! * What an order with [`TimeInForce::Fok`](tradewind_domain::TimeInForce) could take is judged before its first
//!   trade, with its self-trade rule and the OCO groups of the makers in mind.

mod core;
mod events;
#[cfg(test)]
mod model;
mod side;
#[cfg(test)]
mod tests;

pub use self::core::{MatchingCore, MatchingRules};
pub use events::{
    CancelReason, DepthLevel, MatchEvent, MatchTrade, NewOrder, PreventedMatch, RejectReason, ReplaceError,
    RestingOrder, SelfTrade,
};
