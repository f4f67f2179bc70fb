//! Plans of trades, positions without a stop, changed settings and books, against the real local exchange.

use crate::child::quick;
use crate::support::{Stage, ask, check_journal, exchange_config, status, surroundings, until, words};
use serde_json::{Value, json};
use std::time::Duration;
use tradewind_domain::Origin;
use tradewind_domain::Side::{Buy, Sell};
use tradewind_exchange::{Fault, FaultKind};
use tradewind_node::settings::{LimitSettings, Profile, Seconds, Settings};
use tradewind_node::{Node, OperatorRequest, OrderWords, ParentWords, PlanWords, Surroundings, TradeWords};

/// The demo's limits, with patience for a simulated market that is quiet at times.
fn limits() -> LimitSettings {
    LimitSettings::of(Profile::Demo).with("stale_after", 3_600_000_000_000)
}

async fn start(settings: Settings) -> Node {
    Node::start(settings, surroundings(Origin::Simulated)).await.unwrap()
}

fn settings(stage: &Stage, limits: LimitSettings) -> Settings {
    Settings { limits, ..quick(&stage.exchange.url(), stage.dir.path(), &[]) }
}

async fn place(node: &Node, order: OrderWords) -> Result<Value, (String, String)> {
    ask(node, OperatorRequest::OrderPlace(order)).await
}

async fn resume(node: &Node) {
    ask(node, OperatorRequest::Resume { reason: "seen".to_owned() }).await.unwrap();
}

async fn mark(node: &Node) -> f64 {
    let seen = until(node, "there is a mark", |it| it["instruments"][0]["mark"].is_string()).await;
    seen["instruments"][0]["mark"].as_str().unwrap().parse().unwrap()
}

fn planned(order: OrderWords, stop: f64, target: f64, confidence: &str) -> OrderWords {
    let text = |value: f64| Some(format!("{value:.2}"));
    let (stop, target) = (text(stop), text(target));
    let plan = TradeWords { stop, target, confidence: Some(confidence.into()), ..TradeWords::default() };
    OrderWords { plan: Some(Box::new(plan)), ..order }
}

fn in_regime(mut order: OrderWords, regime: &str) -> OrderWords {
    order.plan.as_mut().unwrap().regime = Some(regime.to_owned());
    order
}

async fn positions(node: &Node) -> Vec<Value> {
    let list = ask(node, OperatorRequest::PositionList).await.unwrap();
    list.as_array().unwrap().iter().filter(|it| it["dust"] == false).cloned().collect()
}

