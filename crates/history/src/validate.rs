//! Judges rows in order of time: duplicates, grid, gaps, contradictions, signs, jumps.
//!
//! One pass that remembers one bar, so that a stream is judged like a whole file.

use crate::defect::{Defect, DefectLog, Effect, Severity};
use crate::moment::Stamp;
use crate::rows::RawRow;
use crate::{BarSeries, Gap, GapKind};
use tradewind_domain::{Bar, Interval, Timestamp, format_decimal};

const DAY: i64 = 86_400_000_000_000;
/// From this ratio between neighbouring prices on a move is suspect. AAPL's fall of 51.6 % on 2000-09-29 is 2.07.
const SUSPECT: i128 = 3;
/// A hole of a market with sessions that is longer than this is missing data, not a holiday.
const CLOSED_MAX: i64 = 11 * DAY;

/// Judges one row after the other.
#[derive(Debug)]
pub(crate) struct Checker {
    interval: Interval,
    names: [String; 6],
    decimals: (u8, u8),
    /// Whether the market never trades on Saturdays.
    sessions: bool,
    last: Option<(Bar, i64)>,
    pub(crate) gaps: Vec<Gap>,
}

impl Checker {
    pub(crate) const fn new(interval: Interval, names: [String; 6], decimals: (u8, u8)) -> Self {
        Self { interval, names, decimals, sessions: false, last: None, gaps: Vec::new() }
    }

    /// Learns whether the market closes: if no row of any Saturday (local) is there, though the rows span one.
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
    pub(crate) fn admits(&mut self, row: &RawRow, bar: &Bar, log: &mut DefectLog) -> bool {
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
        self.last = Some((*bar, row.stamp.local()));
        true
    }

    fn judge_step(&mut self, row: &RawRow, bar: &Bar, step: i64, log: &mut DefectLog) -> bool {
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
        let missing = (step / self.interval.nanos() - 1).unsigned_abs();
        let new_day = last_local.div_euclid(DAY) != row.stamp.local().div_euclid(DAY);
        let closed = self.sessions && new_day && step < CLOSED_MAX;
        let kind = if closed { GapKind::Closed } else { GapKind::Missing };
        self.gaps.push(Gap { after: last.open_time, until: bar.open_time, bars: missing, row: row.row, kind });
        if kind == GapKind::Missing {
            let bars = if missing == 1 { "1 bar is".to_owned() } else { format!("{missing} bars are") };
            let what = format!("{bars} missing after {}", last.open_time);
            log.push(Defect::new("HIS-14", Severity::Warning, row.row, &self.names[0], time()).saying(what));
        }
        true
    }

    #[inline]
    fn judge_values(&self, row: &RawRow, bar: &Bar, log: &mut DefectLog) {
        if bar.low.mantissa() > 0 && bar.validate().is_ok() && bar.high.mantissa() / 3 <= bar.low.mantissa() {
            return;
        }
        self.judge_closely(row, bar, log);
    }

    #[cold]
    fn judge_closely(&self, row: &RawRow, bar: &Bar, log: &mut DefectLog) {
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
                log.push(suspect(row, &self.names[2], text(1), prices[1], body.1));
            }
            if prices[2] > 0 && i128::from(prices[2]) * SUSPECT <= i128::from(body.0) {
                log.push(suspect(row, &self.names[3], text(2), prices[2], body.0));
            }
        }
    }

    #[inline]
    fn judge_jump(&self, row: &RawRow, bar: &Bar, last: &Bar, log: &mut DefectLog) {
        let (was, is) = (last.close.mantissa(), bar.close.mantissa());
        if was > 0 && is > 0 && (is / 3 >= was || was / 3 >= is) {
            let text = format_decimal(i128::from(is), self.decimals.0);
            log.push(suspect(row, &self.names[4], text, is, was));
        }
    }
}

#[allow(clippy::cast_precision_loss)] // a ratio for the reader's eye
fn suspect(row: &RawRow, column: &str, value: String, is: i64, was: i64) -> Defect {
    let ratio = if is >= was { is as f64 / was as f64 } else { -(was as f64 / is as f64) };
    let what = if ratio > 0.0 {
        format!("{ratio:.1} times its neighbour: a split, a wrong unit or a true move")
    } else {
        format!("1/{:.1} of its neighbour: a split, a wrong unit or a true move", -ratio)
    };
    Defect::new("HIS-19", Severity::Warning, row.row, column, value).saying(what)
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
pub fn validate(series: &BarSeries) -> Vec<Defect> {
    judge(series).0
}

/// The defects and gaps of a series as it stands.
pub(crate) fn judge(series: &BarSeries) -> (Vec<Defect>, Vec<Gap>) {
    let names = ["time", "open", "high", "low", "close", "volume"].map(str::to_owned);
    let decimals = (series.instrument.price_decimals, series.instrument.quantity_decimals);
    let mut checker = Checker::new(series.interval, names, decimals);
    let stamp = |time: Timestamp| Stamp { utc: time.nanos(), offset: 0 };
    checker.learn_sessions(series.bars.iter().map(|bar| stamp(bar.open_time)));
    let mut log = DefectLog::default();
    for (bar, number) in series.bars.iter().zip(1..) {
        let row = RawRow { row: number, stamp: stamp(bar.open_time), prices: Default::default(), volume: None };
        checker.admits(&row, bar, &mut log);
    }
    (log.list, checker.gaps)
}
