//! The oscillators of the hot path, written out: RSI and MACD.

use crate::average::Ema;
use crate::catalog::catalogued;
use crate::indicator::outputs;
use crate::{Indicator, IndicatorError};

/// Relative strength index: Wilder-smoothed gains over gains plus losses, from 0 to 100; 50 where nothing moved.
///
/// Source: J. W. Wilder, "New Concepts in Technical Trading Systems", 1978. Equal to TA-Lib's RSI.
#[derive(Clone, Debug)]
pub struct Rsi {
    previous: f64,
    gain: f64,
    loss: f64,
    keep: f64,
    take: f64,
    period: usize,
    missing: usize,
}

catalogued!(Rsi = "rsi", "Relative strength index", Momentum, overlay: false, (period: usize = 14 in 2..=100_000));

impl Rsi {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 2 to 100,000.
    pub fn new(period: usize) -> Result<Self, IndicatorError> {
        Self::check(period)?;
        let take = 1.0 / period as f64;
        let keep = (period as f64 - 1.0) * take;
        Ok(Self { previous: 0.0, gain: 0.0, loss: 0.0, keep, take, period, missing: period + 1 })
    }

    #[inline]
    fn level(&self) -> f64 {
        let total = self.gain + self.loss;
        if total > 0.0 { 100.0 * (self.gain / total) } else { 50.0 }
    }

    /// One input for the first price, then `period` changes whose mean is the seed.
    /// By value, so that no pointer to the state leaves the hot loop, which then keeps it in registers.
    #[cold]
    fn seed(mut self, value: f64) -> (Self, Option<f64>) {
        let change = if self.missing > self.period { 0.0 } else { value - self.previous };
        self.previous = value;
        self.gain += change.max(0.0);
        self.loss += (-change).max(0.0);
        self.missing -= 1;
        if self.missing > 0 {
            return (self, None);
        }
        self.gain *= self.take;
        self.loss *= self.take;
        let level = self.level();
        (self, Some(level))
    }
}

impl Indicator for Rsi {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn update(&mut self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            return None;
        }
        if self.missing > 0 {
            let (seeded, value) = self.clone().seed(value);
            *self = seeded;
            return value;
        }
        let change = value - self.previous;
        self.previous = value;
        let gain = if change > 0.0 { change } else { 0.0 };
        self.gain = self.keep * self.gain + self.take * gain;
        self.loss = self.keep * self.loss + self.take * (gain - change);
        Some(self.level())
    }

    fn lookback(&self) -> usize {
        self.period
    }

    fn reset(&mut self) {
        (self.previous, self.gain, self.loss) = (0.0, 0.0, 0.0);
        self.missing = self.period + 1;
    }
}

outputs! {
    /// What [`Macd`] yields, in units of price.
    MacdOutput {
        macd: "The line: the fast average less the slow one.",
        signal: "The average of the line.",
        histogram: "The line less its signal.",
    }
}

/// Moving average convergence/divergence: a fast EMA less a slow one, the EMA of that, and their difference.
///
/// Equal to TA-Lib's MACD: both averages are seeded so that their first values fall on the same bar, and nothing is
/// told before the signal exists. Source: G. Appel, "Technical Analysis: Power Tools for Active Investors", 2005.
#[derive(Clone, Debug)]
pub struct Macd {
    fast: Ema,
    slow: Ema,
    signal: Ema,
    /// Inputs the fast average skips so that it ends its seed with the slow one.
    head_start: usize,
    unstable: usize,
    lookback: usize,
    seen: usize,
}

catalogued!(
    Macd = "macd", "Moving average convergence/divergence", Momentum, overlay: false,
    (fast: usize = 12 in 2..=100_000, slow: usize = 26 in 2..=100_000, signal: usize = 9 in 1..=100_000)
);

impl Macd {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless the periods are 2 (`signal`: 1) to 100,000;
    /// [`IndicatorError::Conflict`] unless `fast` is shorter than `slow`.
    pub fn new(fast: usize, slow: usize, signal: usize) -> Result<Self, IndicatorError> {
        Self::with_unstable_period(fast, slow, signal, 0)
    }

    /// Builds it, cold, with an unstable period for each of its averages, as TA-Lib does when that of the EMA is set:
    /// the signal is seeded by lines that are themselves settled.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_unstable_period(
        fast: usize,
        slow: usize,
        signal: usize,
        unstable: usize,
    ) -> Result<Self, IndicatorError> {
        Self::check(fast, slow, signal)?;
        if fast >= slow {
            return Err(IndicatorError::Conflict {
                indicator: "macd",
                rule: "fast must be shorter than slow",
                first: fast as f64,
                second: slow as f64,
            });
        }
        Ok(Self {
            fast: Ema::new(fast)?,
            slow: Ema::new(slow)?,
            signal: Ema::new(signal)?,
            head_start: slow - fast,
            unstable,
            lookback: slow - 1 + signal - 1 + 2 * unstable,
            seen: 0,
        })
    }

    #[cold]
    fn warm_up(&mut self, value: f64) -> Option<MacdOutput> {
        self.seen += 1;
        let slow = self.slow.update(value);
        let fast = if self.seen > self.head_start { self.fast.update(value) } else { None };
        if self.seen <= self.slow.lookback() + self.unstable {
            return None;
        }
        let line = fast? - slow?;
        let signal = self.signal.update(line)?;
        (self.seen > self.lookback).then_some(MacdOutput { macd: line, signal, histogram: line - signal })
    }
}

impl Indicator for Macd {
    type Input = f64;
    type Output = MacdOutput;

    #[inline]
    fn update(&mut self, value: f64) -> Option<MacdOutput> {
        if !value.is_finite() {
            return None;
        }
        if self.seen <= self.lookback {
            // a copy, so that no pointer to the state leaves the hot loop, which then keeps it in registers
            let mut warming = self.clone();
            let value = warming.warm_up(value);
            *self = warming;
            return value;
        }
        let macd = self.fast.step(value) - self.slow.step(value);
        let signal = self.signal.step(macd);
        Some(MacdOutput { macd, signal, histogram: macd - signal })
    }

    fn lookback(&self) -> usize {
        self.lookback
    }

    fn reset(&mut self) {
        self.fast.reset();
        self.slow.reset();
        self.signal.reset();
        self.seen = 0;
    }
}
