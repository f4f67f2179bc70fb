//! What the world promises, without sockets.

use super::ledger::{FIRST_CUSTOMER, HOUSE, Ledger};
use super::market::{Cadence, Market, Rules};
use super::order::{Execution, Force, Kind, NewOrder, SelfTrade, Status};
use super::simulate::Simulation;
use super::{Event, NewList, Source, World};
use crate::binance::payload;
use crate::config::SymbolConfig;
use proptest::prelude::*;
use std::collections::BTreeMap;
use tradewind_domain::{Currency, FeeAsset, FeeSchedule, Price, Quantity, Side};

const START: i64 = 1_750_000_000_000;
const ALICE: usize = FIRST_CUSTOMER;
const BOB: usize = FIRST_CUSTOMER + 1;

fn world(seed: u64, fee_asset: FeeAsset) -> World {
    let fees = FeeSchedule { asset: fee_asset, ..FeeSchedule::bps(10, 10) };
    let symbols = SymbolConfig::defaults();
    let rules = |(index, config)| Rules::new(index, config, fees).unwrap();
    let mut markets: Vec<Market> =
        symbols.iter().enumerate().map(rules).map(|rules| Market::new(rules, 60_000, 5_000)).collect();
    let starts: Vec<(f64, f64)> = symbols.iter().map(|symbol| (symbol.start_price, symbol.typical_size)).collect();
    let simulation = Simulation::new(seed, &mut markets, &starts, 10, START, crate::config::Flow::default());
    let mut ledger = Ledger::new(2);
    for customer in [ALICE, BOB] {
        for (asset, amount) in [("BTC", 3), ("ETH", 50), ("USDT", 200_000)] {
            ledger.deposit(customer, currency(asset), amount * 100_000_000);
        }
    }
    World::new(markets, ledger, fees, Source::Simulated(Box::new(simulation)), START)
}

fn currency(code: &str) -> Currency {
    Currency::new(code).unwrap()
}

fn order(side: Side, kind: Kind, lots: i64, price: Option<Price>, stop: Option<Price>) -> NewOrder {
    NewOrder {
        listing: 0,
        side,
        kind,
        force: Force::Gtc,
        quantity: Some(Quantity::from_mantissa(lots * 1_000)),
        quote_quantity: None,
        price,
        stop,
        client_id: None,
        self_trade: SelfTrade::ExpireMaker,
    }
}

/// The best price of one side moved by `ticks`.
fn near(world: &World, side: Side, ticks: i64) -> Price {
    let best = world.best(0, side).map_or(world.markets[0].last, |(best, _)| best);
    Price::from_mantissa(best.mantissa() + ticks * 1_000_000)
}

#[test]
fn the_same_seed_gives_the_same_market_at_any_speed() {
    let events = |seed: u64, stride: i64| {
        let mut world = world(seed, FeeAsset::Received);
        for step in 1..=(60_000 / stride) {
            world.advance(START + step * stride);
        }
        world.take_events().iter().map(|event| format!("{event:?}\n")).collect::<String>()
    };
    let once = events(7, 100);
    assert!(once.len() > 10_000);
    assert!(once == events(7, 100), "the same seed gave another market");
    assert!(once == events(7, 12_000), "another speed gave another market");
    assert!(once != events(8, 100), "another seed gave the same market");
}

#[test]
fn the_book_is_rebuilt_from_its_stream_by_the_venues_rules() {
    let mut world = world(3, FeeAsset::Received);
    world.advance(START + 5_000);
    world.markets[0].changes(Cadence::Fast);
    world.advance(START + 5_300);
    // a snapshot in the middle of what the next event will cover
    let snapshot = payload::partial_depth(&world, 0, 5_000);
    let mut last = snapshot["lastUpdateId"].as_u64().unwrap();
    let mut sides = [read_side(&snapshot["bids"]), read_side(&snapshot["asks"])];
    let mut first = true;
    for step in 1..=100 {
        world.advance(START + 5_300 + step * 100);
        let Some(changes) = world.markets[0].changes(Cadence::Fast) else { continue };
        let event = payload::stream_changes(&world, 0, &changes, world.now());
        let (from, to) = (event["U"].as_u64().unwrap(), event["u"].as_u64().unwrap());
        if to <= last {
            continue;
        }
        let follows = if first { from <= last + 1 } else { from == last + 1 };
        assert!(follows, "U {from} after u {last}");
        (first, last) = (false, to);
        for (side, name) in sides.iter_mut().zip(["b", "a"]) {
            for (price, quantity) in read_side(&event[name]) {
                if quantity == "0.00000000" {
                    side.remove(&price)
                } else {
                    side.insert(price, quantity)
                };
            }
        }
    }
    assert!(!first, "no change was published");
    let now = payload::partial_depth(&world, 0, 5_000);
    assert_eq!(sides, [read_side(&now["bids"]), read_side(&now["asks"])]);
}

