//! From raw rows to a series: order, interval, decimals, bars.

use crate::defect::{Defect, Effect, Severity};
use crate::defects::Defects;
use crate::moment::{Stamp, localize};
use crate::names;
use crate::number::{MAX_DECIMALS, Number, NumberFault};
use crate::rows::{RawRow, RowSource, Shape};
use crate::validate::Checker;
use crate::{BarSeries, ImportError, ImportOptions, OnDefect, SourceInfo, StampEnd, VolumeKind};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::Path;
use tradewind_domain::{Bar, Calendar, InstrumentKind, InstrumentSpec, Interval, Price, Quantity, Timestamp};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Reads every row of `source` and makes the series of it.
pub(crate) fn series(
    path: &Path,
    mut source: Box<dyn RowSource>,
    options: &ImportOptions,
) -> Result<BarSeries, ImportError> {
    let mut log = Defects::default();
    let mut rows = Vec::new();
    while let Some(row) = source.next_row(&mut log)? {
        rows.push(row);
    }
    if rows.is_empty() {
        ImportError::refuse(path, &log, source.rows())?;
        return Err(ImportError::unfit("HIS-06", path, "the file holds no row that can be read"));
    }
    let shape = source.shape().clone();
    refuse_funding(path, &rows)?;
    let gives_volume = rows.iter().any(|row| shape.tells_volume(row));
    rows.retain(|row| judge_volume(row, gives_volume, &shape, &mut log));
    let stocks = shape.lean && options.price_scale.is_none() && whole_everywhere(&rows);
    let scale = options.price_scale.unwrap_or(if stocks { 4 } else { 0 });
    scale_prices(path, &mut rows, scale)?;
    let zone =
        if stocks && options.zone.is_none() { "America/New_York" } else { options.zone.as_deref().unwrap_or("UTC") };
    if stocks && options.zone.is_none() {
        let zone = TimeZone::get(zone).expect("the zone data base is compiled in");
        rows.iter_mut().for_each(|row| row.stamp = localize(row.stamp.utc, Some(&zone)));
    }
    let newest_first = put_in_order(&mut rows, &shape, &mut log);
    let dates = midnights_are_dates(&mut rows);
    let interval = interval_of(path, &rows, options).or_else(|unknown| {
        ImportError::refuse(path, &log, source.rows())?; // rows that were left out are why so few show no interval
        Err(unknown)
    })?;
    let decimals = decimals(&rows, options);
    let instrument = instrument(path, shape.member.as_deref(), options, stocks, decimals)?;
    let stamped = if options.stamp == StampEnd::Close { -interval.nanos() } else { 0 };

    let mut checker = Checker::new(interval, shape.names.clone(), &instrument);
    checker.learn_sessions(rows.iter().map(|row| row.stamp.later(stamped)));
    let mut bars = Vec::with_capacity(rows.len());
    for row in &rows {
        let Some(bar) = bar(row, decimals, interval, stamped, options, &shape.names, &mut log) else { continue };
        if checker.admits(row, &bar, &mut log) {
            bars.push(bar);
        }
    }
    if !shape.has_volume {
        log.no_volume(0, "", "no volume column");
    }
    log.sort();
    if options.on_defect == OnDefect::Refuse {
        ImportError::refuse(path, &log, source.rows())?;
    }
    let source = SourceInfo {
        zone: zone.to_owned(),
        newest_first,
        dates,
        volume: if gives_volume { VolumeKind::Given } else { VolumeKind::Absent },
        ..info(path, &shape, source.rows(), options)
    };
    Ok(BarSeries { instrument, interval, bars, source, defects: log, gaps: checker.gaps })
}

/// What is known of a source before its rows are judged.
pub(crate) fn info(path: &Path, shape: &Shape, rows: u64, options: &ImportOptions) -> SourceInfo {
    SourceInfo {
        path: path.display().to_string(),
        format: shape.format,
        member: shape.member.clone(),
        sha256: None,
        rows,
        stamp: options.stamp,
        origin: names::origin_of(path, options.origin),
        columns: shape.columns.clone(),
        time_format: shape.time_format.clone(),
        zone: options.zone.clone().unwrap_or_else(|| "UTC".to_owned()),
        newest_first: false,
        dates: false,
        quote_side: shape.quote_side,
        volume: if shape.has_volume { VolumeKind::Given } else { VolumeKind::Absent },
        steps: Vec::new(),
    }
}

/// Funding files of freqtrade keep the rate as `open` and zeros beside it.
pub(crate) fn refuse_funding(path: &Path, rows: &[RawRow]) -> Result<(), ImportError> {
    let is_zero = |number: &Number| number.mantissa == 0;
    let rate = |row: &RawRow| row.prices[1..].iter().all(is_zero) && row.volume.as_ref().is_none_or(is_zero);
    if rows.iter().all(rate) && rows.iter().any(|row| !is_zero(&row.prices[0])) {
        let what = "every high, low, close and volume is 0: these are funding rates";
        return Err(ImportError::unfit("HIS-27", path, what));
    }
    Ok(())
}

