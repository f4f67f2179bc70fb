//! Ticks as columns of whole numbers: how the catalog keeps trades, quotes, depth and orders.

use crate::catalog::CatalogError;
use crate::container::{self, Kind};
use crate::defects::Defects;
use crate::depth::{self, Ids, RawLevel, RawUpdate};
use crate::moment::Stamp;
use crate::number::Number;
use crate::orders::{self, RawEvent};
use crate::quotes::{self, RawQuote};
use crate::rows::Shape;
use crate::table_file::TableFile;
use crate::trades::{self, RawTrade};
use crate::{
    Content, DepthSeries, DepthUpdate, Format, ImportError, ImportOptions, OnDefect, OrderAction, OrderSeries,
    QuoteSeries, SourceInfo, TickSet, TradeSeries, VolumeKind, read, ticks,
};
use std::ops::Range;
use std::path::Path;
use tradewind_domain::{Coded, InstrumentSpec, Side, Timestamp, TradeId};

/// Stands for an id that the venue did not give.
const NO_ID: i64 = -1;
/// Stands for the side of an update that changes no level.
const NO_SIDE: i64 = 2;

/// A series of ticks that a catalog keeps.
pub(crate) trait TickTable: Sized {
    const CONTENT: Content;
    /// Names of the columns; the first is the time in nanoseconds.
    const COLUMNS: &'static [&'static str];

    fn instrument(&self) -> &InstrumentSpec;
    fn source(&self) -> &SourceInfo;
    fn put_source(&mut self, source: SourceInfo);
    fn defects(&self) -> &Defects;
    fn count(&self) -> u64;
    /// The earliest and the latest time.
    fn span(&self) -> Option<(Timestamp, Timestamp)>;
    /// All columns, in the order of [`Self::COLUMNS`].
    fn columns(&self) -> Vec<Vec<i64>>;
    /// The first of those columns alone.
    fn times(&self) -> Vec<i64>;
    /// The series of such columns, judged anew; `None` if they mean nothing.
    fn of_rows(rows: &Rows<'_>, options: &ImportOptions) -> Option<Result<Self, ImportError>>;
}

/// Columns that were read, and what is known of them.
pub(crate) struct Rows<'a> {
    path: &'a Path,
    columns: &'a [Vec<i64>],
    /// Decimals of prices and of sizes.
    decimals: (u8, u8),
    has_sizes: bool,
}

impl Rows<'_> {
    fn count(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }
    fn whole(&self, column: usize, row: usize) -> i64 {
        self.columns[column][row]
    }
    fn stamp(&self, row: usize) -> Stamp {
        Stamp { utc: self.columns[0][row], offset: 0 }
    }
    fn price(&self, column: usize, row: usize) -> Number {
        Number::new(self.columns[column][row], self.decimals.0)
    }
    fn size(&self, column: usize, row: usize) -> Number {
        Number::new(self.columns[column][row], self.decimals.1)
    }
    fn side(&self, column: usize, row: usize) -> Option<Side> {
        match self.columns[column][row] {
            0 => Some(Side::Buy),
            1 => Some(Side::Sell),
            _ => None,
        }
    }
    #[allow(clippy::cast_sign_loss)] // the bits are meant
    fn wide(&self, column: usize, row: usize) -> u128 {
        u128::from(self.columns[column][row] as u64) << 64 | u128::from(self.columns[column + 1][row] as u64)
    }
    #[allow(clippy::cast_sign_loss)] // the bits are meant
    fn id(&self, column: usize, row: usize) -> Option<u64> {
        Some(self.columns[column][row]).filter(|id| *id != NO_ID).map(|id| id as u64)
    }
    fn shape(&self) -> Shape {
        let mut shape = ticks::shape(Format::Parquet, None, &[], "Unix nanoseconds");
        shape.has_volume = self.has_sizes;
        shape
    }
}

/// The high and the low half of a wide id.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // the bits are meant
const fn halves(id: u128) -> [i64; 2] {
    [(id >> 64) as i64, id as i64]
}

