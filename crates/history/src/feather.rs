//! Arrow IPC files (Feather v2), batch by batch; what becomes of the batches is shared with Parquet.

use crate::columns::{self, Cell};
use crate::defect::{Defect, Effect};
use crate::defects::Defects;
use crate::moment::{Clock, Stamp};
use crate::number::NumberFault;
use crate::rows::{RawRow, RowSource, Shape, find_columns, ticks_beside};
use crate::{Format, ImportError, Progress, lengths};
use arrow_array::{Array, RecordBatch};
use arrow_ipc::reader::FileReader;
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
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

/// The columns of any Feather file, and its batches.
pub(crate) fn batches(path: &Path, file: File, progress: &Progress) -> Result<(SchemaRef, Batches), ImportError> {
    let bytes = length(&file);
    let reader = reader(path, file)?;
    let (schema, count) = (reader.schema(), reader.num_batches() as u64);
    Ok((schema, progress.batches(guarded(reader), bytes, count, |_| 1)))
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
            ticks: ticks_beside(&names, volume),
            lean: false,
        };
        let (hints, ready) = ([0; 5], Vec::new().into_iter());
        Ok(Self { path: path.to_owned(), batches, columns, volume, shape, clock: None, hints, ready, row: 0 })
    }

    fn convert(&mut self, batch: &RecordBatch, log: &mut Defects) -> Result<(), ImportError> {
        let count = batch.num_rows();
        let (path, names) = (&self.path, &self.shape.names);
        let column = batch.column(self.columns[0]);
        let times = columns::times(column, &mut self.clock);
        let times = times.ok_or_else(|| unfit(path, &names[0], column.data_type(), "times"))?;
        let mut numbers = Vec::with_capacity(5);
        for (index, column) in self.columns[1..].iter().chain(self.volume.iter()).enumerate() {
            let column = batch.column(*column);
            let read = columns::numbers_of(column, &mut self.hints[index]);
            numbers.push(read.ok_or_else(|| unfit(path, &names[index + 1], column.data_type(), "numbers"))?);
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

    fn row_at(&self, at: usize, times: &[Option<i64>], numbers: &[Vec<Cell>], log: &mut Defects) -> Option<RawRow> {
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
                Err((NumberFault::Empty, _)) if index == 4 => {} // judged when it is known whether any row has one
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

/// Why a column cannot be read as what it should hold.
fn unfit(path: &Path, name: &str, kind: &DataType, what: &str) -> ImportError {
    let code = if columns::is_read(kind) { "HIS-05" } else { "HIS-48" };
    ImportError::unfit(code, path, format!("column `{name}` of the type {kind} holds no {what} that can be read"))
}

impl RowSource for ArrowRows {
    fn next_row(&mut self, log: &mut Defects) -> Result<Option<RawRow>, ImportError> {
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
