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
    let beyond = i128::MAX / 2;
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

#[test]
fn a_mark_may_be_a_second_ahead_of_us_and_no_more() {
    for (ahead, want) in [(SECOND, None), (SECOND + 1, Some(Guard::Data))] {
        let mut world = world(Profile::Conservative);
        world.reference.at = NOW.plus_nanos(ahead);
        assert_eq!(world.refusal(), want, "{ahead} ns");
    }
}

#[test]
fn the_pace_of_the_account_holds_everybody_but_a_persons_way_out() {
    let refusal = |source, reduces| {
        let mut world = world(Profile::Conservative);
        let most = world.limits.account.caps.orders_per_second.unwrap();
        for order in 0..most {
            let portfolio = PortfolioId(u16::try_from(order).unwrap() + 1);
            let (instrument, side, quantity) = (InstrumentId(0), Side::Buy, quantity("1"));
            world.fold(NOW, Fact::Ordered { portfolio, instrument, side, quantity, price: None });
        }
        assert_eq!(world.monitor.account_orders_last_second(NOW), most);
        assert_eq!(world.monitor.account_orders_last_second(NOW.plus_nanos(SECOND)), 0);
        (world.source, world.reduces) = (source, reduces);
        world.refusal()
    };
    let held = Some(Guard::AccountOrderRate);
    for (source, reduces, want) in [
        (Source::Strategy(0), false, held),
        (Source::Strategy(0), true, held),
        (Source::Operator, false, held),
        (Source::Operator, true, None),
    ] {
        assert_eq!(refusal(source, reduces), want, "{source:?}, an exit: {reduces}");
    }
}

#[test]
fn a_limit_meets_our_own_order_from_its_price_on_and_a_market_order_always() {
    let limit = |side, at| OrderRequest::limit(InstrumentId(0), side, quantity("1"), price(at));
    for (request, own, meets) in [
        (limit(Side::Buy, "100"), "100", true),
        (limit(Side::Buy, "100"), "100.0001", false),
        (limit(Side::Sell, "100"), "100", true),
        (limit(Side::Sell, "100"), "99.9999", false),
        (OrderRequest::market(InstrumentId(0), Side::Buy, quantity("1")), "100", true),
        (OrderRequest::market(InstrumentId(0), Side::Sell, quantity("1")), "100", true),
    ] {
        let mut world = world(Profile::Conservative);
        (world.request, world.own_opposite) = (request, Some(price(own)));
        assert_eq!(world.refusal(), meets.then_some(Guard::SelfMatch), "{request:?} and one of ours at {own}");
    }
}

#[test]
fn one_order_closes_a_position_or_turns_over_nothing() {
    for (held, side, size, turns) in [
        ("0", Side::Sell, "1", false),
        ("0", Side::Buy, "1", false),
        ("1", Side::Sell, "1", false),
        ("1", Side::Sell, "1.001", true),
        ("1", Side::Buy, "5", false),
        ("-1", Side::Buy, "1", false),
        ("-1", Side::Buy, "1.001", true),
        ("-1", Side::Sell, "5", false),
    ] {
        let mut world = world(Profile::Conservative);
        world.position = quantity(held);
        (world.request.side, world.request.quantity) = (side, quantity(size));
        let found = world.refusal();
        assert_eq!(found, turns.then_some(Guard::Reversal), "{side:?} {size} while {held} are held");
    }
}

#[test]
fn a_market_order_is_measured_at_the_price_that_it_would_meet() {
    for (side, bid, ask, want) in [
        (Side::Buy, "99", "101", None),
        (Side::Buy, "98", "101", None), // what a buy does not meet does not matter
        (Side::Buy, "99", "101.0001", Some(Guard::MarketCollar)),
        (Side::Sell, "99", "101", None),
        (Side::Sell, "99", "102", None),
        (Side::Sell, "98.9999", "101", Some(Guard::MarketCollar)),
    ] {
        let mut world = world(Profile::Conservative);
        let controls = world.limits.limits.controls.as_mut().unwrap();
        assert_eq!(controls.market_collar_bps, Some(100));
        (controls.spread_bps, controls.impact_bps) = (None, None);
        (world.request.side, world.quote) = (side, Some(quote(bid, ask)));
        assert_eq!(world.refusal(), want, "{side:?} between {bid} and {ask}");
    }
}

