//! What the world promises, without sockets.

use super::ledger::{FIRST_CUSTOMER, HOUSE, Ledger};
use super::market::{Cadence, Market, Rules};
use super::order::{Execution, Force, Kind, NewOrder, SelfTrade, Status};
use super::simulate::Simulation;
use super::trades::TradeTape;
use super::{Event, NewList, Source, World};
use crate::binance::payload;
use crate::config::SymbolConfig;
use proptest::prelude::*;
use std::collections::BTreeMap;
use tradewind_domain::{
    Currency, FeeAsset, FeeSchedule, InstrumentId, Price, Quantity, Side, Timestamp, Trade, TradeId,
};

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
    world.take_events();
    world.cancel(below, Some("away")).unwrap();
    assert_eq!((world.rows[&below].status, world.rows[&above].status), (Status::Canceled, Status::Canceled));
    assert_eq!(world.ledger.balance(ALICE, currency("BTC")).locked, 0);
    assert!(world.lists[&id].done);
    let told = world.take_events();
    let by_name = |event: &&Event| match event {
        Event::Report { execution: Execution::Canceled { client_id }, .. } => client_id == "away",
        _ => false,
    };
    assert_eq!(told.iter().filter(by_name).count(), 2, "one request cancelled both");
}

#[test]
fn one_that_trades_lets_the_other_expire() {
    let mut world = world(5, FeeAsset::Received);
    let last = world.markets[0].last;
    let low = near(&world, Side::Buy, -300_000);
    let high = near(&world, Side::Sell, 1).max(Price::from_mantissa(last.mantissa() + 1_000_000));
    assert!(low < last);
    let list = NewList {
        client_id: None,
        below: order(Side::Sell, Kind::StopLossLimit, 1_000, Some(low), Some(low)),
        above: order(Side::Sell, Kind::LimitMaker, 1_000, Some(high), None),
    };
    let id = world.place_list(ALICE, list).unwrap();
    let [below, above] = world.lists[&id].orders;
    world.place(BOB, order(Side::Buy, Kind::Limit, 200_000, Some(high), None)).unwrap();
    assert_eq!(world.rows[&above].status, Status::Filled);
    assert_eq!(world.rows[&below].status, Status::Expired);
}

#[test]
fn an_account_is_never_made_to_owe() {
    let mut ledger = Ledger::new(1);
    let usdt = currency("USDT");
    ledger.deposit(ALICE, usdt, 100);
    ledger.lock(ALICE, usdt, 30).unwrap();
    assert_eq!(ledger.adjust(ALICE, usdt, -71), Err(70), "what orders hold is not free");
    assert_eq!(ledger.adjust(ALICE, usdt, -70), Ok(()));
    assert_eq!(ledger.adjust(ALICE, usdt, i128::from(i64::MIN)), Err(0));
    assert_eq!(ledger.adjust(ALICE, usdt, 5), Ok(()));
    assert_eq!((ledger.balance(ALICE, usdt).free, ledger.balance(ALICE, usdt).locked), (5, 30));
}

#[test]
fn a_day_counts_the_trades_between_its_first_and_its_last_number() {
    let mut world = world(5, FeeAsset::Received);
    let ticker = |world: &World| {
        let said = payload::rest_ticker(&world.markets[0], world.now(), true);
        ["firstId", "lastId", "count"].map(|name| said[name].as_i64().unwrap())
    };
    assert_eq!(ticker(&world), [-1, -1, 0], "what traded before the opening has no numbers");
    world.advance(START + 60_000);
    let [first, last, count] = ticker(&world);
    assert!(first == 1 && last > first, "{first} {last}");
    assert_eq!(count, last - first + 1);
    assert_eq!(payload::stream_ticker(&world.markets[0], world.now())["n"], count);
}

const COIN: i64 = 100_000_000;

