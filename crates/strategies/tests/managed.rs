//! Trades sized and ended by rules beside their strategy.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{bars_of, build, perpetual, rehearsal, spot, walk};
use tradewind_domain::{Bar, Instrument, InstrumentId, Price, Side};
use tradewind_engine::{Decision, DecisionKind, Signal};
use tradewind_strategies::{Ends, Managed, Market, Opinion, Scene, Sizing, Strategy, StrategyError, Target, sizing};

const STOP: Ends = Ends { stop_bps: Some(200), target_bps: Some(400) };

fn rule(table: &str) -> Option<Sizing> {
    let own = InstrumentId(0);
    Sizing::read(&table.parse().unwrap()).unwrap().map(|sizing| sizing.among(own, &[own]))
}

fn managed(strategy: Box<dyn Strategy>, table: &str, ends: Ends) -> Box<dyn Strategy> {
    Box::new(Managed::new(strategy, rule(table), ends).unwrap())
}

fn scenes(strategy: Box<dyn Strategy>, instrument: &Instrument, bars: &[Bar]) -> Vec<Scene> {
    let mut rehearsal = rehearsal(strategy, instrument);
    bars.iter().map(|bar| rehearsal.bar(bar)).collect()
}

fn signal<'a>(decision: &'a Decision, name: &str) -> Option<&'a Signal> {
    decision.signals.iter().find(|signal| signal.name == name)
}

#[test]
fn what_a_trade_loses_at_its_stop_is_the_part_of_equity_that_was_said() {
    let bars = walk(3, 600);
    let table = "rule = 'fixed-risk'\nrisk = 0.01";
    let scenes = scenes(managed(build("ema-trend", ""), table, STOP), &spot(), &bars);
    let it = spot();
    let mut entries = 0;
    for (scene, bar) in scenes.iter().zip(&bars) {
        let [proposal] = &scene.outcome.proposals[..] else { continue };
        if proposal.request.side == Side::Sell {
            assert_eq!(signal(&scene.decision, "weight asked"), None, "an exit is not sized");
            continue;
        }
        let stop = proposal.plan.as_ref().unwrap().stop.unwrap();
        let distance = it.price_f64(bar.close) - it.price_f64(stop);
        let loss = it.quantity_f64(proposal.request.quantity) * distance;
        let equity = 10_000.0; // what was won or lost since moves it by less than the bound below
        assert!((60.0..140.0).contains(&loss), "{loss} of {equity} is not about a hundredth");
        let sized: f64 = signal(&scene.decision, "weight by fixed-risk").unwrap().value.parse().unwrap();
        assert!((sized - 0.5).abs() < 0.01, "a hundredth over two hundredths: {sized}");
        assert_eq!(signal(&scene.decision, "weight asked").unwrap().value, "0.95000000");
        entries += 1;
    }
    assert!(entries > 5, "{entries} entries");
}

#[test]
fn a_weight_is_the_most_and_every_rule_stays_below_it() {
    let kelly = "rule = 'kelly'\nwins = 60\ntrades = 100\npayoff = 1.5";
    let parity = "rule = 'risk-parity'\ngross = 0.4";
    let tables = ["rule = 'fixed-risk'", "rule = 'atr'", "rule = 'volatility-target'", kelly, parity];
    let named: Vec<&str> = tables.iter().filter_map(|table| table.split('\'').nth(1)).collect();
    assert_eq!(named, sizing::rules().iter().map(|rule| rule.name).collect::<Vec<_>>(), "every rule is tried");
    for table in tables {
        let bars = walk(17, 600);
        let scenes = scenes(managed(build("breakout", "weight = 0.3"), table, STOP), &spot(), &bars);
        let sized: Vec<f64> = scenes
            .iter()
            .flat_map(|scene| &scene.decision.signals)
            .filter(|signal| signal.name.starts_with("weight by"))
            .map(|signal| signal.value.parse().unwrap())
            .collect();
        assert!(!sized.is_empty() && sized.iter().all(|weight| *weight > 0.0 && *weight <= 0.3), "{table}: {sized:?}");
        let version = scenes.last().unwrap().decision.version.clone().unwrap();
        let name = table.split('\'').nth(1).unwrap();
        assert!(version.contains(&format!(" {name} 1-")), "{version}");
    }
}

