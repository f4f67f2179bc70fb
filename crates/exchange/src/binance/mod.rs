//! The venue's protocol, spoken from its side. Written from its documentation, apart from the client's codec.

pub(crate) mod account_calls;
pub(crate) mod answer;
pub(crate) mod calls;
pub(crate) mod door;
pub(crate) mod frames;
mod info;
pub(crate) mod limits;
pub(crate) mod market_calls;
mod order_calls;
pub(crate) mod params;
pub(crate) mod payload;
pub(crate) mod scarcity;
pub(crate) mod signature;
pub(crate) mod streams;
