//! Reads a change, also as snapshots of before logic 5 have it: with `by` twice once somebody rejected it.

use super::{Change, ChangeState, Changed};
use crate::Name;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::fmt;
use tradewind_domain::{Sequence, Timestamp};

/// All of a change but who asked.
#[derive(Deserialize)]
struct Rest {
    id: Sequence,
    #[serde(flatten)]
    changed: Changed,
    asked_at: Timestamp,
    reason: String,
    #[serde(flatten)]
    state: ChangeState,
}

impl<'de> Deserialize<'de> for Change {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Change;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a change")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Change, A::Error> {
        let (mut by, mut rest) = (None::<Name>, Map::new());
        while let Some(key) = map.next_key::<String>()? {
            if key == "by" && by.is_none() {
                by = Some(map.next_value()?);
            } else if let (key, Some(_)) = (key.clone(), rest.insert(key, map.next_value::<Value>()?)) {
                return Err(A::Error::custom(format_args!("duplicate field `{key}`")));
            }
        }
        let by = by.ok_or_else(|| A::Error::missing_field("by"))?;
        let rest: Rest = serde_json::from_value(Value::Object(rest)).map_err(A::Error::custom)?;
        let Rest { id, changed, asked_at, reason, state } = rest;
        Ok(Change { id, changed, by, asked_at, reason, state })
    }
}
