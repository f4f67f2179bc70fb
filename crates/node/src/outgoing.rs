//! What the engine's thread sees of the outside: the wall clock, the connection's codec, the driver's queue.

use crate::clock::wall;
use crate::kill_switch::KillSwitch;
use crate::latency::Histogram;
use crate::watch::Watch;
use std::sync::Arc;
use tokio::sync::mpsc;
use tradewind_domain::Timestamp;
use tradewind_engine::{Event, EventKind, State};
use tradewind_gate::Action;
use tradewind_governance::{Act, Refused};
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
    pub(crate) switch: KillSwitch,
    /// The newest word of governance that changed nothing, for the person who said it.
    pub(crate) last_no: Option<Refused>,
    pub(crate) latency: Latency,
    pub(crate) watch: Arc<Watch>,
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
    fn stepped(&mut self, state: &State, event: &Event) {
        self.switch.set(state.halted.is_some());
        if let EventKind::Governance(act) = &event.kind
            && let Act::Refused(no) = &**act
        {
            self.last_no = Some(no.clone());
        }
    }
    fn decided(&mut self, received: Timestamp, at: Timestamp) {
        self.latency.frame_to_decision.note(at.since(received));
    }
}
