//! Longer bars from shorter ones, and bars from trades.

use crate::{BarSeries, Gap, GapKind, ImportError, TradeSeries, VolumeKind};
use std::path::Path;
use tradewind_domain::{Bar, Calendar, InstrumentId, Interval, Price, Quantity, Timestamp};

/// Makes longer bars: first open, highest high, lowest low, last close, sum of volumes, on the grid of
/// [`Interval::floor`].
///
/// A first or last bar of which the series does not hold its whole span is left out, and `source.steps` says so; not for
/// a market with sessions, where the span is never whole. Holes inside a longer bar stay visible in the gaps of the
/// shorter series only. The result's defects are those of its source file.
///
/// # Errors
/// [`ImportError`] with code HIS-34 unless `interval` is a larger multiple of the series' own, HIS-22 if a sum of volumes
/// leaves 64 bits.
pub fn resample(series: &BarSeries, interval: Interval) -> Result<BarSeries, ImportError> {
    let path = Path::new(&series.source.path);
    let own = series.interval;
    if interval <= own || !interval.seconds().is_multiple_of(own.seconds()) {
        let what = format!("{interval} is no larger multiple of {own}");
        return Err(ImportError::needs("HIS-34", path, what));
    }
    let mut bars: Vec<Bar> = Vec::with_capacity(series.bars.len() / (interval.seconds() / own.seconds()) as usize + 2);
    for bar in &series.bars {
        let open_time = interval.floor(bar.open_time);
        match bars.last_mut().filter(|last| last.open_time == open_time) {
            Some(last) => extend(path, last, bar)?,
            None => bars.push(Bar { interval, open_time, ..*bar }),
        }
    }
    let mut left_out = 0;
    if series.instrument.calendar == Calendar::Continuous {
        let ends = series.bars.last().map(Bar::close_time);
        if bars.last().is_some_and(|last| Some(last.close_time()) != ends) {
            bars.pop();
            left_out += 1;
        }
        let begins = series.bars.first().map(|bar| bar.open_time);
        if bars.first().is_some_and(|first| begins != Some(first.open_time)) {
            bars.remove(0);
            left_out += 1;
        }
    }
    let mut source = series.source.clone();
    source.steps.push(format!("resampled from {own} to {interval}, {left_out} incomplete bars left out"));
    let gaps = gaps(&bars, interval, |after| {
        let covers = |gap: &&Gap| gap.after < after && after < gap.until;
        series.gaps.iter().find(covers).map_or(GapKind::Missing, |gap| gap.kind)
    });
    let (instrument, defects) = (series.instrument.clone(), series.defects.clone());
    Ok(BarSeries { instrument, interval, bars, source, defects, gaps })
}

fn extend(path: &Path, last: &mut Bar, bar: &Bar) -> Result<(), ImportError> {
    last.high = last.high.max(bar.high);
    last.low = last.low.min(bar.low);
    last.close = bar.close;
    last.volume = add(path, last.volume, bar.volume, last.open_time)?;
    Ok(())
}

fn add(path: &Path, sum: Quantity, more: Quantity, at: Timestamp) -> Result<Quantity, ImportError> {
    let large = || ImportError::unfit("HIS-22", path, format!("the volume of the bar of {at} leaves 64 bits"));
    sum.checked_add(more).ok_or_else(large)
}

/// The holes between bars; `kind` is asked with the first open time that is not there.
fn gaps(bars: &[Bar], interval: Interval, kind: impl Fn(Timestamp) -> GapKind) -> Vec<Gap> {
    let holes = bars.windows(2).zip(2..).filter(|(pair, _)| pair[1].open_time != pair[0].close_time());
    holes
        .map(|(pair, row)| Gap {
            after: pair[0].open_time,
            until: pair[1].open_time,
            bars: (pair[1].open_time.since(pair[0].close_time()) / interval.nanos()).unsigned_abs(),
            row,
            kind: kind(pair[0].close_time()),
        })
        .collect()
}

/// Makes bars of trades, one for each interval in which there was a trade; the others are gaps of [`GapKind::Quiet`].
///
/// # Errors
/// [`ImportError`] with code HIS-22 if a sum of volumes leaves 64 bits, HIS-06 without trades.
pub fn bars_from_trades(series: &TradeSeries, interval: Interval) -> Result<BarSeries, ImportError> {
    let path = Path::new(&series.source.path);
    if series.trades.is_empty() {
        return Err(ImportError::unfit("HIS-06", path, "there are no trades"));
    }
    let mut bars: Vec<Bar> = Vec::new();
    for (time, trade) in &series.trades {
        let open_time = interval.floor(*time);
        let single = single(trade.instrument, interval, open_time, trade.price, trade.quantity);
        match bars.last_mut().filter(|last| last.open_time == open_time) {
            Some(last) => extend(path, last, &single)?,
            None => bars.push(single),
        }
    }
    let mut source = series.source.clone();
    source.volume = VolumeKind::Given;
    source.steps.push(format!("{interval} bars from trades"));
    let gaps = gaps(&bars, interval, |_| GapKind::Quiet);
    let (instrument, defects) = (series.instrument.clone(), series.defects.clone());
    Ok(BarSeries { instrument, interval, bars, source, defects, gaps })
}

const fn single(
    instrument: InstrumentId,
    interval: Interval,
    open_time: Timestamp,
    price: Price,
    volume: Quantity,
) -> Bar {
    Bar { instrument, interval, open_time, open: price, high: price, low: price, close: price, volume }
}
