//! What can go wrong with a file: stable codes, with the row and the value.

use crate::{Defect, Defects, Severity};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use tradewind_domain::{Coded, ErrorCode, with_causes};

tradewind_domain::codes! {
    "HIS-01" "the file cannot be read" "check the path and the rights";
    "HIS-02" "the file is of no format that can be imported" "give CSV, CSV.gz, CSV.xz, a zip of one CSV, Arrow/Feather or Parquet";
    "HIS-03" "the file is cut or damaged" "fetch it again: what is missing cannot be guessed";
    "HIS-04" "the last line of the file is cut" "fetch the file again, or delete the last line if it is whole";
    "HIS-05" "the columns cannot be recognised" "name them in a header line: time, open, high, low, close, volume for bars; the book has the names of ticks";
    "HIS-06" "the file holds no rows" "check that the download finished";
    "HIS-07" "the cell is not a number" "correct the cell or remove the row";
    "HIS-08" "the cell is not a finite number" "correct the cell or remove the row";
    "HIS-09" "the cell is empty" "correct the cell or remove the row";
    "HIS-10" "the time cannot be read" "write 2024-01-31 13:00:00, 20240131 13:00 or a Unix time";
    "HIS-11" "the time is of another unit than the rows before, or of none" "use one unit: seconds, milli-, micro- or nanoseconds";
    "HIS-12" "the row is earlier than the row before it" "sort the file by time";
    "HIS-13" "two rows have the same time" "keep one of them";
    "HIS-14" "bars, payments or trades are missing or left out" "correct rows that were left out, fetch what the file lacks, or accept the hole knowingly";
    "HIS-15" "the bar does not lie on the file's time grid" "keep bars of one interval in a file, or state it: `data`, `backtest`, `diagnose`, `risk` and tapes take --interval, such as 1h";
    "HIS-16" "open, high, low and close contradict each other" "high must be the highest and low the lowest";
    "HIS-17" "the volume or size is negative" "correct the cell";
    "HIS-18" "the price is not positive" "correct the cell; only spreads may trade at or below zero";
    "HIS-19" "the price jumps as only splits and wrong units do" "compare with another source; the bar was kept as it is";
    "HIS-20" "the number needs more than 8 decimals" "it was rounded half to even to 8 decimals";
    "HIS-21" "the number carries the noise of binary floats" "it was read as the decimal that was meant";
    "HIS-22" "the number is too large" "use a smaller unit or fewer decimals";
    "HIS-23" "the file is newest first" "nothing to do: the rows were put in order";
    "HIS-24" "the interval of the bars cannot be told" "state it: `data`, `backtest`, `diagnose`, `risk` and tapes take --interval, such as 1h";
    "HIS-25" "the symbol cannot be told from the file's name" "state the symbol, such as BTC/USDT";
    "HIS-26" "the row has another number of cells than the first" "check the delimiter and look for a broken line";
    "HIS-27" "the file holds funding rates, not bars" "use it as funding, and a trade or mark price file for bars";
    "HIS-28" "the factor file cannot be read, or is of other prices" "rows are date, price factor, split factor, reference price, which is the raw close of that date; dates ascend";
    "HIS-29" "the catalog file was written by a newer version" "upgrade tradewind; the file was left alone";
    "HIS-30" "the catalog file is damaged or is none of ours" "store the series again from its source";
    "HIS-31" "the catalog holds no such series" "list the catalog to see what it holds";
    "HIS-32" "the number is finer than the instrument" "give the instrument more decimals: nothing is rounded for you";
    "HIS-33" "the volume is not given" "volumes read as 0 mean unknown: use no strategy that needs them";
    "HIS-34" "bars cannot be made longer by this ratio" "choose a multiple of the bars' own interval";
    "HIS-35" "the option contradicts the file" "see the message for the option";
    "HIS-36" "the id, side or action cannot be read" "ids are numbers or UUIDs, sides are buy or sell, bid or ask";
    "HIS-37" "the best bid is above the best ask" "compare with another source; it was kept as it is";
    "HIS-38" "the best bid is as high as the best ask" "nothing to do: markets lock for moments; it was kept as it is";
    "HIS-39" "the levels of a snapshot are out of order" "bids fall and asks rise, each price once; the levels were kept";
    "HIS-40" "the update of the book does not follow the one before it" "fetch what is missing: until the next snapshot the book is not the venue's";
    "HIS-41" "the snapshot of the book came later or earlier than its place" "nothing to do: updates are applied in the order of their ids";
    "HIS-42" "the order is changed or deleted, and none of its id rests" "it may have rested before the recording began; else its message was lost";
    "HIS-43" "the order contradicts its earlier rows" "an order is added once and keeps its side: look at the source";
    "HIS-44" "the row is of another instrument than the file" "give each instrument a file of its own";
    "HIS-45" "the recording tells its trades twice" "nothing to do: the single trades are used, the aggregated ones left out";
    "HIS-46" "the file has no header, and its columns may mean several things" "name them in a first line: time,open,high,low,close,volume for bars, time,bid,ask for quotes, time,id,side,price,quantity for trades";
    "HIS-47" "the JSON goes on over several lines, or is one array of messages" "write one message a line, as `jq -c .` does, and `jq -c '.[]'` of an array";
    "HIS-48" "the column is of a type that is not read" "write it as a float, a decimal of at most 128 bits, a whole number, a time or a text";
    "HIS-49" "the funding rate is beyond any that a venue pays" "rates are fractions, 0.0001 is 0.01 %: compare with another source; it was kept as it is";
    "HIS-50" "the file holds ticks, not bars" "give a file of bars; `data import` stores ticks, and `demo` and `exchange` play trades";
}

