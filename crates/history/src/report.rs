//! All that is wrong with a file, for `tradewind data check`.

use crate::table_file::TableFile;
use crate::{
    Content, Defects, GapKind, ImportError, ImportOptions, OnDefect, Series, Severity, SourceInfo, Unlisted, names,
    read_series,
};
use serde::Serialize;
use std::path::Path;
use tradewind_domain::{Interval, Timestamp};

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
    /// Open time of the first bar, or the earliest time of anything else, RFC 3339.
    pub first: Option<String>,
    /// Open time of the last bar, or the latest time of anything else, RFC 3339.
    pub last: Option<String>,
    /// Each series that the file holds: one, but for raw messages of several kinds.
    pub parts: Vec<Part>,
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
    /// The first [`Defects::LISTED`] defects of each code, in the order of rows.
    pub defects: Defects,
    /// How many more there are of each code.
    pub unlisted: Vec<Unlisted>,
}

/// One series of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it holds.
    pub content: Content,
    /// How many of that would be used.
    pub used: u64,
    /// The earliest time, RFC 3339.
    pub first: Option<String>,
    /// The latest time, RFC 3339.
    pub last: Option<String>,
    /// How its times are written, and whose clock they show.
    pub time_format: String,
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

    /// Adds what was found wrong when the series were put to use, such as by playing a book.
    pub fn add(&mut self, defects: Defects) {
        self.defects.append(defects);
        self.errors = self.defects.count_of(Severity::Error);
        self.warnings = self.defects.count_of(Severity::Warning);
        self.notes = self.defects.count_of(Severity::Note);
        self.unlisted = self.defects.unlisted();
    }

    fn new(path: &Path, content: Content, defects: Defects) -> Self {
        let mut report = Self {
            file: path.display().to_string(),
            content,
            rows: 0,
            used: 0,
            interval: None,
            first: None,
            last: None,
            parts: Vec::new(),
            source: None,
            errors: 0,
            warnings: 0,
            notes: 0,
            gaps_missing: 0,
            gaps_closed: 0,
            defects: Defects::default(),
            unlisted: Vec::new(),
        };
        report.add(defects);
        report
    }

    fn of_series(path: &Path, series: &[Series]) -> Self {
        let content = match series {
            [one] => one.content(),
            _ => Content::Messages,
        };
        let mut defects = Defects::default();
        series.iter().for_each(|it| defects.append(it.defects().clone()));
        let spans = || series.iter().filter_map(Series::span);
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let mut report = Self {
            rows: series.iter().map(|it| it.source().rows).max().unwrap_or(0),
            used: series.iter().map(Series::count).sum(),
            first: text(spans().map(|(first, _)| first).min()),
            last: text(spans().map(|(_, last)| last).max()),
            parts: series.iter().map(part).collect(),
            source: series.first().map(|it| it.source().clone()),
            ..Self::new(path, content, defects)
        };
        if let [Series::Bars(bars)] = series {
            let gaps = |kind| bars.gaps.iter().filter(|gap| gap.kind == kind).count() as u64;
            report.interval = Some(bars.interval);
            (report.gaps_missing, report.gaps_closed) = (gaps(GapKind::Missing), gaps(GapKind::Closed));
        }
        report
    }
}

fn part(series: &Series) -> Part {
    let text = |time: Timestamp| time.to_string();
    let (first, last) = series.span().map_or((None, None), |(first, last)| (Some(text(first)), Some(text(last))));
    Part {
        content: series.content(),
        used: series.count(),
        first,
        last,
        time_format: series.source().time_format.clone(),
    }
}

/// Reads the whole file, be it of bars, trades, quotes, depth, orders or funding rates, and lists all that is wrong with it.
/// Never fails: a file that cannot be read is a report with that one error.
#[must_use]
pub fn check_file(path: &Path, options: &ImportOptions) -> CheckReport {
    check_series(path, options).0
}

/// As [`check_file`], with the series that were read, for those who look further.
#[must_use]
pub fn check_series(path: &Path, options: &ImportOptions) -> (CheckReport, Vec<Series>) {
    let symbol = options.symbol.clone().or_else(|| names::symbol_of(path));
    let any = || "FILE/UNIT".parse().ok(); // a symbol is not part of the report
    let symbol = if is_ours(path) { options.symbol.clone() } else { symbol.or_else(any) };
    let options = ImportOptions { symbol, on_defect: OnDefect::Report, ..options.clone() };
    match read_series(path, &options) {
        Ok(series) => (CheckReport::of_series(path, &series), series),
        // bars without a sound row show no interval and make no series; ticks do
        Err(ImportError::Defective { rows, defects, .. }) => {
            (CheckReport { rows, ..CheckReport::new(path, Content::Bars, *defects) }, Vec::new())
        }
        Err(error) => {
            let defects = [error.as_defect()].into_iter().collect();
            (CheckReport::new(path, Content::Unknown, defects), Vec::new())
        }
    }
}

/// Whether the file is one of a catalog, which knows its symbol.
fn is_ours(path: &Path) -> bool {
    matches!(TableFile::open_ours(path), Ok(Some(_)))
}
