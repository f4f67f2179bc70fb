//! Reads the frames of one segment in order, in large pieces, without copying payloads.

use std::io::ErrorKind;
use std::ops::Range;

use crate::error::{Damage, Doing, Flaw, ReadError, StorageFault};
use crate::format::{
    Decoded, Frame, HeaderFlaw, Kind, SEGMENT_HEADER_BYTES, SegmentHeader, decode_frame, salt_of, segment_name,
};
use crate::storage::{Storage, StorageFile, read_full};
use crate::tail::{Place, Tail};

const CHUNK: usize = 256 << 10;

/// A place in a segment; moves from frame to frame as long as they read and are in order.
pub(crate) struct Cursor<F> {
    pub(crate) file: F,
    pub(crate) name: String,
    pub(crate) header: SegmentHeader,
    buffer: Vec<u8>,
    /// Where in the file the buffer begins.
    base: u64,
    at: usize,
    filled: usize,
    place: Place,
}

/// One frame in the cursor's buffer.
pub(crate) struct Step {
    pub(crate) frame: Frame,
    whole: Range<usize>,
}

impl<F: StorageFile> Cursor<F> {
    /// Opens the segment whose first record is `first_seq`.
    pub(crate) fn open<S: Storage<File = F>>(storage: &S, first_seq: u64, write: bool) -> Result<Self, ReadError> {
        let name = segment_name(first_seq);
        let file = match storage.open(&name, write) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(ReadError::Missing { from: first_seq, to: first_seq });
            }
            other => other.doing("open", &name)?,
        };
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        let read = read_full(&file, &mut bytes, 0).doing("read", &name)?;
        let header = match SegmentHeader::decode(&bytes[..read]) {
            Ok(header) if header.first_seq == first_seq => header,
            Err(HeaderFlaw::Newer(version)) => return Err(ReadError::Newer { name, version }),
            Ok(_) | Err(HeaderFlaw::Unreadable) => {
                return Err(ReadError::Damaged(Damage {
                    segment: name,
                    offset: 0,
                    seq: first_seq,
                    flaw: Flaw::Header,
                }));
            }
        };
        let offset = SEGMENT_HEADER_BYTES as u64;
        let place = Place { offset, salt: salt_of(&bytes), next_seq: first_seq, closed_seq: first_seq - 1 };
        Ok(Self { file, name, header, buffer: Vec::new(), base: offset, at: 0, filled: 0, place })
    }

    /// The next frame; `None` where the next bytes are no frame, or not the one that should come.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Step>, StorageFault> {
        loop {
            match decode_frame(&self.buffer[self.at..self.filled], self.place.salt) {
                Decoded::Frame(frame) => return Ok(self.step(frame)),
                Decoded::Short(bytes) if self.fill(bytes)? => {}
                Decoded::Short(_) | Decoded::Unreadable => return Ok(None),
            }
        }
    }

    fn step(&mut self, frame: Frame) -> Option<Step> {
        let Place { next_seq, closed_seq, .. } = self.place;
        let open = next_seq - 1 - closed_seq;
        let in_order = u64::from(frame.group) == open
            && match frame.kind {
                Kind::Record => frame.seq == next_seq,
                Kind::Chain => frame.seq == next_seq - 1 && open > 0,
            };
        if !in_order {
            return None;
        }
        match frame.kind {
            Kind::Record => self.place.next_seq += 1,
            Kind::Chain => self.place.closed_seq = frame.seq,
        }
        let whole = self.at..self.at + frame.bytes();
        self.at = whole.end;
        self.place.offset += frame.bytes() as u64;
        Some(Step { frame, whole })
    }

    /// Reads on until `bytes` are there; `false` if the file ends before.
    fn fill(&mut self, bytes: usize) -> Result<bool, StorageFault> {
        self.buffer.copy_within(self.at..self.filled, 0);
        self.base += self.at as u64;
        self.filled -= self.at;
        self.at = 0;
        if self.buffer.len() < bytes.max(CHUNK) {
            self.buffer.resize(bytes.max(CHUNK), 0);
        }
        let from = self.base + self.filled as u64;
        self.filled += read_full(&self.file, &mut self.buffer[self.filled..], from).doing("read", &self.name)?;
        Ok(self.filled >= bytes)
    }

    /// The payload of the frame that [`next`](Self::next) just gave.
    pub(crate) fn payload(&self, step: &Step) -> &[u8] {
        let start = step.whole.start + crate::format::FRAME_HEADER_BYTES;
        &self.buffer[start..start + step.frame.payload_bytes]
    }

    /// All bytes of the frame that [`next`](Self::next) just gave.
    pub(crate) fn bytes(&self, step: &Step) -> &[u8] {
        &self.buffer[step.whole.clone()]
    }

    /// Forgets what was read ahead, so that [`next`](Self::next) sees what a writer has added since.
    pub(crate) fn refresh(&mut self) {
        self.base = self.place.offset;
        self.at = 0;
        self.filled = 0;
    }

    /// Whether a fresh look finds a readable frame here; does not move.
    pub(crate) fn peek(&mut self) -> Result<bool, StorageFault> {
        self.refresh();
        let place = self.place;
        let found = self.next()?.is_some();
        self.place = place;
        self.refresh();
        Ok(found)
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// Looks at everything from here to the end of the file.
    pub(crate) fn tail(&self) -> Result<Tail, StorageFault> {
        Tail::examine(&self.file, self.place).doing("read", &self.name)
    }

    /// The damage here.
    pub(crate) fn damage(&self, flaw: Flaw) -> Damage {
        Damage { segment: self.name.clone(), offset: self.place.offset, seq: self.place.next_seq, flaw }
    }
}
