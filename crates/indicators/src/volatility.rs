//! The volatility measures of the hot path, written out: true range, ATR, Bollinger bands.

use crate::average::Recursion;
use crate::catalog::catalogued;
use crate::indicator::outputs;
use crate::window::Moments;
use crate::{Candle, Indicator, IndicatorError};

/// The larger of two finite numbers: one instruction, where `f64::max` also minds NaN.
#[inline]
pub(crate) fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// The smaller of two finite numbers.
#[inline]
pub(crate) fn smaller(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

/// The range that `candle` covered, the way from the close before it included.
#[inline]
pub(crate) fn true_range(candle: &Candle, previous_close: f64) -> f64 {
    larger(candle.high, previous_close) - smaller(candle.low, previous_close)
}

/// Whether high, low and close are finite (their sum is, unless they lie at the edge of the number range).
#[inline]
pub(crate) fn has_prices(candle: &Candle) -> bool {
    (candle.high + candle.low + candle.close).is_finite()
}

/// True range: the range of the bar extended to the close before it, in units of price. Bars need high >= low.
#[derive(Clone, Debug, Default)]
pub struct TrueRange {
    previous_close: Option<f64>,
}

catalogued!(TrueRange = "trange", "True range", Volatility, overlay: false, ());

impl TrueRange {
    /// Builds it, cold.
    ///
    /// # Errors
    /// None: it has no parameters.
    pub fn new() -> Result<Self, IndicatorError> {
        Ok(Self::default())
    }
}

impl Indicator for TrueRange {
    type Input = Candle;
    type Output = f64;

    #[inline]
    fn update(&mut self, candle: Candle) -> Option<f64> {
        if !has_prices(&candle) {
            return None;
        }
        let previous_close = self.previous_close.replace(candle.close)?;
        Some(true_range(&candle, previous_close))
    }

    fn lookback(&self) -> usize {
        1
    }

    fn reset(&mut self) {
        self.previous_close = None;
    }
}

/// Average true range: Wilder's average of the true range, in units of price. Bars need high >= low.
///
/// Source: J. W. Wilder, "New Concepts in Technical Trading Systems", 1978. Equal to TA-Lib's ATR.
#[derive(Clone, Debug)]
pub struct Atr {
    average: Recursion,
    previous_close: f64,
    started: bool,
    period: usize,
}

catalogued!(Atr = "atr", "Average true range", Volatility, overlay: false, (period: usize = 14 in 1..=100_000));

impl Atr {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 1 to 100,000.
    pub fn new(period: usize) -> Result<Self, IndicatorError> {
        Self::check(period)?;
        let average = Recursion::new(period, (period as f64 - 1.0) / period as f64);
        Ok(Self { average, previous_close: 0.0, started: false, period })
    }
}

impl Indicator for Atr {
    type Input = Candle;
    type Output = f64;

    #[inline]
    fn update(&mut self, candle: Candle) -> Option<f64> {
        if !has_prices(&candle) {
            return None;
        }
        let previous_close = std::mem::replace(&mut self.previous_close, candle.close);
        if !self.started {
            self.started = true;
            return None;
        }
        self.average.update(true_range(&candle, previous_close))
    }

    fn lookback(&self) -> usize {
        self.period
    }

    fn reset(&mut self) {
        self.average.reset();
        self.started = false;
    }
}

outputs! {
    /// What [`Bollinger`] yields, in units of the input.
    BollingerOutput { upper: "The upper band.", middle: "The simple average.", lower: "The lower band." }
}

impl BollingerOutput {
    /// The distance between the bands over the middle: a fraction. `None` where the middle is zero.
    pub fn width(&self) -> Option<f64> {
        (self.middle != 0.0).then(|| (self.upper - self.lower) / self.middle)
    }

    /// Where `value` stands between the bands: 0 at the lower, 1 at the upper, beyond them outside.
    /// `None` where the bands coincide.
    pub fn position(&self, value: f64) -> Option<f64> {
        let span = self.upper - self.lower;
        (span > 0.0).then(|| (value - self.lower) / span)
    }
}

/// Bollinger bands: the simple average and a multiple of the population standard deviation on either side.
///
/// Source: J. Bollinger, "Bollinger on Bollinger Bands", 2001. Equal to TA-Lib's BBANDS over a simple average.
#[derive(Clone, Debug)]
pub struct Bollinger {
    moments: Moments,
    deviations_up: f64,
    deviations_down: f64,
}

catalogued!(
    Bollinger = "bbands", "Bollinger bands", Volatility, overlay: true,
    (period: usize = 20 in 2..=100_000, deviations_up: f64 = 2.0 in 0.0..=1e6, deviations_down: f64 = 2.0 in 0.0..=1e6)
);

impl Bollinger {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 2 to 100,000 and the deviations are 0 to 1,000,000.
    pub fn new(period: usize, deviations_up: f64, deviations_down: f64) -> Result<Self, IndicatorError> {
        Self::check(period, deviations_up, deviations_down)?;
        Ok(Self { moments: Moments::new(period), deviations_up, deviations_down })
    }
}

impl Indicator for Bollinger {
    type Input = f64;
    type Output = BollingerOutput;

    #[inline]
    fn update(&mut self, value: f64) -> Option<BollingerOutput> {
        if !value.is_finite() {
            return None;
        }
        let (middle, variance) = self.moments.push(value)?;
        let deviation = variance.sqrt();
        Some(BollingerOutput {
            upper: middle + self.deviations_up * deviation,
            middle,
            lower: middle - self.deviations_down * deviation,
        })
    }

    fn lookback(&self) -> usize {
        self.moments.len() - 1
    }

    fn reset(&mut self) {
        self.moments.clear();
    }
}
