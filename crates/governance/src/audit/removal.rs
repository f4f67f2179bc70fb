//! Removals: a signed statement that old records were taken away on purpose, so that their absence can be told from theft.

use super::checkpoint::{CheckpointError, Key, PublicKey};
use super::{Checkpoint, Fault, Flaw};
use crate::Name;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tradewind_domain::{Sequence, Timestamp};

/// A signed statement: these records stood in the journal, and were removed on purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// Version of this shape.
    pub v: u16,
    /// First record removed.
    pub from: Sequence,
    /// Last record removed; the one after it is the first kept.
    pub to: Sequence,
    /// When it was signed, before anything was removed.
    pub at: Timestamp,
    /// Who removed them, in their own words.
    pub by: Name,
    /// Fingerprint of the newest checkpoint at that time: it says in which history.
    pub checkpoint: String,
    /// SHA-256 of the removal before, signature included; empty for the first.
    #[serde(default)]
    pub previous: String,
    /// Ed25519 over all of the above.
    pub signature: String,
}

impl Removal {
    /// Signs the removal of everything from `from` to `to` by `by`, after the removal `previous`, in the history that
    /// `checkpoint` ends.
    #[must_use]
    pub fn sign(
        key: &Key,
        (from, to): (Sequence, Sequence),
        by: Name,
        at: Timestamp,
        checkpoint: &Checkpoint,
        previous: Option<&Self>,
    ) -> Self {
        let previous = previous.map(Self::fingerprint).unwrap_or_default();
        let checkpoint = checkpoint.fingerprint();
        let mut removal = Self { v: 1, from, to, at, by, checkpoint, previous, signature: String::new() };
        removal.signature = key.sign(&removal.signed_bytes());
        removal
    }

    /// Reads the line of a file of removals.
    ///
    /// # Errors
    /// [`CheckpointError`] says what is wrong with it.
    pub fn parse(line: &str) -> Result<Self, CheckpointError> {
        let it: Self = serde_json::from_str(line).map_err(|error| CheckpointError(error.to_string()))?;
        match it.v {
            1 if it.from <= it.to => Ok(it),
            1 => Err(CheckpointError(format!("records {} to {}", it.from, it.to))),
            v => Err(CheckpointError(format!("version {v}, this program reads 1"))),
        }
    }

    /// Its line in a file of removals, without a line break.
    ///
    /// # Panics
    /// Never: it has text keys only.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("a removal has text keys only")
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"tradewind removal v1\n".to_vec();
        for number in [u64::from(self.v), self.from, self.to, self.at.nanos().cast_unsigned()] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for text in [self.by.as_str(), &self.checkpoint, &self.previous] {
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }

    fn fingerprint(&self) -> String {
        hex::encode(Sha256::new_with_prefix(self.signed_bytes()).chain_update(self.signature.as_bytes()).finalize())
    }
}

/// Checks that nothing signed is missing before `first`, the first record of the log, but what `removals` of `key` cover.
///
/// The removals must follow one another without a gap from the first record that was ever signed, and each belongs to
/// the history of `checkpoints`. A removal that was signed and not finished leaves more than it says, which is no harm.
///
/// # Errors
/// [`Flaw::Removed`] with the first record that is gone without a word, [`Flaw::Signature`] or [`Flaw::Forked`] with the
/// first record of a statement that is not `key`'s, or not of this history.
pub fn check_removals(
    removals: &[Removal],
    checkpoints: &[Checkpoint],
    key: &PublicKey,
    first: Sequence,
) -> Result<(), Fault> {
    let Some(oldest) = checkpoints.first() else { return Ok(()) };
    let mut covered_to = oldest.from; // the first record that must be there
    let mut previous = String::new();
    for it in removals {
        let fault = |flaw| Err(Fault { record: it.from, flaw });
        if !key.has_signed(&it.signed_bytes(), &it.signature) {
            return fault(Flaw::Signature);
        }
        if it.previous != previous || !checkpoints.iter().any(|known| known.fingerprint() == it.checkpoint) {
            return fault(Flaw::Forked);
        }
        if it.from <= covered_to {
            covered_to = covered_to.max(it.to + 1);
        }
        previous = it.fingerprint();
    }
    if first > covered_to { Err(Fault { record: covered_to, flaw: Flaw::Removed }) } else { Ok(()) }
}
