//! How much of each limit is in use, as people are told.

use crate::world::{NOW, UNIT, instrument, world};
use std::collections::BTreeMap;
use tradewind_domain::*;
use tradewind_risk::*;

/// What is in use of the limit of that name, seen from portfolio 0.
fn used(monitor: &Monitor, name: &str) -> Option<i64> {
    let (bitcoin, ether) = (instrument(0, "BTC/USDT", "binance"), instrument(1, "ETH/USDT", "kraken"));
    let line = |portfolio, instrument, held: i128, low: i128, high: i128| Line {
        portfolio: PortfolioId(portfolio),
        instrument,
        is_coins: false,
        rate: (1, 1),
        held: held * UNIT,
        low: low * UNIT,
        high: high * UNIT,
    };
    let lines = [
        line(0, &bitcoin, 3_000, 3_000, 3_000),
        line(0, &ether, -500, -2_000, -500), // an order to sell more of it is open
        line(1, &bitcoin, 1_000, 1_000, 1_000),
        line(1, &ether, 0, 0, 0),
    ];
    let account = Account {
        portfolio: PortfolioId(0),
        equity: 5_000 * UNIT,
        initial_margin: 500 * UNIT,
        nearest_liquidation: Some(812),
        account_equity: 10_000 * UNIT,
        lines: &lines,
        open_orders: &BTreeMap::from([(bitcoin.id, 3), (ether.id, 1)]),
        limits: &LimitSet::of(Profile::Moderate).account,
        monitor,
    };
    account.in_use(Limit::find(name).unwrap())
}

#[test]
fn what_is_held_and_may_come_to_be_held_is_in_use() {
    for (name, want) in [
        ("net", Some(3_500)), // at worst all that is long, less what is short for certain
        ("gross", Some(6_000)),
        ("asset", Some(4_000)),
        ("venue", Some(4_000)),
        ("strategy", Some(5_000)),
        ("class", Some(6_000)),
        ("leverage", Some(10_000)),
        ("open_positions", Some(2)),
        ("account_positions", Some(2)),
        ("open_orders", Some(4)),
        ("open_orders_symbol", Some(3)),
        ("margin_used", Some(1_000)),
        ("initial_margin", None), // what it is reckoned with is not used up
        ("liquidation_alert", Some(812)),
        ("max_position", Some(6_000)),
        ("max_position_amount", Some(300_000_000_000)),
        ("max_order", None),
        ("spread", None),
        ("var_method", None),
    ] {
        assert_eq!(used(&Monitor::default(), name), want, "{name}");
    }
}

#[test]
fn losses_and_counts_are_in_use_as_the_monitor_saw_them() {
    let mut world = world(Profile::Moderate);
    let portfolio = PortfolioId(0);
    let day = 86_400_000_000_000;
    for (after, units) in [(0, 1_000), (2 * day, 1_010), (2 * day + 1, 990), (3 * day, 980), (3 * day + 1, 970)] {
        // from Monday on: NOW is a Saturday
        world.fold(NOW.plus_nanos(after), Fact::Equity { portfolio, units: units * UNIT });
    }
    let end = NOW.plus_nanos(3 * day + 1);
    world.fold(end, Fact::ApiError);
    for portfolio in [0, 0, 1].map(PortfolioId) {
        let (instrument, side, quantity) = (InstrumentId(0), Side::Buy, Quantity::from_mantissa(1));
        world.fold(end, Fact::Ordered { portfolio, instrument, side, quantity, price: None });
    }
    world.fold(end, Fact::Rejected { portfolio });
    world.fold(end, Fact::Failed { portfolio });
    world.fold(end, Fact::Realised { portfolio, profit: -1 });
    world.fold(end, Fact::Realised { portfolio, profit: -1 });
    for (name, want) in [
        ("daily_loss", Some((990 - 970) * 10_000 / 990)), // a day and a week begin with the last equity before them
        ("weekly_loss", Some((1_000 - 970) * 10_000 / 1_000)),
        ("drawdown", Some((1_010 - 970) * 10_000 / 1_010)),
        ("drawdown_halt", Some((1_010 - 970) * 10_000 / 1_010)),
        ("consecutive_losses", Some(2)),
        ("failed_trades", Some(1)),
        ("order_failures", Some(2)),
        ("api_errors", Some(1)),
        ("orders_per_second", Some(2)),
        ("account_orders_per_second", Some(3)),
    ] {
        assert_eq!(used(&world.monitor, name), want, "{name}");
    }
    let equity = world.monitor.equity_of(portfolio).unwrap();
    assert_eq!((equity.day_start(), equity.peak()), (Some(990 * UNIT), Some(1_010 * UNIT)));
}

#[test]
fn a_breaker_leads_to_its_mode_first_and_what_refuses_one_order_to_none() {
    for (guard, mode) in [
        (Guard::DailyLoss, Some(RiskMode::ReduceOnly)),
        (Guard::DrawdownHalt, Some(RiskMode::Halted)),
        (Guard::Spread, None),
        (Guard::Gross, None),
    ] {
        assert_eq!(guard.mode(), mode, "{guard:?}");
    }
}

#[test]
fn who_stands_without_a_stop_is_told_by_position_and_for_how_long() {
    let mut world = world(Profile::Moderate);
    let (portfolio, later) = (PortfolioId(0), NOW.plus_nanos(2_000_000_000));
    for (at, place) in [(NOW, 1), (later, 0), (later, 1)] {
        world.fold(at, Fact::Bare { portfolio, instrument: InstrumentId(place) });
    }
    let bare = world.monitor.bare_positions();
    assert_eq!(bare.iter().map(|it| (it.instrument.0, it.since)).collect::<Vec<_>>(), [(0, later), (1, NOW)]);
    assert_eq!(used(&world.monitor, "unprotected"), Some(2_000_000_000));
}
