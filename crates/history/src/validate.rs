//! Judges rows in order of time: duplicates, grid, gaps, contradictions, signs, jumps.
//!
//! One pass that remembers one bar, so that a stream is judged like a whole file.

use crate::defect::{Defect, Effect, Severity};
use crate::defects::Defects;
use crate::moment::Stamp;
use crate::rows::RawRow;
use crate::{BarSeries, Gap, GapKind, hours};
use tradewind_domain::{Bar, Calendar, InstrumentSpec, Interval, Timestamp, format_decimal};

const DAY: i64 = 86_400_000_000_000;
/// From this ratio between neighbouring prices on a move is suspect. AAPL's fall of 51.6 % on 2000-09-29 is 2.07.
const SUSPECT: i128 = 3;
/// A hole of a market of unknown hours that is longer than this is missing data, not a holiday.
const CLOSED_MAX: i64 = 11 * DAY;

/// Judges one row after the other.
#[derive(Debug)]
pub(crate) struct Checker {
    interval: Interval,
    names: [String; 6],
    decimals: (u8, u8),
    /// When the market is open, where that is known.
    hours: Option<Calendar>,
    /// Whether the market never trades on Saturdays, as far as the rows show.
    sessions: bool,
    /// The bar before, and when it opened by the file's clock.
    last: Option<(Bar, i64)>,
    pub(crate) gaps: Vec<Gap>,
}

impl Checker {
    /// Judges bars of `instrument`, whose mantissas have its decimals.
    pub(crate) fn new(interval: Interval, names: [String; 6], instrument: &InstrumentSpec) -> Self {
        let decimals = (instrument.price_decimals, instrument.quantity_decimals);
        let hours = hours::hours_of(instrument);
        Self { interval, names, decimals, hours, sessions: false, last: None, gaps: Vec::new() }
    }

    /// Learns from the open times of the bars whether a market of unknown hours closes: if none of any Saturday (local) is
    /// there, though they span one.
    pub(crate) fn learn_sessions(&mut self, stamps: impl Iterator<Item = Stamp>) {
        let (mut first, mut last, mut on_saturday) = (i64::MAX, i64::MIN, false);
        for stamp in stamps {
            let day = stamp.local().div_euclid(DAY);
            (first, last) = (first.min(day), last.max(day));
            on_saturday |= is_saturday(day);
        }
        self.sessions = !on_saturday && first < last && (first..=last.min(first + 7)).any(is_saturday);
    }

    /// Whether the row may stand in the series; what is wrong with it is logged either way.
    #[inline]
    pub(crate) fn admits(&mut self, row: &RawRow, bar: &Bar, log: &mut Defects) -> bool {
        if let Some((last, _)) = &self.last {
            let step = bar.open_time.since(last.open_time);
            if step != self.interval.nanos() && !self.judge_step(row, bar, step, log) {
                return false;
            }
        }
        self.judge_values(row, bar, log);
        if let Some((last, _)) = self.last {
            self.judge_jump(row, bar, &last, log);
        }
        self.last = Some((*bar, local_open(row, bar)));
        true
    }

    fn judge_step(&mut self, row: &RawRow, bar: &Bar, step: i64, log: &mut Defects) -> bool {
        let Some((last, last_local)) = self.last else { return true };
        let time = || crate::build::moment(row.stamp);
        if step <= 0 {
            let (code, what) = if step == 0 {
                let same = *bar == last;
                (
                    "HIS-13",
                    if same { "the same bar twice" } else { "two different bars of one time; the first is kept" },
                )
            } else {
                ("HIS-12", "earlier than the row before it")
            };
            log.push(Defect::error(code, row.row, &self.names[0], time()).saying(what).with(Effect::LeftOut));
            return false;
        }
        if step % self.interval.nanos() != 0 {
            let seconds = format_decimal(i128::from(step), 9);
            let what = format!("{seconds} s behind the bar before it, where bars are {} long", self.interval);
            log.push(Defect::error("HIS-15", row.row, &self.names[0], time()).saying(what));
            return true;
        }
        let fitting = (step / self.interval.nanos() - 1).unsigned_abs();
        let new_day = last_local.div_euclid(DAY) != local_open(row, bar).div_euclid(DAY);
        let missing = self.missing(last.close_time(), bar.open_time, fitting, new_day);
        let (kind, bars) = if missing == 0 { (GapKind::Closed, fitting) } else { (GapKind::Missing, missing) };
        self.gaps.push(Gap { after: last.open_time, until: bar.open_time, bars, row: row.row, kind });
        if kind == GapKind::Missing {
            let what = format!("{} missing or left out after {}", counted_are(missing, "bar"), last.open_time);
            log.push(Defect::new("HIS-14", Severity::Warning, row.row, &self.names[0], time()).saying(what));
        }
        true
    }

    /// How many bars are missing of the `fitting` ones that would begin from `from` until `until`: those of the market's
    /// sessions. Where its hours are not known, or not for that time, all; but none of a market without Saturdays if the hole
    /// crosses a day's end and is as long as nights, weekends and holidays are.
    fn missing(&self, from: Timestamp, until: Timestamp, fitting: u64, new_day: bool) -> u64 {
        match &self.hours {
            Some(hours) if hours.is_known_at(from) => hours::bars_of_sessions(hours, self.interval, from, until),
            _ if self.sessions && new_day && until.since(from) < CLOSED_MAX - self.interval.nanos() => 0,
            _ => fitting,
        }
    }

    #[inline]
    fn judge_values(&self, row: &RawRow, bar: &Bar, log: &mut Defects) {
        if bar.low.mantissa() > 0 && bar.validate().is_ok() && bar.high.mantissa() / 3 <= bar.low.mantissa() {
            return;
        }
        self.judge_closely(row, bar, log);
    }

