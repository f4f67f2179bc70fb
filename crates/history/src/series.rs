//! Whatever a file holds: it is recognised by its columns or messages, never by its name.

use crate::table::Table;
use crate::table_file::TableFile;
use crate::ticks::{self, Opened};
use crate::{
    BarSeries, Defects, DepthSeries, Format, FundingSeries, ImportError, ImportOptions, OrderSeries, Progress,
    QuoteSeries, SourceInfo, TradeSeries, depth_files, depth_messages, orders, quotes, read_bars, read_depth,
    read_funding, read_orders, read_quotes, read_trades, trades,
};
use serde::{Deserialize, Serialize};
use std::path::Path;
use tradewind_domain::{Coded, InstrumentSpec, Timestamp};

/// What a file was found to hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Open, high, low, close, volume.
    #[default]
    Bars,
    /// Public trades.
    Trades,
    /// Best bid and ask.
    Quotes,
    /// Price levels of a book (L2).
    Depth,
    /// Orders of a book (L3).
    Orders,
    /// Funding rates.
    Funding,
    /// A venue's raw messages of several kinds.
    Messages,
    /// Nothing that can be read.
    Unknown,
}

impl Content {
    /// Its name in one word, as JSON has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bars => "bars",
            Self::Trades => "trades",
            Self::Quotes => "quotes",
            Self::Depth => "depth",
            Self::Orders => "orders",
            Self::Funding => "funding",
            Self::Messages => "messages",
            Self::Unknown => "unknown",
        }
    }
}

/// A series of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Series {
    /// Bars.
    Bars(BarSeries),
    /// Funding rates.
    Funding(FundingSeries),
    /// Public trades.
    Trades(TradeSeries),
    /// Best bid and ask.
    Quotes(QuoteSeries),
    /// Price levels of a book.
    Depth(DepthSeries),
    /// Orders of a book.
    Orders(OrderSeries),
}

impl Series {
    /// What it holds.
    #[must_use]
    pub const fn content(&self) -> Content {
        match self {
            Self::Bars(_) => Content::Bars,
            Self::Funding(_) => Content::Funding,
            Self::Trades(_) => Content::Trades,
            Self::Quotes(_) => Content::Quotes,
            Self::Depth(_) => Content::Depth,
            Self::Orders(_) => Content::Orders,
        }
    }

    /// How many bars, rates, trades, quotes, updates of a book or events of orders it holds.
    #[must_use]
    pub fn count(&self) -> u64 {
        let count = match self {
            Self::Bars(series) => series.bars.len(),
            Self::Funding(series) => series.rates.len(),
            Self::Trades(series) => series.trades.len(),
            Self::Quotes(series) => series.quotes.len(),
            Self::Depth(series) => series.updates.len(),
            Self::Orders(series) => series.events.len(),
        };
        count as u64
    }

    /// The earliest and the latest time in it.
    #[must_use]
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        fn ends(mut times: impl Iterator<Item = Timestamp>) -> Option<(Timestamp, Timestamp)> {
            let first = times.next()?;
            Some(times.fold((first, first), |(from, to), time| (from.min(time), to.max(time))))
        }
        match self {
            Self::Bars(series) => ends(series.bars.iter().map(|bar| bar.open_time)),
            Self::Funding(series) => ends(series.rates.iter().map(|(time, _)| *time)),
            Self::Trades(series) => ends(series.trades.iter().map(|(time, _)| *time)),
            Self::Quotes(series) => ends(series.quotes.iter().map(|(time, _)| *time)),
            Self::Depth(series) => ends(series.updates.iter().map(|update| update.time)),
            Self::Orders(series) => ends(series.events.iter().map(|(time, _)| *time)),
        }
    }

    /// What it is of; nobody says of what funding rates are.
    #[must_use]
    pub const fn instrument(&self) -> Option<&InstrumentSpec> {
        match self {
            Self::Bars(series) => Some(&series.instrument),
            Self::Funding(_) => None,
            Self::Trades(series) => Some(&series.instrument),
            Self::Quotes(series) => Some(&series.instrument),
            Self::Depth(series) => Some(&series.instrument),
            Self::Orders(series) => Some(&series.instrument),
        }
    }

    /// Where it came from.
    #[must_use]
    pub const fn source(&self) -> &SourceInfo {
        match self {
            Self::Bars(series) => &series.source,
            Self::Funding(series) => &series.source,
            Self::Trades(series) => &series.source,
            Self::Quotes(series) => &series.source,
            Self::Depth(series) => &series.source,
            Self::Orders(series) => &series.source,
        }
    }

    /// What is wrong with the file.
    #[must_use]
    pub const fn defects(&self) -> &Defects {
        match self {
            Self::Bars(series) => &series.defects,
            Self::Funding(series) => &series.defects,
            Self::Trades(series) => &series.defects,
            Self::Quotes(series) => &series.defects,
            Self::Depth(series) => &series.defects,
            Self::Orders(series) => &series.defects,
        }
    }
}

