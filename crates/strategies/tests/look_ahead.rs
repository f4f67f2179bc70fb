//! Truncating, shuffling or replacing the future never changes a past decision.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{build, recorded, rehearsal, walk};
use tradewind_domain::{Bar, Instrument, Price};
use tradewind_engine::{Decision, Signal};
use tradewind_strategies::{Ends, Managed, Market, Opinion, Sizing, Strategy, Target, registry, sizing};

/// Every decision on `bars`, by a strategy that may be shown them all beforehand.
fn decisions(make: &dyn Fn(&[Bar]) -> Box<dyn Strategy>, instrument: &Instrument, bars: &[Bar]) -> Vec<Decision> {
    let mut rehearsal = rehearsal(make(bars), instrument);
    bars.iter().map(|bar| rehearsal.bar(bar).decision).collect()
}

/// The same past with other futures: none, reversed, interleaved, moved up by half, frozen, and another market's.
fn futures(bars: &[Bar], cut: usize) -> Vec<(&'static str, Vec<Bar>)> {
    let (past, future) = bars.split_at(cut);
    // only prices are moved: times stay in order, as every source of bars promises
    let with = |prices: Vec<Bar>| {
        let timed = future.iter().zip(prices).map(|(at, price)| Bar { open_time: at.open_time, ..price });
        past.iter().copied().chain(timed).collect::<Vec<_>>()
    };
    let scaled = |bar: &Bar| {
        let up = |price: Price| Price::from_mantissa(price.mantissa() * 3 / 2);
        Bar { open: up(bar.open), high: up(bar.high), low: up(bar.low), close: up(bar.close), ..*bar }
    };
    let (even, odd): (Vec<_>, Vec<_>) = future.iter().enumerate().partition(|(at, _)| at % 2 == 0);
    let interleaved = odd.into_iter().chain(even).map(|(_, bar)| *bar).collect();
    vec![
        ("truncated", past.to_vec()),
        ("reversed", with(future.iter().rev().copied().collect())),
        ("interleaved", with(interleaved)),
        ("moved", with(future.iter().map(scaled).collect())),
        ("frozen", with(vec![past[cut - 1]; future.len()])),
        ("replaced", with(walk(99, future.len()))),
    ]
}

/// The first future that changed a decision before its cut, with the place.
fn leak(make: &dyn Fn(&[Bar]) -> Box<dyn Strategy>, instrument: &Instrument, bars: &[Bar]) -> Option<String> {
    let whole = decisions(make, instrument, bars);
    for cut in [bars.len() / 4, bars.len() / 2, bars.len() - 7] {
        for (kind, other) in futures(bars, cut) {
            let changed = decisions(make, instrument, &other);
            if let Some(at) = (0..cut).find(|at| whole[*at] != changed[*at]) {
                return Some(format!("{kind} from {cut}: {:?} became {:?}", whole[at], changed[at]));
            }
        }
    }
    None
}

fn check(instrument: &Instrument, bars: &[Bar]) {
    for entry in registry::all() {
        let make = |_: &[Bar]| build(entry.name, "");
        assert_eq!(leak(&make, instrument, bars), None, "{}", entry.name);
    }
    let kelly = "wins = 60\ntrades = 100\npayoff = 1.5";
    for rule in sizing::rules() {
        let table = format!("rule = '{}'\n{}", rule.name, if rule.name == "kelly" { kelly } else { "" });
        let make = |_: &[Bar]| -> Box<dyn Strategy> {
            let sizing = Sizing::read(&table.parse().unwrap()).unwrap().map(|it| it.among(instrument.id, &[]));
            let ends = Ends { stop_bps: Some(200), target_bps: None };
            Box::new(Managed::new(build("breakout", ""), sizing, ends).unwrap())
        };
        assert_eq!(leak(&make, instrument, bars), None, "{}", rule.name);
    }
}

#[test]
fn no_strategy_sees_the_future_of_a_walk() {
    for seed in [3, 17, 2026] {
        check(&common::spot(), &walk(seed, 600));
    }
}

#[test]
fn no_strategy_sees_the_future_of_a_recorded_market() {
    let file = "crypto/binance-spot-1h/BTC_USDT-1h.feather";
    let Some((instrument, bars)) = recorded("no_strategy_sees_the_future_of_a_recorded_market", file) else { return };
    check(&instrument, &bars[10_000..11_500]);
}

#[test]
fn nor_does_one_that_may_go_short() {
    let short = |entry: &&registry::Entry| entry.parameters.iter().any(|parameter| parameter.name == "short");
    for entry in registry::all().iter().filter(short) {
        let make = |_: &[Bar]| build(entry.name, "short = true");
        let instrument = common::perpetual();
        assert_eq!(leak(&make, &instrument, &walk(5, 600)), None, "{}", entry.name);
        let shorts = decisions(&make, &instrument, &walk(5, 600));
        let below_zero = |it: &Decision| it.target.is_some_and(|target| target.mantissa() < 0);
        assert!(shorts.iter().any(below_zero), "{} goes short at all", entry.name);
    }
}

/// A cheat that was shown all bars and buys before a rise.
struct Seer {
    rises: Vec<bool>,
    at: usize,
}

impl Strategy for Seer {
    fn name(&self) -> &'static str {
        "seer"
    }
    fn warm_up(&self) -> usize {
        0
    }
    fn on_bar(&mut self, market: &Market<'_>, _bar: &Bar) -> Opinion {
        self.at += 1;
        match (self.rises.get(self.at - 1), market.position.is_zero()) {
            (Some(true), true) => Opinion::target(Target::Weight(0.9), "it will rise"),
            (Some(false), false) => Opinion::target(Target::Flat, "it will fall"),
            _ => Opinion::hold("as it should be"),
        }
    }
    fn signals(&self) -> Vec<Signal> {
        Vec::new()
    }
}

#[test]
fn a_strategy_that_does_see_it_is_caught() {
    let make = |bars: &[Bar]| -> Box<dyn Strategy> {
        let rises = bars.windows(2).map(|pair| pair[1].close > pair[0].close).collect();
        Box::new(Seer { rises, at: 0 })
    };
    let found = leak(&make, &common::spot(), &walk(3, 600));
    assert!(found.is_some_and(|found| found.contains("it will")), "the test must be able to fail");
}
