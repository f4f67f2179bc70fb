//! The catalog: a folder of Parquet files, one for each series.
//!
//! `DIR/<venue>/<symbol>/<interval>.parquet` for bars, and `trades.parquet`, `quotes.parquet`, `depth.parquet` and
//! `orders.parquet` beside them, where the symbol's `/` is written `~` and its `:` is written `@`. What a file holds is
//! told by the metadata inside it, never by its name. Mantissas are 64-bit whole numbers; their decimals
//! stand in the metadata. A file appears whole or not at all: it is written beside its place, synced and renamed.

use crate::error::hint_of;
use crate::parquet::{BarFile, BarFileReader, write_bars};
use crate::table_file::TableFile;
use crate::{BarSeries, Content, Defect, Gap, SourceInfo, TickSet};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use tradewind_domain::{Bar, Coded, InstrumentSpec, Interval, Symbol, Timestamp};

/// The version of the files' metadata; a file of a newer one is refused. The second brought ticks.
pub const SCHEMA_VERSION: u32 = 2;
/// Nothing has changed for bars since the first: what reads that reads them.
const BARS_VERSION: u32 = 1;

/// A folder of series.
#[derive(Clone, Debug)]
pub struct Catalog {
    pub(crate) root: PathBuf,
}

/// What a catalog file of bars says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// The version of this metadata.
    pub schema_version: u32,
    /// What the bars are of: symbol, venue, decimals.
    pub instrument: InstrumentSpec,
    /// How long each bar is.
    pub interval: Interval,
    /// Where the series came from: origin, stamp, hash of the source.
    pub source: SourceInfo,
    /// Number of bars.
    pub bars: u64,
    /// Open time of the first bar.
    pub first: Option<Timestamp>,
    /// Open time of the last bar.
    pub last: Option<Timestamp>,
    /// SHA-256 over all mantissas, little-endian, row by row: proof against bit rot when the whole is read.
    pub digest: String,
}

/// A file of the catalog.
pub(crate) enum Kept {
    Bars(Dataset),
    Ticks(TickSet),
}

/// Why the catalog did not do as it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The operating system refused: look at the rights and the disk.
    #[error("cannot {what} {path}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Written by a newer version of this program.
    #[error("{path} has schema version {found}, this program knows {SCHEMA_VERSION}")]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// The file is broken, or none of ours.
    #[error("{path}: {what}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// There is no such series, or it stands under several venues.
    #[error("the catalog {root} {what}")]
    NotFound {
        /// The catalog.
        root: PathBuf,
        /// What was looked for.
        what: String,
    },
}

impl Coded for CatalogError {
    fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "HIS-01",
            Self::Newer { .. } => "HIS-29",
            Self::Damaged { .. } => "HIS-30",
            Self::NotFound { .. } => "HIS-31",
        }
    }
    fn hint(&self) -> &'static str {
        hint_of(self.code())
    }
}

impl CatalogError {
    pub(crate) fn io(what: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { what, path: path.to_owned(), source }
    }
    pub(crate) fn damaged(path: &Path, what: impl ToString) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.to_string() }
    }
}

impl Catalog {
    /// Opens the catalog in `root`. The folder is made when the first series is stored.
    ///
    /// # Errors
    /// [`CatalogError::Io`] if something else than a folder is there.
    pub fn open(root: &Path) -> Result<Self, CatalogError> {
        if root.exists() && !root.is_dir() {
            let source = std::io::ErrorKind::NotADirectory.into();
            return Err(CatalogError::io("open", root, source));
        }
        Ok(Self { root: root.to_owned() })
    }

    /// What stands in the place of that venue, symbol and interval; `None` for nothing, or nothing that can be read.
    ///
    /// # Errors
    /// [`CatalogError::Newer`] if it was written by a newer version.
    pub fn stored(&self, instrument: &InstrumentSpec, interval: Interval) -> Result<Option<Dataset>, CatalogError> {
        let path = self.place(instrument, interval);
        match path.exists().then(|| BarFile::open(&path)) {
            Some(Err(error @ CatalogError::Newer { .. })) => Err(error),
            Some(Ok(file)) => Ok(Some(file.dataset().clone())),
            Some(Err(_)) | None => Ok(None), // be it whole or broken, it may be replaced
        }
    }

    /// Stores `series` in the place of its venue, symbol and interval, instead of what was there.
    ///
    /// When this returns, the file is on the disk whole; when it fails, what was there before still is.
    ///
    /// # Errors
    /// [`CatalogError::Io`]; [`CatalogError::Newer`] if what is there was written by a newer version.
    pub fn store(&self, series: &BarSeries) -> Result<PathBuf, CatalogError> {
        self.stored(&series.instrument, series.interval)?;
        let path = self.place(&series.instrument, series.interval);
        let dataset = Dataset {
            schema_version: BARS_VERSION,
            instrument: series.instrument.clone(),
            interval: series.interval,
            source: series.source.clone(),
            bars: series.bars.len() as u64,
            first: series.bars.first().map(|bar| bar.open_time),
            last: series.bars.last().map(|bar| bar.open_time),
            digest: String::new(), // the writer fills it in
        };
        put(path, |beside| write_bars(beside, &dataset, &series.bars))
    }

