//! What became of what was expected: reckoned after the last bar, and never told to a strategy.

use serde::Serialize;
use std::collections::BTreeMap;
use tradewind_engine::{Decision, DecisionKind};
use tradewind_quant::signal::{ForecastQuality, ForecastTrack, information_coefficient, rank_information_coefficient};

/// What became of a strategy's forecasts, of its decisions to trade, and of each signal behind them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// Over how many bars each is held against the market.
    pub horizon_bars: u32,
    /// Of its forecasts, one a bar.
    pub forecasts: ForecastQuality,
    /// Of its decisions to buy, taken for a forecast of a rise, and to sell, taken for one of a fall.
    pub decisions: ForecastQuality,
    /// Of each signal, in the order of their names.
    pub signals: Vec<JudgedSignal>,
}

/// How far one signal went along with what followed it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JudgedSignal {
    /// Its name.
    pub name: String,
    /// Values whose horizon has passed.
    pub judged: usize,
    /// Correlation of its value with the return over the horizon, -1 to 1.
    pub information_coefficient: Option<f64>,
    /// The same of the ranks, which a few extremes cannot move.
    pub rank_information_coefficient: Option<f64>,
}

/// What followed one decision.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Followed {
    /// Return from the bar's close over the horizon, a fraction.
    pub market_return: f64,
    /// Whether the market went the way that the decision to trade, or else the forecast, named; `None` if neither did.
    pub right: Option<bool>,
}

/// Remembers a run, to judge it when it is over.
pub(crate) struct Hindsight {
    horizon_bars: u32,
    closes: Vec<f64>,
    forecasts: ForecastTrack,
    decisions: ForecastTrack,
    signals: BTreeMap<String, Vec<(usize, f64)>>,
}

impl Hindsight {
    pub(crate) fn over(horizon_bars: u32) -> Self {
        let track = || ForecastTrack::new(usize::try_from(horizon_bars).unwrap_or(usize::MAX));
        Self { horizon_bars, closes: Vec::new(), forecasts: track(), decisions: track(), signals: BTreeMap::new() }
    }

    /// Takes in the close of the next bar and what was decided on it.
    pub(crate) fn bar(&mut self, close: f64, decision: &Decision) {
        let at = self.closes.len();
        self.closes.push(close);
        self.forecasts.bar(close, value(decision));
        self.decisions.bar(close, side(decision.kind));
        if value(decision).is_none() {
            return; // while it warms up, what it saw means nothing yet
        }
        for signal in &decision.signals {
            if let Ok(value) = signal.value.parse() {
                self.signals.entry(signal.name.clone().into_owned()).or_default().push((at, value));
            }
        }
    }

    /// What followed the decision on the bar of this place; `None` while its horizon has not passed.
    pub(crate) fn followed(&self, at: usize, decision: &Decision) -> Option<Followed> {
        let market_return = self.market_return(at)?;
        let named = side(decision.kind).or_else(|| value(decision)).filter(|value| *value != 0.0);
        Some(Followed { market_return, right: named.map(|value| value * market_return > 0.0) })
    }

    pub(crate) fn judge(&self) -> Judged {
        let signal = |(name, values): (&String, &Vec<(usize, f64)>)| {
            let pairs = values.iter().filter_map(|(at, value)| Some((*value, self.market_return(*at)?)));
            let (values, returns): (Vec<f64>, Vec<f64>) = pairs.unzip();
            JudgedSignal {
                name: name.clone(),
                judged: values.len(),
                information_coefficient: information_coefficient(&values, &returns),
                rank_information_coefficient: rank_information_coefficient(&values, &returns),
            }
        };
        Judged {
            horizon_bars: self.horizon_bars,
            forecasts: self.forecasts.quality(),
            decisions: self.decisions.quality(),
            signals: self.signals.iter().map(signal).collect(),
        }
    }

    fn market_return(&self, at: usize) -> Option<f64> {
        let later = at.checked_add(usize::try_from(self.horizon_bars.max(1)).ok()?)?;
        let value = self.closes.get(later)? / self.closes.get(at)? - 1.0;
        value.is_finite().then_some(value)
    }
}

fn value(decision: &Decision) -> Option<f64> {
    decision.forecast.as_ref()?.value.as_ref()?.parse().ok()
}

/// A decision to trade as a forecast: 1 for a rise, -1 for a fall.
const fn side(kind: DecisionKind) -> Option<f64> {
    match kind {
        DecisionKind::Buy => Some(1.0),
        DecisionKind::Sell => Some(-1.0),
        DecisionKind::Hold => None,
    }
}
