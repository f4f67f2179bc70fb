//! The durable log: append, sync, permit, replay, verify, back up, recover.
//!
//! # Where it sits
//! One journal per risk domain remembers everything that may influence a decision. The host appends an event before the
//! engine applies it, and syncs before anything leaves the process on its account. Knows bytes and sequence numbers only:
//! what a record means is the caller's business.
//!
//! # Start here
//! [`Journal`] writes, [`Reader`] replays, [`verify`] checks, [`backup`] copies while a writer runs. All of them work over
//! a [`Storage`]: [`DiskStorage`] is a real directory, [`SimStorage`] a disk in memory that can tear, lose, fill and fail.
//!
//! ```
//! # let dir = tempfile::tempdir().unwrap();
//! use tradewind_journal::{Journal, Options, Reader};
//!
//! let (mut journal, _recovery) = Journal::open(dir.path(), Options::default())?;
//! journal.append(b"quote BTC/USDT 101.25")?; // buffered
//! let permit = journal.permit(b"buy 1 at 101.25", "the approved order")?; // synced, with all its causes
//! assert_eq!((permit.seq(), permit.into_inner()), (2, "the approved order"));
//!
//! let mut reader = Reader::open(dir.path(), 1)?;
//! while let Some(record) = reader.next()? {
//!     println!("{} {} bytes", record.seq, record.payload.len());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What always holds
//! * Sequence numbers start at 1 and have no gaps. What [`Journal::sync`] acknowledged is there after any crash.
//! * A [`Permit`] exists only for a synced intent, and only this crate makes one.
//! * One writer at a time, by an OS lock. Readers need no lock and never disturb the writer.
//! * On a full disk there is still room for what may not wait, such as a cancel: see [`Journal::append_vital`].
//! * After a failed write or sync the journal is poisoned: no call pretends that a second try had saved the data.
//! * Recovery keeps a prefix and loses nothing in silence: cut bytes are moved to a `.torn` file and reported.
//! * Damage to anything provably synced is refused, with segment, offset and sequence number, and no file is touched; the
//!   one exception are the last two records (see "Torn or damaged").
//!
//! # Files of a journal directory
//! | name | content |
//! |---|---|
//! | `00000000000000000001.seg` | a segment, named after the sequence number of its first record |
//! | `00000000000000004711.snap` | a snapshot of the caller's state after that record |
//! | `next.spare` | zeros: the next segment in preparation; removed on open |
//! | `*.torn` | what a recovery cut off, byte for byte, named by segment and offset, at 0 the whole segment; never read |
//! | `*.ahead` | a snapshot that was ahead of the recovered log; never read |
//! | `*.bad` | a snapshot that did not read, and whose record the log reaches; never read |
//! | `DAMAGED` | what was damaged although it had been synced, until the owner has recorded it |
//! | `*.tmp` | an unfinished snapshot or side file; removed on open |
//! | `writer.lock` | the OS lock of the one writer, with its process id |
//!
//! # Format, version 1
//! Integers are little-endian. Files are written into zeroed, preallocated space, so that a sync has no file size or
//! extent to record. A segment starts with 64 bytes, whose layout stays the same in every future version:
//!
//! | bytes | field |
//! |---|---|
//! | 0..8 | `TWJOURNL` |
//! | 8..12 | format version |
//! | 12..16 | CRC32C of the other 60 bytes; it also seeds ("salts") the CRC of every frame of this segment |
//! | 16..24 | sequence number of the first record |
//! | 24..32 | bytes the segment was preallocated with |
//! | 32..64 | chain value before the first record |
//!
//! Frames follow without gaps, each a multiple of 8 bytes, until the first frame whose bytes are all zero:
//!
//! | bytes | field |
//! |---|---|
//! | 0..4 | CRC32C of all that follows in this frame, padding included, seeded with the salt |
//! | 4..8 | bytes of payload, at most 16 MiB |
//! | 8..16 | sequence number (of a chain frame: of the last record it covers) |
//! | 16..20 | record: how many records of the same sync group precede it; chain frame: how many it covers |
//! | 20 | kind: 1 record, 2 chain |
//! | 21 | frame version, 1 |
//! | 22..24 | zero |
//! | 24.. | payload, then zeros up to a multiple of 8 |
//!
//! Each sync writes one group: its records and one chain frame, whose payload is
//! `SHA-256(previous chain value ‖ every byte of the group's record frames)`. The value before record 1 is 32 zero bytes.
//! A changed byte breaks a CRC, a removed or moved record breaks the numbering: both name the very record. Someone who
//! also recomputes the CRCs breaks the chain: that names the first record of the sync group. Someone who rewrites all of
//! the chain changes [`Report::chain`], which is the value to anchor outside.
//!
//! A snapshot is `TWSNAPSH`, version (4 bytes), zero (4), its sequence number (8), the last synced sequence number at that
//! time (8) and the chain value there (32), payload length (8), SHA-256 of all other bytes (32), payload.
//!
//! Every byte of a segment or snapshot is covered: [`verify`] reports a flip in unused space, too, since that must be
//! zero. Only the `.torn`, `.ahead`, lock and spare files are outside.
//!
//! # Torn or damaged
//! A group is written only after the one before it was synced, so a readable frame of a later group proves that a damaged
//! one had been acknowledged. When the last segment does not end in zeros, what follows the first unreadable frame decides:
//!
//! * No readable frame follows: a torn write, the tail is cut.
//! * Readable frames of the same group follow, and a whole sector between is still zero: sectors of an unacknowledged
//!   group arrived out of order, the tail is cut.
//! * It lies in the last two records: the tail is cut; [`Cut::acknowledged`] says if a record is known to have been synced.
//! * Anything else: refused.
//!
//! The last two records may lie in two or three segments, of which the last may hold none. Damage to them before the last
//! segment is cut all the same, and the segments behind it, which go on from what is lost, are set aside whole. Damage
//! to the unused space of a segment before the last one loses no record and is refused. A segment that is missing before the
//! last one cannot be told from a damaged end of the one before it: if two records at most are lost with what follows, that
//! is set aside as well, and not refused as missing.
//!
//! The header of a segment is no record: without it nobody can say how many records follow, so damage to it is refused. Only
//! where several segments are set aside, those before the last of them are not read: the last one says how many records are
//! lost.
//!
//! A snapshot taken at the last record holds the chain value there: the records are all proven although the chain frame
//! behind them is broken. One that is ahead of the cut is set aside; [retention](Journal::retain_from_snapshot) keeps one that
//! is not.
//!
//! # Error codes
//! [`CODES`] lists every code with its meaning and what to do.

mod backup;
mod cursor;
mod error;
mod failpoint;
mod format;
mod hash;
mod journal;
mod permit;
mod reader;
mod recover;
mod segments;
mod snapshot;
mod spare;
mod storage;
mod tail;
mod verify;

pub use backup::{backup, backup_storage};
pub use error::{
    AppendError, BackupError, CODES, Damage, FaultKind, Flaw, OpenError, ReadError, RetainError, SnapshotError,
    StorageFault,
};
pub use failpoint::{FAILPOINTS, clock_shift, failpoint, failpoint_after};
pub use format::{FORMAT_VERSION, RECORD_BYTES_MAX};
pub use journal::{Journal, Options};
pub use permit::Permit;
pub use reader::{Reader, Record};
pub use recover::{Cut, Recovery};
pub use snapshot::{Retained, Snapshot, latest_snapshot, latest_snapshot_storage, snapshot_storage, snapshots_storage};
pub use storage::{Crash, DiskStorage, Fault, Locking, SimStorage, Storage, StorageFile};
pub use verify::{Report, verify, verify_storage};
