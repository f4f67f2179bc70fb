//! The judge: a map of orders and a ledger, made of what the venue did and what the callers said they did.
//!
//! It shares no code and no state with engine, gate or journal. It knows an order by the words on the wire, a fill by
//! the venue's own books, and asks three questions: was anything sent twice, was any fill lost, was any limit passed?

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::Side;
use tradewind_exchange::{InProcess, TradeEntry};

/// Above a limit by so many in a thousand is no breach: the judge's prices are those of the wire, a moment apart from
/// those that the gate judged by.
const TOLERANCE_PER_MILLE: i128 = 30;

/// An order as its caller sends it. Quantities are at eight decimals.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// Of which of its portfolios.
    pub portfolio: u16,
    /// The symbol's place.
    pub listing: usize,
    /// 1 to buy, -1 to sell.
    pub sign: i64,
    /// How much in all.
    pub quantity: i64,
    /// The worst price that it may fill at, at eight decimals, where it has one.
    pub limit: Option<i64>,
    /// The request that it shares with another order of which only one fills.
    pub group: Option<i64>,
}

impl Sent {
    /// What `quantity` of it costs at most, at sixteen decimals, where the market is at `price`: to buy costs no more than
    /// the limit, however far the market ran since.
    fn worth(&self, quantity: i64, price: i64) -> i128 {
        let dearest = self.limit.filter(|limit| self.sign > 0 && *limit < price).unwrap_or(price);
        i128::from(dearest) * i128::from(quantity)
    }
}

/// The largest order and the largest position that a portfolio may have, in whole units of quote currency.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    order: i128,
    position: i128,
}

/// A verdict in words, and the figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Requests or orders that exist twice.
    pub doubled: u64,
    /// Fills at the venue that nobody booked, or that were booked otherwise.
    pub lost: u64,
    /// Orders beyond a limit.
    pub breaches: u64,
    /// Each finding.
    pub findings: Vec<String>,
}

/// The judge of one storm.
#[derive(Debug, Default)]
pub struct Judge {
    symbols: Vec<String>,
    sent: BTreeMap<String, Sent>,
    times: BTreeMap<String, u32>,
    at_door: BTreeMap<String, u32>,
    /// The prices of orders that came to fill at once: the worst that they may fill at.
    worst: BTreeMap<String, i64>,
    booked: BTreeMap<(usize, i64), (i64, i64, i64)>,
    prices: Vec<i64>,
    looked_at: usize,
    filled: BTreeMap<String, i64>,
    positions: BTreeMap<(u16, usize), i64>,
    /// What other hands traded and nobody adopted yet.
    foreign: BTreeMap<(usize, i64), i64>,
    names: BTreeMap<u64, String>,
    over: BTreeSet<String>,
    verdict: Verdict,
    bounds: Bounds,
    /// Of portfolios for which people said otherwise.
    changed: BTreeMap<u16, Bounds>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { order: i128::MAX, position: i128::MAX }
    }
}

impl Judge {
    /// Over a market of these symbols, with limits in whole units of quote currency.
    #[must_use]
    pub fn new(symbols: Vec<String>, max_order: i64, max_position: i64) -> Self {
        let prices = vec![0; symbols.len()];
        let bounds = Bounds { order: max_order.into(), position: max_position.into() };
        Self { symbols, prices, bounds, ..Self::default() }
    }

    /// People were told that a portfolio's limits are these from here on.
    pub fn limits(&mut self, portfolio: u16, max_order: i64, max_position: i64) {
        self.changed.insert(portfolio, Bounds { order: max_order.into(), position: max_position.into() });
    }

    /// The wire carried this price of a symbol, at eight decimals.
    pub fn price(&mut self, listing: usize, price: i64) {
        self.prices[listing] = price;
    }

    /// What the wire last said a symbol costs, at eight decimals; `None` before it said anything.
    #[must_use]
    pub fn price_of(&self, listing: usize) -> Option<i64> {
        self.prices.get(listing).copied().filter(|price| *price > 0)
    }

    /// A caller says that it sends an order of this name for one of its portfolios.
    pub fn sends(&mut self, name: &str, sent: Sent, house: &InProcess) {
        self.look(house);
        self.sent.entry(name.to_owned()).or_insert(sent);
        let times = self.times.entry(name.to_owned()).or_default();
        *times += 1;
        if *times > 1 {
            self.verdict.doubled += 1;
            self.verdict.findings.push(format!("order {name} was sent {times} times"));
        }
        self.check_exposure(&sent, name);
    }