#[test]
fn a_distance_is_above_nothing_and_below_all_of_the_price() {
    let refused = |stop_bps, target_bps| {
        Managed::new(build("ema-trend", ""), None, Ends { stop_bps, target_bps }).err().map(|error| error.to_string())
    };
    for (stop_bps, target_bps, said) in [
        (Some(0), None, "stop is 0%, which is outside 0.01% to 99.99%"),
        (Some(10_000), None, "stop is 100%, which is outside 0.01% to 99.99%"),
        (Some(200), Some(0), "target is 0%, which is outside 0.01% to 99.99%"),
        (None, Some(10_000), "target is 100%, which is outside 0.01% to 99.99%"),
    ] {
        assert_eq!(refused(stop_bps, target_bps).as_deref(), Some(said));
    }
    assert_eq!(refused(Some(1), Some(9_999)), None);
    assert_eq!(refused(None, None), None);
}

#[test]
fn stops_and_targets_are_rounded_once_towards_the_losing_side() {
    let check = |tick: i64, close: &str, side: Side, want: [&str; 2]| {
        let mut it = spot();
        it.spec.tick = Price::from_mantissa(tick);
        let ends = Ends { stop_bps: Some(30), target_bps: Some(30) };
        let plan = ends.plan(&it, side, it.price(close).unwrap()).unwrap();
        assert_eq!([plan.stop, plan.target].map(|end| it.price_text(end.unwrap())), want, "{side:?} at {close}");
    };
    // 8114.76 times 0.997 is 8090.41572, times 1.003 it is 8139.10428
    check(1, "8114.76", Side::Buy, ["8090.41", "8139.1"]);
    check(1, "8114.76", Side::Sell, ["8139.11", "8090.42"]);
    check(50, "8114.76", Side::Buy, ["8090", "8139"]);
    check(50, "8114.76", Side::Sell, ["8139.5", "8090.5"]);
    check(1, "1000", Side::Buy, ["997", "1003"]);
    check(1, "1000", Side::Sell, ["1003", "997"]);
}

#[test]
fn a_sized_trade_of_whole_contracts_is_no_larger_than_its_rule_allows() {
    let mut whole = perpetual();
    whole.spec.quantity_decimals = 0;
    // 35 of 10,000 are lost at a stop 20 away by 1.75 contracts
    let table = "rule = 'fixed-risk'\nrisk = 0.0035";
    let scenes = scenes(managed(Box::new(Turns(0)), table, STOP), &whole, &bars_of(&[1_000.0; 2]));
    let targets = scenes.iter().map(|scene| scene.outcome.target.map(|target| whole.quantity_text(target)));
    assert_eq!(targets.collect::<Vec<_>>(), [Some("1".to_owned()), Some("1".to_owned())]);
}

#[test]
fn the_distances_alone_change_no_size_and_a_plan_goes_with_what_opens_only() {
    let bars = walk(3, 600);
    let plain = scenes(build("ema-trend", ""), &spot(), &bars);
    let ended = scenes(managed(build("ema-trend", ""), "", STOP), &spot(), &bars);
    // until the first exit: a rehearsal takes no stop off the book, so that later trades differ
    let until = plain.iter().position(|scene| scene.outcome.kind == DecisionKind::Sell).unwrap();
    for (one, other) in plain.iter().zip(&ended).take(until) {
        assert_eq!((one.outcome.target, &one.decision.version), (other.outcome.target, &other.decision.version));
    }
    let plans = |scenes: &[Scene]| -> Vec<(Side, bool)> {
        let all = scenes.iter().flat_map(|scene| &scene.outcome.proposals);
        all.map(|proposal| (proposal.request.side, proposal.plan.is_some())).collect()
    };
    assert!(plans(&plain).iter().all(|(_, has_plan)| !has_plan));
    assert!(plans(&ended).iter().all(|(side, has_plan)| *has_plan == (*side == Side::Buy)));
    assert!(plans(&ended).len() > 1 && plans(&ended).iter().any(|(side, _)| *side == Side::Sell));
}

/// Goes long and short in turns of ten bars.
struct Turns(usize);

impl Strategy for Turns {
    fn name(&self) -> &'static str {
        "turns"
    }
    fn warm_up(&self) -> usize {
        0
    }
    fn on_bar(&mut self, _: &Market<'_>, _: &Bar) -> Opinion {
        self.0 += 1;
        let long = (self.0 / 10).is_multiple_of(2);
        Opinion::target(Target::Weight(if long { 0.5 } else { -0.5 }), "it is its turn")
    }
    fn signals(&self) -> Vec<Signal> {
        Vec::new()
    }
}

