//! All that is wrong with a file, for `tradewind data check`.

use crate::build::moment;
use crate::{
    Defect, GapKind, ImportError, ImportOptions, OnDefect, Severity, SourceInfo, names, read_bars, read_funding,
    read_trades,
};
use serde::Serialize;
use std::path::Path;
use tradewind_domain::{Coded, Interval, Timestamp};

/// What a file was found to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Open, high, low, close, volume.
    Bars,
    /// Public trades.
    Trades,
    /// Funding rates.
    Funding,
    /// Nothing that can be read.
    Unknown,
}

/// All that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// The file, as it was named by the caller.
    pub file: String,
    /// What it holds.
    pub content: Content,
    /// Data rows in the file.
    pub rows: u64,
    /// Rows that would be used.
    pub used: u64,
    /// How long each bar is.
    pub interval: Option<Interval>,
    /// Open time of the first bar, RFC 3339.
    pub first: Option<String>,
    /// Open time of the last bar, RFC 3339.
    pub last: Option<String>,
    /// How it was read.
    pub source: Option<SourceInfo>,
    /// Number of defects that are errors.
    pub errors: u64,
    /// Number of defects that are warnings, gaps among them.
    pub warnings: u64,
    /// Number of notes.
    pub notes: u64,
    /// Holes in the data.
    pub gaps_missing: u64,
    /// Nights, weekends, holidays.
    pub gaps_closed: u64,
    /// Every defect, in the order of rows.
    pub defects: Vec<Defect>,
}

impl CheckReport {
    /// Whether nothing worse than a note was found.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.errors == 0 && self.warnings == 0
    }
    /// The worst severity found.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.defects.iter().map(|defect| defect.severity).max()
    }

    fn new(path: &Path, content: Content, defects: Vec<Defect>) -> Self {
        let count = |severity| defects.iter().filter(|defect| defect.severity == severity).count() as u64;
        Self {
            file: path.display().to_string(),
            content,
            rows: 0,
            used: 0,
            interval: None,
            first: None,
            last: None,
            source: None,
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            notes: count(Severity::Note),
            gaps_missing: 0,
            gaps_closed: 0,
            defects,
        }
    }
}

/// Reads the whole file, be it of bars, trades or funding rates, and lists all that is wrong with it. Never fails: a
/// file that cannot be read is a report with that one error.
#[must_use]
pub fn check_file(path: &Path, options: &ImportOptions) -> CheckReport {
    let symbol = options.symbol.clone().or_else(|| names::symbol_of(path));
    let any = || "FILE/FILE".parse().ok(); // a symbol is not part of the report
    let options = ImportOptions { symbol: symbol.or_else(any), on_defect: OnDefect::Report, ..options.clone() };
    match read_bars(path, &options) {
        Ok(series) => {
            let gaps = |kind| series.gaps.iter().filter(|gap| gap.kind == kind).count() as u64;
            CheckReport {
                rows: series.source.rows,
                used: series.bars.len() as u64,
                interval: Some(series.interval),
                first: series.bars.first().map(|bar| bar.open_time.to_string()),
                last: series.bars.last().map(|bar| bar.open_time.to_string()),
                gaps_missing: gaps(GapKind::Missing),
                gaps_closed: gaps(GapKind::Closed),
                source: Some(series.source),
                ..CheckReport::new(path, Content::Bars, series.defects)
            }
        }
        Err(error) if error.code() == "HIS-27" => check_funding(path, &options),
        Err(error) => check_trades(path, &options, &error),
    }
}

fn check_funding(path: &Path, options: &ImportOptions) -> CheckReport {
    match read_funding(path, options) {
        Err(error) => CheckReport::new(path, Content::Unknown, vec![error.as_defect()]),
        Ok(funding) => CheckReport {
            rows: funding.source.rows,
            used: funding.rates.len() as u64,
            first: funding.rates.first().map(|rate| rate.0.to_string()),
            last: funding.rates.last().map(|rate| rate.0.to_string()),
            source: Some(funding.source),
            ..CheckReport::new(path, Content::Funding, funding.defects)
        },
    }
}

/// Tries trades; if the file holds none either, the fault of reading bars is what is told.
fn check_trades(path: &Path, options: &ImportOptions, bars: &ImportError) -> CheckReport {
    let looks_like_bars = !matches!(bars.code(), "HIS-02" | "HIS-05" | "HIS-10" | "HIS-11");
    let time = |time: Timestamp| moment(crate::moment::Stamp { utc: time.nanos(), offset: 0 });
    match read_trades(path, options) {
        Ok(series) if !looks_like_bars => CheckReport {
            rows: series.source.rows,
            used: series.trades.len() as u64,
            first: series.trades.first().map(|trade| time(trade.0)),
            last: series.trades.last().map(|trade| time(trade.0)),
            source: Some(series.source),
            ..CheckReport::new(path, Content::Trades, series.defects)
        },
        Err(error) if !looks_like_bars && !matches!(error.code(), "HIS-02" | "HIS-05") => {
            CheckReport::new(path, Content::Unknown, vec![error.as_defect()])
        }
        _ => CheckReport::new(path, Content::Unknown, vec![bars.as_defect()]),
    }
}
