//! Snapshots of the caller's state, and the retention of the log by them.

use std::path::Path;

use crate::error::{Damage, Doing, Flaw, ReadError, RetainError, SnapshotError, StorageFault};
use crate::failpoint::{failpoint, failpoint_after};
use crate::format::{Chain, numbered, segment_name, snapshot_name, u32_at, u64_at};
use crate::hash::Hash;
use crate::journal::Waiting;
use crate::segments::{self, holding};
use crate::storage::{DiskStorage, Storage, StorageFile, read_all};
use crate::tail::CUT_MAX;
use crate::{FORMAT_VERSION, Journal};

const MAGIC: &[u8; 8] = b"TWSNAPSH";
const HEADER_BYTES: usize = 104;
const SUM: std::ops::Range<usize> = 72..104;

/// A snapshot that reads and has the log after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The state after this record.
    pub seq: u64,
    /// What the caller wrote.
    pub bytes: Vec<u8>,
}

/// What [`Journal::retain_from_snapshot`] removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// The oldest snapshot that is now kept, and the log from it on: the newest one that stays in use if the last two records
    /// are damaged. Where there is no such snapshot, nothing is removed.
    pub from_seq: u64,
    /// The newest snapshot.
    pub newest_seq: u64,
    /// The oldest record that is still there.
    pub oldest_seq: u64,
    /// Names of the removed segments and older snapshots.
    pub removed: Vec<String>,
}

/// A sound snapshot without its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotHead {
    pub(crate) seq: u64,
    pub(crate) synced_seq: u64,
    pub(crate) chain: Chain,
}

impl SnapshotHead {
    pub(crate) fn name(&self) -> String {
        snapshot_name(self.seq)
    }
}

/// Reads the newest snapshot in `dir` that is sound and has the log after it; `None` if there is none and the log begins
/// with record 1.
///
/// # Errors
/// [`ReadError::Missing`] if the log begins later and no sound snapshot stands for what came before.
pub fn latest_snapshot(dir: impl AsRef<Path>) -> Result<Option<Snapshot>, ReadError> {
    latest_snapshot_storage(&DiskStorage::new(dir))
}

/// [`latest_snapshot`] over any storage.
///
/// # Errors
/// As [`latest_snapshot`].
pub fn latest_snapshot_storage<S: Storage>(storage: &S) -> Result<Option<Snapshot>, ReadError> {
    let (heads, _) = load_heads(storage)?;
    let oldest = segments::list(storage)?.first().copied().unwrap_or(1);
    match covering(&heads, oldest)? {
        Some(head) => {
            let bytes = read(storage, head.seq)?.map(|(_, bytes)| bytes);
            Ok(bytes.map(|bytes| Snapshot { seq: head.seq, bytes }))
        }
        None => Ok(None),
    }
}

/// Records of which there is a sound snapshot with the log after it, oldest first.
///
/// # Errors
/// [`ReadError`] if the storage cannot be read.
pub fn snapshots_storage<S: Storage>(storage: &S) -> Result<Vec<u64>, ReadError> {
    let (heads, _) = load_heads(storage)?;
    let oldest = segments::list(storage)?.first().copied().unwrap_or(1);
    Ok(heads.iter().map(|head| head.seq).filter(|seq| seq + 1 >= oldest).collect())
}

/// Reads the snapshot of record `seq`; `None` if it is damaged.
///
/// # Errors
/// [`ReadError`] if there is none, or the storage cannot be read.
pub fn snapshot_storage<S: Storage>(storage: &S, seq: u64) -> Result<Option<Snapshot>, ReadError> {
    Ok(read(storage, seq)?.map(|(_, bytes)| Snapshot { seq, bytes }))
}

/// The newest of `heads` after which a log from `oldest` on leaves no gap; `None` if none is needed.
pub(crate) fn covering(heads: &[SnapshotHead], oldest: u64) -> Result<Option<&SnapshotHead>, ReadError> {
    match heads.last() {
        Some(head) if head.seq + 1 >= oldest => Ok(Some(head)),
        _ if oldest == 1 => Ok(None),
        head => Err(ReadError::Missing { from: head.map_or(1, |head| head.seq + 1), to: oldest - 1 }),
    }
}

/// All sound snapshots, oldest first, and the damage of those that are not.
pub(crate) fn load_heads<S: Storage>(storage: &S) -> Result<(Vec<SnapshotHead>, Vec<Damage>), ReadError> {
    let names = storage.list().doing("list", "the journal's directory")?;
    let mut seqs: Vec<u64> = names.iter().filter_map(|name| numbered(name, "snap")).collect();
    seqs.sort_unstable();
    let mut heads = Vec::new();
    let mut bad = Vec::new();
    for seq in seqs {
        match read(storage, seq)? {
            Some((head, _)) => heads.push(head),
            None => bad.push(Damage { segment: snapshot_name(seq), offset: 0, seq, flaw: Flaw::Snapshot }),
        }
    }
    Ok((heads, bad))
}

