//! What a roll-out sees of trading: fills, days, result, falls and incidents, folded from the same events as all else.

use crate::{Event, EventKind, State};
use tradewind_governance::Act;

/// What was so before an event, of what the fold compares.
pub(crate) struct Before {
    fills: u64,
    halted: bool,
    foreign: usize,
    equity: i64,
}

/// The state before an event, while a roll-out is under way.
pub(crate) fn before(state: &State) -> Option<Before> {
    state.governance.rollout.as_ref()?;
    Some(Before {
        fills: state.counters.fills,
        halted: state.halted.is_some(),
        foreign: state.foreign.len(),
        equity: equity(state),
    })
}

/// Folds what `event`, just applied to everything else, means for the roll-out.
pub(crate) fn fold(state: &mut State, event: &Event, before: Option<&Before>) {
    let (equity, fills) = (equity(state), state.counters.fills);
    let incident = before.is_some_and(|before| is_incident(state, event, before));
    let Some(rollout) = &mut state.governance.rollout else { return };
    if let Some(before) = before {
        if is_flow(&event.kind) {
            rollout.moved(equity.saturating_sub(before.equity));
        }
        if fills > before.fills {
            rollout.filled(fills - before.fills, event.at);
        }
        if incident {
            rollout.incident();
        }
    }
    rollout.worth(equity);
}

/// Equity of all portfolios, which have one base currency.
fn equity(state: &State) -> i64 {
    let sum: i128 = state.portfolios.iter().map(crate::Portfolio::equity).sum();
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

/// Whether the event moves equity without trading.
const fn is_flow(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Deposited(_) | EventKind::Adjusted { .. } | EventKind::Adopted(_))
}

/// A halt or a kill switch, an order of another hand that was not known, a difference between venue and books.
fn is_incident(state: &State, event: &Event, before: &Before) -> bool {
    let differs = match &event.kind {
        EventKind::Compared { drifts, .. } | EventKind::Reconciled { drifts } => !drifts.is_empty(),
        EventKind::Governance(act) => matches!(**act, Act::Latched { .. }),
        _ => false,
    };
    differs || state.halted.is_some() && !before.halted || state.foreign.len() > before.foreign
}
