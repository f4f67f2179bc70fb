//! The writer.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{AppendError, Doing, FaultKind, OpenError, StorageFault};
use crate::failpoint::{failpoint, failpoint_after};
use crate::format::{
    CHAIN_FRAME_BYTES, Chain, Kind, RECORD_BYTES_MAX, SEGMENT_HEADER_BYTES, SPARE, SegmentHeader, frame_bytes,
    push_frame, salt_of, segment_name,
};
use crate::hash::Hash;
use crate::permit::Permit;
use crate::recover::{self, Recovery};
use crate::spare::Spare;
use crate::storage::{DiskStorage, Storage, StorageFile};

/// A group is synced by itself once it holds this many bytes.
const GROUP_BYTES_MAX: usize = 1 << 20;
/// Most that is kept at the end of a segment for records that may not wait.
const RESERVE_BYTES_MAX: u64 = 512 << 10; // the cancels of 200 open orders take some 200 KiB
/// A smaller segment keeps nothing back.
const RESERVING_FROM: u64 = 8 << 10;

/// How segments are made. Existing segments keep the size they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Size of a segment in bytes. A larger record gets a larger segment.
    pub segment_bytes: u64,
    /// Size of the very first segment of a new journal, so that a first start need not zero a whole one.
    pub first_segment_bytes: u64,
    /// Makes the next segment in a thread of its own once the present one is half full. Simulations say `false`.
    pub prepare_in_background: bool,
}

impl Default for Options {
    /// 64 MiB, the first one 4 MiB, prepared in the background.
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, first_segment_bytes: 4 << 20, prepare_in_background: true }
    }
}

/// The one writer of a journal.
///
/// Blocking: [`sync`](Self::sync) waits for the disk. Records that were appended and not synced are gone when it is
/// dropped.
pub struct Journal<S: Storage = DiskStorage> {
    storage: S,
    options: Options,
    segment: Active<S::File>,
    /// Frames of the open group, not yet written.
    pending: Vec<u8>,
    last_seq: u64,
    synced_seq: u64,
    chain: Chain,
    poisoned: Option<&'static str>,
    spare: Spare<S>,
    /// True while this writer waits for the disk.
    on_disk: Arc<AtomicBool>,
    _lock: S::Lock, // last: released when everything else is gone
}

/// The segment being written.
pub(crate) struct Active<F> {
    pub(crate) file: F,
    pub(crate) name: String,
    pub(crate) salt: u32,
    pub(crate) written: u64,
    pub(crate) capacity: u64,
}

impl Journal {
    /// Opens the journal in directory `dir`, or begins one there, and recovers from a crash.
    ///
    /// # Errors
    /// [`OpenError::Locked`] while another writer has it; [`OpenError::Read`] where the log is damaged beyond a torn
    /// tail (then no file was changed) or the disk refuses.
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<(Self, Recovery), OpenError> {
        Self::open_storage(DiskStorage::new(dir), options)
    }
}

