//! How sure each strategy says it is of its word.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{after_calm, bars_of, build, calm, line, perpetual, recorded, rehearsal, spot, walk};
use std::collections::BTreeSet;
use tradewind_domain::{Bar, Instrument, Quantity};
use tradewind_engine::{DecisionKind, Signal};
use tradewind_strategies::diagnose::{Explained, diagnose};
use tradewind_strategies::{Expectation, registry};

/// Every decision. While it warms up none may say how sure it is; after that each must, within bounds, and its horizon.
fn decisions(name: &str, parameters: &str, instrument: &Instrument, bars: &[Bar]) -> Vec<Explained> {
    let told = diagnose(rehearsal(build(name, parameters), instrument), bars.iter().copied(), bars.len());
    for (at, it) in told.last.iter().enumerate() {
        let (confidence, forecast) = (confidence_bps(it), it.forecast.as_ref());
        if at < told.warm_up {
            assert_eq!((confidence, it.reason.as_str()), (None, "warming up"), "{name}");
        } else {
            assert!(confidence.is_some_and(|bps| (0..=10_000).contains(&bps)), "{name}: {it:?}");
            assert!(forecast.is_some_and(|forecast| forecast.horizon_bars > 1), "{name}: {it:?}");
        }
    }
    told.last
}

fn confidence_bps(it: &Explained) -> Option<i64> {
    it.forecast.as_ref()?.confidence_bps
}

fn check_all(name: &str, parameters: &str, instrument: &Instrument, bars: &[Bar]) {
    let all = decisions(name, parameters, instrument, bars);
    let warm: Vec<_> = all.into_iter().filter(|it| it.reason != "warming up").collect();
    let (holds, trades): (Vec<_>, Vec<_>) = warm.iter().partition(|it| it.kind == DecisionKind::Hold);
    for (what, some) in [("holds", holds), ("trades", trades)] {
        let different: BTreeSet<_> = some.into_iter().map(confidence_bps).collect();
        assert!(different.len() > 3, "{name}: {what} do not always say the same: {different:?}");
    }
}

#[test]
fn every_trade_and_every_hold_says_how_sure_it_is() {
    for entry in registry::all() {
        for seed in [3, 5] {
            check_all(entry.name, "", &spot(), &walk(seed, 2_000));
        }
        if entry.parameters.iter().any(|parameter| parameter.name == "short") {
            check_all(entry.name, "short = true", &perpetual(), &walk(5, 2_000));
        }
    }
}

#[test]
fn so_it_does_on_a_recorded_market() {
    let file = "crypto/binance-spot-1h/BTC_USDT-1h.feather";
    let Some((instrument, bars)) = recorded("so_it_does_on_a_recorded_market", file) else { return };
    for entry in registry::all() {
        check_all(entry.name, "", &instrument, &bars[..6_000]);
    }
}

#[test]
fn so_it_does_where_nothing_moves_and_no_distance_has_a_unit() {
    for entry in registry::all() {
        let last = decisions(entry.name, "", &spot(), &bars_of(&[100.0; 120])).pop().unwrap();
        assert_eq!(last.kind, DecisionKind::Hold, "{}", entry.name);
    }
}

/// How sure it is of its decision on the last bar, which must be of this `kind`, in basis points.
fn sure(name: &str, parameters: &str, kind: DecisionKind, closes: &[f64]) -> i64 {
    let last = decisions(name, parameters, &spot(), &bars_of(closes)).pop().unwrap();
    assert_eq!(last.kind, kind, "{name}: {last:?}");
    confidence_bps(&last).unwrap()
}

fn then(head: Vec<f64>, close: f64) -> Vec<f64> {
    head.into_iter().chain([close]).collect()
}

fn after_rise(close: f64) -> Vec<f64> {
    then(line(100.0, 1.0, 31), close)
}

fn after_fall(close: f64) -> Vec<f64> {
    then(line(130.0, -1.0, 31), close)
}

/// `rest` after a dip to 92, which mean reversion buys where the RSI may be 45.
fn after_dip(rest: &[f64]) -> Vec<f64> {
    after_calm(40, &[&[92.0][..], rest].concat())
}

#[test]
fn the_further_beyond_its_threshold_the_surer() {
    let check = |name: &str, parameters: &str, kind, near: &[f64], far: &[f64]| {
        let (near, far) = (sure(name, parameters, kind, near), sure(name, parameters, kind, far));
        assert!(near < far, "{name}, {kind:?}: {near} and {far}");
    };
    check("ema-trend", "", DecisionKind::Buy, &after_fall(180.0), &after_fall(260.0));
    check("ema-trend", "", DecisionKind::Sell, &after_rise(50.0), &after_rise(20.0));

    check("mean-reversion", "", DecisionKind::Buy, &after_calm(60, &[88.4]), &after_calm(60, &[70.0]));
    let loose = "rsi_low = 45";
    let back = |close| after_dip(&[93.0, 95.0, 98.0, close]);
    check("mean-reversion", loose, DecisionKind::Sell, &back(100.0), &back(110.0));
    check("mean-reversion", loose, DecisionKind::Sell, &after_dip(&[80.0]), &after_dip(&[70.0])); // at the stop

    let steady = "period = 30\nband = 0.1";
    check("volatility-target", steady, DecisionKind::Buy, &calm(31), &[100.0; 31]);

    check("vote", "", DecisionKind::Buy, &after_calm(60, &[104.0]), &after_calm(60, &[110.0]));
    let high = after_calm(60, &line(101.0, 0.5, 20));
    check("vote", "", DecisionKind::Sell, &then(high.clone(), 100.0), &then(high, 80.0));
}