#[allow(clippy::cast_possible_wrap)] // the bits are meant
fn id_or_none(id: Option<u64>) -> i64 {
    id.map_or(NO_ID, |id| id as i64)
}

/// Turns rows into columns.
fn transposed<const N: usize>(rows: impl Iterator<Item = [i64; N]>) -> Vec<Vec<i64>> {
    let mut columns = vec![Vec::new(); N];
    for row in rows {
        columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
    }
    columns
}

fn number_of(row: usize) -> u64 {
    row as u64 + 1
}

/// The whole of a file of ours that holds such a series; `None` for any other file.
///
/// Numbers come at the decimals of `options`, if it gives an instrument.
pub(crate) fn read_file<S: TickTable>(path: &Path, options: &ImportOptions) -> Result<Option<S>, ImportError> {
    if !matches!(container::open(path)?, (_, Kind::Parquet)) {
        return Ok(None);
    }
    let unfit = |error: CatalogError| ImportError::unfit(error.code(), path, error.to_string());
    let Some(table) = TableFile::open_ours(path).map_err(unfit)?.filter(|table| table.content == S::CONTENT) else {
        return Ok(None);
    };
    let always = Timestamp::from_nanos(i64::MIN)..Timestamp::from_nanos(i64::MAX);
    let series: S = series_of(table, path, &always, options).map_err(unfit)?;
    read::must_be_of(path, series.instrument(), options)?;
    if options.on_defect == OnDefect::Refuse {
        ImportError::refuse(path, series.defects(), series.source().rows)?;
    }
    Ok(Some(series))
}

/// The series of a catalog file whose times lie in `span`.
pub(crate) fn series_of<S: TickTable>(
    table: TableFile,
    path: &Path,
    span: &Range<Timestamp>,
    options: &ImportOptions,
) -> Result<S, CatalogError> {
    let set: TickSet = table.about()?;
    table.must_have(S::COLUMNS, S::CONTENT.name())?;
    let columns = table.columns(span, &set.digest)?;
    let instrument = options.instrument.clone().unwrap_or_else(|| set.instrument.clone());
    let given = ImportOptions { instrument: Some(instrument), on_defect: OnDefect::Report, ..options.clone() };
    let decimals = (set.instrument.price_decimals, set.instrument.quantity_decimals);
    let has_sizes = set.source.volume == VolumeKind::Given;
    let rows = Rows { path, columns: &columns, decimals, has_sizes };
    let series = S::of_rows(&rows, &given).ok_or_else(|| CatalogError::damaged(path, "its values mean nothing"))?;
    let mut series = series.map_err(|error| CatalogError::damaged(path, error))?;
    series.put_source(set.source);
    Ok(series)
}

impl TickTable for TradeSeries {
    const CONTENT: Content = Content::Trades;
    const COLUMNS: &'static [&'static str] = &["time", "price", "quantity", "aggressor", "id_high", "id_low"];

    fn instrument(&self) -> &InstrumentSpec {
        &self.instrument
    }
    fn source(&self) -> &SourceInfo {
        &self.source
    }
    fn put_source(&mut self, source: SourceInfo) {
        self.source = source;
    }
    fn defects(&self) -> &Defects {
        &self.defects
    }
    fn count(&self) -> u64 {
        self.trades.len() as u64
    }
    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.trades.first()?.0, self.trades.last()?.0))
    }
    fn columns(&self) -> Vec<Vec<i64>> {
        transposed(self.trades.iter().map(|(time, trade)| {
            let [high, low] = halves(trade.id.0);
            let (price, quantity) = (trade.price.mantissa(), trade.quantity.mantissa());
            [time.nanos(), price, quantity, trade.aggressor as i64, high, low]
        }))
    }
    fn times(&self) -> Vec<i64> {
        self.trades.iter().map(|(time, _)| time.nanos()).collect()
    }
    fn of_rows(rows: &Rows<'_>, options: &ImportOptions) -> Option<Result<Self, ImportError>> {
        let trade = |row: usize| {
            let (side, id) = (rows.side(3, row)?, TradeId(rows.wide(4, row)));
            let (price, quantity) = (rows.price(1, row), rows.size(2, row));
            Some(RawTrade { row: number_of(row), stamp: rows.stamp(row), id, side, price, quantity })
        };
        let raw = (0..rows.count()).map(trade).collect::<Option<Vec<_>>>()?;
        let titles = ["time", "id", "aggressor", "price", "quantity"].map(str::to_owned);
        let found = trades::Found { rows: raw.len() as u64, raw, titles, shape: rows.shape() };
        Some(trades::series(rows.path, found, Defects::default(), options))
    }
}

