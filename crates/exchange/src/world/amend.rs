//! Orders made smaller in their place.

use super::order::Execution;
use super::{Event, World};
use crate::binance::answer::Refusal;
use tradewind_domain::Quantity;

impl World {
    /// Makes an open order smaller, to `quantity` in all, what was prevented of it included: it keeps its place in the
    /// queue, and what was set aside for the rest is given back. Returns what it was called before and the number of the amendment.
    ///
    /// # Errors
    /// -2038 for an order that does not rest or would not become smaller; nothing has changed then.
    pub(crate) fn amend(
        &mut self,
        id: u64,
        name: Option<String>,
        quantity: Quantity,
    ) -> Result<(String, u64), Refusal> {
        let row = self.rows.get(&id).filter(|row| row.status.is_open()).ok_or_else(Refusal::no_such_order)?;
        let (account, listing, before) = (row.account, row.listing, row.client_id.clone());
        if self.is_bars() || row.kind.is_contingent() && row.working.is_none() {
            return Err(Refusal::amend_rejected("Order amend is not supported for this order."));
        }
        if quantity == row.quantity {
            return Err(Refusal::amend_rejected("The requested action would change no state; rejecting."));
        }
        if quantity > row.quantity {
            return Err(Refusal::amend_rejected("Order amend (quantity increase) is not supported."));
        }
        let spec = &self.markets[listing].rules.instrument.spec;
        let gone = row.executed + row.prevented;
        if quantity <= gone {
            return Err(Refusal::amend_rejected("The new quantity must be larger than the executed one."));
        }
        if quantity < spec.min_quantity || quantity.mantissa() % spec.lot.mantissa() != 0 {
            return Err(Refusal::filter("LOT_SIZE"));
        }
        self.amendments += 1;
        let name = name.unwrap_or_else(|| format!("amend{id:013x}{}", self.amendments));
        if name != before && self.names.contains_key(&(account, listing, name.clone())) {
            return Err(Refusal::duplicate_order());
        }
        if !self.books[listing].shrink(id, quantity - gone, self.now) {
            return Err(Refusal::amend_rejected("Order amend is not supported for this order."));
        }
        self.names.remove(&(account, listing, before.clone()));
        self.names.insert((account, listing, name.clone()), id);
        let mut row = self.rows[&id].clone();
        (row.client_id, row.quantity, row.updated) = (name, quantity, self.now);
        self.free_surplus(&mut row);
        self.markets[listing].touch(row.side, row.price);
        let execution = Execution::Replaced { before: before.clone() };
        self.events.push(Event::Report { row: Box::new(row.clone()), execution });
        self.rows.insert(id, row);
        self.finish();
        Ok((before, self.amendments))
    }
}
