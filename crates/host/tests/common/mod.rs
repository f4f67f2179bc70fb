//! What the tests of the host put outside it.

use tradewind_domain::Timestamp;
use tradewind_engine::{Event, EventKind, State};
use tradewind_gate::Action;
use tradewind_host::{Gone, Outgoing, Outside};
use tradewind_venues::{NotSentReason, Prepared};

/// Remembers what happened, and sends nothing.
#[derive(Default)]
pub(crate) struct Notes(pub(crate) Vec<EventKind>);

impl Outside for Notes {
    fn wall(&self) -> Timestamp {
        Timestamp::default()
    }
    fn prepare(&self, _: &Action) -> Result<Prepared, NotSentReason> {
        Err(NotSentReason::Halted)
    }
    fn room(&self) -> usize {
        1_000
    }
    fn hand_over(&mut self, _: Outgoing) -> Result<(), Gone> {
        Err(Gone)
    }
    fn stepped(&mut self, _: &State, event: &Event) {
        self.0.push(event.kind.clone());
    }
}
