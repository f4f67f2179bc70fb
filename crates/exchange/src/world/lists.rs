//! Order lists: one cancels the other.
//!
//! Source: "New Order List - OCO" and "Cancel Order List" in `rest-api.md`: the orders share one quantity; when one of them
//! trades or is triggered the other expires, and when one is cancelled so is the other, by the same request.

use super::order::{Execution, Kind, NewOrder, Status};
use super::{Event, World};
use crate::binance::answer::Refusal;
use tradewind_domain::Side;

/// Two orders of which one may trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct List {
    pub(crate) id: u64,
    pub(crate) client_id: String,
    pub(crate) account: usize,
    pub(crate) listing: usize,
    pub(crate) orders: [u64; 2],
    pub(crate) done: bool,
    /// Milliseconds.
    pub(crate) updated: i64,
}

/// A pair of orders to place together: the lower priced first.
#[derive(Clone, Debug)]
pub(crate) struct NewList {
    pub(crate) client_id: Option<String>,
    pub(crate) below: NewOrder,
    pub(crate) above: NewOrder,
}

impl World {
    /// Places both orders, or neither.
    ///
    /// # Errors
    /// The venue's refusal of the pair or of one of its orders.
    pub(crate) fn place_list(&mut self, account: usize, list: NewList) -> Result<u64, Refusal> {
        let last = self.markets[list.below.listing].last;
        check_kinds(&list)?;
        for order in [&list.below, &list.above] {
            self.check(account, order)?;
        }
        let prices = [&list.below, &list.above].map(|order| order.stop.or(order.price).unwrap_or_default());
        if !(prices[0] < last && last < prices[1]) {
            return Err(Refusal::rejected("The relationship of the prices for the orders is not correct."));
        }
        let id = self.next_list;
        let listing = list.below.listing;
        let orders = self.enrol_both(account, id, list.below, list.above)?;
        self.next_list += 1;
        let list = List {
            id,
            client_id: list.client_id.unwrap_or_else(|| format!("list{id:013x}")),
            account,
            listing,
            orders,
            done: false,
            updated: self.now,
        };
        self.lists.insert(id, list.clone());
        self.events.push(Event::List { list, done: false });
        for order in orders {
            let row = &self.rows[&order];
            if row.status.is_open() && (self.is_bars() || !row.kind.is_contingent()) {
                self.send_to_book(order);
            }
        }
        self.finish();
        Ok(id)
    }

    /// One set of funds for both: the first order holds what the dearer one needs, the second nothing.
    fn enrol_both(&mut self, account: usize, list: u64, below: NewOrder, above: NewOrder) -> Result<[u64; 2], Refusal> {
        let mut first = self.draft(account, below)?;
        let mut second = self.draft(account, above)?;
        (first.list, second.list) = (Some(list), Some(list));
        if !first.client_id.is_empty() && second.client_id == first.client_id {
            return Err(Refusal::duplicate_order());
        }
        let ((asset, one), (_, other)) = (self.need(&first), self.need(&second));
        let both = one.max(other);
        self.ledger.lock(account, asset, both).map_err(|_| Refusal::insufficient_balance())?;
        (first.locked, second.locked) = (both, 0);
        self.touched.insert((account, asset));
        Ok([self.enlist(first), self.enlist(second)])
    }

    /// Ends the list that `id` belongs to, because that order trades or ends by its own terms: the others expire.
    pub(super) fn close_siblings(&mut self, id: u64) {
        self.end_list_of(id, Status::Expired, &Execution::Expired);
    }

    /// Ends the list that `id` belongs to, because that order is cancelled by the request `name`: the others are as well.
    pub(super) fn cancel_siblings(&mut self, id: u64, name: &str) {
        self.end_list_of(id, Status::Canceled, &Execution::Canceled { client_id: name.to_owned() });
    }

    fn end_list_of(&mut self, id: u64, status: Status, execution: &Execution) {
        let Some(list_id) = self.rows.get(&id).and_then(|row| row.list) else { return };
        let Some(list) = self.lists.get_mut(&list_id).filter(|list| !list.done) else { return };
        (list.done, list.updated) = (true, self.now);
        let list = list.clone();
        let held = self.rows.get(&id).map_or(0, |row| row.locked);
        for other in list.orders.into_iter().filter(|other| *other != id) {
            if self.rows.get(&other).is_some_and(|row| row.status.is_open()) {
                self.withdraw(other);
                self.close(other, status, execution.clone());
            }
        }
        if held == 0 {
            self.lock_again(id);
        }
        self.events.push(Event::List { list, done: true });
    }

    /// Sets funds aside for an order that shared those of its sibling.
    fn lock_again(&mut self, id: u64) {
        let Some(row) = self.rows.get(&id).filter(|row| row.status.is_open()).cloned() else { return };
        let (asset, need) = self.need(&row);
        let units = need.min(self.ledger.balance(row.account, asset).free);
        if self.ledger.lock(row.account, asset, units).is_ok()
            && let Some(row) = self.rows.get_mut(&id)
        {
            row.locked = units;
        }
    }
}

/// Which kinds may stand above and below, by side.
fn check_kinds(list: &NewList) -> Result<(), Refusal> {
    let limit = |kind| kind == Kind::LimitMaker;
    let stop = |kind| matches!(kind, Kind::StopLoss | Kind::StopLossLimit);
    let profit = |kind| matches!(kind, Kind::TakeProfit | Kind::TakeProfitLimit);
    let (below, above) = (list.below.kind, list.above.kind);
    let refuse = |code, text: &str| Err(Refusal::new(code, text));
    match list.below.side {
        _ if limit(below) && limit(above) => refuse(-1168, "At least one OCO order must be contingent."),
        Side::Buy if limit(above) => refuse(-1165, "A limit order in a buy OCO must be below."),
        Side::Buy if stop(below) => refuse(-1196, "A stop loss order in a buy OCO must be above."),
        Side::Buy if profit(above) => refuse(-1198, "A take profit order in a buy OCO must be below."),
        Side::Sell if limit(below) => refuse(-1166, "A limit order in a sell OCO must be above."),
        Side::Sell if stop(above) => refuse(-1197, "A stop loss order in a sell OCO must be below."),
        Side::Sell if profit(below) => refuse(-1199, "A take profit order in a sell OCO must be above."),
        _ if [below, above].into_iter().all(|kind| limit(kind) || kind.is_contingent()) => Ok(()),
        _ => refuse(-1158, "Order type not supported in OCO."),
    }
}
