//! Outages and what a venue does that it should not.

use crate::child::quick;
use crate::support::{Stage, ask, check_journal, exchange_config, status, surroundings, until, words};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tradewind_domain::{ClientOrderId, Origin, Side};
use tradewind_engine::EventKind;
use tradewind_exchange::{Exchange, ExchangeConfig, Fault, FaultKind, Pace};
use tradewind_node::{Node, OperatorRequest};

async fn start(stage: &Stage) -> Node {
    let settings = quick(&stage.exchange.url(), stage.dir.path(), &[]);
    Node::start(settings, surroundings(Origin::Simulated)).await.unwrap()
}

async fn disaster(stage: &Stage, what: Value) -> Value {
    stage.post("/tradewind/v1/disaster", &what).await
}

async fn place(node: &Node, side: Side, price: Option<&str>) -> Result<Value, (String, String)> {
    ask(node, OperatorRequest::OrderPlace(words(side, "0.001", price))).await
}

fn id_of(order: &Value) -> ClientOrderId {
    ClientOrderId::parse(order["client_id"].as_str().unwrap()).unwrap()
}

/// The notices of a status as one text.
fn notices(status: &Value) -> String {
    status["notices"].to_string()
}

/// Ends in order, and what the journal promises holds.
async fn end(node: Node, stage: &Stage) {
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

/// Places until one order trades: a stream may be on its way back.
async fn trades_again(node: &Node, what: &str) {
    let before = status(node).await["counters"]["fills"].as_u64().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while status(node).await["counters"]["fills"].as_u64().unwrap() == before {
        assert!(Instant::now() < deadline, "{what}: no order comes through");
        let _ = place(node, Side::Buy, None).await; // refused or not sent as long as the venue is away
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    until(node, what, |it| it["open_orders"] == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e04_a_storm_of_errors_leaves_orders_unknown_and_lets_nothing_new_beside_them() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let storm =
        |path: &str| Fault { path: path.into(), method: None, kind: FaultKind::Status(503), times: None, after: false };
    stage.faults(&[storm("order."), storm("/api/v3/")]).await;
    let order = place(&node, Side::Buy, None).await.unwrap();
    let lost = until(&node, "it is open", |it| it["open_orders"] == 1).await;
    assert_eq!(lost["halted"], Value::Null);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let refused = place(&node, Side::Buy, None).await;
    assert!(refused.is_err(), "no new exposure beside an unknown order: {refused:?}");
    stage.faults(&[]).await;
    until(&node, "its absence is proven", |it| it["open_orders"] == 0).await;
    let at_venue = stage.venue_orders().await;
    assert!(at_venue.iter().all(|it| it["clientOrderId"] != order["client_id"]), "it was never there");
    trades_again(&node, "after the storm").await;
    end(node, &stage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e05_a_venue_that_takes_cancels_only_gets_cancels_only() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let order = place(&node, Side::Buy, Some("30000")).await.unwrap();
    until(&node, "it rests", |it| it["open_orders"] == 1).await;
    disaster(&stage, json!({"what": "relist", "symbol": "BTCUSDT", "status": "HALT"})).await;
    // the first order is the venue's to refuse; from then on the mode is known
    let _ = place(&node, Side::Buy, None).await;
    until(&node, "the mode is known", |it| notices(it).contains("takes no orders (HALT)")).await;
    let orders = stage.venue_orders().await.len();
    let (code, text) = place(&node, Side::Buy, None).await.unwrap_err();
    assert!(text.contains("paused"), "{code} {text}");
    assert_eq!(stage.venue_orders().await.len(), orders);
    // on a slow machine the node has taken back by itself what adds, since the venue refuses
    let asked = ask(&node, OperatorRequest::OrderCancel { client_id: id_of(&order) }).await;
    assert!(asked.is_ok() || asked.as_ref().is_err_and(|it| it.1.contains("it is closed")), "{asked:?}");
    until(&node, "the cancel is taken", |it| it["open_orders"] == 0).await;
    disaster(&stage, json!({"what": "relist", "symbol": "BTCUSDT", "status": "TRADING"})).await;
    end(node, &stage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c12_other_steps_of_price_stop_trading_and_leave_open_orders_cancellable() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let order = place(&node, Side::Buy, Some("30000.01")).await.unwrap();
    until(&node, "it rests", |it| it["open_orders"] == 1).await;
    disaster(&stage, json!({"what": "relist", "symbol": "BTCUSDT", "tick": "0.10"})).await;
    let _ = place(&node, Side::Buy, Some("30000.01")).await; // refused by the filter
    let seen =
        until(&node, "the change is known", |it| notices(it).contains("the listing of instrument 0 changed")).await;
    assert!(notices(&seen).contains("tick and lot"), "{}", notices(&seen));
    until(&node, "only the first order is open", |it| it["open_orders"] == 1).await;
    assert!(place(&node, Side::Buy, None).await.is_err(), "trading in the symbol stops");
    ask(&node, OperatorRequest::OrderCancel { client_id: id_of(&order) }).await.unwrap();
    until(&node, "the open order is handled", |it| it["open_orders"] == 0).await;
    end(node, &stage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e06_orders_that_a_restarted_venue_forgot_end_and_are_not_placed_again() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let order = place(&node, Side::Buy, Some("30000")).await.unwrap();
    until(&node, "it rests", |it| it["open_orders"] == 1).await;
    let before = stage.venue_orders().await.len();
    disaster(&stage, json!({"what": "restart", "forget": true})).await;
    assert_eq!(stage.venue_orders().await.len(), before - 1, "the venue knows nothing of it");
    let seen = until(&node, "its absence is proven", |it| it["open_orders"] == 0).await;
    assert_eq!(seen["halted"], Value::Null);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(stage.venue_orders().await.len(), before - 1, "and it was not placed again");
    let ended = ask(&node, OperatorRequest::OrderList).await.unwrap();
    assert_ne!(ended[0]["status"], "filled", "{} {order}", ended[0]);
    trades_again(&node, "after the restart").await;
    end(node, &stage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e07_orders_that_a_restarted_venue_kept_stay_and_are_filled_once() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    place(&node, Side::Buy, Some("30000")).await.unwrap();
    until(&node, "it rests", |it| it["open_orders"] == 1).await;
    disaster(&stage, json!({"what": "restart", "forget": false})).await;
    until(&node, "the streams were away", |it| notices(it).contains("stream is down")).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let seen = status(&node).await;
    assert_eq!((&seen["open_orders"], &seen["halted"]), (&json!(1), &Value::Null), "still the same order");
    stage.by_somebody("SELL", "90", "29000").await; // somebody sells through its price
    let seen = until(&node, "it is filled", |it| it["open_orders"] == 0).await;
    assert_eq!((&seen["counters"]["fills"], &seen["counters"]["contradictions"]), (&json!(1), &json!(0)));
    end(node, &stage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e08_executions_that_a_venue_takes_back_alarm_and_restrict_until_a_person_looks() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = quick(&stage.exchange.url(), stage.dir.path(), &[]);
    settings.venue.sweep_every = tradewind_node::settings::Seconds::from_millis(300);
    let node = Node::start(settings, surroundings(Origin::Simulated)).await.unwrap();
    trades_again(&node, "before the rollback").await;
    let undone = disaster(&stage, json!({"what": "roll-back", "seconds": 5})).await;
    assert!(undone["undone"].as_u64() > Some(0), "{undone}");
    let seen = until(&node, "three differences in a row", |it| notices(it).contains("3 in a row")).await;
    assert!(notices(&seen).contains("alarm: "), "{}", notices(&seen));
    let fills = seen["counters"]["fills"].clone();
    assert!(place(&node, Side::Buy, None).await.is_err(), "only what reduces, until a person looks");
    assert_eq!(status(&node).await["counters"]["fills"], fills, "no execution was invented or erased");
    end(node, &stage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e09_without_its_venue_a_node_waits_says_so_and_recovers_alone() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let port = stage.exchange.address().port();
    let Stage { exchange, dir, .. } = stage;
    exchange.shutdown().await;
    let seen = until(&node, "both streams are down", |it| {
        notices(it).contains("the User stream is down") && notices(it).contains("the Market stream is down")
    })
    .await;
    assert_eq!(seen["halted"], Value::Null, "nothing is wrong with us");
    let refused = place(&node, Side::Buy, None).await;
    if let Ok(order) = &refused {
        until(&node, "it was provably not sent", |it| it["open_orders"] == 0).await;
        assert!(order["client_id"].is_string());
    }
    let back = Exchange::start(ExchangeConfig { port, ..exchange_config() }).await.unwrap();
    let returned = Instant::now();
    trades_again(&node, "after the outage").await;
    assert!(returned.elapsed() < Duration::from_secs(30), "{:?}", returned.elapsed());
    node.stop().await.unwrap();
    check_journal(dir.path());
    back.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c11_bars_are_told_once_in_order_and_without_a_hole() {
    // a minute passes in half a second
    let stage = Stage::new(ExchangeConfig { pace: Pace::Realtime { speed: 120.0 }, ..exchange_config() }).await;
    let node = start(&stage).await;
    let frame = |kind, times| Fault {
        path: "market/kline".into(),
        method: Some("FRAME".into()),
        kind,
        times: Some(times),
        after: false,
    };
    stage.faults(&[frame(FaultKind::Nothing, 2), frame(FaultKind::Twice, 2)]).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    node.stop().await.unwrap();
    let opened: Vec<i64> = tradewind_node::events(stage.dir.path())
        .unwrap()
        .filter_map(|event| match event.kind {
            EventKind::BarClosed { bar, .. } => Some(bar.open_time.millis()),
            _ => None,
        })
        .collect();
    assert!(opened.len() >= 5, "{opened:?}");
    assert!(opened.windows(2).all(|two| two[1] - two[0] == 60_000), "each once, none missing: {opened:?}");
    check_journal(stage.dir.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c07_nothing_is_priced_from_a_feed_that_is_frozen() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = quick(&stage.exchange.url(), stage.dir.path(), &[]);
    settings.limits.profile = tradewind_node::settings::Profile::Conservative;
    let node = Node::start(settings, surroundings(Origin::Simulated)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let freeze = Fault {
        path: "market/".into(),
        method: Some("FRAME".into()),
        kind: FaultKind::Nothing,
        times: None,
        after: false,
    };
    stage.faults(&[freeze]).await;
    tokio::time::sleep(Duration::from_millis(2_600)).await; // quotes reach the engine twice a second
    let (code, text) = place(&node, Side::Buy, Some("30000")).await.unwrap_err();
    assert_eq!(code, "GATE-04", "{text}");
    until(&node, "and it is told", |it| notices(it).contains("is frozen")).await;
    end(node, &stage).await;
}
