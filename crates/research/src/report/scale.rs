//! Axes: where a value stands, and where the lines with round numbers go.

use super::text::{MONTHS, date, number};
use tradewind_quant::calendar::{Date, Day};

/// Width and height of every drawing in its own units; the page stretches them.
pub(super) const SIDE: f64 = 1_000.0;

/// A vertical axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    pub(super) log: bool,
}

impl Axis {
    /// From the lowest to the highest of `values`, with a little air; logarithmic when they span a factor of five.
    pub(super) fn around(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return Self { low: 0.0, high: 1.0, log: false };
        }
        let log = low > 0.0 && high / low > 5.0;
        if log {
            let air = (high / low).powf(0.04);
            return Self { low: low / air, high: high * air, log };
        }
        let air = if high > low { (high - low) * 0.05 } else { high.abs().max(1.0) * 0.01 };
        Self { low: low - air, high: high + air, log }
    }

    /// From `low` to `high` exactly.
    pub(super) const fn between(low: f64, high: f64) -> Self {
        Self { low, high, log: false }
    }

    /// Where `value` stands, from 0 at the top to [`SIDE`] at the bottom.
    pub(super) fn y(&self, value: f64) -> f64 {
        let part = if self.log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        SIDE * (1.0 - part.clamp(0.0, 1.0))
    }

    /// Four to eight round values within.
    pub(super) fn ticks(&self) -> Vec<f64> {
        if self.log {
            let ticks = self.log_ticks();
            if ticks.len() >= 3 {
                return ticks;
            }
        }
        let step = round_step((self.high - self.low) / 6.0);
        let first = (self.low / step).ceil();
        (0..12_u32).map(|n| (first + f64::from(n)) * step).take_while(|value| *value <= self.high).collect()
    }

    fn log_ticks(&self) -> Vec<f64> {
        let wide = self.high / self.low > 300.0;
        let mut decade = 10_f64.powf(self.low.log10().floor());
        let mut ticks = Vec::new();
        while decade <= self.high {
            let steps: &[f64] = if wide { &[1.0] } else { &[1.0, 2.0, 5.0] };
            ticks.extend(steps.iter().map(|step| step * decade).filter(|it| (self.low..=self.high).contains(it)));
            decade *= 10.0;
        }
        ticks
    }

    /// A tick's label: short, and as fine as the step.
    pub(super) fn label(&self, value: f64) -> String {
        let (scale, unit) = match self.high.abs().max(self.low.abs()) {
            1e9.. => (1e9, "B"),
            1e6.. => (1e6, "M"),
            1e5.. => (1e3, "k"),
            _ => (1.0, ""),
        };
        let decimals = if self.log { decimals_of(value / scale) } else { self.decimals(1.0 / scale) };
        number(value / scale, decimals) + unit
    }

    /// How many decimals tell the ticks apart when values are shown times `factor`.
    pub(super) fn decimals(&self, factor: f64) -> usize {
        decimals_of(round_step((self.high - self.low) / 6.0) * factor)
    }
}

fn round_step(rough: f64) -> f64 {
    let decade = 10_f64.powf(rough.abs().max(f64::MIN_POSITIVE).log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|step| step * decade)
        .find(|step| *step >= rough)
        .unwrap_or(decade * 10.0)
}

/// How many decimals tell steps of this size apart.
fn decimals_of(step: f64) -> usize {
    (0..8)
        .find(|decimals| (step * 10_f64.powi(*decimals)).fract().abs() < 1e-6)
        .map_or(8, |it| it.unsigned_abs() as usize)
}

/// A horizontal axis of time, in Unix milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeAxis {
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
}

impl TimeAxis {
    /// Where a moment stands, from 0 at the left to [`SIDE`] at the right.
    pub(super) fn x(&self, at_ms: i64) -> f64 {
        let span = (self.to_ms - self.from_ms).max(1) as f64;
        SIDE * ((at_ms - self.from_ms) as f64 / span).clamp(0.0, 1.0)
    }

    /// At most ten round moments, with their labels.
    pub(super) fn ticks(&self) -> Vec<(i64, String)> {
        const SECOND: i64 = 1_000;
        const STEPS: [i64; 15] =
            [1, 5, 15, 30, 60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];
        let span = self.to_ms - self.from_ms;
        if let Some(step) = STEPS.iter().map(|step| step * SECOND).find(|step| span / step <= 9) {
            let first = self.from_ms.div_euclid(step) + i64::from(self.from_ms.rem_euclid(step) > 0);
            return (first..)
                .map(|n| n * step)
                .take_while(|at| *at <= self.to_ms)
                .map(|at| (at, clock(at, step)))
                .collect();
        }
        let months =
            [1, 2, 3, 6, 12, 24, 60, 120, 240].into_iter().find(|months| span / (months * 2_629_746 * SECOND) <= 9);
        self.month_ticks(months.unwrap_or(1_200))
    }

    fn month_ticks(&self, step: i64) -> Vec<(i64, String)> {
        let start = date(self.from_ms.saturating_mul(1_000_000));
        let first = (start.year * 12 + i64::from(start.month) - 1).div_euclid(step);
        let begin = |month: i64| Date { year: month.div_euclid(12), month: place(month) + 1, day: 1 };
        (first..)
            .map(|n| (Day::of_date(begin(n * step)).0 * 86_400_000, n * step))
            .skip_while(|(at, _)| *at < self.from_ms)
            .take_while(|(at, _)| *at <= self.to_ms)
            .map(|(at, month)| (at, month_label(month)))
            .collect()
    }
}

fn place(month: i64) -> u8 {
    u8::try_from(month.rem_euclid(12)).unwrap_or(0)
}

fn month_label(month: i64) -> String {
    match place(month) {
        0 => month.div_euclid(12).to_string(),
        other => MONTHS[usize::from(other)].to_owned(),
    }
}

fn clock(at_ms: i64, step_ms: i64) -> String {
    let seconds = at_ms.div_euclid(1_000).rem_euclid(86_400);
    if step_ms >= 86_400_000 || (seconds == 0 && step_ms >= 60_000) {
        let it = date(at_ms.saturating_mul(1_000_000));
        return format!("{}\u{a0}{}", it.day, MONTHS[usize::from(it.month) - 1]);
    }
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if step_ms >= 60_000 { format!("{hour:02}:{minute:02}") } else { format!("{hour:02}:{minute:02}:{second:02}") }
}
