//! Parquet files, a few thousand rows at a time.

use crate::feather::ArrowRows;
use crate::{Format, ImportError};
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::File;
use std::path::Path;

/// Rows decoded at a time.
pub(crate) const BATCH: usize = 8_192;

/// Opens a Parquet file.
pub(crate) fn open(path: &Path, file: File) -> Result<ArrowRows, ImportError> {
    let damaged = |error| ImportError::unfit("HIS-03", path, format!("the file is cut or damaged: {error}"));
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(damaged)?;
    let schema = builder.schema().clone();
    let reader = builder.with_batch_size(BATCH).build().map_err(damaged)?;
    ArrowRows::new(path, Format::Parquet, &schema, Box::new(reader))
}
