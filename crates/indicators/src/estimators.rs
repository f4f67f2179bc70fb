//! Volatility per year from the bars of a window: by closes, by ranges, by both.
//!
//! All are fractions (0.25 is 25 % a year). `bars_per_year` is 252 for daily bars of equities, 365 for daily and
//! 8,760 for hourly bars of a market that never closes. A bar whose prices are not above zero is refused.

use crate::average::Sma;
use crate::catalog::catalogued;
use crate::window::Moments;
use crate::{Candle, Indicator, IndicatorError};

fn positive(prices: &[f64]) -> bool {
    prices.iter().all(|price| *price > 0.0 && price.is_finite())
}

/// A mean of squares, annualised. Rounding may leave an empty sum just below zero.
fn annualised(variance: f64, bars_per_year: f64) -> f64 {
    (variance.max(0.0) * bars_per_year).sqrt()
}

/// Realised (historical) volatility: the sample standard deviation of the newest `period` log returns, annualised.
#[derive(Clone, Debug)]
pub struct RealizedVolatility {
    returns: Moments,
    previous: Option<f64>,
    bars_per_year: f64,
}

catalogued!(
    RealizedVolatility = "realized_volatility", "Realised volatility", Volatility, overlay: false,
    (period: usize = 20 in 2..=100_000, bars_per_year: f64 = 252.0 in 1.0..=1e9)
);

impl RealizedVolatility {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 2 to 100,000 and `bars_per_year` 1 to 1e9.
    pub fn new(period: usize, bars_per_year: f64) -> Result<Self, IndicatorError> {
        Self::check(period, bars_per_year)?;
        Ok(Self { returns: Moments::new(period), previous: None, bars_per_year })
    }
}

impl Indicator for RealizedVolatility {
    type Input = f64;
    type Output = f64;

    fn update(&mut self, value: f64) -> Option<f64> {
        if !positive(&[value]) {
            return None;
        }
        let previous = self.previous.replace(value)?;
        let (_, variance) = self.returns.push((value / previous).ln())?;
        let count = self.returns.len() as f64;
        Some(annualised(variance * count / (count - 1.0), self.bars_per_year))
    }

    fn lookback(&self) -> usize {
        self.returns.len()
    }

    fn reset(&mut self) {
        self.returns.clear();
        self.previous = None;
    }
}

/// Exponentially weighted volatility: `variance = decay variance + (1 - decay) r^2` over log returns, annualised,
/// started by the first return's square.
///
/// Source: J.P. Morgan/Reuters, "RiskMetrics Technical Document", 1996 (decay 0.94 for daily returns).
#[derive(Clone, Debug)]
pub struct EwmaVolatility {
    decay: f64,
    bars_per_year: f64,
    previous: Option<f64>,
    variance: Option<f64>,
}

catalogued!(
    EwmaVolatility = "ewma_volatility", "Exponentially weighted volatility", Volatility, overlay: false,
    (decay: f64 = 0.94 in 0.0..=1.0, bars_per_year: f64 = 252.0 in 1.0..=1e9)
);

impl EwmaVolatility {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `decay` is 0 to 1 and `bars_per_year` 1 to 1e9.
    pub fn new(decay: f64, bars_per_year: f64) -> Result<Self, IndicatorError> {
        Self::check(decay, bars_per_year)?;
        Ok(Self { decay, bars_per_year, previous: None, variance: None })
    }
}

impl Indicator for EwmaVolatility {
    type Input = f64;
    type Output = f64;

    fn update(&mut self, value: f64) -> Option<f64> {
        if !positive(&[value]) {
            return None;
        }
        let change = (value / self.previous.replace(value)?).ln();
        let square = change * change;
        let variance = self.variance.map_or(square, |variance| self.decay * variance + (1.0 - self.decay) * square);
        self.variance = Some(variance);
        Some(annualised(variance, self.bars_per_year))
    }

    fn lookback(&self) -> usize {
        1
    }

    fn reset(&mut self) {
        (self.previous, self.variance) = (None, None);
    }
}

/// Parkinson volatility: from the log range of each bar, annualised. Five times as efficient as closes alone.
///
/// Source: M. Parkinson, "The Extreme Value Method for Estimating the Variance of the Rate of Return", 1980.
#[derive(Clone, Debug)]
pub struct Parkinson {
    mean: Sma,
    bars_per_year: f64,
}

catalogued!(
    Parkinson = "parkinson", "Parkinson volatility", Volatility, overlay: false,
    (period: usize = 20 in 1..=100_000, bars_per_year: f64 = 252.0 in 1.0..=1e9)
);

impl Parkinson {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 1 to 100,000 and `bars_per_year` 1 to 1e9.
    pub fn new(period: usize, bars_per_year: f64) -> Result<Self, IndicatorError> {
        Self::check(period, bars_per_year)?;
        Ok(Self { mean: Sma::new(period)?, bars_per_year })
    }
}

