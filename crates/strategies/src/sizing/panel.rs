//! The closes of several markets at the same times, and the weights at which all of them risk the same.

use std::collections::BTreeMap;
use tradewind_domain::{InstrumentId, Timestamp};
use tradewind_quant::ReturnWindow;
use tradewind_quant::covariance::{Moments, Target};
use tradewind_quant::sizing::risk_parity;

/// How far a market's share of the risk may be off.
const TOLERANCE: f64 = 1e-9;

/// The newest closes of some markets, by the time of the close. What one of them did not tell is left out for all.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    instruments: Vec<InstrumentId>,
    period: usize,
    rows: BTreeMap<Timestamp, Vec<f64>>,
}

impl Panel {
    pub(super) const fn over(period: usize) -> Self {
        Self { instruments: Vec::new(), period, rows: BTreeMap::new() }
    }

    /// Watches `all`, and `own` even if it is not among them; gives back the place of `own`.
    pub(super) fn watch(&mut self, own: InstrumentId, all: &[InstrumentId]) -> usize {
        self.instruments = all.iter().copied().chain([own]).collect();
        self.instruments.sort_unstable();
        self.instruments.dedup();
        self.rows.clear();
        self.place(own).unwrap_or(0)
    }

    fn place(&self, instrument: InstrumentId) -> Option<usize> {
        self.instruments.binary_search(&instrument).ok()
    }

    pub(super) const fn bars_wanted(&self) -> usize {
        self.period + 1
    }

    pub(super) fn see(&mut self, instrument: InstrumentId, at: Timestamp, close: f64) {
        let Some(place) = self.place(instrument) else { return };
        let width = self.instruments.len();
        self.rows.entry(at).or_insert_with(|| vec![f64::NAN; width])[place] = close;
        while self.rows.len() > 2 * (self.period + 1) {
            self.rows.pop_first();
        }
    }

    /// One weight a market, by place, summing to 1; the reason where there is none.
    ///
    /// Covariances are shrunk towards the mean correlation, so that few bars do not pass for knowledge.
    pub(super) fn weights(&self) -> Result<Vec<f64>, String> {
        let whole = self.rows.values().rev().filter(|row| row.iter().all(|close| *close > 0.0)).take(self.period + 1);
        let mut rows: Vec<&Vec<f64>> = whole.collect();
        if rows.len() <= self.period {
            let seen = rows.len().saturating_sub(1);
            return Err(format!("it has seen {seen} of {} bars that all markets told", self.period));
        }
        if self.instruments.len() == 1 {
            return Ok(vec![1.0]);
        }
        rows.reverse();
        let series: Vec<Vec<f64>> =
            (0..self.instruments.len()).map(|place| rows.iter().map(|row| row[place]).collect()).collect();
        let returns = ReturnWindow::of_prices(&series).map_err(|error| error.to_string())?;
        let (moments, _) = Moments::shrunk(&returns, Target::ConstantCorrelation);
        risk_parity(&moments.covariance, TOLERANCE).map_err(|error| error.to_string())
    }
}
