//! The failure catalogue over real sockets: orders whose answer is lost, fills that no stream tells, other hands on the
//! account, balances that differ, a journal older than the venue. Names begin with the catalogue's ids.

use crate::child::{NodeProcess, quick};
use crate::support::{KEY, Stage, ask, check_journal, exchange_config, status, surroundings, until, words};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tradewind_domain::{Origin, Side};
use tradewind_engine::{EventKind, EvidencePolicy};
use tradewind_exchange::{Fault, FaultKind};
use tradewind_node::settings::{Seconds, Settings};
use tradewind_node::{AdoptWords, Node, OperatorRequest, OrderWords};

pub(crate) fn swift(stage: &Stage, dir: &Path) -> Settings {
    let mut settings = quick(&stage.exchange.url(), dir, &[]);
    settings.venue.sweep_every = Seconds::from_millis(300);
    settings
}

pub(crate) async fn start(stage: &Stage) -> Node {
    let node = Node::start(swift(stage, stage.dir.path()), surroundings(Origin::Simulated)).await.unwrap();
    until(&node, "there is a mark", |it| it["instruments"][0]["mark"].is_string()).await;
    node
}

fn fault(path: &str, kind: FaultKind, after: bool, times: Option<u32>) -> Fault {
    Fault { path: path.to_owned(), method: None, kind, times, after }
}

/// No report about orders comes over the stream, which otherwise lives.
fn silent_stream() -> Fault {
    Fault { method: Some("FRAME".to_owned()), ..fault("executionReport", FaultKind::Nothing, false, None) }
}

/// The answer to the next order is lost with its connection.
fn lost_answer(carried_out: bool) -> Fault {
    fault("order.place", FaultKind::Cut, carried_out, Some(1))
}

pub(crate) async fn place(node: &Node, order: OrderWords) -> Result<String, (String, String)> {
    let placed = ask(node, OperatorRequest::OrderPlace(order)).await?;
    Ok(placed["client_id"].as_str().unwrap().to_owned())
}

pub(crate) async fn order(node: &Node, id: &str) -> Value {
    let all = ask(node, OperatorRequest::OrderList).await.unwrap();
    all.as_array().unwrap().iter().find(|it| it["client_id"] == id).unwrap_or_else(|| panic!("{id} in {all}")).clone()
}

pub(crate) async fn until_order(node: &Node, id: &str, wanted: &str) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let seen = order(node, id).await;
        if seen["status"] == wanted {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "not {wanted} in 20 s: {seen:#}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(crate) fn far_buy() -> OrderWords {
    words(Side::Buy, "0.001", Some("30000"))
}

pub(crate) fn events(dir: &Path) -> Vec<EventKind> {
    tradewind_node::events(dir).unwrap().map(|event| event.kind).collect()
}

/// Stops the node and checks that the journal is sound and the next start finds nothing that differs.
pub(crate) async fn finish(stage: &Stage, node: Node) -> Vec<EventKind> {
    stage.faults(&[]).await;
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
    let said = events(stage.dir.path());
    let node = start(stage).await;
    let seen = status(&node).await;
    assert_eq!((&seen["restricted"], &seen["halted"]), (&Value::Null, &Value::Null), "{seen:#}");
    node.stop().await.unwrap();
    said
}