    /// The venue answered that it made an order smaller: it cannot fill beyond that any more, whoever knows of it.
    pub fn answered(&mut self, reply: &str) {
        if !reply.contains("\"amendedOrder\"") {
            return;
        }
        let Ok(frame) = serde_json::from_str::<Value>(reply) else { return };
        let order = &frame["result"]["amendedOrder"];
        let quantity = order["qty"].as_str().and_then(|text| tradewind_domain::parse_decimal(text, 8).ok());
        let sent = order["clientOrderId"].as_str().and_then(|name| self.sent.get_mut(name));
        if let (Some(sent), Some(quantity)) = (sent, quantity) {
            if quantity > sent.quantity {
                self.verdict.breaches += 1;
                self.verdict
                    .findings
                    .push(format!("an amendment made an order of {} larger: {quantity}", sent.quantity));
            }
            sent.quantity = quantity;
        }
    }

    /// A frame reached the venue's door, whatever becomes of it.
    pub fn at_door(&mut self, text: &str) {
        let Ok(frame) = serde_json::from_str::<Value>(text) else { return };
        self.note_worst(&frame["params"]);
        let fields: &[&str] = match frame["method"].as_str() {
            Some("order.place") => &["newClientOrderId"],
            Some("orderList.place.oco") => &["aboveClientOrderId", "belowClientOrderId"],
            _ => return,
        };
        for field in fields {
            let name = frame["params"][*field].as_str().unwrap_or_default().to_owned();
            let times = self.at_door.entry(name.clone()).or_default();
            *times += 1;
            if *times > 1 {
                self.verdict.doubled += 1;
                self.verdict.findings.push(format!("order {name} came to the door {times} times"));
            }
        }
    }

    /// An order that is to fill at once says at the door how far it goes, or else it takes whatever is there.
    fn note_worst(&mut self, params: &Value) {
        let word = |name: &str| params[name].as_str().unwrap_or_default();
        let name = word("newClientOrderId").to_owned();
        if word("type") == "MARKET" {
            self.verdict.breaches += 1;
            self.verdict.findings.push(format!("order {name} came to the door without a worst price"));
        }
        if let ("IOC", Ok(price)) = (word("timeInForce"), tradewind_domain::parse_decimal(word("price"), 8)) {
            self.worst.insert(name, price);
        }
    }

    /// No order fills beyond the price with which it came.
    fn check_price(&mut self, name: &str, sign: i64, price: i64) {
        let Some(worst) = self.worst.get(name).filter(|worst| sign * price > sign * **worst) else { return };
        self.verdict.breaches += 1;
        self.verdict.findings.push(format!("order {name} filled at {price}, beyond {worst}"));
    }

    /// A caller says that it knows an order to be over.
    pub fn is_over(&mut self, name: String) {
        self.over.insert(name);
    }

    /// A caller says that it booked a fill: listing, trade number, signed quantity, price, fee.
    pub fn books(&mut self, listing: usize, trade: i64, signed: i64, price: i64, fee: i64) {
        self.booked.insert((listing, trade), (signed, price, fee));
        if let Some(moved) = self.foreign.remove(&(listing, trade)) {
            self.adopted(listing, moved);
        }
    }

    /// What another hand traded is the first portfolio's from the moment that a person adopts it.
    fn adopted(&mut self, listing: usize, moved: i64) {
        *self.positions.entry((0, listing)).or_default() += moved;
    }

    /// A crash: what the callers booked is what they still know after it.
    pub fn forgets(&mut self, still_booked: impl Fn(usize, i64) -> bool) {
        self.booked.retain(|(listing, trade), _| still_booked(*listing, *trade));
    }

