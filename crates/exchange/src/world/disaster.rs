//! What no exchange should do, and some did: restart without its orders, take executions back, stop a pair. And what
//! some do as they promised: cancel everything of an account whose dead man's timer ran out.
//!
//! Nothing of it is told on any stream, but the cancels: whoever wants to know must ask.

use super::World;
use super::ledger::{FIRST_CUSTOMER, HOUSE, MARKET};
use super::market::Trading;
use super::order::{OwnTrade, Status};
use crate::error::ExchangeError;
use tradewind_domain::{Price, Quantity, Side, parse_decimal};

impl World {
    /// Begins to count anew, as after a restart. With `forget`, open orders are gone: no query finds them any more.
    pub(crate) fn restart(&mut self, forget: bool) {
        if forget {
            let open: Vec<u64> = self.open.iter().map(|(_, id)| *id).collect();
            self.silently(|world| open.into_iter().for_each(|id| world.forget(id)));
        }
        for market in &mut self.markets {
            market.begin_anew();
        }
    }

    /// Cancels every open order of every customer, as a dead man's timer does. Gives how many there were.
    pub(crate) fn cancel_everything(&mut self) -> usize {
        let open: Vec<u64> = self.open.iter().map(|(_, id)| *id).collect();
        open.into_iter().filter(|id| self.cancel(*id, None).is_ok()).count() // a sibling may be gone with the first
    }

    /// Takes back everything that happened to customers since `since` milliseconds: their executions, and the orders
    /// that they placed. Gives the number of executions.
    pub(crate) fn roll_back(&mut self, since: i64) -> usize {
        let mut undone = Vec::new();
        for account in FIRST_CUSTOMER..self.ledger.accounts() {
            let trades = self.own_trades[account].extract_if(.., |trade| trade.at >= since);
            undone.extend(trades.map(|trade| (account, trade)));
        }
        for (account, trade) in &undone {
            self.give_back(*account, trade);
        }
        let gone: Vec<u64> = self.rows.values().filter(|row| row.created >= since).map(|row| row.id).collect();
        self.silently(|world| gone.into_iter().for_each(|id| world.forget(id)));
        self.fills -= undone.len() as u64;
        undone.len()
    }

    /// Money and quantity of an execution as they were before it.
    fn give_back(&mut self, account: usize, trade: &OwnTrade) {
        let rules = &self.markets[trade.listing].rules;
        let (base, quote, quantity) = (rules.base, rules.quote, i128::from(trade.quantity.mantissa()));
        let sign = if trade.side == Side::Buy { 1 } else { -1 };
        for (who, sign) in [(account, sign), (MARKET, -sign)] {
            self.ledger.deposit(who, base, -sign * quantity);
            self.ledger.deposit(who, quote, sign * trade.quote);
        }
        self.ledger.deposit(account, trade.fee_asset, trade.fee);
        self.ledger.deposit(HOUSE, trade.fee_asset, -trade.fee);
        if let Some(row) = self.rows.get_mut(&trade.order) {
            row.executed -= trade.quantity;
            row.quote_executed -= trade.quote;
            if row.status == Status::Filled {
                row.status = Status::Expired;
            }
        }
    }

    fn forget(&mut self, id: u64) {
        if self.rows.get(&id).is_some_and(|row| row.status.is_open()) {
            self.withdraw(id);
            self.close(id, Status::Expired, super::order::Execution::Expired);
        }
        self.rows.remove(&id);
    }

    fn silently(&mut self, what: impl FnOnce(&mut Self)) {
        let told = self.events.len();
        what(self);
        self.events.truncate(told);
        self.touched.clear();
    }

    /// Changes how a pair trades, and its steps where they are given.
    ///
    /// # Errors
    /// [`ExchangeError::Setting`] for a step that is no positive decimal.
    pub(crate) fn relist(
        &mut self,
        listing: usize,
        trading: Option<Trading>,
        [tick, lot, min_notional]: [Option<&str>; 3],
    ) -> Result<(), ExchangeError> {
        let bad = |reason: String| ExchangeError::Setting { setting: "symbols", reason };
        let number = |text: &str| parse_decimal(text, 8).map_err(|error| bad(error.to_string()));
        let market = &mut self.markets[listing];
        market.trading = trading.unwrap_or(market.trading);
        let mut spec = market.rules.instrument.spec.clone();
        if let Some(tick) = tick {
            spec.tick = Price::from_mantissa(number(tick)?);
        }
        if let Some(lot) = lot {
            spec.lot = Quantity::from_mantissa(number(lot)?);
            spec.min_quantity = spec.lot;
        }
        if let Some(min_notional) = min_notional {
            spec.min_notional.units = number(min_notional)?.into();
        }
        market.rules.instrument = spec.list(market.rules.instrument.id).map_err(|error| bad(error.to_string()))?;
        Ok(())
    }
}
