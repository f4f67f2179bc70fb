//! The network between node and venue.

use crate::faults::FaultId;
use std::collections::BTreeMap;

/// What the network does, apart from what strikes single requests.
#[derive(Default)]
pub(crate) struct Link {
    /// No connection comes about until then.
    pub(crate) down_until: i64,
    /// Until then it is the venue that is away.
    pub(crate) away_until: i64,
    /// From when on nothing passes on a session any more.
    dead_from: BTreeMap<u64, i64>,
    /// The session over which the venue sends the account's events.
    pub(crate) subscribed: Option<u64>,
    /// When the last byte arrived on either way: sessions keep order.
    last_to_venue: i64,
    last_to_node: i64,
    /// What is done to market frames, and until when.
    pub(crate) market: Option<(FaultId, i64)>,
}

impl Link {
    /// Whether a connection can come about.
    pub(crate) const fn up(&self, now: i64) -> bool {
        now >= self.down_until
    }

    /// Whether a session carries anything at `time`.
    pub(crate) fn alive(&self, session: u64, time: i64) -> bool {
        self.dead_from.get(&session).is_none_or(|from| time < *from)
    }

    /// Breaks a session at `time`, unless it broke before.
    pub(crate) fn kill(&mut self, session: u64, time: i64) {
        let from = self.dead_from.entry(session).or_insert(time);
        *from = (*from).min(time);
    }

    /// When something that is sent to the venue arrives. What is delayed on purpose overtakes nobody's order: it is on
    /// a connection that is about to break.
    pub(crate) fn arrival_at_venue(&mut self, now: i64, delay: i64) -> i64 {
        if delay > 50_000_000 {
            return now + delay;
        }
        self.last_to_venue = self.last_to_venue.max(now + delay);
        self.last_to_venue
    }

    /// When something that is sent to the node arrives.
    pub(crate) fn arrival_at_node(&mut self, now: i64, delay: i64) -> i64 {
        self.last_to_node = self.last_to_node.max(now + delay);
        self.last_to_node
    }
}
