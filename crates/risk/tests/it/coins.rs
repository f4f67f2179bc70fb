//! Coins beside a portfolio's positions: exposure for whoever buys on top, and nothing that a sale of them meets.

use crate::reach::minutes;
use crate::world::*;
use std::collections::BTreeMap;
use tradewind_domain::*;
use tradewind_risk::*;

fn ether(venue: &str) -> Instrument {
    instrument(1, "ETH/USDT", venue)
}

/// An order of 100 beside coins that leave the limit of that name so much room for it.
fn beside(name: &str, coins: i128, pair: Instrument) -> World {
    let mut world = world(Profile::Conservative);
    let caps = &mut world.limits.account.caps;
    match name {
        "venue" | "class" => caps.net_bps = None,
        "gross" => (caps.net_bps, caps.class_bps) = (None, None),
        "sector" => {
            let named = ["BTC", "ETH"].map(|asset| (asset.to_owned(), "majors".to_owned()));
            world.limits.account.sectors.extend(named);
        }
        _ => (),
    }
    world.coins.push((0, pair, coins));
    world
}

#[test]
fn a_purchase_on_top_of_coins_meets_every_limit_on_exposure_and_their_sale_none() {
    for (name, guard, limit, pair) in [
        ("asset", Guard::Asset, 2_000, instrument(3, "BTC/USDC", "kraken")),
        ("sector", Guard::Sector, 4_000, ether("kraken")),
        ("net", Guard::Net, 6_000, ether("kraken")),
        ("venue", Guard::Venue, 7_000, ether("binance")),
        ("class", Guard::Class, 7_500, ether("kraken")),
        ("gross", Guard::Gross, 8_000, ether("kraken")),
    ] {
        let room = (limit - 100) * UNIT;
        assert_eq!(beside(name, room, pair.clone()).refusal(), None, "just inside {name}");
        let mut world = beside(name, room + 1, pair);
        assert_eq!(world.refusal(), Some(guard), "just outside {name}");
        (world.request.side, world.sells_owned) = (Side::Sell, true);
        assert_eq!(world.refusal(), None, "a sale leaves less of it: {name}");
        world.sells_owned = false;
        let sets_off = matches!(name, "asset" | "net");
        assert_eq!(world.refusal().is_none(), sets_off, "a short sale is a stake of its own: {name}");
    }
}

#[test]
fn coins_are_no_position_no_leverage_and_no_stake_of_a_strategy() {
    let mut world = world(Profile::Conservative);
    let controls = world.limits.limits.controls.unwrap();
    assert_eq!((controls.open_positions, controls.leverage), (Some(3), Some(20_000)));
    world.limits.account.caps.net_bps = None;
    world.equity = 1_000 * UNIT;
    for place in 0..12 {
        world.coins.push((0, instrument(10 + place, &format!("C{place}/USDT"), "kraken"), 500 * UNIT));
    }
    assert_eq!(world.refusal(), None, "60 % of the account, six times the portfolio's own equity, twelve assets");
    for (portfolio, pair, held) in std::mem::take(&mut world.coins) {
        world.lines.push((portfolio, pair, held, held));
    }
    assert_eq!(world.refusal(), Some(Guard::OpenPositions));
}

#[test]
fn a_sale_of_what_is_owned_ends_at_nothing_and_any_other_goes_on_below_it() {
    let mut world = world(Profile::Conservative);
    world.request.side = Side::Sell;
    let pair = world.instrument.clone();
    for (sells_owned, want) in [(true, (0, 0)), (false, (-100 * UNIT, -100 * UNIT))] {
        world.sells_owned = sells_owned;
        let lines = [coins(0, &pair, 900 * UNIT)];
        let situation = world.situation(&lines);
        assert_eq!((situation.line_after().held, situation.stake_after()), want, "of what is owned: {sells_owned}");
    }
}

