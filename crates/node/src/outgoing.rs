//! What the engine's thread sees of the outside: the wall clock, the connection's codec, the driver's queue.

use crate::clock::wall;
use crate::latency::Histogram;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;
use tradewind_domain::Timestamp;
use tradewind_engine::{Event, State};
use tradewind_gate::Action;
use tradewind_host::{Gone, Outgoing, Outside};
use tradewind_venues::binance::Connection;
use tradewind_venues::{NotSentReason, Prepared};

/// How long the parts of a decision take.
#[derive(Default)]
pub(crate) struct Latency {
    pub(crate) frame_to_decision: Histogram,
    pub(crate) decision_to_bytes: Histogram,
    pub(crate) frame_to_bytes: Histogram,
}

/// The outside of a node.
pub(crate) struct Wire {
    pub(crate) connection: Connection,
    pub(crate) outbox: mpsc::Sender<Outgoing>,
    /// Read by the driver at its last step before a write.
    pub(crate) halted: Arc<AtomicBool>,
    pub(crate) latency: Latency,
}

impl Outside for Wire {
    fn wall(&self) -> Timestamp {
        wall()
    }
    fn prepare(&self, action: &Action) -> Result<Prepared, NotSentReason> {
        self.connection.prepare(action)
    }
    fn room(&self) -> usize {
        self.outbox.capacity()
    }
    fn hand_over(&mut self, request: Outgoing) -> Result<(), Gone> {
        self.outbox.try_send(request).map_err(|_| Gone)
    }
    fn stepped(&mut self, state: &State, _event: &Event) {
        self.halted.store(state.halted.is_some(), Ordering::SeqCst);
    }
    fn decided(&mut self, received: Timestamp, at: Timestamp) {
        self.latency.frame_to_decision.note(at.since(received));
    }
}
