//! Markets for tests: hand-drawn, walked by seed, and recorded.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::PathBuf;
use tradewind_domain::*;
use tradewind_gate::Limits;
use tradewind_history::{ImportOptions, OnDefect, read_bars};
use tradewind_strategies::{Rehearsal, Strategy, registry};

/// A spot pair with cents and a taker fee of 10 basis points.
pub(crate) fn spot() -> Instrument {
    let spec = InstrumentSpec {
        price_decimals: 2,
        fees: FeeSchedule::bps(10, 10),
        ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test")
    };
    spec.list(InstrumentId(0)).unwrap()
}

/// A perpetual, which may be held short.
pub(crate) fn perpetual() -> Instrument {
    let spec = InstrumentSpec {
        kind: InstrumentKind::LinearPerpetual,
        price_decimals: 2,
        ..InstrumentSpec::spot("BTC/USDT:USDT".parse().unwrap(), "test")
    };
    spec.list(InstrumentId(0)).unwrap()
}

pub(crate) fn rehearsal(strategy: Box<dyn Strategy>, instrument: &Instrument) -> Rehearsal {
    let deposit = Money::parse("10000", Currency::new("USDT").unwrap()).unwrap();
    let limits = if instrument.is_cash() { Limits::RESEARCH } else { Limits::OPEN };
    Rehearsal::new(strategy, instrument, deposit, limits)
}

pub(crate) fn build(name: &str, parameters: &str) -> Box<dyn Strategy> {
    registry::build(name, &parameters.parse().unwrap()).unwrap()
}

/// Closes that go up and down by one around 100.
pub(crate) fn calm(bars: usize) -> Vec<f64> {
    (0..bars).map(|at| if at % 2 == 0 { 99.0 } else { 101.0 }).collect()
}

/// `calm` bars, then `rest`.
pub(crate) fn after_calm(bars: usize, rest: &[f64]) -> Vec<f64> {
    calm(bars).into_iter().chain(rest.iter().copied()).collect()
}

/// From `from`, `bars` times `step` further.
pub(crate) fn line(from: f64, step: f64, bars: usize) -> Vec<f64> {
    (0..bars).map(|at| from + step * at as f64).collect()
}

/// Hourly bars that open at the close before and reach no further than open and close.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn bars_of(closes: &[f64]) -> Vec<Bar> {
    let price = |value: f64| Price::from_mantissa((value * 100.0).round() as i64);
    let mut before = price(closes[0]);
    let bar = |(hour, close): (usize, &f64)| {
        let (open, close) = (std::mem::replace(&mut before, price(*close)), price(*close));
        let open_time = Timestamp::from_millis(i64::try_from(hour).unwrap() * 3_600_000);
        let (high, low) = (open.max(close), open.min(close));
        let volume = Quantity::from_mantissa(100_000_000);
        Bar { instrument: InstrumentId(0), interval: Interval::HOUR, open_time, open, high, low, close, volume }
    };
    closes.iter().enumerate().map(bar).collect()
}

/// A seeded walk in which calm and wild stretches, rises and falls follow one another.
pub(crate) fn walk(seed: u64, bars: usize) -> Vec<Bar> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    };
    let (mut close, mut drift, mut size) = (1_000.0, 0.0, 0.01);
    let step = |at: usize| {
        if at.is_multiple_of(60) {
            (drift, size) = (0.006 * uniform(), 0.004 + 0.03 * (uniform() + 0.5));
        }
        close *= 1.0 + drift + size * uniform();
        close
    };
    bars_of(&(0..bars).map(step).collect::<Vec<f64>>())
}

/// The file `name` under the recordings' `ohlcv`; `None`, with a line that says so, where there are none.
pub(crate) fn recorded(test: &str, name: &str) -> Option<(Instrument, Vec<Bar>)> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let root = std::env::var_os("TRADEWIND_RECORDINGS").map_or_else(|| PathBuf::from(default), PathBuf::from);
    let path = root.join("ohlcv").join(name);
    if !path.exists() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no recordings: {test}: {}", path.display());
        eprintln!("no recordings: {test}");
        return None;
    }
    let options = ImportOptions { on_defect: OnDefect::Report, hash: false, ..ImportOptions::default() };
    let series = read_bars(&path, &options).unwrap();
    Some((series.instrument.list(InstrumentId(0)).unwrap(), series.bars))
}
