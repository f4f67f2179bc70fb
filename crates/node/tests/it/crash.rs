//! Ends of every kind, and starts after them: nothing acknowledged is lost, nothing is sent twice.

use crate::child::{NodeProcess, quick};
use crate::support::{Stage, ask, check_journal, exchange_config, status, surroundings, until, words};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tradewind_domain::{ClientOrderId, Origin, Side};
use tradewind_engine::EventKind;
use tradewind_exchange::{ExchangeConfig, Fault, FaultKind};
use tradewind_node::{Node, OperatorReply, OperatorRequest, OrderWords};

fn fault(path: &str, kind: FaultKind) -> Fault {
    Fault { path: path.to_owned(), method: None, kind, times: Some(1), after: false }
}

/// Places an order in the other process; the id that a person was told.
async fn place(node: &NodeProcess, words: OrderWords) -> String {
    match node.ask(OperatorRequest::OrderPlace(words)).await.unwrap() {
        OperatorReply::Done { data } => data["client_id"].as_str().unwrap().to_owned(),
        OperatorReply::Failed { code, message, .. } => panic!("{code}: {message}"),
    }
}

async fn orders(node: &Node) -> Vec<Value> {
    ask(node, OperatorRequest::OrderList).await.unwrap().as_array().unwrap().clone()
}

/// Starts on what the killed process left, and checks all that must hold of it. `acknowledged` are orders that a person
/// was told of.
async fn check_recovery(stage: &Stage, moment: &str, acknowledged: &BTreeSet<String>) {
    stage.faults(&[]).await;
    let settings = quick(&stage.exchange.url(), stage.dir.path(), &[]);
    let node = Node::start(settings, surroundings(Origin::Simulated)).await.unwrap_or_else(|e| panic!("{moment}: {e}"));
    let seen = until(&node, "every order is explained", |it| it["unknown_orders"] == 0).await;
    assert_eq!(seen["halted"], Value::Null, "{moment}: no drift");
    let mut venue: Vec<String> = Vec::new();
    for order in stage.venue_orders().await {
        venue.push(order["clientOrderId"].as_str().unwrap().to_owned());
    }
    let distinct: BTreeSet<String> = venue.iter().cloned().collect();
    assert_eq!(venue.len(), distinct.len(), "{moment}: an order was doubled");
    let known = orders(&node).await;
    for id in acknowledged {
        let mine = known.iter().find(|it| it["client_id"] == *id);
        let mine = mine.unwrap_or_else(|| panic!("{moment}: order {id} was acknowledged and is lost"));
        let at_venue = distinct.contains(id);
        let is_gone = mine["status"] == "expired" || mine["status"] == "rejected"; // the latter if it was never sent
        assert_eq!(is_gone, !at_venue, "{moment}: {mine:#}");
    }
    assert!(known.len() >= distinct.len(), "{moment}: the venue has orders that the journal does not know");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
    // and once more, from the snapshot that the stop left: as it was, and without drift
    let node = stage.node().await.unwrap();
    assert_eq!((&status(&node).await["halted"], node.recovered().folded), (&Value::Null, 0), "{moment}");
    node.stop().await.unwrap();
}

/// Kills a node right after it answered that it sends `order`, while the venue does what `faults` say.
async fn check_kill(moment: &str, faults: &[Fault], order: OrderWords) {
    let stage = Stage::new(exchange_config()).await;
    let mut node = NodeProcess::spawn(&stage.exchange.url(), stage.dir.path(), "");
    node.ready().await;
    stage.faults(faults).await;
    let id = place(&node, order).await;
    node.kill();
    check_recovery(&stage, moment, &BTreeSet::from([id])).await;
}

fn resting() -> OrderWords {
    words(Side::Buy, "0.001", Some("30000"))
}

