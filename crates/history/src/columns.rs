//! What Arrow columns hold, of Feather and Parquet alike: times, numbers and texts of every type that loses nothing.

use crate::moment::{Clock, Unit, in_range};
use crate::number::{self, Number, NumberFault, Quality};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use tradewind_domain::format_decimal;

/// Most digits of a decimal, before or behind its dot: what 128 bits hold.
const DIGITS_MAX: u8 = 38;

/// Whether columns of this type are read: times, whole numbers, floats of 32 and 64 bits, decimals of up to 128, texts (also as
/// a dictionary) and truth values.
pub(crate) fn is_read(kind: &DataType) -> bool {
    match kind {
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => {
            scale.unsigned_abs() <= DIGITS_MAX
        }
        DataType::Dictionary(_, values) => values.is_string(),
        DataType::Timestamp(..)
        | DataType::Date32
        | DataType::Date64
        | DataType::Float32
        | DataType::Float64
        | DataType::Boolean => true,
        _ => kind.is_integer() || kind.is_string(),
    }
}

/// A number with how it was read and the float it was, or why there is none, with its text.
pub(crate) type Cell = Result<(Number, Quality, f64), (NumberFault, String)>;

/// Times of a column in nanoseconds; `None` for a column that holds none.
pub(crate) fn times(column: &ArrayRef, clock: &mut Option<Clock>) -> Option<Vec<Option<i64>>> {
    fn scaled(values: impl Iterator<Item = Option<i64>>, unit: i64) -> Vec<Option<i64>> {
        values.map(|value| value.and_then(|count| count.checked_mul(unit)).and_then(in_range)).collect()
    }
    Some(match column.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            scaled(column.as_primitive::<TimestampSecondType>().iter(), 1_000_000_000)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            scaled(column.as_primitive::<TimestampMillisecondType>().iter(), 1_000_000)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            scaled(column.as_primitive::<TimestampMicrosecondType>().iter(), 1_000)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            scaled(column.as_primitive::<TimestampNanosecondType>().iter(), 1)
        }
        DataType::Date32 => {
            let days = column.as_primitive::<Date32Type>().iter();
            scaled(days.map(|day| day.map(i64::from)), 86_400_000_000_000)
        }
        DataType::Date64 => scaled(column.as_primitive::<Date64Type>().iter(), 1_000_000),
        kind if kind.is_integer() => {
            let counts = whole_numbers(column)?;
            if clock.is_none() {
                *clock = counts.iter().flatten().copied().find_map(Unit::of).map(Clock::Unix);
            }
            let Some(Clock::Unix(unit)) = clock else { return None };
            counts.into_iter().map(|count| unit.read(count?)).collect()
        }
        _ => {
            let texts = words(column)?;
            if clock.is_none() {
                *clock = texts.iter().flatten().find_map(|text| Clock::of(text.as_bytes()));
            }
            let clock = clock.as_ref().unwrap_or(&Clock::Text);
            texts.iter().map(|text| clock.read(text.as_ref()?.as_bytes(), None).map(|stamp| stamp.utc)).collect()
        }
    })
}

/// Numbers of a column; `None` for a column that holds none.
pub(crate) fn numbers_of(column: &ArrayRef, hint: &mut u8) -> Option<Vec<Cell>> {
    let empty = || Err((NumberFault::Empty, "null".to_owned()));
    let mut float = |value: Option<f64>| match value {
        None => empty(),
        Some(value) => match number::from_f64(value, *hint) {
            Ok((number, quality)) => {
                if quality == Quality::Exact {
                    *hint = number.decimals;
                }
                Ok((number, quality, value))
            }
            Err(fault) => Err((fault, value.to_string())),
        },
    };
    let whole = |value: Option<i64>| value.map_or_else(empty, |v| Ok((Number::new(v, 0), Quality::Exact, 0.0)));
    let text = |value: Option<&str>| match value {
        None => empty(),
        Some(text) => number::parse(text.as_bytes())
            .map(|(number, quality)| (number, quality, text.parse().unwrap_or(f64::NAN)))
            .map_err(|fault| (fault, text.to_owned())),
    };
    Some(match column.data_type() {
        DataType::Float64 => column.as_primitive::<Float64Type>().iter().map(&mut float).collect(),
        DataType::Float32 => {
            let singles = column.as_primitive::<Float32Type>().iter();
            let single = |value: f32| number::from_f32(value).map(|(n, q)| (n, q, f64::from(value)));
            singles.map(|v| v.map_or_else(empty, |v| single(v).map_err(|fault| (fault, v.to_string())))).collect()
        }
        DataType::UInt64 => {
            let large = |count: u64| Err((NumberFault::TooLarge, count.to_string()));
            let number = |count: u64| i64::try_from(count).map_or_else(|_| large(count), |count| whole(Some(count)));
            column.as_primitive::<UInt64Type>().iter().map(|count| count.map_or_else(empty, number)).collect()
        }
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) => {
            decimals(column)?.iter().map(|number| text(number.as_deref())).collect()
        }
        DataType::Utf8 => column.as_string::<i32>().iter().map(text).collect(),
        DataType::LargeUtf8 => column.as_string::<i64>().iter().map(text).collect(),
        kind if kind.is_integer() => whole_numbers(column)?.into_iter().map(whole).collect(),
        _ => words(column)?.iter().map(|word| text(word.as_deref())).collect(),
    })
}