/// The hint of a code of [`CODES`].
pub(crate) fn hint_of(code: &str) -> &'static str {
    ErrorCode::hint_of(CODES, code)
}

/// What to do about a file that the system would not have written, by the first cause that says so.
pub(crate) fn hint_of_refusal(refused: &std::io::Error) -> &'static str {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(refused);
    while let Some(error) = cause {
        let refusal = error.downcast_ref::<std::io::Error>();
        match refusal.map(std::io::Error::kind) {
            Some(ErrorKind::StorageFull) => return "free space on the disk, then try again",
            Some(ErrorKind::QuotaExceeded) => return "raise the quota, or free some of it, then try again",
            Some(ErrorKind::FileTooLarge) => {
                return "raise the limit of file sizes (`ulimit -f`), or choose another disk";
            }
            Some(ErrorKind::ReadOnlyFilesystem) => return "choose a folder on a disk that can be written",
            Some(ErrorKind::PermissionDenied) => return "give this user the rights to it, or choose another folder",
            _ => (),
        }
        let within = refusal.and_then(std::io::Error::get_ref); // what its source leaves out
        cause = within.map(|it| it as &(dyn std::error::Error + 'static)).or_else(|| error.source());
    }
    hint_of("HIS-01")
}

/// The meaning of a code of [`CODES`].
pub(crate) fn meaning_of(code: &str) -> &'static str {
    CODES.iter().find(|line| line.code == code).map_or("", |line| line.meaning)
}

/// Why a file could not be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The operating system refused: look at the path, the rights, the disk.
    #[error("cannot read {path}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file as a whole is unfit: another format, cut, empty, unknown columns.
    #[error("{path}: {what}")]
    Unfit {
        /// Stable code.
        code: &'static str,
        /// Which file.
        path: PathBuf,
        /// What is wrong, with the value.
        what: String,
    },
    /// Rows are faulty, and the options say to refuse, or no row is left.
    #[error("{path}: {} ({})", first.told(), extent(defects, *to_end))]
    Defective {
        /// Which file.
        path: PathBuf,
        /// The first error by row.
        first: Box<Defect>,
        /// All that is wrong with the rows that were read.
        defects: Box<Defects>,
        /// How many data rows were read.
        rows: u64,
        /// Whether that is the whole file: a stream stops at the first error.
        to_end: bool,
    },
    /// Something must be stated that the file does not say.
    #[error("{path}: {what}")]
    NeedsOption {
        /// Stable code.
        code: &'static str,
        /// Which file.
        path: PathBuf,
        /// What is missing.
        what: String,
    },
}

impl Coded for ImportError {
    fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "HIS-01",
            Self::Unfit { code, .. } | Self::NeedsOption { code, .. } => code,
            Self::Defective { first, .. } => first.code,
        }
    }
    fn hint(&self) -> &'static str {
        hint_of(self.code())
    }
}

impl ImportError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
    pub(crate) fn unfit(code: &'static str, path: &Path, what: impl Into<String>) -> Self {
        Self::Unfit { code, path: path.to_owned(), what: what.into() }
    }
    pub(crate) fn needs(code: &'static str, path: &Path, what: impl Into<String>) -> Self {
        Self::NeedsOption { code, path: path.to_owned(), what: what.into() }
    }
    /// Refuses a file whose `rows` were all read if `defects` holds an error, naming the first by row.
    ///
    /// # Errors
    /// [`Self::Defective`].
    pub fn refuse(path: &Path, defects: &Defects, rows: u64) -> Result<(), Self> {
        Self::defective(path, defects, rows, true).map_or(Ok(()), Err)
    }
    /// The error of a file of which so many rows were read; `None` if none of `defects` is an error.
    pub(crate) fn defective(path: &Path, defects: &Defects, rows: u64, to_end: bool) -> Option<Self> {
        let errors = defects.iter().filter(|defect| defect.severity == Severity::Error);
        let first = Box::new(errors.min_by_key(|defect| defect.row)?.clone());
        Some(Self::Defective { path: path.to_owned(), first, defects: Box::new(defects.clone()), rows, to_end })
    }
    /// The defect of the file as a whole that this error is, for [`crate::check_file`].
    pub(crate) fn as_defect(&self) -> Defect {
        Defect::of_file(self.code(), Severity::Error, &with_causes(self))
    }
}

/// How many errors there are beside the first: nobody knows of a file that was not read to its end.
fn extent(defects: &Defects, to_end: bool) -> String {
    match defects.count_of(Severity::Error) {
        _ if !to_end => "the first error".to_owned(),
        1 => "1 error in all".to_owned(),
        errors => format!("{errors} errors in all"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_complete() {
        for (i, line) in CODES.iter().enumerate() {
            assert_eq!(line.code, format!("HIS-{:02}", i + 1));
            assert!(!line.hint.is_empty() && !line.meaning.is_empty());
        }
    }
}