fn market() -> OrderWords {
    words(Side::Buy, "0.001", None)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_killed_during_its_start_it_recovers() {
    let stage = Stage::new(exchange_config()).await;
    for millis in [1, 20, 60, 100, 140] {
        let mut node = NodeProcess::spawn(&stage.exchange.url(), stage.dir.path(), "");
        tokio::time::sleep(Duration::from_millis(millis)).await; // into the start
        node.kill();
    }
    check_recovery(&stage, "during the start", &BTreeSet::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_killed_right_after_an_order_it_recovers() {
    check_kill("a resting order", &[], resting()).await;
    check_kill("a market order", &[], market()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_killed_while_the_venue_holds_an_order_it_recovers() {
    check_kill("held", &[fault("order.place", FaultKind::HoldMillis(150))], market()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_killed_after_an_order_that_never_came_it_recovers() {
    check_kill("never came", &[fault("order.place", FaultKind::Nothing)], resting()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_killed_after_an_answer_that_was_cut_it_recovers() {
    check_kill("cut", &[Fault { after: true, ..fault("order.place", FaultKind::Cut) }], market()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_killed_while_a_strategy_trades_it_recovers() {
    let pace = tradewind_exchange::Pace::Realtime { speed: 600.0 }; // ten bars a second
    let stage = Stage::new(ExchangeConfig { pace, ..exchange_config() }).await;
    for fills in [1, 2] {
        let mut node = NodeProcess::spawn_trading(&stage.exchange.url(), stage.dir.path(), "", "volatility-target");
        node.ready().await;
        let traded = |reply| match reply {
            Ok(OperatorReply::Done { data }) => data["counters"]["fills"].as_u64() >= Some(fills),
            other => panic!("{other:?}"),
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !traded(node.ask(OperatorRequest::Status).await) {
            assert!(Instant::now() < deadline, "no {fills} fills in 20 s");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        node.kill();
        check_recovery(&stage, "while trading", &BTreeSet::new()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_killed_while_a_cancel_is_on_its_way_it_recovers() {
    let stage = Stage::new(exchange_config()).await;
    let mut node = NodeProcess::spawn(&stage.exchange.url(), stage.dir.path(), "");
    node.ready().await;
    let id = place(&node, resting()).await;
    stage.faults(&[fault("order.cancel", FaultKind::HoldMillis(150))]).await;
    let client_id = ClientOrderId::parse(&id).unwrap();
    node.ask(OperatorRequest::OrderCancel { client_id }).await.unwrap();
    node.kill();
    check_recovery(&stage, "a cancel on its way", &BTreeSet::from([id])).await;
}

#[tokio::test]
async fn stopped_in_order_it_goes_on_where_it_was() {
    let stage = Stage::new(exchange_config()).await;
    let node = stage.node().await.unwrap();
    let order = |words| ask(&node, OperatorRequest::OrderPlace(words));
    order(words(Side::Buy, "0.02", None)).await.unwrap();
    until(&node, "bought", |it| it["counters"]["fills"].as_u64() > Some(0) && it["open_orders"] == 0).await;
    let adds = order(words(Side::Buy, "0.01", Some("50000"))).await.unwrap();
    let protects = order(words(Side::Sell, "0.01", Some("90000"))).await.unwrap();
    until(&node, "both rest", |it| it["open_orders"] == 2).await;
    let began = Instant::now();
    let ended = node.stop().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let open: Vec<String> = ended.state.open.keys().map(ToString::to_string).collect();
    assert_eq!(open, [protects["client_id"].as_str().unwrap()], "what protects a position stays, what adds is gone");
    let at_venue = stage.venue_orders().await;
    let standing = |id: &Value| at_venue.iter().find(|it| it["clientOrderId"] == *id).unwrap()["status"].clone();
    assert_eq!((standing(&adds["client_id"]), standing(&protects["client_id"])), (json!("CANCELED"), json!("NEW")));
    check_journal(stage.dir.path());
    let said: Vec<_> = tradewind_node::events(stage.dir.path()).unwrap().map(|event| event.kind).collect();
    assert!(matches!(said.last_chunk(), Some([EventKind::Stopped, EventKind::StateHash { .. }])), "{said:?}");

    let node = stage.node().await.unwrap();
    assert_eq!(node.recovered().sequence, ended.state.sequence);
    let seen = status(&node).await;
    assert_eq!((&seen["halted"], &seen["open_orders"]), (&Value::Null, &json!(1)));
    let balances = |portfolio: &tradewind_engine::Portfolio| -> Vec<(String, i128)> {
        portfolio.holdings().iter().map(|it| (it.currency.to_string(), it.units)).collect()
    };
    let client_id = ClientOrderId::parse(protects["client_id"].as_str().unwrap()).unwrap();
    ask(&node, OperatorRequest::OrderCancel { client_id }).await.unwrap();
    until(&node, "the protective order is gone", |it| it["open_orders"] == 0).await;
    let again = node.stop().await.unwrap();
    assert_eq!(balances(&again.state.portfolios[0]), balances(&ended.state.portfolios[0]));
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn what_filled_while_nobody_ran_is_booked_at_the_start() {
    let stage = Stage::new(exchange_config()).await;
    let node = stage.node().await.unwrap();
    let order = |words| ask(&node, OperatorRequest::OrderPlace(words));
    order(words(Side::Buy, "0.02", None)).await.unwrap();
    let seen = until(&node, "bought", |it| it["counters"]["fills"].as_u64() > Some(0) && it["open_orders"] == 0).await;
    let mark: f64 = seen["instruments"][0]["mark"].as_str().unwrap().parse().unwrap();
    let target = format!("{:.2}", mark * 1.01);
    let protects = order(words(Side::Sell, "0.01", Some(&target))).await.unwrap();
    until(&node, "it rests", |it| it["open_orders"] == 1).await;
    node.stop().await.unwrap();

    stage.sweep(&target).await;
    let node = stage.node().await.unwrap();
    let mine = orders(&node).await.into_iter().find(|it| it["client_id"] == protects["client_id"]).unwrap();
    assert_eq!((&mine["status"], &mine["filled"]), (&json!("filled"), &json!("0.01")), "{mine:#}");
    assert_eq!(status(&node).await["halted"], Value::Null);
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}
