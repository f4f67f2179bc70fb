//! Checkpoints: a signature over a stretch of records, chained to the checkpoint before it.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use tradewind_domain::{Sequence, Timestamp};

/// A checkpoint is due after this many records.
pub const CHECKPOINT_RECORDS: u64 = 1_000;
/// A checkpoint is due after this long: 60 seconds in nanoseconds.
pub const CHECKPOINT_NANOS: i64 = 60 * 1_000_000_000;
/// Bytes of a record's hash that a checkpoint keeps: enough to name the record, while [`Checkpoint::head`] proves it.
const LEAF_BYTES: usize = 4;

/// SHA-256.
pub(crate) type Hash = [u8; 32];

/// The hash of one record: of its number and its bytes.
pub(crate) fn record_hash(sequence: Sequence, payload: &[u8]) -> Hash {
    let start = Sha256::new_with_prefix(b"tradewind record v1\n").chain_update(sequence.to_le_bytes());
    start.chain_update(payload).finalize().into()
}

/// The head after a record: of the head before it and the record's hash.
pub(crate) fn next_head(head: &Hash, record: &Hash) -> Hash {
    Sha256::new_with_prefix(head).chain_update(record).finalize().into()
}

/// A private signing key. Shows nothing of itself.
pub struct Key(SigningKey);

impl Key {
    /// The key made of 32 random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }
    /// What verifies its signatures.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }
    /// A signature over `bytes`, in hex.
    pub(super) fn sign(&self, bytes: &[u8]) -> String {
        hex::encode(self.0.sign(bytes).to_bytes())
    }
}
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// What verifies the signatures of a [`Key`]; 64 hex digits as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads 64 hex digits; `None` if they are no key.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).ok()?;
        VerifyingKey::from_bytes(&bytes).ok().map(Self)
    }
    /// Whether `signature`, in hex, is this key's over `bytes`.
    pub(super) fn has_signed(&self, bytes: &[u8], signature: &str) -> bool {
        let mut read = [0; 64];
        hex::decode_to_slice(signature, &mut read).is_ok()
            && self.0.verify_strict(bytes, &Signature::from_bytes(&read)).is_ok()
    }
}
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0.as_bytes()))
    }
}

/// A signed statement: these records, in this order, stood in the journal at that time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Version of this shape.
    pub v: u16,
    /// First record that it covers.
    pub from: Sequence,
    /// Last record that it covers.
    pub to: Sequence,
    /// When it was signed.
    pub at: Timestamp,
    /// Four bytes of each record's hash, in hex.
    pub leaves: String,
    /// The head after `to`: each head is the SHA-256 of the one before and the record's hash; 32 zero bytes at first.
    pub head: String,
    /// SHA-256 of the checkpoint before, signature included; empty for the first.
    #[serde(default)]
    pub previous: String,
    /// Ed25519 over all of the above.
    pub signature: String,
}

/// A line that is no checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a checkpoint: {0}")]
pub struct CheckpointError(pub String);

impl Checkpoint {
    /// Reads the line of a checkpoint file.
    ///
    /// # Errors
    /// [`CheckpointError`] says what is wrong with it.
    pub fn parse(line: &str) -> Result<Self, CheckpointError> {
        let it: Self = serde_json::from_str(line).map_err(|error| CheckpointError(error.to_string()))?;
        // a record follows the last one, or nothing could ever be signed after it
        let last = Some(it.to).filter(|to| *to < Sequence::MAX);
        let count = last.and_then(|to| usize::try_from(to.checked_sub(it.from)?).ok()?.checked_add(1));
        match count {
            _ if it.v != 1 => Err(CheckpointError(format!("version {}, this program reads 1", it.v))),
            Some(count) if Some(it.leaves.len()) == count.checked_mul(LEAF_BYTES * 2) => Ok(it),
            _ => Err(CheckpointError(format!("{} hex digits for {}..={}", it.leaves.len(), it.from, it.to))),
        }
    }

