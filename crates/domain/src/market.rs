//! What the market shows: quotes, trades, bars, and where they came from.

use crate::error::hint_of;
use crate::{Coded, InstrumentId, Interval, Price, Quantity, Side, Timestamp, TradeId};
use serde::{Deserialize, Serialize};

/// Where a value comes from. Simulated values say so, and live mode refuses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// From a venue's own servers, now.
    Live,
    /// Recorded from a real market earlier.
    Recorded,
    /// Made by our own simulation.
    Simulated,
}

/// Best bid and ask with their sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Of what.
    pub instrument: InstrumentId,
    /// Best bid.
    pub bid: Price,
    /// Size at the best bid.
    pub bid_size: Quantity,
    /// Best ask.
    pub ask: Price,
    /// Size at the best ask.
    pub ask_size: Quantity,
}

/// How much rests near the market: as much of a book as the guards on price impact look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Depth {
    /// Of what.
    pub instrument: InstrumentId,
    /// Size at the best bid, and at the best ten bids together.
    pub bids: [Quantity; 2],
    /// Size at the best ask, and at the best ten asks together.
    pub asks: [Quantity; 2],
}

impl Depth {
    /// What an order of `side` would take from: asks for a buy, bids for a sell.
    #[must_use]
    pub const fn taken_by(&self, side: Side) -> [Quantity; 2] {
        match side {
            Side::Buy => self.asks,
            Side::Sell => self.bids,
        }
    }
}

/// One trade seen on the public tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// Of what.
    pub instrument: InstrumentId,
    /// At which price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
    /// Which side crossed the book.
    pub aggressor: Side,
    /// The venue's name of it.
    pub id: TradeId,
}

/// Open, high, low, close and volume of one interval.
///
/// `close_time = open_time + interval`, exclusive: the bar may be used from `close_time` on, never before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// Of what.
    pub instrument: InstrumentId,
    /// How long.
    pub interval: Interval,
    /// When it began; files, API and charts key on it.
    pub open_time: Timestamp,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Quantity traded.
    pub volume: Quantity,
}

/// A bar that contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: open {open}, high {high}, low {low}, close {close}, volume {volume}")]
pub struct BarError {
    /// Which rule is broken.
    pub what: &'static str,
    /// Mantissas as given.
    pub open: i64,
    /// See `open`.
    pub high: i64,
    /// See `open`.
    pub low: i64,
    /// See `open`.
    pub close: i64,
    /// See `open`.
    pub volume: i64,
}

impl Coded for BarError {
    fn code(&self) -> &'static str {
        "DOM-12"
    }
    fn hint(&self) -> &'static str {
        hint_of("DOM-12")
    }
}

impl Bar {
    /// When it ended, exclusive: its event time.
    #[must_use]
    #[inline]
    pub const fn close_time(&self) -> Timestamp {
        self.open_time.plus_nanos(self.interval.nanos())
    }

    /// Checks that high is the highest, low the lowest and volume not negative.
    ///
    /// # Errors
    /// [`BarError`] with all five values.
    pub fn validate(&self) -> Result<(), BarError> {
        let what = if self.high < self.low {
            "high is below low"
        } else if self.high < self.open.max(self.close) {
            "high is not the highest"
        } else if self.low > self.open.min(self.close) {
            "low is not the lowest"
        } else if self.volume < Quantity::ZERO {
            "volume is negative"
        } else {
            return Ok(());
        };
        Err(BarError {
            what,
            open: self.open.mantissa(),
            high: self.high.mantissa(),
            low: self.low.mantissa(),
            close: self.close.mantissa(),
            volume: self.volume.mantissa(),
        })
    }
}
