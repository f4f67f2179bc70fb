//! Bars one at a time, in memory that does not grow with their number.

use crate::build::{self, Finest};
use crate::catalog::{ALWAYS, CatalogError};
use crate::defects::Defects;
use crate::moment::Stamp;
use crate::parquet::{BarFile, BarFileReader};
use crate::read::FileHash;
use crate::rows::{RawRow, RowSource, Shape};
use crate::validate::{Checker, Judge};
use crate::{Dataset, Gap, ImportError, ImportOptions, OnDefect, Severity, SourceInfo, StampEnd, VolumeKind, read};
use std::path::{Path, PathBuf};
use tradewind_domain::{Bar, InstrumentSpec, Interval};

/// Rows that are looked at before the first bar comes out.
const PROBE: usize = 2_048;
const DAY: i64 = 86_400_000_000_000;

/// A stream of bars from a file: see [`stream_bars`].
pub struct BarStream {
    instrument: InstrumentSpec,
    interval: Interval,
    source: SourceInfo,
    bars: Bars,
}

enum Bars {
    Whole { bars: std::vec::IntoIter<Bar>, defects: Defects, gaps: Vec<Gap> },
    Live(Box<Live>),
    Stored(Box<Stored>),
}

/// Bars of a catalog file.
struct Stored {
    path: PathBuf,
    bars: BarFileReader,
    judge: Judge,
}

struct Live {
    path: PathBuf,
    rows: Box<dyn RowSource>,
    shape: Shape,
    checker: Checker,
    log: Defects,
    options: ImportOptions,
    interval: Interval,
    decimals: (u8, u8),
    gives_volume: bool,
    shift: i64,
    over: bool,
    hash: FileHash,
    sha256: Option<String>,
}

/// Reads the bars of a file one at a time; the same bars as [`crate::read_bars`] gives, in flat memory for files of the
/// catalog, and for CSV (plain, in gzip, xz or zip), Feather and Parquet of bars shorter than a day in order of time.
///
/// The file is read once beforehand: for the decimals of prices and volumes, for whether a market of unknown hours closes,
/// and where errors do not refuse it, for whether its rows are in order. If the options fix the decimals (or the instrument)
/// and errors refuse the file, its first 2,048 rows are enough, unless they have an empty column of volumes. A file of the
/// catalog is read once beforehand to see that it holds what was stored.
///
/// LEAN's files without a header, files of a `price_scale`, newest-first files and daily bars are small: they are read whole.
/// So is a file whose rows are out of order, if that does not refuse it, and one whose volumes begin behind those rows.
///
/// # Errors
/// As [`crate::read_bars`]; errors of rows come out of the iterator when it reaches them, and end it.
pub fn stream_bars(path: &Path, options: &ImportOptions) -> Result<BarStream, ImportError> {
    if let Some(file) = read::catalog_file(path, options)? {
        return stored(path, file);
    }
    let mut rows = read::open_rows(path, options)?;
    let mut log = Defects::default();
    let mut probe = Vec::with_capacity(PROBE);
    while probe.len() < PROBE {
        let Some(row) = rows.next_row(&mut log)? else { break };
        probe.push(row);
    }
    let shape = rows.shape().clone();
    let gives_volume = probe.iter().any(|row| shape.tells_volume(row));
    probe.retain(|row| !gives_volume || row.volume.is_some()); // the others are left out when they are reached
    if probe.len() < 3 || shape.lean || options.price_scale.is_some() || falls(&probe) {
        return whole(path, options);
    }
    let interval = build::interval_of(path, &probe, options)?;
    if interval >= Interval::DAY {
        return whole(path, options);
    }
    build::refuse_funding(path, &probe)?;
    let hash = FileHash::begin(path, options)?;
    let fixed = options.instrument.is_some() || options.price_decimals.is_some() && options.quantity_decimals.is_some();
    let shift = if options.stamp == StampEnd::Close { -interval.nanos() } else { 0 };
    let mut seen = Seen::of(&probe, shift, gives_volume);
    let is_settled = fixed && options.on_defect == OnDefect::Refuse && gives_volume == shape.has_volume;
    if !is_settled && !seen.looks_on(rows.as_mut(), shift, options, &mut log)? {
        return whole(path, options);
    }
    let decimals = seen.finest.given(options);
    let instrument = build::instrument(path, None, options, false, decimals)?;
    let mut checker = Checker::new(interval, shape.names.clone(), &instrument);
    checker.learn_sessions(seen.stamps.into_iter());
    let rows = read::open_rows(path, options)?; // from the first row again
    let mut log = Defects::default();
    if !shape.has_volume {
        log.no_volume(0, "", "no volume column");
    }
    let live = Live {
        path: path.to_owned(),
        rows,
        checker,
        log,
        options: options.clone(),
        interval,
        decimals,
        gives_volume,
        shift,
        over: false,
        hash,
        sha256: None,
        shape,
    };
    let volume = if gives_volume { VolumeKind::Given } else { VolumeKind::Absent };
    let source = SourceInfo { volume, ..build::info(path, &live.shape, 0, options) };
    Ok(BarStream { instrument, interval, source, bars: Bars::Live(Box::new(live)) })
}

