//! What became of a strategy's signals: reckoned beside a run from closes that came later, and never fed back into it.

use serde::Serialize;
use tradewind_domain::{Bar, Instrument};
use tradewind_engine::{Decision, DecisionKind};
use tradewind_quant::signal::{ForecastQuality, ForecastTrack};

/// How good one version of a strategy's signals were.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SignalOutcomes {
    /// The strategy's name.
    pub strategy: String,
    /// Which version of it, where it says so.
    pub version: Option<String>,
    /// Over how many bars its word is held against the market.
    pub horizon_bars: u32,
    /// Of its forecasts, one a bar.
    pub forecasts: ForecastQuality,
    /// Of its decisions to buy, taken for a forecast of a rise, and to sell, taken for one of a fall.
    pub decisions: ForecastQuality,
}

/// Follows one version of one strategy. Memory: that of two tracks.
#[derive(Clone, Debug)]
pub(crate) struct FollowUp {
    strategy: String,
    version: Option<String>,
    horizon_bars: u32,
    forecasts: ForecastTrack,
    decisions: ForecastTrack,
}

impl FollowUp {
    pub(crate) fn new(strategy: &str, version: Option<String>, horizon_bars: u32) -> Self {
        let track = || ForecastTrack::new(usize::try_from(horizon_bars).unwrap_or(usize::MAX));
        Self { strategy: strategy.to_owned(), version, horizon_bars, forecasts: track(), decisions: track() }
    }

    /// Takes in the close of the next bar, what was forecast on it, and what was decided.
    pub(crate) fn bar(&mut self, close: f64, forecast: Option<f64>, kind: DecisionKind) {
        self.forecasts.bar(close, forecast);
        self.decisions.bar(
            close,
            match kind {
                DecisionKind::Buy => Some(1.0),
                DecisionKind::Sell => Some(-1.0),
                DecisionKind::Hold => None,
            },
        );
    }

    pub(crate) fn finish(self) -> SignalOutcomes {
        SignalOutcomes {
            forecasts: self.forecasts.quality(),
            decisions: self.decisions.quality(),
            strategy: self.strategy,
            version: self.version,
            horizon_bars: self.horizon_bars,
        }
    }

    fn is_of(&self, decision: &Decision, horizon_bars: u32) -> bool {
        (&self.strategy, &self.version, self.horizon_bars) == (&decision.decider, &decision.version, horizon_bars)
    }
}

/// Follows the decisions that a journal remembers: bar by bar, and anew where the strategy's version changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct FollowUps {
    all: Vec<FollowUp>,
    /// The newest bar's close, and what was decided on it so far.
    newest: Option<(f64, Option<f64>, DecisionKind)>,
}

impl FollowUps {
    /// Takes in a closed bar; what is decided on it follows.
    pub(crate) fn bar(&mut self, instrument: &Instrument, bar: &Bar) {
        self.settle();
        self.newest = Some((instrument.price_f64(bar.close), None, DecisionKind::Hold));
    }

    /// Takes in a decision on the newest bar. Who has named no direction yet is not followed, however sure of its trade.
    pub(crate) fn decided(&mut self, decision: &Decision) {
        let Some(forecast) = &decision.forecast else { return };
        if !self.all.last().is_some_and(|it| it.is_of(decision, forecast.horizon_bars)) {
            if forecast.value.is_none() {
                return;
            }
            let version = decision.version.clone();
            self.all.push(FollowUp::new(&decision.decider, version, forecast.horizon_bars));
        }
        if let Some((_, value, kind)) = &mut self.newest {
            (*value, *kind) = (forecast.value.as_deref().and_then(|text| text.parse().ok()), decision.kind);
        }
    }

    /// How each version did.
    pub(crate) fn finish(mut self) -> Vec<SignalOutcomes> {
        self.settle();
        self.all.into_iter().map(FollowUp::finish).collect()
    }

    fn settle(&mut self) {
        if let (Some((close, forecast, kind)), Some(newest)) = (self.newest.take(), self.all.last_mut()) {
            newest.bar(close, forecast, kind);
        }
    }
}