    /// Its line in a checkpoint file, without a line break.
    ///
    /// # Panics
    /// Never: it has text keys only.
    #[must_use]
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("a checkpoint has text keys only")
    }

    /// What is signed: everything but the signature, each part at a fixed width or with its length before it.
    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"tradewind checkpoint v1\n".to_vec();
        for number in [u64::from(self.v), self.from, self.to, self.at.nanos().cast_unsigned()] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for text in [&self.leaves, &self.head, &self.previous] {
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }

    /// SHA-256 of the whole, as the next checkpoint keeps it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex::encode(Sha256::new_with_prefix(self.signed_bytes()).chain_update(self.signature.as_bytes()).finalize())
    }

    /// Whether `key` signed it.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        key.has_signed(&self.signed_bytes(), &self.signature)
    }

    /// Four bytes of the hash of `sequence` as hex, if it covers that record.
    pub(crate) fn leaf(&self, sequence: Sequence) -> Option<&str> {
        let place = usize::try_from(sequence.checked_sub(self.from)?).ok()?;
        self.leaves.get(place * LEAF_BYTES * 2..(place + 1) * LEAF_BYTES * 2)
    }
}

pub(crate) fn leaf_of(record: &Hash) -> String {
    hex::encode(&record[..LEAF_BYTES])
}

/// Takes in records as they are written, and signs a checkpoint when one is due.
#[derive(Debug)]
pub struct Notary {
    key: Key,
    head: Hash,
    next: Sequence,
    leaves: String,
    previous: String,
    since: Option<Timestamp>,
}

impl Notary {
    /// A notary that begins after `last`, the newest checkpoint, or at record `first` where there is none.
    #[must_use]
    pub fn new(key: Key, last: Option<&Checkpoint>, first: Sequence) -> Self {
        let mut head = [0; 32];
        if let Some(last) = last {
            // a head that does not read stays zero: the next checkpoint then fails to verify, which is true
            let _ = hex::decode_to_slice(&last.head, &mut head);
        }
        Self {
            key,
            head,
            next: last.map_or(first, |last| last.to + 1),
            leaves: String::new(),
            previous: last.map(Checkpoint::fingerprint).unwrap_or_default(),
            since: None,
        }
    }

    /// The next record that it wants to see.
    #[must_use]
    pub const fn next(&self) -> Sequence {
        self.next
    }

    /// Takes in a record. One that it has seen is passed over.
    ///
    /// # Panics
    /// If a record was left out: its signature would be a lie.
    pub fn note(&mut self, sequence: Sequence, payload: &[u8], now: Timestamp) {
        if sequence < self.next {
            return;
        }
        assert!(sequence == self.next, "the notary sees every record");
        let record = record_hash(sequence, payload);
        self.head = next_head(&self.head, &record);
        self.leaves.push_str(&leaf_of(&record));
        self.next += 1;
        self.since.get_or_insert(now);
    }

    /// Whether a checkpoint is due at `now`: after 1,000 records, or 60 seconds after the first that it lacks.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        let records = (self.leaves.len() / (LEAF_BYTES * 2)) as u64;
        records >= CHECKPOINT_RECORDS || self.since.is_some_and(|since| now.since(since) >= CHECKPOINT_NANOS)
    }

    /// Signs what came since the last checkpoint; `None` if nothing did. Every record must be synced before.
    pub fn sign(&mut self, now: Timestamp) -> Option<Checkpoint> {
        let records = (self.leaves.len() / (LEAF_BYTES * 2)) as u64;
        if records == 0 {
            return None;
        }
        let mut checkpoint = Checkpoint {
            v: 1,
            from: self.next - records,
            to: self.next - 1,
            at: now,
            leaves: std::mem::take(&mut self.leaves),
            head: hex::encode(self.head),
            previous: self.previous.clone(),
            signature: String::new(),
        };
        checkpoint.signature = self.key.sign(&checkpoint.signed_bytes());
        self.previous = checkpoint.fingerprint();
        self.since = None;
        Some(checkpoint)
    }
}
