//! The catalog: a folder of Parquet files, one for each series.
//!
//! `DIR/<venue>/<symbol>/<interval>.parquet` for bars, and `trades.parquet`, `quotes.parquet`, `depth.parquet` and
//! `orders.parquet` beside them, where the symbol's `/` is written `~` and its `:` is written `@`. A series is looked for
//! in its place; what a file there holds is told by the metadata inside it. Mantissas are 64-bit whole numbers; their
//! decimals stand in the metadata. A file appears whole or not at all: it is written beside its place, synced and renamed.

use crate::error::{hint_of, hint_of_refusal};
use crate::parquet::{BarFile, BarFileReader, write_bars};
use crate::table_file::TableFile;
use crate::{BarSeries, Content, Defects, SourceInfo, TickSet};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use tradewind_domain::{Bar, Coded, InstrumentSpec, Interval, Symbol, Timestamp};

/// The version of the files' metadata; a file of a newer one is refused. The second brought ticks.
pub const SCHEMA_VERSION: u32 = 2;
/// Nothing has changed for bars since the first: what reads that reads them.
const BARS_VERSION: u32 = 1;

/// The span of everything.
pub(crate) const ALWAYS: Range<Timestamp> = Timestamp::from_nanos(i64::MIN)..Timestamp::from_nanos(i64::MAX);

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

/// What a catalog holds, as far as it can be read.
#[derive(Debug, Default)]
pub struct Survey {
    /// Bars, by venue, symbol and interval.
    pub bars: Vec<Dataset>,
    /// Trades, quotes, depth and orders, by venue and symbol.
    pub ticks: Vec<TickSet>,
    /// Why the other files cannot be read.
    pub faults: Vec<CatalogError>,
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
        match self {
            Self::Io { source, .. } => hint_of_refusal(source),
            Self::Newer { .. } | Self::Damaged { .. } | Self::NotFound { .. } => hint_of(self.code()),
        }
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

    /// What stands in the place of that venue, symbol and interval; `None` for nothing, or a damaged file, which may be
    /// replaced.
    ///
    /// # Errors
    /// [`CatalogError::Newer`] if it was written by a newer version; [`CatalogError::Io`] if the system refuses to open it,
    /// since it may be whole.
    pub fn stored(&self, instrument: &InstrumentSpec, interval: Interval) -> Result<Option<Dataset>, CatalogError> {
        let file = unless_damaged(BarFile::open(&self.place(instrument, interval)))?;
        Ok(file.map(|file| file.dataset().clone()))
    }

    /// How many of the bars that stand in its place `series` holds none of the same open time for: storing it takes them away.
    /// What is damaged is not there.
    ///
    /// # Errors
    /// As [`Self::stored`].
    pub fn lost_bars(&self, series: &BarSeries) -> Result<u64, CatalogError> {
        let file = BarFile::open(&self.place(&series.instrument, series.interval));
        let stored = unless_damaged(file.and_then(|file| file.read(ALWAYS)))?;
        let times = stored.into_iter().flatten().map_while(Result::ok).map(|bar| bar.open_time);
        Ok(without_match(times, series.bars.iter().map(|bar| bar.open_time)))
    }

