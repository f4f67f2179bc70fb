//! What was charged for each order and each position, by currency.
//!
//! A read model beside the state, as [`crate::Endings`] are: people read it, no decision does, so it is in no state hash.
//! A snapshot carries it.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tradewind_domain::{ClientOrderId, Fill, InstrumentId, Money, OrderRecord, PortfolioId, Quantity};
use tradewind_engine::{Counters, Event, EventKind, State};

/// Orders that may outnumber those that the state still knows, before they are cleared out.
const SLACK: usize = 256;

/// The fees of the executions that were booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fees {
    /// Whether every execution since the first event is counted; not so behind a snapshot that had none.
    whole: bool,
    orders: BTreeMap<ClientOrderId, OfOrder>,
    positions: Vec<OfPosition>,
}

/// One order's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct OfOrder {
    /// How much of it they were charged for.
    counted: Quantity,
    charged: Vec<Money>,
}

/// Those of one instrument in one portfolio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct OfPosition {
    portfolio: PortfolioId,
    instrument: InstrumentId,
    charged: Vec<Money>,
}

impl Default for Fees {
    /// Those of a journal that begins.
    fn default() -> Self {
        Self { whole: true, orders: BTreeMap::new(), positions: Vec::new() }
    }
}

impl Fees {
    /// Those behind a snapshot of before they were counted: what it stands for is not in them.
    pub(crate) fn since_now() -> Self {
        Self { whole: false, ..Self::default() }
    }

    /// Notes what `event`, just applied to `state`, charged. `before` are the state's counters before it: what was told
    /// twice or contradicts itself is not booked, and charges nothing.
    pub fn note(&mut self, before: &Counters, state: &State, event: &Event) {
        let (fill, sign) = match &event.kind {
            EventKind::Filled(fill) | EventKind::ForeignFilled(fill) if state.counters.fills > before.fills => {
                (fill, 1)
            }
            EventKind::Reversed(fill) if state.counters.contradictions == before.contradictions => (fill, -1),
            _ => return,
        };
        self.book(state, event.portfolio, fill, sign);
    }

    fn book(&mut self, state: &State, reported_for: PortfolioId, fill: &Fill, sign: i64) {
        let portfolio = state.order(fill.client_id).map_or(reported_for, |record| record.order.portfolio());
        let money = Money { units: fill.fee.0.units * i128::from(sign), ..fill.fee.0 };
        let order = self.orders.entry(fill.client_id).or_default();
        order.counted = Quantity::from_mantissa(order.counted.mantissa() + sign * fill.quantity.mantissa());
        add(&mut order.charged, money);
        let of = |it: &&mut OfPosition| (it.portfolio, it.instrument) == (portfolio, fill.instrument);
        match self.positions.iter_mut().find(of) {
            Some(position) => add(&mut position.charged, money),
            None => {
                self.positions.push(OfPosition { portfolio, instrument: fill.instrument, charged: vec![money] });
            }
        }
        if self.orders.len() > state.closed.len() + state.open.len() + SLACK {
            let known: BTreeSet<_> = state.closed.iter().map(|it| it.order.client_id()).collect();
            self.orders.retain(|id, _| known.contains(id) || state.open.contains_key(id));
        }
    }

    /// What was charged for an order so far, by currency; `None` where it filled before anybody counted.
    #[must_use]
    pub fn of_order(&self, record: &OrderRecord) -> Option<&[Money]> {
        let (counted, charged) = match self.orders.get(&record.order.client_id()) {
            Some(order) => (order.counted, &order.charged[..]),
            None => (Quantity::ZERO, &[][..]),
        };
        (counted == record.booked()).then_some(charged)
    }

    /// What was charged so far for trading `instrument` in `portfolio`, by currency; `None` where some of it was before
    /// anybody counted.
    #[must_use]
    pub fn of_position(&self, portfolio: PortfolioId, instrument: InstrumentId) -> Option<&[Money]> {
        let of = |it: &&OfPosition| (it.portfolio, it.instrument) == (portfolio, instrument);
        self.whole.then(|| self.positions.iter().find(of).map_or(&[][..], |it| &it.charged[..]))
    }
}

fn add(charged: &mut Vec<Money>, money: Money) {
    match charged.iter_mut().find(|it| it.currency == money.currency) {
        Some(known) => known.units += money.units,
        None => charged.push(money),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradewind_domain::{Currency, Fee, InstrumentSpec, Liquidity, Price, Side, Source, Timestamp, TradeId};
    use tradewind_engine::apply;

    const BTC: InstrumentId = InstrumentId(0);

    fn usdt() -> Currency {
        Currency::new("USDT").unwrap()
    }

    /// An execution of an order that nobody knows: it is booked for the portfolio it is reported for.
    fn fill(trade: u128, fee: &str, currency: Currency) -> Fill {
        Fill {
            client_id: ClientOrderId::from_u128(7),
            instrument: BTC,
            trade_id: TradeId(trade),
            side: Side::Buy,
            price: Price::from_mantissa(10_000),
            quantity: Quantity::from_mantissa(10),
            liquidity: Liquidity::Taker,
            fee: Fee(Money::parse(fee, currency).unwrap()),
        }
    }

    struct Books(State, Fees);

    impl Books {
        fn open() -> Self {
            let spec = InstrumentSpec {
                price_decimals: 2,
                quantity_decimals: 3,
                ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test")
            };
            let mut books = Self(State::default(), Fees::default());
            books.say(EventKind::Listed(Box::new(spec.list(BTC).unwrap())));
            books.say(EventKind::Opened { base: usdt(), name: "main".to_owned() });
            books.say(EventKind::Deposited(Money::parse("10000", usdt()).unwrap()));
            books
        }

        fn say(&mut self, kind: EventKind) {
            let event = Event::new(self.0.sequence + 1, Timestamp::from_millis(1), Source::Venue, kind);
            let before = self.0.counters;
            apply(&mut self.0, &event);
            self.1.note(&before, &self.0, &event);
        }

        fn told(&self) -> Vec<String> {
            let charged = self.1.of_position(PortfolioId(0), BTC).unwrap();
            charged.iter().map(|it| format!("{} {}", it.amount(), it.currency)).collect()
        }
    }

    #[test]
    fn they_add_up_by_currency_and_what_is_told_twice_charges_once() {
        let bnb = Currency::new("BNB").unwrap();
        let mut books = Books::open();
        books.say(EventKind::Filled(fill(1, "0.1", usdt())));
        books.say(EventKind::Filled(fill(2, "0.2", usdt())));
        books.say(EventKind::Filled(fill(2, "0.2", usdt())));
        books.say(EventKind::Filled(fill(3, "0.0007", bnb)));
        assert_eq!(books.told(), ["0.3 USDT", "0.0007 BNB"]);
        books.say(EventKind::Reversed(fill(2, "0.2", usdt())));
        books.say(EventKind::Reversed(fill(2, "0.2", usdt())));
        assert_eq!(books.told(), ["0.1 USDT", "0.0007 BNB"]);
    }

    #[test]
    fn what_was_charged_before_anybody_counted_is_not_told_as_nothing() {
        let mut books = Books::open();
        books.1 = Fees::since_now();
        books.say(EventKind::Filled(fill(1, "0.1", usdt())));
        assert_eq!(books.1.of_position(PortfolioId(0), BTC), None);
    }

    #[test]
    fn a_snapshot_keeps_them() {
        let mut books = Books::open();
        books.say(EventKind::Filled(fill(1, "0.1", usdt())));
        let text = serde_json::to_string(&books.1).unwrap();
        assert_eq!(serde_json::from_str::<Fees>(&text).unwrap(), books.1);
    }
}