#[test]
fn what_moves_together_is_refused_where_it_adds_and_not_where_it_hedges_or_is_anothers() {
    let moves: Vec<i64> = (0..200).map(|i| (i * 7_919 * 3 + i * i * 104_729) % 199 - 99).collect();
    let refusal = |side, portfolio, share| {
        let mut world = world(Profile::Conservative);
        crate::reach::minutes(&mut world, &[(0, &moves), (1, &moves)]);
        world.request.side = side;
        world.hold(portfolio, instrument(1, "ETH/USDT", "kraken"), share);
        world.refusal()
    };
    let together = Some(Guard::Correlation);
    for (side, portfolio, share, want) in [
        (Side::Buy, 0, 10, together),
        (Side::Buy, 0, -10, None),
        (Side::Sell, 0, 10, None),
        (Side::Sell, 0, -10, together),
        (Side::Buy, 1, 10, None),
    ] {
        assert_eq!(refusal(side, portfolio, share), want, "{side:?} while {portfolio} holds {share}");
    }
}

#[test]
fn of_a_stake_the_larger_side_counts_and_a_purchase_where_both_are_as_large() {
    let it = instrument(0, "BTC/USDT", "binance");
    for (low, high, worst) in [(-5, 3, -5_i128), (-3, 5, 5), (-5, 5, 5), (2, 5, 5), (-5, -2, -5), (0, 0, 0)] {
        let line = Line { portfolio: DESK, instrument: &it, is_coins: false, rate: (1, 1), held: 0, low, high };
        assert_eq!((line.worst_signed(), line.worst()), (worst, worst.abs()), "{low} to {high}");
    }
}

#[test]
fn brackets_of_another_currency_are_told_in_the_base_currency() {
    let it = bracketed(900);
    let (controls, rate) = (Controls { initial_bps: Some(100), ..Controls::default() }, (3, 2));
    let terms = Terms::of(&it, &controls, rate);
    assert_eq!(terms.most(), Some(1_350), "three of ours are two of theirs");
    assert_eq!(terms.initial(1_350), 67, "900 of theirs at a leverage of 20 are 45");
    assert_eq!(terms.maintenance(1_350), 13, "9 of theirs");
}

#[test]
fn a_breaker_that_turns_stricter_says_what_made_it_so_and_one_that_holds_what_tripped_it() {
    let mut world = world(Profile::Conservative);
    let controls = world.limits.limits.controls.unwrap();
    let (alert, least) = (controls.liquidation_alert_bps.unwrap(), controls.deleverage_bps.unwrap());
    let mut near = |nanos: i64, distance_bps| {
        let fact = Fact::NearLiquidation { portfolio: DESK, instrument: InstrumentId(0), distance_bps };
        world.monitor.fold(
            u64::try_from(nanos).unwrap(),
            NOW.plus_nanos(nanos),
            &fact,
            &world.limits.limits,
            &world.limits.account,
        );
        let told = world.monitor.trips().first().map(|trip| (trip.mode, trip.value, trip.limit));
        (told, world.monitor.tripped(), world.monitor.worst())
    };
    assert_eq!(near(1, alert), (None, 0, RiskMode::Normal));
    let caution = Some((RiskMode::Caution, alert - 1, alert));
    assert_eq!(near(2, alert - 1), (caution, 2, RiskMode::Caution));
    assert_eq!(near(3, least), (caution, 2, RiskMode::Caution), "nearer, in the same mode");
    let reduce = Some((RiskMode::ReduceOnly, least - 1, least));
    assert_eq!(near(4, least - 1), (reduce, 4, RiskMode::ReduceOnly));
    assert_eq!(near(5, alert - 1), (reduce, 4, RiskMode::ReduceOnly), "further away, in the mode that it has");
}

