//! How sure each strategy says it is of its word.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{after_calm, bars_of, build, calm, line, perpetual, recorded, rehearsal, spot, walk};
use std::collections::BTreeSet;
use tradewind_domain::{Bar, Instrument};
use tradewind_engine::DecisionKind;
use tradewind_strategies::diagnose::{Explained, diagnose};
use tradewind_strategies::{Expectation, registry};

fn decisions(name: &str, parameters: &str, instrument: &Instrument, bars: &[Bar]) -> Vec<Explained> {
    diagnose(rehearsal(build(name, parameters), instrument), bars.iter().copied(), bars.len()).last
}

fn confidence_bps(it: &Explained) -> Option<i64> {
    it.forecast.as_ref()?.confidence_bps
}

/// The trades among `decisions`, each of which must say its horizon and a confidence within bounds.
fn trades(name: &str, parameters: &str, instrument: &Instrument, bars: &[Bar]) -> Vec<Explained> {
    let mut all = decisions(name, parameters, instrument, bars);
    let bounded = |it: &Explained| confidence_bps(it).is_none_or(|bps| (0..=10_000).contains(&bps));
    assert_eq!(all.iter().find(|it| !bounded(it)), None, "{name}");
    all.retain(|it| it.kind != DecisionKind::Hold);
    for it in &all {
        assert!(it.forecast.as_ref().is_some_and(|it| it.horizon_bars > 1), "{name}: {it:?}");
        assert!(confidence_bps(it).is_some(), "{name}: {it:?}");
    }
    let different: BTreeSet<_> = all.iter().map(confidence_bps).collect();
    assert!(different.len() > 3, "{name} does not always say the same: {different:?}");
    all
}

#[test]
fn every_trade_says_how_sure_it_is() {
    for entry in registry::all() {
        for seed in [3, 5] {
            trades(entry.name, "", &spot(), &walk(seed, 2_000));
        }
        if entry.parameters.iter().any(|parameter| parameter.name == "short") {
            trades(entry.name, "short = true", &perpetual(), &walk(5, 2_000));
        }
    }
}

#[test]
fn so_does_every_trade_on_a_recorded_market() {
    let file = "crypto/binance-spot-1h/BTC_USDT-1h.feather";
    let Some((instrument, bars)) = recorded("so_does_every_trade_on_a_recorded_market", file) else { return };
    for entry in registry::all() {
        trades(entry.name, "", &instrument, &bars[..6_000]);
    }
}

/// How sure it is of its decision on the last bar, which must be of this `kind`, in basis points.
fn sure(name: &str, parameters: &str, kind: DecisionKind, closes: &[f64]) -> i64 {
    let last = decisions(name, parameters, &spot(), &bars_of(closes)).pop().unwrap();
    assert_eq!(last.kind, kind, "{name}: {last:?}");
    confidence_bps(&last).unwrap()
}

#[test]
fn the_further_beyond_its_threshold_the_surer() {
    let check = |name: &str, parameters: &str, kind, near: &[f64], far: &[f64]| {
        let (near, far) = (sure(name, parameters, kind, near), sure(name, parameters, kind, far));
        assert!(near < far, "{name}, {kind:?}: {near} and {far}");
    };
    let then = |head: Vec<f64>, close: f64| head.into_iter().chain([close]).collect::<Vec<_>>();

    let fall = |close| then(line(130.0, -1.0, 31), close);
    check("ema-trend", "", DecisionKind::Buy, &fall(180.0), &fall(260.0));
    let rise = |close| then(line(100.0, 1.0, 31), close);
    check("ema-trend", "", DecisionKind::Sell, &rise(50.0), &rise(20.0));

    check("mean-reversion", "", DecisionKind::Buy, &after_calm(60, &[88.4]), &after_calm(60, &[70.0]));
    let bought = |rest: &[f64]| after_calm(40, &[&[92.0][..], rest].concat());
    let loose = "rsi_low = 45";
    let back = |close| bought(&[93.0, 95.0, 98.0, close]);
    check("mean-reversion", loose, DecisionKind::Sell, &back(100.0), &back(110.0));
    check("mean-reversion", loose, DecisionKind::Sell, &bought(&[80.0]), &bought(&[70.0])); // at the stop

    let steady = "period = 30\nband = 0.1";
    check("volatility-target", steady, DecisionKind::Buy, &calm(31), &[100.0; 31]);

    check("vote", "", DecisionKind::Buy, &after_calm(60, &[104.0]), &after_calm(60, &[110.0]));
    let high = after_calm(60, &line(101.0, 0.5, 20));
    check("vote", "", DecisionKind::Sell, &then(high.clone(), 100.0), &then(high, 80.0));
}

