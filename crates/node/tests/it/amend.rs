//! Orders made smaller in their place, and rules that change while the node runs, over real sockets.

use crate::recovery::{events, far_buy, finish, order, place, start, until_order};
use crate::support::{Stage, ask, exchange_config, status, until, words};
use serde_json::{Value, json};
use std::time::Duration;
use tradewind_domain::{ClientOrderId, Side};
use tradewind_engine::{Amend, EventKind};
use tradewind_exchange::{Fault, FaultKind};
use tradewind_node::{Node, OperatorRequest, ReplaceWords};

async fn reduce(node: &Node, id: &str, quantity: &str) -> Result<Value, (String, String)> {
    let client_id = ClientOrderId::parse(id).unwrap();
    let quantity = Some(quantity.to_owned());
    ask(node, OperatorRequest::OrderReplace(ReplaceWords { client_id, price: None, trigger: None, quantity })).await
}

async fn until_amount(node: &Node, id: &str, wanted: (&str, &str)) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let seen = order(node, id).await;
        if (&seen["amount"], &seen["status"]) == (&json!(wanted.0), &json!(wanted.1)) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "not {wanted:?} in 20 s: {seen:#}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn amends(said: &[EventKind]) -> Vec<&'static str> {
    let word = |kind: &EventKind| match kind {
        EventKind::Amend { said: Amend::Proposed { .. }, .. } => Some("proposed"),
        EventKind::Amend { said: Amend::Sent { .. }, .. } => Some("sent"),
        EventKind::Amend { said: Amend::Confirmed { .. }, .. } => Some("confirmed"),
        EventKind::Amend { said: Amend::Refused { .. }, .. } => Some("refused"),
        _ => None,
    };
    said.iter().filter_map(word).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_made_smaller_in_its_place_under_its_own_name() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let id = place(&node, words(Side::Buy, "0.003", Some("30000"))).await.unwrap();
    until_order(&node, &id, "open").await;
    let before = stage.venue_orders().await;
    reduce(&node, &id, "0.001").await.unwrap();
    until_amount(&node, &id, ("0.001", "open")).await;
    let after = stage.venue_orders().await;
    assert_eq!((after.len(), &after[0]["orderId"]), (1, &before[0]["orderId"]), "the same order");
    assert_eq!((&after[0]["clientOrderId"], &after[0]["origQty"]), (&json!(id), &json!("0.00100000")));
    assert_eq!(ask(&node, OperatorRequest::ParentList).await.unwrap(), json!([]), "nothing was cancelled");
    let seen = status(&node).await;
    assert!(!seen["notices"].to_string().contains("alarm"), "what was asked for is no surprise: {seen:#}");
    // more of it is another order
    reduce(&node, &id, "0.002").await.unwrap();
    until(&node, "a new order in its place", |it| it["counters"]["orders"] == 2 && it["open_orders"] == 1).await;
    let said = finish(&stage, node).await;
    assert_eq!(amends(&said), ["proposed", "sent", "confirmed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_amendment_whose_answer_is_lost_is_found_or_found_not_to_be() {
    for carried_out in [true, false] {
        let stage = Stage::new(exchange_config()).await;
        let node = start(&stage).await;
        let id = place(&node, words(Side::Buy, "0.003", Some("30000"))).await.unwrap();
        until_order(&node, &id, "open").await;
        let fault = |path: &str, kind, after, times| Fault { path: path.to_owned(), method: None, kind, times, after };
        let silent =
            Fault { method: Some("FRAME".to_owned()), ..fault("executionReport", FaultKind::Nothing, false, None) };
        stage.faults(&[silent, fault("order.amend", FaultKind::Cut, carried_out, Some(1))]).await;
        let asked = reduce(&node, &id, "0.001").await.unwrap();
        assert_eq!(
            (&asked["amount"], &asked["status"]),
            (&json!("0.003"), &json!("pending_update")),
            "until it is known"
        );
        until_amount(&node, &id, (if carried_out { "0.001" } else { "0.003" }, "open")).await;
        let at_venue = stage.venue_orders().await;
        assert_eq!(at_venue[0]["origQty"], if carried_out { "0.00100000" } else { "0.00300000" });
        let said = finish(&stage, node).await;
        assert_eq!(amends(&said), ["proposed", "sent", if carried_out { "confirmed" } else { "refused" }]);
        assert!(said.iter().any(|kind| matches!(kind, EventKind::AnswerLost { .. })));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a16_rules_that_changed_at_run_time_cost_one_rejection_and_the_next_decision_obeys_them() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let resting = place(&node, far_buy()).await.unwrap();
    until_order(&node, &resting, "open").await;
    let change = json!({ "what": "relist", "symbol": "BTCUSDT", "min_notional": "50" });
    stage.post("/tradewind/v1/disaster", &change).await;
    let refused = place(&node, far_buy()).await.unwrap();
    until_order(&node, &refused, "rejected").await;
    until(&node, "the new rules are known", |it| it["notices"].to_string().contains("by other rules")).await;
    let again = place(&node, far_buy()).await.unwrap_err();
    assert!(again.1.contains("50"), "the gate knows the new rule: {again:?}");
    let obeys = place(&node, words(Side::Buy, "0.002", Some("30000"))).await.unwrap();
    until_order(&node, &obeys, "open").await;
    assert_eq!(order(&node, &resting).await["status"], "open", "what rests stays");
    let seen = status(&node).await;
    assert_eq!((&seen["counters"]["rejected"], &seen["halted"]), (&json!(1), &Value::Null), "no loop");
    assert_eq!(stage.venue_orders().await.len(), 2);
    finish(&stage, node).await;
    let relisted =
        |kind: &&EventKind| matches!(kind, EventKind::Listed(it) if it.spec.min_notional.units == 50 * 100_000_000);
    assert_eq!(events(stage.dir.path()).iter().filter(relisted).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_steps_pause_an_instrument_until_the_next_start_which_trades_by_them() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let change = json!({ "what": "relist", "symbol": "BTCUSDT", "tick": "0.10" });
    stage.post("/tradewind/v1/disaster", &change).await;
    place(&node, words(Side::Buy, "0.001", Some("30000.01"))).await.unwrap();
    until(&node, "it is paused", |it| it["notices"].to_string().contains("stop and start again")).await;
    assert!(place(&node, far_buy()).await.is_err());
    let node = {
        finish(&stage, node).await;
        start(&stage).await
    };
    assert!(place(&node, words(Side::Buy, "0.001", Some("30000.01"))).await.is_err(), "off the new tick");
    let id = place(&node, words(Side::Buy, "0.001", Some("30000.10"))).await.unwrap();
    until_order(&node, &id, "open").await;
    finish(&stage, node).await;
}
