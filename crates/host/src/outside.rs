//! What a host must provide: a clock to look at, a codec to ask, a driver to hand requests to.

use tradewind_domain::Timestamp;
use tradewind_engine::{Event, State};
use tradewind_gate::{Action, Approved};
use tradewind_journal::Permit;
use tradewind_venues::{NotSentReason, Prepared};

/// The world around the loop, as small as it can be.
pub trait Outside {
    /// Our own time, now.
    fn wall(&self) -> Timestamp;
    /// Builds the request for an approved action. Sends nothing.
    ///
    /// # Errors
    /// [`NotSentReason`] if the venue does not take such an order, or its clock is not known.
    fn prepare(&self, action: &Action) -> Result<Prepared, NotSentReason>;
    /// How many requests the driver would take now without waiting.
    fn room(&self) -> usize;
    /// Hands a permitted request to the driver, which sends it once. Never waits.
    ///
    /// # Errors
    /// [`Gone`] if there is no driver any more: nothing was sent.
    fn hand_over(&mut self, request: Outgoing) -> Result<(), Gone>;
    /// Hears of every event once it was applied.
    fn stepped(&mut self, state: &State, event: &Event);
    /// Hears when a desk has made up its mind about what was read at `received`.
    fn decided(&mut self, received: Timestamp, at: Timestamp) {
        let _ = (received, at);
    }
}

/// There is no driver any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// What leaves for the driver.
#[derive(Debug)]
pub struct Outgoing {
    /// The journal's word that the intent is durable.
    pub permit: Permit<Approved>,
    /// The request whose hash the intent holds.
    pub prepared: Prepared,
    /// When the frame was read that led to it.
    pub received: Timestamp,
    /// When it was decided.
    pub decided: Timestamp,
}