    #[cold]
    fn judge_closely(&self, row: &RawRow, bar: &Bar, log: &mut Defects) {
        let prices = [bar.open, bar.high, bar.low, bar.close].map(tradewind_domain::Price::mantissa);
        let text = |which: usize| format_decimal(i128::from(prices[which]), self.decimals.0);
        for (which, price) in prices.iter().enumerate() {
            if *price <= 0 {
                log.push(Defect::error("HIS-18", row.row, &self.names[which + 1], text(which)));
            }
        }
        let highest = prices[0].max(prices[3]).max(prices[2]);
        let lowest = prices[0].min(prices[3]);
        if prices[1] < highest {
            let what = format!("the high is below {}", format_decimal(i128::from(highest), self.decimals.0));
            log.push(Defect::error("HIS-16", row.row, &self.names[2], text(1)).saying(what));
        } else if prices[2] > lowest {
            let what = format!("the low is above {}", format_decimal(i128::from(lowest), self.decimals.0));
            log.push(Defect::error("HIS-16", row.row, &self.names[3], text(2)).saying(what));
        }
        if bar.volume.mantissa() < 0 {
            let text = format_decimal(i128::from(bar.volume.mantissa()), self.decimals.1);
            log.push(Defect::error("HIS-17", row.row, &self.names[5], text));
        }
        let body = (prices[0].min(prices[3]), prices[0].max(prices[3]));
        if body.0 > 0 {
            if i128::from(prices[1]) >= i128::from(body.1) * SUSPECT {
                log.push(suspect(row.row, &self.names[2], text(1), prices[1], body.1));
            }
            if prices[2] > 0 && i128::from(prices[2]) * SUSPECT <= i128::from(body.0) {
                log.push(suspect(row.row, &self.names[3], text(2), prices[2], body.0));
            }
        }
    }

    #[inline]
    fn judge_jump(&self, row: &RawRow, bar: &Bar, last: &Bar, log: &mut Defects) {
        let (was, is) = (last.close.mantissa(), bar.close.mantissa());
        if is_jump(was, is) {
            let text = format_decimal(i128::from(is), self.decimals.0);
            log.push(suspect(row.row, &self.names[4], text, is, was));
        }
    }
}

/// When the bar of this row opens by the file's clock, whichever end of it the row is stamped by.
const fn local_open(row: &RawRow, bar: &Bar) -> i64 {
    Stamp { utc: bar.open_time.nanos(), offset: row.stamp.offset }.local()
}

/// Whether a price `is` so far from the one before it that the move is suspect.
#[inline]
pub(crate) const fn is_jump(was: i64, is: i64) -> bool {
    was > 0 && is > 0 && (is / 3 >= was || was / 3 >= is)
}

/// `1 bar is`, `7 bars are`.
pub(crate) fn counted_are(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun} is") } else { format!("{count} {noun}s are") }
}

/// A price that is that far from a neighbour's.
#[allow(clippy::cast_precision_loss)] // a ratio for the reader's eye
pub(crate) fn suspect(row: u64, column: &str, value: String, is: i64, was: i64) -> Defect {
    let ratio = if is >= was { is as f64 / was as f64 } else { -(was as f64 / is as f64) };
    let what = if ratio > 0.0 {
        format!("{ratio:.1} times its neighbour: a split, a wrong unit or a true move")
    } else {
        format!("1/{:.1} of its neighbour: a split, a wrong unit or a true move", -ratio)
    };
    Defect::new("HIS-19", Severity::Warning, row, column, value).saying(what)
}

/// 1970-01-03 was a Saturday.
const fn is_saturday(day: i64) -> bool {
    (day - 2).rem_euclid(7) == 0
}

/// Judges a series as it stands, such as one that was made or changed by hand: duplicates, order, grid, gaps,
/// contradictions, signs and jumps. Rows are counted from 1 in the order of `series.bars`.
///
/// The series' own list of defects is left alone.
#[must_use]
pub fn validate(series: &BarSeries) -> Defects {
    judge(series).0
}

/// The defects and gaps of a series as it stands.
pub(crate) fn judge(series: &BarSeries) -> (Defects, Vec<Gap>) {
    let times = series.bars.iter().map(|bar| bar.open_time);
    let mut judge = Judge::new(series.interval, &series.instrument, times);
    series.bars.iter().for_each(|bar| judge.see(bar));
    (judge.log, judge.checker.gaps)
}

/// Judges bars as they stand, one after the other; rows are counted from 1.
pub(crate) struct Judge {
    checker: Checker,
    row: u64,
    pub(crate) log: Defects,
}

impl Judge {
    /// Judges bars of `instrument` that lie on the days of `times`.
    pub(crate) fn new(interval: Interval, instrument: &InstrumentSpec, times: impl Iterator<Item = Timestamp>) -> Self {
        let names = ["time", "open", "high", "low", "close", "volume"].map(str::to_owned);
        let mut checker = Checker::new(interval, names, instrument);
        checker.learn_sessions(times.map(stamp_of));
        Self { checker, row: 0, log: Defects::default() }
    }

    pub(crate) fn see(&mut self, bar: &Bar) {
        self.row += 1;
        let stamp = stamp_of(bar.open_time);
        let row = RawRow { row: self.row, stamp, prices: Default::default(), volume: None };
        self.checker.admits(&row, bar, &mut self.log);
    }

    pub(crate) fn gaps(&self) -> &[Gap] {
        &self.checker.gaps
    }
}

const fn stamp_of(time: Timestamp) -> Stamp {
    Stamp { utc: time.nanos(), offset: 0 }
}
