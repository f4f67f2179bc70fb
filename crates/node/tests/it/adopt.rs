//! What another hand placed to protect a position, adopted: a stop stays a stop, and a list at the venue stays one.

use crate::child::quick;
use crate::support::{Stage, ask, check_journal, exchange_config, status, surroundings, until, words};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use tradewind_domain::Side::{Buy, Sell};
use tradewind_domain::{OcoGroup, Origin};
use tradewind_engine::EventKind;
use tradewind_node::settings::{LimitSettings, Profile, Seconds, Settings};
use tradewind_node::{AdoptWords, Node, OcoWords, OperatorRequest};

/// What is held after 0.02 bitcoin were bought and the fee was taken from them.
const HELD: &str = "0.01998";

/// Limits that miss a stop, and trades with own orders, on a market that is quiet at times.
async fn start(stage: &Stage, dir: &Path) -> Node {
    let limits = LimitSettings::of(Profile::Demo).with("stale_after", 3_600_000_000_000);
    let mut settings =
        Settings { limits: limits.with("unprotected", 1_000_000_000), ..quick(&stage.exchange.url(), dir, &[]) };
    settings.venue.sweep_every = Seconds::from_millis(300);
    let node = Node::start(settings, surroundings(Origin::Simulated)).await.unwrap();
    until(&node, "there is a mark", |it| it["instruments"][0]["mark"].is_string()).await;
    node
}

/// A node that holds bitcoin, and misses a stop.
async fn bare(stage: &Stage) -> Node {
    let node = start(stage, stage.dir.path()).await;
    ask(&node, OperatorRequest::OrderPlace(words(Buy, "0.02", None))).await.unwrap();
    until(&node, "a stop is missed", |it| it["notices"].to_string().contains("RSK-46 unprotected")).await;
    node
}

/// A price so many percent above the market.
async fn away(node: &Node, percent: f64) -> String {
    let mark: f64 = status(node).await["instruments"][0]["mark"].as_str().unwrap().parse().unwrap();
    format!("{:.2}", mark * (1.0 + percent / 100.0))
}

/// A request of another program that sells what is held.
async fn sell_by_hand(stage: &Stage, path: &str, more: &[(&str, &str)]) {
    let mut pairs = vec![("symbol", "BTCUSDT"), ("side", "SELL"), ("quantity", HELD)];
    pairs.extend_from_slice(more);
    let placed = stage.signed("POST", path, &pairs).await;
    assert!(placed["orderListId"].is_i64(), "{placed}");
}

/// Adopts whatever there is, which is so many orders; gives back those that are open then, by their kind.
async fn adopt(node: &Node, count: usize, named: Option<&str>) -> Vec<Value> {
    until(node, "they are seen", |it| it["foreign"].as_array().is_some_and(|all| all.len() == count)).await;
    let words = AdoptWords { order: named.map(str::to_owned), balances: false };
    let adopted = ask(node, OperatorRequest::Adopt(words)).await.unwrap();
    assert_eq!(adopted["orders"].as_array().unwrap().len(), count, "{adopted}");
    let all = ask(node, OperatorRequest::OrderList).await.unwrap();
    let mut open: Vec<Value> = all.as_array().unwrap().iter().filter(|it| it["status"] == "open").cloned().collect();
    open.sort_by_key(|it| it["order_type"].as_str().unwrap().to_owned());
    open
}

fn kinds(orders: &[Value]) -> Vec<&str> {
    orders.iter().map(|it| it["order_type"].as_str().unwrap()).collect()
}

/// The groups that orders were adopted in.
fn groups(dir: &Path) -> Vec<Option<OcoGroup>> {
    let of = |kind: EventKind| match kind {
        EventKind::Adopted(adoption) => Some(adoption.order.request().oco),
        _ => None,
    };
    tradewind_node::events(dir).unwrap().filter_map(|event| of(event.kind)).collect()
}

/// A halt takes nothing back of what only reduces, and the journal is sound.
async fn check_halt_takes_nothing(node: Node, dir: &Path) {
    ask(&node, OperatorRequest::Halt { reason: "look".to_owned() }).await.unwrap();
    node.stop().await.unwrap();
    let events = tradewind_node::events(dir).unwrap();
    let taken: Vec<_> = events.filter(|event| matches!(event.kind, EventKind::CancelProposed { .. })).collect();
    assert!(taken.is_empty(), "{taken:?}");
    check_journal(dir);
}

