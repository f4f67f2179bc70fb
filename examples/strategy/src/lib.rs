//! above-average: long while the close lies above its average, flat while it lies below.

use serde::{Deserialize, Serialize};
use tradewind_domain::Bar;
use tradewind_engine::Signal;
use tradewind_indicators::regime::Direction;
use tradewind_indicators::{Indicator, IndicatorError, Sma};
use tradewind_strategies::{Expectation, Market, Opinion, Strategy, Target};

/// What `above-average.toml` may say; what it leaves out has its default.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// Bars of the average.
    pub period: usize,
    /// How far from the average the close must lie to count, as a fraction of it.
    pub margin: f64,
    /// Part of equity to hold.
    pub weight: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { period: 30, margin: 0.002, weight: 0.95 }
    }
}

/// Why the parameters cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ParametersError {
    /// The text is not TOML, or names something unknown.
    #[error("the parameters cannot be read")]
    Unreadable(#[from] toml::de::Error),
    /// The average cannot be built.
    #[error(transparent)]
    Period(#[from] IndicatorError),
    /// A number is outside its range.
    #[error("{name} is {value}, which is outside 0 to 1")]
    OutOfRange {
        /// Which parameter.
        name: &'static str,
        /// What it was set to.
        value: f64,
    },
}

/// Long while the close is above its average by more than the margin, flat while it is below by as much.
#[derive(Clone, Debug)]
pub struct AboveAverage {
    parameters: Parameters,
    average: Sma,
    /// What the last bar looked like.
    last: Option<Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    average: f64,
    /// How far the close lies above the average, as a fraction of it.
    above: f64,
    /// The same where it would change the position.
    threshold: f64,
    /// How far the close lies beyond that; negative inside it, where the word is to hold.
    beyond: f64,
}

impl AboveAverage {
    /// Builds the strategy.
    ///
    /// # Errors
    /// [`ParametersError`] for a number outside its range.
    pub fn new(parameters: Parameters) -> Result<Self, ParametersError> {
        for (name, value) in [("margin", parameters.margin), ("weight", parameters.weight)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(ParametersError::OutOfRange { name, value });
            }
        }
        Ok(Self { parameters, average: Sma::new(parameters.period)?, last: None })
    }

    /// Builds the strategy with the parameters in `text`, which is TOML.
    ///
    /// # Errors
    /// [`ParametersError`] for text that is not TOML, an unknown key, or a number outside its range.
    pub fn from_toml(text: &str) -> Result<Self, ParametersError> {
        Self::new(toml::from_str(text)?)
    }
}

impl Strategy for AboveAverage {
    fn name(&self) -> &'static str {
        "above-average"
    }

    fn warm_up(&self) -> usize {
        self.average.lookback()
    }

    fn on_bar(&mut self, market: &Market<'_>, bar: &Bar) -> Opinion {
        let close = market.instrument.price_f64(bar.close);
        let Some(average) = self.average.update(close) else {
            return Opinion::hold("the average is warming up");
        };
        let (margin, flat) = (self.parameters.margin, market.position.is_zero());
        let above = (close - average) / average;
        let (threshold, beyond) = if flat { (margin, above - margin) } else { (-margin, -margin - above) };
        self.last = Some(Seen { average, above, threshold, beyond });
        match (Direction::between(close, average, margin), flat) {
            (Direction::Up, true) => {
                // reports gather trades by the tags that entered and left them
                Opinion::target(Target::Weight(self.parameters.weight), "the close is above its average")
                    .tagged("above")
            }
            (Direction::Down, false) => Opinion::target(Target::Flat, "the close is below its average").tagged("below"),
            (Direction::Up | Direction::Flat, false) => Opinion::hold("long, and the close is not below its average"),
            (Direction::Down | Direction::Flat, true) => Opinion::hold("flat, and the close is not above its average"),
        }
    }

    fn signals(&self) -> Vec<Signal> {
        let Some(Seen { average, above, threshold, .. }) = self.last else { return Vec::new() };
        vec![signal("average", average, None), signal("close above average", above, Some(above - threshold))]
    }

    /// Expects that the close stays on its side of the average for as many bars as that has. How sure it is of a trade, or
    /// of a hold, follows from the distance to the threshold, in margins: 0 at the threshold, one half a margin beyond it
    /// or inside it, never more than 1.
    fn expects(&self) -> Option<Expectation> {
        let (above, beyond) = self.last.map_or((f64::NAN, f64::NAN), |seen| (seen.above, seen.beyond));
        Some(Expectation::over(self.parameters.period, above).sure_by(beyond, self.parameters.margin))
    }
}

fn signal(name: &'static str, value: f64, distance: Option<f64>) -> Signal {
    let distance = distance.map(|distance| format!("{distance:.8}")).unwrap_or_default();
    Signal { name: name.into(), value: format!("{value:.8}"), weight: String::new(), distance }
}