fn read_side(side: &serde_json::Value) -> BTreeMap<String, String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    side.as_array().unwrap().iter().map(|level| (text(&level[0]), text(&level[1]))).collect()
}

#[test]
fn a_resting_order_waits_its_turn_and_fills_in_parts() {
    let mut world = world(5, FeeAsset::Received);
    world.advance(START + 1_000);
    // behind what rests at the best bid, and larger than most takers
    let id =
        world.place(ALICE, order(Side::Buy, Kind::Limit, 200_000, Some(near(&world, Side::Buy, 0)), None)).unwrap();
    world.take_events();
    let mut parts = 0;
    for step in 1..6_000 {
        world.advance(START + 1_000 + step * 100);
        parts += world
            .take_events()
            .iter()
            .filter(|event| matches!(event, Event::Report { execution: Execution::Trade(own), .. } if own.order == id))
            .count();
        if world.rows[&id].status == Status::Filled {
            break;
        }
    }
    assert!(parts >= 2, "filled in {parts} part(s)");
    assert!(world.own_trades[ALICE].iter().all(|trade| trade.maker));
}

#[test]
fn an_order_made_smaller_keeps_its_name_and_frees_what_it_held() {
    let mut world = world(5, FeeAsset::Received);
    let price = near(&world, Side::Buy, -100_000);
    let new = NewOrder { client_id: Some("mine".to_owned()), ..order(Side::Buy, Kind::Limit, 200, Some(price), None) };
    let id = world.place(ALICE, new).unwrap();
    let locked = |world: &World| world.ledger.balance(ALICE, currency("USDT")).locked;
    let (held, free) = (locked(&world), world.ledger.balance(ALICE, currency("USDT")).free);
    let lots = |count: i64| Quantity::from_mantissa(count * 1_000);
    world.take_events();
    for (quantity, code) in
        [(lots(200), -2038), (lots(300), -2038), (Quantity::ZERO, -2038), (lots(1) + Quantity::from_mantissa(1), -1013)]
    {
        assert_eq!(world.amend(id, None, quantity).unwrap_err().code, code);
        assert_eq!((world.rows[&id].quantity, locked(&world)), (lots(200), held));
    }
    assert!(world.take_events().is_empty());
    assert_eq!(world.amend(id, Some("mine".to_owned()), lots(50)).unwrap(), ("mine".to_owned(), 1));
    assert_eq!((world.rows[&id].quantity, locked(&world) * 4), (lots(50), held));
    assert_eq!(world.ledger.balance(ALICE, currency("USDT")).free, free + held * 3 / 4);
    let events = world.take_events();
    let report = events.iter().find_map(|event| match event {
        Event::Report { row, execution } => Some(payload::report("BTCUSDT", row, execution, START)),
        _ => None,
    });
    let report = report.unwrap();
    assert_eq!((&report["x"], &report["X"], &report["c"]), (&"REPLACED".into(), &"NEW".into(), &"mine".into()));
    assert_eq!((&report["C"], &report["q"]), (&"mine".into(), &"0.00050000".into()));
    world.amend(id, None, lots(40)).unwrap();
    assert_ne!(world.rows[&id].client_id, "mine", "without a name the venue makes one up");
    assert!(world.find(ALICE, 0, None, Some(&world.rows[&id].client_id)).is_some());
    world.cancel(id, None).unwrap();
    assert_eq!(locked(&world), 0);
    assert_eq!(world.amend(id, None, lots(30)).unwrap_err().code, -2013);
}