/// What buying ether for 900 meets where coins of that worth are held.
fn bought(symbol: &str, portfolio: u16, worth: i128) -> Option<Guard> {
    let mut world = world(Profile::Conservative);
    let caps = &mut world.limits.account.caps;
    (caps.net_bps, caps.class_bps, world.notional) = (None, None, 900 * UNIT);
    world.instrument = instrument(2, symbol, "binance");
    world.request.instrument = InstrumentId(2);
    world.coins.push((portfolio, instrument(0, "BTC/USDT", "kraken"), worth * UNIT));
    world.refusal()
}

#[test]
fn a_purchase_that_is_paid_for_with_coins_takes_their_place() {
    assert_eq!(bought("ETH/BTC", 0, 8_000), None, "as much is exposed as before");
    assert_eq!(bought("ETH/BTC", 0, 8_001), Some(Guard::Gross));
    assert_eq!(bought("ETH/BTC", 1, 8_000), Some(Guard::Gross), "coins of another portfolio pay for nothing");
    assert_eq!(bought("ETH/USDT", 0, 7_100), None);
    assert_eq!(bought("ETH/USDT", 0, 7_101), Some(Guard::Gross), "cash pays, and the coins stay");
}

#[test]
fn what_a_day_may_cost_counts_coins_for_a_purchase_and_not_for_their_sale() {
    let falls: Vec<i64> = (0..200).map(|i| if i % 2 == 0 { -4_000 } else { 2_000 }).collect();
    for (name, guard) in [("value_at_risk", Guard::ValueAtRisk), ("expected_shortfall", Guard::ExpectedShortfall)] {
        let with = |worth: i128| {
            let mut world = world(Profile::Conservative);
            let limit = Some(200);
            world.limits.account.caps = match name {
                "value_at_risk" => AccountCaps { var_bps: limit, ..AccountCaps::default() },
                _ => AccountCaps { cvar_bps: limit, ..AccountCaps::default() },
            };
            minutes(&mut world, &[(0, &falls), (1, &falls)]);
            world.coins.push((1, ether("kraken"), worth * UNIT));
            world
        };
        assert_eq!(with(500).refusal(), None, "{name} of little");
        let mut world = with(5_000);
        assert_eq!(world.refusal(), Some(guard), "{name}");
        (world.request.side, world.sells_owned) = (Side::Sell, true);
        assert_eq!(world.refusal(), None, "{name} of a sale");
    }
}

#[test]
fn coins_are_in_use_of_what_they_count_in() {
    let mut world = world(Profile::Moderate);
    let falls: Vec<i64> = (0..200).map(|i| if i % 2 == 0 { -400 } else { 200 }).collect();
    minutes(&mut world, &[(0, &falls)]);
    let pair = world.instrument.clone();
    let used = |is_coins: bool, name: &str| {
        let line = Line { is_coins, ..coins(0, &pair, 4_000 * UNIT) };
        let account = Account {
            portfolio: PortfolioId(0),
            equity: 5_000 * UNIT,
            initial_margin: 0,
            nearest_liquidation: None,
            account_equity: 10_000 * UNIT,
            lines: &[line],
            open_orders: &BTreeMap::new(),
            limits: &world.limits.account,
            monitor: &world.monitor,
        };
        account.in_use(Limit::find(name).unwrap())
    };
    for name in ["asset", "net", "gross", "venue", "class"] {
        assert_eq!((used(true, name), used(false, name)), (Some(4_000), Some(4_000)), "{name}");
    }
    for name in ["value_at_risk", "expected_shortfall"] {
        assert!(used(true, name) > Some(0) && used(true, name) == used(false, name), "{name}");
    }
    for (name, as_position) in [
        ("max_position", 8_000),
        ("leverage", 8_000),
        ("strategy", 4_000),
        ("open_positions", 1),
        ("account_positions", 1),
    ] {
        assert_eq!((used(true, name), used(false, name)), (Some(0), Some(as_position)), "{name}");
    }
}
