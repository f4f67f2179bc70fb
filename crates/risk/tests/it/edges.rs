//! Edges of single guards, and what a person's reset leaves.

use crate::reach::minutes;
use crate::world::*;
use tradewind_domain::*;
use tradewind_risk::*;

const DESK: PortfolioId = PortfolioId(0);

fn conservative() -> World {
    world(Profile::Conservative)
}

#[test]
fn a_mark_outside_the_quote_is_refused_from_the_collar_on_above_and_below() {
    let mut world = conservative();
    let collar = world.limits.limits.controls.unwrap().collar_bps.unwrap();
    assert_eq!(collar, 500);
    for (bid, ask, want) in [
        ("94.99", "95", None), // 5 % below the mark of 100
        ("94.99", "94.9999", Some(Guard::Data)),
        ("105", "105.01", None),
        ("105.0001", "105.01", Some(Guard::Data)),
    ] {
        world.quote = Some(quote(bid, ask));
        let found = world.refusal().filter(|guard| *guard == Guard::Data);
        assert_eq!(found, want, "{bid} to {ask}");
    }
}

#[test]
fn what_takes_from_the_book_is_known_by_its_kind_side_and_price() {
    let limit = |side, at| OrderRequest::limit(InstrumentId(0), side, quantity("1"), price(at));
    for (request, takes) in [
        (OrderRequest::market(InstrumentId(0), Side::Buy, quantity("1")), true),
        (limit(Side::Buy, "100.01"), true),
        (limit(Side::Buy, "100"), false),
        (limit(Side::Sell, "99.99"), true),
        (limit(Side::Sell, "100"), false),
        (OrderRequest { post_only: true, ..limit(Side::Sell, "99") }, false),
        (OrderRequest { kind: OrderKind::Stop { trigger: price("101") }, ..limit(Side::Buy, "1") }, false),
    ] {
        let mut world = conservative();
        world.request = request;
        assert_eq!(world.situation(&[]).takes(), takes, "{request:?}");
        world.quote = None; // then the mark of 100 stands for it
        let by_mark = matches!(request.kind, OrderKind::Limit { price: at } if at == price("100")) || takes;
        assert_eq!(world.situation(&[]).takes(), by_mark && !request.post_only, "{request:?} without a quote");
    }
}

#[test]
fn a_sale_counts_below_what_is_held_and_a_purchase_above() {
    let mut world = conservative();
    let held = 500 * UNIT;
    let it = world.instrument.clone();
    let line = |instrument| Line {
        portfolio: DESK,
        instrument,
        is_coins: false,
        rate: (1, 1),
        held,
        low: held - 100 * UNIT,
        high: held + 50 * UNIT,
    };
    assert_eq!(world.situation(&[line(&it)]).stake_after(), 650 * UNIT);
    world.request.side = Side::Sell;
    assert_eq!(world.situation(&[line(&it)]).stake_after(), 300 * UNIT);
    assert_eq!(world.situation(&[]).stake_after(), -100 * UNIT);
}

#[test]
fn adding_to_a_position_is_no_new_position_that_moves_with_another() {
    let moves: Vec<i64> = (0..200).map(|i| (i * 7_919 * 3 + i * i * 104_729) % 199 - 99).collect();
    let refusal = |held: i128| {
        let mut world = conservative();
        minutes(&mut world, &[(0, &moves), (1, &moves)]);
        world.hold(0, instrument(1, "ETH/USDT", "kraken"), 10);
        let own = world.instrument.clone();
        world.lines.push((0, own, held, held));
        world.refusal()
    };
    assert_eq!(refusal(0), Some(Guard::Correlation));
    assert_eq!(refusal(UNIT), None);
}

