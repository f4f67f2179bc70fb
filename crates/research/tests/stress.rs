//! The stress lab: its markets, what they do to an account, and what it says about it.
#![allow(clippy::unwrap_used)]

mod common;

use common::{listed, usdt};
use std::collections::BTreeMap;
use tradewind_book::FillPolicy;
use tradewind_domain::{Bar, Origin};
use tradewind_gate::Limits;
use tradewind_research::Plan;
use tradewind_research::stress::{Climate, Scenario, Summary, Trial, Weather, run};
use tradewind_strategies::registry;

fn plan(strategy: &str) -> Plan {
    Plan {
        instrument: listed(),
        origin: Origin::Simulated,
        deposit: usdt("10000"),
        limits: Limits::RESEARCH,
        fill_policy: FillPolicy::default(),
        strategy: registry::build(strategy, &toml::Table::new()).unwrap(),
    }
}

fn bars(climate: Climate, seed: u64) -> Vec<(Bar, Weather)> {
    Scenario::new(&listed(), climate, seed).collect()
}

#[test]
fn a_scenario_is_a_function_of_its_seed_and_its_bars_are_sound() {
    for seed in 0..40 {
        let scenario = bars(Climate::default(), seed);
        assert_eq!(scenario.len(), 500);
        assert_eq!(scenario, bars(Climate::default(), seed));
        assert_ne!(scenario, bars(Climate::default(), seed + 1));
        for pair in scenario.windows(2) {
            let (bar, next) = (pair[0].0, pair[1].0);
            assert!(bar.low <= bar.open.min(bar.close) && bar.high >= bar.open.max(bar.close), "{bar:?}");
            assert!(bar.low.mantissa() > 0 && bar.volume.mantissa() > 0, "{bar:?}");
            assert_eq!(
                (bar.close, bar.close_time()),
                (next.open, next.open_time),
                "the next bar begins where it ended"
            );
        }
    }
}

#[test]
fn every_weather_comes_and_none_of_the_events_where_none_are_asked_for() {
    let seen = |climate| {
        let mut seen = BTreeMap::new();
        for seed in 0..40 {
            for (_, weather) in bars(climate, seed) {
                *seen.entry(weather).or_insert(0_u32) += 1;
            }
        }
        seen
    };
    let all = seen(Climate::default());
    assert_eq!(all.len(), 6, "{all:?}");
    assert!(all.values().all(|bars| *bars > 1_000), "of 20,000 bars: {all:?}");
    let calm = seen(Climate { events: 0.0, ..Climate::default() });
    assert!(!calm.contains_key(&Weather::Crash) && !calm.contains_key(&Weather::BlowOff), "{calm:?}");
}

#[test]
fn a_crash_falls_by_the_share_it_says_within_five_bars() {
    let mut falls = Vec::new();
    for seed in 0..60 {
        let it = listed();
        let closes: Vec<_> = bars(Climate { volatility: 0.001, ..Climate::default() }, seed);
        for (place, pair) in closes.windows(2).enumerate() {
            let is_whole = place + 5 < closes.len(); // the last crash of a scenario may be cut off
            if is_whole && pair[0].1 != Weather::Crash && pair[1].1 == Weather::Crash {
                let before = it.price_f64(pair[0].0.close);
                let lowest = closes[place + 1..].iter().take(5).map(|(bar, _)| it.price_f64(bar.close));
                let lowest = lowest.fold(before, f64::min);
                if lowest > 1.1 {
                    falls.push(1.0 - lowest / before); // no scenario falls below 1
                }
            }
        }
    }
    assert!(falls.len() > 50, "{}", falls.len());
    assert!(falls.iter().all(|fall| (0.13..0.60).contains(fall)), "{falls:?}");
}

#[test]
fn what_each_weather_brought_sums_to_the_return() {
    for strategy in ["ema-trend", "mean-reversion", "breakout", "volatility-target"] {
        let (trial, outcome) = run(plan(strategy), Climate::default(), 11).unwrap();
        let sum: f64 = trial.by_weather.values().sum();
        assert!((sum - trial.total_return).abs() < 1e-9, "{strategy}: {sum} of {}", trial.total_return);
        assert!(trial.trades > 0, "{strategy} does not trade");
        assert!((0.0..=1.0).contains(&trial.max_drawdown) && trial.max_drawdown >= -trial.total_return - 1e-9);
        assert_eq!((trial.trades, outcome.origin), (outcome.counters.fills, Origin::Simulated));
        assert_eq!(run(plan(strategy), Climate::default(), 11).unwrap().0, trial, "again");
    }
}

fn trial(seed: u64, total_return: f64, max_drawdown: f64, trades: u64, by_weather: &[(Weather, f64)]) -> Trial {
    let by_weather = by_weather.iter().copied().collect();
    Trial { seed, total_return, max_drawdown, trades, fees: 0.02, refused: 1, by_weather }
}

#[test]
fn a_summary_holds_the_middle_the_edges_and_the_worst_first() {
    let trials: Vec<Trial> = (0..=100_u32)
        .map(|it| trial(it.into(), f64::from(it) / 100.0 - 0.5, f64::from(it) / 200.0, 10, &[(Weather::Rising, 0.5)]))
        .collect();
    let it = Summary::of(&trials, 500).unwrap();
    let near = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-12, "{found}, not {wanted}");
    near(it.returns.p05, -0.45);
    near(it.returns.median, 0.0);
    near(it.returns.mean, 0.0);
    near(it.returns.p95, 0.45);
    near(it.drawdowns.max, 0.5);
    near(it.losing, 50.0 / 101.0);
    assert_eq!((it.refused, it.scenarios, it.origin), (101, 101, "simulated"));
    assert_eq!(it.worst.iter().map(|trial| trial.seed).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(Summary::of(&[], 500), None);
}

#[test]
fn each_suggestion_follows_from_its_figures_and_none_from_good_ones() {
    let check = |one: Trial, wanted: &[&str]| {
        let suggestions = Summary::of(&[one], 500).unwrap().suggestions;
        let found: Vec<&str> = suggestions.iter().map(|it| it.what.split(' ').next().unwrap()).collect();
        assert_eq!(found, wanted, "{suggestions:?}");
    };
    check(trial(1, 0.1, 0.1, 10, &[(Weather::Ranging, 0.0), (Weather::Crash, 0.0)]), &[]);
    check(trial(1, 0.1, 0.1001, 10, &[]), &["largest"]);
    check(trial(1, 0.1, 0.1, 10, &[(Weather::Ranging, -0.01)]), &["least"]);
    check(trial(1, 0.1, 0.1, 10, &[(Weather::Crash, -0.02), (Weather::Volatile, 0.01)]), &["wait"]);
    check(trial(1, 0.01, 0.1, 101, &[]), &["bars"]);
    let halved = Summary::of(&[trial(1, 0.1, 0.2, 10, &[])], 500).unwrap().suggestions;
    assert_eq!(halved[0].value, "50.0 %", "twice the tolerable fall, half the share");
}
