//! Orders that become other orders, against the real local exchange: brackets, schedules, replacements, waiting ones.

use crate::child::{NodeProcess, quick};
use crate::support::{Stage, ask, check_journal, exchange_config, status, surroundings, until, words};
use serde_json::{Value, json};
use std::time::Duration;
use tradewind_domain::Origin;
use tradewind_domain::Side::{Buy, Sell};
use tradewind_engine::algo::Ask;
use tradewind_node::settings::Seconds;
use tradewind_node::{
    KindWords, Node, OperatorReply, OperatorRequest, OrderWords, ParentWords, PlanWords, ReplaceWords,
};

async fn start(stage: &Stage) -> Node {
    let mut settings = quick(&stage.exchange.url(), stage.dir.path(), &[]);
    // a machine that is busy must not make an order miss its window: twice in a row, and its parent pauses
    settings.venue.recv_window = Seconds::from_millis(10_000);
    Node::start(settings, surroundings(Origin::Simulated)).await.unwrap()
}

async fn mark(node: &Node) -> f64 {
    let seen = until(node, "there is a mark", |it| it["instruments"][0]["mark"].is_string()).await;
    seen["instruments"][0]["mark"].as_str().unwrap().parse().unwrap()
}

fn price(value: f64) -> String {
    format!("{value:.2}")
}

async fn wish(node: &Node, order: OrderWords, plan: PlanWords) -> Result<Value, (String, String)> {
    ask(node, OperatorRequest::OrderParent(ParentWords { order, plan })).await
}

async fn parents(node: &Node) -> Vec<Value> {
    ask(node, OperatorRequest::ParentList).await.unwrap().as_array().unwrap().clone()
}

