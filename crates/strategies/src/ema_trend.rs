//! Long while the fast average is above the slow one, flat otherwise.

use crate::parameters::{self, BARS, PART_OF_EQUITY, Parameter, Range, parameter};
use crate::seen::Seen;
use crate::{Expectation, Market, Opinion, Strategy, StrategyError, Target};
use serde::{Deserialize, Serialize};
use tradewind_domain::Bar;
use tradewind_engine::Signal;
use tradewind_indicators::regime::Direction;
use tradewind_indicators::{Ema, Indicator, Seed};

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
///
/// Its forecast, over `slow` bars, is by what part the fast average lies above the slow one. Its confidence in a trade and
/// in a hold, by [`Expectation::sure_by`], is the distance between the averages against the usual one, an average over
/// `slow` bars: one half where they lie as far apart as usual, near 0 where they are about to cross or have just crossed.
#[derive(Clone, Debug)]
pub struct EmaTrend {
    params: EmaTrendParams,
    fast: Ema,
    slow: Ema,
    /// How far apart the averages usually lie.
    usual: Ema,
    long: Target,
    values: (f64, f64),
    usual_distance: f64,
}

impl EmaTrend {
    pub(crate) const NAME: &'static str = "ema-trend";
    pub(crate) const PARAMETERS: &'static [Parameter] = &[
        parameter("fast", "10", Range::Whole(1, 100_000), "bars of the fast average"),
        parameter("slow", "20", BARS, "bars of the slow average; more than fast"),
        parameter("weight", "0.95", PART_OF_EQUITY, "part of equity to hold while the trend is up"),
    ];

    /// A trend follower with averages seeded by the first close.
    ///
    /// # Errors
    /// [`StrategyError`] for a parameter out of range, or a fast average that is not the shorter one.
    pub fn new(params: EmaTrendParams) -> Result<Self, StrategyError> {
        Self::holding(params, Target::Weight(params.weight))
    }

    /// As [`Self::new`], but long means `long`, such as one unit whatever the equity.
    ///
    /// # Errors
    /// As [`Self::new`].
    #[allow(clippy::cast_precision_loss, reason = "periods are small")]
    pub fn holding(params: EmaTrendParams, long: Target) -> Result<Self, StrategyError> {
        parameters::check(Self::NAME, Self::PARAMETERS, &params)?;
        if params.fast >= params.slow {
            return Err(StrategyError::Conflict {
                strategy: Self::NAME,
                rule: "fast must be less than slow",
                first: params.fast as f64,
                second: params.slow as f64,
            });
        }
        Ok(Self {
            params,
            fast: Ema::seeded(params.fast, Seed::First)?,
            slow: Ema::seeded(params.slow, Seed::First)?,
            usual: Ema::seeded(params.slow, Seed::First)?,
            long,
            values: (f64::NAN, f64::NAN),
            usual_distance: f64::NAN,
        })
    }
}

impl Strategy for EmaTrend {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn warm_up(&self) -> usize {
        self.params.slow
    }

    #[inline]
    fn on_bar(&mut self, market: &Market<'_>, bar: &Bar) -> Opinion {
        let close = market.instrument.price_f64(bar.close);
        let (Some(fast), Some(slow)) = (self.fast.update(close), self.slow.update(close)) else {
            return Opinion::hold("the averages are warming up");
        };
        self.values = (fast, slow);
        self.usual_distance = self.usual.update((fast - slow).abs()).unwrap_or(f64::NAN);
        match (Direction::between(fast, slow, 0.0), market.position.mantissa() > 0) {
            (Direction::Up, false) => {
                Opinion::target(self.long, "the fast average is above the slow one").tagged("cross-up")
            }
            (Direction::Down, true) => {
                Opinion::target(Target::Flat, "the fast average is below the slow one").tagged("cross-down")
            }
            (Direction::Up | Direction::Flat, true) => Opinion::hold("long already, and the trend is not down"),
            (Direction::Down | Direction::Flat, false) => Opinion::hold("flat, and the trend is not up"),
        }
    }

    fn signals(&self) -> Vec<Signal> {
        let (fast, slow) = self.values;
        Seen::default()
            .value("ema fast", fast)
            .value("ema slow", slow)
            .against("ema fast - ema slow", fast - slow, 0.0)
            .signals()
    }

    fn version(&self) -> Option<String> {
        parameters::version(1, &(self.params, self.long))
    }

    fn expects(&self) -> Option<Expectation> {
        let (fast, slow) = self.values;
        let expected = Expectation::over(self.params.slow, fast / slow - 1.0);
        Some(expected.sure_by((fast - slow).abs(), self.usual_distance))
    }
}
