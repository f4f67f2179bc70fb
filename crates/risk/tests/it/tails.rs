//! What a day may cost, by each method: equal to the statistics crate's figures, named in refusals, reached on both sides.

use crate::reach::{minutes, tail};
use crate::world::*;
use tradewind_domain::*;
use tradewind_quant::ReturnWindow;
use tradewind_quant::covariance::Moments;
use tradewind_quant::tail_risk::{DEFAULT_PATHS, Historical, Level, Parametric, TailRisk, simulate};
use tradewind_risk::*;

const METHODS: [VarMethod; 4] =
    [VarMethod::Historical, VarMethod::Parametric, VarMethod::MonteCarlo, VarMethod::Largest];

/// Four hours of two instruments that have much in common, with a crash in them.
fn seen() -> World {
    let mut world = world(Profile::Conservative);
    let noise = |i: i64, seed: i64| (i * 7_919 * seed + i * i * 104_729) % 199 - 99;
    let own: Vec<i64> = (0..242).map(|i| 10 * noise(i, 3) - if i % 40 == 0 { 9_000 } else { 0 }).collect();
    let other: Vec<i64> = (0..242).map(|i| (own[i as usize] + 10 * noise(i, 11)) / 2).collect();
    minutes(&mut world, &[(0, &own), (1, &other)]);
    world
}

fn returns(monitor: &Monitor) -> Returns<'_> {
    let tapes = [0, 1].map(|id| monitor.tape(InstrumentId(id)).unwrap());
    Returns::common(&tapes).unwrap()
}

/// Within a basis point and the tolerance, for figures that are cut to whole basis points.
fn close(label: &str, ours: i64, theirs: f64, tolerance: f64) {
    let (ours, theirs) = (ours as f64, theirs * 1e4);
    assert!((ours - theirs).abs() <= 1.0 + tolerance * theirs.abs(), "{label}: {ours} bps, expected {theirs}");
}

#[test]
fn each_method_gives_the_figures_of_the_statistics_crate_over_the_same_minutes() {
    let world = seen();
    let (returns, day) = (returns(&world.monitor), Level::new(0.95, 1_440.0).unwrap());
    let alone = [returns.weighted(&[1.0, 0.0]), returns.weighted(&[0.0, 1.0])];
    let window = ReturnWindow::new(&alone).unwrap();
    let normal = Moments { means: vec![0.0; 2], ..Moments::sample(&window) };
    let drawn = simulate(&normal, &day, DEFAULT_PATHS, 1).unwrap();
    for weights in [[0.6, 0.3], [1.0, 0.0], [-0.4, 0.5], [-1.0, -1.0]] {
        let expected = |method| -> (TailRisk, f64) {
            match method {
                VarMethod::Historical => (Historical::new(&window, &weights).unwrap().tail_risk(&day).unwrap(), 0.0),
                VarMethod::Parametric => (Parametric::new(&normal, &weights).unwrap().tail_risk(&day).unwrap(), 1e-9),
                // two samples of one distribution, 2,000 and 10,000 of it
                _ => (Historical::new(&drawn, &weights).unwrap().tail_risk(&Level::standard()).unwrap(), 0.08),
            }
        };
        for method in &METHODS[..3] {
            let (found, (figures, tolerance)) = (returns.day_risk(&weights, *method).unwrap(), expected(*method));
            let label = format!("{} of {weights:?}", method.name());
            close(&label, found.at_risk.bps, figures.var, tolerance);
            close(&label, found.shortfall.bps, figures.cvar, tolerance);
            assert_eq!((found.at_risk.by, found.shortfall.by), (*method, *method));
        }
    }
}

