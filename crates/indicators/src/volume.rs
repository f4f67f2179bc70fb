//! Volume measures that `ta-lib` lacks: VWAP of a session and of a window, volume against its average.

use crate::average::Sma;
use crate::catalog::catalogued;
use crate::volatility::has_prices;
use crate::{Candle, Indicator, IndicatorError};

/// VWAP of the session: the typical price weighted by volume over every bar since
/// [`start_session`](Indicator::start_session), or since the first bar. No value before the session's first volume.
#[derive(Clone, Debug, Default)]
pub struct SessionVwap {
    turnover: f64,
    volume: f64,
}

catalogued!(SessionVwap = "session_vwap", "Session VWAP", Volume, overlay: true, ());

impl SessionVwap {
    /// Builds it, cold.
    ///
    /// # Errors
    /// None: it has no parameters.
    pub fn new() -> Result<Self, IndicatorError> {
        Ok(Self::default())
    }
}

impl Indicator for SessionVwap {
    type Input = Candle;
    type Output = f64;

    fn update(&mut self, candle: Candle) -> Option<f64> {
        if !has_prices(&candle) || !candle.volume.is_finite() || candle.volume < 0.0 {
            return None;
        }
        self.turnover += candle.typical_price() * candle.volume;
        self.volume += candle.volume;
        (self.volume > 0.0).then(|| self.turnover / self.volume)
    }

    fn lookback(&self) -> usize {
        0
    }

    fn reset(&mut self) {
        (self.turnover, self.volume) = (0.0, 0.0);
    }

    fn start_session(&mut self) {
        self.reset();
    }
}

/// Rolling VWAP: the typical price weighted by volume over the window. No value where nothing traded in it.
#[derive(Clone, Debug)]
pub struct RollingVwap {
    turnover: Sma,
    volume: Sma,
}

catalogued!(RollingVwap = "rolling_vwap", "Rolling VWAP", Volume, overlay: true, (period: usize = 20 in 1..=100_000));

impl RollingVwap {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 1 to 100,000.
    pub fn new(period: usize) -> Result<Self, IndicatorError> {
        Self::check(period)?;
        Ok(Self { turnover: Sma::new(period)?, volume: Sma::new(period)? })
    }
}

impl Indicator for RollingVwap {
    type Input = Candle;
    type Output = f64;

    fn update(&mut self, candle: Candle) -> Option<f64> {
        if !has_prices(&candle) || !candle.volume.is_finite() || candle.volume < 0.0 {
            return None;
        }
        let turnover = self.turnover.update(candle.typical_price() * candle.volume);
        let volume = self.volume.update(candle.volume)?;
        (volume > 0.0).then_some(turnover? / volume)
    }

    fn lookback(&self) -> usize {
        self.volume.lookback()
    }

    fn reset(&mut self) {
        self.turnover.reset();
        self.volume.reset();
    }
}

/// Volume ratio: the bar's volume over the window's average, this bar included. No value where nothing traded.
///
/// [`RelativeVolume`](crate::RelativeVolume) leaves this bar out of the average.
#[derive(Clone, Debug)]
pub struct VolumeRatio {
    average: Sma,
}

catalogued!(VolumeRatio = "volume_ratio", "Volume ratio", Volume, overlay: false, (period: usize = 20 in 1..=100_000));

impl VolumeRatio {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 1 to 100,000.
    pub fn new(period: usize) -> Result<Self, IndicatorError> {
        Self::check(period)?;
        Ok(Self { average: Sma::new(period)? })
    }
}

impl Indicator for VolumeRatio {
    type Input = Candle;
    type Output = f64;

    fn update(&mut self, candle: Candle) -> Option<f64> {
        if candle.volume < 0.0 {
            return None;
        }
        let average = self.average.update(candle.volume)?;
        (average > 0.0).then_some(candle.volume / average)
    }

    fn lookback(&self) -> usize {
        self.average.lookback()
    }

    fn reset(&mut self) {
        self.average.reset();
    }
}