async fn covered(node: &Node) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while positions(node).await[0]["protection"] != "covered" {
        assert!(tokio::time::Instant::now() < deadline, "the pair stands: {:?}", positions(node).await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_plan_is_judged_kept_at_the_venue_and_makes_way_for_the_exit() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(settings(&stage, limits())).await;
    let now = mark(&node).await;
    let order = || words(Buy, "0.02", None);
    for (order, code) in [
        (planned(order(), now * 0.97, now * 1.06, "59.99%"), "RSK-42"),
        (in_regime(planned(order(), now * 0.97, now * 1.06, "64.99%"), "range"), "RSK-48"),
        (in_regime(planned(order(), now * 0.97, now * 1.06, "69.99%"), "counter"), "RSK-48"),
        (in_regime(planned(order(), now * 0.97, now * 1.06, "70%"), "sideways"), "NODE-12"),
        (planned(order(), now * 0.90, now * 1.40, "65%"), "RSK-43"),
        (planned(order(), now * 0.97, now * 1.01, "65%"), "RSK-44"),
        (planned(order(), now * 0.97, now * 1.06, "sure"), "NODE-12"),
        (planned(order(), -1.0, now * 1.06, "65%"), "RSK-43"),
    ] {
        let shown = format!("{order:?}");
        assert_eq!(place(&node, order).await.expect_err(&shown).0, code, "{shown}");
    }
    let placed = place(&node, planned(order(), now * 0.97, now * 1.06, "65%")).await.unwrap();
    assert!(placed["client_id"].is_string() && placed["parent"] == "p1", "the order and what guards it: {placed}");
    until(&node, "the pair is sent", |it| it["open_orders"] == 2).await;
    covered(&node).await;
    let leaving = ask(&node, OperatorRequest::PositionClose { symbol: "BTC/USDT".to_owned() }).await.unwrap();
    assert_eq!(leaving[0]["data"]["plan"], "bracket", "{leaving}");
    until(&node, "it is sold", |it| it["open_orders"] == 0 && it["counters"]["orders"] == 4).await;
    assert_eq!(positions(&node).await, Vec::<Value>::new());
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

/// The first parent, as people list it.
async fn parent(node: &Node) -> Value {
    ask(node, OperatorRequest::ParentList).await.unwrap()[0].clone()
}

/// The quantities of the stops that stand at the venue, in hundred-thousandths of a bitcoin.
async fn stops_at_the_venue(stage: &Stage) -> Vec<i64> {
    let open = stage.signed("GET", "/api/v3/openOrders", &[("symbol", "BTCUSDT")]).await;
    let stops = open.as_array().unwrap().iter().filter(|it| it["type"].as_str().unwrap().starts_with("STOP_LOSS"));
    stops.map(|it| tradewind_domain::parse_decimal(it["origQty"].as_str().unwrap(), 8).unwrap() / 1_000).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_schedule_buys_is_guarded_by_few_stops_over_a_restart_and_leaves_by_its_target() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = settings(&stage, limits().with("unprotected", 60_000_000_000));
    settings.venue.recv_window = Seconds::from_millis(10_000); // a busy machine must not make a slice miss its window
    let node = start(settings.clone()).await;
    let now = mark(&node).await;
    let wish = |stop: f64, target: f64, confidence: &str| {
        let order = planned(words(Buy, "0.06", None), stop, target, confidence);
        OperatorRequest::OrderParent(ParentWords { order, plan: PlanWords::Twap { seconds: 9, slices: 6 } })
    };
    for (stop, target, confidence, code) in [
        (now * 0.98, now * 1.04, "59.99%", "RSK-42"),
        (now * 0.90, now * 1.40, "65%", "RSK-43"),
        (now * 0.98, now * 1.01, "65%", "RSK-44"),
        (now * 0.98, now * 1.04, "sure", "NODE-12"),
    ] {
        assert_eq!(ask(&node, wish(stop, target, confidence)).await.unwrap_err().0, code);
    }
    let opened = ask(&node, wish(now * 0.98, now * 1.04, "65%")).await.unwrap();
    assert_eq!(
        (&opened["plan"], opened["stop"].is_string(), opened["target"].is_string()),
        (&json!("twap"), true, true)
    );
    let deadline = tokio::time::Instant::now() + Duration::from_secs(120);
    let guarded = async |node: &Node, status: &str| {
        loop {
            let (seen, stops) = (parent(node).await, stops_at_the_venue(&stage).await);
            assert!(stops.len() <= 4, "{stops:?}");
            // a fee of a thousandth is taken from what is bought
            let bought = tradewind_domain::parse_decimal(seen["filled"].as_str().unwrap(), 5).unwrap();
            if seen["status"] == status && stops.iter().sum::<i64>() == bought - bought / 1_000 {
                return bought;
            }
            assert!(tokio::time::Instant::now() < deadline, "not {status} and guarded: {seen:#} {stops:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    while guarded(&node, "working").await < 2_000 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    node.stop().await.unwrap();
    let kept = stops_at_the_venue(&stage).await;
    assert!(!kept.is_empty(), "what guards stays at the venue while nobody runs");
    let node = start(settings).await;
    assert_eq!(guarded(&node, "guarding").await, 6_000);
    covered(&node).await;
    stage.sweep(&format!("{:.2}", now * 1.06)).await;
    while parent(&node).await["status"] != "over" {
        assert!(tokio::time::Instant::now() < deadline, "{:#}", parent(&node).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(parent(&node).await["reason"], "finished: all of it: 0.05994 entered and left");
    assert_eq!((positions(&node).await, stops_at_the_venue(&stage).await), (vec![], vec![]));
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

/// As a dead man's timer that fires while the node lives: Binance spot has none, but what follows is the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn e10_orders_that_a_venue_cancels_all_at_once_are_seen_told_and_what_is_unguarded_then_is_left_once() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(settings(&stage, limits())).await;
    let now = mark(&node).await;
    place(&node, planned(words(Buy, "0.02", None), now * 0.97, now * 1.06, "65%")).await.unwrap();
    until(&node, "the pair is sent", |it| it["open_orders"] == 2).await;
    covered(&node).await;
    place(&node, words(Buy, "0.01", Some(&format!("{:.2}", now * 0.98)))).await.unwrap();
    while stage.open_orders().await.len() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await; // it is on its way
    }
    let before = stage.venue_orders().await.len();
    let late = FaultKind::DelayMillis(700);
    stage.faults(&[Fault { path: "order".into(), method: None, kind: late, times: Some(4), after: false }]).await;
    let cancelled = stage.post("/tradewind/v1/disaster", &json!({"what": "cancel-all"})).await;
    assert_eq!(cancelled["undone"], 2, "the limit order, and the pair as one");
    let seen =
        until(&node, "the loss of its guards is told", |it| it["notices"].to_string().contains("not by us")).await;
    assert!(
        seen["notices"].to_string().contains("could not guard or leave its position in BTC/USDT"),
        "{}",
        seen["notices"]
    );
    until(&node, "what is unguarded is left", |it| it["open_orders"] == 0 && it["counters"]["orders"] == 5).await;
    assert_eq!(positions(&node).await, Vec::<Value>::new());
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let seen = status(&node).await;
    assert_eq!((&seen["open_orders"], &seen["counters"]["orders"]), (&json!(0), &json!(5)), "once, and nothing else");
    assert_eq!(stage.venue_orders().await.len(), before + 1);
    assert_eq!((&seen["halted"], &seen["counters"]["contradictions"]), (&Value::Null, &json!(0)));
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn a_position_without_a_stop_is_named_restricted_and_exempted() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(settings(&stage, limits().with("unprotected", 1_000_000_000))).await;
    let now = mark(&node).await;
    place(&node, words(Buy, "0.02", None)).await.unwrap();
    let seen = until(&node, "it is named", |it| it["unprotected"][0]["limit_seconds"] == 1).await;
    assert_eq!(seen["unprotected"][0]["symbol"], "BTC/USDT");
    let told = |it: &Value| it["notices"].to_string().contains("RSK-46 unprotected: BTC/USDT");
    until(&node, "it is restricted", told).await;
    let more = planned(words(Buy, "0.01", None), now * 0.97, now * 1.06, "65%");
    assert_eq!(place(&node, more.clone()).await.unwrap_err().0, "RSK-46");
    let held = positions(&node).await;
    assert!(held[0]["protection"].as_str().unwrap().starts_with("missing: a stop at"), "{held:?}");
    let exempt = |symbol: &str, end| OperatorRequest::PositionExempt {
        symbol: symbol.to_owned(),
        portfolio: None,
        reason: "a hedge".to_owned(),
        end,
    };
    assert_eq!(ask(&node, exempt("DOGE/USDT", false)).await.unwrap_err().0, "NODE-01");
    ask(&node, exempt("BTC/USDT", false)).await.unwrap();
    assert_eq!(positions(&node).await[0]["protection"], "exempt: a hedge");
    assert_eq!(status(&node).await["unprotected"], json!([]));
    place(&node, more).await.unwrap();
    ask(&node, exempt("BTC/USDT", true)).await.unwrap();
    until(&node, "it counts again", |it| it["unprotected"][0]["symbol"] == "BTC/USDT").await;
    ask(&node, OperatorRequest::Flatten).await.unwrap();
    until(&node, "flat", |it| it["open_orders"] == 0 && it["unprotected"] == json!([])).await;
    assert_eq!(ask(&node, exempt("BTC/USDT", false)).await.unwrap_err().0, "NODE-11", "nothing is held");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn settings_that_changed_while_something_is_held_allow_only_what_reduces() {
    let stage = Stage::new(exchange_config()).await;
    let tighter = || limits().with("open_positions", 5);
    let drifted = |it: &Value| it["notices"].to_string().contains("RSK-12 config-drift");

    let node = start(settings(&stage, limits())).await;
    mark(&node).await;
    node.stop().await.unwrap();
    let node = start(settings(&stage, tighter())).await; // nothing is held: told, not restricted
    let seen = status(&node).await;
    assert!(!drifted(&seen) && seen["notices"].to_string().contains("changed: limits since the last run"), "{seen}");
    mark(&node).await;
    place(&node, words(Buy, "0.02", None)).await.unwrap();
    until(&node, "bought", |it| it["counters"]["fills"].as_u64() > Some(0) && it["open_orders"] == 0).await;
    node.stop().await.unwrap();

    let node = start(settings(&stage, tighter())).await; // the same again
    assert!(!drifted(&status(&node).await));
    node.stop().await.unwrap();

    let node = start(settings(&stage, limits())).await; // something else, and a position
    assert!(drifted(&status(&node).await));
    mark(&node).await;
    let refused = place(&node, words(Buy, "0.01", None)).await.unwrap_err();
    assert!(refused.0 == "RSK-12" && refused.1.contains("reduce-only"), "{refused:?}");
    place(&node, words(Sell, "0.01", None)).await.unwrap();
    resume(&node).await;
    place(&node, words(Buy, "0.01", None)).await.unwrap();
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn a_settings_file_that_changes_while_it_runs_is_noticed() {
    let stage = Stage::new(exchange_config()).await;
    let file = stage.dir.path().join("tradewind.toml");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    write("[limits]\nprofile = \"demo\"\n");
    let around = Surroundings { settings_file: Some(file.clone()), ..surroundings(Origin::Simulated) };
    let node = Node::start(settings(&stage, limits()), around).await.unwrap();
    mark(&node).await;
    place(&node, words(Buy, "0.02", None)).await.unwrap();
    until(&node, "bought", |it| it["counters"]["fills"].as_u64() > Some(0) && it["open_orders"] == 0).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await; // the file was looked at once
    write("# a word of no consequence\n[limits]\nprofile = \"demo\"\n");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(status(&node).await["notices"], json!([]));
    write("[limits]\nprofile = \"moderate\"\n");
    until(&node, "it is noticed", |it| it["notices"].to_string().contains("RSK-12")).await;
    assert_eq!(place(&node, words(Buy, "0.01", None)).await.unwrap_err().0, "RSK-12");
    resume(&node).await;
    place(&node, words(Buy, "0.01", None)).await.unwrap();
    write("[limits]\nprofile = \"no such\"\n");
    until(&node, "a spoilt file as well", |it| it["notices"].to_string().matches("RSK-12").count() == 2).await;
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test]
async fn books_are_followed_where_a_limit_asks_for_them() {
    let stage = Stage::new(exchange_config()).await;
    for (asked, seen) in [(false, 0), (true, 1)] {
        let limits = if asked { limits().with("impact_by_book", 1) } else { limits() };
        let node = start(settings(&stage, limits)).await;
        mark(&node).await;
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        let shown = status(&node).await["instruments"][0]["liquidity"].clone();
        assert_eq!(shown.is_object(), asked, "{shown}");
        if asked {
            assert!(
                shown["score"].as_f64().is_some_and(|score| score > 0.0) && shown["class"] != "critical",
                "{shown}"
            );
        }
        let ended = node.stop().await.unwrap();
        let depth = ended.state.listings[0].depth;
        assert_eq!(usize::from(depth.is_some()), seen, "{depth:?}");
        if let Some(known) = depth {
            let [best, ten] = known.depth.asks.map(|it| it.mantissa());
            assert!(best > 0 && ten >= best, "{known:?}");
        }
    }
    check_journal(stage.dir.path());
}
