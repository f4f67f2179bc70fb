//! Funding rates: what the longs of a perpetual pay the shorts.

use crate::defect::{Defect, Effect, Severity};
use crate::defects::Defects;
use crate::read::FileHash;
use crate::rows::{RawRow, RowSource};
use crate::validate::counted_are;
use crate::{ImportError, ImportOptions, OnDefect, SourceInfo, build, read, ticks};
use std::cmp::Reverse;
use std::path::Path;
use tradewind_domain::Timestamp;

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
/// Steps before and behind one that tell the usual distance of payments there: venues change it now and then.
const AROUND: usize = 5;
/// A payment of more than one part in so many of the notional, 5 %, is suspect: on most contracts venues cap it at 2 % or 3 %.
const SUSPECT_PART: i128 = 20;

/// Funding rates of one instrument, ascending in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FundingSeries {
    /// When it was due, and the rate as a mantissa of [`Self::decimals`]; 0.0001 is 0.01 %. No second has two. Times are as
    /// recorded: venues are milliseconds late now and then.
    pub rates: Vec<(Timestamp, i64)>,
    /// Decimals of the rates.
    pub decimals: u8,
    /// Where they came from.
    pub source: SourceInfo,
    /// What is wrong with the file.
    pub defects: Defects,
}

/// Reads a funding file in freqtrade's layout: bars whose `open` is the rate.
///
/// A second payment of a second is left out (HIS-13). Payments that are missing among regular ones (HIS-14) and rates beyond
/// 5 % (HIS-49) are warnings.
///
/// # Errors
/// [`ImportError`], as [`crate::read_bars`].
pub fn read_funding(path: &Path, options: &ImportOptions) -> Result<FundingSeries, ImportError> {
    let hash = FileHash::begin(path, options)?;
    let mut source: Box<dyn RowSource> = read::rows_of(path, options)?;
    let mut log = Defects::default();
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
    let (decimals, _) = build::decimals(&rows, &ImportOptions::default());
    let rates = payments(&rows, decimals, &source.shape().names, &mut log);
    log.sort();
    if options.on_defect == OnDefect::Refuse {
        ImportError::refuse(path, &log, source.rows())?;
    }
    let source = SourceInfo { sha256: hash.end()?, ..build::info(path, source.shape(), source.rows(), options) };
    Ok(FundingSeries { rates, decimals, source, defects: log })
}

/// What is paid by these rows, which are in order of time, and when: each second once.
fn payments(rows: &[RawRow], decimals: u8, names: &[String; 6], log: &mut Defects) -> Vec<(Timestamp, i64)> {
    let second = |at: Timestamp| at.nanos().div_euclid(SECOND);
    let mut rates: Vec<(Timestamp, i64)> = Vec::with_capacity(rows.len());
    let mut numbers = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(rate) = ticks::mantissa(row.prices[0], decimals, row.row, &names[1], log) else { continue };
        let at = Timestamp::from_nanos(row.stamp.utc);
        if let Some((last, paid)) = rates.last()
            && second(*last) == second(at)
        {
            let same = *paid == rate;
            let what = if same { "the same payment twice" } else { "two rates of one second; the first is kept" };
            let defect = Defect::error("HIS-13", row.row, &names[0], at.to_string());
            log.push(defect.saying(what).with(Effect::LeftOut));
            continue;
        }
        if i128::from(rate).abs() * SUSPECT_PART > 10_i128.pow(decimals.into()) {
            log.push(Defect::new("HIS-49", Severity::Warning, row.row, &names[1], row.prices[0].text()));
        }
        rates.push((at, rate));
        numbers.push(row.row);
    }
    name_holes(&rates, &numbers, &names[0], log);
    rates
}

/// Names the payments that are missing before each of `rates`: those of the rows of these `numbers`. A step that its neighbour
/// repeats is a new interval and no hole, and of the first and the last step nobody can tell.
fn name_holes(rates: &[(Timestamp, i64)], numbers: &[u64], title: &str, log: &mut Defects) {
    let minute = |at: Timestamp| (at.nanos() + MINUTE / 2).div_euclid(MINUTE); // venues are moments late
    let steps: Vec<i64> = rates.windows(2).map(|pair| minute(pair[1].0) - minute(pair[0].0)).collect();
    for (at, around) in (1_usize..).zip(steps.windows(3)) {
        let &[before, step, behind] = around else { continue };
        if before == step || behind == step {
            continue;
        }
        let usual = commonest(&steps[at.saturating_sub(AROUND)..steps.len().min(at + AROUND + 1)]);
        if usual > 0 && step > usual && step % usual == 0 {
            let missing = counted_are((step / usual - 1).unsigned_abs(), "payment");
            let what = format!("{missing} missing or left out after {}", rates[at].0);
            let value = rates[at + 1].0.to_string();
            log.push(Defect::new("HIS-14", Severity::Warning, numbers[at + 1], title, value).saying(what));
        }
    }
}

/// The commonest of these steps, of several the shortest; 0 of none.
fn commonest(steps: &[i64]) -> i64 {
    let count = |step: i64| steps.iter().filter(|other| **other == step).count();
    steps.iter().copied().max_by_key(|step| (count(*step), Reverse(*step))).unwrap_or(0)
}