#[test]
fn what_goes_the_other_way_is_closed_even_if_nothing_can_be_sized() {
    let closes: Vec<f64> = (0..40).map(|n| if n % 2 == 0 { 1_000.0 } else { 1_010.0 }).collect();
    let no_edge = "rule = 'kelly'\nwins = 10\ntrades = 100\npayoff = 1.0";
    let never = scenes(managed(Box::new(Turns(0)), no_edge, Ends::default()), &perpetual(), &bars_of(&closes));
    assert!(never.iter().all(|scene| scene.outcome.kind == DecisionKind::Hold));
    assert!(never[20].outcome.reason.starts_with("Kelly stakes nothing"), "{}", never[20].outcome.reason);

    let edge = "rule = 'kelly'\nwins = 60\ntrades = 100\npayoff = 1.5";
    let turning = Late { strategy: managed(Box::new(Turns(0)), edge, Ends::default()), bars: 15, no_edge };
    let scenes = scenes(Box::new(turning), &perpetual(), &bars_of(&closes));
    assert!(scenes[12].position.mantissa() < 0, "short by the record with an edge");
    assert!(scenes[18].position.mantissa() < 0, "what is held the same way is left alone");
    assert!(scenes[25].position.is_zero() && scenes[39].position.is_zero(), "closed at the turn, nothing opened since");
}

/// Loses its edge after some bars.
struct Late {
    strategy: Box<dyn Strategy>,
    bars: usize,
    no_edge: &'static str,
}

impl Strategy for Late {
    fn name(&self) -> &'static str {
        self.strategy.name()
    }
    fn warm_up(&self) -> usize {
        0
    }
    fn on_bar(&mut self, market: &Market<'_>, bar: &Bar) -> Opinion {
        self.bars = self.bars.saturating_sub(1);
        if self.bars == 0 && !self.no_edge.is_empty() {
            // the sixteenth bar on: it is its turn until the twentieth
            self.strategy = managed(Box::new(Turns(14)), std::mem::take(&mut self.no_edge), Ends::default());
        }
        self.strategy.on_bar(market, bar)
    }
    fn signals(&self) -> Vec<Signal> {
        Vec::new()
    }
}

#[test]
fn a_rule_that_needs_a_stop_is_refused_without_one() {
    let error = Managed::new(build("ema-trend", ""), rule("rule = 'fixed-risk'"), Ends::default()).err().unwrap();
    assert_eq!(error, StrategyError::NoStop { rule: "fixed-risk" });
    assert_eq!(error.to_string(), "fixed-risk sizes a trade by its stop, and none is set");
}

#[test]
fn markets_of_one_strategy_share_their_risk() {
    let all = [InstrumentId(0), InstrumentId(1)];
    let table = "rule = 'risk-parity'\ngross = 0.8\nperiod = 100";
    let sizing = || Sizing::read(&table.parse().unwrap()).unwrap().unwrap().among(all[0], &all);
    let strategy = Managed::new(build("ema-trend", ""), Some(sizing()), Ends::default()).unwrap();
    assert_eq!((strategy.warm_up(), strategy.warm_up_of_others()), (101, 101));
    // the other market makes the same moves, three times as far
    let own = walk(3, 600);
    let far: Vec<f64> = own.iter().map(|bar| (bar.close.mantissa() as f64 / 1e5).powi(3) * 1_000.0).collect();
    let told: Vec<Bar> = bars_of(&far).into_iter().map(|bar| Bar { instrument: all[1], ..bar }).collect();
    let mut weights = Vec::new();
    let mut rehearsal = rehearsal(Box::new(Followed { strategy, told: told.into_iter() }), &spot());
    for bar in &own {
        let scene = rehearsal.bar(bar);
        let sized = signal(&scene.decision, "weight by risk-parity").map(|it| it.value.parse::<f64>().unwrap());
        weights.extend(sized);
    }
    // of two markets that move together, the one that moves a third as far gets three quarters of the eight tenths
    assert!(!weights.is_empty() && weights.iter().all(|weight| (weight - 0.6).abs() < 0.03), "{weights:?}");
}

/// A strategy that is shown another market's bars besides.
struct Followed {
    strategy: Managed,
    told: std::vec::IntoIter<Bar>,
}

impl Strategy for Followed {
    fn name(&self) -> &'static str {
        self.strategy.name()
    }
    fn warm_up(&self) -> usize {
        self.strategy.warm_up()
    }
    fn on_bar(&mut self, market: &Market<'_>, bar: &Bar) -> Opinion {
        self.told.next().iter().for_each(|bar| self.strategy.on_other_bar(bar));
        self.strategy.on_bar(market, bar)
    }
    fn signals(&self) -> Vec<Signal> {
        self.strategy.signals()
    }
}