#[test]
fn fees_are_taken_in_what_is_received_or_in_quote() {
    for (asset, base_fee) in [(FeeAsset::Received, true), (FeeAsset::Quote, false)] {
        let mut world = world(5, asset);
        world.place(ALICE, order(Side::Buy, Kind::Market, 10_000, None, None)).unwrap();
        for trade in &world.own_trades[ALICE] {
            let (name, amount) =
                if base_fee { ("BTC", i128::from(trade.quantity.mantissa())) } else { ("USDT", trade.quote) };
            assert_eq!(trade.fee_asset, currency(name));
            assert_eq!(trade.fee, tradewind_domain::round_div(amount, 1_000));
        }
        let collected = world.ledger.balance(HOUSE, currency(if base_fee { "BTC" } else { "USDT" })).free;
        assert_eq!(collected, world.own_trades[ALICE].iter().map(|trade| trade.fee).sum::<i128>());
        assert!(collected > 0);
    }
}

#[test]
fn one_cancels_the_other_shares_one_lock() {
    let mut world = world(5, FeeAsset::Received);
    let last = world.markets[0].last;
    let (low, high) = (near(&world, Side::Buy, -300_000), near(&world, Side::Sell, 300_000));
    assert!(low < last && last < high);
    let list = NewList {
        client_id: None,
        below: order(Side::Sell, Kind::StopLossLimit, 100_000, Some(low), Some(low)),
        above: order(Side::Sell, Kind::LimitMaker, 100_000, Some(high), None),
    };
    let id = world.place_list(ALICE, list).unwrap();
    assert_eq!(world.ledger.balance(ALICE, currency("BTC")).locked, 100_000_000);
    let [below, above] = world.lists[&id].orders;
    world.cancel(below, None).unwrap();
    assert_eq!((world.rows[&below].status, world.rows[&above].status), (Status::Canceled, Status::Expired));
    assert_eq!(world.ledger.balance(ALICE, currency("BTC")).locked, 0);
    assert!(world.lists[&id].done);
}

#[test]
fn a_stop_wakes_when_a_trade_reaches_it_and_not_before() {
    let mut world = world(5, FeeAsset::Received);
    world.advance(START + 1_000);
    let stop = Price::from_mantissa(world.markets[0].last.mantissa() + 1_000_000);
    let limit = Price::from_mantissa(stop.mantissa() / 1_000_000 * 1_010_000 / 1_000_000 * 1_000_000);
    let id = world.place(ALICE, order(Side::Buy, Kind::StopLossLimit, 1_000, Some(limit), Some(stop))).unwrap();
    assert_eq!(world.rows[&id].working, None);
    let refused = world.place(ALICE, order(Side::Sell, Kind::StopLossLimit, 1_000, Some(stop), Some(stop)));
    assert_eq!(refused.unwrap_err().text, "Order would trigger immediately.");
    // somebody else lifts the market through the stop
    world.place(BOB, order(Side::Buy, Kind::Market, 200_000, None, None)).unwrap();
    assert!(world.markets[0].last >= stop, "bob's order did not reach the stop");
    assert!(world.rows[&id].working.is_some());
    assert_ne!(world.rows[&id].status, Status::Expired);
}

#[test]
fn nobody_trades_with_himself_unless_he_asks_for_it() {
    for (mode, resting, incoming) in [
        (SelfTrade::ExpireMaker, Status::ExpiredInMatch, None),
        (SelfTrade::ExpireTaker, Status::New, Some(Status::ExpiredInMatch)),
        (SelfTrade::ExpireBoth, Status::ExpiredInMatch, Some(Status::ExpiredInMatch)),
        (SelfTrade::Allow, Status::Filled, Some(Status::Filled)),
    ] {
        let mut world = world(5, FeeAsset::Received);
        let inside = near(&world, Side::Sell, -1);
        assert!(inside > near(&world, Side::Buy, 0));
        let first = world.place(ALICE, order(Side::Sell, Kind::Limit, 1_000, Some(inside), None)).unwrap();
        let taker = NewOrder { self_trade: mode, ..order(Side::Buy, Kind::Limit, 1_000, Some(inside), None) };
        let second = world.place(ALICE, taker).unwrap();
        assert_eq!(world.rows[&first].status, resting, "{mode:?}");
        assert_eq!(world.rows[&second].status, incoming.unwrap_or(Status::New), "{mode:?}");
    }
}

#[derive(Clone, Debug)]
enum Deed {
    Place { who: usize, side: Side, kind: usize, lots: i64, ticks: i64, force: usize },
    Spend { who: usize, side: Side, dollars: i64 },
    List { who: usize, side: Side, lots: i64, reach: i64 },
    Cancel { nth: usize },
    Wait { steps: i64 },
}

