//! What a match does: trades on the tape, money between accounts, reports to the owners.

use super::book::{Happening, Incoming};
use super::ledger::{HOUSE, MARKET};
use super::order::{Execution, OwnTrade, Prevention, Row, Status};
use super::{Event, World};
use tradewind_book::PreventedMatch;
use tradewind_domain::{Currency, FeeAsset, Liquidity, Price, Quantity, Side};

impl World {
    /// Books what the matching core did with one incoming order.
    pub(super) fn settle(&mut self, listing: usize, incoming: &Incoming, happenings: Vec<Happening>) {
        let mut trades = Vec::new();
        for happening in happenings {
            match happening {
                Happening::Fill { maker, price, quantity, maker_done } => {
                    self.markets[listing].touch(incoming.side.opposite(), price);
                    trades.push(self.exchange(listing, incoming, maker, price, quantity));
                    self.maker_left(listing, maker, maker_done);
                }
                Happening::Rested { price } => self.markets[listing].touch(incoming.side, price),
                Happening::Unfilled => self.close(incoming.id, Status::Expired, Execution::Expired),
                Happening::Prevented(told) => self.prevent(listing, incoming, told),
            }
        }
        let sums = self.markets[listing].aggregate(&trades);
        self.events.extend(sums.into_iter().map(|sum| Event::Aggregate { listing, sum }));
    }

    fn maker_left(&mut self, listing: usize, maker: u64, done: bool) {
        if done && !self.rows.contains_key(&maker) {
            self.departed.push((listing, maker));
        }
    }

    /// One trade between the taker and a maker.
    fn exchange(
        &mut self,
        listing: usize,
        taker: &Incoming,
        maker: u64,
        price: Price,
        quantity: Quantity,
    ) -> super::market::PublicTrade {
        let trade = self.markets[listing].trade(price, quantity, taker.side, self.now);
        self.events.push(Event::Trade { listing, trade });
        self.fill(taker.id, trade.id, price, quantity, Liquidity::Taker);
        self.fill(maker, trade.id, price, quantity, Liquidity::Maker);
        trade
    }

    /// Two orders of one account that did not trade with each other: writes it down, and takes from each what it lost.
    fn prevent(&mut self, listing: usize, taker: &Incoming, told: PreventedMatch) {
        let market = &mut self.markets[listing];
        let (id, quote) = (market.number_prevention(), market.rules.notional(told.price, told.quantity));
        if told.maker_prevented > Quantity::ZERO {
            market.touch(taker.side.opposite(), told.price);
        }
        let met = Prevention { id, listing, mode: taker.self_trade, told, quote, at: self.now };
        self.prevented[taker.owner].push(met);
        for order in [told.maker, told.taker] {
            self.lower(order, met);
        }
    }

    /// Takes from an order what it lost by not trading with another of its account. One with nothing left has expired.
    fn lower(&mut self, id: u64, met: Prevention) {
        let (lost, _) = met.of(id);
        let Some(mut row) = self.rows.get(&id).filter(|_| lost > Quantity::ZERO).cloned() else { return };
        row.prevented += lost;
        (row.prevented_match, row.updated) = (Some(met.id), self.now);
        let (is_over, execution) = (row.remaining() <= Quantity::ZERO, Execution::TradePrevention(met));
        if is_over {
            self.rows.insert(id, row);
            self.close(id, Status::ExpiredInMatch, execution);
            self.close_siblings(id);
        } else {
            self.free_surplus(&mut row);
            self.events.push(Event::Report { row: Box::new(row.clone()), execution });
            self.rows.insert(id, row);
        }
    }

    /// One side of a trade, if it is a customer's. The other side is the market or settles with it just the same,
    /// so each side is booked against the market account.
    pub(super) fn fill(&mut self, id: u64, trade: i64, price: Price, quantity: Quantity, liquidity: Liquidity) {
        self.close_siblings(id); // first: the funds of a list may be held by the other order
        let Some(row) = self.rows.get(&id).cloned() else { return };
        let rules = &self.markets[row.listing].rules;
        let (base, quote, cost) = (rules.base, rules.quote, rules.notional(price, quantity));
        let (given, received) = match row.side {
            Side::Buy => ((quote, cost), (base, i128::from(quantity.mantissa()))),
            Side::Sell => ((base, i128::from(quantity.mantissa())), (quote, cost)),
        };
        self.ledger.release(row.account, given.0, row.locked);
        self.ledger.transfer(row.account, MARKET, given.0, given.1);
        self.ledger.transfer(MARKET, row.account, received.0, received.1);
        let (fee_asset, fee) = self.fee(&row, received, (quote, cost), liquidity);
        self.touched.extend([(row.account, base), (row.account, quote)]);
        let own = OwnTrade {
            id: trade,
            order: id,
            listing: row.listing,
            price,
            quantity,
            quote: cost,
            fee,
            fee_asset,
            at: self.now,
            side: row.side,
            maker: liquidity == Liquidity::Maker,
        };
        self.fills += 1;
        self.own_trades[row.account].push(own);
        self.note_fill(row, own);
    }

    /// Takes the fee, never more than there is.
    fn fee(
        &mut self,
        row: &Row,
        received: (Currency, i128),
        notional: (Currency, i128),
        liquidity: Liquidity,
    ) -> (Currency, i128) {
        let (asset, amount) = match self.fees.asset {
            FeeAsset::Quote => notional,
            FeeAsset::Received => received,
        };
        let wanted = self.fees.on(amount, asset, liquidity).0.units;
        let fee = wanted.min(self.ledger.balance(row.account, asset).free);
        self.ledger.transfer(row.account, HOUSE, asset, fee);
        (asset, fee)
    }

    /// Writes a fill into its order, sets aside what the rest needs, and reports it.
    fn note_fill(&mut self, mut row: Row, own: OwnTrade) {
        row.executed += own.quantity;
        row.quote_executed += own.quote;
        row.updated = self.now;
        row.locked = 0;
        let done = row.remaining() <= Quantity::ZERO;
        row.status = if done { Status::Filled } else { Status::PartiallyFilled };
        if !done {
            let (asset, need) = self.need(&row);
            let units = need.min(self.ledger.balance(row.account, asset).free);
            row.locked = if self.ledger.lock(row.account, asset, units).is_ok() { units } else { 0 };
        }
        let id = row.id;
        if done {
            self.open.remove(&(row.account, id));
            self.names.remove(&(row.account, row.listing, row.client_id.clone()));
        }
        self.events.push(Event::Report { row: Box::new(row.clone()), execution: Execution::Trade(own) });
        self.rows.insert(id, row);
    }
}