/// What the rows tell before the first bar comes out.
struct Seen {
    finest: Finest,
    /// When the first rows opened, and the first one of each day behind them.
    stamps: Vec<Stamp>,
    gives_volume: bool,
    /// The time of the last row.
    latest: i64,
}

impl Seen {
    fn of(probe: &[RawRow], shift: i64, gives_volume: bool) -> Self {
        let mut finest = Finest::default();
        probe.iter().for_each(|row| finest.see(row));
        let stamps = probe.iter().map(|row| row.stamp.later(shift)).collect();
        Self { finest, stamps, gives_volume, latest: probe.last().map_or(i64::MIN, |row| row.stamp.utc) }
    }

    /// Goes through the other rows. `false` at the first that only the whole file can be judged by: one that has a volume
    /// where those before it have none, or one out of order that is to be sorted in.
    fn looks_on(
        &mut self,
        rows: &mut dyn RowSource,
        shift: i64,
        options: &ImportOptions,
        log: &mut Defects,
    ) -> Result<bool, ImportError> {
        let mut day = i64::MIN;
        while let Some(row) = rows.next_row(log)? {
            if self.gives_volume && row.volume.is_none() {
                continue; // left out when it is reached
            }
            if !self.gives_volume && rows.shape().tells_volume(&row) {
                return Ok(false);
            }
            if row.stamp.utc < self.latest && options.on_defect == OnDefect::Report {
                return Ok(false);
            }
            self.latest = row.stamp.utc;
            self.finest.see(&row);
            let opened = row.stamp.later(shift);
            if opened.local().div_euclid(DAY) != day {
                day = opened.local().div_euclid(DAY);
                self.stamps.push(opened);
            }
        }
        Ok(true)
    }
}

fn falls(probe: &[RawRow]) -> bool {
    probe.windows(2).any(|pair| pair[1].stamp.utc < pair[0].stamp.utc)
}

fn stored(path: &Path, file: BarFile) -> Result<BarStream, ImportError> {
    let unfit = |error: CatalogError| read::of_catalog(path, &error);
    let seen = file.dataset().clone();
    let mut days = Vec::new();
    let mut day = i64::MIN;
    for bar in file.read(ALWAYS).map_err(unfit)? {
        let time = bar.map_err(unfit)?.open_time;
        if time.nanos().div_euclid(DAY) != day {
            day = time.nanos().div_euclid(DAY);
            days.push(time);
        }
    }
    let file = BarFile::open(path).map_err(unfit)?;
    if *file.dataset() != seen {
        let what = "another file was put in its place while it was read: read it again";
        return Err(unfit(CatalogError::damaged(path, what)));
    }
    let bars = file.read(ALWAYS).map_err(unfit)?;
    let Dataset { instrument, interval, source, .. } = seen;
    let judge = Judge::new(interval, &instrument, days.into_iter());
    let bars = Bars::Stored(Box::new(Stored { path: path.to_owned(), bars, judge }));
    Ok(BarStream { instrument, interval, source, bars })
}

fn whole(path: &Path, options: &ImportOptions) -> Result<BarStream, ImportError> {
    read::read_bars(path, options).map(of_series)
}

