//! What somebody who proposes an order says of the trade: where it ends, and how sure they are.

use crate::Price;
use serde::{Deserialize, Serialize};

/// What an agent, a strategy or a person says of the trade that they propose. What is left out is not judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TradePlan {
    /// Whether its last word is to do nothing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hold: bool,
    /// How sure it is, in basis points: 10,000 is certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence_bps: Option<i64>,
    /// Where it gives up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Price>,
    /// Where it takes its profit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Price>,
    /// Average true range, if it is known: how far the price usually moves in one bar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atr: Option<Price>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
const fn is_false(value: &bool) -> bool {
    !*value
}

impl TradePlan {
    /// Whether it says where the trade ends, on either side.
    #[must_use]
    pub const fn has_end(&self) -> bool {
        self.stop.is_some() || self.target.is_some()
    }
}
