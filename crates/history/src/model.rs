//! What an import gives: a series of bars, where it came from, and what was wrong with it.

use crate::{Defects, Progress};
use serde::{Deserialize, Serialize};
use tradewind_domain::{Bar, InstrumentId, InstrumentSpec, Interval, Origin, Symbol, Timestamp};

/// Bars of one instrument and interval, ascending in time, none twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BarSeries {
    /// What they are bars of. Decimals are those of the finest number in the file, unless given.
    pub instrument: InstrumentSpec,
    /// How long each is.
    pub interval: Interval,
    /// The bars, mantissas at the instrument's decimals.
    pub bars: Vec<Bar>,
    /// Where they came from.
    pub source: SourceInfo,
    /// What is wrong with the file, in the order of its rows.
    pub defects: Defects,
    /// Every hole between two bars, whether a defect or a closed market.
    pub gaps: Vec<Gap>,
}

/// A hole between two bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Open time of the last bar before it.
    pub after: Timestamp,
    /// Open time of the first bar behind it.
    pub until: Timestamp,
    /// How many bars are missing: of a market whose hours are known those of its sessions. In a hole of a closed market, how
    /// many would fit.
    pub bars: u64,
    /// Data row of the first bar behind it, as in the file.
    pub row: u64,
    /// Whether the market was simply shut.
    pub kind: GapKind,
}

/// Why bars are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GapKind {
    /// The market was open for a part of it: a defect (HIS-14).
    Missing,
    /// The market's calendar ([`crate::hours_of`]) has no session in it: night, weekend or holiday.
    ///
    /// Where nothing tells the hours, and of shares of New York before 1998: the hole crosses a day's end of a market that
    /// never trades on Saturdays, and is shorter than eleven days. A lost day cannot be told from a holiday there.
    Closed,
    /// Nothing was traded in it: bars that were made from trades.
    Quiet,
}

/// Which end of a bar the file's times name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StampEnd {
    /// The moment it began.
    #[default]
    Open,
    /// The moment it ended, exclusive.
    Close,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Delimited text.
    Csv,
    /// Delimited text, compressed with gzip.
    CsvGz,
    /// Delimited text, compressed with xz.
    CsvXz,
    /// Delimited text in a zip archive.
    CsvZip,
    /// Arrow IPC file, also called Feather v2.
    Feather,
    /// Parquet.
    Parquet,
    /// A JSON array of arrays, plain or compressed with gzip.
    Json,
    /// Messages of a venue as JSON, one a line, plain or compressed.
    JsonLines,
    /// Raw messages of a venue, one a line behind their receive time, plain or compressed with gzip.
    Messages,
}

impl Format {
    /// Its name in one word, as JSON has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::CsvGz => "csv-gz",
            Self::CsvXz => "csv-xz",
            Self::CsvZip => "csv-zip",
            Self::Feather => "feather",
            Self::Parquet => "parquet",
            Self::Json => "json",
            Self::JsonLines => "json-lines",
            Self::Messages => "messages",
        }
    }
}

/// Which prices of a file with bid and ask bars are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuoteSide {
    /// Half of bid plus ask, exactly (one more decimal than either). Its high and low are those of the halves'
    /// extremes, which need not have been at the same moment.
    #[default]
    Mid,
    /// The bid.
    Bid,
    /// The ask.
    Ask,
}

/// What the volume of bars is, or the size of quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VolumeKind {
    /// As the file gives it.
    Given,
    /// The file gives none; every bar or quote reads 0, which means unknown.
    Absent,
}

