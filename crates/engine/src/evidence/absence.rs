//! The proof that an order never came, and what it takes.

use super::EvidencePolicy;
use serde::{Deserialize, Serialize};
use tradewind_domain::Timestamp;

/// Repeated answers that all lacked an order. The moments are those of the questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reads {
    /// How many.
    pub count: u32,
    /// The first one.
    pub first: Timestamp,
    /// The last one.
    pub last: Timestamp,
}

/// The proof that an order never reached its venue, as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// From when on the request could have been taken.
    pub not_before: Timestamp,
    /// Until when the venue could have taken it.
    pub fence: Timestamp,
    /// How long it may have worked on it after that, in nanoseconds.
    pub backend_timeout: i64,
    /// By how much the venue's clock may have been misjudged, in nanoseconds.
    pub clock_error: i64,
    /// Since when the user stream was whole.
    pub stream_since: Timestamp,
    /// Questions for the order itself.
    pub order: Reads,
    /// Questions for the open orders.
    pub open_orders: Reads,
    /// Questions for the order history.
    pub history: Reads,
    /// Questions for the trades.
    pub trades: Reads,
    /// Whose numbers were applied.
    pub policy: String,
}

impl Absence {
    /// From when on an answer counts: the fence and all that the venue may still do about it have passed.
    #[must_use]
    pub const fn quiet(&self) -> Timestamp {
        self.fence.plus_nanos(self.backend_timeout + self.clock_error)
    }

    /// Whether the proof fulfils `policy`; the machine that made it need not be trusted.
    #[must_use]
    pub fn fulfils(&self, policy: &EvidencePolicy) -> bool {
        let all = [self.order, self.open_orders, self.history, self.trades];
        let often = |reads: Reads| reads.count >= policy.reads && reads.last.since(reads.first) >= policy.spread;
        let agreed = self.history.count >= policy.agreed && self.trades.count >= policy.agreed;
        let settled = self.order.last >= self.quiet().plus_nanos(policy.settle);
        self.backend_timeout >= policy.backend_timeout
            && self.clock_error >= 0
            && all.iter().all(|reads| reads.count > 0 && reads.first >= self.quiet())
            && (self.stream_since <= self.not_before || all.iter().all(|reads| reads.last >= self.stream_since))
            && often(self.order)
            && often(self.open_orders)
            && (agreed || settled)
    }
}
