//! Every bundle, over several seeds: the invariants hold, and each of its knobs was seen to turn.
#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;
use tradewind_storm::{Acted, Bundle, FaultId, KNOBS, Knob, Orders, Summary, run_all};

fn storms(bundle: Bundle, seeds: std::ops::Range<u64>, faults: &[FaultId]) -> Summary {
    let (horizon, allowed) = (30 * 60 * 1_000_000_000, faults.to_vec());
    let orders = Orders { seeds, horizon, allowed, bundle: Some(bundle), jobs: 2, ..Orders::default() };
    let summary = run_all(&orders, || false, |_, _| ());
    assert!(summary.passed(), "{:#?}", summary.failures);
    assert_eq!((summary.doubled, summary.lost, summary.breaches), (0, 0, 0));
    summary
}

/// How far a bundle was seen to turn a knob, in the knob's unit; `None` where nothing of it is counted.
fn seen(knob: Knob, it: &Acted, usual: &Acted) -> Option<f64> {
    let percent = |part: u64, all: u64| part as f64 / all as f64 * 100.0;
    match knob {
        Knob::MissingCandles => Some(percent(it.candles_missing, it.candles)),
        Knob::OrderErrors => Some(percent(it.order_errors, it.orders)),
        Knob::CrashDepth => Some(it.fall_bps / 100.0),
        Knob::Spread => Some(it.spread_bps / usual.spread_bps),
        Knob::Volatility => Some(it.minute_bps / usual.minute_bps),
        Knob::StaleMarks => Some(percent(it.marks_late, it.quotes)),
        Knob::Partials => Some(percent(it.partials, it.orders)),
        Knob::Latency => Some(it.delayed as f64),
        Knob::StaleEvery | Knob::CrashFall | Knob::CrashBack | Knob::CrashEvery => None,
    }
}

/// Three storms under a bundle: where it turns a knob, what is seen of it lies within `wanted`, else nothing is seen.
fn check(bundle: Bundle, wanted: &[(Knob, std::ops::Range<f64>)]) {
    static USUAL: LazyLock<Acted> = LazyLock::new(|| storms(Bundle::Normal, 1..4, &[]).acted.unwrap());
    let it = storms(bundle, 1..4, &[]).acted.unwrap();
    assert!(it.candles > 1_500 && it.quotes > 8_000 && it.orders > 300, "{it:?}");
    for info in KNOBS {
        let Some(seen) = seen(info.knob, &it, &USUAL) else { continue };
        let is_turned = info.knob != Knob::CrashDepth && bundle.figure(info.knob) != Bundle::Normal.figure(info.knob);
        match wanted.iter().find(|(knob, _)| *knob == info.knob) {
            Some((_, range)) => assert!(range.contains(&seen), "{bundle}: {}: {seen}", info.name),
            None if info.unit == "times" || info.knob == Knob::CrashDepth => (), // the market is never quite the same
            None => assert!(!is_turned && seen == 0.0, "{bundle}: {}: {seen}", info.name),
        }
    }
}

#[test]
fn in_normal_weather_nothing_is_lost_late_refused_or_halved() {
    let ordinary = [(Knob::Spread, 1.0..1.01), (Knob::Volatility, 1.0..1.01), (Knob::CrashDepth, 0.0..5.0)];
    check(Bundle::Normal, &ordinary);
}

#[test]
fn a_volatile_market_is_wide_and_wild_and_fills_in_parts() {
    let turned = [
        (Knob::Spread, 4.0..6.0),
        (Knob::Volatility, 2.0..4.5),
        (Knob::Partials, 5.0..20.0),
        (Knob::Latency, 1_000.0..f64::MAX),
    ];
    check(Bundle::Volatile, &turned);
}

#[test]
fn a_degraded_venue_loses_candles_holds_quotes_back_errs_halves_and_is_slow() {
    let turned = [
        (Knob::MissingCandles, 3.0..7.0),
        (Knob::StaleMarks, 6.0..20.0),
        (Knob::OrderErrors, 6.0..14.0),
        (Knob::Partials, 5.0..20.0),
        (Knob::Latency, 1_000.0..f64::MAX),
    ];
    check(Bundle::Degraded, &turned);
}

#[test]
fn in_a_flash_crash_everything_falls_by_a_seventh_while_the_venue_errs() {
    let turned = [
        (Knob::Spread, 4.0..6.0),
        (Knob::Volatility, 1.5..f64::MAX), // the fall moves every minute as well
        (Knob::OrderErrors, 5.0..14.0),
        (Knob::Latency, 1_000.0..f64::MAX),
        (Knob::CrashDepth, 14.0..22.0),
    ];
    check(Bundle::FlashCrash, &turned);
    let it = storms(Bundle::FlashCrash, 1..2, &[]).acted.unwrap();
    assert!(it.rise_bps > 1_400.0, "and comes back: {it:?}");
}

#[test]
fn the_same_seed_gives_the_same_hash_and_each_bundle_another() {
    let hashes = || Bundle::ALL.map(|bundle| storms(bundle, 7..8, &[]).hash);
    let (first, again) = (hashes(), hashes());
    assert_eq!(first, again);
    assert_eq!(std::collections::BTreeSet::from(first).len(), 4);
}

#[test]
fn faults_strike_under_a_bundle_as_well() {
    let summary = storms(Bundle::Degraded, 1..3, &[FaultId::A01, FaultId::B04, FaultId::G13]);
    assert!(summary.kinds.len() == 3, "{:?}", summary.kinds);
    assert!(summary.acted.is_some_and(|it| it.order_errors > 0 && it.candles_missing > 0));
}
