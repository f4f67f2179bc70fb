//! The catalog's trades, quotes, depth and orders.

use crate::catalog::{Catalog, CatalogError, Kept, SCHEMA_VERSION, Survey, put, unless_damaged, without_match};
use crate::parquet::BATCH;
use crate::stored::{self, TickTable};
use crate::table_file::{TableFile, write_table};
use crate::{Content, DepthSeries, ImportOptions, OnDefect, OrderSeries, QuoteSeries, Series, SourceInfo, TradeSeries};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::path::PathBuf;
use tradewind_domain::{InstrumentSpec, Symbol, Timestamp};

/// What a catalog file of trades, quotes, depth or orders says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickSet {
    /// The version of this metadata.
    pub schema_version: u32,
    /// Which of them it holds.
    pub content: Content,
    /// What they are of: symbol, venue, decimals.
    pub instrument: InstrumentSpec,
    /// Where they came from.
    pub source: SourceInfo,
    /// Number of trades, quotes, updates of the book or events of orders.
    pub rows: u64,
    /// Time of the earliest.
    pub first: Option<Timestamp>,
    /// Time of the latest.
    pub last: Option<Timestamp>,
    /// As [`crate::Dataset::digest`].
    pub digest: String,
}

impl Catalog {
    /// Stores trades in the place of their venue and symbol, instead of what was there; whole or not at all, as
    /// [`Self::store`].
    ///
    /// # Errors
    /// As [`Self::store`].
    pub fn store_trades(&self, series: &TradeSeries) -> Result<PathBuf, CatalogError> {
        self.store_ticks(series)
    }
    /// Stores quotes, as [`Self::store_trades`].
    ///
    /// # Errors
    /// As [`Self::store`].
    pub fn store_quotes(&self, series: &QuoteSeries) -> Result<PathBuf, CatalogError> {
        self.store_ticks(series)
    }
    /// Stores depth, as [`Self::store_trades`].
    ///
    /// # Errors
    /// As [`Self::store`].
    pub fn store_depth(&self, series: &DepthSeries) -> Result<PathBuf, CatalogError> {
        self.store_ticks(series)
    }
    /// Stores orders, as [`Self::store_trades`]. When they were placed is not kept.
    ///
    /// # Errors
    /// As [`Self::store`].
    pub fn store_orders(&self, series: &OrderSeries) -> Result<PathBuf, CatalogError> {
        self.store_ticks(series)
    }

    /// What stands in the place of those ticks of that venue and symbol, as [`Self::stored`].
    ///
    /// # Errors
    /// As [`Self::stored`].
    pub fn stored_ticks(&self, instrument: &InstrumentSpec, content: Content) -> Result<Option<TickSet>, CatalogError> {
        unless_damaged(TableFile::open(&self.tick_place(instrument, content)).and_then(|file| file.about()))
    }

    /// As [`Self::lost_bars`], of trades, quotes, levels of depth or events of orders; of any other series none.
    ///
    /// # Errors
    /// As [`Self::stored`].
    pub fn lost_ticks(&self, series: &Series) -> Result<u64, CatalogError> {
        match series {
            Series::Bars(_) | Series::Funding(_) => Ok(0),
            Series::Trades(trades) => self.lost_rows(trades),
            Series::Quotes(quotes) => self.lost_rows(quotes),
            Series::Depth(depth) => self.lost_rows(depth),
            Series::Orders(orders) => self.lost_rows(orders),
        }
    }

    fn lost_rows<S: TickTable>(&self, series: &S) -> Result<u64, CatalogError> {
        let stored = TableFile::open(&self.tick_place(series.instrument(), S::CONTENT)).and_then(|table| {
            table.must_have(S::COLUMNS, S::CONTENT.name())?;
            table.times()
        });
        let sorted = |mut times: Vec<i64>| {
            times.sort_unstable();
            times.into_iter()
        };
        Ok(unless_damaged(stored)?.map_or(0, |stored| without_match(sorted(stored), sorted(series.times()))))
    }

