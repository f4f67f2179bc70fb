//! Checks every byte of a journal without changing any.

use std::path::Path;

use serde::Serialize;

use crate::cursor::Cursor;
use crate::error::{Damage, Flaw, ReadError};
use crate::segments::{self, Walk};
use crate::snapshot::{SnapshotHead, covering, load_heads};
use crate::storage::{DiskStorage, Storage};
use crate::tail::Tail;

/// What [`verify`] found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// First record of the log: 1, or later after retention.
    pub first_seq: u64,
    /// Last record that is proven by the chain; `first_seq - 1` if there is none.
    pub last_seq: u64,
    /// Proven records.
    pub records: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Segments.
    pub segments: u64,
    /// Sound snapshots.
    pub snapshots: u64,
    /// The chain value at `last_seq`, in hex.
    pub chain: String,
    /// The first damaged place, if any; the counts above are of what lies before it.
    pub first_bad: Option<Damage>,
}

impl Report {
    /// Every byte is what was written.
    pub fn is_sound(&self) -> bool {
        self.first_bad.is_none()
    }
}

/// Checks all segments and snapshots in `dir`: every frame, the numbering, the chain, and that unused space is zero.
///
/// Changes nothing and needs no lock. While a writer runs, a group that is just being written is waited for.
///
/// # Errors
/// Damage is no error but part of the report. Errors are a newer format and a failing disk.
pub fn verify(dir: impl AsRef<Path>) -> Result<Report, ReadError> {
    verify_storage(&DiskStorage::new(dir))
}

/// [`verify`] over any storage.
///
/// # Errors
/// As [`verify`].
pub fn verify_storage<S: Storage>(storage: &S) -> Result<Report, ReadError> {
    let mut report = look(storage)?;
    // beside a running writer the last group may be seen half written; damage stays where it is, a writer goes on
    for _ in 0..LOOKS_MAX {
        if report.first_bad.is_none() {
            break;
        }
        let again = look(storage)?;
        if again.first_bad == report.first_bad {
            break;
        }
        report = again;
    }
    Ok(report)
}

/// How often a log that changes under the reader is looked at again.
const LOOKS_MAX: usize = 100;

fn look<S: Storage>(storage: &S) -> Result<Report, ReadError> {
    let segments = segments::list(storage)?;
    let (heads, bad_snapshots) = load_heads(storage)?;
    let oldest = segments.first().copied().unwrap_or(1);
    let mut walk = Walk::new(oldest, [0; 32], &heads);
    let checked = check(storage, &segments, &heads, &mut walk);
    let in_log = match checked {
        Ok(()) => None,
        Err(ReadError::Damaged(damage)) => Some(damage),
        Err(ReadError::Missing { from, to }) => {
            let before = segments[segments::holding(&segments, from)..].first().copied().unwrap_or(from);
            let flaw = if to + 1 == oldest { Flaw::Snapshot } else { Flaw::Truncated };
            Some(Damage { segment: crate::format::segment_name(before), offset: 0, seq: from, flaw })
        }
        Err(other) => return Err(other),
    };
    let records = walk.records;
    Ok(Report {
        first_seq: oldest,
        last_seq: oldest + records - 1,
        records,
        bytes: walk.bytes,
        segments: segments.len() as u64,
        snapshots: heads.len() as u64,
        chain: hex::encode(walk.chain),
        first_bad: in_log.or_else(|| bad_snapshots.into_iter().next()),
    })
}

fn check<S: Storage>(storage: &S, segments: &[u64], heads: &[SnapshotHead], walk: &mut Walk) -> Result<(), ReadError> {
    let Some((&last, _)) = segments.split_last() else {
        return heads.last().map_or(Ok(()), |head| Err(ReadError::Missing { from: 1, to: head.synced_seq }));
    };
    covering(heads, segments[0])?;
    for &first in segments {
        let mut cursor = Cursor::open(storage, first, false)?;
        if first == segments[0] {
            *walk = Walk::new(first, cursor.header.chain, heads);
        }
        let tail = through::<S>(storage, walk, &mut cursor)?;
        check_tail(&cursor, &tail, first == last)?;
    }
    let synced = heads.iter().map(|head| head.synced_seq).max().unwrap_or(0);
    if synced >= walk.next_seq {
        return Err(ReadError::Missing { from: walk.next_seq, to: synced });
    }
    walk.unmet_snapshot().map_or(Ok(()), |damage| Err(ReadError::Damaged(damage)))
}

/// Walks through a segment; where the end looks torn, gives a running writer the time to complete it.
pub(crate) fn through<S: Storage>(
    storage: &S,
    walk: &mut Walk,
    cursor: &mut Cursor<S::File>,
) -> Result<Tail, ReadError> {
    let mut tail = walk.through::<S>(cursor)?;
    for _ in 0..3 {
        if tail.is_clean() && !tail.is_open() {
            break;
        }
        storage.settle();
        cursor.refresh();
        walk.follow::<S>(cursor)?;
        tail = cursor.tail()?;
    }
    Ok(tail)
}

fn check_tail<F: crate::StorageFile>(cursor: &Cursor<F>, tail: &Tail, is_last: bool) -> Result<(), ReadError> {
    let flaw = if !tail.is_clean() {
        if tail.records() > 0 || !is_last { Flaw::Record } else { Flaw::Tail }
    } else if tail.is_open() {
        Flaw::Chain
    } else if is_last && tail.file_bytes < cursor.header.capacity {
        Flaw::Truncated
    } else {
        return Ok(());
    };
    Err(ReadError::Damaged(cursor.damage(flaw)))
}