impl<S: Storage> Journal<S> {
    /// [`Journal::open`] over any storage.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_storage(storage: S, options: Options) -> Result<(Self, Recovery), OpenError> {
        let recovered = recover::recover(&storage, options)?;
        let last_seq = recovered.report.last_seq;
        let journal = Self {
            storage,
            options,
            segment: recovered.segment,
            pending: Vec::new(),
            last_seq,
            synced_seq: last_seq,
            chain: recovered.chain,
            poisoned: None,
            spare: Spare::none(),
            on_disk: Arc::default(),
            _lock: recovered.lock,
        };
        Ok((journal, recovered.report))
    }

    /// Forgets [`Recovery::damaged`], once its owner has recorded it: until then every opening tells it again.
    ///
    /// # Errors
    /// [`StorageFault`] if the disk refuses; the next opening tells it once more.
    pub fn damage_recorded(&mut self) -> Result<(), StorageFault> {
        recover::forget(&self.storage)
    }

    /// Appends one record to the open group and gives its sequence number. It is durable only after
    /// [`sync`](Self::sync), which this calls where the group or the segment is full.
    ///
    /// # Errors
    /// After an error the record is not in the journal, and its number is free. [`AppendError::NoRoom`] on a full disk
    /// that still has room for [vital](Self::append_vital) records: the journal itself is well, and a later try may
    /// succeed.
    pub fn append(&mut self, payload: &[u8]) -> Result<u64, AppendError> {
        self.append_up_to(self.segment.capacity - reserve_of(self.segment.capacity), payload)
    }

    /// As [`append`](Self::append), for a record that may not wait: on a full disk it goes into the room that every
    /// segment of 8 KiB or more keeps back for such, a quarter of it and at most 512 KiB.
    ///
    /// # Errors
    /// As [`append`](Self::append), but never [`AppendError::NoRoom`].
    pub fn append_vital(&mut self, payload: &[u8]) -> Result<u64, AppendError> {
        self.append_up_to(self.segment.capacity, payload)
    }

    fn append_up_to(&mut self, border: u64, payload: &[u8]) -> Result<u64, AppendError> {
        self.check_poison()?;
        if payload.len() > RECORD_BYTES_MAX {
            return Err(AppendError::TooLarge { bytes: payload.len() });
        }
        let bytes = frame_bytes(payload.len());
        if self.pending.len() + bytes > GROUP_BYTES_MAX {
            self.sync()?;
        }
        if self.end_after(bytes) > border {
            self.sync()?;
            self.rotate(bytes).map_err(|error| match error {
                AppendError::Storage(fault) if border < self.segment.capacity && self.fits_vital(&fault) => {
                    AppendError::NoRoom(fault)
                }
                other => other,
            })?;
        }
        let seq = self.last_seq + 1;
        let group = u32::try_from(seq - 1 - self.synced_seq).expect("a group holds at most 1 MiB");
        push_frame(&mut self.pending, self.segment.salt, Kind::Record, seq, group, payload);
        self.last_seq = seq;
        Ok(seq)
    }

    /// Makes every appended record durable, by one write and one sync, and gives the last one's sequence number.
    ///
    /// # Errors
    /// After any error of the storage the journal is poisoned: whether the group survived, only reopening tells.
    pub fn sync(&mut self) -> Result<u64, AppendError> {
        self.check_poison()?;
        if self.pending.is_empty() {
            return Ok(self.synced_seq);
        }
        let chain = Hash::of(&self.chain).and(&self.pending).end();
        let covers = u32::try_from(self.last_seq - self.synced_seq).expect("a group holds at most 1 MiB");
        push_frame(&mut self.pending, self.segment.salt, Kind::Chain, self.last_seq, covers, &chain);
        self.write_group().inspect_err(|error| self.poisoned = Some(error.code()))?;
        self.segment.written += self.pending.len() as u64;
        self.pending.clear();
        self.synced_seq = self.last_seq;
        self.chain = chain;
        if self.options.prepare_in_background && self.segment.written > self.segment.capacity / 2 {
            self.spare.prepare(&self.storage, self.options.segment_bytes);
        }
        Ok(self.synced_seq)
    }

    /// Records `intent`, makes it and everything before it durable, and only then gives `permission` back.
    ///
    /// # Errors
    /// After an error `permission` is gone: what is not recorded is not done.
    pub fn permit<T>(&mut self, intent: &[u8], permission: T) -> Result<Permit<T>, AppendError> {
        let seq = self.append_vital(intent)?; // what led to it had room: it goes through
        self.sync()?;
        Ok(Permit::new(seq, permission))
    }

    /// The last appended record, 0 if there is none.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// The last durable record, 0 if there is none.
    pub fn synced_seq(&self) -> u64 {
        self.synced_seq
    }

    /// The chain value at [`synced_seq`](Self::synced_seq): whoever knows it elsewhere can tell a rewritten journal.
    pub fn chain(&self) -> [u8; 32] {
        self.chain
    }

    /// True while this writer waits for the disk, for whoever watches it from another thread.
    pub fn on_disk(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.on_disk)
    }

    /// Why the next segment could not be made in advance, if that was tried since the last call and failed: half a
    /// segment before there is no room left.
    pub fn space_warning(&mut self) -> Option<StorageFault> {
        self.spare.failure().map(|error| StorageFault::new("create", SPARE, error))
    }

    /// Whether an ordinary record of a few KiB would find room now. Where that takes a new segment, it is made.
    pub fn has_room(&mut self) -> bool {
        const A_FEW: usize = 4 << 10;
        let border = self.segment.capacity - reserve_of(self.segment.capacity);
        self.poisoned.is_none()
            && (self.end_after(A_FEW) <= border || self.sync().and_then(|_| self.rotate(A_FEW)).is_ok())
    }

    /// Where it writes.
    pub fn storage(&self) -> &S {
        &self.storage
    }

    fn check_poison(&self) -> Result<(), AppendError> {
        self.poisoned.map_or(Ok(()), |cause| Err(AppendError::Poisoned { cause }))
    }

    /// Where the segment's frames would end if a record frame of `bytes` and a chain frame were added.
    fn end_after(&self, bytes: usize) -> u64 {
        self.segment.written + (self.pending.len() + bytes + CHAIN_FRAME_BYTES) as u64
    }

    /// Whether there is only no new segment to be had, for want of space or of file handles: then the reserve stands.
    fn fits_vital(&self, fault: &StorageFault) -> bool {
        (fault.kind == FaultKind::Full || fault.is_out_of_handles()) && self.poisoned.is_none()
    }

    fn write_group(&self) -> Result<(), AppendError> {
        let _waiting = Waiting::on(&self.on_disk);
        let Active { file, name, written, .. } = &self.segment;
        failpoint("journal.group.begun");
        failpoint_after("journal.group.half-written", || {
            let _ = file.write_at(&self.pending[..self.pending.len() / 2], *written); // the process ends here
        });
        file.write_at(&self.pending, *written).doing("write", name)?;
        failpoint("journal.group.written");
        file.sync().doing("sync", name).map_err(AppendError::SyncFailed)?;
        failpoint("journal.group.synced");
        Ok(())
    }

    /// Goes on in a new segment with room for a frame of `bytes`. The open group is empty.
    fn rotate(&mut self, bytes: usize) -> Result<(), AppendError> {
        let _waiting = Waiting::on(&self.on_disk);
        let capacity = self.options.segment_bytes.max(segment_bytes_for(bytes));
        let header = SegmentHeader { first_seq: self.last_seq + 1, capacity, chain: self.chain };
        failpoint("journal.rotate.begun");
        let file = self.spare.take(&self.storage, capacity).doing("create", SPARE)?;
        let next = stamp(file, header)?;
        failpoint("journal.rotate.stamped");
        publish(&self.storage, &next.name).inspect_err(|fault| self.poisoned = Some(fault.code()))?;
        let full = std::mem::replace(&mut self.segment, next);
        let _ = full.file.set_len(full.written); // only gives space back: zeros at the end are as good
        Ok(())
    }
}

