//! The indicators that `ta-lib` computes, by group.

mod average;
mod cycle;
mod momentum;
pub(crate) mod pattern;
mod price;
mod statistic;
mod trend;
mod volatility;
mod volume;

pub use average::*;
pub use cycle::*;
pub use momentum::*;
pub use price::*;
pub use statistic::*;
pub use trend::*;
pub use volatility::*;
pub use volume::*;
