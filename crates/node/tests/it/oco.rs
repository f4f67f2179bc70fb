//! A target and a stop of which one cancels the other, on a real order book.

use crate::child::quick;
use crate::support::{Stage, ask, check_journal, exchange_config, status, surroundings, until, words};
use serde_json::{Value, json};
use tradewind_domain::Origin;
use tradewind_domain::Side::{Buy, Sell};
use tradewind_exchange::{Fault, FaultKind};
use tradewind_node::{KindWords, Node, OcoWords, OperatorRequest, OrderWords};

/// What is held after 0.02 bitcoin were bought and the fee was taken from them.
const HELD: &str = "0.01998";

async fn start(stage: &Stage) -> Node {
    let settings = quick(&stage.exchange.url(), stage.dir.path(), &[]);
    Node::start(settings, surroundings(Origin::Simulated)).await.unwrap()
}

async fn mark(node: &Node) -> f64 {
    let seen = until(node, "there is a mark", |it| it["instruments"][0]["mark"].is_string()).await;
    seen["instruments"][0]["mark"].as_str().unwrap().parse().unwrap()
}

/// A node that holds bitcoin.
async fn holding(stage: &Stage) -> Node {
    let node = start(stage).await;
    mark(&node).await;
    ask(&node, OperatorRequest::OrderPlace(words(Buy, "0.02", None))).await.unwrap();
    until(&node, "bought", |it| it["counters"]["fills"].as_u64() > Some(0) && it["open_orders"] == 0).await;
    node
}

fn oco(target: f64, stop: f64) -> OcoWords {
    OcoWords {
        symbol: "BTC/USDT".to_owned(),
        side: Sell,
        quantity: HELD.to_owned(),
        target: format!("{target:.2}"),
        stop: format!("{stop:.2}"),
        stop_limit: None,
        reduce_only: false,
        portfolio: None,
    }
}

async fn place(node: &Node, words: OcoWords) -> Result<Value, (String, String)> {
    ask(node, OperatorRequest::OrderOco(words)).await
}

/// Two orders that rest: the target so many percent above the market, the stop so many below.
async fn resting(node: &Node, above: f64, below: f64) -> Value {
    let mark = mark(node).await;
    let pair = place(node, oco(mark * (1.0 + above / 100.0), mark * (1.0 - below / 100.0))).await.unwrap();
    until(node, "both rest", |it| it["open_orders"] == 2).await;
    pair
}

async fn statuses(node: &Node, pair: &Value) -> Vec<String> {
    let all = ask(node, OperatorRequest::OrderList).await.unwrap();
    let status = |order: &Value| {
        let listed = all.as_array().unwrap().iter().find(|it| it["client_id"] == order["client_id"]).unwrap();
        listed["status"].as_str().unwrap().to_owned()
    };
    pair.as_array().unwrap().iter().map(status).collect()
}

