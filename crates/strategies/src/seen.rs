//! What a strategy saw, written for the record.

use std::borrow::Cow;
use tradewind_domain::Bar;
use tradewind_engine::Signal;
use tradewind_indicators::Candle;

use crate::Market;

/// Collects signals. A value that is not known yet, or is no number, is left out.
#[derive(Default)]
pub(crate) struct Seen(Vec<Signal>);

impl Seen {
    /// Notes a value without a threshold.
    pub(crate) fn value(self, name: impl Into<Cow<'static, str>>, value: f64) -> Self {
        self.note(name.into(), value, None, f64::NAN)
    }

    /// Notes a value and its distance to `threshold`: value less threshold, so negative below it.
    pub(crate) fn against(self, name: impl Into<Cow<'static, str>>, value: f64, threshold: f64) -> Self {
        self.note(name.into(), value, None, value - threshold)
    }

    /// Notes a vote with its weight and its distance.
    pub(crate) fn vote(self, name: &'static str, value: f64, weight: f64, distance: f64) -> Self {
        self.note(name.into(), value, Some(weight), distance)
    }

    fn note(mut self, name: Cow<'static, str>, value: f64, weight: Option<f64>, distance: f64) -> Self {
        if value.is_finite() {
            let distance = if distance.is_finite() { format!("{distance:.8}") } else { String::new() };
            let weight = weight.map(|weight| format!("{weight:.4}")).unwrap_or_default();
            self.0.push(Signal { name, value: format!("{value:.8}"), weight, distance });
        }
        self
    }

    pub(crate) fn signals(self) -> Vec<Signal> {
        self.0
    }
}

/// The bar as indicators see it.
#[inline]
pub(crate) fn candle(market: &Market<'_>, bar: &Bar) -> Candle {
    let price = |price| market.instrument.price_f64(price);
    let volume = market.instrument.quantity_f64(bar.volume);
    Candle::new(price(bar.open), price(bar.high), price(bar.low), price(bar.close), volume)
}

/// Long, short or flat, as the engine has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Long,
    Flat,
    Short,
}

impl Held {
    #[inline]
    pub(crate) const fn of(market: &Market<'_>) -> Self {
        match market.position.mantissa() {
            1.. => Self::Long,
            0 => Self::Flat,
            _ => Self::Short,
        }
    }
}