fn expired(said: &[EventKind]) -> usize {
    said.iter().filter(|kind| matches!(kind, EventKind::Expired { .. })).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a01_an_accepted_order_whose_answer_is_lost_is_found_by_its_id() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    stage.faults(&[silent_stream(), lost_answer(true)]).await;
    let id = place(&node, far_buy()).await.unwrap();
    until_order(&node, &id, "open").await;
    assert_eq!(stage.venue_orders().await.len(), 1, "one order at the venue");
    let said = finish(&stage, node).await;
    assert_eq!(said.iter().filter(|kind| matches!(kind, EventKind::AnswerLost { .. })).count(), 1);
    assert_eq!(said.iter().filter(|kind| matches!(kind, EventKind::Intended(_))).count(), 1, "nothing was sent again");
    assert_eq!(expired(&said), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a02_an_order_that_filled_before_its_answer_was_lost_is_booked_once() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    stage.faults(&[silent_stream(), lost_answer(true)]).await;
    let id = place(&node, words(Side::Buy, "0.001", None)).await.unwrap();
    until_order(&node, &id, "filled").await;
    let seen = status(&node).await;
    assert_eq!(seen["counters"]["contradictions"], 0, "{seen}");
    assert_eq!(stage.venue_orders().await.len(), 1, "the same id would be taken again by this venue");
    let said = finish(&stage, node).await;
    assert_eq!(said.iter().filter(|kind| matches!(kind, EventKind::Intended(_))).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a03_an_order_that_never_arrived_stays_unknown_until_its_absence_is_proven() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    stage.faults(&[lost_answer(false)]).await;
    let id = place(&node, far_buy()).await.unwrap();
    let seen = until(&node, "unknown", |it| it["unknown_orders"] == 1).await;
    assert_eq!(seen["unknown"][0]["client_id"], id.as_str());
    assert!(seen["unknown"][0]["age_seconds"].as_i64().unwrap() < 5, "{seen}");
    // it counts in full and blocks what it could double, for this portfolio and instrument
    assert_eq!(place(&node, far_buy()).await.unwrap_err().0, "GATE-05");
    until_order(&node, &id, "expired").await;
    let reason = order(&node, &id).await["closed_reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason.starts_with("it never reached the venue: ") && reason.contains("open orders "), "{reason}");
    assert_eq!(status(&node).await["unknown_orders"], 0);
    assert_eq!(stage.venue_orders().await.len(), 0, "nothing was sent again");
    place(&node, far_buy()).await.unwrap();
    let said = finish(&stage, node).await;
    let proof = said.iter().find_map(|kind| match kind {
        EventKind::Expired { evidence, .. } => evidence.clone(),
        _ => None,
    });
    let proof = proof.expect("the journal keeps the proof");
    assert!(proof.fulfils(&EvidencePolicy::LOCAL), "{proof:?}");
    assert!(proof.order.first >= proof.quiet() && proof.trades.count >= 2 && proof.history.count >= 2, "{proof:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a04_an_order_that_arrives_late_but_inside_its_fence_is_adopted() {
    let stage = Stage::new(exchange_config()).await;
    let mut settings = swift(&stage, stage.dir.path());
    settings.venue.recv_window = Seconds::from_millis(3_000);
    let node = Node::start(settings, surroundings(Origin::Simulated)).await.unwrap();
    until(&node, "there is a mark", |it| it["instruments"][0]["mark"].is_string()).await;
    // held before the matching engine, and nothing is told of it: neither the answer nor a report
    let held = fault("order.place", FaultKind::HoldMillis(1_500), false, Some(1));
    stage.faults(&[silent_stream(), held]).await;
    let id = place(&node, far_buy()).await.unwrap();
    assert_eq!(stage.venue_orders().await.len(), 0, "it is on its way");
    until_order(&node, &id, "open").await;
    assert_eq!(stage.venue_orders().await.len(), 1);
    assert_eq!(expired(&finish(&stage, node).await), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a05_an_order_that_arrives_behind_its_fence_is_refused_by_the_venue() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await; // its window is 300 ms
    stage.faults(&[fault("order.place", FaultKind::HoldMillis(900), false, Some(1))]).await;
    let id = place(&node, far_buy()).await.unwrap();
    until(&node, "it is over", |it| it["open_orders"] == 0).await;
    assert_eq!(order(&node, &id).await["status"], "rejected");
    assert_eq!(stage.venue_orders().await.len(), 0);
    finish(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a07_a_live_order_that_queries_do_not_find_yet_stays_unknown_until_they_do() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let lag = |path: &str| fault(path, FaultKind::Unseen, false, None);
    let lags = ["/api/v3/order", "/api/v3/openOrders", "/api/v3/allOrders", "/api/v3/myTrades"].map(lag);
    let mut faults = vec![silent_stream(), lost_answer(true)];
    faults.extend(lags);
    stage.faults(&faults).await;
    let id = place(&node, far_buy()).await.unwrap();
    until_order(&node, &id, "unknown").await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(order(&node, &id).await["status"], "unknown", "one not-found proves nothing");
    stage.faults(&[silent_stream()]).await;
    until_order(&node, &id, "open").await;
    assert_eq!(stage.venue_orders().await.len(), 1);
    assert_eq!(expired(&finish(&stage, node).await), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a08_a_duplicate_id_at_the_first_send_halts_and_sends_nothing_else() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let refuse = FaultKind::Refuse { code: -2010, text: "Duplicate order sent.".to_owned() };
    stage.faults(&[fault("order.place", refuse, false, Some(1))]).await;
    let id = place(&node, far_buy()).await.unwrap();
    let seen = until(&node, "halted", |it| it["halted"].is_string()).await;
    assert!(seen["halted"].as_str().unwrap().contains("never sent"), "{seen}");
    assert!(seen["notices"].to_string().contains("alarm"), "{seen}");
    until_order(&node, &id, "expired").await;
    assert_eq!(stage.venue_orders().await.len(), 0, "no new id is tried");
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a10_an_unlisted_code_is_no_rejection() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let refuse = FaultKind::Refuse { code: -9_999, text: "Something new.".to_owned() };
    stage.faults(&[fault("order.place", refuse, false, Some(1))]).await;
    let id = place(&node, far_buy()).await.unwrap();
    until_order(&node, &id, "unknown").await;
    until_order(&node, &id, "expired").await;
    finish(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f02_a_second_refused_time_stamp_in_a_row_halts_and_the_window_stays() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let text = "Timestamp for this request is outside of the recvWindow.".to_owned();
    let refuse = FaultKind::Refuse { code: -1021, text };
    stage.faults(&[fault("order.place", refuse, false, None)]).await;
    let first = place(&node, far_buy()).await.unwrap();
    until_order(&node, &first, "rejected").await;
    assert_eq!(status(&node).await["halted"], Value::Null, "the clock is measured anew, once");
    let second = loop {
        match place(&node, far_buy()).await {
            Ok(id) => break id,
            Err((code, _)) => assert_eq!(code, "NODE-14", "until the clock is measured nothing leaves"),
        }
    };
    until_order(&node, &second, "rejected").await;
    let seen = until(&node, "halted", |it| it["halted"].is_string()).await;
    assert!(seen["halted"].as_str().unwrap().contains("time stamps"), "{seen}");
    node.stop().await.unwrap();
    let windows: Vec<i64> = events(stage.dir.path())
        .iter()
        .filter_map(|kind| match kind {
            EventKind::Intended(intent) => Some(intent.fence.since(intent.not_before?)),
            _ => None,
        })
        .collect();
    assert!(windows.len() >= 2 && windows.iter().all(|window| *window == 300_000_000), "{windows:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b01_b03_reports_told_twice_are_booked_once() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    let twice = Fault { method: Some("FRAME".to_owned()), ..fault("executionReport", FaultKind::Twice, false, None) };
    stage.faults(&[twice]).await;
    let id = place(&node, words(Side::Buy, "0.01", None)).await.unwrap();
    let seen = until(&node, "it filled, and was told again", |it| {
        it["open_orders"] == 0 && it["counters"]["duplicates"].as_u64() > Some(0)
    })
    .await;
    assert_eq!((&seen["counters"]["contradictions"], &seen["halted"]), (&json!(0), &Value::Null));
    assert_eq!(order(&node, &id).await["filled"], "0.01");
    let charged = stage.charged().await;
    assert_eq!((charged.len(), &order(&node, &id).await["fees"]), (1, &json!(charged)), "each report charges once");
    assert_eq!(position(&node).await["fees"], json!(charged));
    finish(&stage, node).await;
    let node = start(&stage).await; // from the snapshot
    assert_eq!(order(&node, &id).await["fees"], json!(charged));
    assert_eq!(position(&node).await["fees"], json!(charged));
    node.stop().await.unwrap();
}

async fn position(node: &Node) -> Value {
    ask(node, OperatorRequest::PositionList).await.unwrap()[0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b02_a_fill_before_the_answer_is_kept() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    stage.faults(&[fault("order.place", FaultKind::DelayMillis(600), true, Some(1))]).await;
    let id = place(&node, words(Side::Buy, "0.001", None)).await.unwrap();
    until_order(&node, &id, "filled").await;
    assert_eq!(status(&node).await["counters"]["contradictions"], 0);
    tokio::time::sleep(Duration::from_millis(700)).await; // the answer comes now
    assert_eq!(order(&node, &id).await["status"], "filled");
    finish(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b04_a_fill_that_the_stream_never_told_is_found_by_the_sweep() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    stage.faults(&[silent_stream()]).await;
    let id = place(&node, words(Side::Buy, "0.001", None)).await.unwrap();
    until_order(&node, &id, "filled").await;
    let resting = place(&node, far_buy()).await.unwrap();
    until_order(&node, &resting, "open").await;
    let mine = [("symbol", "BTCUSDT"), ("origClientOrderId", resting.as_str())];
    stage.signed("DELETE", "/api/v3/order", &mine).await;
    until_order(&node, &resting, "canceled").await; // its end as well
    assert_eq!(status(&node).await["restricted"], Value::Null);
    finish(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b05_an_order_by_another_hand_counts_until_a_person_adopts_it() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    stage.by_hand("BUY", "0.01", "40000").await;
    let seen = until(&node, "seen", |it| it["foreign"].as_array().is_some_and(|all| !all.is_empty())).await;
    assert_eq!(
        (&seen["foreign"][0]["order"], &seen["foreign"][0]["amount"], &seen["halted"]),
        (&json!("typed-by-hand"), &json!("0.01"), &Value::Null)
    );
    // 10,500 of 10,000 may be held: the foreign 400 count, so 0.155 at 66,000 is too much
    assert_eq!(place(&node, words(Side::Buy, "0.155", Some("66000"))).await.unwrap_err().0, "GATE-08");

    let nobody = AdoptWords { order: Some("nobody".to_owned()), balances: false };
    assert_eq!(ask(&node, OperatorRequest::Adopt(nobody)).await.unwrap_err().0, "NODE-10");
    let adopted = ask(&node, OperatorRequest::Adopt(AdoptWords::default())).await.unwrap();
    assert_eq!((&adopted["orders"], &adopted["executions"]), (&json!(["typed-by-hand"]), &json!(0)));
    let list = ask(&node, OperatorRequest::OrderList).await.unwrap();
    let mine = list.as_array().unwrap().iter().find(|it| it["price"] == "40000").unwrap().clone();
    assert_eq!((&mine["status"], &mine["portfolio"]), (&json!("open"), &json!("operator")), "{mine}");
    assert_eq!(status(&node).await["foreign"], json!([]));
    // from here on it is one of ours: it can be cancelled, and what happens to it is followed
    let id = mine["client_id"].as_str().unwrap().to_owned();
    ask(&node, OperatorRequest::OrderCancel { client_id: id.parse_id() }).await.unwrap();
    until_order(&node, &id, "canceled").await;
    finish(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b05_executions_by_another_hand_are_no_drift_and_can_be_adopted() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    stage.by_hand("BUY", "0.01", "90000").await; // crosses: it fills at once
    let seen = until(&node, "seen", |it| it["foreign"].as_array().is_some_and(|all| !all.is_empty())).await;
    assert_eq!((&seen["foreign"][0]["filled"], &seen["foreign"][0]["open"]), (&json!("0.01"), &json!(false)));
    assert_eq!(seen["counters"]["fills"], 0, "nothing is booked in silence");
    tokio::time::sleep(Duration::from_millis(1_000)).await; // balances are compared meanwhile
    let seen = status(&node).await;
    assert_eq!((&seen["drifting"], &seen["restricted"]), (&json!(0), &Value::Null), "{seen:#}");
    let adopted = ask(&node, OperatorRequest::Adopt(AdoptWords::default())).await.unwrap();
    assert!(adopted["executions"].as_u64() > Some(0), "{adopted}");
    let positions = ask(&node, OperatorRequest::PositionList).await.unwrap();
    assert_eq!(positions[0]["portfolio"], "operator");
    assert_eq!(positions[0]["quantity"], "0.00999", "the fee was taken from it");
    finish(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b05_what_another_hand_may_sell_goes_out_once_it_cannot_and_the_rest_at_once() {
    for halted in [false, true] {
        let stage = Stage::new(exchange_config()).await;
        let node = start(&stage).await;
        place(&node, words(Side::Buy, "0.01", None)).await.unwrap();
        until(&node, "bought", |it| it["counters"]["fills"].as_u64() > Some(0) && it["open_orders"] == 0).await;
        stage.by_hand("SELL", "0.004", "90000").await;
        until(&node, "seen", |it| it["foreign"].as_array().is_some_and(|all| !all.is_empty())).await;
        if halted {
            ask(&node, OperatorRequest::Halt { reason: "lunch".to_owned() }).await.unwrap();
        }
        let closing = OperatorRequest::PositionClose { symbol: "BTC/USDT".to_owned() };
        let said = ask(&node, closing).await.unwrap();
        assert!(said[1]["data"]["exit"].as_str().unwrap().contains("another hand"), "{said:#}");
        let held = |it: &Value| it[0]["quantity"].as_str().unwrap_or("0").parse::<f64>().unwrap();
        loop {
            let left = held(&ask(&node, OperatorRequest::PositionList).await.unwrap());
            if left < 0.0041 {
                assert!(left > 0.0039, "nobody sells what the other order may: {left}");
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mine = [("symbol", "BTCUSDT"), ("origClientOrderId", "typed-by-hand")];
        stage.signed("DELETE", "/api/v3/order", &mine).await;
        until(&node, "it is gone", |it| it["foreign"] == json!([])).await;
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        while held(&ask(&node, OperatorRequest::PositionList).await.unwrap()) > 0.0001 {
            assert!(tokio::time::Instant::now() < deadline, "the rest follows");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if halted {
            ask(&node, OperatorRequest::Resume { reason: "back".to_owned() }).await.unwrap();
        }
        finish(&stage, node).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b12_a_balance_that_differs_by_one_unit_alarms_and_the_third_time_restricts() {
    let stage = Stage::new(exchange_config()).await;
    let node = start(&stage).await;
    place(&node, words(Side::Buy, "0.01", None)).await.unwrap();
    until(&node, "bought", |it| it["counters"]["fills"].as_u64() > Some(0) && it["open_orders"] == 0).await;
    stage.post("/tradewind/v1/adjust", &json!({"key": KEY, "asset": "BTC", "amount": "-0.00000001"})).await;
    let fills = status(&node).await["counters"]["fills"].clone();
    let seen = until(&node, "it alarms", |it| it["drifting"].as_u64() > Some(0)).await;
    assert!(seen["notices"].to_string().contains("alarm: balance BTC is"), "{seen}");
    let seen = until(&node, "restricted", |it| it["restricted"].is_string()).await;
    assert!(seen["drifting"].as_u64() >= Some(3) && seen["halted"].is_null(), "{seen}");
    assert_eq!(seen["counters"]["fills"], fills, "no fill is invented");
    assert_eq!(place(&node, far_buy()).await.unwrap_err().0, "GATE-13");
    let exit = words(Side::Sell, "0.001", Some("90000"));
    place(&node, exit).await.expect("what reduces passes");

    let words = AdoptWords { order: None, balances: true };
    let adopted = ask(&node, OperatorRequest::Adopt(words)).await.unwrap();
    assert_eq!(adopted["balances"], json!({ "BTC": "-0.00000001" }));
    ask(&node, OperatorRequest::Resume { reason: "one unit".to_owned() }).await.unwrap();
    place(&node, far_buy()).await.unwrap();
    until(&node, "they agree", |it| it["drifting"] == 0 && it["restricted"].is_null()).await;
    finish(&stage, node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b14_an_absence_longer_than_the_venues_history_restricts_until_a_person_resumes() {
    let stage = Stage::new(exchange_config()).await;
    // they agreed at its start, and not again in the time that follows
    let node = Node::start(quick(&stage.exchange.url(), stage.dir.path(), &[]), surroundings(Origin::Simulated)).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    node.unwrap().stop().await.unwrap();
    let mut settings = swift(&stage, stage.dir.path());
    settings.venue.history = Seconds::from_millis(500);
    let node = Node::start(settings, surroundings(Origin::Simulated)).await.unwrap();
    let seen = status(&node).await;
    assert!(seen["restricted"].as_str().is_some_and(|why| why.contains("is not known")), "{seen:#}");
    ask(&node, OperatorRequest::Resume { reason: "I looked".to_owned() }).await.unwrap();
    assert_eq!(status(&node).await["restricted"], Value::Null);
    node.stop().await.unwrap();
    check_journal(stage.dir.path());
}

/// A data directory as it was before `later` was placed, on a venue that has it.
async fn yesterday(stage: &Stage, later: OrderWords) -> (tempfile::TempDir, String) {
    let node = start(stage).await;
    place(&node, words(Side::Buy, "0.01", None)).await.unwrap();
    until(&node, "bought", |it| it["counters"]["fills"].as_u64() > Some(0) && it["open_orders"] == 0).await;
    ask(&node, OperatorRequest::Status).await.unwrap(); // an answer is durable, and so is all before it
    let yesterday = tempfile::TempDir::new().unwrap();
    copy(stage.dir.path(), yesterday.path());
    let rests = later.price.is_some();
    let placed = place(&node, later).await.unwrap();
    until_order(&node, &placed, if rests { "open" } else { "filled" }).await;
    node.stop().await.unwrap();
    (yesterday, placed)
}

async fn check_only_what_reduces_passes(node: &Node) {
    let seen = status(node).await;
    assert!(seen["restricted"].as_str().is_some_and(|why| why.contains("restored backup")), "{seen:#}");
    until(node, "there is a mark", |it| it["instruments"][0]["mark"].is_string()).await;
    assert_eq!(place(node, far_buy()).await.unwrap_err().0, "GATE-13");
    place(node, words(Side::Sell, "0.001", Some("90000"))).await.expect("what reduces passes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g15_a_restored_backup_allows_only_what_reduces() {
    let stage = Stage::new(exchange_config()).await;
    let (yesterday, protective) = yesterday(&stage, words(Side::Sell, "0.005", Some("90000"))).await;
    let node = Node::start(swift(&stage, yesterday.path()), surroundings(Origin::Simulated)).await.unwrap();
    assert_eq!(status(&node).await["foreign"][0]["order"], protective.as_str(), "and it counts");
    check_only_what_reduces_passes(&node).await;
    node.stop().await.unwrap();
    check_journal(yesterday.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g15_so_it_does_where_what_the_backup_lacks_is_filled_and_gone() {
    let stage = Stage::new(exchange_config()).await;
    let (yesterday, lost) = yesterday(&stage, words(Side::Buy, "0.02", None)).await;
    let again = || Node::start(swift(&stage, yesterday.path()), surroundings(Origin::Simulated));
    let node = again().await.unwrap();
    check_only_what_reduces_passes(&node).await;
    ask(&node, OperatorRequest::Resume { reason: "I looked".to_owned() }).await.unwrap();
    node.stop().await.unwrap();

    let node = again().await.unwrap();
    check_only_what_reduces_passes(&node).await; // nobody has said yet whose it is
    let words = AdoptWords { order: Some(lost), ..AdoptWords::default() };
    ask(&node, OperatorRequest::Adopt(words)).await.unwrap();
    ask(&node, OperatorRequest::Resume { reason: "it is ours".to_owned() }).await.unwrap();
    node.stop().await.unwrap();

    let node = again().await.unwrap();
    assert_eq!(status(&node).await["restricted"], Value::Null);
    node.stop().await.unwrap();
    check_journal(yesterday.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_reads_the_open_orders_in_one_list_and_asks_for_none_of_them_alone() {
    let stage = Stage::new(exchange_config()).await;
    let mut killed = NodeProcess::spawn(&stage.exchange.url(), stage.dir.path(), "");
    killed.ready().await;
    for _ in 0..30 {
        killed.done(OperatorRequest::OrderPlace(far_buy())).await;
    }
    killed.until("all are working", |it| it["open_orders"] == 30 && it["unknown_orders"] == 0).await;
    killed.kill();

    let alone = Fault { method: Some("GET".to_owned()), ..fault("/api/v3/order", FaultKind::Garbage, false, None) };
    stage.faults(&[alone]).await;
    let node = start(&stage).await;
    let seen = status(&node).await;
    assert_eq!((&seen["open_orders"], &seen["unknown_orders"]), (&json!(30), &json!(0)), "{seen:#}");
    finish(&stage, node).await;
}

/// Copies a data directory as a backup program would: its files, no locks, no sockets.
fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, target) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else if kind.is_file() {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Reads an id that the node wrote.
trait ParseId {
    fn parse_id(&self) -> tradewind_domain::ClientOrderId;
}

impl ParseId for String {
    fn parse_id(&self) -> tradewind_domain::ClientOrderId {
        tradewind_domain::ClientOrderId::parse(self).unwrap()
    }
}