/// Where a series came from, and how it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceInfo {
    /// The file, as it was named by the caller.
    pub path: String,
    /// How it is written.
    pub format: Format,
    /// The file inside an archive.
    pub member: Option<String>,
    /// SHA-256 of the file, lowercase hex; `None` when it was not asked for.
    pub sha256: Option<String>,
    /// Data rows in the file.
    pub rows: u64,
    /// Which end of a bar the file's times name. Bars always carry their open time.
    pub stamp: StampEnd,
    /// Whether a market made it or a simulation.
    pub origin: Origin,
    /// What each used column was taken for: `time=date`, `open=open` …
    pub columns: Vec<String>,
    /// How times were written, such as `Unix milliseconds`.
    pub time_format: String,
    /// The zone in which times without an offset were read, an IANA name.
    pub zone: String,
    /// Whether the file was newest first and its rows were turned round.
    pub newest_first: bool,
    /// Whether bars of a day or longer were stamped with local midnights; they are kept as their date at 00:00 UTC.
    pub dates: bool,
    /// Which side was taken, for a file with bid and ask bars.
    pub quote_side: Option<QuoteSide>,
    /// What the volume is.
    pub volume: VolumeKind,
    /// What was done to the series after it was read: `resampled from 1m`, `adjusted for splits and dividends`.
    pub steps: Vec<String>,
}

/// Stands for the title of a column in a file without a header.
pub(crate) const BY_POSITION: &str = "by position";

impl SourceInfo {
    /// What the columns of a file without a header were taken for, in their order; `None` for a file that names them.
    #[must_use]
    pub fn assumed(&self) -> Option<String> {
        let pairs = self.columns.iter().filter_map(|column| column.split_once('='));
        let assumed: Vec<&str> = pairs.filter(|(_, title)| *title == BY_POSITION).map(|(plain, _)| plain).collect();
        (!assumed.is_empty()).then(|| assumed.join(", "))
    }

    /// Whether it says how much was traded. Bars of bid or ask count quotes at best.
    #[must_use]
    pub fn has_volume(&self) -> bool {
        self.volume == VolumeKind::Given && self.quote_side.is_none()
    }
}

/// What to do when a file has errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDefect {
    /// Fail, naming the first error. Warnings and notes do not fail.
    #[default]
    Refuse,
    /// Go on and list all. Rows for which nothing can stand are left out and say so.
    Report,
}

/// What the caller knows of a file, and wants of it.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The instrument; its decimals are then fixed. `None` builds one from the file's name and numbers.
    pub instrument: Option<InstrumentSpec>,
    /// The symbol, where `instrument` is not given and the file's name does not tell.
    pub symbol: Option<Symbol>,
    /// The venue, likewise.
    pub venue: Option<String>,
    /// The id that the bars carry.
    pub id: InstrumentId,
    /// The interval, where the times do not tell.
    pub interval: Option<Interval>,
    /// Decimals of prices; a finer number is then an error. `None` takes those of the finest number.
    pub price_decimals: Option<u8>,
    /// Decimals of volumes, likewise.
    pub quantity_decimals: Option<u8>,
    /// Whole-number prices are this many decimals too large: 4 for LEAN equities. `None` recognises those.
    pub price_scale: Option<u8>,
    /// Which end of a bar the times name.
    pub stamp: StampEnd,
    /// The zone of times without an offset, an IANA name. `None` is UTC, and New York for LEAN equities.
    pub zone: Option<String>,
    /// Which side of bid and ask bars.
    pub quote_side: QuoteSide,
    /// What to do about errors.
    pub on_defect: OnDefect,
    /// Whether the data were made by a market. Files of simulated data must say so here, or in their name.
    pub origin: Origin,
    /// Whether to take the file's SHA-256.
    pub hash: bool,
    /// Who is told how far the reading is.
    pub progress: Progress,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            instrument: None,
            symbol: None,
            venue: None,
            id: InstrumentId(0),
            interval: None,
            price_decimals: None,
            quantity_decimals: None,
            price_scale: None,
            stamp: StampEnd::Open,
            zone: None,
            quote_side: QuoteSide::Mid,
            on_defect: OnDefect::Refuse,
            origin: Origin::Recorded,
            hash: true,
            progress: Progress::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_has_one_name() {
        for format in [
            Format::Csv,
            Format::CsvGz,
            Format::CsvXz,
            Format::CsvZip,
            Format::Feather,
            Format::Parquet,
            Format::Json,
            Format::JsonLines,
            Format::Messages,
        ] {
            assert_eq!(serde_json::to_value(format).unwrap(), format.name());
        }
    }
}
