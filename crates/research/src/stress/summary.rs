//! Many trials in a few figures, and what to change because of them.

use super::{Trial, Weather};
use serde::Serialize;
use std::collections::BTreeMap;
use tradewind_quant::quantile_of_sorted;

/// The fall from a peak that the profile `moderate` lets happen before it stops entries.
pub const TOLERABLE_DRAWDOWN: f64 = 0.10;
/// So many of the worst trials are named.
const WORST: usize = 5;
/// A strategy whose executions are more than one in so many bars is called busy.
const BUSY: f64 = 5.0;

/// A low, a middle and a high of many values, by linear interpolation between ranks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// One in twenty is lower.
    pub p05: f64,
    /// Half are lower.
    pub median: f64,
    /// Their sum over their number.
    pub mean: f64,
    /// One in twenty is higher.
    pub p95: f64,
    /// None is higher.
    pub max: f64,
}

/// Something to change, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// What to set, in words: parameters are called differently by each strategy.
    pub what: &'static str,
    /// To what; a value to start from, to be tried again.
    pub value: String,
    /// The figures that say so.
    pub because: String,
}

/// What hundreds of trials came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Where the bars come from: always `simulated`.
    pub origin: &'static str,
    /// Trials.
    pub scenarios: usize,
    /// Bars of each.
    pub bars: u32,
    /// Returns of the trials, as fractions.
    pub returns: Spread,
    /// Deepest drawdowns of the trials, as fractions.
    pub drawdowns: Spread,
    /// How many of the trials lost money, as a fraction.
    pub losing: f64,
    /// Executions of a trial, on average.
    pub trades: f64,
    /// Fees of a trial as a fraction of the deposit, on average.
    pub fees: f64,
    /// Orders that the gate refused, all together.
    pub refused: u64,
    /// Return of a trial by weather, on average; they sum to the mean return.
    pub by_weather: BTreeMap<Weather, f64>,
    /// The worst trials by return, the worst first.
    pub worst: Vec<Trial>,
    /// What to change.
    pub suggestions: Vec<Suggestion>,
}

impl Summary {
    /// Sums up; `None` without a trial.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // counts of scenarios and executions
    pub fn of(trials: &[Trial], bars: u32) -> Option<Self> {
        let count = trials.len() as f64;
        let mean = |value: fn(&Trial) -> f64| trials.iter().map(value).sum::<f64>() / count;
        let mut by_weather = BTreeMap::new();
        for (weather, part) in trials.iter().flat_map(|trial| &trial.by_weather) {
            *by_weather.entry(*weather).or_insert(0.0) += part / count;
        }
        let mut worst: Vec<&Trial> = trials.iter().collect();
        worst.sort_by(|a, b| a.total_return.total_cmp(&b.total_return).then(a.seed.cmp(&b.seed)));
        let mut summary = Self {
            origin: "simulated",
            scenarios: trials.len(),
            bars,
            returns: spread(trials.iter().map(|trial| trial.total_return).collect())?,
            drawdowns: spread(trials.iter().map(|trial| trial.max_drawdown).collect())?,
            losing: trials.iter().filter(|trial| trial.total_return < 0.0).count() as f64 / count,
            trades: mean(|trial| trial.trades as f64),
            fees: mean(|trial| trial.fees),
            refused: trials.iter().map(|trial| trial.refused).sum(),
            by_weather,
            worst: worst.into_iter().take(WORST).cloned().collect(),
            suggestions: Vec::new(),
        };
        summary.suggestions = summary.suggest();
        Some(summary)
    }

    fn suggest(&self) -> Vec<Suggestion> {
        let percent = |value: f64| format!("{:.1} %", value * 100.0);
        let in_weather = |weather: Weather| self.by_weather.get(&weather).copied().unwrap_or(0.0);
        let mut suggestions = Vec::new();
        let share = (TOLERABLE_DRAWDOWN / self.drawdowns.p95.max(f64::MIN_POSITIVE)).min(1.0);
        if share < 1.0 {
            suggestions.push(Suggestion {
                what: "largest share of the account for this strategy",
                value: percent(share),
                because: format!(
                    "one trial in twenty fell {} or more from its peak; with this share that is {} of the account",
                    percent(self.drawdowns.p95),
                    percent(TOLERABLE_DRAWDOWN)
                ),
            });
        }
        let ranging = in_weather(Weather::Ranging);
        if ranging < 0.0 {
            let because = format!("ranging markets cost {} a trial on average", percent(-ranging));
            suggestions.push(Suggestion {
                what: "least trend strength (ADX) to enter, and least signal",
                value: "20, and 0.2 of the strongest signal".to_owned(),
                because,
            });
        }
        let shocks = in_weather(Weather::Crash) + in_weather(Weather::BlowOff) + in_weather(Weather::Volatile);
        if shocks < 0.0 {
            let because = format!("crashes, blow-offs and wild stretches cost {} a trial", percent(-shocks));
            suggestions.push(Suggestion { what: "wait after a loss", value: "10 bars".to_owned(), because });
        }
        if self.trades > f64::from(self.bars) / BUSY && self.fees > self.returns.mean.abs() {
            let because = format!(
                "{:.0} executions a trial cost {} in fees, more than the return",
                self.trades,
                percent(self.fees)
            );
            suggestions.push(Suggestion {
                what: "bars that a signal must last before it counts",
                value: "3".to_owned(),
                because,
            });
        }
        suggestions
    }
}

#[allow(clippy::cast_precision_loss)] // counts of scenarios
fn spread(mut values: Vec<f64>) -> Option<Spread> {
    values.sort_by(f64::total_cmp);
    let at = |probability| quantile_of_sorted(&values, probability);
    Some(Spread {
        p05: at(0.05)?,
        median: at(0.5)?,
        mean: values.iter().sum::<f64>() / values.len() as f64,
        p95: at(0.95)?,
        max: *values.last()?,
    })
}
