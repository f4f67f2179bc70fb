//! The trend strength of the hot path, written out: Wilder's directional movement.

use crate::catalog::catalogued;
use crate::indicator::outputs;
use crate::volatility::{has_prices, true_range};
use crate::{Candle, Indicator, IndicatorError};

outputs! {
    /// What [`Adx`] yields, each from 0 to 100.
    AdxOutput {
        adx: "The strength of the trend, whichever way it goes.",
        plus_di: "The plus directional indicator.",
        minus_di: "The minus directional indicator.",
    }
}

/// Below this sum of the two directional indicators there is no movement to judge: the ADX stays.
const DI_SUM_MIN: f64 = 1e-14;

/// Average directional index with its two directional indicators. Bars need high >= low.
///
/// Source: J. W. Wilder, "New Concepts in Technical Trading Systems", 1978. `adx` is equal to TA-Lib's ADX, the
/// indicators to its PLUS_DI and MINUS_DI, told from the bar on which the ADX exists.
#[derive(Clone, Debug)]
pub struct Adx {
    previous: Candle,
    plus: f64,
    minus: f64,
    range: f64,
    adx: f64,
    keep: f64,
    take: f64,
    period: usize,
    seen: usize,
}

catalogued!(Adx = "adx", "Average directional index", Trend, overlay: false, (period: usize = 14 in 2..=100_000));

impl Adx {
    /// Builds it, cold.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless `period` is 2 to 100,000.
    pub fn new(period: usize) -> Result<Self, IndicatorError> {
        Self::check(period)?;
        let take = 1.0 / period as f64;
        let previous = Candle::default();
        Ok(Self { previous, plus: 0.0, minus: 0.0, range: 0.0, adx: 0.0, keep: 1.0 - take, take, period, seen: 0 })
    }

    /// Adds one bar's movement to the sums, of which the share `keep` remains.
    #[inline]
    fn accumulate(&mut self, candle: &Candle, keep: f64) {
        let up = candle.high - self.previous.high;
        let down = self.previous.low - candle.low;
        let plus = if up > down && up > 0.0 { up } else { 0.0 };
        let minus = if down > up && down > 0.0 { down } else { 0.0 };
        self.plus = keep * self.plus + plus;
        self.minus = keep * self.minus + minus;
        self.range = keep * self.range + true_range(candle, self.previous.close);
        self.previous = *candle;
    }

    /// The distance of the indicators over their sum. The true range divides out of it.
    #[inline]
    fn movement(&self) -> Option<f64> {
        let sum = self.plus + self.minus;
        (100.0 * sum >= DI_SUM_MIN * self.range && sum > 0.0).then(|| 100.0 * ((self.plus - self.minus).abs() / sum))
    }

    #[inline]
    fn output(&self) -> AdxOutput {
        let scale = if self.range > 0.0 { 100.0 / self.range } else { 0.0 };
        AdxOutput { adx: self.adx, plus_di: self.plus * scale, minus_di: self.minus * scale }
    }

    /// The first bar is only looked back at; `period - 1` bars are summed; the mean over the next `period` bars
    /// of their directional movement is the seed.
    #[cold]
    fn seed(&mut self, candle: &Candle) -> Option<AdxOutput> {
        self.seen += 1;
        if self.seen == 1 {
            self.previous = *candle;
            return None;
        }
        if self.seen <= self.period {
            self.accumulate(candle, 1.0);
            return None;
        }
        self.accumulate(candle, self.keep);
        self.adx += self.movement().unwrap_or(0.0);
        if self.seen < 2 * self.period {
            return None;
        }
        self.adx *= self.take;
        Some(self.output())
    }
}

impl Indicator for Adx {
    type Input = Candle;
    type Output = AdxOutput;

    #[inline]
    fn update(&mut self, candle: Candle) -> Option<AdxOutput> {
        if !has_prices(&candle) {
            return None;
        }
        if self.seen < 2 * self.period {
            // a copy, so that no pointer to the state leaves the hot loop, which then keeps it in registers
            let mut seeding = self.clone();
            let value = seeding.seed(&candle);
            *self = seeding;
            return value;
        }
        self.accumulate(&candle, self.keep);
        if let Some(movement) = self.movement() {
            self.adx = self.keep * self.adx + self.take * movement;
        }
        Some(self.output())
    }

    fn lookback(&self) -> usize {
        2 * self.period - 1
    }

    fn reset(&mut self) {
        (self.plus, self.minus, self.range, self.adx) = (0.0, 0.0, 0.0, 0.0);
        self.seen = 0;
    }
}
