//! Books kept a second time, from the events alone, by nothing but sums.

use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::*;
use tradewind_engine::*;

/// An order as the judge remembers it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    portfolio: PortfolioId,
    quantity: i64,
    filled: i64,
    cost: i128,
}

/// What the judge knows. Prices have two decimals and quantities four, so every product is a whole ledger unit.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    cash: BTreeMap<(PortfolioId, Currency), i128>,
    orders: BTreeMap<ClientOrderId, Entry>,
    booked: BTreeSet<(InstrumentId, TradeId)>,
    reversed: BTreeSet<(InstrumentId, TradeId)>,
    closed: BTreeSet<ClientOrderId>,
    /// Whether the venue may execute more than was asked, as a contradiction in a test.
    pub(crate) overfills: bool,
}

/// Open orders, unknown outcomes and worst positions before an event, for what must not grow by it.
pub(crate) struct Before {
    worst: Vec<(i64, i64)>,
    unknown: BTreeSet<ClientOrderId>,
}

impl Before {
    pub(crate) fn of(state: &State) -> Self {
        Self { worst: worst(state), unknown: unknown(state) }
    }
}

fn unknown(state: &State) -> BTreeSet<ClientOrderId> {
    let is_unknown = |record: &&OrderRecord| matches!(record.state, OrderState::Unknown { .. });
    state.open.values().filter(is_unknown).map(|record| record.order.client_id()).collect()
}

/// The lowest and the highest position that each portfolio could come to in each instrument.
pub(crate) fn worst(state: &State) -> Vec<(i64, i64)> {
    let mut all = Vec::new();
    for (place, books) in state.portfolios.iter().enumerate() {
        let portfolio = PortfolioId(u16::try_from(place).unwrap());
        for listing in &state.listings {
            let held = books.position(listing.instrument.id).quantity().mantissa();
            let (mut low, mut high) = (held, held);
            for record in state.open.values() {
                if (record.order.portfolio(), record.order.instrument()) == (portfolio, listing.instrument.id) {
                    match record.order.side() {
                        Side::Buy => high += record.open_quantity().mantissa(),
                        Side::Sell => low -= record.open_quantity().mantissa(),
                    }
                }
            }
            all.push((low, high));
        }
    }
    all
}

impl Judge {
    /// Compares the engine's books with these after `event`.
    pub(crate) fn look(&mut self, before: &Before, event: &Event, state: &State) {
        self.write(event, state);
        for ((portfolio, currency), units) in &self.cash {
            let books = state.portfolio(*portfolio);
            assert_eq!(books.units(*currency), *units, "{currency} of {portfolio:?} after {:?}", event.kind);
        }
        assert_eq!(state.counters.fills, self.booked.len() as u64, "each execution once, after {:?}", event.kind);
        for record in state.open.values().chain(&state.closed) {
            self.order(record, event);
        }
        self.way_out_of_unknown(before, event, state);
        if is_about_a_cancel(&event.kind) {
            for (was, is) in before.worst.iter().zip(worst(state)) {
                assert!(is.0 >= was.0 && is.1 <= was.1, "a cancel adds nothing: {was:?} to {is:?} by {:?}", event.kind);
            }
        }
    }

    fn order(&mut self, record: &OrderRecord, event: &Event) {
        let id = record.order.client_id();
        let entry = self.orders.get(&id).unwrap_or_else(|| panic!("{id} was never approved"));
        assert_eq!((record.filled.mantissa(), record.cost), (entry.filled, entry.cost), "{id} after {:?}", event.kind);
        assert!(self.overfills || entry.filled <= entry.quantity, "{id} is overfilled after {:?}", event.kind);
        if record.state.is_open() {
            assert!(!self.closed.contains(&id), "{id} opened again by {:?}", event.kind);
        } else {
            self.closed.insert(id);
        }
    }

    /// An order of unknown outcome stays one until a report names it.
    fn way_out_of_unknown(&self, before: &Before, event: &Event, state: &State) {
        let named = match &event.kind {
            EventKind::Filled(fill) => Some(fill.client_id),
            EventKind::Accepted { client_id, .. }
            | EventKind::Rejected { client_id, .. }
            | EventKind::Cancelled { client_id, .. }
            | EventKind::Expired { client_id, .. } => Some(*client_id),
            _ => None,
        };
        let after = unknown(state);
        for id in before.unknown.difference(&after) {
            assert_eq!(Some(*id), named, "{id} left the unknown by {:?}", event.kind);
        }
    }

    fn write(&mut self, event: &Event, state: &State) {
        match &event.kind {
            EventKind::Opened { base, .. } => {
                self.cash.insert((event.portfolio, *base), 0);
            }
            EventKind::Deposited(money) | EventKind::Adjusted { money, .. } => {
                self.post(event.portfolio, money.currency, money.units);
            }
            EventKind::Judged(Verdict::Approved(order)) => self.approved(order),
            EventKind::Adopted(adoption) => self.approved(&adoption.order),
            EventKind::Filled(fill) if self.booked.insert((fill.instrument, fill.trade_id)) => {
                self.book(fill, 1, event.portfolio, state);
            }
            EventKind::Reversed(fill) => {
                let key = (fill.instrument, fill.trade_id);
                if self.booked.contains(&key) && self.reversed.insert(key) {
                    self.book(fill, -1, event.portfolio, state);
                }
            }
            EventKind::Reworked { client_id, quantity, .. } if state.open.contains_key(client_id) => {
                self.orders.get_mut(client_id).unwrap().quantity = quantity.mantissa();
            }
            EventKind::Amend { client_id, said: tradewind_engine::Amend::Confirmed { quantity } }
                if state.open.contains_key(client_id) =>
            {
                self.orders.get_mut(client_id).unwrap().quantity = quantity.mantissa();
            }
            _ => (),
        }
    }

    fn approved(&mut self, order: &Order) {
        let (portfolio, quantity) = (order.portfolio(), order.quantity().mantissa());
        let known = self.orders.insert(order.client_id(), Entry { portfolio, quantity, filled: 0, cost: 0 });
        assert!(known.is_none(), "the name {} was given twice", order.client_id());
    }

    fn post(&mut self, portfolio: PortfolioId, currency: Currency, units: i128) {
        *self.cash.entry((portfolio, currency)).or_default() += units;
    }

    fn book(&mut self, fill: &Fill, sign: i64, reported_for: PortfolioId, state: &State) {
        let product = i128::from(fill.price.mantissa()) * i128::from(fill.quantity.mantissa());
        let mut portfolio = reported_for;
        if let Some(entry) = self.orders.get_mut(&fill.client_id) {
            entry.filled += sign * fill.quantity.mantissa();
            entry.cost += i128::from(sign) * product;
            portfolio = entry.portfolio;
        }
        let symbol = state.listing(fill.instrument).instrument.spec.symbol.clone();
        let way = i128::from(sign * fill.side.sign());
        self.post(portfolio, symbol.quote, -way * product * 100);
        self.post(portfolio, symbol.base, way * i128::from(fill.quantity.mantissa()) * 10_000);
        self.post(portfolio, fill.fee.0.currency, -i128::from(sign) * fill.fee.0.units);
    }
}

fn is_about_a_cancel(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::CancelProposed { .. }
            | EventKind::CancelSent { .. }
            | EventKind::CancelRefused { .. }
            | EventKind::Cancelled { .. }
            | EventKind::Judged(Verdict::CancelApproved { .. } | Verdict::CancelRefused { .. })
    )
}
