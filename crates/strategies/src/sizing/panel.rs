//! The closes of several markets at the same times, and the weights at which all of them risk the same.

use std::collections::BTreeMap;
use tradewind_domain::{Bar, Calendar, InstrumentId, Interval, Timestamp};
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
    /// How long their bars are.
    interval: Option<Interval>,
    rows: BTreeMap<Timestamp, Vec<f64>>,
}

impl Panel {
    pub(super) const fn over(period: usize) -> Self {
        Self { instruments: Vec::new(), period, interval: None, rows: BTreeMap::new() }
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

    pub(super) fn see(&mut self, bar: &Bar, close: f64) {
        let Some(place) = self.place(bar.instrument) else { return };
        let width = self.instruments.len();
        self.interval = Some(bar.interval);
        self.rows.entry(bar.close_time()).or_insert_with(|| vec![f64::NAN; width])[place] = close;
        while self.rows.len() > 2 * (self.period + 1) {
            self.rows.pop_first();
        }
    }

    /// One weight a market, by place, summing to 1; the reason where there is none. `hours` are those of the market that is
    /// sized.
    ///
    /// A move over bars that are missing is not that of one bar, and left out. Covariances are shrunk towards the mean
    /// correlation, so that few bars do not pass for knowledge.
    pub(super) fn weights(&self, hours: &Calendar) -> Result<Vec<f64>, String> {
        let whole: Vec<_> = self.rows.iter().filter(|(_, row)| row.iter().all(|close| *close > 0.0)).collect();
        let follows = |pair: &&[(&Timestamp, &Vec<f64>)]| self.follows(*pair[0].0, *pair[1].0, hours);
        let mut steps: Vec<_> = whole.windows(2).rev().filter(follows).take(self.period).collect();
        if steps.len() < self.period {
            return Err(format!("it has seen {} of {} bars that all markets told", steps.len(), self.period));
        }
        if self.instruments.len() == 1 {
            return Ok(vec![1.0]);
        }
        steps.reverse();
        let of_market =
            |place: usize| -> Vec<f64> { steps.iter().map(|step| step[1].1[place] / step[0].1[place] - 1.0).collect() };
        let series: Vec<Vec<f64>> = (0..self.instruments.len()).map(of_market).collect();
        let returns = ReturnWindow::new(&series).map_err(|error| error.to_string())?;
        let (moments, _) = Moments::shrunk(&returns, Target::ConstantCorrelation);
        risk_parity(&moments.covariance, TOLERANCE).map_err(|error| error.to_string())
    }

    /// Whether no bar is missing between two closes: the second is that of the next bar, or of the next one behind a time in
    /// which a market with these `hours` was closed.
    fn follows(&self, close: Timestamp, next: Timestamp, hours: &Calendar) -> bool {
        let Some(interval) = self.interval else { return false };
        let opened = next.plus_nanos(-interval.nanos());
        if opened <= close {
            return true;
        }
        // a bar of a day or longer holds the sessions that end in it: the evening before a Monday is no day of its own
        let is_of_next = |closes: Timestamp| interval >= Interval::DAY && closes > opened;
        *hours != Calendar::Continuous && hours.sessions(close, opened).all(|(_, closes)| is_of_next(closes))
    }
}
