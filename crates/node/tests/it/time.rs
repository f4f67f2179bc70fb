//! Clocks that jump, processes that stand still, timers that fire late, hosts in other time zones.

use crate::child::NodeProcess;
use crate::failpoints::Trial;
use crate::support::{Stage, check_journal, exchange_config, words};
use serde_json::Value;
use std::time::{Duration, Instant};
use tradewind_domain::Side;
use tradewind_node::{OperatorReply, OperatorRequest, OrderWords};

fn far() -> OrderWords {
    words(Side::Buy, "0.001", Some("30000"))
}

/// Places an order. While the venue's clock is being measured anew it is provably not sent; then one may try again.
pub(crate) async fn place_in_time(node: &NodeProcess, moment: &str) -> Duration {
    let began = Instant::now();
    loop {
        match node.ask(OperatorRequest::OrderPlace(far())).await.unwrap() {
            OperatorReply::Done { .. } => return began.elapsed(),
            OperatorReply::Failed { code, message, .. } => assert_eq!(code, "NODE-14", "{moment}: {message}"),
        }
        assert!(began.elapsed() < Duration::from_secs(15), "{moment}: no order leaves any more");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_the_wall_clock_jumps_and_every_order_still_carries_the_venues_time() {
    let stage = Stage::new(exchange_config()).await;
    let clock = tempfile::NamedTempFile::new().unwrap();
    let arm = format!("TRADEWIND_TEST_CLOCK={}", clock.path().display());
    let mut node = NodeProcess::spawn(&stage.exchange.url(), stage.dir.path(), &arm);
    node.ready().await;
    place_in_time(&node, "before").await;
    for (seconds, by) in [(3_600, 3_600), (3_595, -5), (-3_600, -7_195), (0, 3_600)] {
        std::fs::write(clock.path(), (seconds * 1_000_000_000_i64).to_string()).unwrap();
        let moment = format!("the wall clock is {seconds} s off");
        let jumped = |seen: &Value| {
            let notices = seen["notices"].as_array().unwrap();
            notices.iter().any(|it| jump_of(it).is_some_and(|told: i64| (told - by).abs() <= 1))
        };
        node.until(&moment, jumped).await;
        place_in_time(&node, &moment).await;
    }
    let seen = node.done(OperatorRequest::Status).await;
    assert_eq!((&seen["halted"], &seen["counters"]["rejected"]), (&Value::Null, &seen["counters"]["rejected"]));
    let placed = node.until("all rest", |it| it["unknown_orders"] == 0).await["open_orders"].clone();
    assert_eq!(placed, stage.open_orders().await.len() as u64, "none lost, none doubled");
    node.kill();
    check_journal(stage.dir.path());
}

fn jump_of(notice: &Value) -> Option<i64> {
    let text = notice.as_str()?.split_once("clock jumped by ")?.1;
    text.split(' ').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f05_a_process_that_stood_still_reads_everything_anew_and_knows_what_happened_meanwhile() {
    let stage = Stage::new(exchange_config()).await;
    let mut node = NodeProcess::spawn(&stage.exchange.url(), stage.dir.path(), "");
    node.ready().await;
    node.done(OperatorRequest::OrderPlace(words(Side::Buy, "0.02", None))).await;
    let seen = node.until("bought", |it| it["open_orders"] == 0 && it["counters"]["fills"] != 0).await;
    let mark: f64 = seen["instruments"][0]["mark"].as_str().unwrap().parse().unwrap();
    let target = format!("{:.2}", mark * 1.01);
    let order = node.done(OperatorRequest::OrderPlace(words(Side::Sell, "0.01", Some(&target)))).await;
    node.until("it rests", |it| it["open_orders"] == 1).await;
    node.signal("STOP");
    stage.sweep(&target).await; // it fills while nobody runs
    tokio::time::sleep(Duration::from_secs(7)).await;
    node.signal("CONT");
    let seen =
        node.until("it knows that it stood still", |it| it["notices"].to_string().contains("did not run for")).await;
    assert_eq!(seen["halted"], Value::Null, "{seen:#}");
    node.until("the fill is booked", |it| it["open_orders"] == 0).await;
    let orders = node.done(OperatorRequest::OrderList).await;
    let mine = orders.as_array().unwrap().iter().find(|it| it["client_id"] == order["client_id"]).unwrap();
    assert_eq!((&mine["status"], &mine["filled"]), (&"filled".into(), &"0.01".into()), "{mine:#}");
    place_in_time(&node, "after the standstill").await;
    node.kill();
    check_journal(stage.dir.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f07_a_driver_that_wakes_a_second_late_sends_nothing_behind_the_fence() {
    let mut trial = Trial::new().await;
    // the window is 300 ms
    let arm = "TRADEWIND_FAILPOINT=node.driver.taken:2:sleep-1000";
    let mut node = NodeProcess::spawn(&trial.stage.exchange.url(), trial.stage.dir.path(), arm);
    node.ready().await;
    trial.place(&node, far()).await.unwrap();
    let late = trial.place(&node, far()).await.unwrap();
    node.until("both are explained", |it| it["open_orders"] == 1 && it["unknown_orders"] == 0).await;
    let orders = node.done(OperatorRequest::OrderList).await;
    let late = orders.as_array().unwrap().iter().find(|it| it["client_id"] == *late).unwrap();
    assert!(["not_sent", "rejected", "expired"].contains(&late["status"].as_str().unwrap()), "{late:#}");
    assert_eq!(trial.stage.open_orders().await.len(), 1, "the late one is not at the venue");
    node.kill();
    check_journal(trial.stage.dir.path());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f06_the_time_zone_of_the_host_changes_nothing() {
    let mut trial = Trial::new().await;
    for zone in ["UTC", "Pacific/Kiritimati", "America/St_Johns"] {
        let arm = format!("TZ={zone}");
        let mut node = NodeProcess::spawn(&trial.stage.exchange.url(), trial.stage.dir.path(), &arm);
        node.ready().await;
        place_in_time(&node, zone).await;
        node.kill();
        trial.recover(zone).await;
    }
    let stamps: Vec<i64> =
        tradewind_node::events(trial.stage.dir.path()).unwrap().map(|it| it.received.millis()).collect();
    let first = stamps[0];
    assert!(stamps.iter().all(|at| (first..first + 600_000).contains(at)), "half a day would be a zone");
}