    /// Takes the venue's new fills into the ledger.
    fn look(&mut self, house: &InProcess) {
        let news: Vec<TradeEntry> = house.trades(0, self.looked_at).collect();
        if news.is_empty() {
            return;
        }
        self.looked_at += news.len();
        if news.iter().any(|trade| !self.names.contains_key(&trade.order)) {
            self.names = house.orders(0).map(|order| (order.id, order.client_id)).collect();
        }
        for trade in news {
            let Some(name) = self.names.get(&trade.order).cloned() else { continue };
            let quantity = trade.quantity.mantissa();
            *self.filled.entry(name.clone()).or_default() += quantity;
            let sign = if trade.side == Side::Buy { 1 } else { -1 };
            self.check_price(&name, sign, trade.price.mantissa());
            let fee = if sign > 0 { i64::try_from(trade.fee).unwrap_or(0) } else { 0 };
            let (place, moved) = ((trade.listing, trade.id), sign * quantity - fee);
            match self.sent.get(&name) {
                Some(sent) => *self.positions.entry((sent.portfolio, trade.listing)).or_default() += moved,
                None if self.booked.contains_key(&place) => self.adopted(trade.listing, moved),
                None => drop(self.foreign.insert(place, moved)),
            }
        }
    }

    /// What is held, and everything sent on that side that may still fill, stays within the limits.
    fn check_exposure(&mut self, it: &Sent, name: &str) {
        let price = self.prices[it.listing];
        let held = self.positions.get(&(it.portfolio, it.listing)).copied().unwrap_or(0);
        let (open, worth_open) = self.open_beside(it, price);
        let adds = held.signum() * it.sign >= 0 || (held + it.sign * open).signum() == it.sign;
        let coin = self.coin(it.listing);
        let whole = |worth: i128| worth.abs() / 100_000_000 * coin / 10_i128.pow(16);
        let together = whole(i128::from(held) * i128::from(price) + i128::from(it.sign) * worth_open);
        let alone = whole(it.worth(it.quantity, price));
        let bounds = self.changed.get(&it.portfolio).copied().unwrap_or(self.bounds);
        let above = |amount: i128, limit: i128| amount * 1_000 > limit * (1_000 + TOLERANCE_PER_MILLE);
        if adds && (above(together, bounds.position) || above(alone, bounds.order)) {
            self.verdict.breaches += 1;
            let symbol = &self.symbols[it.listing];
            let text = format!("order {name} of {symbol}: {together} with what is held and open, {alone} alone");
            self.verdict.findings.push(text);
        }
    }

    /// What one of what a symbol is counted in costs by the wire, at eight decimals.
    fn coin(&self, listing: usize) -> i128 {
        let of_coin = |it: &str| self.symbols.iter().position(|symbol| symbol == it);
        let place = if self.symbols[listing].ends_with("BTC") { of_coin("BTCUSDT") } else { None };
        place.map_or(100_000_000, |place| self.prices[place].into())
    }

    /// How much may still fill of this order and all others on its side of its portfolio, and what that is worth.
    fn open_beside(&self, it: &Sent, price: i64) -> (i64, i128) {
        let (mut open, mut worth) = (0, 0);
        let mut groups = BTreeMap::<i64, (i64, i64)>::new();
        for (name, sent) in &self.sent {
            let mine = sent.portfolio == it.portfolio && sent.listing == it.listing && sent.sign == it.sign;
            if !mine {
                continue;
            }
            let (filled, over) = (self.filled.get(name).copied().unwrap_or(0), self.over.contains(name));
            match sent.group {
                Some(group) => {
                    let (largest, done) = groups.entry(group).or_default();
                    *done += filled;
                    *largest = if over { *largest } else { sent.quantity.max(*largest) };
                }
                None if over => (),
                None => {
                    open += sent.quantity - filled;
                    worth += sent.worth(sent.quantity - filled, price);
                }
            }
        }
        // what one of a group fills, the other cannot fill any more, whether or not anybody was told yet
        let of_groups = groups.values().map(|(largest, done)| (largest - done).max(0)).sum::<i64>();
        (open + of_groups, worth + i128::from(of_groups) * i128::from(price))
    }

    /// In how many instruments each of the callers' portfolios sent orders, summed over all of them.
    #[must_use]
    pub fn places(&self) -> usize {
        self.sent.values().map(|sent| (sent.portfolio, sent.listing)).collect::<BTreeSet<_>>().len()
    }

    /// What it found so far.
    #[must_use]
    pub fn findings(&self) -> &[String] {
        &self.verdict.findings
    }

