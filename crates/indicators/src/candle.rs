//! What an indicator is fed: one bar as floating-point numbers, or one series taken from it.

use serde::{Deserialize, Serialize};

use crate::IndicatorError;

/// One bar as indicators see it: prices and volume in whatever unit the caller keeps throughout.
///
/// Time is absent on purpose: an indicator depends on the order of bars alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Candle {
    /// The first price.
    pub open: f64,
    /// The highest price.
    pub high: f64,
    /// The lowest price.
    pub low: f64,
    /// The last price.
    pub close: f64,
    /// The traded quantity.
    pub volume: f64,
}

impl Candle {
    /// A bar from its five numbers, in the customary order.
    pub const fn new(open: f64, high: f64, low: f64, close: f64, volume: f64) -> Self {
        Self { open, high, low, close, volume }
    }

    /// (high + low + close) / 3.
    #[inline]
    pub fn typical_price(&self) -> f64 {
        (self.high + self.low + self.close) / 3.0
    }

    /// Whether all five numbers are finite.
    #[inline]
    pub fn is_finite(&self) -> bool {
        self.open.is_finite()
            && self.high.is_finite()
            && self.low.is_finite()
            && self.close.is_finite()
            && self.volume.is_finite()
    }

    /// # Errors
    /// [`IndicatorError::NotFinite`] with the first field that is NaN or infinite.
    pub(crate) fn check(&self) -> Result<(), IndicatorError> {
        let fields = [
            ("open", self.open),
            ("high", self.high),
            ("low", self.low),
            ("close", self.close),
            ("volume", self.volume),
        ];
        match fields.into_iter().find(|(_, value)| !value.is_finite()) {
            Some((field, value)) => Err(IndicatorError::NotFinite { field, value }),
            None => Ok(()),
        }
    }
}

/// Which number of a bar feeds an indicator of one series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The first price.
    Open,
    /// The highest price.
    High,
    /// The lowest price.
    Low,
    /// The last price: what is meant when nobody says otherwise.
    #[default]
    Close,
    /// The traded quantity.
    Volume,
    /// (high + low) / 2.
    MedianPrice,
    /// (high + low + close) / 3.
    TypicalPrice,
    /// (open + high + low + close) / 4.
    AveragePrice,
}

impl Source {
    /// Takes the number from `candle`.
    #[inline]
    pub fn of(self, candle: &Candle) -> f64 {
        match self {
            Self::Open => candle.open,
            Self::High => candle.high,
            Self::Low => candle.low,
            Self::Close => candle.close,
            Self::Volume => candle.volume,
            Self::MedianPrice => (candle.high + candle.low) / 2.0,
            Self::TypicalPrice => candle.typical_price(),
            Self::AveragePrice => (candle.open + candle.high + candle.low + candle.close) / 4.0,
        }
    }
}
