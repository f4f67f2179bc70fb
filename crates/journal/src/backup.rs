//! Copies a journal while its writer runs.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::cursor::Cursor;
use crate::error::{BackupError, Doing, Flaw, ReadError, StorageFault};
use crate::format::Kind;
use crate::segments;
use crate::storage::{DiskStorage, Storage, StorageFile, read_all, read_full};
use crate::verify::{Report, verify_storage};

/// Copies the journal in `from` into the empty or new directory `to`, up to the last complete sync group, and verifies
/// the copy.
///
/// Needs no lock: the writer goes on meanwhile. What is copied is synced at its source first, so that the copy is never
/// ahead of the journal. Nothing is written there: a disk that is read-only can be copied.
///
/// # Errors
/// [`BackupError::NotEmpty`] if `to` holds files. [`BackupError::Read`] if the source is damaged, or changed by retention
/// during the copy: then try again, into another directory.
pub fn backup(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<Report, BackupError> {
    backup_storage(&DiskStorage::new(from), &DiskStorage::new(to))
}

/// [`backup`] over any two storages.
///
/// # Errors
/// As [`backup`].
pub fn backup_storage<S: Storage, T: Storage>(from: &S, to: &T) -> Result<Report, BackupError> {
    to.create_dir().doing("create", "the backup's directory").map_err(ReadError::from)?;
    if let Some(name) = to.list().doing("list", "the backup's directory").map_err(ReadError::from)?.pop() {
        return Err(BackupError::NotEmpty { name });
    }
    copy_snapshots(from, to)?; // first: none is then ahead of the log that follows
    let segments = segments::list(from).map_err(ReadError::from)?;
    for &first in &segments {
        copy_segment(from, to, first)?;
    }
    to.sync_dir().doing("sync", "the backup's directory").map_err(ReadError::from)?;
    let report = verify_storage(to)?;
    match report.first_bad {
        Some(damage) => Err(ReadError::Damaged(damage).into()),
        None => Ok(report),
    }
}

fn copy_snapshots<S: Storage, T: Storage>(from: &S, to: &T) -> Result<(), ReadError> {
    for name in from.list().doing("list", "the journal's directory")? {
        if name.ends_with(".snap") {
            let bytes = match from.open(&name, false) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue, // retention removed it just now
                file => read_all(&file.doing("open", &name)?).doing("read", &name)?,
            };
            let copy = to.create(&name, 0).doing("create", &name)?;
            copy.write_at(&bytes, 0).doing("write", &name)?;
            copy.sync().doing("sync", &name)?;
        }
    }
    Ok(())
}

/// Copies one segment up to its last chain frame.
fn copy_segment<S: Storage, T: Storage>(from: &S, to: &T, first: u64) -> Result<(), ReadError> {
    let (cursor, end) = complete_groups(from, first)?;
    sync_source(&cursor.file).doing("sync", &cursor.name)?;
    let copy = to.create(&cursor.name, 0).doing("create", &cursor.name)?;
    copy_bytes(&cursor, &copy, end)?;
    copy.set_len(cursor.header.capacity.max(end)).doing("extend", &cursor.name)?;
    Ok(copy.sync().doing("sync", &cursor.name)?)
}

/// Syncs a file that was opened for reading. A file system that takes no change, or knows no sync, has nothing that waits
/// for one.
fn sync_source(file: &impl StorageFile) -> io::Result<()> {
    match file.sync() {
        Err(error) if matches!(error.kind(), ErrorKind::ReadOnlyFilesystem | ErrorKind::InvalidInput) => Ok(()),
        synced => synced,
    }
}

/// Where the last complete group of a segment ends. A group that is being written meanwhile looks damaged, but lies
/// elsewhere at the next look; damage stays where it is.
fn complete_groups<S: Storage>(from: &S, first: u64) -> Result<(Cursor<S::File>, u64), ReadError> {
    let mut before = None;
    loop {
        let mut cursor = Cursor::open(from, first, false)?;
        let mut end = cursor.place().offset;
        while let Some(step) = cursor.next()? {
            if step.frame.kind == Kind::Chain {
                end = cursor.place().offset;
            }
        }
        let tail = cursor.tail()?;
        if tail.is_clean() || tail.may_be_cut() {
            return Ok((cursor, end));
        }
        if before == Some(end) {
            return Err(ReadError::Damaged(cursor.damage(Flaw::Record)));
        }
        before = Some(end);
    }
}

fn copy_bytes<F: StorageFile>(cursor: &Cursor<F>, copy: &impl StorageFile, end: u64) -> Result<(), StorageFault> {
    let mut buffer = vec![0; 1 << 20];
    let mut at = 0;
    while at < end {
        let want = usize::try_from((end - at).min(buffer.len() as u64)).expect("at most 1 MiB");
        let read = read_full(&cursor.file, &mut buffer[..want], at).doing("read", &cursor.name)?;
        if read == 0 {
            break; // shorter than a moment ago: the copy will not verify
        }
        copy.write_at(&buffer[..read], at).doing("write", &cursor.name)?;
        at += read as u64;
    }
    Ok(())
}
