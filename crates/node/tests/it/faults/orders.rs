//! The order path over real sockets: reports that nobody can read, ends that overtake fills, terms that are not ours.

use crate::recovery::{events, far_buy, finish, order, place, start, until_order};
use crate::support::{Stage, ask, exchange_config, status, surroundings, until, words};
use serde_json::{Value, json};
use std::time::Duration;
use tradewind_domain::{ClientOrderId, Origin, Side};
use tradewind_engine::EventKind;
use tradewind_exchange::{Fault, FaultKind};
use tradewind_node::{Node, OperatorRequest, OrderWords};

/// The next report of this kind of execution is spoilt.
pub(crate) fn report(execution: &str, kind: FaultKind) -> Fault {
    let (path, method) = (format!("executionReport/{execution}"), Some("FRAME".to_owned()));
    Fault { path, method, kind, times: Some(1), after: false }
}

pub(crate) fn field(name: &str, value: Value) -> FaultKind {
    FaultKind::Field { name: name.to_owned(), value }
}

/// A node whose lists are read only when something asks for it: what it finds soon, it found for a reason.
pub(crate) async fn patient(stage: &Stage) -> Node {
    let mut settings = crate::recovery::swift(stage, stage.dir.path());
    settings.venue.sweep_every = tradewind_node::settings::Seconds::from_millis(600_000);
    let node = Node::start(settings, surroundings(Origin::Simulated)).await.unwrap();
    until(&node, "there is a mark", |it| it["instruments"][0]["mark"].is_string()).await;
    node
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a10_an_execution_told_in_a_word_nobody_knows_is_read_from_the_lists_at_once() {
    let stage = Stage::new(exchange_config()).await;
    let node = patient(&stage).await;
    stage.faults(&[report("TRADE", field("x", json!("INVENTED")))]).await;
    let id = place(&node, words(Side::Buy, "0.001", None)).await.unwrap();
    until_order(&node, &id, "filled").await;
    // the sweep that belongs to the start may be faster than the report
    let told = |it: &Value| it["notices"].to_string().contains("`INVENTED` is not a known execution type");
    let seen = until(&node, "it is named", told).await;
    assert_eq!(seen["counters"]["contradictions"], 0);
    finish(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a13_a_cancel_told_before_the_fill_that_it_crossed_waits_for_the_fill() {
    let stage = Stage::new(exchange_config()).await;
    let node = patient(&stage).await;
    // an order larger than what is offered at its price rests with a part of it filled; that part is never told
    stage.faults(&[Fault { times: None, ..report("TRADE", FaultKind::Nothing) }]).await;
    let mark: f64 = status(&node).await["instruments"][0]["mark"].as_str().unwrap().parse().unwrap();
    let (near, low) = (format!("{:.0}.00", mark - 2.0), format!("{:.0}.00", mark * 0.9));
    let id = place(&node, words(Side::Buy, "0.1", Some(&near))).await.unwrap();
    until_order(&node, &id, "open").await;
    stage.by_somebody("SELL", "0.04", &low).await;
    while stage.venue_orders().await.iter().all(|it| it["clientOrderId"] == *id && it["executedQty"] == "0.00000000") {
        stage.by_somebody("SELL", "0.2", &low).await;
    }
    let client_id = ClientOrderId::parse(&id).unwrap();
    let gone = ask(&node, OperatorRequest::OrderCancel { client_id }).await;
    let seen = until(&node, "it is over", |it| it["open_orders"] == 0).await;
    let at_venue = stage.venue_orders().await.into_iter().find(|it| it["clientOrderId"] == *id).unwrap();
    let (ours, venue) = (order(&node, &id).await, at_venue["executedQty"].as_str().unwrap().to_owned());
    let number = |text: &str| text.parse::<f64>().unwrap();
    assert!(number(&venue) > 0.0, "a part of it was executed: {at_venue}");
    assert!((number(ours["filled"].as_str().unwrap()) - number(&venue)).abs() < 1e-12, "{ours} and {at_venue}");
    assert_eq!(&seen["counters"]["contradictions"], 0, "{gone:?}");
    let said = finish(&stage, node).await;
    let place_of = |is: fn(&EventKind) -> bool| said.iter().position(is);
    let filled = place_of(|kind| matches!(kind, EventKind::Filled(_)));
    let ended = place_of(|kind| matches!(kind, EventKind::Cancelled { .. }));
    assert!(ended.is_none() || filled < ended, "until the fill is known the order counts in full");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a17_an_order_that_would_meet_our_own_ends_with_its_reason_and_no_fault() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let bought = place(&node, words(Side::Buy, "0.1", None)).await.unwrap();
    until_order(&node, &bought, "filled").await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let met = |kind: &EventKind| match kind {
        EventKind::Cancelled { client_id, reason } if reason == "EXPIRED_IN_MATCH" => Some(client_id.to_string()),
        _ => None,
    };
    for _ in 0..50 {
        // another program with the same account offers just below everybody else's price
        let url = format!("{}/api/v3/ticker/bookTicker?symbol=BTCUSDT", stage.exchange.url());
        let best: Value = serde_json::from_str(&http.get(url).send().await.unwrap().text().await.unwrap()).unwrap();
        let price = format!("{:.2}", best["askPrice"].as_str().unwrap().parse::<f64>().unwrap() - 0.01);
        let offer = [
            ("symbol", "BTCUSDT"),
            ("side", "SELL"),
            ("type", "LIMIT_MAKER"),
            ("quantity", "0.09"),
            ("price", price.as_str()),
            ("newClientOrderId", "of-another-program"),
        ];
        let placed = stage.signed("POST", "/api/v3/order", &offer).await;
        let buy = OrderWords { time_in_force: Some("ioc".to_owned()), ..words(Side::Buy, "0.001", Some(&price)) };
        let id = place(&node, buy).await.unwrap();
        let seen = until(&node, "it is over", |it| it["open_orders"] == 0).await;
        assert_eq!((&seen["halted"], &seen["counters"]["rejected"]), (&Value::Null, &json!(0)));
        if placed["orderId"].is_number() {
            let mine = [("symbol", "BTCUSDT"), ("origClientOrderId", "of-another-program")];
            stage.signed("DELETE", "/api/v3/order", &mine).await;
        }
        if events(stage.dir.path()).iter().filter_map(met).any(|it| it == id) {
            assert_eq!(order(&node, &id).await["status"], "canceled");
            node.stop().await.unwrap();
            return;
        }
    }
    panic!("fifty times somebody else was faster");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a17_an_order_that_another_program_lowers_by_decrement_is_worked_with_less_and_fills_with_that() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let bought = place(&node, words(Side::Buy, "0.1", None)).await.unwrap();
    until_order(&node, &bought, "filled").await;
    for _ in 0..50 {
        let best = stage.get("/api/v3/ticker/bookTicker?symbol=BTCUSDT").await;
        let price = format!("{:.2}", best["askPrice"].as_str().unwrap().parse::<f64>().unwrap() - 0.01);
        let id = place(&node, words(Side::Buy, "0.003", Some(&price))).await.unwrap();
        while stage.venue_orders().await.iter().all(|it| it["clientOrderId"] != *id) {
            tokio::time::sleep(Duration::from_millis(5)).await; // it is on its way
        }
        // another program with the same account sells what the node bids for
        let offer = [
            ("symbol", "BTCUSDT"),
            ("side", "SELL"),
            ("type", "LIMIT"),
            ("timeInForce", "IOC"),
            ("quantity", "0.001"),
            ("price", price.as_str()),
            ("selfTradePreventionMode", "DECREMENT"),
        ];
        stage.signed("POST", "/api/v3/order", &offer).await;
        let ours = stage.venue_orders().await.into_iter().find(|it| it["clientOrderId"] == *id).unwrap();
        if ours["preventedQuantity"] != "0.00100000" || ours["status"] != "NEW" {
            let client_id = ClientOrderId::parse(&id).unwrap();
            let _ = ask(&node, OperatorRequest::OrderCancel { client_id }).await; // it may have filled meanwhile
            until(&node, "it is over", |it| it["open_orders"] == 0).await;
            continue;
        }
        let lowered = async {
            while order(&node, &id).await["amount"] != "0.002" {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), lowered).await.expect("it is worked with less");
        stage.by_somebody("SELL", "20", &price).await;
        until_order(&node, &id, "filled").await;
        let seen = order(&node, &id).await;
        assert_eq!((&seen["amount"], &seen["filled"]), (&json!("0.002"), &json!("0.002")), "{seen}");
        assert_eq!(status(&node).await["counters"]["contradictions"], 0);
        node.stop().await.unwrap();
        crate::support::check_journal(stage.dir.path());
        let ends = events(stage.dir.path()).into_iter().filter(|kind| match kind {
            EventKind::Cancelled { client_id, .. } | EventKind::Expired { client_id, .. } => {
                client_id.to_string() == id
            }
            _ => false,
        });
        assert_eq!(ends.count(), 0, "it filled");
        return;
    }
    panic!("fifty times somebody else was faster");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a18_an_order_that_the_venue_works_at_another_price_is_adopted_with_an_alarm() {
    let stage = Stage::new(exchange_config()).await;
    let node = patient(&stage).await;
    stage.faults(&[report("NEW", field("p", json!("29990.00000000")))]).await;
    let id = place(&node, far_buy()).await.unwrap();
    let seen = until(&node, "an alarm", |it| it["notices"].to_string().contains("alarm")).await;
    let said = seen["notices"].to_string();
    assert!(said.contains("was meant as 0.001 at 30000") && said.contains("works 0.001 at 29990"), "{said}");
    let ours = order(&node, &id).await;
    assert_eq!((&ours["price"], &ours["status"]), (&json!("29990"), &json!("open")), "the venue's word counts");
    stage.faults(&[report("NEW", field("q", json!("0.00300000")))]).await;
    let larger = place(&node, far_buy()).await.unwrap();
    until(&node, "another", |it| it["notices"].to_string().contains("works 0.003")).await;
    assert_eq!(order(&node, &larger).await["amount"], "0.003");
    node.stop().await.unwrap();
    let reworked = |kind: &EventKind| matches!(kind, EventKind::Reworked { .. });
    assert_eq!(events(stage.dir.path()).iter().filter(|kind| reworked(kind)).count(), 2);
    crate::support::check_journal(stage.dir.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a19_what_had_to_fill_at_once_and_did_not_is_over_without_a_fill() {
    let stage = Stage::new(exchange_config()).await;
    let node = patient(&stage).await;
    for force in ["ioc", "fok"] {
        let id = place(&node, OrderWords { time_in_force: Some(force.to_owned()), ..far_buy() }).await.unwrap();
        until_order(&node, &id, "canceled").await;
        assert_eq!(order(&node, &id).await["filled"], "0");
    }
    let seen = status(&node).await;
    assert_eq!((&seen["halted"], &seen["counters"]["fills"]), (&Value::Null, &json!(0)));
    finish(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a16_an_order_that_broke_a_new_rule_is_rejected_once_and_the_rules_are_read_anew() {
    let stage = Stage::new(exchange_config()).await;
    let node = patient(&stage).await;
    stage.post("/tradewind/v1/disaster", &json!({"what": "relist", "symbol": "BTCUSDT", "tick": "0.10"})).await;
    let id = place(&node, words(Side::Buy, "0.001", Some("30000.05"))).await.unwrap();
    until_order(&node, &id, "rejected").await;
    // long before the listing would have been read by the clock
    let seen =
        until(&node, "read anew", |it| it["notices"].to_string().contains("the listing of instrument 0 changed")).await;
    assert_eq!((&seen["counters"]["rejected"], &seen["halted"]), (&json!(1), &Value::Null));
    let (code, why) = place(&node, words(Side::Buy, "0.001", Some("30000.05"))).await.unwrap_err();
    assert!(code.starts_with("GATE-"), "{code}: {why}");
    assert_eq!(status(&node).await["counters"]["rejected"], 1, "the next one does not leave");
    assert_eq!(stage.venue_orders().await.len(), 0);
    node.stop().await.unwrap();
    crate::support::check_journal(stage.dir.path());
}