/// Whether a row may stand as far as its volume goes. A file `gives_volume` if any row of it has one, see
/// [`Shape::tells_volume`]: a row without is then a defect, as if it lacked a price. Else the file gives none, which is noted.
#[inline]
pub(crate) fn judge_volume(row: &RawRow, gives_volume: bool, shape: &Shape, log: &mut Defects) -> bool {
    if !shape.has_volume || row.volume.is_some() && (gives_volume || shape.ticks.is_none()) {
        return true;
    }
    let (title, cell) = (&shape.names[5], shape.empty_cell());
    match &shape.ticks {
        _ if gives_volume => {
            log.push(Defect::error(NumberFault::Empty.code(), row.row, title, cell).with(Effect::LeftOut));
        }
        Some(ticks) if row.volume.is_some() => log.ticks_alone(row.row, title, ticks),
        _ => log.no_volume(row.row, title, cell),
    }
    !gives_volume
}

/// LEAN writes the prices of shares as whole numbers, times 10,000; crypto and currencies as they are.
fn whole_everywhere(rows: &[RawRow]) -> bool {
    let whole = |number: &Number| number.decimals == 0;
    rows.iter().all(|row| row.prices.iter().all(whole) && row.volume.as_ref().is_some_and(whole))
}

fn scale_prices(path: &Path, rows: &mut [RawRow], scale: u8) -> Result<(), ImportError> {
    if scale > MAX_DECIMALS {
        return Err(ImportError::needs("HIS-35", path, format!("price_scale: {scale} is above {MAX_DECIMALS}")));
    }
    if scale == 0 {
        return Ok(());
    }
    for row in rows {
        for price in &mut row.prices {
            if price.decimals > 0 {
                let what = format!("price_scale: row {} has a price with decimals, {}", row.row, price.text());
                return Err(ImportError::needs("HIS-35", path, what));
            }
            *price = Number::new(price.mantissa, scale);
        }
    }
    Ok(())
}

/// Puts the rows in order of time; says whether the whole file was newest first. Rows that stand alone against the
/// order of the file are defects.
pub(crate) fn put_in_order(rows: &mut [RawRow], shape: &Shape, log: &mut Defects) -> bool {
    let steps = || rows.windows(2).map(|pair| pair[1].stamp.utc.cmp(&pair[0].stamp.utc));
    if steps().all(std::cmp::Ordering::is_ge) {
        return false;
    }
    let falls = steps().filter(|step| step.is_lt()).count();
    let newest_first = falls * 2 > rows.len() - 1;
    if newest_first {
        let text = format!("{} .. {}", moment(rows[0].stamp), moment(rows[rows.len() - 1].stamp));
        log.push(Defect::new("HIS-23", Severity::Note, 1, &shape.names[0], text).with(Effect::Sorted));
    }
    let mut latest = rows[0].stamp.utc;
    for row in rows.iter() {
        let against = if newest_first { row.stamp.utc > latest } else { row.stamp.utc < latest };
        if against {
            let before = Timestamp::from_nanos(latest);
            let side = if newest_first { "later" } else { "earlier" };
            let what = format!("{side} than a row before it, of {before}");
            let defect = Defect::error("HIS-12", row.row, &shape.names[0], moment(row.stamp));
            log.push(defect.saying(what).with(Effect::Sorted));
        } else {
            latest = row.stamp.utc;
        }
    }
    rows.sort_by_key(|row| row.stamp.utc);
    newest_first
}

pub(crate) fn moment(stamp: Stamp) -> String {
    Timestamp::from_nanos(stamp.utc).to_string()
}

/// Bars of days or weeks that are stamped with local midnights stand for dates: 00:00 UTC of that date, so that
/// summer time makes no bar an hour longer.
fn midnights_are_dates(rows: &mut [RawRow]) -> bool {
    let local = rows.iter().any(|row| row.stamp.offset != 0);
    if !local || !rows.iter().all(|row| row.stamp.local() % DAY == 0) {
        return false;
    }
    rows.iter_mut().for_each(|row| row.stamp = Stamp { utc: row.stamp.local(), offset: 0 });
    true
}

/// The commonest step between rows, unless given.
pub(crate) fn interval_of(path: &Path, rows: &[RawRow], options: &ImportOptions) -> Result<Interval, ImportError> {
    if let Some(interval) = options.interval {
        return Ok(interval);
    }
    let mut steps = BTreeMap::<i64, u64>::new();
    for pair in rows.windows(2) {
        let step = (pair[1].stamp.utc - pair[0].stamp.utc).abs();
        if step > 0 {
            *steps.entry(step).or_default() += 1;
        }
    }
    let needs = |what: String| ImportError::needs("HIS-24", path, what);
    let commonest = steps.iter().max_by_key(|(step, count)| (**count, std::cmp::Reverse(**step)));
    let Some((step, _)) = commonest else {
        return Err(needs(format!("{} rows of one time show no interval", rows.len())));
    };
    let whole = if step % SECOND == 0 { u32::try_from(step / SECOND).ok() } else { None };
    whole
        .and_then(|seconds| Interval::from_seconds(seconds).ok())
        .ok_or_else(|| needs(format!("the commonest step, {step} ns, is no whole number of seconds")))
}

