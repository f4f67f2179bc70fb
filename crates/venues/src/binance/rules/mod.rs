//! Binance's rules: what its answers mean, what requests cost, and how its book is kept.

mod believe;
mod book;
mod errors;
mod weights;

pub use believe::{Doubt, Numbered, Numbers, Prices, Rhythm};
pub use book::{BookSync, DepthDiff, Sync};
pub(crate) use errors::retry_after;
pub use errors::{Command, Verdict, judge};
pub use weights::{Endpoint, order_count_header, used_weight_header};
