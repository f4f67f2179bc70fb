//! The one answer to "is this market trending, and how wild is it?", shared by every strategy and agent.

use serde::{Deserialize, Serialize};

use crate::catalog::catalogued;
use crate::estimators::RealizedVolatility;
use crate::indicator::Outputs;
use crate::trend::Adx;
use crate::volatility::Bollinger;
use crate::window::Window;
use crate::{Candle, Indicator, IndicatorError};

/// The Bollinger band width, a fraction of the middle band, above which a market counts as trending.
pub const TRENDING_WIDTH: f64 = 0.04;
/// The ADX above which a market counts as trending.
pub const TRENDING_ADX: f64 = 25.0;
/// The ADX below which a market counts as choppy.
pub const CHOPPY_ADX: f64 = 20.0;
/// The share of past volatility below which a market counts as calm.
pub const CALM_SHARE: f64 = 0.2;
/// The share of past volatility above which a market counts as turbulent.
pub const TURBULENT_SHARE: f64 = 0.8;

/// Whether prices go somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// They do.
    Trending,
    /// The evidence is mixed.
    Neutral,
    /// They go back and forth.
    Choppy,
}

impl Phase {
    /// The judgement of band width alone: trending above [`TRENDING_WIDTH`], else choppy.
    pub fn by_band_width(width: f64) -> Self {
        if width > TRENDING_WIDTH { Self::Trending } else { Self::Choppy }
    }

    /// The judgement of the ADX alone: trending above [`TRENDING_ADX`], choppy below [`CHOPPY_ADX`], else neutral.
    pub fn by_adx(adx: f64) -> Self {
        if adx > TRENDING_ADX {
            Self::Trending
        } else if adx < CHOPPY_ADX {
            Self::Choppy
        } else {
            Self::Neutral
        }
    }

    /// What both say if they agree, else neutral.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Neutral }
    }
}

/// Which way prices go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Upwards.
    Up,
    /// Neither way.
    Flat,
    /// Downwards.
    Down,
}

impl Direction {
    /// Up if `fast` lies above `slow` by more than the fraction `tolerance` of `slow`, down if below by as much.
    pub fn between(fast: f64, slow: f64, tolerance: f64) -> Self {
        let margin = tolerance * slow.abs();
        if fast > slow + margin {
            Self::Up
        } else if fast < slow - margin {
            Self::Down
        } else {
            Self::Flat
        }
    }
}

/// How wildly prices move, against their own past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turbulence {
    /// Less than in most of the past.
    Calm,
    /// As usual.
    Normal,
    /// More than in most of the past.
    Turbulent,
}

impl Turbulence {
    /// Judges the share of past volatility that lies below the present one.
    pub fn by_share(share: f64) -> Self {
        if share < CALM_SHARE {
            Self::Calm
        } else if share > TURBULENT_SHARE {
            Self::Turbulent
        } else {
            Self::Normal
        }
    }
}

/// A market's regime at one bar, with the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Regime {
    /// Trending or choppy where band width and ADX agree, else neutral.
    pub phase: Phase,
    /// Which directional indicator is the larger.
    pub direction: Direction,
    /// Realised volatility against its own past.
    pub turbulence: Turbulence,
    /// The Bollinger band width, a fraction of the middle band.
    pub width: f64,
    /// The average directional index.
    pub adx: f64,
    /// The share, 0 to 1, of the window's earlier volatilities that lie below the present one.
    pub volatility_share: f64,
}

impl Outputs for Regime {
    const NAMES: &'static [&'static str] = &["phase", "direction", "turbulence", "width", "adx", "volatility_share"];

    /// The three judgements are written as 1, 0 and -1: trending, up and turbulent are 1.
    fn write(self, row: &mut [f64]) {
        row[0] = match self.phase {
            Phase::Trending => 1.0,
            Phase::Neutral => 0.0,
            Phase::Choppy => -1.0,
        };
        row[1] = match self.direction {
            Direction::Up => 1.0,
            Direction::Flat => 0.0,
            Direction::Down => -1.0,
        };
        row[2] = match self.turbulence {
            Turbulence::Turbulent => 1.0,
            Turbulence::Normal => 0.0,
            Turbulence::Calm => -1.0,
        };
        row[3] = self.width;
        row[4] = self.adx;
        row[5] = self.volatility_share;
    }
}

/// Judges the regime bar by bar from Bollinger bands, ADX and realised volatility. Prices must be above zero.
#[derive(Clone, Debug)]
pub struct RegimeDetector {
    bands: Bollinger,
    strength: Adx,
    volatility: RealizedVolatility,
    past: Window,
}

catalogued!(
    RegimeDetector = "regime", "Market regime", Regime, overlay: false,
    (
        band_period: usize = 20 in 2..=100_000,
        adx_period: usize = 14 in 2..=100_000,
        volatility_period: usize = 20 in 2..=100_000,
        volatility_window: usize = 100 in 2..=10_000
    )
);

impl RegimeDetector {
    /// Builds it, cold. The bands lie two deviations from their middle; `volatility_window` counts the volatilities
    /// among which the newest is ranked.
    ///
    /// # Errors
    /// [`IndicatorError::OutOfRange`] unless the periods are 2 to 100,000 and the window 2 to 10,000.
    pub fn new(
        band_period: usize,
        adx_period: usize,
        volatility_period: usize,
        volatility_window: usize,
    ) -> Result<Self, IndicatorError> {
        Self::check(band_period, adx_period, volatility_period, volatility_window)?;
        Ok(Self {
            bands: Bollinger::new(band_period, 2.0, 2.0)?,
            strength: Adx::new(adx_period)?,
            // a constant factor does not change a rank, so the year has one bar
            volatility: RealizedVolatility::new(volatility_period, 1.0)?,
            past: Window::new(volatility_window),
        })
    }

    /// The share of the earlier values in the window that lie below `volatility`.
    fn rank(&mut self, volatility: f64) -> Option<f64> {
        self.past.push(volatility);
        let below = self.past.held().iter().filter(|past| **past < volatility).count();
        self.past.is_full().then(|| below as f64 / (self.past.len() - 1) as f64)
    }
}

impl Indicator for RegimeDetector {
    type Input = Candle;
    type Output = Regime;

    fn update(&mut self, candle: Candle) -> Option<Regime> {
        if !(candle.is_finite() && candle.close > 0.0) {
            return None;
        }
        let bands = self.bands.update(candle.close);
        let strength = self.strength.update(candle);
        let share = self.volatility.update(candle.close).and_then(|volatility| self.rank(volatility));
        let (width, strength, volatility_share) = (bands?.width()?, strength?, share?);
        Some(Regime {
            phase: Phase::by_band_width(width).and(Phase::by_adx(strength.adx)),
            direction: Direction::between(strength.plus_di, strength.minus_di, 0.0),
            turbulence: Turbulence::by_share(volatility_share),
            width,
            adx: strength.adx,
            volatility_share,
        })
    }

    fn lookback(&self) -> usize {
        let ranked = self.volatility.lookback() + self.past.len() - 1;
        self.bands.lookback().max(self.strength.lookback()).max(ranked)
    }

    fn reset(&mut self) {
        self.bands.reset();
        self.strength.reset();
        self.volatility.reset();
        self.past.clear();
    }
}