/// A hold of each strategy near the threshold that would end it, and one deep inside.
#[test]
fn the_deeper_inside_its_threshold_the_surer_the_hold() {
    let loose = "rsi_low = 45";
    let eager = "skip_choppy = false\nmomentum_min = 3.0";
    let steady = "period = 30\nband = 0.2";
    let wild: Vec<f64> = calm(40).iter().map(|close| 100.0 + 5.0 * (close - 100.0)).collect();
    let high = after_calm(60, &line(101.0, 0.5, 20));
    let fallen: Vec<f64> = high.iter().copied().chain(line(110.0, -1.0, 20)).collect();
    let falling = fallen[..86].to_vec();
    let table = [
        ("ema-trend", "", "long already", after_rise(120.0), after_rise(160.0)),
        ("ema-trend", "", "flat, and", after_fall(105.0), after_fall(70.0)),
        ("mean-reversion", "", "flat: the price is not far", after_calm(40, &[98.0]), after_calm(40, &[100.0])),
        ("mean-reversion", "", "flat: the price is far", after_calm(60, &[88.6]), after_calm(60, &[92.0])),
        ("mean-reversion", loose, "in position", after_dip(&[86.0]), after_dip(&[92.0])), // from the stop
        ("mean-reversion", loose, "in position", after_dip(&[93.0, 95.0, 98.0]), after_dip(&[92.0])), // from the mean
        ("mean-reversion", loose, "stopped out", after_dip(&[80.0, 76.0]), after_dip(&[80.0, 70.0])),
        ("breakout", "", "flat: the close is inside", after_calm(61, &[100.9]), after_calm(61, &[99.0])),
        ("breakout", eager, "flat: the close left", after_calm(60, &[101.9]), after_calm(60, &[101.01])),
        ("breakout", "", "long:", then(line(100.0, 0.5, 60), 124.5), line(100.0, 0.5, 61)),
        ("volatility-target", steady, "what is held is inside", calm(40), wild),
        ("vote", "", "score 0.331, threshold 0.500", calm(60), fallen),
        ("vote", "", "score 0.", falling, high),
    ];
    for entry in registry::all() {
        assert!(table.iter().any(|(name, ..)| *name == entry.name), "{} is in the table", entry.name);
    }
    for (name, parameters, reason, near, far) in &table {
        let told = |closes: &[f64]| decisions(name, parameters, &spot(), &bars_of(closes)).pop().unwrap();
        assert!(told(near).reason.starts_with(reason), "{name}: {:?}", told(near));
        let [near, far] = [near, far].map(|closes| sure(name, parameters, DecisionKind::Hold, closes));
        assert!(near < far, "{name}, {reason}: {near} and {far}");
    }
}

#[test]
fn a_trade_too_small_to_order_is_a_hold_that_is_as_sure_as_the_trade() {
    let mut coarse = spot();
    coarse.spec.min_quantity = Quantity::from_mantissa(100_000_000_000); // a thousand
    let told = |it: &Instrument| decisions("ema-trend", "", it, &bars_of(&line(100.0, 1.0, 21))).pop().unwrap();
    let (held_back, traded) = (told(&coarse), told(&spot()));
    assert_eq!((held_back.kind, traded.kind), (DecisionKind::Hold, DecisionKind::Buy));
    assert_eq!(held_back.reason, "the difference to the target is too small to order");
    assert!(held_back.target.is_some() && held_back.target == traded.target, "the record names what was wanted");
    assert_eq!(confidence_bps(&held_back), confidence_bps(&traded));
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

#[test]
fn a_hold_by_half_the_width_inside_the_channel_is_half_sure() {
    // the edges are those of the breakouts above
    for (close, expected) in [(101.0, 0), (100.0, 5_000), (99.0, 6_667)] {
        assert_eq!(sure("breakout", "", DecisionKind::Hold, &after_calm(61, &[close])), expected, "{close}");
    }
    for (close, expected) in [(124.5, 0), (127.0, 5_000), (132.0, 7_500)] {
        let closes = then(line(100.0, 0.5, 60), close);
        assert_eq!(sure("breakout", "", DecisionKind::Hold, &closes), expected, "{close}");
    }
}

/// A decision as its record has it.
struct Record<'a>(&'a Explained);

impl Record<'_> {
    fn signal(&self, name: &str) -> &Signal {
        self.0.signals.iter().find(|signal| signal.name == name).unwrap()
    }
    fn value(&self, name: &str) -> f64 {
        self.signal(name).value.parse().unwrap()
    }
    /// To the threshold: the sign tells the side, the size how far.
    fn distance(&self, name: &str) -> f64 {
        self.signal(name).distance.parse().unwrap()
    }
    fn forecast(&self) -> f64 {
        self.0.forecast.as_ref().unwrap().value.as_ref().unwrap().parse().unwrap()
    }
    fn close(&self) -> f64 {
        self.0.close.parse().unwrap()
    }
}

