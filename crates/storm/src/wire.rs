//! The outside that the loop sees: virtual clocks, the real codec, a driver's queue, and a watchdog on every event.

use crate::invariants::Watchdog;
use std::collections::BTreeMap;
use std::sync::Arc;
use tradewind_domain::{InstrumentId, Timestamp};
use tradewind_engine::{Event, EventKind, State};
use tradewind_gate::Action;
use tradewind_host::{Gone, Outgoing, Outside};
use tradewind_venues::binance::convert::{Instruments, ListingRules};
use tradewind_venues::binance::protocol::{self, ClockEstimate};
use tradewind_venues::binance::sign::Signer;
use tradewind_venues::{NotSentReason, Prepared};

/// Requests that may wait for the driver, as in a node.
const OUTBOX_ROOM: usize = 256;

/// No event leads to so many others.
const MOST_IN_A_ROW: u32 = 50_000;

/// What is known of the venue once it listed its instruments.
pub(crate) struct Codec {
    pub(crate) instruments: Instruments,
    pub(crate) rules: BTreeMap<InstrumentId, ListingRules>,
    pub(crate) signer: Signer,
}

/// The outside of a simulated node.
pub(crate) struct Wire {
    pub(crate) codec: Arc<Codec>,
    pub(crate) clock: ClockEstimate,
    /// Our own time and the monotonic clock, set before each call.
    pub(crate) wall: Timestamp,
    pub(crate) monotonic: i64,
    pub(crate) outbox: Vec<Outgoing>,
    pub(crate) watchdog: Watchdog,
    /// Events since the clocks were last looked at: what one thing leads to comes to an end.
    pub(crate) in_a_row: u32,
    /// A line for each event, where somebody reads them.
    pub(crate) log: Option<Vec<String>>,
}

impl Outside for Wire {
    fn wall(&self) -> Timestamp {
        self.wall
    }
    fn prepare(&self, action: &Action) -> Result<Prepared, NotSentReason> {
        let (now, _) = self.clock.at(self.monotonic).ok_or(NotSentReason::ClockUnknown)?;
        protocol::prepare(&self.codec.instruments, &self.codec.rules, action, now, crate::setup::WINDOW_MILLIS)
    }
    fn room(&self) -> usize {
        OUTBOX_ROOM - self.outbox.len()
    }
    fn hand_over(&mut self, request: Outgoing) -> Result<(), Gone> {
        self.outbox.push(request);
        Ok(())
    }
    fn stepped(&mut self, state: &State, event: &Event) {
        self.in_a_row += 1;
        assert!(
            self.in_a_row < MOST_IN_A_ROW,
            "one event leads to {MOST_IN_A_ROW} others, the last is {:?}",
            event.kind
        );
        self.watchdog.look(state, event);
        if let Some(log) = self.log.as_mut()
            && !matches!(event.kind, EventKind::Quoted { .. } | EventKind::Timer)
        {
            log.push(format!("    {} {:?} {:?}", event.sequence, event.portfolio, event.kind));
        }
    }
}
