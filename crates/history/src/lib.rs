//! Recorded markets: import, validation, Parquet catalog.
//!
//! # Where it sits
//! Floor 5, an edge: reads files that other programs wrote and gives domain bars, trades, quotes, updates of books and
//! orders of books. Knows no strategy, no engine, no clock and no network.
//!
//! # Start here
//! [`read_bars`] turns any file of bars into a [`BarSeries`]; [`stream_bars`] does so in flat memory. [`read_trades`],
//! [`read_quotes`], [`read_depth`] and [`read_orders`] read ticks; [`read_series`] reads whatever a file holds.
//! [`check_file`] says all that is wrong with a file; [`Catalog`] keeps series as Parquet.
//!
//! # What always holds
//! * Prices and volumes are the decimals that the file means, exactly; where that cannot be, a [`Defect`] says so.
//! * No row is dropped, moved or changed without a defect that names it.
//! * A move that is only unlikely stays: it is marked as suspect, never removed.
//! * Bars are keyed by their open time; [`SourceInfo`] says how the file stamped them.

mod build;
mod catalog;
mod catalog_ticks;
mod columns;
mod container;
mod csv;
mod defect;
mod defects;
mod depth;
mod depth_files;
mod depth_messages;
mod error;
mod factors;
mod feather;
mod funding;
mod hours;
mod layout;
mod lengths;
mod lines;
mod model;
mod moment;
mod names;
mod number;
mod orders;
mod parquet;
mod progress;
mod quotes;
mod read;
mod report;
mod resample;
mod rows;
mod series;
mod stored;
mod stream;
mod table;
mod table_file;
mod ticks;
mod trades;
mod validate;

pub use catalog::{Catalog, CatalogError, Dataset, SCHEMA_VERSION, Survey};
pub use catalog_ticks::TickSet;
pub use defect::{Defect, Effect, Severity};
pub use defects::{Defects, Unlisted};
pub use depth::{DepthLevel, DepthSeries, DepthUpdate, read_depth};
pub use error::{CODES, ImportError};
pub use factors::{FactorFile, adjust};
pub use funding::{FundingSeries, read_funding};
pub use hours::hours_of;
pub use model::{
    BarSeries, Format, Gap, GapKind, ImportOptions, OnDefect, QuoteSide, SourceInfo, StampEnd, VolumeKind,
};
pub use names::origin_of;
pub use orders::{OrderAction, OrderEvent, OrderSeries, read_orders};
pub use parquet::BarFileReader;
pub use progress::Progress;
pub use quotes::{QuoteSeries, read_quotes};
pub use read::read_bars;
pub use report::{CheckReport, Part, check_file, check_series};
pub use resample::{bars_from_trades, resample};
pub use series::{Content, Series, read_series};
pub use stream::{BarStream, stream_bars};
pub use trades::{TradeSeries, read_trades};
pub use validate::validate;
