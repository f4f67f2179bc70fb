//! From an approval to the driver: body, intent, sync, permit.

use crate::draft::Draft;
use crate::host::Host;
use crate::outside::{Outgoing, Outside};
use tradewind_domain::{ClientOrderId, PortfolioId, Quantity, Source, Timestamp};
use tradewind_engine::{Amend, Doubt, EventKind, Intent, encode};
use tradewind_gate::{Action, Approved};
use tradewind_journal::{AppendError, Storage, failpoint};

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
        let reserved = if is_order(approved.action()) { RESERVED_FOR_CANCELS } else { 0 };
        let room = self.outside.room() > reserved;
        let prepared = match self.outside.prepare(approved.action()) {
            Ok(prepared) if room => prepared,
            Ok(_) => return self.unsent(approved.action(), at, "the driver's queue is full"),
            Err(reason) => return self.unsent(approved.action(), at, &reason.to_string()),
        };
        let asks = Asks::of(approved.action());
        let (is_order, ids) = (is_order(approved.action()), approved.action().client_ids().collect::<Vec<_>>());
        let portfolio = self.portfolio_of(ids[0]);
        let draft = |cause, kind| Draft { cause: Some(cause), ..Draft::of_host(at, received, portfolio, kind) };
        let intent = |client_id| match is_order {
            true => EventKind::Intended(Intent {
                client_id,
                body_sha256: hex::encode(prepared.sha256()),
                fence: prepared.fence(),
                not_before: Some(prepared.not_before()),
            }),
            false => asks.sent(client_id),
        };
        failpoint("host.send.prepared");
        // of a pair both intents are recorded; the sync of the last covers the first, and there is one permit
        let (last, before) = ids.split_last().expect("an action is about an order");
        for client_id in before {
            self.append(draft(cause, intent(*client_id)))?;
        }
        let event = self.event(draft(cause, intent(*last)));
        let permit = self.journal.permit(&encode(&event, &self.state), approved)?;
        failpoint("host.send.permitted");
        self.apply(&event);
        for client_id in ids.iter().copied().filter(|_| is_order) {
            self.append(draft(event.sequence, EventKind::Sent { client_id }))?;
        }
        failpoint("host.send.noted");
        if self.outside.hand_over(Outgoing { permit, prepared, received, decided }).is_err() {
            for client_id in ids {
                let kind = asks.not_sent(client_id, "the driver is gone".to_owned());
                self.record(at, self.outside.wall(), Source::Host, portfolio, kind)?;
            }
        }
        failpoint("host.send.handed-over");
        Ok(())
    }

    fn unsent(&mut self, action: &Action, at: Timestamp, reason: &str) -> Result<(), AppendError> {
        for client_id in action.client_ids() {
            let (portfolio, received) = (self.portfolio_of(client_id), self.outside.wall());
            let kind = Asks::of(action).not_sent(client_id, reason.to_owned());
            self.record(at, received, Source::Host, portfolio, kind)?;
        }
        Ok(())
    }

    fn portfolio_of(&self, client_id: ClientOrderId) -> PortfolioId {
        self.state.order(client_id).map_or(PortfolioId(0), |record| record.order.portfolio())
    }
}

fn is_order(action: &Action) -> bool {
    !action.orders().is_empty()
}

/// What a request asks of the venue, for the events that tell of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// To take orders.
    Order,
    /// To take an order off the book.
    Cancel,
    /// To make an order smaller, to so much in all.
    Amend(Quantity),
}

impl Asks {
    /// What an action asks.
    #[must_use]
    pub const fn of(action: &Action) -> Self {
        match action {
            Action::Submit(_) | Action::SubmitPair(_) => Self::Order,
            Action::Cancel { .. } => Self::Cancel,
            Action::Amend { quantity, .. } => Self::Amend(*quantity),
        }
    }

    /// What is recorded once the request is about to leave.
    #[must_use]
    pub const fn sent(self, client_id: ClientOrderId) -> EventKind {
        match self {
            Self::Order => EventKind::Sent { client_id },
            Self::Cancel => EventKind::CancelSent { client_id },
            Self::Amend(quantity) => EventKind::Amend { client_id, said: Amend::Sent { quantity } },
        }
    }

    /// What follows from a request of which no byte left.
    #[must_use]
    pub const fn not_sent(self, client_id: ClientOrderId, reason: String) -> EventKind {
        match self {
            Self::Order | Self::Cancel => not_sent(client_id, matches!(self, Self::Order), reason),
            Self::Amend(_) => EventKind::Amend { client_id, said: Amend::Refused { reason } },
        }
    }

    /// What follows from the venue's no.
    #[must_use]
    pub fn refused(self, client_id: ClientOrderId, reason: String) -> EventKind {
        match self {
            Self::Order => EventKind::Rejected { client_id, reason: reason.into() },
            Self::Cancel => EventKind::CancelRefused { client_id, reason },
            Self::Amend(_) => EventKind::Amend { client_id, said: Amend::Refused { reason } },
        }
    }

    /// What is in doubt while there is no answer.
    #[must_use]
    pub const fn doubt(self) -> Doubt {
        match self {
            Self::Order => Doubt::Order,
            Self::Cancel => Doubt::Cancel,
            Self::Amend(_) => Doubt::Amend,
        }
    }
}

/// What follows from a request of which no byte left.
#[must_use]
pub const fn not_sent(client_id: ClientOrderId, is_order: bool, reason: String) -> EventKind {
    if is_order { EventKind::NotSent { client_id, reason } } else { EventKind::CancelRefused { client_id, reason } }
}
