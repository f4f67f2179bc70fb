//! Where a price stands: in its range, against its spread, below its peak; and stops taken from extremes.

use crate::average::Rma;
use crate::catalog::catalogued;
use crate::indicator::outputs;
use crate::volatility::{Atr, has_prices};
use crate::window::{Extreme, Moments, Window};
use crate::{Candle, Indicator, IndicatorError};

/// High-low range: the highest high less the lowest low of the window, over the close: a fraction.
/// No value where the close is zero.
#[derive(Clone, Debug)]
pub struct HighLowRange {
    highest: Extreme,
    lowest: Extreme,
    period: usize,
}

catalogued!(
    HighLowRange = "high_low_range", "High-low range", Volatility, overlay: false,
    (period: usize = 20 in 1..=100_000)
);

impl HighLowRange {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 1 to 100,000.
    pub fn new(period: usize) -> Result<Self, IndicatorError> {
        Self::check(period)?;
        Ok(Self { highest: Extreme::highest(period), lowest: Extreme::lowest(period), period })
    }
}

impl Indicator for HighLowRange {
    type Input = Candle;
    type Output = f64;

    fn update(&mut self, candle: Candle) -> Option<f64> {
        if !has_prices(&candle) {
            return None;
        }
        let (highest, lowest) = (self.highest.push(candle.high), self.lowest.push(candle.low));
        (candle.close != 0.0).then_some((highest? - lowest?) / candle.close)
    }

    fn lookback(&self) -> usize {
        self.period - 1
    }

    fn reset(&mut self) {
        self.highest.clear();
        self.lowest.clear();
    }
}

/// Price position: where the close stands between the lowest low (0) and the highest high (1) of the window.
/// No value where the two coincide.
#[derive(Clone, Debug)]
pub struct PricePosition {
    highest: Extreme,
    lowest: Extreme,
    period: usize,
}

catalogued!(
    PricePosition = "price_position", "Price position", Momentum, overlay: false,
    (period: usize = 20 in 1..=100_000)
);

impl PricePosition {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 1 to 100,000.
    pub fn new(period: usize) -> Result<Self, IndicatorError> {
        Self::check(period)?;
        Ok(Self { highest: Extreme::highest(period), lowest: Extreme::lowest(period), period })
    }
}

impl Indicator for PricePosition {
    type Input = Candle;
    type Output = f64;

    fn update(&mut self, candle: Candle) -> Option<f64> {
        if !has_prices(&candle) {
            return None;
        }
        let (highest, lowest) = (self.highest.push(candle.high), self.lowest.push(candle.low));
        let (highest, lowest) = (highest?, lowest?);
        (highest > lowest).then(|| (candle.close - lowest) / (highest - lowest))
    }

    fn lookback(&self) -> usize {
        self.period - 1
    }

    fn reset(&mut self) {
        self.highest.clear();
        self.lowest.clear();
    }
}

/// Z-score: the distance of the value from the window's mean in population standard deviations.
/// No value where the window is flat.
#[derive(Clone, Debug)]
pub struct ZScore {
    moments: Moments,
}

catalogued!(ZScore = "zscore", "Z-score", Statistic, overlay: false, (period: usize = 20 in 2..=100_000));

impl ZScore {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 2 to 100,000.
    pub fn new(period: usize) -> Result<Self, IndicatorError> {
        Self::check(period)?;
        Ok(Self { moments: Moments::new(period) })
    }
}

impl Indicator for ZScore {
    type Input = f64;
    type Output = f64;

    fn update(&mut self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            return None;
        }
        let (mean, variance) = self.moments.push(value)?;
        (variance > 0.0).then(|| (value - mean) / variance.sqrt())
    }

    fn lookback(&self) -> usize {
        self.moments.len() - 1
    }

    fn reset(&mut self) {
        self.moments.clear();
    }
}

/// Ulcer index: the root of the mean squared fall, in percent, from the highest value so far within the window.
/// Values must be above zero.
///
/// Source: P. Martin and B. McCann, "The Investor's Guide to Fidelity Funds", 1989.
#[derive(Clone, Debug)]
pub struct UlcerIndex {
    window: Window,
}

catalogued!(
    UlcerIndex = "ulcer_index", "Ulcer index", Volatility, overlay: false,
    (period: usize = 14 in 1..=100_000)
);

impl UlcerIndex {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 1 to 100,000.
    pub fn new(period: usize) -> Result<Self, IndicatorError> {
        Self::check(period)?;
        Ok(Self { window: Window::new(period) })
    }
}