/// Another hand sells what is held by a contingent order, so many percent from the market, and it is adopted as `kind`.
async fn check_alone(venue_type: &str, [trigger, limit]: [f64; 2], kind: &str, protects: bool) {
    let stage = Stage::new(exchange_config()).await;
    let node = bare(&stage).await;
    let (trigger, limit) = (away(&node, trigger).await, away(&node, limit).await);
    let mut terms = vec![("type", venue_type), ("stopPrice", trigger.as_str())];
    if venue_type.ends_with("LIMIT") {
        terms.extend([("timeInForce", "GTC"), ("price", limit.as_str())]);
    }
    sell_by_hand(&stage, "/api/v3/order", &terms).await;
    let open = adopt(&node, 1, None).await;
    assert_eq!(kinds(&open), [kind], "{open:?}");
    let stands: Option<f64> = open[0]["trigger"].as_str().and_then(|text| text.parse().ok());
    assert_eq!(stands, trigger.parse().ok(), "{open:?}");
    assert_eq!(open[0]["reduce_only"], true, "it closes what is held: {open:?}");
    let held = ask(&node, OperatorRequest::PositionList).await.unwrap();
    assert_eq!(held[0]["protection"] == "covered", protects, "{kind}: {held}");
    assert_eq!(status(&node).await["unprotected"] == json!([]), protects, "{kind}");
    if protects {
        let more = ask(&node, OperatorRequest::OrderPlace(words(Buy, "0.001", None))).await;
        assert!(more.is_ok(), "what waits for its trigger meets no purchase: {more:?}");
        until(&node, "it is bought", |it| it["counters"]["orders"] == 2 && it["open_orders"] == 1).await;
    }
    check_halt_takes_nothing(node, stage.dir.path()).await;
    assert_eq!(groups(stage.dir.path()), [None]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b05_a_stop_by_another_hand_is_adopted_as_a_stop() {
    check_alone("STOP_LOSS", [-20.0, 0.0], "stop", true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b05_a_stop_limit_by_another_hand_is_adopted_as_one_and_no_purchase_meets_it() {
    check_alone("STOP_LOSS_LIMIT", [-20.0, -21.0], "stop-limit", true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b05_what_takes_a_profit_by_another_hand_waits_for_it_and_is_no_stop() {
    check_alone("TAKE_PROFIT_LIMIT", [20.0, 19.0], "limit-if-touched", false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b05_a_list_by_another_hand_is_adopted_as_one_group_that_protects_and_makes_way_for_the_exit() {
    let stage = Stage::new(exchange_config()).await;
    let node = bare(&stage).await;
    let (target, stop) = (away(&node, 20.0).await, away(&node, -20.0).await);
    let legs = [
        ("aboveType", "LIMIT_MAKER"),
        ("abovePrice", target.as_str()),
        ("aboveClientOrderId", "hand-target"),
        ("belowType", "STOP_LOSS"),
        ("belowStopPrice", stop.as_str()),
        ("belowClientOrderId", "hand-stop"),
    ];
    sell_by_hand(&stage, "/api/v3/orderList/oco", &legs).await;
    let open = adopt(&node, 2, Some("hand-stop")).await; // one of a list is adopted with the other
    assert_eq!(kinds(&open), ["limit", "stop"], "{open:?}");
    assert_eq!(status(&node).await["unprotected"], json!([]));
    let held = ask(&node, OperatorRequest::PositionList).await.unwrap();
    assert_eq!((&held[0]["protected"], &held[0]["protection"]), (&json!(HELD), &json!("covered")));
    ask(&node, OperatorRequest::PositionClose { symbol: "BTC/USDT".to_owned() }).await.unwrap();
    let is_over = |it: &Value| it["open_orders"] == 0 && it["unprotected"] == json!([]);
    until(&node, "it is sold", |it| it["counters"]["orders"].as_u64() >= Some(2) && is_over(it)).await;
    let left = ask(&node, OperatorRequest::PositionList).await.unwrap();
    assert!(left.as_array().unwrap().iter().all(|it| it["dust"] == true), "{left}");
    assert_eq!(stage.open_orders().await, Vec::<Value>::new());
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
    let groups = groups(stage.dir.path());
    assert!(groups.len() == 2 && groups[0].is_some() && groups[0] == groups[1], "{groups:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b05_what_an_earlier_data_directory_placed_is_adopted_as_it_was_and_stays_through_a_halt() {
    let stage = Stage::new(exchange_config()).await;
    let node = bare(&stage).await;
    let words = OcoWords {
        symbol: "BTC/USDT".to_owned(),
        side: Sell,
        quantity: HELD.to_owned(),
        target: away(&node, 20.0).await,
        stop: away(&node, -20.0).await,
        stop_limit: Some(away(&node, -21.0).await),
        reduce_only: false,
        portfolio: None,
    };
    ask(&node, OperatorRequest::OrderOco(words)).await.unwrap();
    until(&node, "both rest", |it| it["open_orders"] == 2 && it["unknown_orders"] == 0).await;
    node.stop().await.unwrap();

    let fresh = tempfile::TempDir::new().unwrap();
    let node = start(&stage, fresh.path()).await;
    let open = adopt(&node, 2, None).await;
    assert_eq!(kinds(&open), ["limit", "stop-limit"], "{open:?}");
    let reduce: BTreeSet<bool> = open.iter().map(|it| it["reduce_only"].as_bool().unwrap()).collect();
    assert_eq!(reduce, BTreeSet::from([true]), "the coins were there before the books: {open:?}");
    check_halt_takes_nothing(node, fresh.path()).await;
    assert_eq!(stage.open_orders().await.len(), 2, "the pair still protects");
    let groups = groups(fresh.path());
    assert!(groups.len() == 2 && groups[0].is_some() && groups[0] == groups[1], "{groups:?}");
}