    /// The last word, once everything is quiet.
    pub fn close(mut self, house: &InProcess) -> Verdict {
        self.look(house);
        let mut names = BTreeSet::new();
        for order in house.orders(0) {
            if !names.insert(order.client_id.clone()) {
                self.verdict.doubled += 1;
                self.verdict.findings.push(format!("the venue has two orders {}", order.client_id));
            }
        }
        let mut at_venue = BTreeSet::new();
        for trade in house.trades(0, 0) {
            let place = (trade.listing, trade.id);
            at_venue.insert(place);
            let sign = if trade.side == Side::Buy { 1 } else { -1 };
            let told = (
                sign * trade.quantity.mantissa(),
                trade.price.mantissa(),
                i64::try_from(trade.fee).unwrap_or(i64::MAX),
            );
            if self.booked.get(&place) != Some(&told) {
                self.verdict.lost += 1;
                let (symbol, booked) = (&self.symbols[trade.listing], self.booked.get(&place));
                let text =
                    format!("trade {} of {symbol} is {told:?} at the venue and {booked:?} in the books", trade.id);
                self.verdict.findings.push(text);
            }
        }
        for (listing, trade) in self.booked.keys().filter(|place| !at_venue.contains(place)) {
            self.verdict.lost += 1;
            let symbol = &self.symbols[*listing];
            self.verdict.findings.push(format!("trade {trade} of {symbol} is in the books and nowhere else"));
        }
        self.verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_exchange::Receipt;
    use tradewind_venues::binance::protocol::signed_frame;

    /// A market in which one order of 0.01 BTC was filled, and the frame that brought it.
    fn filled() -> (InProcess, String) {
        let mut house = InProcess::open(&crate::setup::exchange(3, None)).unwrap();
        let signer = crate::setup::signer();
        let pairs = vec![
            ("symbol", "BTCUSDT".to_owned()),
            ("side", "BUY".to_owned()),
            ("type", "LIMIT".to_owned()),
            ("timeInForce", "IOC".to_owned()),
            ("price", "60600".to_owned()),
            ("quantity", "0.01".to_owned()),
            ("newClientOrderId", "a".to_owned()),
            ("timestamp", house.now().to_string()),
            ("apiKey", crate::setup::key().to_owned()),
        ];
        let (text, at) = (signed_frame(&signer, 1, "order.place", pairs), house.now());
        let Receipt::Held(held) = house.receive(&text, at) else { panic!("it is let in") };
        house.carry_out(*held, at);
        assert!(house.trades(0, 0).count() > 0);
        (house, text)
    }

    /// What a judge says of a market with one filled order when the callers tell it so.
    fn check(tell: impl FnOnce(&mut Judge, &InProcess, &str), doubled: u64, lost: u64, breaches: u64) {
        let (house, text) = filled();
        let mut judge = Judge::new(vec!["BTCUSDT".to_owned()], 1_000, 2_000);
        judge.price(0, 60_000 * 100_000_000);
        tell(&mut judge, &house, &text);
        let verdict = judge.close(&house);
        assert_eq!((verdict.doubled, verdict.lost, verdict.breaches), (doubled, lost, breaches), "{verdict:?}");
    }

    fn book_all(judge: &mut Judge, house: &InProcess) {
        for trade in house.trades(0, 0) {
            let (quantity, price) = (trade.quantity.mantissa(), trade.price.mantissa());
            judge.books(0, trade.id, quantity, price, i64::try_from(trade.fee).unwrap());
        }
    }

    const LOT: i64 = 1_000_000; // 0.01

    fn sent(portfolio: u16, quantity: i64) -> Sent {
        Sent { portfolio, listing: 0, sign: 1, quantity, limit: None, group: None }
    }

    #[test]
    fn what_was_sent_once_and_booked_once_is_right() {
        check(
            |judge, house, text| {
                judge.sends("a", sent(0, LOT), house);
                judge.at_door(text);
                book_all(judge, house);
            },
            0,
            0,
            0,
        );
    }

    #[test]
    fn what_is_sent_or_comes_twice_is_doubled() {
        check(
            |judge, house, text| {
                judge.sends("a", sent(0, LOT), house);
                judge.sends("a", sent(0, LOT), house);
                judge.at_door(text);
                judge.at_door(text);
                book_all(judge, house);
            },
            2,
            0,
            0,
        );
    }

    #[test]
    fn a_fill_that_nobody_booked_or_that_never_was_is_lost() {
        let (house, _) = filled();
        let trades = house.trades(0, 0).count() as u64;
        check(|_, _, _| (), 0, trades, 0);
        check(
            |judge, house, _| {
                book_all(judge, house);
                judge.books(0, 9_999, LOT, 1, 0);
            },
            0,
            1,
            0,
        );
        check(
            |judge, house, _| {
                book_all(judge, house);
                judge.forgets(|_, _| false); // a crash took it all back, and nobody read it again
            },
            0,
            trades,
            0,
        );
    }

    #[test]
    fn orders_beyond_a_limit_alone_or_together_are_breaches() {
        let sends = |quantities: &'static [i64]| {
            move |judge: &mut Judge, house: &InProcess, _: &str| {
                book_all(judge, house);
                for (place, quantity) in quantities.iter().enumerate() {
                    judge.sends(&format!("n{place}"), sent(1, *quantity), house);
                }
            }
        };
        check(sends(&[LOT, LOT, LOT]), 0, 0, 0); // 1,800 of at most 2,000
        check(sends(&[LOT, LOT, LOT, LOT]), 0, 0, 1); // 2,400
        check(sends(&[2 * LOT]), 0, 0, 1); // 1,200 of at most 1,000 alone
    }