#[test]
fn of_two_breakers_that_restrict_alike_the_first_of_the_table_is_told() {
    let mut world = world(Profile::Conservative);
    world.fold(NOW, Fact::Drifted);
    world.fold(NOW, Fact::Restricted { scope: Scope::Portfolio(DESK), mode: RiskMode::ReduceOnly });
    let told = |world: &World, portfolio| {
        let trip = world.monitor.strictest(PortfolioId(portfolio), InstrumentId(0)).unwrap();
        (trip.guard, trip.mode)
    };
    assert_eq!(told(&world, 0), (Guard::Operator, RiskMode::ReduceOnly));
    assert_eq!(told(&world, 1), (Guard::ConfigDrift, RiskMode::ReduceOnly));
    world.fold(NOW, Fact::Restricted { scope: Scope::Account, mode: RiskMode::Halted });
    assert_eq!(
        (told(&world, 0), told(&world, 1)),
        ((Guard::Operator, RiskMode::Halted), (Guard::Operator, RiskMode::Halted))
    );
}

#[test]
fn what_covers_a_position_clears_its_own_breaker_alone() {
    let mut world = world(Profile::Conservative);
    let most = world.limits.limits.controls.unwrap().unprotected_nanos.unwrap();
    for instrument in [0, 1].map(InstrumentId) {
        world.fold(NOW, Fact::Bare { portfolio: DESK, instrument });
    }
    world.fold(
        NOW.plus_nanos(most),
        Fact::NearLiquidation { portfolio: DESK, instrument: InstrumentId(0), distance_bps: 0 },
    );
    world.fold(NOW.plus_nanos(most), Fact::Covered { portfolio: DESK, instrument: InstrumentId(0) });
    let left: Vec<_> = world.monitor.trips().iter().map(|trip| (trip.guard, trip.scope)).collect();
    let pair = |id| Scope::Pair(DESK, InstrumentId(id));
    assert_eq!(left, [(Guard::Unprotected, pair(1)), (Guard::NearLiquidation, pair(0))]);
}

#[test]
fn a_week_that_a_person_cleared_counts_from_the_equity_of_that_moment() {
    let mut world = world(Profile::Conservative);
    let most = i128::from(world.limits.limits.controls.unwrap().weekly_loss_bps.unwrap());
    world.limits.limits.daily_loss_bps = None;
    let lost = |world: &mut World, bps: i128| {
        world.fold(NOW, Fact::Equity { portfolio: DESK, units: (10_000 - bps) * UNIT });
        world.monitor.trips().iter().any(|trip| trip.guard == Guard::WeeklyLoss)
    };
    assert!(!lost(&mut world, 0) && !lost(&mut world, most - 1) && lost(&mut world, most));
    world.fold(NOW, Fact::Reset { by: Source::Operator, guard: Some(Guard::WeeklyLoss) });
    assert!(!lost(&mut world, most), "the loss is accepted");
    assert!(!lost(&mut world, most + 1), "and the next one counts from here");
}

#[test]
fn a_moved_stop_is_rounded_away_from_its_entry() {
    for (side, stop, want) in [(Side::Buy, "101", "98"), (Side::Sell, "99", "102")] {
        let mut world = world(Profile::Conservative);
        (world.instrument.spec.tick, world.request.side) = (price("1"), side);
        let plan = Plan { stop: Some(price(stop)), atr: Some(price("1")), ..Plan::default() };
        let audited = audit(&plan, &world.situation(&[]), &world.limits.limits.controls.unwrap()).unwrap();
        assert_eq!(audited.plan.stop, Some(price(want)), "100 less or more 1.5, on whole ticks");
    }
}

#[test]
fn base_limits_may_be_their_least_and_never_nothing() {
    let valid = |change: fn(&mut Limits)| {
        let mut limits = Limits::RESEARCH;
        change(&mut limits);
        limits.validate().is_ok()
    };
    for (nth, (change, want)) in [
        ((|it| it.max_order = Cap { equity_bps: None, amount: Some(1) }) as fn(&mut Limits), true),
        (|it| it.max_order = Cap { equity_bps: None, amount: Some(0) }, false),
        (|it| it.max_order = Cap { equity_bps: Some(1), amount: Some(-1) }, false),
        (|it| it.max_position = Cap { equity_bps: Some(0), amount: None }, false),
        (|it| it.max_position = Cap { equity_bps: Some(1), amount: None }, true),
        (|it| it.daily_loss_bps = Some(0), false),
        (|it| it.daily_loss_bps = Some(1), true),
        (|it| it.drawdown_bps = Some(9_999), true),
        (|it| it.drawdown_bps = Some(10_000), false),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(valid(change), want, "{nth}");
    }
}
