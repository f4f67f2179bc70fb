//! Follows an equity curve of any length in memory that grows with days, not with bars.

use serde::Serialize;

use crate::calendar::{DailyReturn, Day};
use crate::drawdown::{Drawdown, DrawdownTracker, depth_below};
use crate::error::{QuantError, check_one};
use crate::numeric::{count, finite, mean, ratio};
use crate::returns::nanoseconds_to_days;

/// The close of one observed UTC day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DailyClose {
    /// The day (see [`crate::calendar`] for where it begins).
    pub day: Day,
    /// Stamp of the day's last observation, UTC nanoseconds.
    pub at_ns: i64,
    /// Equity at that moment.
    pub equity: f64,
    /// Depth below the highest equity seen so far (within days too), in [0, 1].
    pub drawdown: f64,
}

/// Running state of one equity curve: daily closes, the deepest and the longest drawdown, exposure.
///
/// Push every observation (each bar's close, each fill); extremes count at that resolution, returns at daily closes.
/// Memory: 32 bytes a day. Once equity is zero or below, the account is ruined: that day returns -1, later days none.
#[derive(Clone, Debug)]
pub struct EquityAccumulator {
    observations: usize,
    first: Option<(i64, f64)>,
    last: (i64, f64), // means something only once `first` is there, as does the exposure held since
    exposure: f64,
    days: Vec<DailyClose>,
    first_day_grew: bool,
    tracker: Option<DrawdownTracker>,
    deepest: Option<Drawdown>,
    longest: Option<Drawdown>,
    exposed_ns: i64,
    leverage_days: f64,
    ruined_at_ns: Option<i64>,
}

impl Default for EquityAccumulator {
    fn default() -> Self {
        Self::new()
    }
}

impl EquityAccumulator {
    /// An accumulator that has seen nothing.
    pub fn new() -> Self {
        Self {
            observations: 0,
            first: None,
            last: (0, 0.0),
            exposure: 0.0,
            days: Vec::new(),
            first_day_grew: false,
            tracker: None,
            deepest: None,
            longest: None,
            exposed_ns: 0,
            leverage_days: 0.0,
            ruined_at_ns: None,
        }
    }

    /// Takes one observation: equity at `at_ns` (UTC) and the gross notional held from then on (0 when flat).
    ///
    /// Several observations may share a stamp; the last one counts for the day.
    ///
    /// # Errors
    /// [`QuantError::NotFinite`], [`QuantError::OutOfOrder`], [`QuantError::NoCapital`] for a first equity that is not
    /// positive, [`QuantError::OutOfRange`] for a negative notional. A refused observation leaves the state as it was.
    pub fn push(&mut self, at_ns: i64, equity: f64, gross_notional: f64) -> Result<(), QuantError> {
        self.check(at_ns, equity, gross_notional)?;
        if self.first.is_some() {
            self.hold_until(at_ns);
        }
        let ended = self.tracker.get_or_insert(DrawdownTracker::new(at_ns, equity)).push(at_ns, equity);
        if let Some(ended) = ended {
            self.note(ended);
        }
        self.first.get_or_insert((at_ns, equity));
        if equity <= 0.0 {
            self.ruined_at_ns.get_or_insert(at_ns);
        }
        self.close_day(at_ns, equity);
        (self.last, self.exposure) = ((at_ns, equity), gross_notional);
        self.observations += 1;
        Ok(())
    }

    fn check(&self, at_ns: i64, equity: f64, gross_notional: f64) -> Result<(), QuantError> {
        let index = self.observations;
        check_one("equity", index, equity)?;
        check_one("gross_notional", index, gross_notional)?;
        if gross_notional < 0.0 {
            let (field, expected) = ("gross_notional", "zero or more");
            return Err(QuantError::OutOfRange { field, index, value: gross_notional, expected });
        }
        match self.first {
            None if equity <= 0.0 => Err(QuantError::NoCapital { value: equity }),
            Some(_) if at_ns < self.last.0 => Err(QuantError::OutOfOrder { index, previous_ns: self.last.0, at_ns }),
            _ => Ok(()),
        }
    }

    /// Charges the time since the last observation to the notional and equity that held then.
    fn hold_until(&mut self, at_ns: i64) {
        let span_ns = at_ns.saturating_sub(self.last.0);
        if self.exposure > 0.0 {
            self.exposed_ns = self.exposed_ns.saturating_add(span_ns);
            if self.last.1 > 0.0 {
                self.leverage_days += self.exposure / self.last.1 * nanoseconds_to_days(span_ns);
            }
        }
    }

    fn note(&mut self, ended: Drawdown) {
        if self.longest.is_none_or(|longest| self.underwater_ns(&ended) > self.underwater_ns(&longest)) {
            self.longest = Some(ended);
        }
        if self.deepest.is_none_or(|deepest| ended.depth > deepest.depth) {
            self.deepest = Some(ended);
        }
    }

