//! Long while the fast average is above the slow one, flat otherwise.

use crate::{Market, Opinion, Strategy, Target};
use serde::{Deserialize, Serialize};
use tradewind_domain::Bar;
use tradewind_engine::Signal;
use tradewind_indicators::{Ema, Indicator, IndicatorError, Seed};

/// Parameters of [`EmaTrend`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmaTrendParams {
    /// Bars of the fast average.
    pub fast: usize,
    /// Bars of the slow average.
    pub slow: usize,
    /// Part of equity to hold while the trend is up.
    pub weight: f64,
}

impl Default for EmaTrendParams {
    fn default() -> Self {
        Self { fast: 10, slow: 20, weight: 0.95 }
    }
}

/// Long while EMA(fast) > EMA(slow), flat otherwise. It follows the state, not the crossing, so it enters an
/// established trend on the first bar after its warm-up.
#[derive(Clone, Debug)]
pub struct EmaTrend {
    slow_bars: usize,
    fast: Ema,
    slow: Ema,
    long: Target,
    values: (f64, f64),
}

impl EmaTrend {
    /// A trend follower with averages seeded by the first close.
    ///
    /// # Errors
    /// [`IndicatorError`] for periods that no average has.
    pub fn new(params: EmaTrendParams) -> Result<Self, IndicatorError> {
        Self::holding(params, Target::Weight(params.weight))
    }

    /// As [`Self::new`], but long means `long`, such as one unit whatever the equity.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn holding(params: EmaTrendParams, long: Target) -> Result<Self, IndicatorError> {
        Ok(Self {
            slow_bars: params.slow,
            fast: Ema::seeded(params.fast, Seed::First)?,
            slow: Ema::seeded(params.slow, Seed::First)?,
            long,
            values: (f64::NAN, f64::NAN),
        })
    }
}

impl Strategy for EmaTrend {
    fn name(&self) -> &'static str {
        "ema-trend"
    }

    fn warm_up(&self) -> usize {
        self.slow_bars
    }

    #[inline]
    fn on_bar(&mut self, market: &Market<'_>, bar: &Bar) -> Opinion {
        let close = market.instrument.price_f64(bar.close);
        let (Some(fast), Some(slow)) = (self.fast.update(close), self.slow.update(close)) else {
            return Opinion::hold("the averages are warming up");
        };
        self.values = (fast, slow);
        match (fast > slow, fast < slow, market.position.mantissa() > 0) {
            (true, _, false) => Opinion::target(self.long, "the fast average is above the slow one"),
            (_, true, true) => Opinion::target(Target::Flat, "the fast average is below the slow one"),
            (_, _, true) => Opinion::hold("long already, and the trend is not down"),
            (_, _, false) => Opinion::hold("flat, and the trend is not up"),
        }
    }

    fn signals(&self) -> Vec<Signal> {
        let (fast, slow) = self.values;
        let value = |name, value: f64, distance: String| Signal {
            name,
            value: format!("{value:.8}"),
            weight: String::new(),
            distance,
        };
        vec![
            value("ema fast".into(), fast, String::new()),
            value("ema slow".into(), slow, String::new()),
            value("ema fast - ema slow".into(), fast - slow, format!("{:.8}", fast - slow)),
        ]
    }
}