    /// Reads the bars of `symbol` and `interval` whose open times lie in `span`. The list of defects and gaps is made
    /// anew, with rows counted from 1 within what was read.
    ///
    /// # Errors
    /// [`CatalogError`]; a symbol that stands under several venues must be read with [`Self::stream`].
    pub fn load(&self, symbol: &Symbol, interval: Interval, span: Range<Timestamp>) -> Result<BarSeries, CatalogError> {
        let mut fit = self.files()?.into_iter().filter_map(|(path, kept)| match kept {
            Kept::Bars(set) if set.interval == interval && set.instrument.symbol == *symbol => Some((path, set)),
            Kept::Bars(_) | Kept::Ticks(_) => None,
        });
        let missing = |what: String| CatalogError::NotFound { root: self.root.clone(), what };
        let (path, set) = fit.next().ok_or_else(|| missing(format!("holds no {interval} bars of {symbol}")))?;
        if let Some((_, other)) = fit.next() {
            let (one, two) = (&set.instrument.venue, &other.instrument.venue);
            return Err(missing(format!("holds {interval} bars of {symbol} for {one} and {two}: name the venue")));
        }
        series_of(BarFile::open(&path)?, set, span)
    }

    /// Streams the bars of a series whose open times lie in `span`, a few thousand in memory at a time.
    ///
    /// # Errors
    /// [`CatalogError`]; what is found wrong on the way comes out of the iterator.
    pub fn stream(
        &self,
        venue: &str,
        symbol: &Symbol,
        interval: Interval,
        span: Range<Timestamp>,
    ) -> Result<BarFileReader, CatalogError> {
        let path =
            self.root.join(escaped(venue)).join(escaped(&symbol.to_string())).join(format!("{interval}.parquet"));
        if !path.exists() {
            let what = format!("holds no {interval} bars of {symbol} for {venue}");
            return Err(CatalogError::NotFound { root: self.root.clone(), what });
        }
        BarFile::open(&path)?.read(span)
    }

    /// The bars that the catalog holds, by venue, symbol and interval.
    ///
    /// # Errors
    /// [`CatalogError`] if a folder or file cannot be read.
    pub fn list(&self) -> Result<Vec<Dataset>, CatalogError> {
        let bars = |(_, kept)| match kept {
            Kept::Bars(set) => Some(set),
            Kept::Ticks(_) => None,
        };
        Ok(self.files()?.into_iter().filter_map(bars).collect())
    }

    pub(crate) fn files(&self) -> Result<Vec<(PathBuf, Kept)>, CatalogError> {
        let mut found = Vec::new();
        for venue in entries(&self.root)? {
            for symbol in entries(&venue)? {
                for file in entries(&symbol)? {
                    if file.extension().is_some_and(|ending| ending == "parquet") {
                        let table = TableFile::open(&file)?;
                        let kept = match table.content {
                            Content::Bars => Kept::Bars(BarFile::of(table)?.dataset().clone()),
                            _ => Kept::Ticks(table.about()?),
                        };
                        found.push((file, kept));
                    }
                }
            }
        }
        Ok(found)
    }

    fn place(&self, instrument: &InstrumentSpec, interval: Interval) -> PathBuf {
        self.folder(instrument).join(format!("{interval}.parquet"))
    }

    /// Where all of that venue and symbol lies.
    pub(crate) fn folder(&self, instrument: &InstrumentSpec) -> PathBuf {
        self.root.join(escaped(&instrument.venue)).join(escaped(&instrument.symbol.to_string()))
    }
}

/// Lets `write` make a file beside `path`, and puts it in the place of what is there.
pub(crate) fn put(
    path: PathBuf,
    write: impl FnOnce(&Path) -> Result<(), CatalogError>,
) -> Result<PathBuf, CatalogError> {
    let folder = path.parent().expect("a place lies in the folder of its symbol");
    std::fs::create_dir_all(folder).map_err(|source| CatalogError::io("make", folder, source))?;
    let beside = path.with_extension(format!("parquet.{}.tmp", std::process::id()));
    let written = write(&beside).and_then(|()| {
        std::fs::rename(&beside, &path).map_err(|source| CatalogError::io("put in place", &path, source))?;
        sync_folder(folder)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&beside); // the error that matters is the first
    }
    written.map(|()| path)
}

fn series_of(file: BarFile, set: Dataset, span: Range<Timestamp>) -> Result<BarSeries, CatalogError> {
    let bars = file.read(span)?.collect::<Result<Vec<Bar>, _>>()?;
    let (defects, gaps): (Vec<Defect>, Vec<Gap>) = Default::default();
    let (instrument, interval, source) = (set.instrument, set.interval, set.source);
    let mut series = BarSeries { instrument, interval, bars, source, defects, gaps };
    (series.defects, series.gaps) = crate::validate::judge(&series);
    Ok(series)
}

/// Reads the whole of a catalog file of bars; `None` for a Parquet file that is not ours, or holds ticks.
pub(crate) fn read_file(path: &Path) -> Result<Option<BarSeries>, CatalogError> {
    let Some(table) = TableFile::open_ours(path)?.filter(|table| table.content == Content::Bars) else {
        return Ok(None);
    };
    let file = BarFile::of(table)?;
    let set = file.dataset().clone();
    let always = Timestamp::from_nanos(i64::MIN)..Timestamp::from_nanos(i64::MAX);
    series_of(file, set, always).map(Some)
}

/// Entries of a folder in order of name; of a plain file, none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, CatalogError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let io = |source| CatalogError::io("list", folder, source);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        paths.push(entry.map_err(io)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// A text as the name of a folder: letters, digits, `-`, `_` and inner dots stay, the rest is escaped.
fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    let mut name = String::new();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'/' => name.push('~'),
            b':' => name.push('@'),
            b'-' | b'_' => name.push(char::from(byte)),
            b'.' if at > 0 => name.push('.'),
            _ if byte.is_ascii_alphanumeric() => name.push(char::from(byte)),
            _ => write!(name, "%{byte:02X}").expect("writing to a string does not fail"),
        }
    }
    name
}

fn sync_folder(folder: &Path) -> Result<(), CatalogError> {
    let io = |source| CatalogError::io("sync", folder, source);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)
}