/// A tape of XRP/USDT in whole coins: who took, at how many ticks of 0.0001, and how much, one trade a second.
fn taped(trades: &[(Side, i64, i64)]) -> World {
    let (config, fees) = (SymbolConfig::new("XRP/USDT", "0.0001", "1", 0.0, 0.0), FeeSchedule::bps(0, 0));
    let mut market = Market::new(Rules::new(0, &config, fees).unwrap(), 60_000, 100);
    let recorded = trades.iter().zip(0..).map(|((aggressor, ticks, units), second)| {
        let trade = Trade {
            instrument: InstrumentId(0),
            price: Price::from_mantissa(ticks * 10_000),
            quantity: Quantity::from_mantissa(*units),
            aggressor: *aggressor,
            id: TradeId(0),
        };
        (Timestamp::from_millis(START + second * 1_000), trade)
    });
    let tape = TradeTape::new(recorded.collect());
    tape.begin(&mut market);
    let mut ledger = Ledger::new(1);
    for asset in ["XRP", "USDT"] {
        ledger.deposit(ALICE, currency(asset), 1_000_000 * i128::from(COIN));
    }
    World::new(vec![market], ledger, fees, Source::Trades(Box::new(tape)), START - 1)
}

/// What the public was told: who took, at how many ticks, and how much.
fn told(world: &World) -> Vec<(Side, i64, i64)> {
    let trades = world.markets[0].trades.iter();
    trades.map(|trade| (trade.taker, trade.price.mantissa() / 10_000, trade.quantity.mantissa())).collect()
}

#[test]
fn every_recorded_trade_is_told_once_with_its_size() {
    let sizes = [162, 220, 1, 95, 3_000, 220, 7];
    let recorded: Vec<_> = (0..200_i64)
        .map(|at| {
            let side = if at % 3 == 0 { Side::Buy } else { Side::Sell };
            let dust = if at % 5 == 0 { COIN / 4 } else { 0 }; // finer than a lot, as before a venue made its lots coarser
            let size = sizes[usize::try_from(at).unwrap() % sizes.len()];
            (side, 5_000 + (at * 7) % 4, (size * COIN + dust) / if at % 11 == 0 { 1_000 } else { 1 })
        })
        .collect();
    let mut world = taped(&recorded);
    world.advance(START + 200_000);
    assert_eq!(told(&world), recorded);
}

#[test]
fn the_depth_beside_a_tape_is_in_lots_and_so_is_what_customers_trade() {
    let mut world =
        taped(&[(Side::Buy, 5_000, 220 * COIN), (Side::Sell, 4_999, 37 * COIN), (Side::Buy, 5_000, COIN / 4)]);
    world.advance(START + 5_000);
    for side in [Side::Buy, Side::Sell] {
        let levels = world.levels(0, side, 100);
        assert!(levels.len() >= 10, "{levels:?}");
        assert!(levels.iter().all(|(_, size)| size.mantissa() % COIN == 0), "{levels:?}");
    }
    let quantity = Some(Quantity::from_mantissa(700 * COIN));
    let id = world.place(ALICE, NewOrder { quantity, ..order(Side::Buy, Kind::Market, 1, None, None) }).unwrap();
    assert_eq!(world.rows[&id].status, Status::Filled);
    assert!(world.own_trades[ALICE].len() > 1);
    assert!(world.own_trades[ALICE].iter().all(|trade| trade.quantity.mantissa() % COIN == 0));
}

#[test]
fn a_customer_waits_behind_what_a_tape_had_resting_before_he_came() {
    let sold = |coins: i64| (Side::Sell, 5_000, coins * COIN);
    let mut world = taped(&[sold(100), sold(60), sold(60), sold(30)]);
    world.advance(START); // the tape rests as much again
    let (quantity, price) = (Some(Quantity::from_mantissa(50 * COIN)), Some(Price::from_mantissa(50_000_000)));
    let id = world.place(ALICE, NewOrder { quantity, ..order(Side::Buy, Kind::Limit, 1, price, None) }).unwrap();
    for (second, executed) in [(1, 0), (2, 20), (3, 50)] {
        world.advance(START + second * 1_000);
        assert_eq!(world.rows[&id].executed.mantissa(), executed * COIN, "after {second} s");
    }
    assert_eq!(
        told(&world),
        [sold(100), sold(60), sold(40), sold(20), sold(30)],
        "a customer's part is a trade of its own"
    );
}

