//! What goes wrong on purpose.

use super::frames::user;
use super::{CALLER, Held, InProcess};
use crate::binance::answer::{Answer, Refusal};
use crate::binance::calls::{Call, Route};
use crate::binance::payload;
use crate::binance::scarcity::Wanted;
use crate::world::ledger::FIRST_CUSTOMER;
use serde_json::{Value, json};
use tradewind_domain::Currency;

/// In percent.
const HALF: u8 = 50;

impl InProcess {
    /// Leaves an order that is about to be carried out half of what it asks for: the makers in its way withdraw, but for
    /// one at the best price. False, and nothing changes, for any other request, for an order that would take nothing,
    /// and for one that is too small to be halved.
    pub fn thin_out(&mut self, held: &Held, at: i64) -> bool {
        self.advance(at);
        let wanted = Wanted::read(&self.world, &held.route, &held.params);
        wanted.is_some_and(|wanted| wanted.thin_out(&mut self.world, HALF))
    }

    /// Lets the query of an order and the list of open orders answer as if nothing that was taken on from `since` on had
    /// happened yet; `None` ends that.
    pub fn lag_orders(&mut self, since: Option<i64>) {
        self.hidden[0] = since;
    }

    /// The same for the order history and the account's executions.
    pub fn lag_history(&mut self, since: Option<i64>) {
        self.hidden[1] = since;
    }

    pub(super) fn lagging(&self, route: &Route, answer: Answer) -> Answer {
        let history = matches!(route.call, Call::AllOrders | Call::MyTrades);
        let Some(since) = self.hidden[usize::from(history)] else { return answer };
        let is_old = |row: &Value| row["time"].as_i64().is_none_or(|time| time < since);
        match (route.call, answer) {
            (Call::Query, Ok(row)) if !is_old(&row) => Err(Refusal::no_such_order()),
            (Call::OpenOrders | Call::AllOrders | Call::MyTrades, Ok(Value::Array(mut rows))) => {
                rows.retain(is_old);
                Ok(Value::Array(rows))
            }
            (_, answer) => answer,
        }
    }

    /// The exchange restarts and has forgotten the open orders of an account: they are gone without a word, and only
    /// those that had traded are still listed, as cancelled.
    pub fn forget_open_orders(&mut self, account: usize) {
        let open = self.world.open_orders(FIRST_CUSTOMER + account).map(|row| (row.id, row.executed.is_zero()));
        for (id, never_traded) in open.collect::<Vec<_>>() {
            if self.world.cancel(id, None).is_ok() && never_traded {
                self.world.rows.remove(&id);
            }
        }
        self.world.take_events().clear();
    }

    /// Money comes to an account from outside, or, negative, leaves it; its owner is told of it or not.
    pub fn transfer_in(&mut self, account: usize, asset: Currency, units: i128, is_told: bool) {
        self.world.ledger.deposit(FIRST_CUSTOMER + account, asset, units);
        if is_told {
            let now = self.world.now();
            let event = json!({
                "e": "balanceUpdate", "E": now, "a": asset.code(), "d": payload::fixed(units), "T": now,
            });
            self.extra.extend(user(FIRST_CUSTOMER + account, &event));
        }
    }

    /// Another program on the same address uses up this minute's weight, all but `left`.
    pub fn squeeze(&mut self, left: u32) {
        let now = self.world.now();
        let used = self.counters.used(CALLER, now);
        let taken = self.limits.weight_per_minute.saturating_sub(used + left);
        let _ = self.counters.charge(CALLER, taken, now); // what it is answered is not our concern
    }

    /// The address is banned for so many milliseconds.
    pub fn ban(&mut self, millis: i64) {
        self.counters.ban(CALLER, self.world.now() + millis);
    }
}