/// Reads whatever a file holds. Recorded raw messages give a series of each kind that is among them, all else gives one.
///
/// # Errors
/// [`ImportError`], as the reader of what the file holds; for a file that none of them recognises, that of
/// [`read_bars`].
pub fn read_series(path: &Path, options: &ImportOptions) -> Result<Vec<Series>, ImportError> {
    let bars = match read_bars(path, options) {
        Ok(series) => return Ok(vec![Series::Bars(series)]),
        Err(error) if error.code() == "HIS-27" => return Ok(vec![Series::Funding(read_funding(path, options)?)]),
        Err(error) => error,
    };
    if !matches!(bars.code(), "HIS-02" | "HIS-05" | "HIS-10" | "HIS-11" | "HIS-46" | "HIS-50") {
        return Err(bars); // these are bars, and something is wrong with them
    }
    let mut found = Vec::new();
    let mut unread = None;
    for read in TICKS {
        match read(path, options) {
            Ok(series) if series.source().format == Format::Messages => found.push(series),
            Ok(series) => return Ok(vec![series]),
            Err(error) if matches!(error.code(), "HIS-05" | "HIS-46") => {}
            // no message is of this kind, or one column of it cannot be read
            Err(error) if matches!(error.code(), "HIS-06" | "HIS-48") => drop(unread.get_or_insert(error)),
            Err(error) => return Err(error),
        }
    }
    if found.is_empty() { Err(unread.unwrap_or(bars)) } else { Ok(found) }
}

/// What ticks a file holds whose columns are not those of bars, by its first lines or its columns alone; `None` for what no
/// reader of ticks knows.
pub(crate) fn ticks_in(path: &Path, options: &ImportOptions) -> Option<Content> {
    if let Ok(Some(ours)) = TableFile::open_ours(path) {
        return Some(ours.content).filter(|content| *content != Content::Bars);
    }
    let unwatched = ImportOptions { progress: Progress::default(), ..options.clone() };
    let table = match ticks::open(path, &unwatched).ok()? {
        Opened::Messages(..) => return Some(Content::Messages),
        Opened::JsonLines(mut lines, _) => {
            return depth_messages::are_of_book(&lines.peek().ok()?).then_some(Content::Depth);
        }
        Opened::JsonArray(mut lines, _) => return trades::are_in_json(&lines.peek().ok()?).then_some(Content::Trades),
        Opened::Text(lines, packing) => Table::of_text(path, lines, packing).ok()?,
        Opened::Columns(format, schema, batches) => Table::of_columns(path, format, &schema, batches),
    };
    if trades::are_in(&table) {
        Some(Content::Trades)
    } else if quotes::are_in(path, &table) {
        Some(Content::Quotes)
    } else if depth_files::is_in(&table) {
        Some(Content::Depth)
    } else if orders::are_in(&table) {
        Some(Content::Orders)
    } else {
        None
    }
}

/// Reads a file as one kind of series.
type Reader = fn(&Path, &ImportOptions) -> Result<Series, ImportError>;

/// The readers of ticks. What they recognise excludes one another, but for raw messages.
const TICKS: [Reader; 4] = [
    |path, options| read_trades(path, options).map(Series::Trades),
    |path, options| read_quotes(path, options).map(Series::Quotes),
    |path, options| read_depth(path, options).map(Series::Depth),
    |path, options| read_orders(path, options).map(Series::Orders),
];
