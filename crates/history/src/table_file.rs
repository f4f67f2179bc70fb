//! The catalog's files: Parquet tables of 64-bit whole numbers, with what they say of themselves.

use crate::Content;
use crate::catalog::{ALWAYS, CatalogError, SCHEMA_VERSION};
use crate::feather::{Batches, guard, guarded};
use crate::parquet::BATCH;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::arrow::{ArrowWriter, ProjectionMask};
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
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tradewind_domain::Timestamp;

/// Rows in a row group of the files that we write.
const ROW_GROUP: usize = 65_536;
/// The key of our metadata in a Parquet file.
const KEY: &str = "tradewind";

/// Writes a catalog file of whole numbers, part by part and column by column, and syncs it. `about` makes its metadata of
/// the digest over all values, row by row.
pub(crate) fn write_table(
    path: &Path,
    names: &[&str],
    parts: impl Iterator<Item = Vec<Vec<i64>>>,
    about: impl FnOnce(String) -> serde_json::Result<String>,
) -> Result<(), CatalogError> {
    let broken = |error: ParquetError| CatalogError::io("write", path, std::io::Error::other(error));
    let fields: Vec<Field> = names.iter().map(|name| Field::new(*name, DataType::Int64, false)).collect();
    let schema = Arc::new(Schema::new(fields));
    let file = File::create(path).map_err(|source| CatalogError::io("write", path, source))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .build();
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties)).map_err(broken)?;
    let mut digest = Sha256::new();
    for part in parts {
        take_in(&mut digest, &part);
        let columns = part.into_iter().map(|values| Arc::new(Int64Array::from(values)) as ArrayRef);
        let batch =
            RecordBatch::try_new(Arc::clone(&schema), columns.collect()).map_err(|error| broken(error.into()))?;
        writer.write(&batch).map_err(broken)?;
    }
    let text = about(hex::encode(digest.finalize())).map_err(|error| CatalogError::damaged(path, error))?;
    writer.append_key_value_metadata(KeyValue::new(KEY.to_owned(), text));
    let file = writer.into_inner().map_err(broken)?;
    file.sync_all().map_err(|source| CatalogError::io("sync", path, source))
}

/// Takes the values of these columns into the digest, row by row.
fn take_in(digest: &mut Sha256, columns: &[impl AsRef<[i64]>]) {
    for row in 0..columns.first().map_or(0, |column| column.as_ref().len()) {
        columns.iter().for_each(|column| digest.update(column.as_ref()[row].to_le_bytes()));
    }
}

/// A catalog file whose version was judged.
pub(crate) struct TableFile {
    path: PathBuf,
    builder: ParquetRecordBatchReaderBuilder<File>,
    /// Its metadata, JSON.
    about: String,
    /// What it holds.
    pub(crate) content: Content,
}

/// Only what every version of the metadata carries.
#[derive(serde::Deserialize)]
struct Version {
    schema_version: u32,
}

/// What a file holds: the first version held bars alone and does not say so.
#[derive(serde::Deserialize)]
struct Holds {
    #[serde(default)]
    content: Content,
}

