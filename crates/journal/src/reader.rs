//! Replay.

use std::path::Path;

use crate::cursor::Cursor;
use crate::error::{Damage, Flaw, ReadError};
use crate::format::{Kind, u64_at};
use crate::segments::{self, holding};
use crate::storage::{DiskStorage, Storage, StorageFile, read_full};

/// One record, borrowed from the reader's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its sequence number.
    pub seq: u64,
    /// What was appended.
    pub payload: &'a [u8],
}

/// Reads records in order, at the speed of memory, while a writer may be running.
///
/// Checks each record's CRC and the numbering; the chain is [`verify`](crate::verify)'s. May see records a moment before
/// they are durable. After the end, [`next`](Self::next) gives further records as a writer adds them.
pub struct Reader<S: Storage = DiskStorage> {
    storage: S,
    cursor: Option<Cursor<S::File>>,
    from: u64,
    /// The end of this segment was looked at as a whole: it is not a hole with records behind.
    examined: bool,
    torn: Option<Damage>,
}

impl Reader {
    /// Opens the journal in `dir` for reading from record `from` (1 is the first).
    ///
    /// # Errors
    /// [`ReadError::Removed`] if retention has removed that record.
    pub fn open(dir: impl AsRef<Path>, from: u64) -> Result<Self, ReadError> {
        Self::open_storage(DiskStorage::new(dir), from)
    }
}

impl<S: Storage> Reader<S> {
    /// [`Reader::open`] over any storage.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open_storage(storage: S, from: u64) -> Result<Self, ReadError> {
        let from = from.max(1);
        let segments = segments::list(&storage)?;
        let cursor = match segments.first() {
            None => None,
            Some(&oldest) if from < oldest => return Err(ReadError::Removed { asked: from, oldest }),
            Some(_) => Some(Cursor::open(&storage, segments[holding(&segments, from)], false)?),
        };
        Ok(Self { storage, cursor, from, examined: false, torn: None })
    }

    /// The next record; `None` at the present end of the log.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] where the record does not read and that cannot be a torn write. A torn tail counts as the
    /// end: whether it is torn or still being written, the next opening for writing decides.
    #[expect(clippy::should_implement_trait, reason = "records borrow from the reader, which Iterator cannot say")]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, ReadError> {
        loop {
            let Some(cursor) = &mut self.cursor else { return Ok(None) };
            match cursor.next()? {
                Some(step) if step.frame.kind == Kind::Chain || step.frame.seq < self.from => {}
                Some(step) => {
                    let cursor = self.cursor.as_ref().expect("it was there a moment ago");
                    return Ok(Some(Record { seq: step.frame.seq, payload: cursor.payload(&step) }));
                }
                None if self.go_on()? => {}
                None => return Ok(None),
            }
        }
    }

    /// Where the log ended in a torn tail, if it did when [`next`](Self::next) last gave `None`.
    pub fn torn_tail(&self) -> Option<&Damage> {
        self.torn.as_ref()
    }

    /// Looks for more where the buffer has none: bytes written since, or the next segment.
    fn go_on(&mut self) -> Result<bool, ReadError> {
        let Some(cursor) = &mut self.cursor else { return Ok(false) };
        let segments = segments::list(&self.storage)?; // before the fresh look: what has a successor is complete
        let next = segments.iter().copied().find(|&first| first > cursor.header.first_seq);
        cursor.refresh();
        if !at_zeros(cursor)? {
            if cursor.peek()? {
                return Ok(true);
            }
            self.storage.settle();
            if cursor.peek()? {
                return Ok(true);
            }
        } else if self.examined && next.is_none() {
            return Ok(false);
        }
        let tail = cursor.tail()?;
        let damaged = !tail.is_clean() && (next.is_some() || !tail.may_be_cut());
        match next {
            _ if damaged && cursor.peek()? => Ok(true), // the writer was faster than the look at the tail
            _ if damaged => Err(ReadError::Damaged(cursor.damage(Flaw::Record))),
            Some(_) if tail.is_open() => Err(ReadError::Damaged(cursor.damage(Flaw::Record))),
            Some(first) if first != tail.next_seq => Err(ReadError::Missing { from: tail.next_seq, to: first - 1 }),
            Some(first) => {
                self.cursor = Some(Cursor::open(&self.storage, first, false)?);
                self.examined = false;
                Ok(true)
            }
            None => {
                self.examined = tail.is_clean();
                self.torn = (!tail.is_clean()).then(|| cursor.damage(Flaw::Tail));
                Ok(false)
            }
        }
    }
}

/// Eight zeros stand where the next frame would begin, or the file ends there.
fn at_zeros<F: StorageFile>(cursor: &Cursor<F>) -> Result<bool, ReadError> {
    let mut start = [0; 8];
    read_full(&cursor.file, &mut start, cursor.place().offset)
        .map_err(|error| crate::StorageFault::new("read", &cursor.name, error))?;
    Ok(u64_at(&start, 0) == 0)
}
