//! Splits and dividends: LEAN's factor files, and the adjustment of raw prices by them.

use crate::moment::read_text;
use crate::number::{self, Number};
use crate::{BarSeries, ImportError, layout};
use std::path::{Path, PathBuf};
use tradewind_domain::{Bar, Interval, Price, Quantity, Timestamp, format_decimal, pow10, round_div};

/// Decimals of adjusted prices.
const ADJUSTED_DECIMALS: u8 = 8;
const DAY: i64 = 86_400_000_000_000;
/// A reference price is the close of its date if it lies no further from it than one part in so many.
const NEAR: i128 = 20;

/// One row of a factor file: valid for every bar up to and including its date.
#[derive(Clone, Copy, Debug)]
struct Factor {
    row: usize,
    day: i64,
    price: Number,
    split: Number,
    /// The raw close of its date: the last one before the split or the dividend. `None` where the file gives none.
    reference: Option<Number>,
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
            let factor = factor(number, line).ok_or_else(|| bad("not a date and two positive factors"))?;
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

    /// Refuses factors of which most name closes that the raw bars of `series` do not have. A row whose date has no bar is not
    /// judged, and a few may be wrong: recorded files hold rows of before a merger.
    ///
    /// # Errors
    /// [`ImportError`] with code HIS-28, the first such row, its reference price and the close.
    fn check(&self, series: &BarSeries, day_of: impl Fn(&Bar) -> i64) -> Result<(), ImportError> {
        if series.interval > Interval::DAY {
            return Ok(()); // their closes are those of other days
        }
        let decimals = series.instrument.price_decimals;
        let closing = |day: i64| {
            let until = series.bars.partition_point(|bar| day_of(bar) <= day);
            series.bars[..until].last().filter(|bar| day_of(bar) == day)
        };
        let judged: Vec<(&Factor, Number, &Bar)> =
            self.rows.iter().filter_map(|row| Some((row, row.reference?, closing(row.day)?))).collect();
        let is_strange = |(_, reference, bar): &&(&Factor, Number, &Bar)| !is_near(*reference, bar.close, decimals);
        let strange = judged.iter().filter(is_strange).count();
        let Some((factor, reference, bar)) = judged.iter().find(is_strange).filter(|_| 2 * strange > judged.len())
        else {
            return Ok(());
        };
        let price = format_decimal(i128::from(reference.mantissa), reference.decimals);
        let close = format_decimal(i128::from(bar.close.mantissa()), decimals);
        let (row, at, all) = (factor.row, bar.open_time, judged.len());
        let what = format!(
            "row {row}: the reference price {price} is not {close}, the close of the bar of {at} ({strange} of {all} rows are \
             of other prices): the factors are of another share, or the bars were adjusted before"
        );
        Err(ImportError::unfit("HIS-28", &self.path, what))
    }
}

fn factor(row: usize, line: &[u8]) -> Option<Factor> {
    let cells = layout::split(line, b',');
    let [date, price, split, reference] = cells.as_slice() else { return None };
    let positive = |cell: &[u8]| number::parse(cell).ok().map(|(number, _)| number).filter(|n| n.mantissa > 0);
    let (midnight, _) = read_text(date)?;
    // 0 and 1 stand in rows that no split or dividend follows
    let reference = positive(reference).filter(|price| price.trimmed() != Number::new(1, 0));
    Some(Factor { row, day: midnight.div_euclid(DAY), price: positive(price)?, split: positive(split)?, reference })
}

/// Whether `reference` is about the price `close`, which has so many decimals.
fn is_near(reference: Number, close: Price, decimals: u8) -> bool {
    let close = i128::from(close.mantissa()) * pow10(u32::from(reference.decimals));
    let away = i128::from(reference.mantissa) * pow10(u32::from(decimals)) - close;
    away.abs() * NEAR <= close.abs()
}

/// Adjusts raw prices for splits and dividends: price × price factor × split factor of the bar's date, rounded once, half
/// to even, to 8 decimals; volume ÷ split factor, rounded likewise to its own decimals.
///
/// The date of a bar shorter than a day is that of the zone in which its file was read.
///
/// # Errors
/// [`ImportError`] with code HIS-28 if a bar lies past the last row or most reference prices are not the closes of their
/// dates, HIS-22 if a number leaves 64 bits, HIS-35 if the series was adjusted before. The series is then left as it was.
pub fn adjust(series: &mut BarSeries, factors: &FactorFile) -> Result<(), ImportError> {
    const STEP: &str = "adjusted for splits and dividends";
    let path = &factors.path;
    if series.source.steps.iter().any(|step| step == STEP) {
        return Err(ImportError::needs("HIS-35", path, "the series was adjusted before"));
    }
    let zone = jiff::tz::TimeZone::get(&series.source.zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let daily = series.interval >= Interval::DAY;
    let day_of = |bar: &Bar| if daily { bar.open_time.utc_day() } else { local_day(bar.open_time, &zone) };
    factors.check(series, day_of)?;
    let decimals = series.instrument.price_decimals;
    let mut bars = series.bars.clone();
    for bar in &mut bars {
        let factor = factors.of(day_of(bar)).ok_or_else(|| {
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
