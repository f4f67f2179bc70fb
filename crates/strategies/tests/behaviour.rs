//! What holds for every registered strategy, on walks and on recorded markets.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{build, recorded, rehearsal, spot, walk};
use proptest::prelude::*;
use tradewind_domain::{Bar, Instrument};
use tradewind_engine::DecisionKind;
use tradewind_strategies::diagnose::{Diagnosis, diagnose};
use tradewind_strategies::registry;

fn on_defaults(name: &str, instrument: &Instrument, bars: &[Bar]) -> Diagnosis {
    diagnose(rehearsal(build(name, ""), instrument), bars.iter().copied(), bars.len())
}

/// Every number is one, every hold has its reason, the counts add up, and cash buys are never sold short.
fn check_record(diagnosis: &Diagnosis, cash: bool) {
    assert_eq!(diagnosis.buys + diagnosis.sells + diagnosis.holds, diagnosis.bars);
    assert_eq!(diagnosis.hold_reasons.values().sum::<u64>(), diagnosis.holds);
    for decision in &diagnosis.last {
        assert!(!decision.reason.is_empty());
        assert!(!(cash && decision.position.starts_with('-')), "{decision:?}");
        for signal in &decision.signals {
            for text in [&signal.value, &signal.weight, &signal.distance] {
                assert!(text.is_empty() || text.parse::<f64>().unwrap().is_finite(), "{signal:?}");
            }
            assert!(!signal.value.is_empty());
        }
    }
    for decision in &diagnosis.last[diagnosis.warm_up..] {
        assert!(!decision.signals.is_empty(), "{} tells what it sees: {decision:?}", diagnosis.strategy);
    }
}

#[test]
fn default_strategies_buy_and_sell_on_recorded_markets() {
    for file in [
        "crypto/binance-spot-1h/BTC_USDT-1h.feather",
        "crypto/binance-spot-1h/ETH_USDT-1h.feather",
        "crypto/binance-spot-1m/BTC_USDT-5m.feather",
    ] {
        let Some((instrument, bars)) = recorded("default_strategies_buy_and_sell_on_recorded_markets", file) else {
            return;
        };
        for entry in registry::all() {
            let diagnosis = on_defaults(entry.name, &instrument, &bars[..6_000]);
            check_record(&diagnosis, true);
            let Diagnosis { buys, sells, holds, refused, .. } = diagnosis;
            println!("{file} {}: {buys} buys, {sells} sells, {holds} holds, {refused} refused", entry.name);
            assert!(buys >= 3 && sells >= 3, "{file}: {} bought {buys} and sold {sells} times", entry.name);
            assert!(buys + sells < 1_500, "{file}: {} churns: {buys} buys, {sells} sells", entry.name);
            assert_eq!(refused, 0, "{file}: {}", entry.name);
        }
    }
}

#[test]
fn a_walk_twice_gives_the_same_decisions() {
    for entry in registry::all() {
        let bars = walk(7, 500);
        let (first, second) = (on_defaults(entry.name, &spot(), &bars), on_defaults(entry.name, &spot(), &bars));
        assert_eq!(first, second);
        let other = on_defaults(entry.name, &spot(), &walk(8, 500));
        assert_ne!(first.last, other.last, "{} looks at the market", entry.name);
    }
}

#[test]
fn nothing_is_decided_before_the_warm_up_is_over() {
    for entry in registry::all() {
        let diagnosis = on_defaults(entry.name, &spot(), &walk(11, 400));
        for decision in &diagnosis.last[..diagnosis.warm_up] {
            assert_eq!((decision.kind, decision.reason.as_str()), (DecisionKind::Hold, "warming up"));
        }
        let first = &diagnosis.last[diagnosis.warm_up];
        assert!(!first.reason.contains("warming"), "{}: warm_up is {}: {first:?}", entry.name, diagnosis.warm_up);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    /// Records stay whole on any walk.
    #[test]
    fn records_are_whole_on_any_walk(seed in 1u64..1_000_000) {
        let bars = walk(seed, 260);
        for entry in registry::all() {
            check_record(&on_defaults(entry.name, &spot(), &bars), true);
        }
    }

    /// Whatever the weights and thresholds, a market that only accelerates is bought and one that only falls away
    /// is sold: no accepted setting keeps the score from its thresholds.
    #[test]
    fn the_votes_thresholds_can_be_reached(
        weights in prop::array::uniform5(0.0f64..10.0), buy in 0.01f64..=0.95, sell in -0.95f64..0.9,
    ) {
        prop_assume!(weights.iter().sum::<f64>() > 0.0 && sell < buy);
        let [trend, rsi, macd, channel, mean] = weights;
        let parameters = format!(
            "vote_trend = {trend:?}\nvote_rsi = {rsi:?}\nvote_macd = {macd:?}\nvote_breakout = {channel:?}\n\
             vote_mean = {mean:?}\nbuy = {buy:?}\nsell = {sell:?}"
        );
        let up = (0..90).map(|at| 100.0 * 1.05f64.powi(at));
        let top = 100.0 * 1.05f64.powi(89);
        let closes: Vec<f64> = up.chain((1..40).map(|at| top * (1.0 - 0.0005 * f64::from(at * at)).max(0.01))).collect();
        let diagnosis = diagnose(rehearsal(build("vote", &parameters), &spot()), common::bars_of(&closes), 0);
        prop_assert!(diagnosis.buys >= 1 && diagnosis.sells >= 1, "{parameters}\n{}", diagnosis.render());
    }
}
