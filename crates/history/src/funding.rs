//! Funding rates: what the longs of a perpetual pay the shorts.

use crate::defect::DefectLog;
use crate::rows::RowSource;
use crate::{Defect, ImportError, ImportOptions, OnDefect, SourceInfo, build, read};
use std::path::Path;
use tradewind_domain::Timestamp;

/// Funding rates of one instrument, ascending in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FundingSeries {
    /// When it was due, and the rate as a mantissa of [`Self::decimals`]; 0.0001 is 0.01 %. Times are as recorded: venues
    /// are milliseconds late now and then.
    pub rates: Vec<(Timestamp, i64)>,
    /// Decimals of the rates.
    pub decimals: u8,
    /// Where they came from.
    pub source: SourceInfo,
    /// What is wrong with the file.
    pub defects: Vec<Defect>,
}

/// Reads a funding file in freqtrade's layout: bars whose `open` is the rate.
///
/// # Errors
/// [`ImportError`], as [`crate::read_bars`].
pub fn read_funding(path: &Path, options: &ImportOptions) -> Result<FundingSeries, ImportError> {
    let mut source: Box<dyn RowSource> = read::open_rows(path, options)?;
    let mut log = DefectLog::default();
    let mut rows = Vec::new();
    while let Some(row) = source.next_row(&mut log)? {
        rows.push(row);
    }
    if build::refuse_funding(path, &rows).is_ok() {
        return Err(ImportError::unfit(
            "HIS-05",
            path,
            "high, low and close are not all 0: these are no funding rates",
        ));
    }
    build::put_in_order(&mut rows, source.shape(), &mut log);
    if options.on_defect == OnDefect::Refuse {
        ImportError::refuse(path, &log.list)?;
    }
    let (decimals, _) = build::decimals(&rows, &ImportOptions::default());
    let rate =
        |row: &crate::rows::RawRow| row.prices[0].at(decimals).map(|m| (Timestamp::from_nanos(row.stamp.utc), m));
    let rates = rows.iter().filter_map(rate).collect();
    let sha256 = if options.hash { Some(read::sha256(path, &options.progress)?) } else { None };
    let source = build::info(path, source.shape(), source.rows(), sha256, options);
    Ok(FundingSeries { rates, decimals, source, defects: log.list })
}
