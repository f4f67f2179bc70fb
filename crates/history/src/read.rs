//! The way in: one file to one series.

use crate::catalog::{self, CatalogError};
use crate::container::{self, Kind};
use crate::parquet::BarFile;
use crate::rows::RowSource;
use crate::{BarSeries, Format, ImportError, ImportOptions, StampEnd, build, csv, feather, parquet, series};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::thread::{Builder, JoinHandle};
use tradewind_domain::{Coded, InstrumentSpec, Interval};

/// Reads a file of bars: CSV, CSV.gz, CSV.xz, a zip of one CSV, Arrow/Feather v2, Parquet. The format is told by content.
///
/// Bars come out ascending, keyed by open time, with mantissas at the decimals of the finest number. See
/// [`ImportOptions`] for what can be stated, and [`crate::BarSeries::source`] for what was found.
///
/// # Errors
/// [`ImportError`]: the file cannot be read or recognised, something must be stated, or (by default) a row is wrong.
pub fn read_bars(path: &Path, options: &ImportOptions) -> Result<BarSeries, ImportError> {
    if let Some(file) = catalog_file(path, options)? {
        return catalog::read_whole(file).map_err(|error| of_catalog(path, &error));
    }
    let hash = FileHash::begin(path, options)?;
    let mut series = build::series(path, open_rows(path, options)?, options)?;
    series.source.sha256 = hash.end()?;
    Ok(series)
}

/// One of our own catalog files of bars: it knows its instrument, and its numbers are not prices to be guessed at.
pub(crate) fn catalog_file(path: &Path, options: &ImportOptions) -> Result<Option<BarFile>, ImportError> {
    if !matches!(container::open(path)?, (_, Kind::Parquet)) {
        return Ok(None);
    }
    let file = catalog::open_bars(path).map_err(|error| of_catalog(path, &error))?;
    if let Some(file) = &file {
        must_be_of(path, &file.dataset().instrument, options)?;
        must_be_of_interval(path, file.dataset().interval, options)?;
        if options.stamp == StampEnd::Close {
            let what = "the times were said to name the end of a bar, and the catalog keeps bars by their open time";
            return Err(ImportError::needs("HIS-35", path, what));
        }
    }
    Ok(file)
}

/// Refuses a file that knows how long its bars are where the options state another interval.
fn must_be_of_interval(path: &Path, stored: Interval, options: &ImportOptions) -> Result<(), ImportError> {
    match options.interval.filter(|stated| *stated != stored) {
        Some(stated) => {
            let what = format!("the interval `{stated}` was stated, and the bars of the file are `{stored}` long");
            Err(ImportError::needs("HIS-35", path, what))
        }
        None => Ok(()),
    }
}

/// What is wrong with a catalog file, as an error of its import.
pub(crate) fn of_catalog(path: &Path, error: &CatalogError) -> ImportError {
    ImportError::unfit(error.code(), path, error.to_string())
}

/// Refuses a file that knows its instrument where the options state another.
pub(crate) fn must_be_of(path: &Path, stored: &InstrumentSpec, options: &ImportOptions) -> Result<(), ImportError> {
    match &options.symbol {
        Some(symbol) if *symbol != stored.symbol => {
            let what = format!("the symbol `{symbol}` was stated, and the file is of `{}`", stored.symbol);
            Err(ImportError::needs("HIS-35", path, what))
        }
        _ => Ok(()),
    }
}

/// Opens the rows of a file, whatever its format. Ticks are refused as what they are.
pub(crate) fn open_rows(path: &Path, options: &ImportOptions) -> Result<Box<dyn RowSource>, ImportError> {
    let refused = |error: ImportError| match error.code() {
        "HIS-05" | "HIS-46" => match series::ticks_in(path, options) {
            Some(content) => ImportError::unfit("HIS-50", path, format!("it holds {}, not bars", content.name())),
            None => error,
        },
        _ => error,
    };
    rows_of(path, options).map_err(refused)
}

/// Opens the rows of a file, whatever its format and whatever it holds.
pub(crate) fn rows_of(path: &Path, options: &ImportOptions) -> Result<Box<dyn RowSource>, ImportError> {
    let (file, kind) = container::open(path)?;
    let progress = &options.progress;
    Ok(match kind {
        Kind::Text => Box::new(csv::open(path, progress.watch(file), Format::Csv, None, options)?),
        Kind::Gzip => {
            let content = container::gunzip(progress.watch(file));
            Box::new(csv::open(path, content, Format::CsvGz, None, options)?)
        }
        Kind::Xz => {
            let content = container::unxz(progress.watch(file));
            Box::new(csv::open(path, content, Format::CsvXz, None, options)?)
        }
        Kind::Zip => {
            let (member, content) = container::unzip(path, progress.watch(file))?;
            Box::new(csv::open(path, content, Format::CsvZip, Some(member), options)?)
        }
        Kind::Feather => Box::new(feather::open(path, file, progress)?),
        Kind::Parquet => Box::new(parquet::open(path, file, progress)?),
    })
}

/// SHA-256 of a file in lowercase hex, on a thread of its own while the file is read; nothing where nobody asked.
#[derive(Default)]
pub(crate) struct FileHash(Option<JoinHandle<Result<String, ImportError>>>);

impl FileHash {
    pub(crate) fn begin(path: &Path, options: &ImportOptions) -> Result<Self, ImportError> {
        if !options.hash {
            return Ok(Self(None));
        }
        let of = path.to_owned();
        let thread = Builder::new().name("hash".to_owned()).spawn(move || sha256(&of));
        thread.map(|it| Self(Some(it))).map_err(|source| ImportError::io(path, source))
    }

    /// Waits for it.
    pub(crate) fn end(self) -> Result<Option<String>, ImportError> {
        self.0.map(|thread| thread.join().expect("hashing does not panic")).transpose()
    }
}

fn sha256(path: &Path) -> Result<String, ImportError> {
    let io = |source| ImportError::io(path, source);
    let mut file = File::open(path).map_err(io)?;
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).map_err(io)? {
            0 => return Ok(hex::encode(digest.finalize())),
            count => digest.update(&buffer[..count]),
        }
    }
}
