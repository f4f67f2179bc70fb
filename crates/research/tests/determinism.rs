//! Equal plans over equal bars: equal event streams, equal trades, with or without somebody listening.
#![allow(clippy::unwrap_used)] // an integration test is a test throughout

mod common;

use common::{plan, run, wandering};
use tradewind_domain::{Bar, Interval};
use tradewind_engine::{Event, EventKind};
use tradewind_research::{Backtest, Outcome, Recorder};
use tradewind_strategies::registry;

fn recorded(strategy: &str, bars: &[Bar]) -> (Vec<Vec<u8>>, usize, Outcome) {
    let (mut records, mut decided) = (Vec::new(), 0);
    let boxed = registry::build(strategy, &toml::Table::new()).unwrap();
    let plan = tradewind_research::Plan { strategy: boxed, ..plan(common::Script::default()) };
    let mut run = Backtest::with_sink(
        plan,
        Recorder(|event: &Event, record: Vec<u8>| {
            decided += usize::from(matches!(event.kind, EventKind::Decided(_)));
            records.push(record);
        }),
    );
    for bar in bars {
        run.feed(bar).unwrap();
    }
    let outcome = run.finish();
    (records, decided, outcome)
}

#[test]
fn equal_plans_give_equal_event_streams() {
    let bars = wandering(3_000, Interval::HOUR);
    for entry in registry::all() {
        let (first, decided, outcome) = recorded(entry.name, &bars);
        let (second, _, other) = recorded(entry.name, &bars);
        assert!(first == second, "{}: the records differ", entry.name);
        assert_eq!(outcome.digest.hex(), other.digest.hex());
        assert_eq!(outcome.state.hash(), other.state.hash());
        assert_eq!(decided, bars.len(), "{}: every hold has its record", entry.name);
        assert!(outcome.digest.fills() > 0, "{} trades on its defaults", entry.name);
    }
}

#[test]
fn listening_changes_no_trade() {
    let bars = wandering(3_000, Interval::HOUR);
    for entry in registry::all() {
        let boxed = registry::build(entry.name, &toml::Table::new()).unwrap();
        let silent = run(tradewind_research::Plan { strategy: boxed, ..plan(common::Script::default()) }, &bars);
        let (_, _, listened) = recorded(entry.name, &bars);
        assert_eq!(silent.digest.hex(), listened.digest.hex(), "{}", entry.name);
        assert_eq!(silent.round_trips, listened.round_trips);
        assert_eq!(silent.holds, listened.holds);
    }
}

#[test]
fn other_bars_give_other_trades() {
    let bars = wandering(3_000, Interval::HOUR);
    let mut moved = bars.clone();
    for bar in &mut moved[1_500..] {
        bar.close = bar.high;
    }
    let (_, _, one) = recorded("ema-trend", &bars);
    let (_, _, other) = recorded("ema-trend", &moved);
    assert_ne!(one.digest.hex(), other.digest.hex());
}
