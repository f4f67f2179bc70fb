//! From an approval to the driver: body, intent, sync, permit.

use crate::draft::Draft;
use crate::host::Host;
use crate::outside::{Outgoing, Outside};
use tradewind_domain::{ClientOrderId, PortfolioId, Source, Timestamp};
use tradewind_engine::{EventKind, Intent, encode};
use tradewind_gate::{Action, Approved};
use tradewind_journal::{AppendError, Storage};

/// Places in the driver's queue that orders leave to cancels.
pub const RESERVED_FOR_CANCELS: usize = 64;

impl<S: Storage, O: Outside> Host<S, O> {
    /// Builds the body, records the intent, syncs it with all its causes, and hands the permit to the driver.
    pub(crate) fn send(
        &mut self,
        approved: Approved,
        cause: u64,
        at: Timestamp,
        received: Timestamp,
    ) -> Result<(), AppendError> {
        let decided = self.decided.unwrap_or_else(|| self.outside.wall());
        let reserved = if matches!(approved.action(), Action::Submit(_)) { RESERVED_FOR_CANCELS } else { 0 };
        let room = self.outside.room() > reserved;
        let prepared = match self.outside.prepare(approved.action()) {
            Ok(prepared) if room => prepared,
            Ok(_) => return self.unsent(approved.action(), at, "the driver's queue is full"),
            Err(reason) => return self.unsent(approved.action(), at, &reason.to_string()),
        };
        let (client_id, kind) = match approved.action() {
            Action::Submit(order) => {
                let intent = Intent {
                    client_id: order.client_id(),
                    body_sha256: hex::encode(prepared.sha256()),
                    fence: prepared.fence(),
                };
                (order.client_id(), EventKind::Intended(intent))
            }
            Action::Cancel { client_id, .. } => (*client_id, EventKind::CancelSent { client_id: *client_id }),
        };
        let is_order = matches!(kind, EventKind::Intended(_));
        let portfolio = self.state.order(client_id).map_or(PortfolioId(0), |record| record.order.portfolio());
        let draft = |cause, kind| Draft { cause: Some(cause), ..Draft::of_host(at, received, portfolio, kind) };
        let event = self.event(draft(cause, kind));
        let permit = self.journal.permit(&encode(&event, &self.state), approved)?;
        self.apply(&event);
        if is_order {
            self.append(draft(event.sequence, EventKind::Sent { client_id }))?;
        }
        if self.outside.hand_over(Outgoing { permit, prepared, received, decided }).is_err() {
            let kind = not_sent(client_id, is_order, "the driver is gone".to_owned());
            return self.record(at, self.outside.wall(), Source::Host, portfolio, kind);
        }
        Ok(())
    }

    fn unsent(&mut self, action: &Action, at: Timestamp, reason: &str) -> Result<(), AppendError> {
        let (client_id, is_order) = match action {
            Action::Submit(order) => (order.client_id(), true),
            Action::Cancel { client_id, .. } => (*client_id, false),
        };
        let portfolio = self.state.order(client_id).map_or(PortfolioId(0), |record| record.order.portfolio());
        let received = self.outside.wall();
        self.record(at, received, Source::Host, portfolio, not_sent(client_id, is_order, reason.to_owned()))
    }
}

/// What follows from a request of which no byte left.
#[must_use]
pub const fn not_sent(client_id: ClientOrderId, is_order: bool, reason: String) -> EventKind {
    if is_order { EventKind::NotSent { client_id, reason } } else { EventKind::CancelRefused { client_id, reason } }
}
