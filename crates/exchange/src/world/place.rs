//! What customers do: place and cancel orders.

use super::book::Incoming;
use super::market::Trading;
use super::order::{Execution, Force, Kind, NewOrder, Row, SelfTrade, Status};
use super::{Event, World, bars, filters};
use crate::binance::answer::Refusal;
use tradewind_domain::{Currency, Liquidity, Price, Quantity, Side};

impl World {
    /// Takes an order on: filters, funds, then the book. Returns its number.
    ///
    /// # Errors
    /// The venue's refusal; nothing has changed then.
    pub(crate) fn place(&mut self, account: usize, order: NewOrder) -> Result<u64, Refusal> {
        self.check(account, &order)?;
        let row = self.draft(account, order)?;
        let id = self.enrol(row)?;
        if self.is_bars() || !self.rows[&id].kind.is_contingent() {
            self.send_to_book(id);
        }
        self.finish();
        Ok(id)
    }

    /// Everything that can be wrong with an order before its funds are looked at. Changes nothing.
    pub(crate) fn check(&self, account: usize, order: &NewOrder) -> Result<(), Refusal> {
        let market = &self.markets[order.listing];
        if market.trading != Trading::Open {
            return Err(Refusal::new(-1013, "Market is closed."));
        }
        if self.is_bars() && !bars::knows(order.kind) {
            return Err(Refusal::not_supported("Take profit orders are not supported for this symbol."));
        }
        let open = self.open_orders(account).filter(|row| row.listing == order.listing);
        let counts = open.fold((0, 0), |(all, waiting), row| {
            (all + 1, waiting + usize::from(row.kind.is_contingent() && row.working.is_none()))
        });
        filters::check(order, market, counts, self.now)?;
        if let Some(name) = &order.client_id
            && self.names.contains_key(&(account, order.listing, name.clone()))
        {
            return Err(Refusal::duplicate_order());
        }
        if let Some(stop) = order.stop
            && order.kind.wakes(order.side, stop, market.last)
        {
            return Err(Refusal::would_trigger());
        }
        if order.kind == Kind::LimitMaker
            && order.price.is_some_and(|price| self.crosses(order.listing, order.side, price))
        {
            return Err(Refusal::would_match());
        }
        Ok(())
    }

    /// Whether a limit would meet the other side of the book now.
    fn crosses(&self, listing: usize, side: Side, price: Price) -> bool {
        let best = self.best(listing, side.opposite()).filter(|_| !self.is_bars()); // a bar decides at its open
        best.is_some_and(|(best, _)| match side {
            Side::Buy => best <= price,
            Side::Sell => best >= price,
        })
    }

    /// Best bid or ask, from the book or, on a tape of bars, from the last price.
    pub(crate) fn best(&self, listing: usize, side: Side) -> Option<(Price, Quantity)> {
        self.levels(listing, side, 1).first().copied()
    }

    pub(super) fn draft(&self, account: usize, order: NewOrder) -> Result<Row, Refusal> {
        let quantity = match (order.quantity, order.quote_quantity) {
            (Some(quantity), _) => quantity,
            (None, Some(quote)) => self.quantity_for(account, &order, quote)?,
            (None, None) => return Err(Refusal::missing("quantity")),
        };
        Ok(Row {
            id: 0,
            account,
            listing: order.listing,
            client_id: order.client_id.unwrap_or_default(),
            side: order.side,
            kind: order.kind,
            force: order.force,
            price: order.price.unwrap_or_default(),
            stop: order.stop.unwrap_or_default(),
            quantity,
            quote_quantity: order.quote_quantity.unwrap_or(0),
            executed: Quantity::ZERO,
            quote_executed: 0,
            prevented: Quantity::ZERO,
            prevented_match: None,
            status: Status::New,
            self_trade: order.self_trade,
            created: self.now,
            updated: self.now,
            working: (!order.kind.is_contingent()).then_some(self.now),
            list: None,
            locked: 0,
        })
    }

    /// How many whole lots an amount of quote buys or sells on the book as it stands.
    fn quantity_for(&self, account: usize, order: &NewOrder, quote: i128) -> Result<Quantity, Refusal> {
        let rules = &self.markets[order.listing].rules;
        let (mut left, mut lots) = (quote, 0_i64);
        for (price, size) in self.takeable(order.listing, order.side, account, order.self_trade) {
            let affordable = left * 100_000_000 / i128::from(price.mantissa().max(1));
            let here = affordable.min(i128::from(size.mantissa()));
            lots = lots.saturating_add(i64::try_from(here).unwrap_or(0));
            left -= here * i128::from(price.mantissa()) / 100_000_000;
            if here < i128::from(size.mantissa()) {
                break;
            }
        }
        let quantity = rules.instrument.whole_lots(Quantity::from_mantissa(lots));
        if quantity < rules.instrument.spec.min_quantity {
            return Err(Refusal::rejected("Order book liquidity is less than `LOT_SIZE` filter minimum quantity."));
        }
        Ok(quantity)
    }