impl TickTable for QuoteSeries {
    const CONTENT: Content = Content::Quotes;
    const COLUMNS: &'static [&'static str] = &["time", "bid", "ask", "bid_size", "ask_size"];

    fn instrument(&self) -> &InstrumentSpec {
        &self.instrument
    }
    fn source(&self) -> &SourceInfo {
        &self.source
    }
    fn put_source(&mut self, source: SourceInfo) {
        self.source = source;
    }
    fn defects(&self) -> &Defects {
        &self.defects
    }
    fn count(&self) -> u64 {
        self.quotes.len() as u64
    }
    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.quotes.first()?.0, self.quotes.last()?.0))
    }
    fn columns(&self) -> Vec<Vec<i64>> {
        transposed(self.quotes.iter().map(|(time, it)| {
            let (bid, ask) = (it.bid.mantissa(), it.ask.mantissa());
            [time.nanos(), bid, ask, it.bid_size.mantissa(), it.ask_size.mantissa()]
        }))
    }
    fn times(&self) -> Vec<i64> {
        self.quotes.iter().map(|(time, _)| time.nanos()).collect()
    }
    fn of_rows(rows: &Rows<'_>, options: &ImportOptions) -> Option<Result<Self, ImportError>> {
        let quote = |row: usize| RawQuote {
            row: number_of(row),
            stamp: rows.stamp(row),
            prices: [rows.price(1, row), rows.price(2, row)],
            sizes: rows.has_sizes.then(|| [rows.size(3, row), rows.size(4, row)]),
        };
        let raw: Vec<RawQuote> = (0..rows.count()).map(quote).collect();
        let titles = ["bid", "ask", "bid_size", "ask_size"].map(str::to_owned);
        let found = quotes::Found { rows: raw.len() as u64, raw, titles, shape: rows.shape() };
        Some(quotes::series(rows.path, found, Defects::default(), options))
    }
}