fn of_series(series: crate::BarSeries) -> BarStream {
    let bars = Bars::Whole { bars: series.bars.into_iter(), defects: series.defects, gaps: series.gaps };
    BarStream { instrument: series.instrument, interval: series.interval, source: series.source, bars }
}

impl BarStream {
    /// What the bars are of, with the decimals of their mantissas.
    #[must_use]
    pub const fn instrument(&self) -> &InstrumentSpec {
        &self.instrument
    }
    /// How long each bar is.
    #[must_use]
    pub const fn interval(&self) -> Interval {
        self.interval
    }
    /// Where they come from; `rows` counts those read so far, and the hash is known when the last one was.
    #[must_use]
    pub fn source(&self) -> SourceInfo {
        let mut source = self.source.clone();
        if let Bars::Live(live) = &self.bars {
            source.rows = live.rows.rows();
            source.sha256.clone_from(&live.sha256);
        }
        source
    }
    /// What was wrong with the rows so far.
    #[must_use]
    pub fn defects(&self) -> &Defects {
        match &self.bars {
            Bars::Whole { defects, .. } => defects,
            Bars::Live(live) => &live.log,
            Bars::Stored(stored) => &stored.judge.log,
        }
    }
    /// The holes so far.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        match &self.bars {
            Bars::Whole { gaps, .. } => gaps,
            Bars::Live(live) => &live.checker.gaps,
            Bars::Stored(stored) => stored.judge.gaps(),
        }
    }
}

impl Iterator for BarStream {
    type Item = Result<Bar, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.bars {
            Bars::Whole { bars, .. } => bars.next().map(Ok),
            Bars::Live(live) => live.next(),
            Bars::Stored(stored) => stored.next(),
        }
    }
}

impl Stored {
    fn next(&mut self) -> Option<Result<Bar, ImportError>> {
        let bar = self.bars.next()?.map_err(|error| read::of_catalog(&self.path, &error));
        if let Ok(bar) = &bar {
            self.judge.see(bar);
        }
        Some(bar)
    }
}

impl Live {
    fn next(&mut self) -> Option<Result<Bar, ImportError>> {
        if self.over {
            return None;
        }
        let found = self.step();
        self.over = !matches!(found, Some(Ok(_)));
        if found.is_none() {
            match std::mem::take(&mut self.hash).end() {
                Ok(sha256) => self.sha256 = sha256,
                Err(error) => return Some(Err(error)),
            }
        }
        found
    }

    fn step(&mut self) -> Option<Result<Bar, ImportError>> {
        loop {
            let row = match self.rows.next_row(&mut self.log) {
                Err(error) => return Some(Err(error)),
                Ok(row) => row,
            };
            let bar = row.and_then(|row| {
                if !build::judge_volume(&row, self.gives_volume, &self.shape, &mut self.log) {
                    return None;
                }
                let names = &self.shape.names;
                build::bar(&row, self.decimals, self.interval, self.shift, &self.options, names, &mut self.log)
                    .filter(|bar| self.checker.admits(&row, bar, &mut self.log))
            });
            if self.log.count_of(Severity::Error) > 0 && self.options.on_defect == OnDefect::Refuse {
                return ImportError::defective(&self.path, &self.log, self.rows.rows(), false).map(Err);
            }
            match (row, bar) {
                (_, Some(bar)) => return Some(Ok(bar)),
                (None, None) => return None,
                (Some(_), None) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalog, read_bars};
    use tradewind_domain::Coded;

    #[test]
    fn a_file_that_is_replaced_between_the_two_readings_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(folder.path()).unwrap();
        let table = folder.path().join("BTC_USDT-1h.csv");
        let store = |price: &str| {
            let rows = [0, 1].map(|hour| format!("2024-01-01 0{hour}:00,{price},{price},{price},{price},1\n"));
            std::fs::write(&table, format!("time,open,high,low,close,volume\n{}", rows.concat())).unwrap();
            catalog.store(&read_bars(&table, &ImportOptions::default()).unwrap()).unwrap()
        };
        let path = store("10.5");
        let opened = || BarFile::open(&path).unwrap();
        assert_eq!(stored(&path, opened()).unwrap().map(Result::unwrap).count(), 2);
        let before = opened();
        store("10.25"); // of two decimals
        assert_eq!(stored(&path, before).err().map(|error| error.code()), Some("HIS-30"));
    }
}
