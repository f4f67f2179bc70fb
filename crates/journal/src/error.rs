//! What can go wrong, one enum per operation. Codes and remedies are listed on the crate's page.

use std::fmt;
use std::io::{self, ErrorKind};

use serde::Serialize;

/// Every code of this crate in order: code, meaning, what to do.
pub const CODES: &[(&str, &str, &str)] = &[
    (
        "JRN-01",
        "another process writes this journal",
        "stop the other process, or give this one a directory of its own",
    ),
    ("JRN-02", "written by a newer version", "open it with the version that wrote it, or a later one"),
    (
        "JRN-03",
        "damaged where it cannot be a torn write",
        "no file was changed: keep this directory, and restore a verified backup",
    ),
    ("JRN-04", "records are missing", "put the missing files back, or restore a verified backup"),
    (
        "JRN-05",
        "the disk is full, or the file may not grow",
        "free space on the journal's disk (or raise the quota or `ulimit -f`), then try again or reopen; acknowledged \
         records are safe",
    ),
    (
        "JRN-06",
        "the directory or file cannot be written",
        "make the journal's directory writable for this user, or choose another",
    ),
    (
        "JRN-07",
        "the disk failed",
        "look at the system log and check the disk before reopening; acknowledged records are safe",
    ),
    ("JRN-08", "the record is too large", "split it into several records"),
    (
        "JRN-09",
        "the sync failed: what it covered may be lost",
        "check the disk, then reopen the journal: recovery says what is there",
    ),
    ("JRN-10", "poisoned by an earlier failure", "reopen the journal: recovery says what is there"),
    ("JRN-11", "the snapshot is ahead of what is synced", "sync the journal before taking the snapshot"),
    (
        "JRN-12",
        "there is no sound snapshot, so nothing may be removed",
        "start and stop the node once more: each stop writes a snapshot",
    ),
    ("JRN-13", "the backup's target is not empty", "choose an empty or new directory"),
    ("JRN-14", "the asked record was removed by retention", "start from the latest snapshot"),
];

fn hint_of(code: &str) -> &'static str {
    CODES.iter().find(|(listed, ..)| *listed == code).map_or("", |(.., hint)| hint)
}

/// What a failure of the storage asks of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// No space or quota left, or the file may not grow.
    Full,
    /// The directory or file cannot be written.
    ReadOnly,
    /// Anything else.
    Io,
}

/// The storage refused or failed.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing} {name}")]
pub struct StorageFault {
    /// What kind of failure it is.
    pub kind: FaultKind,
    doing: &'static str,
    name: String,
    source: io::Error,
}

impl StorageFault {
    pub(crate) fn new(doing: &'static str, name: &str, source: io::Error) -> Self {
        let kind = match source.kind() {
            // too large: past what this process may give a file (`ulimit -f`), or what the file system takes
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => FaultKind::Full,
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => FaultKind::ReadOnly,
            _ => FaultKind::Io,
        };
        Self { kind, doing, name: name.to_owned(), source }
    }

    /// This process, or all of them together, may not open another file at the moment.
    pub(crate) fn is_out_of_handles(&self) -> bool {
        const EMFILE: i32 = 24;
        const ENFILE: i32 = 23;
        matches!(self.source.raw_os_error(), Some(EMFILE | ENFILE))
    }

    /// The stable code: JRN-05, JRN-06 or JRN-07.
    pub fn code(&self) -> &'static str {
        match self.kind {
            FaultKind::Full => "JRN-05",
            FaultKind::ReadOnly => "JRN-06",
            FaultKind::Io => "JRN-07",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        hint_of(self.code())
    }
}

/// Says what was attempted when an I/O error passes by.
pub(crate) trait Doing<T> {
    fn doing(self, what: &'static str, name: &str) -> Result<T, StorageFault>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: &'static str, name: &str) -> Result<T, StorageFault> {
        self.map_err(|source| StorageFault::new(what, name, source))
    }
}

/// What is wrong at a damaged place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// The segment's header does not read.
    Header,
    /// The record does not read or is out of order, and later ones exist.
    Record,
    /// The records read, but are not those that were written: the chain value of their sync group differs.
    Chain,
    /// Bytes after the last record that form no record: a torn write, or a flip in unused space.
    Tail,
    /// The last segment is shorter than it was made.
    Truncated,
    /// The snapshot does not read, or does not belong to this log.
    Snapshot,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Flaw::Header => "its header does not read",
            Flaw::Record => "the record does not read or is out of order",
            Flaw::Chain => "the chain value of this sync group differs",
            Flaw::Tail => "bytes after the last record form no record",
            Flaw::Truncated => "the file is shorter than it was made",
            Flaw::Snapshot => "the snapshot does not read or does not belong to this log",
        })
    }
}