#[test]
fn without_a_cap_on_its_tail_only_the_correlation_is_asked() {
    let falls: Vec<i64> = (0..200).map(|i| if i % 2 == 0 { -4_000 } else { 2_000 }).collect();
    let refusal = |caps: bool| {
        let mut world = conservative();
        if !caps {
            (world.limits.account.caps.var_bps, world.limits.account.caps.cvar_bps) = (None, None);
        }
        world.limits.limits.controls.as_mut().unwrap().correlation_bps = Some(10_000);
        minutes(&mut world, &[(0, &falls), (1, &falls)]);
        world.monitor = {
            let mut calm = world.monitor.clone();
            calm.fold(
                1,
                world.now,
                &Fact::Reset { by: Source::Operator, guard: None },
                &world.limits.limits,
                &world.limits.account,
            );
            calm
        };
        world.hold(1, instrument(1, "ETH/USDT", "kraken"), 5_000);
        world.refusal()
    };
    assert_eq!((refusal(true), refusal(false)), (Some(Guard::ValueAtRisk), None));
}

/// What the guard on value at risk finds while ether, held with `share` basis points, was last priced `behind` minutes ago.
fn at_risk_behind_a_silence(behind: usize, share: i128) -> Option<String> {
    let falls: Vec<i64> = (0..200).map(|i| if i % 2 == 0 { -10 } else { 10 }).collect();
    let mut world = conservative();
    (world.limits.account.caps.asset_bps, world.limits.account.caps.cvar_bps) = (None, None);
    minutes(&mut world, &[(0, &falls), (1, &falls[..200 - behind])]);
    world.limits.limits.controls.as_mut().unwrap().correlation_bps = None;
    world.hold(1, instrument(1, "ETH/USDT", "kraken"), share);
    world.check().err().map(|breach| format!("{:?}: {} against {}", breach.guard, breach.value, breach.limit))
}

#[test]
fn a_stake_that_nobody_prices_any_more_counts_as_lost_and_hides_no_other() {
    assert_eq!(at_risk_behind_a_silence(0, 300), None);
    assert_eq!(at_risk_behind_a_silence(19, 300), None, "a short silence is a price that stood");
    let found = at_risk_behind_a_silence(21, 300).unwrap();
    assert!(found.starts_with("ValueAtRisk: 3 %") && found.contains("with 300 that nobody"), "{found}");
    assert_eq!(at_risk_behind_a_silence(160, 150), None, "1.5 % may be lost");
    let found = at_risk_behind_a_silence(160, 300).unwrap();
    assert!(found.starts_with("ValueAtRisk: 3 %"), "however long it is silent: {found}");
}

#[test]
fn only_so_many_orders_are_remembered_for_the_duplicate_check() {
    let mut world = conservative();
    let order = |size: i64| Fact::Ordered {
        portfolio: DESK,
        instrument: InstrumentId(0),
        side: Side::Buy,
        quantity: Quantity::from_mantissa(size * 100_000_000),
        price: None,
    };
    let later = |world: &mut World| world.now = NOW.plus_nanos(1_000_000_001); // past the throttle, within the window
    for size in 1..=256 {
        world.fold(NOW, order(size));
    }
    later(&mut world);
    assert_eq!(world.refusal(), Some(Guard::Duplicate), "one of 256");
    world.fold(NOW, order(257));
    later(&mut world);
    assert_ne!(world.refusal(), Some(Guard::Duplicate), "the oldest went");
}

/// Trips `guard` by repeating `fact`, lets an operator clear it, and counts how often it takes to trip it again.
fn again(guard: Guard, fact: Fact) -> (i64, i64) {
    let mut world = conservative();
    let count = |world: &mut World| {
        let times = (1..100).find(|_| {
            world.fold(NOW, fact);
            world.monitor.trips().iter().any(|trip| trip.guard == guard)
        });
        times.expect("it trips")
    };
    let first = count(&mut world);
    world.fold(NOW, Fact::Reset { by: Source::Operator, guard: Some(guard) });
    assert!(world.monitor.trips().iter().all(|trip| trip.guard != guard), "{guard:?}");
    (first, count(&mut world))
}

