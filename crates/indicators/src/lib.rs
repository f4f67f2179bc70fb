//! Technical indicators, candlestick patterns and market regimes, one bar at a time.
//!
//! # Where it sits
//! Pure domain logic: numbers in, numbers out. Knows no strategy, no venue, no clock. Strategies, agents, learned
//! models and charts all take their indicators from here, so that they mean the same by the same name.
//!
//! # Start here
//! [`Indicator`] is the one shape: [`update`](Indicator::update) takes the next closed bar and answers the value at
//! it. Types such as [`Ema`], [`Rsi`] or [`Bollinger`] are built by hand where the program knows what it wants;
//! [`catalog`] builds any of them by name. [`regime`] answers whether a market trends, [`patterns`] names candles.
//!
//! ```
//! use tradewind_indicators::{Indicator, Rsi};
//!
//! let mut rsi = Rsi::new(2)?;
//! assert_eq!(rsi.batch([10.0, 11.0, 10.0, 11.0]), [None, None, Some(50.0), Some(75.0)]);
//! # Ok::<(), tradewind_indicators::IndicatorError>(())
//! ```
//!
//! # What always holds
//! * A value at a bar depends on that bar and those before it, never on a later one.
//! * The incremental form is the only one; a batch is its fold.
//! * Nothing is told before it is warm, and nothing is made up where a formula has no value: that is `None`.
//! * An input that is NaN or infinite is refused and leaves no trace.
//! * A name that TA-Lib also has means what it means there, to 1e-8 relative, warm-up included. What differs from
//!   other libraries is listed in `REFERENCES.md` beside this crate's manifest.
//!
//! # Where the numbers come from
//! SMA, EMA, RMA, RSI, MACD, Bollinger bands, ATR and ADX are written out here, for speed. What else TA-Lib has comes
//! from the crate `ta-lib`, whose streams take at most 100 million bars; after that they answer `None`. The rest is
//! our own, with its source named at each type.

mod average;
mod candle;
pub mod catalog;
mod error;
mod estimators;
mod from_ta;
mod indicator;
mod listing;
mod momentum;
pub mod patterns;
mod position;
pub mod regime;
mod ta;
mod trend;
mod volatility;
mod volume;
mod window;

pub use average::{Ema, Rma, Seed, Sma};
pub use candle::{Candle, Source};
pub use error::{CODES, IndicatorError};
pub use estimators::{EwmaVolatility, GarmanKlass, Parkinson, RealizedVolatility, YangZhang};
pub use from_ta::*;
pub use indicator::{Indicator, Input, Outputs, Settled};
pub use momentum::{Macd, MacdOutput, Rsi};
pub use position::{
    Alligator, AlligatorOutput, ChandelierExit, ChandelierOutput, HighLowRange, PricePosition, UlcerIndex, ZScore,
};
pub use trend::{Adx, AdxOutput};
pub use volatility::{Atr, Bollinger, BollingerOutput, TrueRange};
pub use volume::{RollingVwap, SessionVwap, VolumeRatio};
