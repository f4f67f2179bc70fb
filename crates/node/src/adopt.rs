//! A person takes over what other hands did on the account: their orders, their executions, and differences of balances.

use crate::clock::wall;
use crate::core::Core;
use crate::error::{NodeError, hint_of};
use crate::operate::{OperatorReply, done, failed};
use crate::portfolios::operators;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::{ClientOrderId, LEDGER_DECIMALS, Money, PortfolioId, Quantity, Source, format_decimal};
use tradewind_engine::{Adoption, EventKind, ForeignOrder, State, VenueTerms};

/// What is to be adopted: everything, unless one of both is named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdoptWords {
    /// Only this order, by its sender's name of it or by the venue's, with the others of its list at the venue.
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
    /// Orders that stay another hand's, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    left: BTreeMap<String, String>,
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
        let orders = chosen(&self.host.state, words);
        if let (Some(name), true) = (&words.order, orders.is_empty()) {
            let message = format!("there is no order `{name}` by another hand");
            return Ok(failed("NODE-10", message, "see `foreign` in `tradewind status -o json`"));
        }
        if let (Some(_), Some(why)) = (&words.order, orders.iter().find_map(|it| obstacle(it, &orders))) {
            return Ok(failed("NODE-52", why, hint_of("NODE-52")));
        }
        let portfolio = operators(&self.host.state);
        let groups = self.host.state.groups_of(&orders);
        // executions of other hands are not among the differences: to book them explains none
        let off = if words.order.is_none() { std::mem::take(&mut self.off) } else { Vec::new() };
        for order in &orders {
            if let Some(why) = obstacle(order, &orders) {
                adopted.left.insert(order.client_text.clone(), why);
                continue;
            }
            let adoption = self.host.state.adoption(portfolio, order, &groups).expect("an unknown kind is an obstacle");
            adopted.executions += self.adopt_order(portfolio, order, adoption)?;
            adopted.orders.push(order.client_text.clone());
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
    fn adopt_order(
        &mut self,
        portfolio: PortfolioId,
        foreign: &ForeignOrder,
        adoption: Adoption,
    ) -> Result<usize, NodeError> {
        let client_id = foreign.client_id;
        let fills: Vec<_> =
            self.host.state.foreign_fills.iter().filter(|it| it.client_id == client_id).copied().collect();
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

/// The orders that `words` name, each with the others of its list; what is over comes first, since what it bought is there
/// before the orders that close it.
fn chosen(state: &State, words: &AdoptWords) -> Vec<ForeignOrder> {
    let all = foreign_orders(state);
    let named = |it: &&ForeignOrder| match &words.order {
        Some(name) => it.client_text == *name || *it.venue_id.0 == **name,
        None => !words.balances,
    };
    let named: Vec<&ForeignOrder> = all.iter().filter(named).collect();
    let is_chosen =
        |it: &&ForeignOrder| named.iter().any(|other| other.client_id == it.client_id || other.is_listed_with(it));
    let mut chosen: Vec<ForeignOrder> = all.iter().filter(is_chosen).cloned().collect();
    chosen.sort_by_key(|it| it.open);
    chosen
}

/// Why `order` cannot be adopted, if so: nothing here is what it is, or what another of its list among `all` is.
fn obstacle(order: &ForeignOrder, all: &[ForeignOrder]) -> Option<String> {
    let tied = |it: &&ForeignOrder| it.client_id == order.client_id || it.is_listed_with(order);
    let strange = all.iter().filter(tied).find(|it| it.kind().is_none())?;
    let name = &strange.client_text;
    Some(match &strange.terms.other {
        Some(words) => format!("order {name} is {words} at the venue, and there is no such kind here"),
        None => format!("what order {name} waits for is not known until the next comparison with the venue"),
    })
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
            terms: VenueTerms::default(),
        });
        order.quantity += fill.quantity;
        order.filled += fill.quantity;
    }
    all.extend(nameless.into_values());
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::{InstrumentId, OrderKind, Price, Side, VenueOrderId};

    /// An order of the instrument `place` that waits.
    fn waiting(name: &str, place: u32, terms: VenueTerms) -> ForeignOrder {
        ForeignOrder {
            client_id: ClientOrderId::foreign("test", &place.to_string(), name),
            client_text: name.to_owned(),
            venue_id: VenueOrderId(name.into()),
            instrument: InstrumentId(place),
            side: Side::Sell,
            price: None,
            quantity: Quantity::from_mantissa(10),
            filled: Quantity::ZERO,
            earlier: Quantity::ZERO,
            open: true,
            waits: true,
            terms,
        }
    }

    fn stop() -> VenueTerms {
        VenueTerms { kind: Some(OrderKind::Stop { trigger: Price::from_mantissa(90) }), ..VenueTerms::default() }
    }

    #[test]
    fn what_has_no_kind_here_is_left_with_all_of_its_list_and_the_reason_names_it() {
        let strange = VenueTerms { other: Some("STOP_LOSS_LIMIT with trailingDelta 50".into()), ..stop() };
        let strange = VenueTerms { kind: None, list: Some(3), ..strange };
        let all = [
            waiting("odd", 0, strange),
            waiting("tied", 0, VenueTerms { list: Some(3), ..stop() }),
            waiting("elsewhere", 1, VenueTerms { list: Some(3), ..stop() }),
            waiting("alone", 0, stop()),
            waiting("untold", 0, VenueTerms::default()),
        ];
        let why = |place: usize| obstacle(&all[place], &all).unwrap_or_default();
        let odd = "order odd is STOP_LOSS_LIMIT with trailingDelta 50 at the venue, and there is no such kind here";
        assert_eq!((why(0).as_str(), why(1).as_str()), (odd, odd));
        assert_eq!((why(2).as_str(), why(3).as_str()), ("", ""));
        assert_eq!(why(4), "what order untold waits for is not known until the next comparison with the venue");
    }

    #[test]
    fn an_order_by_name_brings_its_list_and_what_is_over_comes_first() {
        let mut state = State::default();
        let tied = || VenueTerms { list: Some(3), ..stop() };
        let over = ForeignOrder { open: false, ..waiting("z", 0, tied()) };
        for order in [waiting("a", 0, tied()), over, waiting("b", 0, stop())] {
            state.foreign.insert(order.client_id, order);
        }
        let names = |order: Option<&str>, balances| {
            let words = AdoptWords { order: order.map(str::to_owned), balances };
            chosen(&state, &words).into_iter().map(|it| it.client_text).collect::<Vec<_>>()
        };
        assert_eq!(names(Some("a"), false), ["z", "a"]);
        assert_eq!(names(Some("b"), false), ["b"]);
        assert_eq!((names(None, false).len(), names(None, false)[0].as_str()), (3, "z"));
        assert_eq!(names(None, true), Vec::<String>::new());
    }
}