impl TickTable for DepthSeries {
    const CONTENT: Content = Content::Depth;
    /// One row a level; an update without levels has one row without a side.
    const COLUMNS: &'static [&'static str] =
        &["time", "update", "snapshot", "first_id", "last_id", "previous_id", "side", "price", "size"];

    fn instrument(&self) -> &InstrumentSpec {
        &self.instrument
    }
    fn source(&self) -> &SourceInfo {
        &self.source
    }
    fn put_source(&mut self, source: SourceInfo) {
        self.source = source;
    }
    fn defects(&self) -> &Defects {
        &self.defects
    }
    fn count(&self) -> u64 {
        self.updates.len() as u64
    }
    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let times = || self.updates.iter().map(|update| update.time);
        Some((times().min()?, times().max()?))
    }
    fn columns(&self) -> Vec<Vec<i64>> {
        let rows = (0_i64..).zip(&self.updates).flat_map(|(number, update)| {
            let [first, last, previous] = [update.first_id, update.last_id, update.previous_id].map(id_or_none);
            let head = [update.time.nanos(), number, i64::from(update.snapshot), first, last, previous];
            let row = move |level: [i64; 3]| {
                let [time, number, snapshot, first, last, previous] = head;
                let [side, price, size] = level;
                [time, number, snapshot, first, last, previous, side, price, size]
            };
            let nothing = update.levels.is_empty().then(|| row([NO_SIDE, 0, 0]));
            let levels = update.levels.iter();
            let levels = levels.map(move |it| row([it.side as i64, it.price.mantissa(), it.size.mantissa()]));
            nothing.into_iter().chain(levels)
        });
        transposed(rows)
    }
    fn times(&self) -> Vec<i64> {
        let rows = |update: &DepthUpdate| std::iter::repeat_n(update.time.nanos(), update.levels.len().max(1));
        self.updates.iter().flat_map(rows).collect()
    }
    fn of_rows(rows: &Rows<'_>, options: &ImportOptions) -> Option<Result<Self, ImportError>> {
        let mut raw: Vec<RawUpdate> = Vec::new();
        for row in 0..rows.count() {
            if row == 0 || rows.whole(1, row) != rows.whole(1, row - 1) {
                let ids = Ids { first: rows.id(3, row), last: rows.id(4, row), previous: rows.id(5, row) };
                let (stamp, snapshot) = (rows.stamp(row), rows.whole(2, row) != 0);
                raw.push(RawUpdate { row: number_of(raw.len()), stamp, snapshot, ids, levels: Vec::new() });
            }
            let update = raw.last_mut()?;
            if rows.whole(6, row) != NO_SIDE {
                let (side, price, size) = (rows.side(6, row)?, rows.price(7, row), rows.size(8, row));
                update.levels.push(RawLevel { row: update.row, side, price, size });
            }
        }
        let titles = ["price", "size"].map(str::to_owned);
        let found = depth::Found { rows: raw.len() as u64, raw, titles, shape: rows.shape(), asked: false, kept: true };
        Some(depth::series(rows.path, found, Defects::default(), options))
    }
}

impl TickTable for OrderSeries {
    const CONTENT: Content = Content::Orders;
    const COLUMNS: &'static [&'static str] = &["time", "id_high", "id_low", "action", "side", "price", "size"];

    fn instrument(&self) -> &InstrumentSpec {
        &self.instrument
    }
    fn source(&self) -> &SourceInfo {
        &self.source
    }
    fn put_source(&mut self, source: SourceInfo) {
        self.source = source;
    }
    fn defects(&self) -> &Defects {
        &self.defects
    }
    fn count(&self) -> u64 {
        self.events.len() as u64
    }
    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        let times = || self.events.iter().map(|(time, _)| *time);
        Some((times().min()?, times().max()?))
    }
    fn columns(&self) -> Vec<Vec<i64>> {
        transposed(self.events.iter().map(|(time, event)| {
            let [high, low] = halves(event.id);
            let action = match event.action {
                OrderAction::Added => 0,
                OrderAction::Changed => 1,
                OrderAction::Deleted => 2,
            };
            let (price, size) = (event.price.mantissa(), event.size.mantissa());
            [time.nanos(), high, low, action, event.side as i64, price, size]
        }))
    }
    fn times(&self) -> Vec<i64> {
        self.events.iter().map(|(time, _)| time.nanos()).collect()
    }
    fn of_rows(rows: &Rows<'_>, options: &ImportOptions) -> Option<Result<Self, ImportError>> {
        let event = |row: usize| {
            let action = match rows.whole(3, row) {
                0 => OrderAction::Added,
                1 => OrderAction::Changed,
                2 => OrderAction::Deleted,
                _ => return None,
            };
            let (side, price, size) = (rows.side(4, row)?, rows.price(5, row), rows.size(6, row));
            let (stamp, id) = (rows.stamp(row), rows.wide(1, row));
            Some(RawEvent { row: number_of(row), stamp, placed: None, id, action, side, price, size })
        };
        let raw = (0..rows.count()).map(event).collect::<Option<Vec<_>>>()?;
        let titles = ["id", "action", "side", "price", "size"].map(str::to_owned);
        let found = orders::Found { rows: raw.len() as u64, raw, titles, shape: rows.shape(), kept: true };
        Some(orders::series(rows.path, found, Defects::default(), options))
    }
}
