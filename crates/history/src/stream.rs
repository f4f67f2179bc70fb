//! Bars one at a time, in memory that does not grow with their number.

use crate::build::{self, Finest};
use crate::defect::{Defect, DefectLog};
use crate::rows::{RawRow, RowSource, Shape};
use crate::validate::Checker;
use crate::{Gap, ImportError, ImportOptions, OnDefect, Severity, SourceInfo, StampEnd, read};
use std::path::{Path, PathBuf};
use tradewind_domain::{Bar, InstrumentSpec, Interval};

/// Rows that are looked at before the first bar comes out.
const PROBE: usize = 2_048;

/// A stream of bars from a file: see [`stream_bars`].
pub struct BarStream {
    instrument: InstrumentSpec,
    interval: Interval,
    source: SourceInfo,
    bars: Bars,
}

enum Bars {
    Whole { bars: std::vec::IntoIter<Bar>, defects: Vec<Defect>, gaps: Vec<Gap> },
    Live(Box<Live>),
}

struct Live {
    path: PathBuf,
    rows: Box<dyn RowSource>,
    shape: Shape,
    checker: Checker,
    log: DefectLog,
    options: ImportOptions,
    interval: Interval,
    decimals: (u8, u8),
    shift: i64,
    over: bool,
}

/// Reads the bars of a file one at a time; the same bars as [`crate::read_bars`] gives, in flat memory for CSV, CSV.gz,
/// Feather and Parquet of bars shorter than a day in order of time.
///
/// Unless the options fix the decimals of prices and volumes (or the instrument), the file is read once beforehand to
/// find them and to see whether the market closes; with them fixed, closing is judged by the first 2,048 rows. Archives,
/// newest-first files and daily bars are small: they are read whole.
///
/// # Errors
/// As [`crate::read_bars`]; errors of rows come out of the iterator when it reaches them, and end it.
pub fn stream_bars(path: &Path, options: &ImportOptions) -> Result<BarStream, ImportError> {
    if let Some(series) = read::catalog_file(path, options)? {
        return Ok(of_series(series));
    }
    let mut rows = read::open_rows(path, options)?;
    let mut log = DefectLog::default();
    let mut probe = Vec::with_capacity(PROBE);
    while probe.len() < PROBE {
        let Some(row) = rows.next_row(&mut log)? else { break };
        probe.push(row);
    }
    let shape = rows.shape().clone();
    if probe.len() < 3 || shape.lean || shape.member.is_some() || options.price_scale.is_some() || falls(&probe) {
        return whole(path, options);
    }
    let interval = build::interval_of(path, &probe, options)?;
    if interval >= Interval::DAY {
        return whole(path, options);
    }
    build::refuse_funding(path, &probe)?;
    let mut finest = Finest::default();
    let fixed = options.instrument.is_some() || options.price_decimals.is_some() && options.quantity_decimals.is_some();
    let mut stamps: Vec<_> = probe.iter().map(|row| row.stamp).collect();
    if !fixed {
        probe.iter().for_each(|row| finest.see(row));
        let mut day = i64::MIN;
        while let Some(row) = rows.next_row(&mut log)? {
            finest.see(&row);
            if row.stamp.local().div_euclid(86_400_000_000_000) != day {
                day = row.stamp.local().div_euclid(86_400_000_000_000);
                stamps.push(row.stamp);
            }
        }
    }
    let decimals = finest.given(options);
    let mut checker = Checker::new(interval, shape.names.clone(), decimals);
    checker.learn_sessions(stamps.into_iter());
    let instrument = build::instrument(path, None, options, false, decimals)?;
    let rows = read::open_rows(path, options)?; // from the first row again
    let sha256 = if options.hash { Some(read::sha256(path, &options.progress)?) } else { None };
    let live = Live {
        path: path.to_owned(),
        rows,
        checker,
        log: DefectLog::default(),
        options: options.clone(),
        interval,
        decimals,
        shift: if options.stamp == StampEnd::Close { -interval.nanos() } else { 0 },
        over: false,
        shape,
    };
    let source = build::info(path, &live.shape, 0, sha256, options);
    Ok(BarStream { instrument, interval, source, bars: Bars::Live(Box::new(live)) })
}

fn falls(probe: &[RawRow]) -> bool {
    probe.windows(2).any(|pair| pair[1].stamp.utc < pair[0].stamp.utc)
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
    /// Where they come from; `rows` counts those read so far.
    #[must_use]
    pub fn source(&self) -> SourceInfo {
        let mut source = self.source.clone();
        if let Bars::Live(live) = &self.bars {
            source.rows = live.rows.rows();
        }
        source
    }
    /// What was wrong with the rows so far.
    #[must_use]
    pub fn defects(&self) -> &[Defect] {
        match &self.bars {
            Bars::Whole { defects, .. } => defects,
            Bars::Live(live) => &live.log.list,
        }
    }
    /// The holes so far.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        match &self.bars {
            Bars::Whole { gaps, .. } => gaps,
            Bars::Live(live) => &live.checker.gaps,
        }
    }
}

impl Iterator for BarStream {
    type Item = Result<Bar, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.bars {
            Bars::Whole { bars, .. } => bars.next().map(Ok),
            Bars::Live(live) => live.next(),
        }
    }
}

impl Live {
    fn next(&mut self) -> Option<Result<Bar, ImportError>> {
        if self.over {
            return None;
        }
        let found = self.step();
        self.over = !matches!(found, Some(Ok(_)));
        found
    }

    fn step(&mut self) -> Option<Result<Bar, ImportError>> {
        loop {
            let row = match self.rows.next_row(&mut self.log) {
                Err(error) => return Some(Err(error)),
                Ok(row) => row,
            };
            let bar = row.and_then(|row| {
                let names = &self.shape.names;
                build::bar(&row, self.decimals, self.interval, self.shift, &self.options, names, &mut self.log)
                    .filter(|bar| self.checker.admits(&row, bar, &mut self.log))
            });
            if self.log.errors > 0 && self.options.on_defect == OnDefect::Refuse {
                let first = self.log.list.iter().find(|defect| defect.severity == Severity::Error)?;
                let (path, first) = (self.path.clone(), Box::new(first.clone()));
                return Some(Err(ImportError::Defective { path, first, errors: 1 }));
            }
            match (row, bar) {
                (_, Some(bar)) => return Some(Ok(bar)),
                (None, None) => return None,
                (Some(_), None) => {}
            }
        }
    }
}