    fn store_ticks<S: TickTable>(&self, series: &S) -> Result<PathBuf, CatalogError> {
        let (instrument, span) = (series.instrument(), series.span());
        self.stored_ticks(instrument, S::CONTENT)?;
        let set = TickSet {
            schema_version: SCHEMA_VERSION,
            content: S::CONTENT,
            instrument: instrument.clone(),
            source: series.source().clone(),
            rows: series.count(),
            first: span.map(|(first, _)| first),
            last: span.map(|(_, last)| last),
            digest: String::new(), // the writer fills it in
        };
        let columns = series.columns();
        let rows = columns.first().map_or(0, Vec::len);
        let part = |from: usize| columns.iter().map(|column| column[from..rows.min(from + BATCH)].to_vec()).collect();
        put(self.tick_place(instrument, S::CONTENT), |beside| {
            let parts = (0..rows).step_by(BATCH).map(part);
            write_table(beside, S::COLUMNS, parts, |digest| serde_json::to_string(&TickSet { digest, ..set.clone() }))
        })
    }

    /// Reads the trades of `symbol` whose times lie in `span`. The list of defects is made anew, with rows counted from 1
    /// within what was read.
    ///
    /// # Errors
    /// [`CatalogError`], as [`Self::load`].
    pub fn load_trades(&self, symbol: &Symbol, span: Range<Timestamp>) -> Result<TradeSeries, CatalogError> {
        self.load_ticks(symbol, &span)
    }
    /// Reads quotes, as [`Self::load_trades`].
    ///
    /// # Errors
    /// [`CatalogError`], as [`Self::load`].
    pub fn load_quotes(&self, symbol: &Symbol, span: Range<Timestamp>) -> Result<QuoteSeries, CatalogError> {
        self.load_ticks(symbol, &span)
    }
    /// Reads depth, as [`Self::load_trades`]. A span that begins behind a snapshot gives changes of a book that is not
    /// known.
    ///
    /// # Errors
    /// [`CatalogError`], as [`Self::load`].
    pub fn load_depth(&self, symbol: &Symbol, span: Range<Timestamp>) -> Result<DepthSeries, CatalogError> {
        self.load_ticks(symbol, &span)
    }
    /// Reads orders, as [`Self::load_trades`].
    ///
    /// # Errors
    /// [`CatalogError`], as [`Self::load`].
    pub fn load_orders(&self, symbol: &Symbol, span: Range<Timestamp>) -> Result<OrderSeries, CatalogError> {
        self.load_ticks(symbol, &span)
    }

    fn load_ticks<S: TickTable>(&self, symbol: &Symbol, span: &Range<Timestamp>) -> Result<S, CatalogError> {
        let what = S::CONTENT.name();
        let kept = self.kept_of(symbol, &format!("{what}.parquet"))?;
        let mut fit = kept.into_iter().filter_map(|(path, kept)| match kept {
            Kept::Ticks(set) if set.content == S::CONTENT && set.instrument.symbol == *symbol => Some((path, set)),
            Kept::Ticks(_) | Kept::Bars(_) => None,
        });
        let missing = |what: String| CatalogError::NotFound { root: self.root.clone(), what };
        let (path, set) = fit.next().ok_or_else(|| missing(format!("holds no {what} of {symbol}")))?;
        if let Some((_, other)) = fit.next() {
            let (one, two) = (&set.instrument.venue, &other.instrument.venue);
            return Err(missing(format!("holds {what} of {symbol} for {one} and {two}: read one of the files")));
        }
        let options = ImportOptions { on_defect: OnDefect::Report, ..ImportOptions::default() };
        stored::series_of(TableFile::open(&path)?, &path, span, &options)
    }

    /// The trades, quotes, depth and orders that the catalog holds, by venue and symbol.
    ///
    /// # Errors
    /// [`CatalogError`] if a folder or file cannot be read.
    pub fn list_ticks(&self) -> Result<Vec<TickSet>, CatalogError> {
        let Survey { ticks, faults, .. } = self.survey();
        faults.into_iter().next().map_or(Ok(ticks), Err)
    }

    fn tick_place(&self, instrument: &InstrumentSpec, content: Content) -> PathBuf {
        self.folder(instrument).join(format!("{}.parquet", content.name()))
    }
}
