//! A person takes over what other hands did on the account: their orders, their executions, and differences of balances.

use crate::clock::wall;
use crate::core::Core;
use crate::error::NodeError;
use crate::operate::{OperatorReply, done, failed};
use crate::portfolios::operators;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::{
    ClientOrderId, LEDGER_DECIMALS, Money, Order, OrderRequest, PortfolioId, Quantity, Source, format_decimal,
};
use tradewind_engine::{Adoption, EventKind, ForeignOrder, State};

/// What is to be adopted: everything, unless one of both is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdoptWords {
    /// Only this order, by its sender's name of it or by the venue's.
    #[serde(default)]
    pub order: Option<String>,
    /// Only the differences of balances.
    #[serde(default)]
    pub balances: bool,
}

/// What was adopted.
#[derive(Clone, Debug, Default, Serialize)]
struct Adopted {
    /// Orders, by their sender's name of them.
    orders: Vec<String>,
    /// Executions of them.
    executions: usize,
    /// Differences of balances that were booked, by currency.
    balances: BTreeMap<String, String>,
    /// Why only what reduces is still allowed: `tradewind resume` ends it.
    restricted: Option<String>,
}

impl Core {
    /// Takes over what `words` name, for the portfolio of orders by hand. Restrictions stay until a person resumes.
    pub(crate) fn adopt(&mut self, words: &AdoptWords) -> Result<OperatorReply, NodeError> {
        let mut adopted = Adopted::default();
        let named = |it: &ForeignOrder| match &words.order {
            Some(name) => it.client_text == *name || *it.venue_id.0 == **name,
            None => !words.balances,
        };
        let orders: Vec<ForeignOrder> = foreign_orders(&self.host.state).into_iter().filter(named).collect();
        if let (Some(name), true) = (&words.order, orders.is_empty()) {
            let message = format!("there is no order `{name}` by another hand");
            return Ok(failed("NODE-10", message, "see `foreign` in `tradewind status -o json`"));
        }
        let portfolio = operators(&self.host.state);
        // executions of other hands are not among the differences: to book them explains none
        let off = if words.order.is_none() { std::mem::take(&mut self.off) } else { Vec::new() };
        for order in orders {
            adopted.executions += self.adopt_order(portfolio, &order)?;
            adopted.orders.push(order.client_text);
        }
        for (currency, units) in off {
            let reason = "an operator takes the venue's word on the balance".to_owned();
            let kind = EventKind::Adjusted { money: Money { currency, units }, reason };
            self.record(self.now(), wall(), Source::Operator, portfolio, kind)?;
            adopted.balances.insert(currency.to_string(), format_decimal(units, LEDGER_DECIMALS));
        }
        adopted.restricted.clone_from(&self.host.state.reduce_only);
        self.host.outside.watch.sweep_soon();
        Ok(done(&adopted))
    }

    /// Books the order, then its executions, then its end if it is over; gives back how many executions there were.
    fn adopt_order(&mut self, portfolio: PortfolioId, foreign: &ForeignOrder) -> Result<usize, NodeError> {
        let (client_id, quantity) = (foreign.client_id, foreign.quantity);
        let request = match foreign.price {
            Some(price) => OrderRequest::limit(foreign.instrument, foreign.side, quantity, price),
            None => OrderRequest::market(foreign.instrument, foreign.side, quantity),
        };
        let order = Order::as_worked(portfolio, client_id, request);
        let fills: Vec<_> =
            self.host.state.foreign_fills.iter().filter(|it| it.client_id == client_id).copied().collect();
        let adoption = Adoption { order, venue_id: foreign.venue_id.clone(), earlier: foreign.earlier };
        let mut kinds = vec![EventKind::Adopted(Box::new(adoption))];
        kinds.extend(fills.iter().copied().map(EventKind::Filled));
        for kind in kinds {
            self.record(self.now(), wall(), Source::Operator, portfolio, kind)?;
        }
        if !foreign.open && self.host.state.open.contains_key(&client_id) {
            let reason = "it was over when it was adopted".into();
            let kind = EventKind::Cancelled { client_id, reason };
            self.record(self.now(), wall(), Source::Operator, portfolio, kind)?;
        }
        Ok(fills.len())
    }
}

/// Every order of another hand, those included of which only executions are known.
pub(crate) fn foreign_orders(state: &State) -> Vec<ForeignOrder> {
    let mut all: Vec<ForeignOrder> = state.foreign.values().cloned().collect();
    let known: BTreeSet<ClientOrderId> = state.foreign.keys().copied().collect();
    let mut nameless: BTreeMap<ClientOrderId, ForeignOrder> = BTreeMap::new();
    for fill in state.foreign_fills.iter().filter(|fill| !known.contains(&fill.client_id)) {
        let order = nameless.entry(fill.client_id).or_insert_with(|| ForeignOrder {
            client_id: fill.client_id,
            client_text: fill.client_id.to_string(),
            venue_id: tradewind_domain::VenueOrderId(fill.client_id.to_string().into_boxed_str()),
            instrument: fill.instrument,
            side: fill.side,
            price: None,
            quantity: Quantity::ZERO,
            filled: Quantity::ZERO,
            earlier: Quantity::ZERO,
            open: false,
            waits: false,
        });
        order.quantity += fill.quantity;
        order.filled += fill.quantity;
    }
    all.extend(nameless.into_values());
    all
}
