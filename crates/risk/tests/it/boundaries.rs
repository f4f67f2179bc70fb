//! Bounds at their very edge: what stands on a limit, one unit inside it and one outside.

use crate::world::*;
use tradewind_domain::*;
use tradewind_risk::*;

const DESK: PortfolioId = PortfolioId(0);
const SECOND: i64 = 1_000_000_000;

#[test]
fn a_stop_is_never_moved_to_a_price_of_nothing() {
    for (side, stop, atr, want) in [
        (Side::Buy, "101", "66.666", Ok("0.001")),
        (Side::Buy, "101", "66.6667", Err("a stop at 101 for an entry at 100")), // 100 are 1.5 ranges: nothing is left
        (Side::Buy, "101", "80", Err("a stop at 101 for an entry at 100")),
        (Side::Buy, "100", "1", Ok("98.5")), // at the entry it stops nothing
        (Side::Sell, "100", "1", Ok("101.5")),
        (Side::Sell, "99", "80", Ok("220")), // above there is always a price
        (Side::Buy, "101", "0", Err("a stop at 101 for an entry at 100")),
    ] {
        let mut world = world(Profile::Conservative);
        world.request.side = side;
        let controls = Controls { stop_max_bps: None, order_risk_bps: None, ..world.limits.limits.controls.unwrap() };
        let plan = Plan { stop: Some(price(stop)), atr: Some(price(atr)), ..Plan::default() };
        let found = audit(&plan, &world.situation(&[]), &controls);
        let found = found.map(|it| it.plan.stop.map(|stop| world.instrument.price_text(stop)).unwrap());
        let found = found.map_err(|breach| (breach.guard, breach.value.clone()));
        let want = want.map(str::to_owned).map_err(|value| (Guard::StopDistance, value.to_owned()));
        assert_eq!(found, want, "{side:?} with a stop at {stop} and a range of {atr}");
    }
}

/// A perpetual with one bracket, up to a notional of so much.
fn bracketed(cap: i64) -> Instrument {
    let mut it = instrument(0, "BTC/USDT:USDT", "binance");
    let tier = MarginTier { floor: 0, cap, leverage: 20, maintenance_e8: 1_000_000, amount: 0 };
    it.spec.margin = MarginTiers::new(vec![tier]).unwrap();
    it
}

#[test]
fn a_stake_beyond_the_venues_brackets_is_refused_however_far_its_liquidation_is() {
    for side in [Side::Buy, Side::Sell] {
        for (cap, want) in [(100 * UNIT, None), (100 * UNIT - 1, Some(Guard::Liquidation))] {
            let mut world = world(Profile::Conservative);
            (world.instrument, world.request.side) = (bracketed(i64::try_from(cap).unwrap()), side);
            world.margin =
                Some(Margin { collateral: world.equity, others_maintenance: 0, others_initial: 0, rate: (1, 1) });
            let found = world.check().err();
            assert_eq!(found.as_ref().map(|breach| breach.guard), want, "{side:?} 100 of {cap}");
            if let Some(breach) = found {
                assert_eq!(breach.value, "a notional of 100, beyond the venue's brackets");
            }
        }
    }
}

#[test]
fn margin_is_rounded_up_by_less_than_a_unit() {
    let it = instrument(0, "BTC/USDT:USDT", "binance");
    let controls = Controls { maintenance_bps: Some(100), initial_bps: Some(1_000), ..Controls::default() };
    let terms = Terms::of(&it, &controls, (1, 1));
    for (notional, maintenance, initial) in
        [(0, 0, 0), (1, 1, 1), (99, 1, 10), (100, 1, 10), (101, 2, 11), (-100, 1, 10), (-101, 2, 11)]
    {
        assert_eq!((terms.maintenance(notional), terms.initial(notional)), (maintenance, initial), "{notional}");
    }
}

#[test]
fn what_no_ledger_holds_is_taken_for_liquidated() {
    let it = instrument(0, "BTC/USDT:USDT", "binance");
    let terms = Terms::of(&it, &Controls::default(), (1, 1));
    let distance = |notional: i128, collateral| {
        let margin = Margin { collateral, others_maintenance: 0, others_initial: 0, rate: (1, 1) };
        liquidation_distance_bps(notional, &margin, &terms)
    };
    let beyond = 1 << 100;
    assert_eq!(distance(100, 100), None, "paid in full");
    for (notional, collateral) in [(100, beyond), (-100, beyond), (100, -beyond), (beyond, 100), (-beyond, beyond)] {
        assert_eq!(distance(notional, collateral), Some(0), "{notional} with {collateral}");
    }
}

#[test]
fn a_position_whose_breaker_a_person_cleared_may_stand_without_a_stop_as_long_again() {
    let mut world = world(Profile::Conservative);
    let most = world.limits.limits.controls.unwrap().unprotected_nanos.unwrap();
    let [one, other] = [InstrumentId(0), InstrumentId(1)];
    for instrument in [one, other] {
        world.fold(NOW, Fact::Bare { portfolio: DESK, instrument });
    }
    let tick = |world: &mut World, after: i64| {
        world.fold(NOW.plus_nanos(after), Fact::Tick);
        world.monitor.trips().iter().map(|trip| trip.scope).collect::<Vec<_>>()
    };
    assert_eq!(tick(&mut world, most - 1), []);
    let both = [one, other].map(|instrument| Scope::Pair(DESK, instrument));
    assert_eq!(tick(&mut world, most), both);
    world.fold(NOW.plus_nanos(most), Fact::Covered { portfolio: DESK, instrument: other });
    world.fold(NOW.plus_nanos(most), Fact::Reset { by: Source::Operator, guard: Some(Guard::Unprotected) });
    assert_eq!(tick(&mut world, 2 * most - 1), [], "counted from the reset on");
    assert_eq!(tick(&mut world, 2 * most), both[..1], "and the other is covered");
}

#[test]
fn what_has_cooled_down_is_gone_from_the_list_and_not_only_normal() {
    let mut world = world(Profile::Conservative);
    (0..3).for_each(|_| world.fold(NOW, Fact::ApiError));
    assert_eq!(world.monitor.trips().len(), 1);
    world.fold(NOW.plus_nanos(3_600 * SECOND), Fact::Tick);
    assert_eq!((world.monitor.trips(), world.monitor.worst()), (&[][..], RiskMode::Normal));
}