#[test]
fn the_largest_is_the_largest_of_the_three_for_each_figure_on_its_own() {
    let world = seen();
    let returns = returns(&world.monitor);
    let of = |method| returns.day_risk(&[0.6, 0.3], method).unwrap();
    let [historical, parametric, drawn, largest] = METHODS.map(of);
    for (part, name) in [(largest.at_risk, "value at risk"), (largest.shortfall, "shortfall")] {
        let each =
            [historical, parametric, drawn].map(|day| if name == "shortfall" { day.shortfall } else { day.at_risk });
        assert_eq!(Some(part.bps), each.iter().map(|figure| figure.bps).max(), "{name}");
        assert!(each.contains(&part), "{name} names the method that it is of");
    }
    // six crashes in four hours: fewer than one minute in twenty, so the quantile of history is blind to them, the mean is not
    assert!(parametric.at_risk.bps > historical.at_risk.bps && historical.shortfall.bps > parametric.shortfall.bps);
    assert_ne!(largest.at_risk.by, largest.shortfall.by);
}

#[test]
fn scenarios_are_the_same_on_every_machine_and_in_every_run() {
    let figures = || {
        let world = seen();
        let day = returns(&world.monitor).day_risk(&[0.6, 0.3], VarMethod::MonteCarlo).unwrap();
        (day.at_risk.bps, day.shortfall.bps)
    };
    assert_eq!(figures(), figures());
    expect_test::expect!["(711, 854)"].assert_eq(&format!("{:?}", figures()));
}

#[test]
fn every_method_refuses_just_outside_its_limits_and_not_just_inside() {
    for (number, method) in (1..).zip(METHODS) {
        for (name, guard) in [("value_at_risk", Guard::ValueAtRisk), ("expected_shortfall", Guard::ExpectedShortfall)] {
            let label = format!("{name} by {}", method.name());
            assert_eq!(VarMethod::of(Some(number)), method);
            assert_eq!(tail(name, Profile::Conservative, Some(number), false), None, "just inside {label}");
            let found = tail(name, Profile::Conservative, Some(number), true).unwrap();
            let either = [Guard::ValueAtRisk, Guard::ExpectedShortfall];
            assert!(
                found == guard || method != VarMethod::Historical && either.contains(&found),
                "just outside {label}"
            );
        }
    }
}

#[test]
fn a_refusal_names_the_method_and_what_is_shown_as_used_is_reckoned_by_it() {
    let mut world = seen();
    world.notional = 5_000 * UNIT;
    world.limits.limits.max_order = Cap::NONE;
    world.limits.account.caps = AccountCaps { var_bps: Some(100), var_method: Some(2), ..AccountCaps::default() };
    assert_eq!(VarMethod::of(None), VarMethod::Historical);
    assert_eq!(VarMethod::of(Some(9)), VarMethod::Largest, "what is no word of it is taken for the tightest");
    let said = |world: &World| world.check().unwrap_err().value.clone();
    assert!(said(&world).contains(" a day by the parametric method"), "{}", said(&world));
    world.limits.account.caps.var_method = Some(4);
    assert!(said(&world).contains("the parametric method") || said(&world).contains("the monte-carlo method"));
    world.limits.account.caps.var_method = None;
    assert!(said(&world).contains("the historical method"), "{}", said(&world));

    let instrument = instrument(0, "BTC/USDT", "binance");
    let held = 5_000 * UNIT;
    let (portfolio, rate) = (PortfolioId(0), (1, 1));
    let line = Line { portfolio, instrument: &instrument, is_coins: false, rate, held, low: held, high: held };
    let used = |method: VarMethod, number| {
        let mut limits = world.limits.account.clone();
        limits.caps.var_method = Some(number);
        let account = Account {
            portfolio: PortfolioId(0),
            equity: world.equity,
            initial_margin: 0,
            nearest_liquidation: None,
            account_equity: world.account_equity,
            lines: &[line],
            open_orders: &std::collections::BTreeMap::new(),
            limits: &limits,
            monitor: &world.monitor,
        };
        let tape = world.monitor.tape(InstrumentId(0)).unwrap();
        let day = Returns::common(&[tape]).unwrap().day_risk(&[0.5], method).unwrap();
        let find = |name| account.in_use(Limit::find(name).unwrap());
        assert_eq!(find("value_at_risk"), Some(day.at_risk.bps), "{}", method.name());
        assert_eq!(find("expected_shortfall"), Some(day.shortfall.bps), "{}", method.name());
        assert_eq!(find("var_method"), None, "a choice is not used up");
    };
    (1..).zip(METHODS).for_each(|(number, method)| used(method, number));
}