    /// Sets funds aside and writes the order into the books of the house.
    fn enrol(&mut self, mut row: Row) -> Result<u64, Refusal> {
        let (asset, units) = self.need(&row);
        self.ledger.lock(row.account, asset, units).map_err(|_| Refusal::insufficient_balance())?;
        row.locked = units;
        self.touched.insert((row.account, asset));
        Ok(self.enlist(row))
    }

    /// Gives an order its number, and a name if it has none, and writes it down.
    pub(super) fn enlist(&mut self, mut row: Row) -> u64 {
        row.id = self.next_order;
        self.next_order += 1;
        let id = row.id;
        if row.client_id.is_empty() {
            row.client_id = format!("tradewind{id:013x}");
        }
        self.open.insert((row.account, id));
        self.names.insert((row.account, row.listing, row.client_id.clone()), id);
        if row.kind.is_contingent() && !self.is_bars() {
            self.waiting.insert((row.listing, id));
        }
        self.events.push(Event::Report { row: Box::new(row.clone()), execution: Execution::New });
        self.rows.insert(id, row);
        self.prune();
        id
    }

    /// What must be set aside for the rest of an order: quote for a buy (with its fee, where fees are taken in
    /// quote), base for a sell.
    pub(super) fn need(&self, row: &Row) -> (Currency, i128) {
        let rules = &self.markets[row.listing].rules;
        if row.side == Side::Sell {
            return (rules.base, i128::from(row.remaining().mantissa()));
        }
        let cost = match row.kind {
            _ if row.kind.has_price() => rules.notional(row.price, row.remaining()),
            Kind::Market => self.market_cost(row),
            _ if row.working.is_some() => self.market_cost(row),
            _ => rules.notional(row.stop, row.remaining()),
        };
        (rules.quote, cost + self.quote_fee(rules.quote, cost, Liquidity::Taker))
    }

    /// Gives back what was set aside for an open order and is not needed any more. What the orders of a list share stays
    /// with them: another of them may need it.
    pub(super) fn free_surplus(&mut self, row: &mut Row) {
        let list = row.list.and_then(|id| self.lists.get(&id));
        if list.is_some_and(|list| !list.done) {
            return;
        }
        let (asset, needed) = self.need(row);
        let needed = needed.min(row.locked);
        self.ledger.release(row.account, asset, row.locked - needed);
        row.locked = needed;
        self.touched.insert((row.account, asset));
    }

    /// What a market order could take, best first; on a tape of bars what the book shows.
    fn takeable(&self, listing: usize, side: Side, account: usize, mode: SelfTrade) -> Vec<(Price, Quantity)> {
        if self.is_bars() {
            return self.levels(listing, side.opposite(), 1);
        }
        self.books[listing].takeable(side, account, mode).collect()
    }

    /// The fee on `amount` of quote when fees are taken in quote; nothing otherwise.
    pub(super) fn quote_fee(&self, quote: Currency, amount: i128, liquidity: Liquidity) -> i128 {
        match self.fees.asset {
            tradewind_domain::FeeAsset::Quote => self.fees.on(amount, quote, liquidity).0.units,
            tradewind_domain::FeeAsset::Received => 0,
        }
    }

    /// What buying at the market costs now: by the book, or by the last price where a tape of bars decides later.
    fn market_cost(&self, row: &Row) -> i128 {
        let market = &self.markets[row.listing];
        if self.is_bars() {
            return market.rules.notional(market.last, row.remaining());
        }
        let (mut left, mut cost) = (row.remaining(), 0);
        for (price, size) in self.takeable(row.listing, row.side, row.account, row.self_trade) {
            let here = left.min(size);
            cost += market.rules.notional(price, here);
            left -= here;
            if left.is_zero() {
                break;
            }
        }
        cost
    }