async fn held(node: &Node) -> String {
    let positions = ask(node, OperatorRequest::PositionList).await.unwrap();
    positions.as_array().unwrap().iter().map(|it| it["quantity"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

/// Nothing is odd, nothing is open, nothing is held, and the next start agrees with the venue.
async fn check_flat(stage: &Stage, node: Node) {
    let seen = until(&node, "nothing is open", |it| it["open_orders"] == 0).await;
    assert_eq!((&seen["halted"], &seen["counters"]["contradictions"]), (&Value::Null, &json!(0)), "{seen:#}");
    assert_eq!(seen["notices"], json!([]), "{seen:#}");
    assert!(["", "0"].contains(&held(&node).await.as_str()), "{}", held(&node).await);
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
    let node = start(stage).await;
    assert_eq!(status(&node).await["halted"], Value::Null, "the balances agree");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

async fn venue_statuses(stage: &Stage, pair: &Value) -> Vec<String> {
    let all = stage.venue_orders().await;
    let status = |order: &Value| {
        let mine: Vec<&Value> = all.iter().filter(|it| it["clientOrderId"] == order["client_id"]).collect();
        assert_eq!(mine.len(), 1, "once at the venue: {mine:?}");
        assert_ne!(mine[0]["orderListId"], json!(-1), "it belongs to a list");
        mine[0]["status"].as_str().unwrap().to_owned()
    };
    pair.as_array().unwrap().iter().map(status).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_target_fills_the_stop_goes() {
    let stage = Stage::new(exchange_config()).await;
    let node = holding(&stage).await;
    let pair = resting(&node, 0.1, 5.0).await;
    assert_eq!((&pair[0]["order_type"], &pair[1]["order_type"]), (&json!("limit"), &json!("stop")));
    assert!(pair[0]["venue_id"].is_null() && pair.as_array().unwrap().len() == 2);
    assert_eq!(venue_statuses(&stage, &pair).await, ["NEW", "NEW"]);
    stage.sweep(&format!("{:.2}", mark(&node).await * 1.01)).await;
    until(&node, "sold", |it| it["open_orders"] == 0).await;
    assert_eq!(statuses(&node, &pair).await, ["filled", "canceled"]);
    assert_eq!(venue_statuses(&stage, &pair).await, ["FILLED", "EXPIRED"]);
    check_flat(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_stop_triggers_the_target_goes() {
    let stage = Stage::new(exchange_config()).await;
    let node = holding(&stage).await;
    let pair = resting(&node, 20.0, 0.1).await;
    // a little at a time: somebody must be left to buy when the stop triggers
    let lowest = format!("{:.2}", mark(&node).await * 0.9);
    for _ in 0..400 {
        stage.by_somebody("SELL", "0.2", &lowest).await;
        if status(&node).await["open_orders"] != 2 {
            break;
        }
    }
    until(&node, "sold", |it| it["open_orders"] == 0).await;
    assert_eq!(statuses(&node, &pair).await, ["canceled", "filled"]);
    assert_eq!(venue_statuses(&stage, &pair).await, ["EXPIRED", "FILLED"]);
    check_flat(&stage, node).await;
}

/// A pair whose answer is spoilt: both are unknown, then both are explained, and nothing is doubled.
async fn check_lost(kind: FaultKind, after: bool) {
    let shown = format!("{kind:?}, carried out: {after}");
    let stage = Stage::new(exchange_config()).await;
    let node = holding(&stage).await;
    let path = "orderList.place.oco".to_owned();
    stage.faults(&[Fault { path, method: None, kind, times: Some(1), after }]).await;
    let mark = mark(&node).await;
    let pair = place(&node, oco(mark * 1.2, mark * 0.8)).await.unwrap();
    let wanted = if after { 2 } else { 0 };
    let is_explained = |it: &Value| it["open_orders"] == wanted && it["unknown_orders"] == 0;
    until(&node, &shown, |it| it["counters"]["orders"] == 3 && is_explained(it)).await;
    // an order in flight is not unknown yet: what counts is what it says once it was
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    let word = if after { "open" } else { "expired" };
    while statuses(&node, &pair).await != [word, word] {
        assert!(tokio::time::Instant::now() < deadline, "{shown}: {:?}", statuses(&node, &pair).await);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(stage.venue_orders().await.len(), 1 + wanted, "{shown}: nothing is doubled");
    let seen = status(&node).await;
    assert_eq!((&seen["halted"], &seen["counters"]["contradictions"]), (&Value::Null, &json!(0)), "{shown}");
    node.stop().await.unwrap();
    let lost = tradewind_node::events(stage.dir.path())
        .unwrap()
        .filter(|it| matches!(it.kind, tradewind_engine::EventKind::AnswerLost { .. }))
        .count();
    assert_eq!(lost, 2, "{shown}: both were unknown");
    check_journal(stage.dir.path());
    let node = start(&stage).await;
    let seen = status(&node).await;
    assert_eq!((&seen["halted"], &seen["open_orders"]), (&Value::Null, &json!(wanted)), "{shown}");
    node.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a11_a_pair_whose_answer_is_lost_is_found_whole() {
    check_lost(FaultKind::Garbage, true).await;
    check_lost(FaultKind::Cut, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pair_that_never_came_ends_whole() {
    check_lost(FaultKind::Garbage, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resting_pair_outlives_a_restart_and_a_cancel_of_one_ends_both() {
    let stage = Stage::new(exchange_config()).await;
    let node = holding(&stage).await;
    let pair = resting(&node, 20.0, 20.0).await;
    node.stop().await.unwrap();
    check_journal(stage.dir.path());

    let node = start(&stage).await;
    let seen = until(&node, "what became of the pair is known", |it| it["unknown_orders"] == 0).await;
    assert_eq!((&seen["halted"], &seen["open_orders"]), (&Value::Null, &json!(2)));
    assert_eq!(statuses(&node, &pair).await, ["open", "open"]);
    let stop = tradewind_domain::ClientOrderId::parse(pair[1]["client_id"].as_str().unwrap()).unwrap();
    ask(&node, OperatorRequest::OrderCancel { client_id: stop }).await.unwrap();
    until(&node, "both are off the book", |it| it["open_orders"] == 0).await;
    assert_eq!(statuses(&node, &pair).await, ["canceled", "canceled"]);
    ask(&node, OperatorRequest::Flatten).await.unwrap();
    until(&node, "sold", |it| it["counters"]["orders"] == 4 && it["open_orders"] == 0).await;
    check_flat(&stage, node).await;
}

/// A position of which something keeps a part: closing it takes that back first and leaves nothing, once.
async fn check_closes_whole(kept: OperatorRequest, resting: u64, parents: usize) {
    let shown = format!("{kept:?}");
    let stage = Stage::new(exchange_config()).await;
    let node = holding(&stage).await;
    ask(&node, kept).await.unwrap();
    until(&node, &shown, |it| it["open_orders"] == resting).await;
    let close = || OperatorRequest::PositionClose { symbol: "BTC/USDT".to_owned() };
    let said = ask(&node, close()).await.unwrap();
    let it = &said[0]["data"];
    assert_eq!((&it["portfolio"], &it["left"]), (&json!("operator"), &json!(HELD)), "{shown}: {said}");
    let count = |what: &str| it[what].as_array().unwrap().len();
    assert_eq!((count("cancels") as u64, count("parents")), (resting, parents), "{shown}: {said}");
    let again = ask(&node, close()).await;
    let orders = 1 + resting + 1; // the purchase, what kept the position, and one exit
    until(&node, &shown, |it| it["open_orders"] == 0 && it["counters"]["orders"] == orders).await;
    assert!(again.is_ok() || again.as_ref().is_err_and(|it| it.0 == "NODE-11"), "{shown}: {again:?}");
    let sold = stage.venue_orders().await.iter().filter(|it| it["side"] == "SELL" && it["status"] == "FILLED").count();
    assert_eq!(sold, 1, "{shown}: one exit of the whole");
    check_flat(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_is_closed_whole_whatever_keeps_a_part_of_it() {
    let stop = OrderWords { trigger: Some("20000".to_owned()), ..words(Sell, "0.005", None) };
    check_closes_whole(
        OperatorRequest::OrderOco(OcoWords { quantity: "0.01".to_owned(), ..oco(90_000.0, 20_000.0) }),
        2,
        0,
    )
    .await;
    check_closes_whole(OperatorRequest::OrderPlace(words(Sell, "0.01", Some("90000"))), 1, 0).await;
    check_closes_whole(OperatorRequest::OrderPlace(stop), 1, 0).await;
    let trailing = OrderWords {
        kind: Some(KindWords::Trailing { offset: "20%".to_owned(), activation: None }),
        ..words(Sell, "0.01", None)
    };
    check_closes_whole(OperatorRequest::OrderPlace(trailing), 0, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a11_a_pair_that_the_venue_rejects_is_rejected_whole() {
    let stage = Stage::new(exchange_config()).await;
    let node = holding(&stage).await;
    let mark = mark(&node).await;
    // the gate knows nothing of the venue's band of prices, which the target leaves
    let pair = place(&node, oco(mark * 6.0, mark * 0.8)).await.unwrap();
    until(&node, "both are rejected", |it| it["counters"]["rejected"] == 2 && it["open_orders"] == 0).await;
    assert_eq!(statuses(&node, &pair).await, ["rejected", "rejected"]);
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pair_on_the_wrong_side_of_the_market_is_refused_with_its_code() {
    let stage = Stage::new(exchange_config()).await;
    let node = holding(&stage).await;
    let mark = mark(&node).await;
    let (above, below) = (mark * 1.2, mark * 0.8);
    for (words, code, text) in [
        (oco(below, below), "GATE-12", "a target at"),
        (oco(above, above), "GATE-12", "a stop at"),
        (OcoWords { side: Buy, ..oco(above, below) }, "GATE-12", "below the market at"),
        (OcoWords { quantity: "0.03".to_owned(), ..oco(above, below) }, "GATE-09", "it takes 0.03"),
        (OcoWords { target: "dear".to_owned(), ..oco(above, below) }, "DOM-01", "dear"),
        (OcoWords { stop_limit: Some("60000.001".to_owned()), ..oco(above, below) }, "GATE-03", "DOM-04"),
        (OcoWords { symbol: "DOGE/USDT".to_owned(), ..oco(above, below) }, "NODE-01", "one of BTC/USDT"),
        (OcoWords { portfolio: Some("mine".to_owned()), ..oco(above, below) }, "NODE-09", "mine"),
    ] {
        let shown = format!("{words:?}");
        let refused = place(&node, words).await.expect_err(&shown);
        assert!(refused.0 == code && refused.1.contains(text), "{shown}: {refused:?}");
    }
    assert_eq!(status(&node).await["counters"]["orders"], 1, "only the purchase");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}
