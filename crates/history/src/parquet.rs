//! Parquet files, a few thousand rows at a time.

use crate::catalog::{CatalogError, Dataset, SCHEMA_VERSION};
use crate::feather::{ArrowRows, Batches, guard, guarded};
use crate::{Format, ImportError};
use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::statistics::Statistics;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tradewind_domain::{Bar, InstrumentId, Price, Quantity, Timestamp};

/// Rows in a row group of the files that we write.
const ROW_GROUP: usize = 65_536;
/// Rows decoded at a time.
pub(crate) const BATCH: usize = 8_192;

/// Opens a Parquet file of bars.
pub(crate) fn open(path: &Path, file: File) -> Result<ArrowRows, ImportError> {
    let builder = builder(path, file)?;
    let schema = builder.schema().clone();
    let reader = guard(|| builder.with_batch_size(BATCH).build()).map_err(|error| damaged(path, &error))?;
    ArrowRows::new(path, Format::Parquet, &schema, guarded(reader))
}

/// The names of the columns of any Parquet file, and its batches.
pub(crate) fn batches(path: &Path, file: File) -> Result<(Vec<String>, Batches), ImportError> {
    let builder = builder(path, file)?;
    let names = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let reader = guard(|| builder.with_batch_size(BATCH).build()).map_err(|error| damaged(path, &error))?;
    Ok((names, guarded(reader)))
}

fn builder(path: &Path, file: File) -> Result<ParquetRecordBatchReaderBuilder<File>, ImportError> {
    guard(|| ParquetRecordBatchReaderBuilder::try_new(file)).map_err(|error| damaged(path, &error))
}

fn damaged(path: &Path, error: &ParquetError) -> ImportError {
    ImportError::unfit("HIS-03", path, format!("the file is cut or damaged: {error}"))
}

/// The key of our metadata in a Parquet file.
const KEY: &str = "tradewind";
const COLUMNS: [&str; 6] = ["open_time", "open", "high", "low", "close", "volume"];

/// Writes a catalog file and syncs it.
pub(crate) fn write_bars(path: &Path, mut dataset: Dataset, bars: &[Bar]) -> Result<(), CatalogError> {
    let broken = |error: ParquetError| CatalogError::io("write", path, std::io::Error::other(error));
    let schema = Arc::new(Schema::new(COLUMNS.map(|name| Field::new(name, DataType::Int64, false)).to_vec()));
    let file = File::create(path).map_err(|source| CatalogError::io("write", path, source))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .build();
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties)).map_err(broken)?;
    let mut digest = Sha256::new();
    for part in bars.chunks(BATCH) {
        let columns = (0..6).map(|which| {
            let values = part.iter().map(|bar| mantissas(bar)[which]);
            Arc::new(Int64Array::from_iter_values(values)) as ArrayRef
        });
        let batch =
            RecordBatch::try_new(Arc::clone(&schema), columns.collect()).map_err(|error| broken(error.into()))?;
        part.iter().for_each(|bar| mantissas(bar).iter().for_each(|value| digest.update(value.to_le_bytes())));
        writer.write(&batch).map_err(broken)?;
    }
    dataset.digest = hex::encode(digest.finalize());
    let text = serde_json::to_string(&dataset).map_err(|error| CatalogError::damaged(path, error))?;
    writer.append_key_value_metadata(KeyValue::new(KEY.to_owned(), text));
    let file = writer.into_inner().map_err(broken)?;
    file.sync_all().map_err(|source| CatalogError::io("sync", path, source))
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

/// A catalog file whose metadata was read and judged.
pub(crate) struct BarFile {
    path: PathBuf,
    builder: ParquetRecordBatchReaderBuilder<File>,
    dataset: Dataset,
}

/// Only the version, which every version of the metadata carries.
#[derive(serde::Deserialize)]
struct Version {
    schema_version: u32,
}

impl BarFile {
    /// As [`Self::open`]; `None` for a Parquet file without our metadata, or one that cannot be opened at all.
    pub(crate) fn open_ours(path: &Path) -> Result<Option<Self>, CatalogError> {
        let file = File::open(path).map_err(|source| CatalogError::io("open", path, source))?;
        let Ok(builder) = guard(|| ParquetRecordBatchReaderBuilder::try_new(file)) else { return Ok(None) };
        let pairs = builder.metadata().file_metadata().key_value_metadata();
        let ours = pairs.is_some_and(|pairs| pairs.iter().any(|pair| pair.key == KEY));
        if ours { Self::open(path).map(Some) } else { Ok(None) }
    }

    pub(crate) fn open(path: &Path) -> Result<Self, CatalogError> {
        let file = File::open(path).map_err(|source| CatalogError::io("open", path, source))?;
        let damaged = |error: ParquetError| CatalogError::damaged(path, error);
        let builder = guard(|| ParquetRecordBatchReaderBuilder::try_new(file)).map_err(damaged)?;
        let pairs = builder.metadata().file_metadata().key_value_metadata();
        let text = pairs
            .and_then(|pairs| pairs.iter().find(|pair| pair.key == KEY))
            .and_then(|pair| pair.value.as_deref())
            .ok_or_else(|| CatalogError::damaged(path, "the file holds no metadata of ours"))?;
        let unread = |error: serde_json::Error| CatalogError::damaged(path, format!("its metadata: {error}"));
        let version: Version = serde_json::from_str(text).map_err(unread)?;
        if version.schema_version > SCHEMA_VERSION {
            return Err(CatalogError::Newer { path: path.to_owned(), found: version.schema_version });
        }
        let dataset: Dataset = serde_json::from_str(text).map_err(unread)?;
        let schema = builder.schema();
        let fits = schema.fields().iter().map(|field| field.name().as_str()).eq(COLUMNS)
            && schema.fields().iter().all(|field| *field.data_type() == DataType::Int64);
        if !fits {
            return Err(CatalogError::damaged(path, "its columns are not those of bars"));
        }
        Ok(Self { path: path.to_owned(), builder, dataset })
    }

    pub(crate) const fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// The bars whose open times lie in `span`; row groups outside it are not read.
    pub(crate) fn read(self, span: Range<Timestamp>) -> Result<BarFileReader, CatalogError> {
        let groups: Vec<usize> = self
            .builder
            .metadata()
            .row_groups()
            .iter()
            .enumerate()
            .filter(|(_, group)| overlaps(group.column(0).statistics(), &span))
            .map(|(index, _)| index)
            .collect();
        let whole = groups.len() == self.builder.metadata().num_row_groups();
        let damaged = |error: ParquetError| CatalogError::damaged(&self.path, error);
        let builder = self.builder.with_row_groups(groups).with_batch_size(BATCH);
        let reader = guard(|| builder.build()).map_err(damaged)?;
        Ok(BarFileReader {
            path: self.path,
            dataset: self.dataset,
            reader: guarded(reader),
            ready: Vec::new().into_iter(),
            span,
            digest: whole.then(Sha256::new),
            seen: 0,
            over: false,
        })
    }
}

fn overlaps(statistics: Option<&Statistics>, span: &Range<Timestamp>) -> bool {
    let Some(Statistics::Int64(values)) = statistics else { return true };
    let after = values.min_opt().is_some_and(|first| *first >= span.end.nanos());
    let before = values.max_opt().is_some_and(|last| *last < span.start.nanos());
    !after && !before
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
        let columns: Vec<&[i64]> =
            batch.columns().iter().map(|column| column.as_primitive::<Int64Type>().values().as_ref()).collect();
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