    /// Stores `series` in the place of its venue, symbol and interval, instead of what was there; [`Self::lost_bars`]
    /// tells beforehand what that takes away.
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
    /// anew, with rows counted from 1 within what was read. No other series is looked at.
    ///
    /// # Errors
    /// [`CatalogError`]; a symbol that stands under several venues must be read with [`Self::stream`].
    pub fn load(&self, symbol: &Symbol, interval: Interval, span: Range<Timestamp>) -> Result<BarSeries, CatalogError> {
        let kept = self.kept_of(symbol, &format!("{interval}.parquet"))?;
        let mut fit = kept.into_iter().filter_map(|(path, kept)| match kept {
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
    /// [`CatalogError`] if a folder or file cannot be read; [`Self::survey`] goes on.
    pub fn list(&self) -> Result<Vec<Dataset>, CatalogError> {
        let Survey { bars, faults, .. } = self.survey();
        faults.into_iter().next().map_or(Ok(bars), Err)
    }

    /// All that the catalog holds, by venue and symbol: what can be read, and why the rest cannot. One damaged file hides no
    /// other.
    #[must_use]
    pub fn survey(&self) -> Survey {
        let mut survey = Survey::default();
        for file in self.files() {
            match file.and_then(|file| kept_in(&file)) {
                Ok(Kept::Bars(set)) => survey.bars.push(set),
                Ok(Kept::Ticks(set)) => survey.ticks.push(set),
                Err(error) => survey.faults.push(error),
            }
        }
        survey
    }

    /// Every file of a series, in order of name, and every folder that cannot be listed.
    fn files(&self) -> Vec<Result<PathBuf, CatalogError>> {
        let mut found = vec![Ok(self.root.clone())];
        for _level in ["venue", "symbol", "file"] {
            let mut inner = Vec::new();
            for folder in found {
                match folder.and_then(|folder| entries(&folder)) {
                    Ok(paths) => inner.extend(paths.into_iter().map(Ok)),
                    Err(error) => inner.push(Err(error)),
                }
            }
            found = inner;
        }
        found.retain(|file| match file {
            Ok(path) => path.extension().is_some_and(|ending| ending == "parquet"),
            Err(_) => true,
        });
        found
    }

    /// What stands in the place of that symbol and name under each venue.
    pub(crate) fn kept_of(&self, symbol: &Symbol, name: &str) -> Result<Vec<(PathBuf, Kept)>, CatalogError> {
        let within = |venue: PathBuf| venue.join(escaped(&symbol.to_string())).join(name);
        let places = entries(&self.root)?.into_iter().map(within).filter(|place| place.exists());
        places.map(|place| kept_in(&place).map(|kept| (place, kept))).collect()
    }

    fn place(&self, instrument: &InstrumentSpec, interval: Interval) -> PathBuf {
        self.folder(instrument).join(format!("{interval}.parquet"))
    }

    /// Where all of that venue and symbol lies.
    pub(crate) fn folder(&self, instrument: &InstrumentSpec) -> PathBuf {
        self.root.join(escaped(&instrument.venue)).join(escaped(&instrument.symbol.to_string()))
    }
}

/// What was `opened` in a place of the catalog; `None` if nothing is there, or a damaged file.
pub(crate) fn unless_damaged<T>(opened: Result<T, CatalogError>) -> Result<Option<T>, CatalogError> {
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(CatalogError::Damaged { .. }) => Ok(None),
        Err(CatalogError::Io { ref source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// How many of the `stored` times have no time of their own among the `new`; both ascend.
pub(crate) fn without_match<T: Ord>(stored: impl Iterator<Item = T>, new: impl Iterator<Item = T>) -> u64 {
    let (mut lost, mut new) = (0, new.peekable());
    for time in stored {
        while new.next_if(|other| *other < time).is_some() {}
        lost += u64::from(new.next_if_eq(&time).is_none());
    }
    lost
}

/// Lets `write` make a file beside `path`, and puts it in the place of what is there.
pub(crate) fn put(path: PathBuf, write: impl Fn(&Path) -> Result<(), CatalogError>) -> Result<PathBuf, CatalogError> {
    let folder = path.parent().expect("a place lies in the folder of its symbol");
    std::fs::create_dir_all(folder).map_err(|source| CatalogError::io("make", folder, source))?;
    remove_abandoned(folder);
    let beside = path.with_extension(format!("parquet.{}.tmp", std::process::id()));
    let written = written_in_place(&beside, &path, &write)
        .or_else(|error| match &error {
            // another writer found the mark in the moment before it was locked, and took it for abandoned
            CatalogError::Io { source, .. } if source.kind() == ErrorKind::NotFound => {
                written_in_place(&beside, &path, &write)
            }
            _ => Err(error),
        })
        .and_then(|()| sync_folder(folder));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside); // the error that matters is the first
    }
    written.map(|()| path)
}

/// Lets `write` make the file `beside`, and renames it to `path`.
fn written_in_place(
    beside: &Path,
    path: &Path,
    write: impl Fn(&Path) -> Result<(), CatalogError>,
) -> Result<(), CatalogError> {
    let mark = File::create(beside).map_err(|source| CatalogError::io("write", beside, source))?;
    let _ = mark.try_lock(); // to the end of this: whoever finds it unlocked takes it for abandoned
    write(beside)?;
    std::fs::rename(beside, path).map_err(|source| CatalogError::io("put in place", path, source))
}

/// Removes what processes that are gone have left half written in the folder of a symbol. Each held a lock on its own to
/// the end.
fn remove_abandoned(folder: &Path) {
    for path in entries(folder).unwrap_or_default() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let writer = name.strip_suffix(".tmp").and_then(|name| name.rsplit_once(".parquet."));
        let is_ours = writer.is_some_and(|(_, id)| id.parse::<u32>().is_ok());
        // a pipe would be waited for: nothing but a file is opened
        let is_file = || path.symlink_metadata().is_ok_and(|about| about.is_file());
        if is_ours && is_file() && File::options().write(true).open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = std::fs::remove_file(&path); // one that stays is in nobody's way
        }
    }
}

/// What a file of the catalog says that it holds.
fn kept_in(path: &Path) -> Result<Kept, CatalogError> {
    let table = TableFile::open(path)?;
    Ok(match table.content {
        Content::Bars => Kept::Bars(BarFile::of(table)?.dataset().clone()),
        _ => Kept::Ticks(table.about()?),
    })
}

fn series_of(file: BarFile, set: Dataset, span: Range<Timestamp>) -> Result<BarSeries, CatalogError> {
    let bars = file.read(span)?.collect::<Result<Vec<Bar>, _>>()?;
    let (instrument, interval, source) = (set.instrument, set.interval, set.source);
    let (defects, gaps) = (Defects::default(), Vec::new());
    let mut series = BarSeries { instrument, interval, bars, source, defects, gaps };
    (series.defects, series.gaps) = crate::validate::judge(&series);
    Ok(series)
}

/// Opens a catalog file of bars; `None` for a Parquet file that is not ours, or holds ticks.
pub(crate) fn open_bars(path: &Path) -> Result<Option<BarFile>, CatalogError> {
    let table = TableFile::open_ours(path)?.filter(|table| table.content == Content::Bars);
    table.map(BarFile::of).transpose()
}

/// Reads the whole of a catalog file of bars.
pub(crate) fn read_whole(file: BarFile) -> Result<BarSeries, CatalogError> {
    let set = file.dataset().clone();
    series_of(file, set, ALWAYS)
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
