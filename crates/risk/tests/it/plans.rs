//! Plans: each rule alone refuses, and what is put right says so.

use crate::world::*;
use tradewind_domain::*;
use tradewind_risk::*;

fn judged(side: Side, plan: Plan) -> Result<Audited, Box<Breach>> {
    let mut world = world(Profile::Conservative);
    world.request.side = side;
    let controls = world.limits.limits.controls.unwrap();
    audit(&plan, &world.situation(&[]), &controls)
}

fn plan(stop: &str, target: &str) -> Plan {
    Plan { stop: Some(price(stop)), target: Some(price(target)), confidence_bps: Some(6_000), ..Plan::default() }
}

#[test]
fn a_sound_plan_passes_on_both_sides() {
    for (side, it) in [(Side::Buy, plan("98", "103")), (Side::Sell, plan("102", "97"))] {
        let audited = judged(side, it).unwrap();
        assert_eq!((audited.plan, audited.corrections), (it, vec![]));
    }
    assert!(judged(Side::Buy, Plan::default()).is_ok(), "what it does not say is not judged");
}

#[test]
fn each_rule_alone_refuses() {
    let hold = Plan { hold: true, ..plan("98", "103") };
    let unsure = Plan { confidence_bps: Some(5_999), ..plan("98", "103") };
    for (side, plan, want, value) in [
        (Side::Buy, hold, Guard::Plan, "hold"),
        (Side::Buy, unsure, Guard::Confidence, "59.99 %"),
        (Side::Buy, plan("99.6", "103"), Guard::StopDistance, "0.4 %"),
        (Side::Sell, plan("106", "80"), Guard::StopDistance, "6 %"),
        (Side::Buy, plan("98", "102.9"), Guard::RewardRisk, "1.45x"),
        (Side::Sell, plan("102", "101"), Guard::RewardRisk, "-0.5x"),
        (Side::Buy, plan("101", "103"), Guard::StopDistance, "a stop at 101 for an entry at 100"),
    ] {
        let breach = judged(side, plan).unwrap_err();
        assert_eq!((breach.guard, breach.value.as_str()), (want, value));
    }
}

#[test]
fn a_stop_on_the_wrong_side_is_moved_and_the_move_is_recorded() {
    for (side, wrong, target, right) in [(Side::Buy, "101", "104", "98.5"), (Side::Sell, "99", "96", "101.5")] {
        let it = Plan { atr: Some(price("1")), ..plan(wrong, target) };
        let audited = judged(side, it).unwrap();
        assert_eq!(audited.plan.stop, Some(price(right)));
        let correction = &audited.corrections[0];
        assert_eq!(
            (correction.what.as_str(), correction.from.as_str(), correction.to.as_str()),
            ("stop", wrong, right)
        );
    }
    let too_wide = Plan { atr: Some(price("4")), ..plan("101", "150") };
    assert_eq!(judged(Side::Buy, too_wide).unwrap_err().guard, Guard::StopDistance, "a corrected stop is judged too");
}

#[test]
fn the_price_of_a_limit_is_the_entry() {
    let mut world = world(Profile::Conservative);
    world.request = OrderRequest::limit(InstrumentId(0), Side::Buy, quantity("1"), price("98"));
    world.plan = Some(plan("97.9", "103"));
    assert_eq!(world.refusal(), Some(Guard::StopDistance));
    world.plan = Some(plan("97", "103"));
    assert_eq!(world.refusal(), None);
}

#[test]
fn a_plan_that_names_its_regime_needs_the_confidence_of_that_regime() {
    let guard = |regime, confidence_bps| {
        judged(Side::Buy, Plan { regime, confidence_bps, ..plan("98", "103") }).err().map(|it| it.guard)
    };
    for (regime, confidence, want) in [
        (None, 6_000, None),
        (None, 5_999, Some(Guard::Confidence)),
        (Some(PlanRegime::WithTrend), 6_000, None),
        (Some(PlanRegime::WithTrend), 5_999, Some(Guard::Confidence)),
        (Some(PlanRegime::Range), 6_500, None),
        (Some(PlanRegime::Range), 6_499, Some(Guard::Regime)),
        (Some(PlanRegime::Range), 5_999, Some(Guard::Confidence)),
        (Some(PlanRegime::Counter), 7_000, None),
        (Some(PlanRegime::Counter), 6_999, Some(Guard::Regime)),
    ] {
        assert_eq!(guard(regime, Some(confidence)), want, "{regime:?} {confidence}");
    }
    assert_eq!(guard(Some(PlanRegime::Counter), None), None, "what it does not say is not judged");
    let unsure = Plan { regime: Some(PlanRegime::Counter), confidence_bps: Some(6_999), ..Plan::default() };
    assert_eq!(
        judged(Side::Buy, unsure).unwrap_err().to_string(),
        "RSK-48 regime: the plan's confidence is 69.99 % in counter; needed in such a market is 70 %; to clear: wait for a better one, or for a market that trends its way"
    );
}
