//! What the tests of backtests share: an instrument, bars in a line, and a strategy that reads from a script.
#![allow(dead_code, reason = "each test file uses its part of it")]

use std::collections::BTreeMap;
use tradewind_book::FillPolicy;
use tradewind_domain::{
    Bar, Currency, FeeSchedule, Instrument, InstrumentId, InstrumentSpec, Interval, Money, OrderRequest, Origin, Price,
    Quantity, Timestamp,
};
use tradewind_engine::Signal;
use tradewind_gate::Limits;
use tradewind_research::{Backtest, Outcome, Plan};
use tradewind_strategies::{Market, Opinion, Strategy, Target};

pub(crate) const MINUTE_NS: i64 = 60_000_000_000;

/// BTC/USDT with two decimals of price, three of quantity, and fees of 10 bps.
pub(crate) fn spec() -> InstrumentSpec {
    InstrumentSpec {
        price_decimals: 2,
        quantity_decimals: 3,
        fees: FeeSchedule::bps(10, 10),
        ..InstrumentSpec::spot("BTC/USDT".parse().unwrap(), "test")
    }
}

pub(crate) fn listed() -> Instrument {
    spec().list(InstrumentId(0)).unwrap()
}

pub(crate) fn usdt(text: &str) -> Money {
    Money::parse(text, Currency::new("USDT").unwrap()).unwrap()
}

/// A bar of one minute, the `place`th since 1970: open, high, low, close, volume.
pub(crate) fn bar(place: usize, [open, high, low, close, volume]: [&str; 5]) -> Bar {
    let it = listed();
    let price = |text: &str| it.price(text).unwrap();
    Bar {
        instrument: InstrumentId(0),
        interval: Interval::MINUTE,
        open_time: Timestamp::from_nanos(i64::try_from(place).unwrap() * MINUTE_NS),
        open: price(open),
        high: price(high),
        low: price(low),
        close: price(close),
        volume: it.quantity(volume).unwrap(),
    }
}

/// Bars that do not move, each at its own price: what fills there fills at that price.
pub(crate) fn still(prices: &[&str]) -> Vec<Bar> {
    prices.iter().enumerate().map(|(place, price)| bar(place, [price, price, price, price, "1000"])).collect()
}

/// Bars of `interval` that wander by a fixed sequence of numbers.
pub(crate) fn wandering(count: usize, interval: Interval) -> Vec<Bar> {
    let (mut seed, mut price) = (7_u64, 1_000_000_i64);
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(seed >> 45).unwrap() - (1 << 18)
    };
    (0..count)
        .map(|place| {
            let open = price;
            price = (price + next() / 40).max(1_000);
            let (high, low) = (open.max(price) + next().abs() / 100, open.min(price) - next().abs() / 400);
            Bar {
                instrument: InstrumentId(0),
                interval,
                open_time: Timestamp::from_nanos(i64::try_from(place).unwrap() * interval.nanos()),
                open: Price::from_mantissa(open),
                high: Price::from_mantissa(high),
                low: Price::from_mantissa(low.max(1)),
                close: Price::from_mantissa(price),
                volume: Quantity::from_mantissa(1_000_000),
            }
        })
        .collect()
}

/// Says on the close of a bar what the script has for it.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) lines: BTreeMap<usize, Opinion>,
    seen: usize,
}

impl Script {
    /// Wants to hold `target` from the close of bar `place` on.
    pub(crate) fn hold(mut self, place: usize, target: &str) -> Self {
        let quantity = Target::Quantity(listed().quantity(target).unwrap());
        self.lines.insert(place, Opinion::target(quantity, "by the script"));
        self
    }

    /// Places orders on the close of bar `place`.
    pub(crate) fn order(mut self, place: usize, orders: &[OrderRequest]) -> Self {
        let opinion = Opinion { orders: orders.to_vec(), ..Opinion::hold("by the script") };
        self.lines.insert(place, opinion);
        self
    }
}

impl Strategy for Script {
    fn name(&self) -> &'static str {
        "script"
    }
    fn warm_up(&self) -> usize {
        0
    }
    fn on_bar(&mut self, _: &Market<'_>, _: &Bar) -> Opinion {
        self.seen += 1;
        self.lines.get(&(self.seen - 1)).cloned().unwrap_or_else(|| Opinion::hold("the script says nothing"))
    }
    fn signals(&self) -> Vec<Signal> {
        Vec::new()
    }
}

pub(crate) fn plan(strategy: impl Strategy + 'static) -> Plan {
    Plan {
        instrument: listed(),
        origin: Origin::Simulated,
        deposit: usdt("10000"),
        limits: Limits::OPEN,
        fill_policy: FillPolicy::default(),
        strategy: Box::new(strategy),
    }
}

pub(crate) fn run(plan: Plan, bars: &[Bar]) -> Outcome {
    let mut run = Backtest::new(plan);
    for bar in bars {
        run.feed(bar).unwrap();
    }
    run.finish()
}
