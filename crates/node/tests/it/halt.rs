//! What the kill switch stops, by the journal's order of events, and how long after it an order may still reach the
//! venue, by the venue's own record. The first is a promise that holds on any machine; the second is a figure, printed.

use crate::support::{Stage, ask, check_journal, exchange_config, status, words};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tradewind_domain::Side::Buy;
use tradewind_engine::{EventKind, Verdict};
use tradewind_node::{Node, OperatorRequest, OrderWords, wall};

const HALTS: u64 = 200;
const SENDERS: usize = 4;
/// The target on a machine that is not busy with something else; how often it was kept is printed.
const TARGET_MS: i64 = 50;
/// Beyond this something hangs.
const HANG_MS: i64 = 10_000;

/// An order that meets nothing and is over at once.
fn order() -> OrderWords {
    OrderWords { time_in_force: Some("ioc".to_owned()), ..words(Buy, "0.001", Some("50000")) }
}

/// Orders as fast as the node takes them, until told to end.
async fn send(node: Arc<Node>, over: Arc<AtomicBool>, placed: Arc<AtomicU64>) {
    while !over.load(Ordering::SeqCst) {
        if ask(&node, OperatorRequest::OrderPlace(order())).await.is_ok() {
            placed.fetch_add(1, Ordering::SeqCst);
        }
        tokio::task::yield_now().await;
    }
}

/// When the exchange last took an order, in milliseconds of its market's clock, which runs beside the wall's.
async fn last_order(stage: &Stage) -> i64 {
    let last = stage.signed("GET", "/api/v3/allOrders", &[("symbol", "BTCUSDT"), ("limit", "50")]).await;
    last.as_array().unwrap().iter().map(|order| order["time"].as_i64().unwrap()).max().unwrap_or(0)
}

/// By how much the exchange's record lies behind the wall clock, at most.
async fn lag(stage: &Stage, node: &Node) -> i64 {
    let least = AtomicI64::new(i64::MAX);
    for _ in 0..20 {
        let id = ask(node, OperatorRequest::OrderPlace(order())).await.unwrap()["client_id"].clone();
        let taken = loop {
            let all = stage.signed("GET", "/api/v3/allOrders", &[("symbol", "BTCUSDT"), ("limit", "50")]).await;
            let seen = wall().millis();
            if let Some(order) = all.as_array().unwrap().iter().find(|order| order["clientOrderId"] == id) {
                break seen - order["time"].as_i64().unwrap();
            }
        };
        least.fetch_min(taken, Ordering::SeqCst);
    }
    least.into_inner()
}

/// Between a halt and its end the journal has no order approved, meant or sent: whatever the machine was busy with.
fn check_halts(stage: &Stage) {
    let (mut halted, mut halts, mut sent) = (false, 0, 0);
    for event in tradewind_node::events(stage.dir.path()).unwrap() {
        let order = match &event.kind {
            EventKind::Halted(_) => {
                (halted, halts) = (true, halts + 1);
                continue;
            }
            EventKind::Resumed { .. } => {
                halted = false;
                continue;
            }
            EventKind::Sent { .. } => {
                sent += 1;
                true
            }
            EventKind::Judged(Verdict::Approved(_)) | EventKind::Intended(_) => true,
            _ => false,
        };
        assert!(!(halted && order), "event {} while halted: {:?}", event.sequence, event.kind);
    }
    assert!(halts == HALTS && sent > HALTS, "{halts} halts amid {sent} orders");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_meant_after_the_kill_switch_and_the_last_order_on_the_wire_is_timed() {
    let stage = Stage::new(exchange_config()).await;
    let node = Arc::new(stage.node().await.unwrap());
    let lag = lag(&stage, &node).await;
    let (over, placed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let senders: Vec<_> =
        (0..SENDERS).map(|_| tokio::spawn(send(node.clone(), over.clone(), placed.clone()))).collect();
    let (mut figures, mut cut_off) = (Vec::new(), 0);
    for nth in 0..HALTS {
        let before = placed.load(Ordering::SeqCst);
        while placed.load(Ordering::SeqCst) < before + 2 + nth % 3 {
            tokio::time::sleep(Duration::from_micros(200)).await; // orders flow, and the halt meets them at any point
        }
        let thrown = wall().millis(); // a little before the latch
        ask(&node, OperatorRequest::Halt { reason: format!("halt {nth}") }).await.unwrap();
        let orders = status(&node).await["counters"]["orders"].clone();
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(status(&node).await["counters"]["orders"], orders, "an order was approved while halted");
        let after = last_order(&stage).await + lag - thrown;
        cut_off += u64::from(after > 0);
        figures.push(after.max(0));
        ask(&node, OperatorRequest::Resume { reason: "on".to_owned() }).await.unwrap();
    }
    over.store(true, Ordering::SeqCst);
    for sender in senders {
        sender.await.unwrap();
    }
    figures.sort_unstable();
    let (median, most) = (figures[figures.len() / 2], figures[figures.len() - 1]);
    let orders = placed.load(Ordering::SeqCst);
    println!(
        "kill switch: the last order reached the venue {median} ms (median) and {most} ms (most) after it, over {HALTS} halts \
         amid {orders} orders; {cut_off} of them had orders on the wire"
    );
    assert!(orders > HALTS, "orders did flow: {orders}");
    let kept = figures.iter().filter(|figure| **figure <= TARGET_MS).count();
    println!("kill switch: within the target of {TARGET_MS} ms {kept} times of {HALTS}");
    assert!(most <= HANG_MS, "{figures:?}");
    Arc::into_inner(node).expect("nobody else has it").stop().await.unwrap();
    check_journal(stage.dir.path());
    check_halts(&stage);
}
