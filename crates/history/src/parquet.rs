//! Parquet files, a few thousand rows at a time.

use crate::catalog::{CatalogError, Dataset};
use crate::feather::{ArrowRows, Batches, guard, guarded, length};
use crate::table_file::{TableFile, values_of, write_table};
use crate::{Format, ImportError, Progress};
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::basic::Compression;
use ::parquet::errors::ParquetError;
use arrow_schema::SchemaRef;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tradewind_domain::{Bar, InstrumentId, Price, Quantity, Timestamp};

/// Rows decoded at a time.
pub(crate) const BATCH: usize = 8_192;

/// Opens a Parquet file of bars.
pub(crate) fn open(path: &Path, file: File, progress: &Progress) -> Result<ArrowRows, ImportError> {
    let bytes = length(&file);
    let builder = builder(path, file)?;
    let rows = rows_of(&builder);
    let schema = builder.schema().clone();
    let reader = guard(|| builder.with_batch_size(BATCH).build()).map_err(|error| damaged(path, &error))?;
    let batches = progress.batches(guarded(reader), bytes, rows, |batch| batch.num_rows() as u64);
    ArrowRows::new(path, Format::Parquet, &schema, batches)
}

/// The columns of any Parquet file, and its batches.
pub(crate) fn batches(path: &Path, file: File, progress: &Progress) -> Result<(SchemaRef, Batches), ImportError> {
    let bytes = length(&file);
    let builder = builder(path, file)?;
    let rows = rows_of(&builder);
    let schema = Arc::clone(builder.schema());
    let reader = guard(|| builder.with_batch_size(BATCH).build()).map_err(|error| damaged(path, &error))?;
    Ok((schema, progress.batches(guarded(reader), bytes, rows, |batch| batch.num_rows() as u64)))
}

fn rows_of(builder: &ParquetRecordBatchReaderBuilder<File>) -> u64 {
    u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0)
}

fn builder(path: &Path, file: File) -> Result<ParquetRecordBatchReaderBuilder<File>, ImportError> {
    let builder = guard(|| ParquetRecordBatchReaderBuilder::try_new(file)).map_err(|error| damaged(path, &error))?;
    let mut columns = builder.metadata().row_groups().iter().flat_map(|group| group.columns());
    if columns.any(|column| matches!(column.compression(), Compression::LZO)) {
        return Err(ImportError::unfit("HIS-02", path, "its columns are packed with LZO, which is not read: use zstd"));
    }
    Ok(builder)
}

fn damaged(path: &Path, error: &ParquetError) -> ImportError {
    ImportError::unfit("HIS-03", path, format!("the file is cut or damaged: {error}"))
}

const COLUMNS: [&str; 6] = ["open_time", "open", "high", "low", "close", "volume"];

/// Writes a catalog file of bars and syncs it.
pub(crate) fn write_bars(path: &Path, dataset: &Dataset, bars: &[Bar]) -> Result<(), CatalogError> {
    let column = |part: &[Bar], which: usize| part.iter().map(|bar| mantissas(bar)[which]).collect();
    let parts = bars.chunks(BATCH).map(|part| (0..COLUMNS.len()).map(|which| column(part, which)).collect());
    write_table(path, &COLUMNS, parts, |digest| serde_json::to_string(&Dataset { digest, ..dataset.clone() }))
}

const fn mantissas(bar: &Bar) -> [i64; 6] {
    [
        bar.open_time.nanos(),
        bar.open.mantissa(),
        bar.high.mantissa(),
        bar.low.mantissa(),
        bar.close.mantissa(),
        bar.volume.mantissa(),
    ]
}

/// A catalog file of bars whose metadata was read and judged.
pub(crate) struct BarFile {
    table: TableFile,
    dataset: Dataset,
}

impl BarFile {
    pub(crate) fn open(path: &Path) -> Result<Self, CatalogError> {
        Self::of(TableFile::open(path)?)
    }

    pub(crate) fn of(table: TableFile) -> Result<Self, CatalogError> {
        let dataset = table.about()?;
        table.must_have(&COLUMNS, "bars")?;
        Ok(Self { table, dataset })
    }

    pub(crate) const fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// The bars whose open times lie in `span`; row groups outside it are not read.
    pub(crate) fn read(self, span: Range<Timestamp>) -> Result<BarFileReader, CatalogError> {
        let (path, whole, reader) = self.table.batches(&span)?;
        Ok(BarFileReader {
            path,
            dataset: self.dataset,
            reader,
            ready: Vec::new().into_iter(),
            span,
            digest: whole.then(Sha256::new),
            seen: 0,
            over: false,
        })
    }
}

/// Streams bars of a catalog file; see [`crate::Catalog::stream`].
pub struct BarFileReader {
    path: PathBuf,
    dataset: Dataset,
    reader: Batches,
    ready: std::vec::IntoIter<Bar>,
    span: Range<Timestamp>,
    /// Present when every row group is read.
    digest: Option<Sha256>,
    seen: u64,
    over: bool,
}

impl BarFileReader {
    /// What the file says of itself.
    #[must_use]
    pub const fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    fn fill(&mut self) -> Result<bool, CatalogError> {
        let Some(batch) = self.reader.next() else {
            self.finish()?;
            return Ok(false);
        };
        let batch = batch.map_err(|error| CatalogError::damaged(&self.path, error))?;
        let columns = values_of(&batch);
        let mut bars = Vec::with_capacity(batch.num_rows());
        let value = |which: usize, row: usize| columns[which][row];
        for row in 0..batch.num_rows() {
            let values: [i64; 6] = std::array::from_fn(|which| value(which, row));
            if let Some(digest) = &mut self.digest {
                values.iter().for_each(|value| digest.update(value.to_le_bytes()));
            }
            let bar = self.bar(values);
            if self.span.contains(&bar.open_time) {
                bars.push(bar);
            }
        }
        self.seen += batch.num_rows() as u64;
        self.ready = bars.into_iter();
        Ok(true)
    }

    const fn bar(&self, [open_time, open, high, low, close, volume]: [i64; 6]) -> Bar {
        Bar {
            instrument: InstrumentId(0),
            interval: self.dataset.interval,
            open_time: Timestamp::from_nanos(open_time),
            open: Price::from_mantissa(open),
            high: Price::from_mantissa(high),
            low: Price::from_mantissa(low),
            close: Price::from_mantissa(close),
            volume: Quantity::from_mantissa(volume),
        }
    }

    /// At the end of a file that was read whole: are these the bars that were stored?
    fn finish(&mut self) -> Result<(), CatalogError> {
        let Some(digest) = self.digest.take() else { return Ok(()) };
        if self.seen != self.dataset.bars || hex::encode(digest.finalize()) != self.dataset.digest {
            let what =
                format!("{} bars were read, and they are not the {} that were stored", self.seen, self.dataset.bars);
            return Err(CatalogError::damaged(&self.path, what));
        }
        Ok(())
    }
}

impl Iterator for BarFileReader {
    type Item = Result<Bar, CatalogError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(bar) = self.ready.next() {
                return Some(Ok(bar));
            }
            if self.over {
                return None;
            }
            match self.fill() {
                Ok(true) => {}
                Ok(false) => self.over = true,
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
    }
}