#[test]
fn a_breakout_by_half_the_width_of_its_channel_is_half_sure() {
    let open_minded = "skip_choppy = false\nmomentum = 1";
    // the channel reaches from 99 to 101
    for (close, expected) in [(101.01, 99), (102.0, 5_000), (104.0, 7_500)] {
        let found = sure("breakout", open_minded, DecisionKind::Buy, &after_calm(41, &[close]));
        assert_eq!(found, expected, "{close}");
    }
    // and that of the exit from 124.5 to 129.5
    for (close, expected) in [(124.49, 40), (122.0, 5_000), (117.0, 7_500)] {
        let closes: Vec<f64> = line(100.0, 0.5, 60).into_iter().chain([close]).collect();
        assert_eq!(sure("breakout", "", DecisionKind::Sell, &closes), expected, "{close}");
    }
}

/// A confidence from the signals of a record, by name, and from its forecast.
type Again = fn(&dyn Fn(&str) -> f64, f64) -> f64;

/// Reckons the confidence of the trades under `tag` again, from the signals in their record and their forecast.
fn check_record(name: &str, tag: &str, again: Again) {
    let all = trades(name, "", &spot(), &walk(3, 2_000));
    let tagged: Vec<_> = all.iter().filter(|it| it.tag.as_deref() == Some(tag)).collect();
    assert!(tagged.len() > 10, "{name}: {} trades under {tag}", tagged.len());
    for it in tagged {
        let signal = |name: &str| -> f64 {
            it.signals.iter().find(|signal| signal.name == name).unwrap().value.parse().unwrap()
        };
        let forecast: f64 = it.forecast.as_ref().unwrap().value.as_ref().map_or(f64::NAN, |text| text.parse().unwrap());
        let (told, expected) = (confidence_bps(it).unwrap() as f64, 10_000.0 * again(&signal, forecast));
        assert!((told - expected).abs() < 0.6, "{name}: {told} and {expected}: {it:?}");
    }
}

#[test]
fn the_record_has_what_the_confidence_follows_from() {
    check_record("mean-reversion", "band-low", |signal, _| 1.0 - 2.0 / signal("z-score").abs());
    check_record("breakout", "breakout", |_, place| 1.0 - 1.0 / place);
    check_record("volatility-target", "rebalance", |signal, _| {
        let outside = signal("off the wanted weight") - 0.15;
        outside / (outside + 0.95)
    });
    check_record("vote", "breakout", |signal, _| signal("score").abs());
}

#[test]
fn a_hold_says_nothing_or_how_far_it_is() {
    let last = |name: &str, closes: &[f64]| decisions(name, "", &spot(), &bars_of(closes)).pop().unwrap();
    for name in ["mean-reversion", "breakout", "volatility-target"] {
        let last = last(name, &calm(71));
        assert_eq!((last.kind, confidence_bps(&last)), (DecisionKind::Hold, None), "{name}");
    }
    // these two forecast on every bar, and say of each forecast how clear it is
    for (name, closes) in [("ema-trend", line(100.0, 1.0, 30)), ("vote", calm(70))] {
        let last = last(name, &closes);
        assert_eq!(last.kind, DecisionKind::Hold, "{name}");
        assert!(confidence_bps(&last).is_some_and(|bps| bps > 0), "{name}: {last:?}");
    }
}

#[test]
fn the_future_changes_no_confidence() {
    let bars = walk(17, 600);
    for entry in registry::all() {
        let told = |bars: &[Bar]| -> Vec<Option<i64>> {
            decisions(entry.name, "", &spot(), bars).iter().map(confidence_bps).collect()
        };
        let whole = told(&bars);
        assert!(whole.iter().flatten().count() > 3, "{}", entry.name);
        for cut in [200, 450, 593] {
            assert_eq!(told(&bars[..cut]), whole[..cut], "{}", entry.name);
        }
    }
}

#[test]
fn a_confidence_is_a_part_of_one_or_none() {
    let sure = |beyond, unit| Expectation::over(20, 0.0).sure_by(beyond, unit).confidence;
    for (beyond, unit, expected) in [
        (0.0, 2.0, Some(0.0)),
        (0.5, 2.0, Some(0.2)),
        (2.0, 2.0, Some(0.5)),
        (6.0, 2.0, Some(0.75)),
        (1.0, 0.0, Some(1.0)),
        (0.0, 0.0, None),
        (-0.5, 2.0, None),
        (3.0, -1.0, None),
        (f64::NAN, 2.0, None),
        (1.0, f64::NAN, None),
        (f64::INFINITY, 2.0, None),
    ] {
        assert_eq!(sure(beyond, unit), expected, "{beyond} beyond, in units of {unit}");
    }
}