/// Says that the writer waits for the disk, until it is dropped.
pub(crate) struct Waiting(Arc<AtomicBool>);

impl Waiting {
    pub(crate) fn on(flag: &Arc<AtomicBool>) -> Self {
        flag.store(true, Ordering::SeqCst);
        Self(Arc::clone(flag))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// What a segment of that size keeps back for records that may not wait.
const fn reserve_of(capacity: u64) -> u64 {
    match capacity {
        RESERVING_FROM.. if capacity / 4 < RESERVE_BYTES_MAX => capacity / 4,
        RESERVING_FROM.. => RESERVE_BYTES_MAX,
        _ => 0,
    }
}

/// Bytes of a segment that has room for one record frame of `bytes`.
pub(crate) fn segment_bytes_for(bytes: usize) -> u64 {
    (SEGMENT_HEADER_BYTES + bytes + CHAIN_FRAME_BYTES) as u64
}

/// Writes the header into a file of zeros. Nothing depends on the file yet.
pub(crate) fn stamp<F: StorageFile>(file: F, header: SegmentHeader) -> Result<Active<F>, StorageFault> {
    let bytes = header.encode();
    file.write_at(&bytes, 0).doing("write", SPARE)?;
    file.sync().doing("sync", SPARE)?;
    let name = segment_name(header.first_seq);
    let written = SEGMENT_HEADER_BYTES as u64;
    Ok(Active { file, name, salt: salt_of(&bytes), written, capacity: header.capacity })
}

/// Gives the stamped file its name, durably.
pub(crate) fn publish<S: Storage>(storage: &S, name: &str) -> Result<(), StorageFault> {
    storage.rename(SPARE, name).doing("rename the prepared file to", name)?;
    failpoint("journal.rotate.renamed");
    storage.sync_dir().doing("sync the directory of", name)?;
    failpoint("journal.rotate.published");
    Ok(())
}