/// `distance` either way, in the unit of a clear one.
fn part(distance: f64, unit: f64) -> f64 {
    distance.abs() / (distance.abs() + unit)
}

/// Reckons the confidence of some decisions on a walk again, from their record alone: of the trades under the tag `word`, or
/// of the holds whose reason begins with it.
fn check_record((name, parameters): (&str, &str), word: &str, again: fn(&Record<'_>) -> f64) {
    let instrument = if parameters.contains("short") { perpetual() } else { spot() };
    let all = decisions(name, parameters, &instrument, &walk(3, 2_000));
    let is_held = |it: &Explained| it.kind == DecisionKind::Hold && it.reason.starts_with(word);
    let chosen: Vec<_> = all.iter().filter(|it| it.tag.as_deref() == Some(word) || is_held(it)).collect();
    assert!(chosen.len() > 10, "{name}: {} decisions by {word}", chosen.len());
    for it in chosen {
        let (told, expected) = (confidence_bps(it).unwrap() as f64, 10_000.0 * again(&Record(it)));
        assert!((told - expected).abs() < 0.6, "{name}: {told} and {expected}: {it:?}");
    }
}

#[test]
fn the_record_has_what_the_confidence_in_a_trade_follows_from() {
    check_record(("mean-reversion", ""), "band-low", |it| 1.0 - 2.0 / it.value("z-score").abs());
    check_record(("breakout", ""), "breakout", |it| 1.0 - 1.0 / it.forecast());
    check_record(("volatility-target", ""), "rebalance", |it| part(it.distance("off the wanted weight"), 0.95));
    check_record(("vote", ""), "breakout", |it| it.value("score").abs());
}

#[test]
fn the_record_has_what_the_confidence_in_a_hold_follows_from() {
    for parameters in ["", "short = true"] {
        let name = ("mean-reversion", parameters);
        check_record(name, "flat: the price is not far", |it| part(it.distance("z-score"), 2.0));
        check_record(name, "flat: the price is far", |it| part(it.distance("rsi"), 35.0));
        check_record(name, "in position", |it| {
            let (mean, stop) = (it.distance("z-score"), it.distance("close - stop"));
            part(mean, 2.0).min(part(stop, 3.0 * it.value("atr")))
        });
        check_record(("vote", parameters), "score", |it| {
            let (off, threshold) = (it.distance("score"), it.value("threshold"));
            off / (if off < 0.0 { -1.0 } else { 1.0 } - threshold)
        });
    }
    check_record(("volatility-target", ""), "what is held is inside", |it| {
        part(it.distance("off the wanted weight"), 0.95)
    });
    // the place in the channel is 1 at its top, and moves by 1 over half of its width
    check_record(("breakout", ""), "flat: the close is inside", |it| part(1.0 - it.forecast(), 1.0));
}

/// It has passed its threshold: what is told is how clearly something else holds it back, and the reason says what.
#[test]
fn the_record_has_what_holds_a_breakout_back() {
    check_record(("breakout", ""), "flat: the close left the channel, but momentum", |it| {
        let half_width = it.distance("close - entry high") / (it.forecast() - 1.0);
        part(it.distance("momentum %"), 100.0 * half_width / it.close())
    });
    check_record(("breakout", ""), "flat: the close left the channel, but the market", |it| {
        assert!(it.distance("close - entry high") > 0.0 && it.distance("adx") < 0.0);
        part(it.distance("adx"), 20.0)
    });
}

#[test]
fn a_breakdown_is_held_back_by_its_own_threshold() {
    let parameters = "short = true\nskip_choppy = false\nmomentum_min = 3.0";
    let closes = after_calm(61, &[98.5]);
    let last = decisions("breakout", parameters, &perpetual(), &bars_of(&closes)).pop().unwrap();
    assert_eq!(last.reason, "flat: the close left the channel, but momentum does not agree");
    // down by 2.475 %, and 3 % are wanted; half the width of the channel is 1
    let missing = Record(&last).distance("momentum %");
    assert!((0.524..0.525).contains(&missing), "{missing}");
    let (told, expected) = (confidence_bps(&last).unwrap() as f64, 10_000.0 * part(missing, 100.0 / 98.5));
    assert!((told - expected).abs() < 0.6, "{told} and {expected}");
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
        (0.0, 0.0, Some(0.0)),
        (3.0, -1.0, None),
        (0.0, -1.0, None),
        (f64::NAN, 2.0, None),
        (1.0, f64::NAN, None),
        (f64::INFINITY, 2.0, None),
        (1.0, f64::INFINITY, None),
    ] {
        assert_eq!(sure(beyond, unit), expected, "{beyond} beyond, in units of {unit}");
        assert_eq!(sure(-beyond, unit), expected, "{beyond} inside, in units of {unit}");
    }
}