    fn close_day(&mut self, at_ns: i64, equity: f64) {
        let drawdown = self.tracker.map_or(0.0, |tracker| depth_below(tracker.peak(), equity));
        let close = DailyClose { day: Day::of_moment(at_ns), at_ns, equity, drawdown };
        match self.days.last_mut() {
            Some(open) if open.day == close.day => {
                *open = close;
                self.first_day_grew |= self.days.len() == 1;
            }
            _ => self.days.push(close),
        }
    }

    /// Observations taken.
    pub fn observations(&self) -> usize {
        self.observations
    }

    /// First observation: (UTC nanoseconds, equity).
    pub fn first(&self) -> Option<(i64, f64)> {
        self.first
    }

    /// Last observation: (UTC nanoseconds, equity).
    pub fn last(&self) -> Option<(i64, f64)> {
        self.first.map(|_| self.last)
    }

    /// Closes of the observed days, oldest first: the equity and underwater series of the report.
    pub fn days(&self) -> &[DailyClose] {
        &self.days
    }

    /// Highest equity so far.
    pub fn peak(&self) -> Option<f64> {
        self.tracker.map(|tracker| tracker.peak())
    }

    /// First moment at which equity was zero or below.
    pub fn ruined_at_ns(&self) -> Option<i64> {
        self.ruined_at_ns
    }

    /// Returns from close to close of the observed days, the first from the very first equity.
    ///
    /// A first day that holds a single observation is the starting point and has no return. Days without observations
    /// have none either (a weekend's move belongs to Monday). Ends with -1 on the day of ruin.
    pub fn daily_returns(&self) -> Vec<DailyReturn> {
        let Some(mut previous) = self.first.map(|first| first.1) else { return Vec::new() };
        let skipped = usize::from(!self.first_day_grew);
        let mut returns = Vec::with_capacity(self.days.len());
        for close in self.days.iter().skip(skipped) {
            let ruined = self.ruined_at_ns.is_some_and(|at| Day::of_moment(at) <= close.day);
            let value = if ruined { -1.0 } else { close.equity / previous - 1.0 };
            returns.push(DailyReturn { day: close.day, value, profit: close.equity - previous });
            if ruined {
                break;
            }
            previous = close.equity;
        }
        returns
    }

    /// The deepest drawdown at the resolution of the observations, the earlier of two equals; `None` if there was none.
    ///
    /// Source: Magdon-Ismail and Atiya 2004. Its depth equals `maxDrawdown` of PerformanceAnalytics and minus
    /// `max_drawdown` of empyrical where each observation closes a period.
    pub fn deepest_drawdown(&self) -> Option<Drawdown> {
        let candidates = [self.deepest, self.tracker.and_then(|tracker| tracker.current())];
        candidates.into_iter().flatten().reduce(|worst, next| if next.depth > worst.depth { next } else { worst })
    }

    /// The drawdown with the most time from peak to recovery (or to the last observation); the earlier of two equals.
    pub fn longest_drawdown(&self) -> Option<Drawdown> {
        let candidates = [self.longest, self.tracker.and_then(|tracker| tracker.current())];
        let longer = |held: Drawdown, next: Drawdown| {
            if self.underwater_ns(&next) > self.underwater_ns(&held) { next } else { held }
        };
        candidates.into_iter().flatten().reduce(longer)
    }

    /// Nanoseconds from a drawdown's peak to its recovery, or to the last observation.
    pub fn underwater_ns(&self, fall: &Drawdown) -> i64 {
        fall.recovered_at_ns.unwrap_or(self.last.0).saturating_sub(fall.peak_at_ns)
    }

    /// Share of the time with a position, in [0, 1]; `None` before time has passed.
    pub fn time_in_market(&self) -> Option<f64> {
        ratio(nanoseconds_to_days(self.exposed_ns), self.elapsed_days()?)
    }

    /// Time-weighted mean of gross notional / equity; `None` before time has passed.
    pub fn mean_leverage(&self) -> Option<f64> {
        ratio(self.leverage_days, self.elapsed_days()?)
    }

    /// Mean of the daily closes.
    pub fn mean_equity(&self) -> Option<f64> {
        mean(&self.days.iter().map(|close| close.equity).collect::<Vec<_>>())
    }

    /// Days from the first to the last observation.
    pub fn elapsed_days(&self) -> Option<f64> {
        finite(nanoseconds_to_days(self.last.0.saturating_sub(self.first?.0)))
    }

    /// Ulcer index of the daily closes against the running peak: root mean square of the underwater series.
    ///
    /// Source: P. G. Martin and B. McCann, "The Investor's Guide to Fidelity Funds", 1989. Equals `UlcerIndex` of
    /// PerformanceAnalytics.
    pub fn ulcer_index(&self) -> Option<f64> {
        let squares: f64 = self.days.iter().map(|close| close.drawdown * close.drawdown).sum();
        ratio(squares, count(self.days.len())).map(f64::sqrt)
    }
}
