//! A venue that answers garbage, a web page, half an answer, nothing, or breaks off.

use crate::child::quick;
use crate::support::{Stage, ask, check_journal, exchange_config, status, surroundings, until, words};
use serde_json::Value;
use tradewind_domain::{ClientOrderId, Coded, Origin, Side};
use tradewind_engine::EventKind;
use tradewind_exchange::{Fault, FaultKind};
use tradewind_node::{Node, NodeError, OperatorRequest};

fn fault(path: &str, kind: FaultKind, after: bool) -> Fault {
    Fault { path: path.to_owned(), method: None, kind, times: None, after }
}

async fn start(stage: &Stage) -> Result<Node, NodeError> {
    let settings = quick(&stage.exchange.url(), stage.dir.path(), &["ema-trend"]);
    Node::start(settings, surroundings(Origin::Simulated)).await
}

/// Every way of spoiling the answers at `path` ends a start with a code, and leaves no lock and no socket.
async fn check_start(path: &str) {
    let stage = Stage::new(exchange_config()).await;
    for (kind, codes) in [
        (FaultKind::Garbage, ["VEN-01", "VEN-01"]),
        (FaultKind::Html, ["VEN-02", "VEN-02"]),
        (FaultKind::HalfJson, ["VEN-03", "VEN-01"]),
        (FaultKind::Nothing, ["VEN-04", "VEN-04"]),
        (FaultKind::Cut, ["VEN-07", "VEN-03"]),
        (FaultKind::Status(503), ["VEN-10", "VEN-02"]),
    ] {
        let shown = format!("{kind:?} for {path}");
        stage.faults(&[fault(path, kind, false)]).await;
        let error = start(&stage).await.err().unwrap_or_else(|| panic!("{shown}"));
        assert!(codes.contains(&error.code()), "{shown}: {} {error}", error.code());
        assert!(error.to_string().contains(&stage.exchange.url()) && !error.hint().is_empty(), "{shown}: {error}");
        assert!(!tradewind_node::socket_path(stage.dir.path()).exists(), "{shown}: the socket stays");
    }
    stage.faults(&[]).await;
    let node = start(&stage).await.expect("lock and socket of every failed start are free");
    assert_eq!(status(&node).await["halted"], Value::Null);
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_spoilt_answers_ends_with_a_code_and_leaves_nothing_behind() {
    for path in ["/api/v3/time", "/api/v3/exchangeInfo", "/api/v3/account", "/api/v3/klines", "/api/v3/openOrders"] {
        check_start(path).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_without_a_user_stream_ends_with_a_code() {
    let stage = Stage::new(exchange_config()).await;
    stage.faults(&[fault("userDataStream.subscribe.signature", FaultKind::Garbage, false)]).await;
    let error = start(&stage).await.err().expect("nothing is traded blind");
    assert_eq!(error.code(), "NODE-16", "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_at_a_silent_venue_ends_with_a_code() {
    let stage = Stage::new(exchange_config()).await;
    stage.faults(&[fault("/api/v3/account", FaultKind::Hang, false)]).await;
    let error = start(&stage).await.err().expect("it does not wait for ever");
    assert_eq!(error.code(), "VEN-08", "{error}");
}

/// One order whose answer is spoilt: it is explained by evidence, exists once or not at all, and trading goes on.
async fn check(kind: FaultKind, after: bool, live: bool) {
    let shown = format!("{kind:?}, carried out: {after}");
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await.unwrap();
    stage.faults(&[Fault { times: Some(1), ..fault("order.place", kind, after) }]).await;
    let order = ask(&node, OperatorRequest::OrderPlace(words(Side::Buy, "0.001", None))).await.unwrap();
    let id = order["client_id"].as_str().unwrap();
    let seen = until(&node, &shown, |it| it["open_orders"] == 0).await;
    assert_eq!((&seen["halted"], &seen["counters"]["contradictions"]), (&Value::Null, &Value::from(0)), "{shown}");
    let at_venue = stage.venue_orders().await;
    let count = at_venue.iter().filter(|it| it["clientOrderId"] == id).count();
    assert_eq!(count, usize::from(live), "{shown}");
    assert_eq!(seen["counters"]["fills"].as_u64() > Some(0), live, "{shown}");
    trade_again(&node, &shown).await;
    let ended = node.stop().await.unwrap();
    let events = tradewind_node::events(stage.dir.path()).unwrap();
    let is_its =
        |kind: &EventKind| matches!(kind, EventKind::AnswerLost { client_id, .. } if client_id.to_string() == id);
    let lost = events.filter(|it| is_its(&it.kind)).count();
    assert!(lost <= 1 && ended.state.open.is_empty(), "{shown}: lost {lost}");
    check_journal(stage.dir.path());
    let node = start(&stage).await.unwrap();
    assert_eq!(status(&node).await["halted"], Value::Null, "{shown}: the balances agree");
    node.stop().await.unwrap();
}

/// The next order trades. Right after a fault the socket or the clock may be on its way back: then it is provably not
/// sent, and one may try again.
async fn trade_again(node: &Node, shown: &str) {
    let before = status(node).await["counters"]["fills"].clone();
    for _ in 0..1_000 {
        if let Err((code, _)) = ask(node, OperatorRequest::OrderPlace(words(Side::Buy, "0.001", None))).await {
            assert_eq!(code, "NODE-14", "{shown}");
        }
        let seen = until(node, shown, |it| it["open_orders"] == 0).await;
        if seen["counters"]["fills"].as_u64() > before.as_u64() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{shown}: no order comes through any more");
}

/// Asks again whenever the order is known to be open; while the socket is being made anew, that may be more than once.
async fn cancel_until_gone(node: &Node, client_id: ClientOrderId, shown: &str) {
    for _ in 0..2_000 {
        let order = &ask(node, OperatorRequest::OrderList).await.unwrap()[0];
        match order["status"].as_str() {
            Some("open") => drop(ask(node, OperatorRequest::OrderCancel { client_id }).await),
            Some("canceled") => return,
            _ => (),
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{shown}: the order cannot be cancelled any more");
}

/// One cancel whose answer is spoilt: the order ends once, sooner or later.
async fn check_cancel(kind: FaultKind, after: bool) {
    let shown = format!("{kind:?}, carried out: {after}");
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await.unwrap();
    let order = ask(&node, OperatorRequest::OrderPlace(words(Side::Buy, "0.001", Some("30000")))).await.unwrap();
    let client_id = ClientOrderId::parse(order["client_id"].as_str().unwrap()).unwrap();
    until(&node, "it rests", |it| it["open_orders"] == 1).await;
    stage.faults(&[Fault { times: Some(1), ..fault("order.cancel", kind, after) }]).await;
    ask(&node, OperatorRequest::OrderCancel { client_id }).await.unwrap();
    if !after {
        cancel_until_gone(&node, client_id, &shown).await;
    }
    let seen = until(&node, &shown, |it| it["open_orders"] == 0).await;
    assert_eq!(seen["counters"]["contradictions"], 0, "{shown}");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a14_a_cancel_whose_answer_is_spoilt_was_done() {
    check_cancel(FaultKind::Garbage, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a14_a_cancel_that_was_lost_leaves_the_order_open_and_can_be_repeated() {
    check_cancel(FaultKind::Cut, false).await;
}

macro_rules! spoilt {
    ($($test:ident: $kind:expr, carried out $after:literal, exists $live:literal;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            check($kind, $after, $live).await;
        }
    )*};
}

spoilt! {
    an_order_answered_with_garbage_never_came: FaultKind::Garbage, carried out false, exists false;
    an_order_answered_with_garbage_is_found: FaultKind::Garbage, carried out true, exists true;
    an_order_answered_with_a_page_is_found: FaultKind::Html, carried out true, exists true;
    an_order_answered_by_half_is_found: FaultKind::HalfJson, carried out true, exists true;
    an_order_whose_answer_was_cut_is_found: FaultKind::Cut, carried out true, exists true;
    an_order_cut_off_never_came: FaultKind::Cut, carried out false, exists false;
    an_order_without_an_answer_is_found: FaultKind::Nothing, carried out true, exists true;
    f07_an_order_held_beyond_its_window_never_came: FaultKind::HoldMillis(700), carried out false, exists false;
    an_order_answered_late_is_one: FaultKind::DelayMillis(700), carried out true, exists true;
}
