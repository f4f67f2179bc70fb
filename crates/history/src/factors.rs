//! Splits and dividends: LEAN's factor files, and the adjustment of raw prices by them.

use crate::moment::read_text;
use crate::number::{self, Number};
use crate::{BarSeries, ImportError, layout};
use std::path::{Path, PathBuf};
use tradewind_domain::{Interval, Price, Quantity, Timestamp, pow10, round_div};

/// Decimals of adjusted prices.
const ADJUSTED_DECIMALS: u8 = 8;
const DAY: i64 = 86_400_000_000_000;

/// One row of a factor file: valid for every bar up to and including its date.
#[derive(Clone, Copy, Debug)]
struct Factor {
    day: i64,
    price: Number,
    split: Number,
}

/// The factors of one share.
#[derive(Clone, Debug)]
pub struct FactorFile {
    path: PathBuf,
    rows: Vec<Factor>,
}

impl FactorFile {
    /// Reads a factor file: `yyyymmdd,price factor,split factor,reference price` a row, dates ascending, no header.
    ///
    /// # Errors
    /// [`ImportError`] with code HIS-28, the row and the text, if a row is not of that form.
    pub fn read(path: &Path) -> Result<Self, ImportError> {
        let text = std::fs::read(path).map_err(|source| ImportError::io(path, source))?;
        let mut rows: Vec<Factor> = Vec::new();
        let lines = text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).zip(1..);
        for (line, number) in lines.filter(|(line, _)| !line.is_empty()) {
            let bad = |what: &str| {
                let text = String::from_utf8_lossy(line);
                ImportError::unfit("HIS-28", path, format!("row {number}: {what}: `{text}`"))
            };
            let factor = factor(line).ok_or_else(|| bad("not a date and two positive factors"))?;
            if rows.last().is_some_and(|last| last.day >= factor.day) {
                return Err(bad("the date is not after the one before"));
            }
            rows.push(factor);
        }
        if rows.is_empty() {
            return Err(ImportError::unfit("HIS-28", path, "the file holds no rows"));
        }
        Ok(Self { path: path.to_owned(), rows })
    }

    /// The factors of a bar of `day`: the first row whose date is not before it.
    fn of(&self, day: i64) -> Option<&Factor> {
        self.rows.get(self.rows.partition_point(|row| row.day < day))
    }
}

fn factor(line: &[u8]) -> Option<Factor> {
    let cells = layout::split(line, b',');
    let [date, price, split, _] = cells.as_slice() else { return None };
    let positive = |cell: &[u8]| number::parse(cell).ok().map(|(number, _)| number).filter(|n| n.mantissa > 0);
    let (midnight, _) = read_text(date)?;
    Some(Factor { day: midnight.div_euclid(DAY), price: positive(price)?, split: positive(split)? })
}

/// Adjusts raw prices for splits and dividends: price × price factor × split factor of the bar's date, rounded once, half
/// to even, to 8 decimals; volume ÷ split factor, rounded likewise to its own decimals.
///
/// The date of a bar shorter than a day is that of the zone in which its file was read.
///
/// # Errors
/// [`ImportError`] with code HIS-28 if a bar lies past the last row, HIS-22 if a number leaves 64 bits, HIS-35 if the
/// series was adjusted before. The series is then left as it was.
pub fn adjust(series: &mut BarSeries, factors: &FactorFile) -> Result<(), ImportError> {
    const STEP: &str = "adjusted for splits and dividends";
    let path = &factors.path;
    if series.source.steps.iter().any(|step| step == STEP) {
        return Err(ImportError::needs("HIS-35", path, "the series was adjusted before"));
    }
    let zone = jiff::tz::TimeZone::get(&series.source.zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let daily = series.interval >= Interval::DAY;
    let decimals = series.instrument.price_decimals;
    let mut bars = series.bars.clone();
    for bar in &mut bars {
        let day = if daily { bar.open_time.utc_day() } else { local_day(bar.open_time, &zone) };
        let factor = factors.of(day).ok_or_else(|| {
            ImportError::unfit("HIS-28", path, format!("no row is valid for the bar of {}", bar.open_time))
        })?;
        let large =
            || ImportError::unfit("HIS-22", path, format!("the adjusted bar of {} leaves 64 bits", bar.open_time));
        for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
            *price = Price::from_mantissa(adjusted(price.mantissa(), decimals, factor).ok_or_else(large)?);
        }
        let volume = i128::from(bar.volume.mantissa()) * pow10(u32::from(factor.split.decimals));
        let volume = i64::try_from(round_div(volume, i128::from(factor.split.mantissa))).map_err(|_| large())?;
        bar.volume = Quantity::from_mantissa(volume);
    }
    series.bars = bars;
    series.instrument.price_decimals = ADJUSTED_DECIMALS;
    series.source.steps.push(STEP.to_owned());
    Ok(())
}

fn adjusted(price: i64, decimals: u8, factor: &Factor) -> Option<i64> {
    let exact = i128::from(price).checked_mul(i128::from(factor.price.mantissa))?;
    let exact = exact.checked_mul(i128::from(factor.split.mantissa))?;
    let has = decimals + factor.price.decimals + factor.split.decimals;
    let value = match has.checked_sub(ADJUSTED_DECIMALS) {
        Some(extra) => round_div(exact, pow10(u32::from(extra))),
        None => exact.checked_mul(pow10(u32::from(ADJUSTED_DECIMALS - has)))?,
    };
    i64::try_from(value).ok()
}

fn local_day(time: Timestamp, zone: &jiff::tz::TimeZone) -> i64 {
    let offset =
        jiff::Timestamp::from_nanosecond(i128::from(time.nanos())).map_or(0, |at| zone.to_offset(at).seconds());
    time.plus_nanos(i64::from(offset) * 1_000_000_000).utc_day()
}
