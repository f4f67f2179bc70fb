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

/// An order as the judge knows it. Quantities are at eight decimals.
#[derive(Clone, Debug)]
struct Sent {
    portfolio: u16,
    listing: usize,
    sign: i64,
    quantity: i64,
    times: u32,
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
    at_door: BTreeMap<String, u32>,
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
    max_order: i128,
    max_position: i128,
}

impl Judge {
    /// Over a market of these symbols, with limits in whole units of quote currency.
    #[must_use]
    pub fn new(symbols: Vec<String>, max_order: i64, max_position: i64) -> Self {
        let prices = vec![0; symbols.len()];
        let (max_order, max_position) = (i128::from(max_order), i128::from(max_position));
        Self { symbols, prices, max_order, max_position, ..Self::default() }
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
    pub fn sends(&mut self, name: &str, portfolio: u16, listing: usize, sign: i64, quantity: i64, house: &InProcess) {
        self.look(house);
        let sent = self.sent.entry(name.to_owned());
        let sent = sent.or_insert(Sent { portfolio, listing, sign, quantity, times: 0 });
        sent.times += 1;
        if sent.times > 1 {
            self.verdict.doubled += 1;
            self.verdict.findings.push(format!("order {name} was sent {} times", sent.times));
        }
        self.check_exposure(portfolio, listing, sign, name);
    }

    /// A frame reached the venue's door, whatever becomes of it.
    pub fn at_door(&mut self, text: &str) {
        let Ok(frame) = serde_json::from_str::<Value>(text) else { return };
        if frame["method"] != "order.place" {
            return;
        }
        let name = frame["params"]["newClientOrderId"].as_str().unwrap_or_default().to_owned();
        let times = self.at_door.entry(name.clone()).or_default();
        *times += 1;
        if *times > 1 {
            self.verdict.doubled += 1;
            self.verdict.findings.push(format!("order {name} came to the door {times} times"));
        }
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
    fn check_exposure(&mut self, portfolio: u16, listing: usize, sign: i64, name: &str) {
        let held = self.positions.get(&(portfolio, listing)).copied().unwrap_or(0);
        let may_fill = |(name, sent): (&String, &Sent)| {
            let mine = sent.portfolio == portfolio && sent.listing == listing && sent.sign == sign;
            let filled = self.filled.get(name).copied().unwrap_or(0);
            (mine && !self.over.contains(name)).then_some(sent.quantity - filled)
        };
        let waiting: i64 = self.sent.iter().filter_map(may_fill).sum();
        let worst = held + sign * waiting;
        let adds = held.signum() * sign >= 0 || worst.signum() == sign;
        let worth = |quantity: i64| i128::from(self.prices[listing]) * i128::from(quantity.abs()) / 10_i128.pow(16);
        let above = |amount: i128, limit: i128| amount * 1_000 > limit * (1_000 + TOLERANCE_PER_MILLE);
        let own = self.sent[name].quantity;
        if adds && (above(worth(worst), self.max_position) || above(worth(own), self.max_order)) {
            self.verdict.breaches += 1;
            let symbol = &self.symbols[listing];
            self.verdict.findings.push(format!(
                "order {name} of {symbol}: {} with what is held and open, {} alone",
                worth(worst),
                worth(own)
            ));
        }
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
        let mut house = InProcess::open(&crate::setup::exchange(3)).unwrap();
        let signer = crate::setup::signer();
        let pairs = vec![
            ("symbol", "BTCUSDT".to_owned()),
            ("side", "BUY".to_owned()),
            ("type", "MARKET".to_owned()),
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

    #[test]
    fn what_was_sent_once_and_booked_once_is_right() {
        check(
            |judge, house, text| {
                judge.sends("a", 0, 0, 1, LOT, house);
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
                judge.sends("a", 0, 0, 1, LOT, house);
                judge.sends("a", 0, 0, 1, LOT, house);
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
                    judge.sends(&format!("n{place}"), 1, 0, 1, *quantity, house);
                }
            }
        };
        check(sends(&[LOT, LOT, LOT]), 0, 0, 0); // 1,800 of at most 2,000
        check(sends(&[LOT, LOT, LOT, LOT]), 0, 0, 1); // 2,400
        check(sends(&[2 * LOT]), 0, 0, 1); // 1,200 of at most 1,000 alone
    }
}