/// Decimals of prices and volumes: given, or those of the finest number.
pub(crate) fn decimals(rows: &[RawRow], options: &ImportOptions) -> (u8, u8) {
    let mut finest = Finest::default();
    rows.iter().for_each(|row| finest.see(row));
    finest.given(options)
}

/// Keeps the decimals that the finest numbers need.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Finest {
    pub(crate) price: u8,
    pub(crate) volume: u8,
}

impl Finest {
    #[inline]
    pub(crate) fn see(&mut self, row: &RawRow) {
        for number in row.prices {
            widen(&mut self.price, number);
        }
        if let Some(number) = row.volume {
            widen(&mut self.volume, number);
        }
    }
    /// Sees a price.
    pub(crate) fn price(&mut self, number: Number) {
        widen(&mut self.price, number);
    }
    /// Sees a volume or size.
    pub(crate) fn volume(&mut self, number: Number) {
        widen(&mut self.volume, number);
    }
    pub(crate) fn given(self, options: &ImportOptions) -> (u8, u8) {
        let fixed = options.instrument.as_ref();
        let price = fixed.map(|spec| spec.price_decimals).or(options.price_decimals);
        let volume = fixed.map(|spec| spec.quantity_decimals).or(options.quantity_decimals);
        (price.unwrap_or(self.price), volume.unwrap_or(self.volume))
    }
}

#[inline]
fn widen(most: &mut u8, number: Number) {
    if number.decimals > *most {
        *most = number.trimmed().decimals.max(*most);
    }
}

/// The bar of a row; `None` for a number that does not fit the decimals, which is logged.
#[inline]
pub(crate) fn bar(
    row: &RawRow,
    decimals: (u8, u8),
    interval: Interval,
    shift: i64,
    options: &ImportOptions,
    names: &[String; 6],
    log: &mut Defects,
) -> Option<Bar> {
    let mut mantissas = [0_i64; 5];
    for (index, number) in row.prices.iter().chain(row.volume.iter()).enumerate() {
        let places = if index < 4 { decimals.0 } else { decimals.1 };
        match number.at(places) {
            Some(mantissa) => mantissas[index] = mantissa,
            None => {
                log.push(misfit(row, *number, places, &names[index + 1]));
                return None;
            }
        }
    }
    let [open, high, low, close, volume] = mantissas;
    Some(Bar {
        instrument: options.id,
        interval,
        open_time: Timestamp::from_nanos(row.stamp.utc + shift),
        open: Price::from_mantissa(open),
        high: Price::from_mantissa(high),
        low: Price::from_mantissa(low),
        close: Price::from_mantissa(close),
        volume: Quantity::from_mantissa(volume),
    })
}

fn misfit(row: &RawRow, number: Number, places: u8, column: &str) -> Defect {
    let finer = number.trimmed().decimals > places;
    let (code, what) = if finer {
        ("HIS-32", format!("more than the {places} decimals of the instrument"))
    } else {
        ("HIS-22", format!("too large for 64 bits at {places} decimals"))
    };
    Defect::error(code, row.row, column, number.text()).saying(what).with(Effect::LeftOut)
}

/// The instrument that the options give, or one by the file's name.
pub(crate) fn instrument(
    path: &Path,
    member: Option<&str>,
    options: &ImportOptions,
    stocks: bool,
    decimals: (u8, u8),
) -> Result<InstrumentSpec, ImportError> {
    let (price_decimals, quantity_decimals) = decimals;
    if let Some(spec) = &options.instrument {
        return Ok(InstrumentSpec { price_decimals, quantity_decimals, ..spec.clone() });
    }
    let symbol = match &options.symbol {
        Some(symbol) => symbol.clone(),
        None => names::symbol(path, member, stocks)
            .ok_or_else(|| ImportError::needs("HIS-25", path, "no symbol was given, and the file's name shows none"))?,
    };
    let venue = options.venue.clone().unwrap_or_else(|| names::venue(path).to_owned());
    let kind = InstrumentKind::of(&symbol, price_decimals).ok_or_else(|| {
        let why = "is paid in neither of its two currencies, or its strike is finer than the prices of the file";
        ImportError::needs("HIS-35", path, format!("a contract such as `{symbol}` cannot be reckoned: it {why}"))
    })?;
    let spec = InstrumentSpec::spot(symbol, &venue);
    let mut spec = InstrumentSpec { kind, price_decimals, quantity_decimals, ..spec };
    if stocks {
        spec.kind = InstrumentKind::Equity;
        spec.calendar = Calendar::new_york_stocks();
        spec.venue_symbol = spec.symbol.base.to_string();
    }
    Ok(spec)
}