/// Texts of a column of text, whole numbers or truth values; a null is empty. `None` for any other column.
fn texts(column: &ArrayRef) -> Option<Vec<String>> {
    fn spoken<T: ToString>(values: impl Iterator<Item = Option<T>>) -> Vec<String> {
        values.map(|value| value.map(|value| value.to_string()).unwrap_or_default()).collect()
    }
    Some(match column.data_type() {
        DataType::Boolean => spoken(column.as_boolean().iter()),
        DataType::UInt64 => spoken(column.as_primitive::<UInt64Type>().iter()),
        kind if kind.is_integer() => spoken(whole_numbers(column)?.into_iter()),
        _ => words(column)?.into_iter().map(Option::unwrap_or_default).collect(),
    })
}

/// Cells of a column of times, numbers, texts or truth values as text, times as Unix nanoseconds; a null is empty. What the
/// text of a number reads as is what [`numbers_of`] gives. `None` for any other column.
pub(crate) fn cells(column: &ArrayRef) -> Option<Vec<String>> {
    if matches!(column.data_type(), DataType::Timestamp(..) | DataType::Date32 | DataType::Date64) {
        let times = times(column, &mut None)?;
        return Some(times.into_iter().map(|time| time.map(|nanos| nanos.to_string()).unwrap_or_default()).collect());
    }
    if let Some(texts) = texts(column) {
        return Some(texts);
    }
    if let Some(decimals) = decimals(column) {
        return Some(decimals.into_iter().map(Option::unwrap_or_default).collect());
    }
    let text = |cell| match cell {
        Ok((number, Quality::Exact, _)) => Number::text(number),
        Ok((_, _, float)) => f64::to_string(&float),
        Err((NumberFault::Empty, _)) => String::new(),
        Err((_, text)) => text,
    };
    Some(numbers_of(column, &mut 0)?.into_iter().map(text).collect())
}

/// Numbers of a column of whole numbers; one beyond 63 bits is none, and `None` stands for any other column.
fn whole_numbers(column: &ArrayRef) -> Option<Vec<Option<i64>>> {
    fn of<T: ArrowPrimitiveType>(column: &ArrayRef) -> Vec<Option<i64>>
    where
        i64: TryFrom<T::Native>,
    {
        column.as_primitive::<T>().iter().map(|count| i64::try_from(count?).ok()).collect()
    }
    Some(match column.data_type() {
        DataType::Int8 => of::<Int8Type>(column),
        DataType::Int16 => of::<Int16Type>(column),
        DataType::Int32 => of::<Int32Type>(column),
        DataType::Int64 => of::<Int64Type>(column),
        DataType::UInt8 => of::<UInt8Type>(column),
        DataType::UInt16 => of::<UInt16Type>(column),
        DataType::UInt32 => of::<UInt32Type>(column),
        DataType::UInt64 => of::<UInt64Type>(column),
        _ => return None,
    })
}

/// Texts of a column of decimals, with all of their digits; `None` for any other column.
fn decimals(column: &ArrayRef) -> Option<Vec<Option<String>>> {
    fn of<T: ArrowPrimitiveType>(column: &ArrayRef, scale: i8) -> Vec<Option<String>>
    where
        i128: From<T::Native>,
    {
        let text = |value: T::Native| match (i128::from(value), u8::try_from(scale)) {
            (0, _) => "0".to_owned(),
            (value, Ok(places)) => format_decimal(value, places),
            (value, Err(_)) => format!("{value}{}", "0".repeat(scale.unsigned_abs().into())),
        };
        column.as_primitive::<T>().iter().map(|value| value.map(text)).collect()
    }
    if !is_read(column.data_type()) {
        return None;
    }
    Some(match column.data_type() {
        DataType::Decimal32(_, scale) => of::<Decimal32Type>(column, *scale),
        DataType::Decimal64(_, scale) => of::<Decimal64Type>(column, *scale),
        DataType::Decimal128(_, scale) => of::<Decimal128Type>(column, *scale),
        _ => return None,
    })
}

/// Texts of a column of text, also as a dictionary; `None` for any other column.
fn words(column: &ArrayRef) -> Option<Vec<Option<String>>> {
    fn owned<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> Vec<Option<String>> {
        texts.map(|text| text.map(str::to_owned)).collect()
    }
    Some(match column.data_type() {
        DataType::Utf8 => owned(column.as_string::<i32>().iter()),
        DataType::LargeUtf8 => owned(column.as_string::<i64>().iter()),
        DataType::Utf8View => owned(column.as_string_view().iter()),
        kind @ DataType::Dictionary(..) if is_read(kind) => {
            let dictionary = column.as_any_dictionary();
            let all = words(dictionary.values())?;
            if all.is_empty() {
                return Some(vec![None; column.len()]); // nulls alone
            }
            let keys = dictionary.normalized_keys().into_iter().enumerate();
            keys.map(|(at, key)| if column.is_null(at) { None } else { all[key].clone() }).collect()
        }
        _ => return None,
    })
}