impl Indicator for UlcerIndex {
    type Input = f64;
    type Output = f64;

    fn update(&mut self, value: f64) -> Option<f64> {
        if !(value.is_finite() && value > 0.0) {
            return None;
        }
        self.window.push(value);
        if !self.window.is_full() {
            return None;
        }
        let (mut peak, mut squares) = (0.0_f64, 0.0);
        for value in self.window.in_order() {
            peak = peak.max(value);
            let fall = 100.0 * (value - peak) / peak;
            squares += fall * fall;
        }
        Some((squares / self.window.len() as f64).sqrt())
    }

    fn lookback(&self) -> usize {
        self.window.len() - 1
    }

    fn reset(&mut self) {
        self.window.clear();
    }
}

outputs! {
    /// What [`ChandelierExit`] yields, in units of price.
    ChandelierOutput { long: "The stop of a long position.", short: "The stop of a short position." }
}

/// Chandelier exit: a stop hung a multiple of the ATR from the extreme of the window.
///
/// Source: C. Le Beau, in A. Elder, "Come Into My Trading Room", 2002.
#[derive(Clone, Debug)]
pub struct ChandelierExit {
    atr: Atr,
    highest: Extreme,
    lowest: Extreme,
    multiplier: f64,
}

catalogued!(
    ChandelierExit = "chandelier_exit", "Chandelier exit", Trend, overlay: true,
    (period: usize = 22 in 1..=100_000, multiplier: f64 = 3.0 in 0.0..=1e6)
);

impl ChandelierExit {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 1 to 100,000 and `multiplier` 0 to 1,000,000.
    pub fn new(period: usize, multiplier: f64) -> Result<Self, IndicatorError> {
        Self::check(period, multiplier)?;
        let (highest, lowest) = (Extreme::highest(period), Extreme::lowest(period));
        Ok(Self { atr: Atr::new(period)?, highest, lowest, multiplier })
    }
}

impl Indicator for ChandelierExit {
    type Input = Candle;
    type Output = ChandelierOutput;

    fn update(&mut self, candle: Candle) -> Option<ChandelierOutput> {
        if !has_prices(&candle) {
            return None;
        }
        let (highest, lowest) = (self.highest.push(candle.high), self.lowest.push(candle.low));
        let distance = self.multiplier * self.atr.update(candle)?;
        Some(ChandelierOutput { long: highest? - distance, short: lowest? + distance })
    }

    fn lookback(&self) -> usize {
        self.atr.lookback()
    }

    fn reset(&mut self) {
        self.atr.reset();
        self.highest.clear();
        self.lowest.clear();
    }
}

outputs! {
    /// What [`Alligator`] yields, each line as it stands over the bar: computed some bars before it.
    AlligatorOutput {
        jaw: "Wilder's average of 13, 8 bars before.",
        teeth: "That of 8, 5 bars before.",
        lips: "That of 5, 3 bars before.",
    }
}

/// Alligator: three of Wilder's averages of the median price, each moved forward by some bars.
///
/// Source: B. Williams, "Trading Chaos", 1995. Its periods are part of the definition.
#[derive(Clone, Debug)]
pub struct Alligator {
    lines: [(Rma, Window); 3],
}

catalogued!(Alligator = "alligator", "Alligator", Trend, overlay: true, ());

impl Alligator {
    /// Builds it, cold.
    ///
    /// # Errors
    /// None: it has no parameters.
    pub fn new() -> Result<Self, IndicatorError> {
        let line = |period, shift: usize| Ok((Rma::new(period)?, Window::new(shift + 1)));
        Ok(Self { lines: [line(13, 8)?, line(8, 5)?, line(5, 3)?] })
    }
}

impl Indicator for Alligator {
    type Input = Candle;
    type Output = AlligatorOutput;

    fn update(&mut self, candle: Candle) -> Option<AlligatorOutput> {
        let median = (candle.high + candle.low) / 2.0;
        if !median.is_finite() {
            return None;
        }
        for (average, shifted) in &mut self.lines {
            if let Some(value) = average.update(median) {
                shifted.push(value);
            }
        }
        let shifted = |(_, line): &(Rma, Window)| line.is_full().then(|| line.oldest());
        let [jaw, teeth, lips] = self.lines.each_ref().map(shifted);
        Some(AlligatorOutput { jaw: jaw?, teeth: teeth?, lips: lips? })
    }

    fn lookback(&self) -> usize {
        20
    }

    fn reset(&mut self) {
        for (average, shifted) in &mut self.lines {
            average.reset();
            shifted.clear();
        }
    }
}