fn any_deed() -> impl Strategy<Value = Deed> {
    let who = prop_oneof![Just(ALICE), Just(BOB)];
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    prop_oneof![
        4 => (who.clone(), side.clone(), 0..7_usize, 10..400_000_i64, -3_000..3_000_i64, 0..3_usize)
            .prop_map(|(who, side, kind, lots, ticks, force)| Deed::Place { who, side, kind, lots, ticks, force }),
        1 => (who.clone(), side.clone(), 5..300_000_i64).prop_map(|(who, side, dollars)| Deed::Spend { who, side, dollars }),
        1 => (who, side, 10..200_000_i64, 1..2_000_i64)
            .prop_map(|(who, side, lots, reach)| Deed::List { who, side, lots, reach }),
        2 => (0..20_usize).prop_map(|nth| Deed::Cancel { nth }),
        2 => (1..20_i64).prop_map(|steps| Deed::Wait { steps }),
    ]
}

fn carry_out(world: &mut World, deed: &Deed) {
    match *deed {
        Deed::Place { who, side, kind, lots, ticks, force } => {
            let kind = Kind::ALL[kind];
            let price = kind.has_price().then(|| near(world, side, ticks));
            let stop = kind.is_contingent().then(|| near(world, side, -ticks));
            let force = [Force::Gtc, Force::Ioc, Force::Fok][force];
            let force = if kind.has_time_in_force() { force } else { Force::Gtc };
            let _ = world.place(who, NewOrder { force, ..order(side, kind, lots, price, stop) });
        }
        Deed::Spend { who, side, dollars } => {
            let spend = order(side, Kind::Market, 1, None, None);
            let quote_quantity = Some(i128::from(dollars) * 100_000_000);
            let _ = world.place(who, NewOrder { quantity: None, quote_quantity, ..spend });
        }
        Deed::List { who, side, lots, reach } => {
            let (below, above) = (near(world, Side::Buy, -reach), near(world, Side::Sell, reach));
            let maker = |price| order(side, Kind::LimitMaker, lots, Some(price), None);
            let stop = |price| order(side, Kind::StopLossLimit, lots, Some(price), Some(price));
            let (below, above) =
                if side == Side::Buy { (maker(below), stop(above)) } else { (stop(below), maker(above)) };
            let _ = world.place_list(who, NewList { client_id: None, below, above });
        }
        Deed::Cancel { nth } => {
            let open: Vec<u64> = world.rows.values().filter(|row| row.status.is_open()).map(|row| row.id).collect();
            if let Some(id) = open.get(nth) {
                world.cancel(*id, None).unwrap();
            }
        }
        Deed::Wait { steps } => world.advance(world.now() + steps * 100),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever customers do: nothing is made or lost, nobody owes, and what is locked is what open orders hold.
    #[test]
    fn every_balance_adds_up(
        seed in 0_u64..1_000,
        received in any::<bool>(),
        deeds in proptest::collection::vec(any_deed(), 1..60),
    ) {
        let mut world = world(seed, if received { FeeAsset::Received } else { FeeAsset::Quote });
        let assets = ["BTC", "ETH", "SOL", "USDT"].map(currency);
        let before = assets.map(|asset| world.ledger.total(asset));
        for deed in &deeds {
            carry_out(&mut world, deed);
            prop_assert_eq!(before, assets.map(|asset| world.ledger.total(asset)), "{:?}", deed);
            for customer in [ALICE, BOB] {
                let mut held: BTreeMap<Currency, i128> = BTreeMap::new();
                for row in world.open_orders(customer) {
                    let rules = &world.markets[row.listing].rules;
                    *held.entry(if row.side == Side::Buy { rules.quote } else { rules.base }).or_default() += row.locked;
                }
                for asset in assets {
                    let balance = world.ledger.balance(customer, asset);
                    prop_assert!(balance.free >= 0 && balance.locked >= 0, "{:?} {:?}", deed, balance);
                    prop_assert_eq!(balance.locked, held.get(&asset).copied().unwrap_or(0), "{:?}", deed);
                }
            }
            for row in world.rows.values() {
                prop_assert!(row.executed <= row.quantity);
                prop_assert_eq!(row.status == Status::Filled, row.executed == row.quantity);
            }
        }
    }
}