/// Waits until the first parent is as wanted.
async fn until_parent(node: &Node, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(120); // a hang, not a slow machine
    loop {
        let seen = parents(node).await;
        if let Some(parent) = seen.first().filter(|it| is(it)) {
            return parent.clone();
        }
        assert!(tokio::time::Instant::now() < deadline, "not in 120 s: {what}\n{seen:#?}\n{:#}", status(node).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn held(node: &Node) -> String {
    let positions = ask(node, OperatorRequest::PositionList).await.unwrap();
    positions.as_array().unwrap().iter().map(|it| it["quantity"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

/// What the venue executed of all orders of the account, in hundred-thousandths of a bitcoin.
async fn executed(stage: &Stage, side: &str) -> i64 {
    let all = stage.venue_orders().await;
    let mine = all.iter().filter(|it| it["side"] == side);
    mine.map(|it| tradewind_domain::parse_decimal(it["executedQty"].as_str().unwrap(), 8).unwrap() / 1_000).sum()
}

async fn check_end(stage: &Stage, node: Node) {
    let seen = status(&node).await;
    assert_eq!((&seen["halted"], &seen["counters"]["contradictions"]), (&Value::Null, &json!(0)), "{seen:#}");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bracket_is_protected_by_a_list_at_the_venue_and_leaves_by_its_target() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let now = mark(&node).await;
    let plan = PlanWords::Bracket { target: Some(price(now * 1.001)), stop: Some(price(now * 0.9)), stop_limit: None };
    let opened = wish(&node, words(Buy, "0.02", None), plan).await.unwrap();
    assert_eq!((&opened["plan"], &opened["parent"]), (&json!("bracket"), &json!("p1")));
    until(&node, "target and stop rest", |it| it["open_orders"] == 2 && it["counters"]["orders"] == 3).await;
    let lists: Vec<Value> = stage.venue_orders().await.iter().map(|it| it["orderListId"].clone()).collect();
    assert_eq!(lists[0], json!(-1));
    assert!(lists[1] != json!(-1) && lists[1] == lists[2], "one list for both: {lists:?}");
    stage.sweep(&price(now * 1.02)).await;
    let over = until_parent(&node, "the bracket is over", |it| it["status"] == "over").await;
    assert_eq!(over["reason"], "finished: 0.01998 entered and left", "{over:#}");
    assert!(["", "0"].contains(&held(&node).await.as_str()), "the fee was taken from what was bought");
    check_end(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bracket_ended_before_it_fills_leaves_nothing_behind() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let now = mark(&node).await;
    let plan = PlanWords::Bracket { target: Some(price(now * 1.1)), stop: Some(price(now * 0.5)), stop_limit: None };
    wish(&node, words(Buy, "0.02", Some(&price(now * 0.8))), plan).await.unwrap();
    until(&node, "the entry rests", |it| it["open_orders"] == 1).await;
    let asked = OperatorRequest::ParentAsk { parent: 1, ask: Ask::Cancel, reason: "no more".to_owned() };
    ask(&node, asked.clone()).await.unwrap();
    let over = until_parent(&node, "the bracket is over", |it| it["status"] == "over").await;
    assert_eq!(over["reason"], "cancelled: its entry ended without a fill");
    assert_eq!((stage.venue_orders().await.len(), status(&node).await["open_orders"].clone()), (1, json!(0)));
    assert_eq!(ask(&node, asked).await.unwrap_err().0, "NODE-10");
    check_end(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_twap_goes_on_after_its_process_was_killed_and_buys_no_more_than_it_was_asked_for() {
    let stage = Stage::new(exchange_config()).await;
    let mut child = NodeProcess::spawn(&stage.exchange.url(), stage.dir.path(), "");
    child.ready().await;
    let plan = PlanWords::Twap { seconds: 6, slices: 6 };
    let words = ParentWords { order: words(Buy, "0.06", None), plan };
    let reply = child.ask(OperatorRequest::OrderParent(words)).await.unwrap();
    assert!(matches!(reply, OperatorReply::Done { .. }), "{reply:?}");
    while executed(&stage, "BUY").await < 2_000 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    child.kill();
    assert!(executed(&stage, "BUY").await < 6_000, "it was killed in the middle");
    let node = start(&stage).await;
    let over = until_parent(&node, "the schedule is over", |it| it["status"] == "over").await;
    assert_eq!((&over["filled"], &over["reason"]), (&json!("0.06"), &json!("finished: all of it")), "{over:#}");
    assert_eq!(executed(&stage, "BUY").await, 6_000);
    check_end(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ladder_stands_at_each_price_and_goes_when_it_is_ended() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let now = mark(&node).await;
    let plan = PlanWords::Scale { from: price(now * 0.9), to: price(now * 0.8), orders: 3 };
    wish(&node, words(Buy, "0.03", Some(&price(now * 0.9))), plan).await.unwrap();
    until(&node, "all rest", |it| it["open_orders"] == 3).await;
    node.stop().await.unwrap();
    let node = start(&stage).await;
    until(&node, "all rest after a restart", |it| it["open_orders"] == 3 && it["unknown_orders"] == 0).await;
    ask(&node, OperatorRequest::ParentAsk { parent: 1, ask: Ask::Cancel, reason: "no more".to_owned() }).await.unwrap();
    until_parent(&node, "the ladder is over", |it| it["status"] == "over").await;
    let open = stage.signed("GET", "/api/v3/openOrders", &[("symbol", "BTCUSDT")]).await;
    assert_eq!(open, json!([]));
    check_end(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_replaced_under_one_budget() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let now = mark(&node).await;
    let placed = ask(&node, OperatorRequest::OrderPlace(words(Buy, "0.02", Some(&price(now * 0.8))))).await.unwrap();
    until(&node, "it rests", |it| it["open_orders"] == 1).await;
    let client_id = tradewind_domain::ClientOrderId::parse(placed["client_id"].as_str().unwrap()).unwrap();
    let (to, quantity) = (price(now * 0.7), Some("0.03".to_owned()));
    let replace = ReplaceWords { client_id, price: Some(to.clone()), trigger: None, quantity };
    ask(&node, OperatorRequest::OrderReplace(replace.clone())).await.unwrap();
    let over = |it: &Value| it["orders"].as_array().unwrap().iter().any(|it| it["role"] == "replacement");
    until_parent(&node, "the new order is proposed", over).await;
    until(&node, "one rests", |it| it["open_orders"] == 1 && it["unknown_orders"] == 0).await;
    let open = stage.signed("GET", "/api/v3/openOrders", &[("symbol", "BTCUSDT")]).await;
    let open = open.as_array().unwrap();
    assert_eq!(open.len(), 1);
    let origin = |name: &str| open[0][name].as_str().unwrap().parse::<f64>().unwrap();
    assert_eq!((price(origin("price")), origin("origQty")), (to, 0.03));
    assert_eq!(ask(&node, OperatorRequest::OrderReplace(replace)).await.unwrap_err().0, "NODE-10");
    check_end(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_touched_order_waits_at_the_venue_and_a_trailing_one_in_the_engine() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let now = mark(&node).await;
    let touched =
        OrderWords { trigger: Some(price(now * 0.8)), kind: Some(KindWords::Touched), ..words(Buy, "0.01", None) };
    let placed = ask(&node, OperatorRequest::OrderPlace(touched)).await.unwrap();
    assert_eq!(placed["order_type"], "market-if-touched");
    until(&node, "it rests", |it| it["open_orders"] == 1).await;
    assert_eq!(stage.venue_orders().await[0]["type"], "TAKE_PROFIT");
    ask(&node, OperatorRequest::OrderPlace(words(Buy, "0.02", None))).await.unwrap();
    until(&node, "bought", |it| it["counters"]["fills"].as_u64() > Some(0)).await;
    let kind = Some(KindWords::Trailing { offset: "1".to_owned(), activation: None });
    let trailing = OrderWords { kind, reduce_only: true, ..words(Sell, "0.01", None) };
    let placed = ask(&node, OperatorRequest::OrderPlace(trailing.clone())).await.unwrap();
    assert_eq!((&placed["parent"], &placed["order_type"]), (&json!("p1"), &json!("trailing-stop")));
    for _ in 0..400 {
        stage.by_somebody("SELL", "0.2", &price(now * 0.9)).await;
        if parents(&node).await[0]["status"] == "over" {
            break;
        }
    }
    let over = until_parent(&node, "it woke and sold", |it| it["status"] == "over").await;
    assert_eq!(over["orders"][0]["role"], "awake", "{over:#}");
    assert_eq!(executed(&stage, "SELL").await, 1_000);
    let odd = OrderWords { trigger: Some("1".to_owned()), ..trailing };
    assert_eq!(ask(&node, OperatorRequest::OrderPlace(odd)).await.unwrap_err().0, "NODE-12");
    check_end(&stage, node).await;
}
