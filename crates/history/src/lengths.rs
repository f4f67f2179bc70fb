//! Whether an Arrow file's own words about its lengths can be true, before its decoder believes them.
//!
//! The decoder makes room for as many bytes as a compressed buffer says that it holds, and where there is not so much memory the
//! process ends: one spoilt byte in a file would be enough.

use arrow_ipc::reader::read_footer_length;
use arrow_ipc::{RecordBatch, root_as_footer, root_as_message};
use arrow_schema::ArrowError;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// A buffer of this many bytes is believed: more than any column of one batch that people bring.
const MOST_BYTES: i64 = 1 << 30;
/// What a buffer begins with that is stored as it is.
const NOT_COMPRESSED: i64 = -1;
/// Stands before the length of a message, except in files of before version 0.15 of the format.
const MARK: [u8; 4] = [0xff; 4];

/// Looks at the footer, and at the description and first bytes of every batch.
///
/// # Errors
/// [`ArrowError::IpcError`] for a length that cannot be true, or a part outside the file.
pub(crate) fn check(file: &File) -> Result<(), ArrowError> {
    let all = file.metadata()?.len();
    let outside = || ArrowError::IpcError("a part that lies outside the file".to_owned());
    let read = |from: u64, bytes: u64| -> Result<Vec<u8>, ArrowError> {
        let end = from.checked_add(bytes).filter(|end| *end <= all).ok_or_else(outside)?;
        let mut part = vec![0; usize::try_from(end - from).map_err(|_| outside())?];
        file.read_exact_at(&mut part, from)?;
        Ok(part)
    };
    let tail = read(all.checked_sub(10).ok_or_else(outside)?, 10)?;
    let length = read_footer_length(tail.try_into().expect("ten bytes were read"))? as u64;
    let footer = read(all.checked_sub(10 + length).ok_or_else(outside)?, length)?;
    let wrong = |error: &dyn std::fmt::Display| ArrowError::IpcError(error.to_string());
    let footer = root_as_footer(&footer).map_err(|error| wrong(&error))?;
    let blocks = footer.recordBatches().into_iter().chain(footer.dictionaries()).flatten();
    for block in blocks {
        let number = |it: i64| u64::try_from(it).map_err(|_| outside());
        let (from, about) = (number(block.offset())?, number(block.metaDataLength().into())?);
        let body = from.checked_add(about).ok_or_else(outside)?;
        let end = body.checked_add(number(block.bodyLength())?).filter(|end| *end <= all).ok_or_else(outside)?;
        let about = read(from, about)?;
        let before = if about.starts_with(&MARK) { 8 } else { 4 }; // the length, and the mark before it
        let message = root_as_message(about.get(before..).ok_or_else(outside)?).map_err(|error| wrong(&error))?;
        let batch = message.header_as_record_batch();
        let Some(batch) = batch.or_else(|| message.header_as_dictionary_batch()?.data()) else { continue };
        for (at, bytes) in buffers(&batch) {
            let start = body.checked_add(number(at)?).ok_or_else(outside)?;
            let first = if number(bytes)? < 8 { continue } else { read(start, 8)? };
            let held = i64::from_le_bytes(first.try_into().expect("eight bytes were read"));
            if start > end || !(NOT_COMPRESSED..=MOST_BYTES).contains(&held) {
                return Err(ArrowError::IpcError(format!("a compressed buffer that says it holds {held} bytes")));
            }
        }
    }
    Ok(())
}

/// Place and length of each buffer of a batch whose buffers are compressed; none of any other.
fn buffers(batch: &RecordBatch<'_>) -> Vec<(i64, i64)> {
    let compressed = batch.compression().and_then(|_| batch.buffers());
    compressed.into_iter().flatten().map(|it| (it.offset(), it.length())).collect()
}
