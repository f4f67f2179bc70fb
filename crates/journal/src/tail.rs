//! What the end of a segment looks like, and whether it may be cut. The rules stand on the crate's page.

use std::io;

use crate::format::{Decoded, Frame, decode_frame};
use crate::storage::{StorageFile, read_full};

/// Most records that a recovery cuts off although they are known to have been synced.
pub(crate) const CUT_MAX: u64 = 2;
const SECTOR: usize = 512;
const CHUNK: usize = 256 << 10;

/// Where a reader stands when the next frame does not read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) salt: u32,
    /// The record that should come next.
    pub(crate) next_seq: u64,
    /// The last record that a chain frame covers.
    pub(crate) closed_seq: u64,
}

/// The end of a segment, from the first frame that does not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) offset: u64,
    pub(crate) next_seq: u64,
    pub(crate) closed_seq: u64,
    pub(crate) file_bytes: u64,
    /// From `offset` to the end of the file; empty if all is zero.
    rest: Vec<u8>,
    /// Up to the last byte that is not zero.
    used: usize,
    follow: Follow,
}

/// The readable frames that follow the unreadable one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Follow {
    /// The highest sequence number among them.
    last_seq: u64,
    /// One of them belongs to a later sync group.
    later_group: bool,
    /// A whole sector before the first of them is zero.
    sector_missing: bool,
}

impl Tail {
    /// Reads the file from `place` to its end.
    pub(crate) fn examine(file: &impl StorageFile, place: Place) -> io::Result<Self> {
        let file_bytes = file.len()?;
        let (rest, used) = read_used(file, place.offset, file_bytes)?;
        let follow = Follow::find(&rest, used, place);
        let Place { offset, next_seq, closed_seq, .. } = place;
        Ok(Self { offset, next_seq, closed_seq, file_bytes, rest, used, follow })
    }

    /// Nothing but zeros follow.
    pub(crate) fn is_clean(&self) -> bool {
        self.used == 0
    }

    /// What follows, without the zeros at the end.
    pub(crate) fn stray(&self) -> &[u8] {
        &self.rest[..self.used]
    }

    /// The segment ends as it was written: the one that begins with `next` goes on from here.
    pub(crate) fn ends_before(&self, next: u64) -> bool {
        self.is_clean() && !self.is_open() && self.next_seq == next
    }

    /// Records were read that no chain frame covers.
    pub(crate) fn is_open(&self) -> bool {
        self.next_seq - 1 > self.closed_seq
    }

    /// Records whose frames read, plus the broken ones before them.
    pub(crate) fn records(&self) -> u64 {
        (self.follow.last_seq + 1).saturating_sub(self.next_seq)
    }

    /// A frame of a later group proves that something in this tail had been synced.
    pub(crate) fn was_acknowledged(&self) -> bool {
        self.follow.later_group
    }

    /// It may be cut, if this is the last segment.
    pub(crate) fn may_be_cut(&self) -> bool {
        self.records() <= CUT_MAX || (!self.follow.later_group && self.follow.sector_missing)
    }
}

/// Reads from `offset` to the end of the file; gives nothing, and holds a chunk at a time, where all is zero.
fn read_used(file: &impl StorageFile, offset: u64, end: u64) -> io::Result<(Vec<u8>, usize)> {
    let left = usize::try_from(end.saturating_sub(offset)).map_err(io::Error::other)?;
    let mut chunk = vec![0; CHUNK.min(left)];
    let mut at = 0;
    while at < left {
        let read = read_full(file, &mut chunk, offset + at as u64)?;
        if read == 0 {
            break;
        }
        if !is_zero(&chunk[..read]) {
            let mut rest = vec![0; left];
            let length = read_full(file, &mut rest, offset)?;
            rest.truncate(length);
            let used = used_bytes(&rest);
            return Ok((rest, used));
        }
        at += read;
    }
    Ok((Vec::new(), 0))
}

/// Length without the zeros at the end.
fn used_bytes(bytes: &[u8]) -> usize {
    let blocks = bytes.rchunks(4096).take_while(|block| is_zero(block)).map(<[u8]>::len).sum::<usize>();
    let rest = &bytes[..bytes.len() - blocks];
    rest.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().fold(0, |all, byte| all | byte) == 0
}

impl Follow {
    fn find(rest: &[u8], used: usize, place: Place) -> Self {
        let mut follow = Self::default();
        let mut first = used;
        let mut at = 0;
        while at < used {
            match frame_at(rest, at, place) {
                Some(frame) => {
                    first = first.min(at);
                    follow.last_seq = follow.last_seq.max(frame.seq);
                    follow.later_group |= frame.synced_before() > place.closed_seq;
                    at += frame.bytes();
                }
                None => at += 8,
            }
        }
        follow.sector_missing = sector_missing(&rest[..first], place.offset);
        follow
    }
}

/// A readable frame at `at` that was written after everything read so far.
fn frame_at(rest: &[u8], at: usize, place: Place) -> Option<Frame> {
    match decode_frame(&rest[at..], place.salt) {
        Decoded::Frame(frame) if frame.seq >= place.next_seq => Some(frame),
        Decoded::Short(_) | Decoded::Frame(_) | Decoded::Unreadable => None,
    }
}

/// Whether a sector that begins in `bytes`, or the rest of the one it begins in, is all zero.
fn sector_missing(bytes: &[u8], offset: u64) -> bool {
    let to_border = usize::try_from(offset.next_multiple_of(SECTOR as u64) - offset).expect("less than a sector");
    let (head, sectors) = bytes.split_at(to_border.min(bytes.len()));
    let head_missing = !head.is_empty() && head.len() == to_border && is_zero(head);
    head_missing || sectors.chunks_exact(SECTOR).any(is_zero)
}