    #[test]
    fn to_buy_costs_no_more_than_the_limit_however_far_the_market_ran() {
        let sends = |dearer: i64, limits: &'static [Option<i64>]| {
            move |judge: &mut Judge, house: &InProcess, _: &str| {
                book_all(judge, house);
                judge.price(0, (60_000 + dearer) * 100_000_000);
                for (place, limit) in limits.iter().enumerate() {
                    let limit = limit.map(|limit| limit * 100_000_000);
                    judge.sends(&format!("n{place}"), Sent { limit, ..sent(1, 3 * LOT / 2) }, house);
                }
            }
        };
        check(sends(10_000, &[Some(60_000)]), 0, 0, 0); // 900 of at most 1,000 alone
        check(sends(10_000, &[Some(80_000)]), 0, 0, 1); // 1,050
        check(sends(10_000, &[None]), 0, 0, 1);
        check(sends(6_000, &[Some(60_000), Some(60_000)]), 0, 0, 0); // 1,800 of at most 2,000
        check(sends(6_000, &[None, Some(75_000), Some(60_000)]), 0, 0, 1); // the third: 990 + 990 + 900
        check(
            |judge, house, _| {
                book_all(judge, house);
                let sells = Sent { sign: -1, limit: Some(50_000 * 100_000_000), ..sent(1, 2 * LOT) };
                judge.sends("n0", sells, house);
            },
            0,
            0,
            1, // a sale may fill above its limit: 1,200
        );
    }

    #[test]
    fn of_a_pair_one_counts_and_what_people_lowered_holds_from_then_on() {
        let pair = |judge: &mut Judge, house: &InProcess| {
            for (place, group) in [(0, 1), (1, 1), (2, 2), (3, 2)] {
                judge.sends(&format!("n{place}"), Sent { group: Some(group), ..sent(1, LOT) }, house);
            }
        };
        check(
            |judge, house, _| {
                book_all(judge, house);
                pair(judge, house); // 1,200 of at most 2,000
            },
            0,
            0,
            0,
        );
        check(
            |judge, house, _| {
                book_all(judge, house);
                judge.limits(1, 1_000, 1_000);
                pair(judge, house);
            },
            0,
            0,
            2, // each of the second pair
        );
    }

    #[test]
    fn an_order_that_the_venue_made_smaller_counts_as_such_and_never_grows() {
        let said = |quantity: &str| {
            format!(r#"{{"result":{{"amendedOrder":{{"clientOrderId":"n0","qty":"{quantity}"}}}},"status":200}}"#)
        };
        let tell = |quantity: &'static str| {
            move |judge: &mut Judge, house: &InProcess, _: &str| {
                book_all(judge, house);
                judge.sends("n0", sent(1, LOT), house);
                judge.answered(&said(quantity));
                judge.sends("n1", sent(1, LOT), house);
                judge.sends("n2", sent(1, LOT), house);
                judge.sends("n3", sent(1, LOT / 2), house);
            }
        };
        check(tell("0.00500000"), 0, 0, 0); // 300 + 600 + 600 + 300 of at most 2,000
        check(tell("0.02000000"), 0, 0, 3); // it grew, and with it what may be held
    }
}