#[test]
fn what_an_operator_cleared_is_counted_anew_from_nothing() {
    for (guard, fact) in [
        (Guard::ConsecutiveLosses, Fact::Realised { portfolio: DESK, profit: -1 }),
        (Guard::FailedTrades, Fact::Rejected { portfolio: DESK }),
        (Guard::OrderFailures, Fact::Failed { portfolio: DESK }),
        (Guard::ApiErrors, Fact::ApiError),
        (Guard::RepeatedFills, Fact::Filled { portfolio: DESK, instrument: InstrumentId(0), side: Side::Buy }),
    ] {
        let (first, second) = again(guard, fact);
        assert!(first > 1 && first == second, "{guard:?}: {first} times, then {second}");
    }
}

#[test]
fn clearing_a_breaker_of_another_kind_leaves_the_count_of_errors() {
    for (scope, guard, errors) in [
        (Scope::Instrument(InstrumentId(0)), Guard::Operator, 2),
        (Scope::Account, Guard::Operator, 2),
        (Scope::Account, Guard::ConfigDrift, 2),
        (Scope::Account, Guard::ApiErrors, 0),
    ] {
        let mut world = conservative();
        (0..2).for_each(|_| world.fold(NOW, Fact::ApiError));
        match guard {
            Guard::ConfigDrift => world.fold(NOW, Fact::Drifted),
            Guard::Operator => world.fold(NOW, Fact::Restricted { scope, mode: RiskMode::ReduceOnly }),
            _ => world.fold(NOW, Fact::ApiError), // the third
        }
        assert_eq!(world.monitor.trips().iter().map(|trip| trip.guard).collect::<Vec<_>>(), [guard]);
        world.fold(NOW, Fact::Reset { by: Source::Operator, guard: Some(guard) });
        assert_eq!((world.monitor.trips().len(), world.monitor.api_errors_last_minute()), (0, errors), "{guard:?}");
    }
}

#[test]
fn a_day_an_operator_cleared_counts_from_the_equity_of_that_moment() {
    let mut world = conservative();
    let equity =
        |world: &mut World, units: i128| world.fold(NOW, Fact::Equity { portfolio: DESK, units: units * UNIT });
    let trips = |world: &World| world.monitor.trips().iter().any(|trip| trip.guard == Guard::DailyLoss);
    equity(&mut world, 10_000);
    equity(&mut world, 9_700);
    assert!(trips(&world));
    world.fold(NOW, Fact::Reset { by: Source::Operator, guard: Some(Guard::DailyLoss) });
    equity(&mut world, 9_410);
    assert!(!trips(&world), "290 of 9,700 are less than 3 %");
    equity(&mut world, 9_409);
    assert!(trips(&world));
}

#[test]
fn a_scope_covers_what_it_says() {
    let (other, bitcoin, ether) = (PortfolioId(1), InstrumentId(0), InstrumentId(1));
    for (scope, covers) in [
        (Scope::Account, [true, true, true]),
        (Scope::Portfolio(DESK), [true, true, false]),
        (Scope::Instrument(bitcoin), [true, false, true]),
        (Scope::Pair(DESK, bitcoin), [true, false, false]),
    ] {
        let found = [(DESK, bitcoin), (DESK, ether), (other, bitcoin)].map(|(desk, it)| scope.covers(desk, it));
        assert_eq!(found, covers, "{scope:?}");
    }
}

#[test]
fn caution_halves_what_one_order_may_be_and_says_by_how_much() {
    let mut world = world(Profile::Moderate); // 2 % of 10,000 an order
    world.fold(NOW, Fact::Restricted { scope: Scope::Account, mode: RiskMode::Caution });
    assert_eq!(world.refusal(), None, "100 is half of 200");
    world.notional += 1;
    let breach = world.check().unwrap_err();
    assert_eq!((breach.guard, breach.value.as_str(), breach.limit.as_str()), (Guard::Caution, "100.00000001", "100"));
    world.reduces = true;
    assert_eq!(world.refusal(), None);
}
