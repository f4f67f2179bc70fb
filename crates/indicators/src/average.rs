//! The moving averages of the hot path, written out: simple, exponential, Wilder's.

use serde::{Deserialize, Serialize};

use crate::catalog::catalogued;
use crate::window::Window;
use crate::{Indicator, IndicatorError};

/// Windows between two fresh sums, which bounds the rounding a running sum gathers.
const WINDOWS_PER_REBUILD: usize = 16;

/// Simple moving average: the mean of the newest `period` values.
#[derive(Clone, Debug)]
pub struct Sma {
    window: Window,
    sum: f64,
    per_value: f64,
    rebuild_in: usize,
}

catalogued!(Sma = "sma", "Simple moving average", Average, overlay: true, (period: usize = 30 in 1..=100_000));

impl Sma {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 1 to 100,000.
    pub fn new(period: usize) -> Result<Self, IndicatorError> {
        Self::check(period)?;
        Ok(Self { window: Window::new(period), sum: 0.0, per_value: 1.0 / period as f64, rebuild_in: 0 })
    }

    #[cold]
    fn rebuild(&mut self) {
        self.sum = self.window.in_order().sum();
        self.rebuild_in = WINDOWS_PER_REBUILD * self.window.len();
    }
}

impl Indicator for Sma {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn update(&mut self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            return None;
        }
        let left = self.window.push(value);
        self.sum += value - left;
        if self.rebuild_in == 0 {
            if !self.window.is_full() {
                return None;
            }
            self.rebuild();
        }
        self.rebuild_in -= 1;
        Some(self.sum * self.per_value)
    }

    fn lookback(&self) -> usize {
        self.window.len() - 1
    }

    fn reset(&mut self) {
        self.window.clear();
        self.sum = 0.0;
        self.rebuild_in = 0;
    }
}

/// What the first value of an exponential average is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seed {
    /// The simple average of the first `period` inputs, as in TA-Lib: the first value comes with input `period`.
    #[default]
    Average,
    /// The first input itself, as in pandas without adjustment: the first value comes with input 1.
    First,
}

/// Exponential moving average: `value = k x + (1 - k) value`, with `k = 2 / (period + 1)`.
///
/// Equal to TA-Lib's EMA when seeded by [`Seed::Average`], which [`new`](Self::new) does.
#[derive(Clone, Debug)]
pub struct Ema {
    recursion: Recursion,
}

catalogued!(Ema = "ema", "Exponential moving average", Average, overlay: true, (period: usize = 30 in 1..=100_000));

impl Ema {
    /// Builds it, cold, to be seeded by the average of its first `period` inputs.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 1 to 100,000.
    pub fn new(period: usize) -> Result<Self, IndicatorError> {
        Self::seeded(period, Seed::Average)
    }

    /// Builds it, cold, with the given seed.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn seeded(period: usize, seed: Seed) -> Result<Self, IndicatorError> {
        Self::check(period)?;
        let keep = (period as f64 - 1.0) / (period as f64 + 1.0);
        let seeding = match seed {
            Seed::Average => period,
            Seed::First => 1,
        };
        Ok(Self { recursion: Recursion::new(seeding, keep) })
    }

    /// Advances a warm average by a finite value, without asking whether either is so.
    #[inline]
    pub(crate) fn step(&mut self, value: f64) -> f64 {
        self.recursion.step(value)
    }
}

impl Indicator for Ema {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn update(&mut self, value: f64) -> Option<f64> {
        self.recursion.update(value)
    }

    fn lookback(&self) -> usize {
        self.recursion.seeding - 1
    }

    fn reset(&mut self) {
        self.recursion.reset();
    }
}

/// Wilder's moving average: the exponential average with `k = 1 / period`, seeded by the simple average.
#[derive(Clone, Debug)]
pub struct Rma {
    recursion: Recursion,
}

catalogued!(Rma = "rma", "Wilder's moving average", Average, overlay: true, (period: usize = 30 in 1..=100_000));

impl Rma {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 1 to 100,000.
    pub fn new(period: usize) -> Result<Self, IndicatorError> {
        Self::check(period)?;
        Ok(Self { recursion: Recursion::new(period, (period as f64 - 1.0) / period as f64) })
    }
}

impl Indicator for Rma {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn update(&mut self, value: f64) -> Option<f64> {
        self.recursion.update(value)
    }

    fn lookback(&self) -> usize {
        self.recursion.seeding - 1
    }

    fn reset(&mut self) {
        self.recursion.reset();
    }
}

/// `value = keep value + take x`, seeded by the mean of the first inputs.
///
/// The product of the input is off the chain from one value to the next, which leaves a multiplication and an
/// addition on it.
#[derive(Clone, Debug)]
pub(crate) struct Recursion {
    value: f64,
    keep: f64,
    take: f64,
    seeding: usize,
    missing: usize,
}

impl Recursion {
    pub(crate) fn new(seeding: usize, keep: f64) -> Self {
        Self { value: 0.0, keep, take: 1.0 - keep, seeding, missing: seeding }
    }

    #[inline]
    pub(crate) fn update(&mut self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            return None;
        }
        if self.missing == 0 {
            return Some(self.step(value));
        }
        let (seeded, value) = self.clone().seed(value);
        *self = seeded;
        value
    }

    #[inline]
    pub(crate) fn step(&mut self, value: f64) -> f64 {
        self.value = self.keep * self.value + self.take * value;
        self.value
    }

    /// By value, so that no pointer to the state leaves the hot loop, which then keeps it in registers.
    #[cold]
    fn seed(mut self, value: f64) -> (Self, Option<f64>) {
        self.value += value;
        self.missing -= 1;
        if self.missing > 0 {
            return (self, None);
        }
        self.value /= self.seeding as f64;
        let value = self.value;
        (self, Some(value))
    }

    pub(crate) fn reset(&mut self) {
        self.value = 0.0;
        self.missing = self.seeding;
    }
}
