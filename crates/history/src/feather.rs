//! Arrow IPC files (Feather v2), batch by batch; the reading of Arrow columns is shared with Parquet.

use crate::defect::{Defect, DefectLog, Effect};
use crate::moment::{Clock, Stamp, Unit, in_range};
use crate::number::{self, Number, NumberFault, Quality};
use crate::rows::{RawRow, RowSource, Shape, find_columns};
use crate::{Format, ImportError, Progress, lengths};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_ipc::reader::FileReader;
use arrow_schema::{ArrowError, DataType, Schema, TimeUnit};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Opens a Feather file of bars.
pub(crate) fn open(path: &Path, file: File, progress: &Progress) -> Result<ArrowRows, ImportError> {
    let bytes = length(&file);
    let reader = reader(path, file)?;
    let (schema, count) = (reader.schema(), reader.num_batches() as u64);
    ArrowRows::new(path, Format::Feather, &schema, progress.batches(guarded(reader), bytes, count, |_| 1))
}

/// The names of the columns of any Feather file, and its batches.
pub(crate) fn batches(path: &Path, file: File, progress: &Progress) -> Result<(Vec<String>, Batches), ImportError> {
    let bytes = length(&file);
    let reader = reader(path, file)?;
    let names = reader.schema().fields().iter().map(|field| field.name().clone()).collect();
    let count = reader.num_batches() as u64;
    Ok((names, progress.batches(guarded(reader), bytes, count, |_| 1)))
}

/// Bytes of a file; 0 where the system does not say.
pub(crate) fn length(file: &File) -> u64 {
    file.metadata().map_or(0, |about| about.len())
}

fn reader(path: &Path, file: File) -> Result<FileReader<BufReader<File>>, ImportError> {
    let read = || {
        lengths::check(&file)?;
        FileReader::try_new(BufReader::new(file), None)
    };
    guard(read).map_err(|error| damaged(path, &error))
}

/// Runs a decoder on bytes that may be damaged. The decoders of Arrow and Parquet panic on some damage that they do not
/// check; a damaged file is an error of the file and must not end the program.
pub(crate) fn guard<T, E: From<ArrowError>>(decode: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(ArrowError::ParseError(format!("the decoder gave up: {}", text.unwrap_or("no reason given"))).into())
    })
}

/// Batches of a reader that may panic; it is not asked again after that.
pub(crate) fn guarded(mut reader: impl Iterator<Item = Result<RecordBatch, ArrowError>> + Send + 'static) -> Batches {
    let mut over = false;
    Box::new(std::iter::from_fn(move || {
        if over {
            return None;
        }
        let next = guard(|| reader.next().transpose()).transpose();
        over = !matches!(next, Some(Ok(_)));
        next
    }))
}

pub(crate) fn damaged(path: &Path, error: &ArrowError) -> ImportError {
    ImportError::unfit("HIS-03", path, format!("the file is cut or damaged: {error}"))
}

pub(crate) type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

/// The rows of a file of Arrow record batches.
pub(crate) struct ArrowRows {
    path: PathBuf,
    batches: Batches,
    columns: [usize; 5],
    volume: Option<usize>,
    shape: Shape,
    clock: Option<Clock>,
    /// Decimals that the last number of each column needed: the first to try next.
    hints: [u8; 5],
    ready: std::vec::IntoIter<RawRow>,
    row: u64,
}

impl ArrowRows {
    pub(crate) fn new(path: &Path, format: Format, schema: &Schema, batches: Batches) -> Result<Self, ImportError> {
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        let (columns, volume) = find_columns(&names).map_err(|what| ImportError::unfit("HIS-05", path, what))?;
        let mut titles = ["", "", "", "", "", "volume"].map(str::to_owned);
        columns.iter().enumerate().for_each(|(i, column)| titles[i].clone_from(&names[*column]));
        if let Some(volume) = volume {
            titles[5].clone_from(&names[volume]);
        }
        let plain = ["time", "open", "high", "low", "close", "volume"];
        let used = plain.iter().zip(&titles).take(if volume.is_some() { 6 } else { 5 });
        let shape = Shape {
            format,
            member: None,
            columns: used.map(|(plain, title)| format!("{plain}={title}")).collect(),
            names: titles.clone(),
            time_format: format!("Arrow {}", schema.field(columns[0]).data_type()),
            quote_side: None,
            has_volume: volume.is_some(),
            lean: false,
        };
        let (hints, ready) = ([0; 5], Vec::new().into_iter());
        Ok(Self { path: path.to_owned(), batches, columns, volume, shape, clock: None, hints, ready, row: 0 })
    }

    fn convert(&mut self, batch: &RecordBatch, log: &mut DefectLog) -> Result<(), ImportError> {
        let count = batch.num_rows();
        let unfit = |what: String| ImportError::unfit("HIS-05", &self.path, what);
        let times = times(batch.column(self.columns[0]), &mut self.clock)
            .ok_or_else(|| unfit(format!("column `{}` holds no times", self.shape.names[0])))?;
        let mut numbers = Vec::with_capacity(5);
        for (index, column) in self.columns[1..].iter().chain(self.volume.iter()).enumerate() {
            let read = numbers_of(batch.column(*column), &mut self.hints[index]);
            numbers
                .push(read.ok_or_else(|| unfit(format!("column `{}` holds no numbers", self.shape.names[index + 1])))?);
        }
        let mut rows = Vec::with_capacity(count);
        for at in 0..count {
            self.row += 1;
            if let Some(row) = self.row_at(at, &times, &numbers, log) {
                rows.push(row);
            }
        }
        self.ready = rows.into_iter();
        Ok(())
    }