impl TableFile {
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
        let builder =
            guard(|| ParquetRecordBatchReaderBuilder::try_new(file)).map_err(|error| not_opened(path, error))?;
        let pairs = builder.metadata().file_metadata().key_value_metadata();
        let about = pairs
            .and_then(|pairs| pairs.iter().find(|pair| pair.key == KEY))
            .and_then(|pair| pair.value.clone())
            .ok_or_else(|| CatalogError::damaged(path, "the file holds no metadata of ours"))?;
        let version: Version = read_about(path, &about)?;
        if version.schema_version > SCHEMA_VERSION {
            return Err(CatalogError::Newer { path: path.to_owned(), found: version.schema_version });
        }
        let Holds { content } = read_about(path, &about)?;
        Ok(Self { path: path.to_owned(), builder, about, content })
    }

    /// What the file says of itself.
    pub(crate) fn about<T: serde::de::DeserializeOwned>(&self) -> Result<T, CatalogError> {
        read_about(&self.path, &self.about)
    }

    /// Whether these are its columns, all of whole numbers.
    pub(crate) fn must_have(&self, names: &[&str], what: &str) -> Result<(), CatalogError> {
        let fields = self.builder.schema().fields();
        let fits = fields.iter().map(|field| field.name().as_str()).eq(names.iter().copied())
            && fields.iter().all(|field| *field.data_type() == DataType::Int64);
        if fits {
            Ok(())
        } else {
            Err(CatalogError::damaged(&self.path, format!("its columns are not those of {what}")))
        }
    }

    /// The rows whose first column lies in `span`, column by column; row groups outside it are not read. If all were read
    /// they must be those of `digest`.
    pub(crate) fn columns(self, span: &Range<Timestamp>, digest: &str) -> Result<Vec<Vec<i64>>, CatalogError> {
        let width = self.builder.schema().fields().len();
        let (path, whole, batches) = self.batches(span)?;
        let (mut columns, mut seen) = (vec![Vec::new(); width], whole.then(Sha256::new));
        for batch in batches {
            let batch = batch.map_err(|error| CatalogError::damaged(&path, error))?;
            let values = values_of(&batch);
            if let Some(seen) = &mut seen {
                take_in(seen, &values);
            }
            let inside = |row: &usize| span.contains(&Timestamp::from_nanos(values[0][*row]));
            for row in (0..batch.num_rows()).filter(inside) {
                columns.iter_mut().zip(&values).for_each(|(column, values)| column.push(values[row]));
            }
        }
        if seen.is_some_and(|seen| hex::encode(seen.finalize()) != digest) {
            return Err(CatalogError::damaged(&path, "what was read is not what was stored"));
        }
        Ok(columns)
    }

    /// The first column of every row, and no other: what is damaged ends it.
    pub(crate) fn times(mut self) -> Result<Vec<i64>, CatalogError> {
        let first = ProjectionMask::leaves(self.builder.parquet_schema(), [0]);
        self.builder = self.builder.with_projection(first);
        let (_, _, batches) = self.batches(&ALWAYS)?;
        Ok(batches.map_while(Result::ok).flat_map(|batch| values_of(&batch)[0].to_vec()).collect())
    }

    /// The batches of the row groups that meet `span`, and whether that is all.
    pub(crate) fn batches(self, span: &Range<Timestamp>) -> Result<(PathBuf, bool, Batches), CatalogError> {
        let all = self.builder.metadata().row_groups().iter().enumerate();
        let groups: Vec<usize> =
            all.filter(|(_, group)| overlaps(group.column(0).statistics(), span)).map(|(index, _)| index).collect();
        let whole = groups.len() == self.builder.metadata().num_row_groups();
        let builder = self.builder.with_row_groups(groups).with_batch_size(BATCH);
        let reader =
            guard(|| builder.build()).map_err(|error: ParquetError| CatalogError::damaged(&self.path, error))?;
        Ok((self.path, whole, guarded(reader)))
    }
}

/// Why a file gave no table: the system would not have it read, or it is damaged.
fn not_opened(path: &Path, error: ParquetError) -> CatalogError {
    let refused = |cause: &std::io::Error| {
        cause.raw_os_error().is_some() && cause.kind() != ErrorKind::InvalidInput // a length in the file that is none
    };
    let ParquetError::External(cause) = &error else { return CatalogError::damaged(path, error) };
    if cause.downcast_ref::<std::io::Error>().is_some_and(refused) {
        CatalogError::io("read", path, std::io::Error::other(error))
    } else {
        CatalogError::damaged(path, error)
    }
}

fn read_about<T: serde::de::DeserializeOwned>(path: &Path, about: &str) -> Result<T, CatalogError> {
    serde_json::from_str(about).map_err(|error| CatalogError::damaged(path, format!("its metadata: {error}")))
}

pub(crate) fn values_of(batch: &RecordBatch) -> Vec<&[i64]> {
    batch.columns().iter().map(|column| column.as_primitive::<Int64Type>().values().as_ref()).collect()
}

fn overlaps(statistics: Option<&Statistics>, span: &Range<Timestamp>) -> bool {
    let Some(Statistics::Int64(values)) = statistics else { return true };
    let after = values.min_opt().is_some_and(|first| *first >= span.end.nanos());
    let before = values.max_opt().is_some_and(|last| *last < span.start.nanos());
    !after && !before
}