#[test]
fn a_tape_of_coins_by_the_billion_is_played() {
    let size = 7_000_000_000 * COIN;
    let recorded = [(Side::Sell, 5_000, size); 20];
    let mut world = taped(&recorded);
    world.advance(START + 30_000);
    assert_eq!(told(&world), recorded);
    let day = payload::rest_ticker(&world.markets[0], world.now(), false);
    assert_eq!((&day["volume"], &day["count"]), (&"140000000000.00000000".into(), &serde_json::json!(20)));
    assert_eq!(day["weightedAvgPrice"], "0.50000000");
    let quote_quantity = Some(i128::from(100 * COIN));
    let spend = order(Side::Buy, Kind::Market, 1, None, None);
    let id = world.place(ALICE, NewOrder { quantity: None, quote_quantity, ..spend }).unwrap();
    assert_eq!(world.rows[&id].status, Status::Filled);
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
        (SelfTrade::Decrement, Status::ExpiredInMatch, Some(Status::ExpiredInMatch)),
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

fn lots(count: i64) -> Quantity {
    Quantity::from_mantissa(count * 1_000)
}

/// What is set aside of Alice's.
fn locked(world: &World, asset: &str) -> i128 {
    world.ledger.balance(ALICE, currency(asset)).locked
}

/// Every report of a prevented match since the last call, as it is told.
fn prevented(world: &mut World) -> Vec<serde_json::Value> {
    let told = world.take_events().into_iter().filter_map(|event| match event {
        Event::Report { row, execution: execution @ Execution::TradePrevention(_) } => {
            Some(payload::report("BTCUSDT", &row, &execution, START))
        }
        _ => None,
    });
    told.collect()
}

#[test]
fn a_decrement_takes_the_smaller_from_both_frees_what_it_held_and_the_larger_fills_with_the_rest() {
    for (resting, incoming) in [(1_000, 3_000), (3_000, 1_000), (1_000, 1_000)] {
        let mut world = world(5, FeeAsset::Received);
        let inside = near(&world, Side::Sell, -1);
        let lost = resting.min(incoming);
        let first = world.place(ALICE, order(Side::Sell, Kind::Limit, resting, Some(inside), None)).unwrap();
        let taker = order(Side::Buy, Kind::Limit, incoming, Some(inside), None);
        let second = world.place(ALICE, NewOrder { self_trade: SelfTrade::Decrement, ..taker }).unwrap();
        for (id, asked) in [(first, resting), (second, incoming)] {
            let row = &world.rows[&id];
            let status = if asked == lost { Status::ExpiredInMatch } else { Status::New };
            assert_eq!((row.status, row.executed), (status, Quantity::ZERO), "{resting} and {incoming}");
            assert_eq!((row.prevented, row.remaining()), (lots(lost), lots(asked - lost)), "{resting} and {incoming}");
        }
        assert_eq!(locked(&world, "BTC"), i128::from(lots(resting - lost).mantissa()));
        assert_eq!(locked(&world, "USDT"), world.markets[0].rules.notional(inside, lots(incoming - lost)));
        let shown = [Side::Sell, Side::Buy].map(|side| world.size_at(0, side, inside));
        assert_eq!(shown, [lots(resting - lost), lots(incoming - lost)]);
        let (told, lost) = (prevented(&mut world), lots(lost));
        let ids: Vec<_> = told.iter().map(|report| (report["i"].as_u64(), report["U"].as_u64())).collect();
        assert_eq!(ids, [(Some(first), Some(second)), (Some(second), Some(first))]);
        for report in &told {
            for field in ["A", "B", "pl"] {
                assert_eq!(report[field], payload::quantity_text(lost), "{field} of {report}");
            }
            for field in ["l", "L", "Y", "z"] {
                assert_eq!(report[field], "0.00000000", "{field} of {report}");
            }
            let worth = payload::fixed(world.markets[0].rules.notional(inside, lost));
            assert_eq!(report["pL"], payload::price_text(inside));
            assert_eq!(report["pY"], worth);
            assert_eq!(report["v"], 0);
            assert_eq!(report["Cs"], "BTCUSDT");
            assert_eq!(report["w"], report["X"] == "NEW", "{report}");
        }
        assert!(world.own_trades[ALICE].is_empty());
        if resting != incoming {
            let (id, side) = if resting > incoming { (first, Side::Buy) } else { (second, Side::Sell) };
            world.place(BOB, order(side, Kind::Limit, 2_000, Some(inside), None)).unwrap();
            assert_eq!((world.rows[&id].status, world.rows[&id].executed), (Status::Filled, lots(2_000)));
        }
        assert_eq!((locked(&world, "BTC"), locked(&world, "USDT")), (0, 0));
    }
}

#[test]
fn a_market_order_by_amount_counts_what_a_decrement_takes_as_spent() {
    let mut world = world(5, FeeAsset::Received);
    let inside = near(&world, Side::Sell, -1);
    let first = world.place(ALICE, order(Side::Sell, Kind::Limit, 1_000, Some(inside), None)).unwrap();
    let prevented = world.markets[0].rules.notional(inside, lots(1_000));
    let spend = order(Side::Buy, Kind::Market, 1, None, None);
    let taker =
        NewOrder { quantity: None, quote_quantity: Some(2 * prevented), self_trade: SelfTrade::Decrement, ..spend };
    let second = world.place(ALICE, taker).unwrap();
    let (first, second) = (&world.rows[&first], &world.rows[&second]);
    assert_eq!((first.status, first.prevented), (Status::ExpiredInMatch, lots(1_000)));
    assert_eq!((second.status, second.prevented), (Status::Filled, lots(1_000)));
    assert!(second.executed > Quantity::ZERO && second.quote_executed <= prevented, "{second:?}");
    assert_eq!((locked(&world, "BTC"), locked(&world, "USDT")), (0, 0));
}

#[test]
fn a_decrement_takes_nothing_where_the_order_may_not_trade_in_part_or_not_at_all() {
    let mut world = world(5, FeeAsset::Received);
    let inside = near(&world, Side::Sell, -1);
    let first = world.place(ALICE, order(Side::Sell, Kind::Limit, 1_000, Some(inside), None)).unwrap();
    let buy = |kind, force, price| {
        let it = order(Side::Buy, kind, 2_000, Some(price), None);
        NewOrder { force, self_trade: SelfTrade::Decrement, ..it }
    };
    let above = near(&world, Side::Sell, 5_000);
    let killed = world.place(ALICE, buy(Kind::Limit, Force::Fok, above)).unwrap();
    assert_eq!((world.rows[&killed].status, world.rows[&killed].prevented), (Status::Expired, Quantity::ZERO));
    let refused = world.place(ALICE, buy(Kind::LimitMaker, Force::Gtc, inside)).unwrap_err();
    assert_eq!(refused.text, "Order would immediately match and take.");
    assert_eq!((world.rows[&first].status, world.rows[&first].prevented), (Status::New, Quantity::ZERO));
    let done = world.place(ALICE, buy(Kind::Limit, Force::Ioc, inside)).unwrap();
    let done = &world.rows[&done];
    assert_eq!((done.status, done.prevented, done.executed), (Status::Expired, lots(1_000), Quantity::ZERO));
    assert_eq!(world.rows[&first].status, Status::ExpiredInMatch);
}

#[test]
fn an_order_that_lost_a_part_is_made_smaller_by_what_is_left_of_it() {
    let mut world = world(5, FeeAsset::Received);
    let inside = near(&world, Side::Sell, -1);
    let id = world.place(ALICE, order(Side::Sell, Kind::Limit, 3_000, Some(inside), None)).unwrap();
    let taker = order(Side::Buy, Kind::Limit, 1_000, Some(inside), None);
    world.place(ALICE, NewOrder { self_trade: SelfTrade::Decrement, ..taker }).unwrap();
    assert_eq!(world.amend(id, None, lots(1_000)).unwrap_err().code, -2038, "so much is gone");
    world.amend(id, None, lots(1_500)).unwrap();
    assert_eq!(world.rows[&id].remaining(), lots(500));
    assert_eq!(world.size_at(0, Side::Sell, inside), lots(500));
    assert_eq!(locked(&world, "BTC"), i128::from(lots(500).mantissa()));
}

#[derive(Clone, Debug)]
enum Deed {
    Place { who: usize, side: Side, kind: usize, lots: i64, ticks: i64, force: usize, mode: usize },
    Spend { who: usize, side: Side, dollars: i64, mode: usize },
    List { who: usize, side: Side, lots: i64, reach: i64, mode: usize },
    Cancel { nth: usize },
    Wait { steps: i64 },
}

fn any_deed() -> impl Strategy<Value = Deed> {
    let who = prop_oneof![Just(ALICE), Just(BOB)];
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let mode = 0..SelfTrade::ALL.len();
    prop_oneof![
        4 => (who.clone(), side.clone(), 0..7_usize, 10..400_000_i64, -3_000..3_000_i64, 0..3_usize, mode.clone()).prop_map(
            |(who, side, kind, lots, ticks, force, mode)| Deed::Place { who, side, kind, lots, ticks, force, mode }
        ),
        1 => (who.clone(), side.clone(), 5..300_000_i64, mode.clone())
            .prop_map(|(who, side, dollars, mode)| Deed::Spend { who, side, dollars, mode }),
        1 => (who, side, 10..200_000_i64, 1..2_000_i64, mode)
            .prop_map(|(who, side, lots, reach, mode)| Deed::List { who, side, lots, reach, mode }),
        2 => (0..20_usize).prop_map(|nth| Deed::Cancel { nth }),
        2 => (1..20_i64).prop_map(|steps| Deed::Wait { steps }),
    ]
}

fn carry_out(world: &mut World, deed: &Deed) {
    match *deed {
        Deed::Place { who, side, kind, lots, ticks, force, mode } => {
            let kind = Kind::ALL[kind];
            let price = kind.has_price().then(|| near(world, side, ticks));
            let stop = kind.is_contingent().then(|| near(world, side, -ticks));
            let force = [Force::Gtc, Force::Ioc, Force::Fok][force];
            let force = if kind.has_time_in_force() { force } else { Force::Gtc };
            let self_trade = SelfTrade::ALL[mode];
            let _ = world.place(who, NewOrder { force, self_trade, ..order(side, kind, lots, price, stop) });
        }
        Deed::Spend { who, side, dollars, mode } => {
            let spend = NewOrder { self_trade: SelfTrade::ALL[mode], ..order(side, Kind::Market, 1, None, None) };
            let quote_quantity = Some(i128::from(dollars) * 100_000_000);
            let _ = world.place(who, NewOrder { quantity: None, quote_quantity, ..spend });
        }
        Deed::List { who, side, lots, reach, mode } => {
            let (below, above) = (near(world, Side::Buy, -reach), near(world, Side::Sell, reach));
            let self_trade = SelfTrade::ALL[mode];
            let maker = |price| NewOrder { self_trade, ..order(side, Kind::LimitMaker, lots, Some(price), None) };
            let stop =
                |price| NewOrder { self_trade, ..order(side, Kind::StopLossLimit, lots, Some(price), Some(price)) };
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
                let gone = row.executed + row.prevented;
                prop_assert!(gone <= row.quantity);
                let is_over = matches!(row.status, Status::Filled | Status::ExpiredInMatch);
                prop_assert_eq!(is_over, gone == row.quantity, "{:?} {:?}", deed, row);
                prop_assert!(row.status != Status::Filled || row.executed > Quantity::ZERO);
                prop_assert!(row.status != Status::ExpiredInMatch || row.prevented > Quantity::ZERO);
                let met = world.prevented[row.account].iter();
                let met = met.filter(|it| [it.told.maker, it.told.taker].contains(&row.id));
                let lost = met.fold(Quantity::ZERO, |sum, it| sum + it.of(row.id).0);
                prop_assert_eq!(row.prevented, lost, "{:?} {:?}", deed, row);
                if row.status.is_open() && row.working.is_some() {
                    prop_assert_eq!(world.books[row.listing].remaining(row.id), row.remaining(), "{:?} {:?}", deed, row);
                }
            }
        }
    }
}