/// Reads one snapshot; `None` if it is damaged.
fn read<S: Storage>(storage: &S, seq: u64) -> Result<Option<(SnapshotHead, Vec<u8>)>, ReadError> {
    let name = snapshot_name(seq);
    let file = storage.open(&name, false).doing("open", &name)?;
    let mut bytes = read_all(&file).doing("read", &name)?;
    if bytes.len() < HEADER_BYTES || &bytes[..8] != MAGIC || bytes[SUM] != sum(&bytes) {
        return Ok(None);
    }
    let version = u32_at(&bytes, 8);
    if version > FORMAT_VERSION {
        return Err(ReadError::Newer { name, version });
    }
    let chain = bytes[32..64].try_into().expect("32 bytes");
    let head = SnapshotHead { seq: u64_at(&bytes, 16), synced_seq: u64_at(&bytes, 24), chain };
    let is_whole = u64_at(&bytes, 64) == (bytes.len() - HEADER_BYTES) as u64;
    Ok((is_whole && head.seq == seq).then(|| (head, bytes.split_off(HEADER_BYTES))))
}

fn encode(head: &SnapshotHead, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; HEADER_BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes[16..24].copy_from_slice(&head.seq.to_le_bytes());
    bytes[24..32].copy_from_slice(&head.synced_seq.to_le_bytes());
    bytes[32..64].copy_from_slice(&head.chain);
    bytes[64..72].copy_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes.extend_from_slice(payload);
    let sum = sum(&bytes);
    bytes[SUM].copy_from_slice(&sum);
    bytes
}

fn sum(bytes: &[u8]) -> [u8; 32] {
    Hash::of(&bytes[..SUM.start]).and(&bytes[SUM.end..]).end()
}

/// Writes a file so that it is there wholly or not at all.
pub(crate) fn write_whole<S: Storage>(storage: &S, name: &str, bytes: &[u8]) -> Result<(), StorageFault> {
    let unfinished = format!("{name}.tmp");
    let file = storage.create(&unfinished, 0).doing("create", &unfinished)?;
    failpoint("journal.whole.created");
    failpoint_after("journal.whole.half-written", || {
        let _ = file.write_at(&bytes[..bytes.len() / 2], 0); // the process ends here
    });
    file.write_at(bytes, 0).doing("write", &unfinished)?;
    failpoint("journal.whole.written");
    file.sync().doing("sync", &unfinished)?;
    failpoint("journal.whole.synced");
    storage.rename(&unfinished, name).doing("rename", &unfinished)?;
    failpoint("journal.whole.renamed");
    storage.sync_dir().doing("sync the directory of", name)?;
    failpoint("journal.whole.published");
    Ok(())
}

impl<S: Storage> Journal<S> {
    /// Stores the caller's state after record `seq`, wholly or not at all.
    ///
    /// # Errors
    /// [`SnapshotError::NotSynced`] if `seq` is not durable yet: a snapshot never runs ahead of its log.
    pub fn write_snapshot(&mut self, seq: u64, bytes: &[u8]) -> Result<(), SnapshotError> {
        let synced = self.synced_seq();
        if seq > synced {
            return Err(SnapshotError::NotSynced { seq, synced });
        }
        let on_disk = self.on_disk();
        let _waiting = Waiting::on(&on_disk);
        let head = SnapshotHead { seq, synced_seq: synced, chain: self.chain() };
        Ok(write_whole(self.storage(), &head.name(), &encode(&head, bytes))?)
    }

    /// Removes every segment that lies wholly before a snapshot, and the snapshots before that one.
    ///
    /// It is the newest snapshot that the last two records may be damaged behind: a recovery that cuts them off sets
    /// aside what was taken of them, and still needs one to begin with. Snapshots are read back and checked first; the
    /// segment that holds the record of the oldest one kept stays, so that the chain value it recorded can be checked for
    /// ever.
    ///
    /// # Errors
    /// [`RetainError::NoSnapshot`] without a sound snapshot: then nothing is removed.
    pub fn retain_from_snapshot(&mut self) -> Result<Retained, RetainError> {
        let retained = self.retention()?;
        for name in &retained.removed {
            self.storage().remove(name).doing("remove", name).map_err(ReadError::from)?;
        }
        self.storage().sync_dir().doing("sync", "the journal's directory").map_err(ReadError::from)?;
        Ok(retained)
    }

    /// What [`Self::retain_from_snapshot`] would remove now. Removes nothing.
    ///
    /// # Errors
    /// As that.
    pub fn retention(&self) -> Result<Retained, RetainError> {
        let (heads, bad) = load_heads(self.storage())?;
        let Some(latest) = heads.last() else { return Err(RetainError::NoSnapshot) };
        if bad.iter().any(|damage| damage.seq > latest.seq) {
            return Err(RetainError::NoSnapshot);
        }
        let segments = segments::list(self.storage()).map_err(ReadError::from)?;
        let stays = |head: &SnapshotHead| head.synced_seq + CUT_MAX <= self.synced_seq();
        let (oldest, kept) = match heads.iter().rposition(stays) {
            Some(oldest) => (oldest, holding(&segments, heads[oldest].seq)),
            None => (0, 0),
        };
        let from_seq = heads[oldest].seq;
        let oldest_seq = segments.get(kept).copied().unwrap_or(from_seq + 1);
        let old_segments = segments[..kept].iter().map(|&first| segment_name(first));
        let old_snapshots = heads[..oldest].iter().map(SnapshotHead::name);
        let removed: Vec<String> = old_segments.chain(old_snapshots).collect();
        Ok(Retained { from_seq, newest_seq: latest.seq, oldest_seq, removed })
    }
}
