//! Orders that must go and positions that must be closed: asked for until it is so.
//!
//! One request may be lost, refused, or come before the order that it is about. What a kill switch, a breaker, a
//! restriction or a person's wish to be flat wants off the book is therefore asked for again, for as long as the order
//! stands.

use crate::algo::{CANCEL_LATER_AFTER, ask_again_after};
use crate::{Command, Event, EventKind, RiskAct, State, governance, risk};
use serde::{Deserialize, Serialize};
use tradewind_domain::{
    ClientOrderId, InstrumentId, OrderKind, OrderRecord, OrderState, PortfolioId, Source, Timestamp,
};

/// How often something was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// When last.
    pub at: Timestamp,
    /// How often.
    pub times: u8,
}

/// What a person wants nothing to be held of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitDue {
    /// Of which portfolio.
    pub portfolio: PortfolioId,
    /// In what.
    pub instrument: InstrumentId,
    /// Who wants it.
    pub by: String,
}

/// Notes that somebody asks for a cancel.
pub(crate) fn note_asked(state: &mut State, client_id: ClientOrderId) {
    if state.open.contains_key(&client_id) {
        let asked = state.cancels.entry(client_id).or_insert(Tried { at: state.now, times: 0 });
        (asked.at, asked.times) = (state.now, asked.times.saturating_add(1));
    }
}

/// Folds a person's wish to hold nothing of an instrument, or its end.
pub(crate) fn apply(state: &mut State, event: &Event, act: &RiskAct) {
    if event.source != Source::Operator {
        return;
    }
    match act {
        RiskAct::ExitWished { instrument, by, .. } if !is_to_leave(state, event.portfolio, *instrument) => {
            state.exits_due.push(ExitDue { portfolio: event.portfolio, instrument: *instrument, by: by.clone() });
        }
        RiskAct::ExitEnded { instrument, .. } => {
            state.exits_due.retain(|it| (it.portfolio, it.instrument) != (event.portfolio, *instrument));
        }
        _ => (),
    }
}

fn is_to_leave(state: &State, portfolio: PortfolioId, instrument: InstrumentId) -> bool {
    state.exits_due.iter().any(|it| (it.portfolio, it.instrument) == (portfolio, instrument))
}

/// Asks for the cancel of every order that must go and was not asked for lately.
pub(crate) fn cancel_what_must_go(state: &State, commands: &mut Vec<Command>) {
    for record in state.open.values().filter(|record| must_go(state, record) && is_due(state, record)) {
        let client_id = record.order.client_id();
        let ask = Command::Record(EventKind::CancelProposed { client_id }, record.order.portfolio());
        if !commands.contains(&ask) {
            commands.push(ask);
        }
    }
}

fn must_go(state: &State, record: &OrderRecord) -> bool {
    let request = record.order.request();
    let is_way_out = request.reduce_only && matches!(request.kind, OrderKind::Market);
    let client_id = record.order.client_id();
    // what guards makes way by itself, and stands again where its way out is refused
    let makes_way = || state.parents.parent_of(client_id).is_some_and(|it| it.makes_way() && it.is_guard(client_id));
    let left = is_to_leave(state, record.order.portfolio(), request.instrument) && !is_way_out && !makes_way();
    left || is_stopped(state, record) && state.adds_exposure(record)
}

/// Whether nothing that adds may stand where this order stands.
fn is_stopped(state: &State, record: &OrderRecord) -> bool {
    state.halted.is_some()
        || state.reduce_only.is_some()
        || governance::is_stopped(state, record)
        || risk::is_stopped(state, record)
}

/// Whether it is time to ask, for the first time or again. What the venue may not have yet is asked for once: its
/// arrival is heard of.
fn is_due(state: &State, record: &OrderRecord) -> bool {
    let Some(asked) = state.cancels.get(&record.order.client_id()) else { return true };
    let wait = match record.state {
        OrderState::Working | OrderState::PendingReplace => ask_again_after(asked.times),
        OrderState::PendingCancel => CANCEL_LATER_AFTER,
        OrderState::Intended | OrderState::InFlight { .. } | OrderState::Unknown { .. } | OrderState::Closed { .. } => {
            return false;
        }
    };
    state.now.since(asked.at) >= wait
}
