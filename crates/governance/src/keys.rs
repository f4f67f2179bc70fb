//! Idempotency keys: the same key with the same request gives the same result, across restarts.

use crate::{Name, Refused, Rule};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use tradewind_domain::{ClientOrderId, Sequence, Timestamp};

/// How long a key is remembered, by event time: 24 hours in nanoseconds.
pub const KEY_LIFE_NANOS: i64 = 24 * 3_600 * 1_000_000_000;

/// A key that somebody chose for a request: 1 to 64 printable ASCII characters. Keys of two persons never meet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The key `text` of `by`; `None` if it is empty, too long or not printable ASCII.
    #[must_use]
    pub fn new(by: &Name, text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len()) && crate::check_plain(text).is_ok();
        fits.then(|| Self(format!("{by}/{text}")))
    }
}
impl IdempotencyKey {
    /// Whether it is one of `by`.
    #[must_use]
    pub fn is_of(&self, by: &Name) -> bool {
        self.0.split_once('/').is_some_and(|(name, _)| name == by.as_str())
    }
}
impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum KeyOutcome {
    /// Nothing is known of it yet.
    Open,
    /// It became this order.
    Order {
        /// Which one.
        client_id: ClientOrderId,
    },
    /// It became this order that becomes other orders.
    Parent {
        /// Its number.
        parent: u64,
    },
    /// It waits for people.
    Held {
        /// As this proposal.
        proposal: Sequence,
    },
    /// It was refused.
    Refused {
        /// Stable code.
        code: String,
        /// In words.
        message: String,
        /// What to do.
        hint: String,
    },
}

/// One use of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUse {
    /// SHA-256 of the request, in hex.
    pub payload: String,
    /// When it was first used.
    pub at: Timestamp,
    /// The event of its first use.
    pub sequence: Sequence,
    /// The event that records the request, where that names its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Sequence>,
    /// What became of the request.
    #[serde(flatten)]
    pub outcome: KeyOutcome,
}

impl KeyUse {
    /// SHA-256 of a request's bytes, in hex.
    #[must_use]
    pub fn payload_of(request: &[u8]) -> String {
        hex::encode(Sha256::digest(request))
    }
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// It is fresh: claim it, then act.
    Fresh,
    /// This very request was made: give its result again, do nothing.
    Same(KeyOutcome),
    /// Another request was made under it.
    Conflict(Refused),
}

pub(crate) fn compare(key: &IdempotencyKey, used: Option<&KeyUse>, payload: &str, now: Timestamp) -> Known {
    match used {
        Some(used) if now.since(used.at) < KEY_LIFE_NANOS => {
            if used.payload == payload {
                Known::Same(used.outcome.clone())
            } else {
                let value = format!("key {key} for request {}", short(payload));
                Known::Conflict(Refused::new(Rule::KeyConflict, value, format!("request {}", short(&used.payload))))
            }
        }
        _ => Known::Fresh,
    }
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