/// A damaged place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// Name of the file inside the journal's directory.
    pub segment: String,
    /// Where in the file the first bad frame begins, in bytes.
    pub offset: u64,
    /// The record that should stand there: the first bad one.
    pub seq: u64,
    /// What is wrong.
    pub flaw: Flaw,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is damaged at offset {}, record {}: {}", self.segment, self.offset, self.seq, self.flaw)
    }
}

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Written by a newer program.
    #[error("{name} has format version {version}, this program reads up to {known}", known = crate::FORMAT_VERSION)]
    Newer {
        /// The file.
        name: String,
        /// Its version.
        version: u32,
    },
    /// Damaged where it cannot be a torn write.
    #[error("{0}")]
    Damaged(Damage),
    /// Records that once were there are not, and no sound snapshot stands for them.
    #[error("records {from} to {to} are missing")]
    Missing {
        /// First missing record.
        from: u64,
        /// Last missing record.
        to: u64,
    },
    /// Retention removed the asked record.
    #[error("record {asked} was removed, the oldest one kept is {oldest}")]
    Removed {
        /// The asked sequence number.
        asked: u64,
        /// The oldest one there is.
        oldest: u64,
    },
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageFault),
}

impl ReadError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ReadError::Newer { .. } => "JRN-02",
            ReadError::Damaged(_) => "JRN-03",
            ReadError::Missing { .. } => "JRN-04",
            ReadError::Removed { .. } => "JRN-14",
            ReadError::Storage(fault) => fault.code(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        hint_of(self.code())
    }
}

/// Why a journal could not be opened for writing.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another writer holds it.
    #[error("the journal is in use by {}", holder.map_or("another process".to_owned(), |pid| format!("process {pid}")))]
    Locked {
        /// Process id of the holder, where known.
        holder: Option<u32>,
    },
    /// What is there cannot be read; nothing was changed.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<StorageFault> for OpenError {
    fn from(fault: StorageFault) -> Self {
        OpenError::Read(fault.into())
    }
}

impl OpenError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            OpenError::Locked { .. } => "JRN-01",
            OpenError::Read(error) => error.code(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        hint_of(self.code())
    }
}

/// Why records were not appended or synced.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Larger than [`crate::RECORD_BYTES_MAX`]. Nothing changed.
    #[error("a record of {bytes} bytes is larger than {max}", max = crate::RECORD_BYTES_MAX)]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The storage failed. Where a write had begun, the journal is now poisoned; otherwise a later try may succeed.
    #[error(transparent)]
    Storage(#[from] StorageFault),
    /// No new segment can be made for want of space or file handles, and this record may wait. Nothing changed: vital
    /// records still have room.
    #[error("there is room for vital records only")]
    NoRoom(#[source] StorageFault),
    /// The sync failed: what it covered may or may not be there. The journal is now poisoned.
    #[error("the records were written, but could not be made durable")]
    SyncFailed(#[source] StorageFault),
    /// An earlier write or sync failed.
    #[error("the journal was poisoned by an earlier failure ({cause})")]
    Poisoned {
        /// The code of that failure.
        cause: &'static str,
    },
}

impl AppendError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            AppendError::TooLarge { .. } => "JRN-08",
            AppendError::Storage(fault) | AppendError::NoRoom(fault) => fault.code(),
            AppendError::SyncFailed(_) => "JRN-09",
            AppendError::Poisoned { .. } => "JRN-10",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        hint_of(self.code())
    }
}

/// Why a snapshot was not written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It speaks of records that are not synced yet.
    #[error("a snapshot at {seq} is ahead of the last synced record, {synced}")]
    NotSynced {
        /// The snapshot's sequence number.
        seq: u64,
        /// The last synced one.
        synced: u64,
    },
    /// The storage failed. The journal itself is not affected.
    #[error(transparent)]
    Storage(#[from] StorageFault),
}

impl SnapshotError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            SnapshotError::NotSynced { .. } => "JRN-11",
            SnapshotError::Storage(fault) => fault.code(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        hint_of(self.code())
    }
}

/// Why no old segment was removed.
#[derive(Debug, thiserror::Error)]
pub enum RetainError {
    /// There is no snapshot that reads and belongs to this log.
    #[error("there is no sound snapshot to keep the log from")]
    NoSnapshot,
    /// What is there cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl RetainError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            RetainError::NoSnapshot => "JRN-12",
            RetainError::Read(error) => error.code(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        hint_of(self.code())
    }
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The target holds files. Nothing was written.
    #[error("the target of the backup is not empty, it holds {name}")]
    NotEmpty {
        /// One of them.
        name: String,
    },
    /// The journal cannot be read, or the copy did not verify.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl BackupError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            BackupError::NotEmpty { .. } => "JRN-13",
            BackupError::Read(error) => error.code(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        hint_of(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_complete() {
        for (at, (code, meaning, hint)) in CODES.iter().enumerate() {
            assert_eq!(*code, format!("JRN-{:02}", at + 1));
            assert!(!meaning.is_empty() && !hint.is_empty());
        }
    }

    #[test]
    fn whatever_keeps_a_file_from_growing_is_a_full_disk() {
        for (kind, code) in [
            (ErrorKind::StorageFull, "JRN-05"),
            (ErrorKind::QuotaExceeded, "JRN-05"),
            (ErrorKind::FileTooLarge, "JRN-05"), // EFBIG
            (ErrorKind::ReadOnlyFilesystem, "JRN-06"),
            (ErrorKind::PermissionDenied, "JRN-06"),
            (ErrorKind::TimedOut, "JRN-07"),
        ] {
            let fault = StorageFault::new("write", "a file", kind.into());
            assert_eq!(fault.code(), code, "{kind}");
            assert!(!fault.hint().is_empty());
        }
    }
}