/// The guard that refuses an order of `side` in bitcoin where value at risk may be 2 %, both markets move as one so that a
/// stake may lose 15 % a day, a short one half of it, and `lines` of bitcoin (0) and ether (1) stand between `low` and `high`.
fn with_open_orders(side: Side, notional: i128, lines: &[(u32, i128, i128)]) -> Option<Guard> {
    let falls: Vec<i64> = (0..200).map(|i| if i % 2 == 0 { -4_000 } else { 2_000 }).collect();
    let mut world = world(Profile::Conservative);
    world.limits.account.caps = AccountCaps { var_bps: Some(200), ..AccountCaps::default() };
    world.limits.limits.controls = Some(Controls::default());
    minutes(&mut world, &[(0, &falls), (1, &falls)]);
    (world.request.side, world.notional) = (side, notional * UNIT);
    for (id, low, high) in lines {
        let it = if *id == 0 { world.instrument.clone() } else { instrument(1, "ETH/USDT:USDT", "kraken") };
        world.lines.push((0, it, low * UNIT, high * UNIT));
    }
    world.refusal()
}

#[test]
fn an_order_that_may_never_fill_hedges_nothing() {
    let too_much = Some(Guard::ValueAtRisk);
    for (label, side, notional, lines, want) in [
        ("alone", Side::Buy, 1_000, &[][..], None),
        ("alone", Side::Buy, 2_500, &[], too_much),
        ("beside a hedge that is held", Side::Buy, 2_500, &[(1, -2_500, -2_500)], None),
        ("beside one that rests", Side::Buy, 2_500, &[(1, -2_500, 0)], too_much),
        ("of little beside much that rests", Side::Buy, 1_000, &[(1, -5_000, 0)], too_much),
        ("of little beside little that rests", Side::Buy, 1_000, &[(1, -1_000, 0)], None),
        ("as all that rests on its side fills", Side::Buy, 100, &[(0, 0, 2_400), (1, -2_500, 0)], too_much),
        ("as all that rests fills", Side::Buy, 1_000, &[(1, 0, 1_500)], too_much),
        ("that hedges", Side::Sell, 4_900, &[(1, 5_000, 5_000)], None),
        ("that hedges what rests", Side::Sell, 3_000, &[(1, 0, 3_000)], too_much), // a rise costs half as much
    ] {
        assert_eq!(with_open_orders(side, notional, lines), want, "{label}: {side:?} {notional} beside {lines:?}");
    }
}

#[test]
fn what_is_shown_as_used_counts_no_hedge_that_may_never_fill() {
    let world = seen();
    let (bitcoin, ether) = (instrument(0, "BTC/USDT", "binance"), instrument(1, "ETH/USDT:USDT", "binance"));
    let line = |instrument, held: i128, low: i128| {
        let (portfolio, held, low) = (PortfolioId(0), held * UNIT, low * UNIT);
        Line { portfolio, instrument, is_coins: false, rate: (1, 1), held, low, high: held }
    };
    let used = |hedge: Option<(i128, i128)>| {
        let hedge = hedge.map(|(held, low)| line(&ether, held, low));
        let lines: Vec<Line<'_>> = [line(&bitcoin, 5_000, 5_000)].into_iter().chain(hedge).collect();
        let account = Account {
            portfolio: PortfolioId(0),
            equity: world.equity,
            initial_margin: 0,
            nearest_liquidation: None,
            account_equity: world.account_equity,
            lines: &lines,
            open_orders: &std::collections::BTreeMap::new(),
            limits: &world.limits.account,
            monitor: &world.monitor,
        };
        account.in_use(Limit::find("value_at_risk").unwrap()).unwrap()
    };
    let (alone, held, resting) = (used(None), used(Some((-2_500, -2_500))), used(Some((0, -2_500))));
    assert!(held < alone, "{held} of {alone}");
    assert_eq!(resting, alone);
}
