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
            // what another hand traded is the first portfolio's once a person adopts it, and counts before
            let portfolio = self.sent.get(&name).map_or(0, |sent| sent.portfolio);
            *self.positions.entry((portfolio, trade.listing)).or_default() += sign * quantity - fee;
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