    fn row_at(&self, at: usize, times: &[Option<i64>], numbers: &[Vec<Cell>], log: &mut DefectLog) -> Option<RawRow> {
        let mut whole = true;
        if times[at].is_none() {
            let defect = Defect::error("HIS-10", self.row, &self.shape.names[0], "null or out of range");
            log.push(defect.with(Effect::LeftOut));
            whole = false;
        }
        let mut values = [None; 5];
        for (index, column) in numbers.iter().enumerate() {
            let name = &self.shape.names[index + 1];
            match &column[at] {
                Ok((number, quality, float)) => {
                    log.quality(*quality, self.row, name, || float.to_string());
                    values[index] = Some(*number);
                }
                Err((NumberFault::Empty, _)) if index == 4 => log.no_volume(self.row, name, "null"),
                Err((fault, text)) => {
                    log.push(Defect::error(fault.code(), self.row, name, text.clone()).with(Effect::LeftOut));
                    whole = false;
                }
            }
        }
        let stamp = Stamp { utc: times[at]?, offset: 0 };
        let prices = [values[0]?, values[1]?, values[2]?, values[3]?];
        whole.then_some(RawRow { row: self.row, stamp, prices, volume: values[4] })
    }
}

impl RowSource for ArrowRows {
    fn next_row(&mut self, log: &mut DefectLog) -> Result<Option<RawRow>, ImportError> {
        loop {
            if let Some(row) = self.ready.next() {
                return Ok(Some(row));
            }
            match self.batches.next() {
                None => return Ok(None),
                Some(Err(error)) => return Err(damaged(&self.path, &error)),
                Some(Ok(batch)) => self.convert(&batch, log)?,
            }
        }
    }
    fn shape(&self) -> &Shape {
        &self.shape
    }
    fn rows(&self) -> u64 {
        self.row
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
            let days = column.as_primitive::<arrow_array::types::Date32Type>().iter();
            scaled(days.map(|day| day.map(i64::from)), 86_400_000_000_000)
        }
        DataType::Date64 => scaled(column.as_primitive::<arrow_array::types::Date64Type>().iter(), 1_000_000),
        DataType::Int64 => {
            let counts = column.as_primitive::<Int64Type>();
            let unit = counts.iter().flatten().find_map(Unit::of);
            if clock.is_none() {
                *clock = unit.map(Clock::Unix);
            }
            let Some(Clock::Unix(unit)) = clock else { return None };
            counts.iter().map(|count| unit.read(count?)).collect()
        }
        DataType::Utf8 => {
            let texts = column.as_string::<i32>();
            texts.iter().map(|text| Clock::Text.read(text?.as_bytes(), None).map(|stamp| stamp.utc)).collect()
        }
        DataType::LargeUtf8 => {
            let texts = column.as_string::<i64>();
            texts.iter().map(|text| Clock::Text.read(text?.as_bytes(), None).map(|stamp| stamp.utc)).collect()
        }
        _ => return None,
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
        DataType::Int64 => column.as_primitive::<Int64Type>().iter().map(whole).collect(),
        DataType::Int32 => column.as_primitive::<Int32Type>().iter().map(|v| whole(v.map(i64::from))).collect(),
        DataType::UInt64 => {
            let large = || Err((NumberFault::TooLarge, "beyond 63 bits".to_owned()));
            let counts = column.as_primitive::<UInt64Type>().iter();
            counts
                .map(|v| v.map_or_else(empty, |v| i64::try_from(v).map_or_else(|_| large(), |v| whole(Some(v)))))
                .collect()
        }
        DataType::Utf8 => column.as_string::<i32>().iter().map(text).collect(),
        DataType::LargeUtf8 => column.as_string::<i64>().iter().map(text).collect(),
        _ => return None,
    })
}

/// Texts of a column of text, whole numbers or truth values; a null is empty. `None` for any other column.
pub(crate) fn texts(column: &ArrayRef) -> Option<Vec<String>> {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    Some(match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().iter().map(text).collect(),
        DataType::LargeUtf8 => column.as_string::<i64>().iter().map(text).collect(),
        DataType::Int64 => {
            let counts = column.as_primitive::<Int64Type>().iter();
            counts.map(|value| value.map(|count| count.to_string()).unwrap_or_default()).collect()
        }
        DataType::Boolean => {
            let truths = column.as_boolean().iter();
            truths.map(|value| value.map(|truth| truth.to_string()).unwrap_or_default()).collect()
        }
        _ => return None,
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
    let text = |cell| match cell {
        Ok((number, Quality::Exact, _)) => Number::text(number),
        Ok((_, _, float)) => f64::to_string(&float),
        Err((NumberFault::Empty, _)) => String::new(),
        Err((_, text)) => text,
    };
    Some(numbers_of(column, &mut 0)?.into_iter().map(text).collect())
}
