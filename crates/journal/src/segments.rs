//! Which segments there are, and the walk through them that checks every frame and the chain.

use std::collections::BTreeMap;

use crate::cursor::{Cursor, Step};
use crate::error::{Damage, Doing, Flaw, ReadError, StorageFault};
use crate::format::{Chain, GENESIS, Kind, numbered};
use crate::hash::Hash;
use crate::snapshot::SnapshotHead;
use crate::storage::Storage;
use crate::tail::Tail;

/// First sequence numbers of all segments, in order.
pub(crate) fn list<S: Storage>(storage: &S) -> Result<Vec<u64>, StorageFault> {
    let names = storage.list().doing("list", "the journal's directory")?;
    let mut segments: Vec<u64> =
        names.iter().filter_map(|name| numbered(name, "seg")).filter(|&first| first > 0).collect();
    segments.sort_unstable();
    Ok(segments)
}

/// Index of the segment that holds `seq`, or would.
pub(crate) fn holding(segments: &[u64], seq: u64) -> usize {
    segments.partition_point(|&first| first <= seq).saturating_sub(1)
}

/// Checks frames, order and chain from segment to segment.
pub(crate) struct Walk {
    pub(crate) next_seq: u64,
    pub(crate) chain: Chain,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    /// Hashes the group being read.
    group: Hash,
    /// Where the group being read begins, and how many record bytes it has.
    group_offset: u64,
    group_bytes: u64,
    /// Chain values that sound snapshots recorded and the walk has yet to meet.
    heads: BTreeMap<u64, (Chain, String)>,
}

impl Walk {
    /// Begins at a segment that starts with `first_seq` after `chain`.
    pub(crate) fn new(first_seq: u64, chain: Chain, snapshots: &[SnapshotHead]) -> Self {
        let old = |head: &&SnapshotHead| head.synced_seq + 1 >= first_seq;
        let heads = snapshots.iter().filter(old).map(|head| (head.synced_seq, (head.chain, head.name())));
        let heads = heads.collect();
        let group = Hash::of(&chain);
        Self { next_seq: first_seq, chain, records: 0, bytes: 0, group, group_offset: 0, group_bytes: 0, heads }
    }

    /// Walks through one segment to the first frame that does not read; `cursor` then stands there.
    pub(crate) fn through<S: Storage>(&mut self, cursor: &mut Cursor<S::File>) -> Result<Tail, ReadError> {
        self.enter(cursor)?;
        self.follow::<S>(cursor)?;
        Ok(cursor.tail()?)
    }

    /// The segment must go on where the one before it ended.
    fn enter<F: crate::StorageFile>(&mut self, cursor: &Cursor<F>) -> Result<(), ReadError> {
        let header = cursor.header;
        if header.first_seq > self.next_seq {
            return Err(ReadError::Missing { from: self.next_seq, to: header.first_seq - 1 });
        }
        let begins_right = header.first_seq != 1 || header.chain == GENESIS;
        if header.first_seq < self.next_seq || header.chain != self.chain || !begins_right {
            let flaw = if header.first_seq < self.next_seq { Flaw::Record } else { Flaw::Chain };
            return Err(ReadError::Damaged(Damage { offset: 0, ..cursor.damage(flaw) }));
        }
        self.group_offset = cursor.place().offset;
        self.meet_snapshot(header.first_seq - 1)
    }

    /// Walks on from where `cursor` stands.
    pub(crate) fn follow<S: Storage>(&mut self, cursor: &mut Cursor<S::File>) -> Result<(), ReadError> {
        while let Some(step) = cursor.next()? {
            match step.frame.kind {
                Kind::Record => {
                    self.group.update(cursor.bytes(&step));
                    self.group_bytes += step.frame.payload_bytes as u64;
                    self.next_seq += 1;
                }
                Kind::Chain => self.close_group(cursor, &step)?,
            }
        }
        Ok(())
    }

    fn close_group<F: crate::StorageFile>(&mut self, cursor: &Cursor<F>, step: &Step) -> Result<(), ReadError> {
        let chain = self.end_hash();
        if cursor.payload(step) != chain {
            let seq = step.frame.synced_before() + 1;
            let damage = Damage { offset: self.group_offset, seq, ..cursor.damage(Flaw::Chain) };
            return Err(ReadError::Damaged(damage));
        }
        self.group_offset = cursor.place().offset;
        self.records += u64::from(step.frame.group);
        self.bytes += std::mem::take(&mut self.group_bytes);
        self.begin_after(chain)
    }

    /// Ends the group being read with its last record: its chain frame says so, or is broken, or never arrived.
    pub(crate) fn end_group(&mut self) -> Result<(), ReadError> {
        let chain = self.end_hash();
        self.begin_after(chain)
    }

    /// The chain value with which the group being read ends.
    fn end_hash(&mut self) -> Chain {
        std::mem::replace(&mut self.group, Hash::of(&[])).end()
    }

    fn begin_after(&mut self, chain: Chain) -> Result<(), ReadError> {
        self.chain = chain;
        self.group = Hash::of(&chain);
        self.meet_snapshot(self.next_seq - 1)
    }

    fn meet_snapshot(&mut self, seq: u64) -> Result<(), ReadError> {
        match self.heads.remove(&seq) {
            Some((chain, segment)) if chain != self.chain => {
                Err(ReadError::Damaged(Damage { segment, offset: 0, seq, flaw: Flaw::Snapshot }))
            }
            _ => Ok(()),
        }
    }

    /// A snapshot that should have been met by now, but no sync ended where it says.
    pub(crate) fn unmet_snapshot(&self) -> Option<Damage> {
        let (&seq, (_, segment)) = self.heads.range(..self.next_seq).next()?;
        Some(Damage { segment: segment.clone(), offset: 0, seq, flaw: Flaw::Snapshot })
    }
}
