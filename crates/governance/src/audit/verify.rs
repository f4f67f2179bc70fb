//! The verifier: records and checkpoints in, the first thing that is wrong out.

use super::checkpoint::{Hash, leaf_of, next_head, record_hash};
use super::{Checkpoint, PublicKey};
use serde::Serialize;
use tradewind_domain::Sequence;

/// A checkpoint that was copied elsewhere: whatever the log says now, it once held this.
pub type Anchor = Checkpoint;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// The bytes of the record are not those that were signed.
    Changed,
    /// Record numbers do not follow one another: removed, inserted or swapped.
    OutOfOrder,
    /// The log ends before the records that were signed: truncated, or replaced by an older one.
    Truncated,
    /// A checkpoint is not signed by the key.
    Signature,
    /// A checkpoint does not follow the one before: one is missing, or the log was forked.
    Forked,
    /// Signed records are gone from the beginning, and no signed statement says that they were removed on purpose.
    Removed,
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("record {record}: {flaw:?}")]
pub struct Fault {
    /// The first bad record; of a bad checkpoint the first record that it covers.
    pub record: Sequence,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What was proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The first record read; later than 1 after retention, which [`super::check_removals`] tells from theft.
    pub first: Sequence,
    /// Records read.
    pub records: u64,
    /// The last record that a signature covers; 0 for none.
    pub signed_to: Sequence,
    /// Checkpoints whose records and signature are right.
    pub checkpoints: u64,
}

/// Verifies records as they are read, against all checkpoints.
#[derive(Debug)]
pub struct Verifier<'a> {
    checkpoints: &'a [Checkpoint],
    place: usize,
    head: Option<Hash>,
    next: Option<Sequence>,
    found: Verified,
}

/// Checks every record against the checkpoints of `key`, and all against an anchor, if there is one.
///
/// # Errors
/// The first [`Fault`].
pub fn verify<'r>(
    records: impl IntoIterator<Item = (Sequence, &'r [u8])>,
    checkpoints: &[Checkpoint],
    key: &PublicKey,
    anchor: Option<&Anchor>,
) -> Result<Verified, Fault> {
    let mut verifier = Verifier::new(checkpoints, key, anchor)?;
    for (sequence, payload) in records {
        verifier.record(sequence, payload)?;
    }
    verifier.finish()
}

impl<'a> Verifier<'a> {
    /// Begins by checking the checkpoints themselves: signatures, their chain, and that the anchor is one of them.
    ///
    /// # Errors
    /// [`Flaw::Signature`] or [`Flaw::Forked`].
    pub fn new(checkpoints: &'a [Checkpoint], key: &PublicKey, anchor: Option<&Anchor>) -> Result<Self, Fault> {
        let mut previous: Option<&Checkpoint> = None;
        for it in checkpoints {
            if !it.is_signed_by(key) {
                return Err(Fault { record: it.from, flaw: Flaw::Signature });
            }
            let follows = match previous {
                None => it.previous.is_empty(),
                Some(previous) => it.previous == previous.fingerprint() && it.from == previous.to + 1,
            };
            if !follows {
                return Err(Fault { record: it.from, flaw: Flaw::Forked });
            }
            previous = Some(it);
        }
        if let Some(anchor) = anchor {
            if !anchor.is_signed_by(key) {
                return Err(Fault { record: anchor.from, flaw: Flaw::Signature });
            }
            match checkpoints.iter().find(|it| it.to >= anchor.to) {
                Some(it) if it == anchor => (),
                Some(_) => return Err(Fault { record: anchor.from, flaw: Flaw::Forked }),
                None => {
                    let record = previous.map_or(anchor.from, |last| last.to + 1);
                    return Err(Fault { record, flaw: Flaw::Truncated });
                }
            }
        }
        Ok(Self { checkpoints, place: 0, head: None, next: None, found: Verified::default() })
    }

    /// Checks the next record.
    ///
    /// # Errors
    /// [`Flaw::OutOfOrder`] or [`Flaw::Changed`].
    pub fn record(&mut self, sequence: Sequence, payload: &[u8]) -> Result<(), Fault> {
        match self.next {
            Some(next) if next != sequence => return Err(Fault { record: next, flaw: Flaw::OutOfOrder }),
            Some(_) => (),
            None => self.begin(sequence),
        }
        self.next = Some(sequence + 1);
        self.found.records += 1;
        let record = record_hash(sequence, payload);
        self.head = self.head.map(|head| next_head(&head, &record));
        let Some(checkpoint) = self.checkpoints.get(self.place).filter(|it| it.from <= sequence) else { return Ok(()) };
        if checkpoint.leaf(sequence) != Some(leaf_of(&record).as_str()) {
            return Err(Fault { record: sequence, flaw: Flaw::Changed });
        }
        if sequence == checkpoint.to {
            self.close(checkpoint)?;
        }
        Ok(())
    }

    /// Retention may have removed the oldest records: then the first whole checkpoint that is left gives the head.
    fn begin(&mut self, first: Sequence) {
        self.found.first = first;
        let Some(oldest) = self.checkpoints.first() else { return };
        while self.checkpoints.get(self.place).is_some_and(|it| it.to < first) {
            self.place += 1;
        }
        if first == oldest.from {
            self.head = Some([0; 32]);
        } else if self.place > 0 && self.checkpoints.get(self.place).is_none_or(|it| it.from == first) {
            self.head = head_of(&self.checkpoints[self.place - 1]);
        }
    }

    fn close(&mut self, checkpoint: &Checkpoint) -> Result<(), Fault> {
        let signed = head_of(checkpoint);
        match self.head {
            // four bytes of each record agree and the head does not: one of these records was changed to fit them
            Some(head) if Some(head) != signed => return Err(Fault { record: checkpoint.from, flaw: Flaw::Changed }),
            Some(_) => (),
            None => self.head = signed, // its first records were removed by retention; from here on the chain is whole
        }
        self.place += 1;
        self.found.checkpoints += 1;
        self.found.signed_to = checkpoint.to;
        Ok(())
    }

    /// Ends: every record that was signed must have been there.
    ///
    /// # Errors
    /// [`Flaw::Truncated`] with the first record that is missing.
    pub fn finish(self) -> Result<Verified, Fault> {
        let first_missing = self.next.unwrap_or_else(|| self.checkpoints.first().map_or(1, |it| it.from));
        match self.checkpoints.last() {
            Some(last) if last.to >= first_missing => Err(Fault { record: first_missing, flaw: Flaw::Truncated }),
            _ => Ok(self.found),
        }
    }
}

fn head_of(checkpoint: &Checkpoint) -> Option<Hash> {
    let mut head = [0; 32];
    hex::decode_to_slice(&checkpoint.head, &mut head).ok().map(|()| head)
}
