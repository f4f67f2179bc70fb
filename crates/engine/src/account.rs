//! Folding what was found out about the account itself: comparisons, other hands, corrections.

use crate::apply::{booked, deposit, filled, move_order};
use crate::{Adoption, Drift, Event, EventKind, ForeignOrder, State, Whole};
use tradewind_domain::{
    Fee, Fill, InstrumentId, Money, OrderInput, OrderKind, OrderRecord, OrderRequest, OrderState, PortfolioId, Price,
    Timestamp, TradeId,
};

/// Comparisons with a difference in a row after which only what reduces is allowed.
const DRIFTS_UNTIL_REDUCE_ONLY: u32 = 3;

/// Folds one of the kinds that [`crate::apply`] sends here; others change nothing.
pub(crate) fn apply(state: &mut State, event: &Event) {
    let at = event.at;
    match &event.kind {
        EventKind::Compared { through, drifts, at_start } => compared(state, *through, drifts, *at_start),
        EventKind::GapFound { from, to } => {
            restrict(
                state,
                format!("what happened between {from} and {to} is not known: the venue tells no more of it"),
            );
        }
        EventKind::Restricted { reason } => restrict(state, reason.clone()),
        EventKind::Foreign(order) => foreign(state, order, at),
        EventKind::ForeignFilled(fill) => foreign_filled(state, fill, event.portfolio, at),
        EventKind::Adopted(adoption) => adopted(state, adoption, at),
        EventKind::Adjusted { money, .. } => deposit(state, event.portfolio, *money, at),
        EventKind::Reworked { client_id, price, quantity } => {
            if let Some(record) = state.open.get_mut(client_id) {
                let asked = *record.order.request();
                let kind = at_limit(asked.kind, *price);
                let order = record.order.with_terms(OrderRequest { quantity: *quantity, kind, ..asked });
                record.order = order.no_worse_than(order.worst().and(*price));
            }
        }
        EventKind::Baseline { instrument, through } => baseline(state, *instrument, *through),
        EventKind::Reversed(fill) => reversed(state, fill, event.portfolio, at),
        _ => (),
    }
}

/// The same kind of order with another limit price, if it has one and another is known.
const fn at_limit(kind: OrderKind, price: Option<Price>) -> OrderKind {
    match (kind, price) {
        (OrderKind::StopLimit { trigger, .. }, Some(price)) => OrderKind::StopLimit { trigger, price },
        (OrderKind::LimitTouched { trigger, .. }, Some(price)) => OrderKind::LimitTouched { trigger, price },
        (OrderKind::Limit { .. }, Some(price)) => OrderKind::Limit { price },
        (other, _) => other,
    }
}

fn restrict(state: &mut State, reason: String) {
    state.reduce_only.get_or_insert(reason);
}

fn compared(state: &mut State, through: Timestamp, drifts: &[Drift], at_start: bool) {
    let Some(first) = drifts.first() else {
        state.drifting = 0;
        state.whole = Some(Whole { through, fills: state.counters.fills });
        return;
    };
    state.drifting += 1;
    if at_start || state.drifting >= DRIFTS_UNTIL_REDUCE_ONLY {
        restrict(state, format!("{} is {} here and {} at the venue", first.what, first.ours, first.venue));
    }
}

/// Another hand's order is known until it is over without an execution, or adopted.
fn foreign(state: &mut State, order: &ForeignOrder, at: Timestamp) {
    if state.order(order.client_id).is_some() {
        if !order.open && state.open.contains_key(&order.client_id) {
            move_order(state, order.client_id, OrderInput::Cancelled, at);
        }
    } else if order.open || !order.filled.is_zero() {
        state.foreign.insert(order.client_id, order.clone());
    } else {
        state.foreign.remove(&order.client_id);
    }
}

fn foreign_filled(state: &mut State, fill: &Fill, portfolio: PortfolioId, at: Timestamp) {
    let same = |it: &Fill| (it.instrument, it.trade_id) == (fill.instrument, fill.trade_id);
    if state.order(fill.client_id).is_some() {
        filled(state, fill, portfolio, at);
    } else if state.listings[fill.instrument.index()].booked.contains(fill.trade_id)
        || state.foreign_fills.iter().any(same)
    {
        state.counters.duplicates += 1;
    } else {
        state.foreign_fills.push(*fill);
    }
}

/// The balances were read anew before anything was traded: what they hold waits for nobody any more.
fn baseline(state: &mut State, instrument: InstrumentId, through: TradeId) {
    state.listings[instrument.index()].before = Some(through);
    state.foreign_fills.retain(|it| it.instrument != instrument || it.trade_id > through);
    state.foreign.retain(|_, it| it.instrument != instrument || it.open);
}

/// A fill that was booked waits no longer to be adopted.
pub(crate) fn is_booked(state: &mut State, fill: &Fill) {
    if !state.foreign_fills.is_empty() {
        state.foreign_fills.retain(|it| (it.instrument, it.trade_id) != (fill.instrument, fill.trade_id));
    }
}

fn adopted(state: &mut State, adoption: &Adoption, at: Timestamp) {
    let client_id = adoption.order.client_id();
    state.foreign.remove(&client_id);
    let mut record = OrderRecord::new(adoption.order, at);
    record.venue_id = Some(adoption.venue_id.clone());
    (record.filled, record.earlier) = (adoption.earlier, adoption.earlier);
    (record.state, record.times.intended, record.times.acknowledged) = (OrderState::Working, Some(at), Some(at));
    state.open.insert(client_id, record);
}

/// What was booked is booked the other way round; the trade id stays booked, so it can be reversed only once and is
/// never booked again.
fn reversed(state: &mut State, fill: &Fill, reported_for: PortfolioId, at: Timestamp) {
    let listing = &state.listings[fill.instrument.index()];
    if !listing.booked.contains(fill.trade_id) || state.reversed.contains(&(fill.instrument, fill.trade_id)) {
        state.counters.contradictions += 1;
        return;
    }
    state.reversed.insert((fill.instrument, fill.trade_id));
    let id = fill.client_id;
    let record = match state.open.get_mut(&id) {
        Some(record) => Some(record),
        None => state.closed.iter_mut().rev().find(|it| it.order.client_id() == id),
    };
    let mut portfolio = reported_for;
    if let Some(record) = record {
        portfolio = record.order.portfolio();
        record.filled -= fill.quantity;
        record.cost -= i128::from(fill.price.mantissa()) * i128::from(fill.quantity.mantissa());
    }
    let fee = Fee(Money { currency: fill.fee.0.currency, units: -fill.fee.0.units });
    let opposite = Fill { side: fill.side.opposite(), fee, ..*fill };
    booked(state, portfolio, &opposite, at);
}