    /// Hands an order to the matching core and books what comes of it.
    pub(super) fn send_to_book(&mut self, id: u64) {
        let row = &self.rows[&id];
        let limit = row.kind.has_price().then_some(row.price);
        let incoming = Incoming {
            id,
            owner: row.account,
            side: row.side,
            limit,
            quantity: row.remaining(),
            force: if limit.is_none() { Force::Ioc } else { row.force },
            post_only: row.kind == Kind::LimitMaker,
            self_trade: row.self_trade,
        };
        if self.is_bars() {
            self.submit_to_bars(&incoming);
            return;
        }
        let listing = row.listing;
        let happenings = self.books[listing].submit(&incoming, self.now);
        self.settle(listing, &incoming, happenings);
    }

    /// After every verb: wake contingent orders, tell of balances and of the best prices.
    pub(super) fn finish(&mut self) {
        self.wake();
        self.tell_balances();
        self.tell_best();
    }

    /// Sends contingent orders to the book whose trigger was reached, until no more are.
    pub(super) fn wake(&mut self) {
        loop {
            let woken = self.waiting.iter().copied().find(|(listing, id)| {
                self.rows.get(id).is_some_and(|row| row.kind.wakes(row.side, row.stop, self.markets[*listing].last))
            });
            let Some((listing, id)) = woken else { return };
            self.waiting.remove(&(listing, id));
            self.close_siblings(id);
            if self.relock_for_market(id) {
                self.send_to_book(id);
            } else {
                self.close(id, Status::Expired, Execution::Expired);
            }
        }
    }

    /// Marks an order as working and sets aside what it needs now; false if there is not enough.
    fn relock_for_market(&mut self, id: u64) -> bool {
        let Some(row) = self.rows.get_mut(&id) else { return false };
        (row.working, row.updated) = (Some(self.now), self.now);
        let row = self.rows[&id].clone();
        let (asset, units) = self.need(&row);
        self.ledger.release(row.account, asset, row.locked);
        self.touched.insert((row.account, asset));
        let locked = if self.ledger.lock(row.account, asset, units).is_ok() { units } else { 0 };
        if let Some(row) = self.rows.get_mut(&id) {
            row.locked = locked;
        }
        locked == units
    }

    /// Tells of best prices that changed.
    pub(super) fn tell_best(&mut self) {
        for listing in 0..self.markets.len() {
            let best = [self.best(listing, Side::Buy), self.best(listing, Side::Sell)];
            let market = &mut self.markets[listing];
            if market.best != best {
                market.best = best;
                let update = market.number_best();
                self.events.push(Event::Best { listing, update, best });
            }
        }
    }

    /// Cancels one order. `name` is what the cancel request itself is called.
    ///
    /// # Errors
    /// -2011 if the order is not open.
    pub(crate) fn cancel(&mut self, id: u64, name: Option<&str>) -> Result<(Row, String), Refusal> {
        let open = self.rows.get(&id).filter(|row| row.status.is_open()).ok_or_else(Refusal::cancel_unknown)?;
        let name = name.map_or_else(|| format!("cancel{:013x}{}", open.id, self.now), str::to_owned);
        if self.is_bars() && !self.cancel_on_bars(id) {
            return Err(Refusal::cancel_unknown()); // this bar has decided about it
        }
        self.withdraw(id);
        self.close(id, Status::Canceled, Execution::Canceled { client_id: name.clone() });
        self.cancel_siblings(id, &name);
        self.finish();
        Ok((self.rows[&id].clone(), name))
    }

    /// Takes an order off the book, the tape or the waiting list.
    pub(super) fn withdraw(&mut self, id: u64) {
        let Some(row) = self.rows.get(&id) else { return };
        let (listing, side, price) = (row.listing, row.side, row.price);
        if self.waiting.remove(&(listing, id)) {
            return;
        }
        if self.is_bars() {
            self.cancel_on_bars(id);
        } else if self.books[listing].cancel(id) {
            self.markets[listing].touch(side, price);
        }
    }

    /// Ends an order and gives back what was set aside for it.
    pub(super) fn close(&mut self, id: u64, status: Status, execution: Execution) {
        let Some(row) = self.rows.get_mut(&id) else { return };
        (row.status, row.updated) = (status, self.now);
        let (account, listing, locked) = (row.account, row.listing, std::mem::take(&mut row.locked));
        let rules = &self.markets[listing].rules;
        let asset = if row.side == Side::Buy { rules.quote } else { rules.base };
        self.ledger.release(account, asset, locked);
        self.touched.insert((account, asset));
        self.open.remove(&(account, id));
        self.waiting.remove(&(listing, id));
        self.names.remove(&(account, listing, row.client_id.clone()));
        self.events.push(Event::Report { row: Box::new(row.clone()), execution });
    }
}