impl Indicator for Parkinson {
    type Input = Candle;
    type Output = f64;

    fn update(&mut self, candle: Candle) -> Option<f64> {
        if !positive(&[candle.high, candle.low]) {
            return None;
        }
        let range = (candle.high / candle.low).ln();
        let mean = self.mean.update(range * range / (4.0 * std::f64::consts::LN_2))?;
        Some(annualised(mean, self.bars_per_year))
    }

    fn lookback(&self) -> usize {
        self.mean.lookback()
    }

    fn reset(&mut self) {
        self.mean.reset();
    }
}

/// Garman-Klass volatility: from the range and the body of each bar, annualised. Assumes no gaps and no drift.
///
/// Source: M. Garman and M. Klass, "On the Estimation of Security Price Volatilities from Historical Data", 1980.
#[derive(Clone, Debug)]
pub struct GarmanKlass {
    mean: Sma,
    bars_per_year: f64,
}

catalogued!(
    GarmanKlass = "garman_klass", "Garman-Klass volatility", Volatility, overlay: false,
    (period: usize = 20 in 1..=100_000, bars_per_year: f64 = 252.0 in 1.0..=1e9)
);

impl GarmanKlass {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 1 to 100,000 and `bars_per_year` 1 to 1e9.
    pub fn new(period: usize, bars_per_year: f64) -> Result<Self, IndicatorError> {
        Self::check(period, bars_per_year)?;
        Ok(Self { mean: Sma::new(period)?, bars_per_year })
    }
}

impl Indicator for GarmanKlass {
    type Input = Candle;
    type Output = f64;

    fn update(&mut self, candle: Candle) -> Option<f64> {
        if !positive(&[candle.open, candle.high, candle.low, candle.close]) {
            return None;
        }
        let range = (candle.high / candle.low).ln();
        let body = (candle.close / candle.open).ln();
        let term = 0.5 * range * range - (2.0 * std::f64::consts::LN_2 - 1.0) * body * body;
        Some(annualised(self.mean.update(term)?, self.bars_per_year))
    }

    fn lookback(&self) -> usize {
        self.mean.lookback()
    }

    fn reset(&mut self) {
        self.mean.reset();
    }
}

/// Yang-Zhang volatility: gaps, bodies and Rogers-Satchell ranges weighted for least variance, annualised.
/// Neither gaps nor a drift bias it.
///
/// Source: D. Yang and Q. Zhang, "Drift-Independent Volatility Estimation Based on High, Low, Open, and Close
/// Prices", 2000.
#[derive(Clone, Debug)]
pub struct YangZhang {
    gaps: Moments,
    bodies: Moments,
    ranges: Sma,
    previous_close: Option<f64>,
    bars_per_year: f64,
}

catalogued!(
    YangZhang = "yang_zhang", "Yang-Zhang volatility", Volatility, overlay: false,
    (period: usize = 20 in 2..=100_000, bars_per_year: f64 = 252.0 in 1.0..=1e9)
);

impl YangZhang {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 2 to 100,000 and `bars_per_year` 1 to 1e9.
    pub fn new(period: usize, bars_per_year: f64) -> Result<Self, IndicatorError> {
        Self::check(period, bars_per_year)?;
        Ok(Self {
            gaps: Moments::new(period),
            bodies: Moments::new(period),
            ranges: Sma::new(period)?,
            previous_close: None,
            bars_per_year,
        })
    }
}

impl Indicator for YangZhang {
    type Input = Candle;
    type Output = f64;

    fn update(&mut self, candle: Candle) -> Option<f64> {
        let Candle { open, high, low, close, .. } = candle;
        if !positive(&[open, high, low, close]) {
            return None;
        }
        let previous_close = self.previous_close.replace(close)?;
        let (up, down, body) = ((high / open).ln(), (low / open).ln(), (close / open).ln());
        let gaps = self.gaps.push((open / previous_close).ln());
        let bodies = self.bodies.push(body);
        let ranges = self.ranges.update(up * (up - body) + down * (down - body));
        let ((_, gaps), (_, bodies), ranges) = (gaps?, bodies?, ranges?);
        let count = self.gaps.len() as f64;
        let sample = count / (count - 1.0);
        let weight = 0.34 / (1.34 + (count + 1.0) / (count - 1.0));
        Some(annualised(gaps * sample + weight * bodies * sample + (1.0 - weight) * ranges, self.bars_per_year))
    }

    fn lookback(&self) -> usize {
        self.gaps.len()
    }

    fn reset(&mut self) {
        self.gaps.clear();
        self.bodies.clear();
        self.ranges.reset();
        self.previous_close = None;
    }
}
