//! Making an open order smaller in its place, where the venue can: it keeps its name and its place in the queue.
//!
//! It can only take away, so it passes the gate as a cancel does. Until the venue confirms, the order counts with what
//! was confirmed last.

use crate::apply::move_order;
use crate::{Command, EventKind, State, Verdict};
use serde::{Deserialize, Serialize};
use tradewind_domain::{ClientOrderId, OrderInput, OrderRequest, OrderState, PortfolioId, Quantity, Timestamp};
use tradewind_gate::review_amend;

/// What can happen on the way to a smaller order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "amend")]
pub enum Amend {
    /// Somebody wishes for it.
    Proposed {
        /// What the order is to be in all, executions included.
        quantity: Quantity,
    },
    /// The request was handed to the socket.
    Sent {
        /// What the order is to be in all.
        quantity: Quantity,
    },
    /// The venue works the order with this quantity now.
    Confirmed {
        /// What the order is in all.
        quantity: Quantity,
    },
    /// The order stays as it was: the venue would not, or nothing was sent.
    Refused {
        /// The code and words of whoever would not.
        reason: String,
    },
}

/// Folds what happened to the wish for a smaller order.
pub(crate) fn apply(state: &mut State, client_id: ClientOrderId, said: &Amend, at: Timestamp) {
    match said {
        Amend::Proposed { .. } => (),
        Amend::Sent { quantity } => {
            state.amending.insert(client_id, *quantity);
            move_order(state, client_id, OrderInput::ReplaceSent, at);
        }
        Amend::Confirmed { quantity } => {
            state.amending.remove(&client_id);
            if let Some(record) = state.open.get_mut(&client_id)
                && *quantity > record.filled
            {
                record.order = record.order.with_terms(OrderRequest { quantity: *quantity, ..*record.order.request() });
            } else if state.open.contains_key(&client_id) {
                state.counters.contradictions += 1; // executed beyond what the venue says that it is
            }
            move_order(state, client_id, OrderInput::ReplaceEnded, at);
        }
        Amend::Refused { .. } => {
            state.amending.remove(&client_id);
            move_order(state, client_id, OrderInput::ReplaceEnded, at);
        }
    }
}

/// Asks the gate, and sends what it approves.
pub(crate) fn judge(state: &State, client_id: ClientOrderId, quantity: Quantity, commands: &mut Vec<Command>) {
    let known = state.open.get(&client_id);
    let portfolio = known.map_or(PortfolioId(0), |record| record.order.portfolio());
    let reviewed = match known {
        None => Err("it is not open"),
        Some(record) if record.state != OrderState::Working => Err("the venue's word on it is awaited"),
        Some(_) if state.parents.parent_of(client_id).is_some() => Err("it is a part of a larger order"),
        Some(record) => review_amend(record, &state.listing(record.order.instrument()).instrument, quantity),
    };
    match reviewed {
        Ok(approved) => {
            let verdict = Verdict::AmendApproved { client_id, quantity };
            commands.push(Command::Record(EventKind::Judged(verdict), portfolio));
            commands.push(Command::Send(approved));
        }
        Err(why) => {
            let verdict = Verdict::AmendRefused { client_id, reason: why.into() };
            commands.push(Command::Record(EventKind::Judged(verdict), portfolio));
        }
    }
}
